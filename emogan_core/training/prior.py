"""What random faces are drawn from: the distribution of real faces' codes, learned and put into the mapping network.

python -m emogan_core.training.prior GENERATOR --faces press/ press.csv 1 --faces studio/ studio.csv 3 \
    --held-out benchmarks/held_out_people.txt -o OUT.safetensors

Real codes are no normal distribution: glasses are there or not, a head is turned or not. Drawn from one, a random face
is many half-measures. A flow from noise to codes is learned from the training faces (Lipman et al. 2023, "Flow Matching
for Generative Modeling"; Liu et al. 2023, "Flow Straight and Fast"), in the directions that pictures show most; the
mapping network then learns in one step what the flow makes of noise in many.

Random faces stay around the generator's w_avg, where its training drew them. With --as-photos they move to where the
encoder puts photos, rows included, so that a training can start where random faces are of the kind of redrawn ones.
No redrawn face changes.
"""

from __future__ import annotations

import argparse
import copy
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints import read_generator, write_generator
from ..networks import Generator
from ..networks.encoder import LINEAR_SIDE
from ..networks.layers import SQRT2, Dense, leaky
from ..networks.mapping import Mapping, normalised
from .blend import notes_of
from .codes import SAFE, lift_codes, lift_rows, origin_for, root_of, shown_directions
from .data import Faces, read_faces, read_held_out, small_pictures, split

DIRECTIONS = 96  # that show most: 95 % of what codes tell of the picture; more are fog in a random face
SPREAD = 1.2  # of real codes, for random ones at psi 1, so that psi 0.7 keeps most of how much people differ
FLOW_STEPS, MAPPING_STEPS, BATCH, RATE = 1500, 3000, 512, 1e-3
WIDTH = 640
KEEP = 0.995  # of the averaged flow, a step
PAIRS, TRIED = 98_304, 4_096  # noises that the mapping network learns from, and those it is tried on
LIFT = 5.0  # standard deviations by which units that carry z start above the bend of the leaky ReLU


@dataclass(frozen=True, slots=True)
class Directions:
    """What faces' codes differ by: codes [n, w_dim] = mean + x @ basis.T, with x [n, w_dim] of unit variance.

    Convention: `shown` [w_dim], how much of the pictures each direction explains, falls.
    """

    mean: Tensor
    basis: Tensor
    shown: Tensor

    def coordinates(self, codes: Tensor) -> Tensor:
        """x of other codes [n, w_dim]."""
        x: Tensor = torch.linalg.solve(self.basis.double(), (codes - self.mean).double().T).T.float()
        return x


class Flow(nn.Module):
    """x [n, d] on its way from noise at t = 0 to codes at t = 1, and t [n] -> velocity [n, d].

    Convention: it starts as the flow between two standard normal distributions.
    """

    def __init__(self, dims: int, rng: torch.Generator, *, width: int = WIDTH, blocks: int = 4) -> None:
        super().__init__()
        self.enter, self.clock = nn.Linear(dims, width), nn.Linear(32, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Dropout(0.1), nn.Linear(width, width)
            )
            for _ in range(blocks)
        )
        self.leave = nn.Linear(width, dims)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=layer.in_features**-0.5, generator=rng)
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        angles = t[:, None] * torch.logspace(0, math.log10(60), 16, device=x.device)
        h = self.enter(x) + self.clock(torch.cat([angles.sin(), angles.cos()], dim=1))
        for block in self.blocks:
            h = h + block(h)
        straight = (2 * t - 1) / (t * t + (1 - t) ** 2)
        velocity: Tensor = straight[:, None] * x + self.leave(h)
        return velocity


def codes_of(generator: Generator, faces: Faces) -> tuple[Tensor, Tensor]:
    """(ws [2 n, num_ws, w_dim], pictures [2 n, 3 * 32 * 32]) of faces and their mirrors."""
    with torch.no_grad():
        ws = [
            generator.encode((part.flip(3) if mirror else part).float() / 127.5 - 1)
            for mirror in (False, True)
            for part in torch.split(faces.pixels, 256)
        ]
    pictures = small_pictures(faces, LINEAR_SIDE)
    return torch.cat(ws), torch.cat([pictures, pictures.flip(3)]).flatten(1)


