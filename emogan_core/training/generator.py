"""Train the built-in generator with its encoder and discriminator on aligned faces; resumable at any point.

python -m emogan_core.training.generator --faces press/ press.csv 1 --faces studio/ studio.csv 3 \
    --held-out benchmarks/held_out_people.txt --start decoder_64_start.safetensors --work run/ --steps 6000
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..checkpoints import read_generator, write_generator
from ..inversion.objective import feature_l1, pyramid_l1
from ..networks.build import Generator
from ..networks.discriminator import Discriminator
from ..networks.encoder import LINEAR_SIDE, Encoder, start_from_projection
from ..networks.layers import initialise
from ..networks.spec import GeneratorSpec
from ..networks.stylegan2 import Synthesis
from ..weights import read_header, read_tensors, write_tensors
from .codes import lift_codes, origin_for, start_as_gaussian
from .data import Faces, draw, read_faces, read_held_out, split
from .losses import augment, real_gradient_penalty

SPEC = GeneratorSpec(
    resolution=64,
    w_dim=256,
    z_dim=256,
    channels=(128, 128, 128, 128, 64),
    mapping_layers=4,
    crop="tight",
    name="EmotionGAN built-in faces, 64 px",
    licence="Apache-2.0; see MODEL_CARD.md for the data",
)
SETTLE_EVERY = 1000
ENCODER_CHANNELS = (128, 96, 64, 48, 32)
JUDGE_CHANNELS = (96, 96, 96, 64, 32)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every dial of the recipe; `alone` and `decay` are shares of the run."""

    steps: int = 6000
    batch: int = 16
    samples: int = 8
    lr: float = 1e-3
    alone: float = 0.15  # reconstruction without an adversary
    decay: float = 0.35  # share at the end over which the rate falls to zero
    pyramid: float = 8.0
    features: float = 2.0
    adversarial: float = 0.2
    sampled: float = 0.3
    row_spread: float = 0.02
    norm: float = 0.002
    r1: float = 1.0
    r1_every: int = 16
    ema: float = 0.998
    clip: float = 10.0
    seed: int = 0


def rate_at(step: int, config: TrainConfig) -> float:
    """Learning rate: 100 steps of warm-up, flat, then linear to zero."""
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return config.lr * min(1.0, (step + 1) / 100, max(0.0, left))


class Run:
    """Networks, optimisers and step of one training run, saved and restored as safetensors."""

    def __init__(self, config: TrainConfig) -> None:
        rng = torch.Generator().manual_seed(config.seed)
        self.config, self.step = config, 0
        encoder = Encoder(SPEC.resolution, ENCODER_CHANNELS, w_dim=SPEC.w_dim, num_ws=SPEC.num_ws)
        judge = Discriminator(SPEC.resolution, JUDGE_CHANNELS)
        self.live = Generator(SPEC, fingerprint="", encoder=encoder, discriminator=judge)
        initialise(self.live, rng)
        self.live.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.live).requires_grad_(False)
        self.origin = torch.zeros(SPEC.w_dim)  # the mapping network's codes are those of training plus this
        # the projection stays as fitted: one adaptive step on its 3,072 inputs at once throws the codes about; the
        # mapping network stays the codes' distribution: an adversary moved its mean by 0.8 standard deviations
        fixed = (judge, encoder.linear, self.live.mapping)
        apart = {id(parameter) for part in fixed for parameter in part.parameters()}
        drawn = [p for p in self.live.parameters() if id(p) not in apart]
        self.drawing = torch.optim.Adam(drawn, lr=config.lr, betas=(0.5, 0.99), eps=1e-8)
        self.judging = torch.optim.Adam(judge.parameters(), lr=config.lr, betas=(0.0, 0.99), eps=1e-8)

    def parts(self) -> tuple[Synthesis, Encoder, Discriminator]:
        assert isinstance(self.live.synthesis, Synthesis)
        assert self.live.encoder is not None
        assert self.live.discriminator is not None
        return self.live.synthesis, self.live.encoder, self.live.discriminator

    def save(self, path: Path) -> None:
        """Everything needed to go on exactly here."""
        tensors = {f"live.{name}": tensor for name, tensor in self.live.state_dict().items()}
        tensors |= {f"ema.{name}": tensor for name, tensor in self.ema.state_dict().items()}
        tensors["origin"] = self.origin
        for title, optimiser in (("drawing", self.drawing), ("judging", self.judging)):
            for index, entry in optimiser.state_dict()["state"].items():
                tensors |= {f"{title}.{index}.{name}": torch.as_tensor(value) for name, value in entry.items()}
        write_tensors(path, tensors, {"step": str(self.step), "config": json.dumps(asdict(self.config))})

    def restore(self, path: Path) -> None:
        """Go on from a saved run."""
        tensors, metadata = read_tensors(path)
        self.step = int(metadata["step"])
        self.origin = tensors["origin"]
        self.live.load_state_dict({n[5:]: t for n, t in tensors.items() if n.startswith("live.")})
        self.ema.load_state_dict({n[4:]: t for n, t in tensors.items() if n.startswith("ema.")})
        for title, optimiser in (("drawing", self.drawing), ("judging", self.judging)):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                if name.startswith(f"{title}."):
                    _, index, field = name.split(".")
                    state.setdefault(int(index), {})[field] = tensor
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})

    def sample(self, network: Generator, n: int, rng: torch.Generator, *, psi: float = 1.0) -> Tensor:
        """n random faces [n, 3, r, r] of the live or the averaged network."""
        z = torch.randn(n, SPEC.z_dim, generator=rng)
        images: Tensor = network.synthesis(network.mapping(z, psi=psi) - self.origin)
        return images

    def result(self) -> Generator:
        """The averaged networks as a file holds them, with the origin of W moved to the mapping network's."""
        result = copy.deepcopy(self.ema)
        lift_codes(result, self.origin)
        return result

    def follow(self) -> None:
        """Move the averaged networks a little towards the live ones."""
        with torch.no_grad():
            decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
            for average, live in zip(self.ema.parameters(), self.live.parameters(), strict=True):
                average.lerp_(live.detach(), 1 - decay)
            for kept, buffer in zip(self.ema.buffers(), self.live.buffers(), strict=True):
                kept.copy_(buffer)


