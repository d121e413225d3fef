"""Fit the mapping network to the distribution of real faces' codes, so that random faces are drawn from it.

python -m emogan_core.training.prior GENERATOR --faces press/ press.csv 1 --faces studio/ studio.csv 3 \
    --held-out benchmarks/held_out_people.txt -o OUT.safetensors

Real codes are not normally distributed: glasses are there or not, a head is turned or not, and samples of a normal
distribution lie in between. A flow from noise to codes is trained on the training faces (Lipman et al. 2023, "Flow
Matching for Generative Modeling"; Liu et al. 2023, "Flow Straight and Fast"), in the directions that are most visible;
the mapping network is then regressed on the end points of the flow.

Random faces stay around the generator's w_avg, where its training drew them. With --as-photos they are centred on the
encoder's codes of photos, layer offsets included, so that a training can start with random faces that are drawn as
reconstructions are. Reconstructions do not change.
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
from .codes import MARGIN, fold_layer_offsets, positive_origin, root_of, shift_w_origin, visible_directions
from .data import Faces, read_faces, read_held_out, small_pictures, split

DIRECTIONS = 96  # the most visible ones: 95 % of the picture variance that codes explain; more only blur random faces
SPREAD = 1.2  # scale of random codes at psi 1 relative to real ones, so that psi 0.7 keeps most of their variety
FLOW_STEPS, MAPPING_STEPS, BATCH, RATE = 1500, 3000, 512, 1e-3
WIDTH = 640
EMA_DECAY = 0.995  # of the flow's moving average, per step
PAIRS, TEST_PAIRS = 98_304, 4_096  # samples of noise with their end points, and how many of them are for testing
BIAS = 5.0  # standard deviations by which units that pass z on start in the linear part of the leaky ReLU


@dataclass(frozen=True, slots=True)
class Directions:
    """Principal directions of faces' codes: codes [n, w_dim] = mean + x @ basis.T, with x [n, w_dim] of unit variance.

    Convention: `visible` [w_dim] is the picture variance that each direction explains, descending.
    """

    mean: Tensor
    basis: Tensor
    visible: Tensor

    def coordinates(self, codes: Tensor) -> Tensor:
        """x [n, w_dim] of other codes [n, w_dim]."""
        x: Tensor = torch.linalg.solve(self.basis.double(), (codes - self.mean).double().T).T.float()
        return x


class Flow(nn.Module):
    """x [n, d] on its path from noise at t = 0 to codes at t = 1, and t [n] -> velocity [n, d].

    Convention: it is initialised as the flow between two standard normal distributions.
    """

    def __init__(self, dims: int, rng: torch.Generator, *, width: int = WIDTH, blocks: int = 4) -> None:
        super().__init__()
        self.input, self.time = nn.Linear(dims, width), nn.Linear(32, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Dropout(0.1), nn.Linear(width, width)
            )
            for _ in range(blocks)
        )
        self.output = nn.Linear(width, dims)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=layer.in_features**-0.5, generator=rng)
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.output.weight)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        angles = t[:, None] * torch.logspace(0, math.log10(60), 16, device=x.device)
        h = self.input(x) + self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        for block in self.blocks:
            h = h + block(h)
        gain = (2 * t - 1) / (t * t + (1 - t) ** 2)
        velocity: Tensor = gain[:, None] * x + self.output(h)
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
    """The directions of codes [n, w_dim], those that explain most of the variance of pictures [n, d] first."""
    root, mean = root_of(codes), codes.mean(0)
    visible, vectors = visible_directions(root, codes, pictures)
    basis = (root.double() @ vectors).float().flip(1)
    return Directions(mean, basis, visible.float().flip(0))


def flow_loss(flow: Flow, x: Tensor, loss_weights: Tensor, rng: torch.Generator) -> Tensor:
    """Mean squared error of the velocity between noise and codes x [n, d], at random times, weighted by `loss_weights` [d]."""
    t = torch.sigmoid(
        torch.randn(len(x), generator=rng)
    )  # mostly in the middle, where the velocity is hardest to predict
    noise = torch.randn(x.shape, generator=rng)
    along = noise.lerp(x, t[:, None])
    loss: Tensor = ((flow(along, t) - (x - noise)).square() * loss_weights).mean()
    return loss


def fit_flow(
    x: Tensor, weights: Tensor, loss_weights: Tensor, rng: torch.Generator, *, steps: int, width: int = WIDTH
) -> Flow:
    """A flow from noise to codes x [n, d] drawn by weights [n]."""
    flow = Flow(x.shape[1], rng, width=width)
    optimiser = torch.optim.AdamW(flow.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.05)
    averaged = copy.deepcopy(flow).requires_grad_(False)
    for step in range(steps):
        drawn = x[torch.multinomial(weights, BATCH, replacement=True, generator=rng)]
        _descend(optimiser, flow_loss(flow, drawn, loss_weights, rng), step, steps)
        decay = min(EMA_DECAY, step / (step + 1))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(flow.parameters()), 1 - decay)
    return averaged.eval()


@torch.no_grad()
def integrate(flow: Flow, noise: Tensor, *, steps: int = 16) -> Tensor:
    """The end points of the flow's ODE from noise [n, d], by Heun's method."""
    x, h = noise, 1 / steps
    for step in range(steps):
        t = torch.full((len(x),), step * h)
        first = flow(x, t)
        x = x + h / 2 * (first + flow(x + h * first, t + h))
    return x


class MappingRegressor(nn.Module):
    """z [n, z_dim], normalised -> x [n, d] by the layers of a mapping network, with another last layer.

    Convention: it is initialised to return the first d numbers of z, on units that stay in the linear part of the ReLU.
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
                layer.bias[:dims] = 0.0 if index else BIAS
            self.out.weight.copy_(torch.eye(dims, width) / SQRT2)
            self.out.bias.fill_(-BIAS)

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = leaky(layer(z))
        x: Tensor = self.out(z)
        return x

    def write(self, mapping: Mapping, mean: Tensor, basis: Tensor) -> None:
        """Make the mapping network z -> mean + x @ basis.T; w must stay positive, see `shift_w_origin`."""
        with torch.no_grad():
            last = (basis @ self.out.weight / SQRT2, (mean + basis @ self.out.bias) / SQRT2)
            pairs = [(layer.weight, layer.bias) for layer in self.layers if isinstance(layer, nn.Linear)]
            for index, (weight, bias) in enumerate((*pairs, last)):
                layer = mapping.get_submodule(f"fc{index}")
                assert isinstance(layer, Dense)
                layer.weight.copy_(weight / layer.weight_gain)
                layer.bias.copy_(bias / layer.bias_gain)
            mapping.w_avg.copy_(mean)