def directions_of(codes: Tensor, pictures: Tensor) -> Directions:
    """The directions of codes [n, w_dim], those that explain most of pictures [n, d] first."""
    root, mean = root_of(codes), codes.mean(0)
    shown, vectors = shown_directions(root, codes, pictures)
    basis = (root.double() @ vectors).float().flip(1)
    return Directions(mean, basis, shown.float().flip(0))


def flow_loss(flow: Flow, x: Tensor, heed: Tensor, rng: torch.Generator) -> Tensor:
    """Mean squared error of the velocity between noise and codes x [n, d], at random times; `heed` [d] weighs."""
    t = torch.sigmoid(torch.randn(len(x), generator=rng))  # the middle of the way is where they must part
    noise = torch.randn(x.shape, generator=rng)
    along = noise.lerp(x, t[:, None])
    loss: Tensor = ((flow(along, t) - (x - noise)).square() * heed).mean()
    return loss


def learn_flow(
    x: Tensor, weights: Tensor, heed: Tensor, rng: torch.Generator, *, steps: int, width: int = WIDTH
) -> Flow:
    """A flow from noise to codes x [n, d] drawn by weights [n]."""
    flow = Flow(x.shape[1], rng, width=width)
    optimiser = torch.optim.AdamW(flow.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.05)
    averaged = copy.deepcopy(flow).requires_grad_(False)
    for step in range(steps):
        drawn = x[torch.multinomial(weights, BATCH, replacement=True, generator=rng)]
        _descend(optimiser, flow_loss(flow, drawn, heed, rng), step, steps)
        keep = min(KEEP, step / (step + 1))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(flow.parameters()), 1 - keep)
    return averaged.eval()


@torch.no_grad()
def follow(flow: Flow, noise: Tensor, *, steps: int = 16) -> Tensor:
    """Where the flow takes noise [n, d], by Heun's method."""
    x, h = noise, 1 / steps
    for step in range(steps):
        t = torch.full((len(x),), step * h)
        first = flow(x, t)
        x = x + h / 2 * (first + flow(x + h * first, t + h))
    return x


class Steps(nn.Module):
    """z [n, z_dim], normalised -> x [n, d] by the layers of a mapping network: what it computes but for its last units.

    Convention: it starts with the first d numbers of z handed through on units lifted above the bend.
    """

    def __init__(self, mapping: Mapping, dims: int, rng: torch.Generator) -> None:
        super().__init__()
        width = mapping.w_avg.shape[0]
        inputs = (mapping.z_dim, *([width] * (mapping.num_layers - 2)))
        self.layers = nn.ModuleList(nn.Linear(inside, width) for inside in inputs)
        self.out = nn.Linear(width, dims)
        with torch.no_grad():
            for index, layer in enumerate(self.layers):
                assert isinstance(layer, nn.Linear)
                nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=rng)
                nn.init.zeros_(layer.bias)
                layer.weight[:dims] = torch.eye(dims, layer.in_features) / (SQRT2 if index else 1.0)
                layer.bias[:dims] = 0.0 if index else LIFT
            self.out.weight.copy_(torch.eye(dims, width) / SQRT2)
            self.out.bias.fill_(-LIFT)

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = leaky(layer(z))
        x: Tensor = self.out(z)
        return x

    def write(self, mapping: Mapping, mean: Tensor, basis: Tensor) -> None:
        """Make the mapping network z -> mean + x @ basis.T; w must stay positive, see `lift_codes`."""
        with torch.no_grad():
            last = (basis @ self.out.weight / SQRT2, (mean + basis @ self.out.bias) / SQRT2)
            pairs = [(layer.weight, layer.bias) for layer in self.layers if isinstance(layer, nn.Linear)]
            for index, (weight, bias) in enumerate((*pairs, last)):
                layer = mapping.get_submodule(f"fc{index}")
                assert isinstance(layer, Dense)
                layer.weight.copy_(weight / layer.weight_gain)
                layer.bias.copy_(bias / layer.bias_gain)
            mapping.w_avg.copy_(mean)