def start_from_generator(run: Run, path: Path) -> None:
    """Begin from a generator file of ours, with fresh optimisers (their rate warms up)."""
    run.live.load_state_dict(read_generator(path).state_dict())
    run.origin = run.live.w_avg.clone()
    lift_codes(run.live, -run.origin)
    run.ema.load_state_dict(run.live.state_dict())


def start_from_decoder(run: Run, path: Path, faces: Faces) -> None:
    """Begin from a decoder of linear codes: its synthesis tensors, and an encoder fitted to its projection.

    The file's projection reads 64 px pictures; ours reads 32 px, so it is refitted by ridge regression.
    """
    tensors, _ = read_tensors(path)
    synthesis, encoder, _ = run.parts()
    synthesis.load_state_dict({n[10:]: t for n, t in tensors.items() if n.startswith("synthesis.")})
    full = F.adaptive_avg_pool2d(faces.pixels.float() / 127.5 - 1, SPEC.resolution)
    codes = (full.flatten(1) - tensors["encoder.mean"]) @ tensors["encoder.projection"].T  # [n, w_dim]
    small = F.adaptive_avg_pool2d(full, LINEAR_SIDE).flatten(1)
    centre, code_centre = small.mean(0), codes.mean(0)
    x, y = (small - centre).double(), (codes - code_centre).double()
    gram = x.T @ x + 3.0 * torch.eye(x.shape[1], dtype=torch.float64)
    projection = torch.linalg.solve(gram, x.T @ y).T.float()
    start_from_projection(encoder, projection, code_centre - projection @ centre)
    run.ema.load_state_dict(run.live.state_dict())


def settle(run: Run, faces: Faces) -> None:
    """Make mapping network, origin and statistics those of the averaged encoder's codes of the training faces."""
    assert run.ema.encoder is not None
    with torch.no_grad():
        parts = [
            F.adaptive_avg_pool2d(part.float() / 127.5 - 1, SPEC.resolution) for part in torch.split(faces.pixels, 64)
        ]
        codes = torch.cat([run.ema.encoder(part).mean(dim=1) for part in parts])  # [n, w_dim]
        run.origin = origin_for(codes)
        start_as_gaussian(run.ema.mapping, codes + run.origin)
        run.ema.w_std.copy_(codes.std(0))
        run.live.mapping.load_state_dict(run.ema.mapping.state_dict())
        run.live.w_std.copy_(run.ema.w_std)