def fit_regressor(
    regressor: MappingRegressor, z: Tensor, x: Tensor, loss_weights: Tensor, rng: torch.Generator, *, count: int
) -> None:
    """Fit x [n, d] as a function of z [n, z_dim]."""
    optimiser = torch.optim.Adam(regressor.parameters(), lr=RATE, betas=(0.9, 0.99))
    for step in range(count):
        index = torch.randint(len(z), (2 * BATCH,), generator=rng)
        _descend(optimiser, ((regressor(z[index]) - x[index]).square() * loss_weights).mean(), step, count)


def fit_prior(
    generator: Generator, training: Faces, held_out: Faces, rng: torch.Generator, *, as_photos: bool
) -> dict[str, float]:
    """Fit the generator's mapping network to real faces' codes, in place; returns figures of the fit.

    These are flow losses on both sets of faces beside those of a normal distribution, and the share of the flow's
    variance that the mapping network does not explain.
    """
    ws, pictures = codes_of(generator, training)
    codes = ws.mean(dim=1)
    directions = directions_of(codes, pictures)
    loss_weights = directions.visible[:DIRECTIONS].clamp_min(0).sqrt()
    loss_weights = loss_weights + 0.1 * loss_weights[0]
    loss_weights = loss_weights / loss_weights.mean()
    held_out_ws, _ = codes_of(generator, held_out)
    training_x, held_out_x = (directions.coordinates(w)[:, :DIRECTIONS] for w in (codes, held_out_ws.mean(dim=1)))
    flow = fit_flow(training_x, training.weights.repeat(2), loss_weights, rng, steps=FLOW_STEPS)
    figures = {}
    for name, x in (("training", training_x), ("held_out", held_out_x)):
        with torch.no_grad():
            figures[f"{name}_loss"] = float(flow_loss(flow, x, loss_weights, torch.Generator().manual_seed(0)))
            figures[f"{name}_loss_normal"] = float(
                flow_loss(Flow(DIRECTIONS, rng), x, loss_weights, torch.Generator().manual_seed(0))
            )
    z = normalised(torch.randn(PAIRS, generator.mapping.z_dim, generator=rng))
    ends = torch.cat([integrate(flow, part[:, :DIRECTIONS]) for part in torch.split(z, TEST_PAIRS)])
    regressor = MappingRegressor(generator.mapping, DIRECTIONS, rng)
    fit_regressor(regressor, z[TEST_PAIRS:], ends[TEST_PAIRS:], loss_weights, rng, count=MAPPING_STEPS)
    with torch.no_grad():
        unexplained = ((regressor(z[:TEST_PAIRS]) - ends[:TEST_PAIRS]).square() * loss_weights).mean() / (
            ends[:TEST_PAIRS].square() * loss_weights
        ).mean()
    figures["unexplained"] = float(unexplained)
    with torch.no_grad():
        generator.w_std.copy_(codes.std(0))
    centre = generator.w_avg.clone()
    if as_photos:
        fold_layer_offsets(generator, ws.mean(dim=0) - codes.mean(dim=0))
        shift_w_origin(generator, positive_origin(codes))
        centre = MARGIN * generator.w_std
    regressor.write(generator.mapping, centre, SPREAD * directions.basis[:, :DIRECTIONS])
    return figures


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor, step: int, steps: int) -> None:
    """One step, at a learning rate with a linear warm-up over 100 steps and a cosine decay."""
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
    parser.add_argument("--as-photos", action="store_true", help="centre random faces on photos' codes, not on w_avg")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator = read_generator(arguments.generator)
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    torch.manual_seed(arguments.seed)  # dropout draws from here
    rng = torch.Generator().manual_seed(arguments.seed)
    training, held_out = split(faces, read_held_out(arguments.held_out))
    figures = fit_prior(generator, training, held_out, rng, as_photos=arguments.as_photos)
    for name, value in figures.items():
        print(f"{name}: {value:.3f}")
    write_generator(arguments.out, generator, half=True, notes=notes_of(arguments.generator))


if __name__ == "__main__":
    main()