def learn_steps(steps: Steps, z: Tensor, x: Tensor, heed: Tensor, rng: torch.Generator, *, count: int) -> None:
    """Teach what becomes of each z [n, z_dim]: x [n, d]."""
    optimiser = torch.optim.Adam(steps.parameters(), lr=RATE, betas=(0.9, 0.99))
    for step in range(count):
        index = torch.randint(len(z), (2 * BATCH,), generator=rng)
        _descend(optimiser, ((steps(z[index]) - x[index]).square() * heed).mean(), step, count)


def with_learned_prior(
    generator: Generator, training: Faces, held_out: Faces, rng: torch.Generator, *, as_photos: bool
) -> dict[str, float]:
    """Give the generator a mapping network that draws codes as real faces have them, in place; how well it does.

    Told are flow losses on both sets of faces beside those of a normal distribution, and the share of the flow's
    variance that the mapping network misses.
    """
    ws, pictures = codes_of(generator, training)
    codes = ws.mean(dim=1)
    along = directions_of(codes, pictures)
    heed = along.shown[:DIRECTIONS].clamp_min(0).sqrt()
    heed = heed + 0.1 * heed[0]
    heed = heed / heed.mean()
    unseen, _ = codes_of(generator, held_out)
    known, strange = (along.coordinates(w)[:, :DIRECTIONS] for w in (codes, unseen.mean(dim=1)))
    flow = learn_flow(known, training.weights.repeat(2), heed, rng, steps=FLOW_STEPS)
    told = {}
    for name, x in (("training", known), ("held_out", strange)):
        with torch.no_grad():
            told[f"{name}_loss"] = float(flow_loss(flow, x, heed, torch.Generator().manual_seed(0)))
            told[f"{name}_loss_normal"] = float(
                flow_loss(Flow(DIRECTIONS, rng), x, heed, torch.Generator().manual_seed(0))
            )
    z = normalised(torch.randn(PAIRS, generator.mapping.z_dim, generator=rng))
    ends = torch.cat([follow(flow, part[:, :DIRECTIONS]) for part in torch.split(z, TRIED)])
    steps = Steps(generator.mapping, DIRECTIONS, rng)
    learn_steps(steps, z[TRIED:], ends[TRIED:], heed, rng, count=MAPPING_STEPS)
    with torch.no_grad():
        missed = ((steps(z[:TRIED]) - ends[:TRIED]).square() * heed).mean() / (ends[:TRIED].square() * heed).mean()
    told["missed"] = float(missed)
    with torch.no_grad():
        generator.w_std.copy_(codes.std(0))
    centre = generator.w_avg.clone()
    if as_photos:
        lift_rows(generator, ws.mean(dim=0) - codes.mean(dim=0))
        lift_codes(generator, origin_for(codes))
        centre = SAFE * generator.w_std
    steps.write(generator.mapping, centre, SPREAD * along.basis[:, :DIRECTIONS])
    return told


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor, step: int, steps: int) -> None:
    """One step at a rate that rises over a hundred and falls along a cosine."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimiser.param_groups:
        group["lr"] = RATE * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimiser.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", type=Path)
    parser.add_argument("--faces", nargs=3, action="append", required=True, metavar=("DIR", "CSV", "WEIGHT"))
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--as-photos", action="store_true", help="random faces around photos' codes, not around w_avg")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator = read_generator(arguments.generator)
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    torch.manual_seed(arguments.seed)  # dropout draws from here
    rng = torch.Generator().manual_seed(arguments.seed)
    training, held_out = split(faces, read_held_out(arguments.held_out))
    told = with_learned_prior(generator, training, held_out, rng, as_photos=arguments.as_photos)
    for name, value in told.items():
        print(f"{name}: {value:.3f}")
    write_generator(arguments.out, generator, half=True, notes=notes_of(arguments.generator))


if __name__ == "__main__":
    main()