def draw_step(run: Run, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """One update of synthesis and encoder."""
    config = run.config
    synthesis, encoder, judge = run.parts()
    ws = encoder(real)  # [n, num_ws, w_dim]
    redrawn = synthesis(ws)
    centre = ws.mean(dim=1, keepdim=True)
    terms = {"pyramid": config.pyramid * pyramid_l1(redrawn, real).mean()}
    terms["row_spread"] = config.row_spread * (ws - centre).square().mean()
    terms["norm"] = config.norm * ((centre - run.live.w_avg + run.origin) / run.live.w_std).square().mean()
    ramp = min(1.0, max(0.0, (run.step / config.steps - config.alone) / 0.1))
    if ramp > 0:
        sampled = run.sample(run.live, config.samples, rng)
        judge.requires_grad_(False)
        with torch.no_grad():
            wanted = judge.features(real)[:3]
        terms["features"] = ramp * config.features * feature_l1(judge.features(redrawn)[:3], wanted).mean()
        terms["adversarial"] = ramp * config.adversarial * F.softplus(-judge(augment(redrawn, rng))).mean()
        terms["sampled"] = ramp * config.sampled * F.softplus(-judge(augment(sampled, rng))).mean()
        judge.requires_grad_(True)
    _update(run.drawing, torch.stack(list(terms.values())).sum(), rate_at(run.step, config), config.clip)
    mse = (redrawn.detach().clamp(-1, 1) - real).square().mean(dim=(1, 2, 3)) / 4
    return {"psnr": float(-10 * mse.log10().mean())} | {name: float(term.detach()) for name, term in terms.items()}


def judge_step(run: Run, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """One update of the discriminator on real, redrawn and sampled faces."""
    config = run.config
    synthesis, encoder, judge = run.parts()
    with torch.no_grad():
        half = real[: config.samples]
        fake = torch.cat([synthesis(encoder(half)), run.sample(run.live, config.samples, rng)])
    loss = F.softplus(judge(augment(fake, rng))).mean() + F.softplus(-judge(augment(real, rng))).mean()
    terms = {"judge": float(loss.detach())}
    if run.step % config.r1_every == 0:
        penalty = real_gradient_penalty(judge, half)
        loss = loss + penalty * (config.r1 / 2 * config.r1_every)
        terms["r1"] = float(penalty.detach())
    _update(run.judging, loss, rate_at(run.step, config), config.clip)
    return terms


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimiser.param_groups:
        group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(group["params"], clip)
    optimiser.step()


def look(run: Run, seen: Tensor, path: Path) -> float:
    """Save held-out faces over their redrawings over samples at psi 0.7; the held-out PSNR in dB."""
    with torch.no_grad():
        assert run.ema.encoder is not None
        redrawn = torch.cat([run.ema.synthesis(run.ema.encoder(part)) for part in torch.split(seen, 32)]).clamp(-1, 1)
        rng = torch.Generator().manual_seed(1)
        sampled = run.sample(run.ema, len(seen[:16]), rng, psi=0.7).clamp(-1, 1)
    rows = [seen[:16], redrawn[:16], sampled]
    picture = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    return float(-10 * ((redrawn - seen).square().mean(dim=(1, 2, 3)) / 4).log10().mean())


def train(run: Run, training: Faces, seen: Tensor, work: Path, *, notes: dict[str, str]) -> None:
    """Run to the configured number of steps; every 100 steps a line and a saved state, every 500 a picture.

    Mapping network and statistics follow the encoder every SETTLE_EVERY steps and at the end: it takes a look at
    every face.
    """
    begin = time.monotonic()
    while run.step < run.config.steps:
        if run.step % SETTLE_EVERY == 0:
            settle(run, training)
        rng = torch.Generator().manual_seed(run.config.seed * 1_000_003 + run.step)  # the same after a restart
        real = draw(training, run.config.batch, SPEC.resolution, rng, jitter=True)
        terms = judge_step(run, real, rng) if run.step / run.config.steps > run.config.alone * 0.5 else {}
        terms |= draw_step(run, real, rng)
        run.follow()
        run.step += 1
        if run.step % 100 == 0 or run.step == run.config.steps:
            if run.step == run.config.steps:
                settle(run, training)
            run.save(work / "state.safetensors")
            terms["held_out_psnr"] = look(run, seen, work / f"look_{run.step // 500 * 500:06d}.png")
            line = {"step": run.step, "seconds": round(time.monotonic() - begin), **terms}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            write_generator(work / "generator.safetensors", run.result(), half=True, notes=notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", nargs=3, action="append", required=True, metavar=("DIR", "CSV", "WEIGHT"))
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a decoder of linear codes, or one of our generator files")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    training, held_out = split(faces, read_held_out(arguments.held_out))
    seen = F.adaptive_avg_pool2d(held_out.pixels[:: max(1, len(held_out) // 128)][:128].float() / 127.5 - 1, 64)
    run = Run(TrainConfig(steps=arguments.steps, seed=arguments.seed))
    if (arguments.work / "state.safetensors").exists():
        run.restore(arguments.work / "state.safetensors")
    elif arguments.start and "spec" in read_header(arguments.start)[1]:
        start_from_generator(run, arguments.start)
    elif arguments.start:
        start_from_decoder(run, arguments.start, training)
    notes = {"data_sha256": faces.sha256, "training": json.dumps(asdict(run.config)), "pictures": str(len(training))}
    train(run, training, seen, arguments.work, notes=notes)


if __name__ == "__main__":
    main()
