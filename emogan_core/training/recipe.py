"""What is trained and how: presets of network sizes, and every setting of the recipe."""

from __future__ import annotations

from dataclasses import dataclass

from ..networks.encoder import FEATURES
from ..networks.spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class Preset:
    """A generator with the widths of its encoder and discriminator, from 4 px up; the encoder may read more or fewer pixels.

    Convention: `features` is the width of the encoder's layer before the codes.
    """

    spec: GeneratorSpec
    encoder: tuple[int, ...]
    discriminator: tuple[int, ...]
    features: int = FEATURES


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


PRESETS = {
    "small": Preset(_spec(64, 256, (128, 128, 128, 128, 64)), (128, 96, 64, 48, 32), (96, 96, 96, 64, 32)),
    # the 32 px start of "small", and its progressive growth to 128 px
    "seed": Preset(_spec(32, 256, (128, 128, 128, 128)), (128, 96, 64, 48, 32), (96, 96, 96, 64)),
    "grown": Preset(
        _spec(128, 256, (128, 128, 128, 128, 64, 32)), (256, 192, 128, 96, 64), (96, 96, 96, 64, 32, 16), features=768
    ),
    # for a GPU: 48 MB in float16, all together
    "large": Preset(
        _spec(128, 512, (384, 384, 384, 256, 128, 64)), (256, 256, 192, 128, 64, 32), (320, 320, 320, 256, 128, 64)
    ),
}


TRAINABLE = ("both", "synthesis", "encoder")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every setting of the recipe; `warm_up` and `decay` are shares of the run, `interpolated` and `degradation` of pictures."""

    steps: int = 6000
    trainable: str = "both"  # of TRAINABLE; unless both are, the distribution of random codes is frozen too
    freeze_below: int = 0  # px up to which blocks of the synthesis are frozen, for progressive growing
    dark: float = 1.0  # how much more often the darkest third of the faces is drawn
    batch: int = 24  # pictures reconstructed in a step without an adversarial loss
    reconstructed: int = 8  # and with one, beside random faces
    samples: int = 16
    lr: float = 1e-3
    projection_lr: float = 0.0  # of the encoder's linear part, as a share of lr: a step moves its 3,072 inputs at once
    discriminator_lr: float = 2e-3
    discriminator_steps: int = 2  # discriminator updates per generator update
    warm_up: float = 0.15  # reconstruction before the adversarial loss sets in; at 2 it never does
    decay: float = 0.35  # share at the end over which the rate falls to zero
    pyramid: float = 8.0
    regions: float = 0.0  # weight of the same loss on eyes with brows and on the mouth alone
    features: float = 2.0
    perceptual: float = 0.0  # weight of the perceptual loss (`feature_extractor`)
    adversarial: float = 0.3
    adversarial_samples: float = 0.7
    interpolated: float = 0.25  # share of samples between two real faces' codes, where edits move
    spectral_shrinkage: int = 48  # number of the direction of codes that keeps half its variance in random faces
    degradation: float = 0.15  # of the encoder's input: blur, compression, occlusion, each on this share
    layer_spread: float = 0.02
    w_distance: float = 0.002
    gradient_penalty: float = 0.5  # at 0.1 colours blotched, and reconstruction lost 2.4 dB in 200 steps
    penalty_every: int = 2
    augment_target: float = 0.6  # mean sign of real pictures' logits less drawn ones' above which more are augmented
    augment_pictures: int = 100_000  # pictures over which the augmented share could go from 0 to 1
    augment_max: float = 0.8  # above, augmentations leak into samples
    ema_pictures: int = 8_000  # half-life of the moving average
    clip: float = 10.0
    half: bool = False  # bfloat16 where autocast allows it
    compiled: bool = False  # the synthesis by torch.compile, which wants a C++ compiler: a third less time on a CPU
    seed: int = 0


def lr_factor_at(step: int, config: TrainConfig) -> float:
    """Factor of the learning rates at a 0-based step: 100 steps of linear warm-up, flat, then linear to zero."""
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return min(1.0, (step + 1) / 100, max(0.0, left))


def ema_decay_at(step: int, config: TrainConfig) -> float:
    """Decay of the moving average at a 0-based step; small at first, so that the initial weights are forgotten."""
    pictures = (step + 1) * config.batch
    half_life = min(config.ema_pictures, 0.1 * pictures + config.batch)
    return float(0.5 ** (config.batch / half_life))
