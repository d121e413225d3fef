"""What is trained and how: sizes of the networks, and every dial of the recipe."""

from __future__ import annotations

from dataclasses import dataclass

from ..networks.spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A generator with the widths of its companions, from 4 px up; the encoder may see more or fewer pixels."""

    spec: GeneratorSpec
    encoder: tuple[int, ...]
    judge: tuple[int, ...]


def _spec(resolution: int, w_dim: int, channels: tuple[int, ...]) -> GeneratorSpec:
    return GeneratorSpec(
        resolution=resolution,
        w_dim=w_dim,
        z_dim=w_dim,
        channels=channels,
        mapping_layers=4,
        crop="tight",
        name=f"EmotionGAN built-in faces, {resolution} px",
        licence="Apache-2.0; see MODEL_CARD.md for the data",
    )


ANATOMIES = {
    "small": Anatomy(_spec(64, 256, (128, 128, 128, 128, 64)), (128, 96, 64, 48, 32), (96, 96, 96, 64, 32)),
    # what "small" is sown as, and what it grows into
    "seed": Anatomy(_spec(32, 256, (128, 128, 128, 128)), (128, 96, 64, 48, 32), (96, 96, 96, 64)),
    "grown": Anatomy(_spec(128, 256, (128, 128, 128, 128, 64, 32)), (128, 96, 64, 48, 32), (96, 96, 96, 64, 32, 16)),
    # for a GPU: 48 MB in float16, all together
    "large": Anatomy(
        _spec(128, 512, (384, 384, 384, 256, 128, 64)), (256, 256, 192, 128, 64, 32), (320, 320, 320, 256, 128, 64)
    ),
}


LEARNERS = ("both", "synthesis", "encoder")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every dial of the recipe; `alone` and `decay` are shares of the run, `between` and `worn` of pictures."""

    steps: int = 6000
    learns: str = "both"  # of LEARNERS; unless both do, the distribution of random codes stays
    still: int = 0  # px up to which blocks of the synthesis stay: when it grows, the picture below need not move
    batch: int = 24
    redrawn: int = 8  # of the batch, once there is an adversary; all before
    samples: int = 16
    lr: float = 1e-3
    judge_lr: float = 2e-3
    judge_steps: int = 2  # updates of the discriminator for each of the rest: it learns from few real faces
    alone: float = 0.15  # reconstruction without an adversary
    decay: float = 0.35  # share at the end over which the rate falls to zero
    pyramid: float = 8.0
    features: float = 2.0
    seen: float = 0.0  # as features, by a network that learned to see elsewhere (`sight`)
    adversarial: float = 0.3
    sampled: float = 0.7
    between: float = 0.25  # samples that lie between two real faces' codes, where edits move
    taper: int = 48  # directions of codes from which on random faces vary less: what many small ones add is fog
    worn: float = 0.15  # blurred, compressed, covered, each by itself, for the encoder, which shall redraw them clean
    row_spread: float = 0.02
    norm: float = 0.002
    kin: float = 0.0  # that codes tell one person's two pictures from other people's, where the encoder learns
    r1: float = 0.05  # at 1 the discriminator stayed too flat to tell anything
    r1_every: int = 16
    augment_target: float = 0.6  # share of real pictures the judge may be sure of before it sees more changed ones
    augment_pictures: int = 100_000  # pictures over which the share of changed ones could go from none to all
    augment_most: float = 0.8  # above, changes leak into samples
    ema_pictures: int = 8_000  # half-life of the averaged networks
    clip: float = 10.0
    half: bool = False  # bfloat16 where autocast allows it
    compiled: bool = False  # the synthesis by torch.compile, which wants a C++ compiler: a third less time on a CPU
    seed: int = 0


def share_at(step: int, config: TrainConfig) -> float:
    """Of the learning rates: 100 steps of warm-up, flat, then linear to zero."""
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return min(1.0, (step + 1) / 100, max(0.0, left))


def average_at(step: int, config: TrainConfig) -> float:
    """How much of the averaged networks stays at a 0-based step; little at first, so that the start is forgotten."""
    seen = (step + 1) * config.batch
    half_life = min(config.ema_pictures, 0.1 * seen + config.batch)
    return float(0.5 ** (config.batch / half_life))
