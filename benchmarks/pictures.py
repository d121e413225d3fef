"""Many faces at once, with the features of fixed extractors, and their reconstructions by a generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from held_out import Row
from PIL import Image
from probes import Array, LabelledFeatures, features, smile_of
from torch import Tensor

from emogan_core.faces import find_faces
from emogan_core.images import photo_from_tensor
from emogan_core.networks import Generator
from emogan_core.networks.sampling import drawn_in_groups, sampled

SIDE = 128
MARGIN = 48


@dataclass(frozen=True, slots=True)
class Pictures:
    """Faces [n, 3, 128, 128] in [-1, 1] with the features of the fixed extractors, and their rows of the table."""

    images: Tensor
    form: Array
    colour: Array
    rows: tuple[Row, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row["person"] for row in self.rows)

    @property
    def sharpness(self) -> Array:
        """[n]: mean gradients."""
        x = self.images
        across, down = (x[..., 1:] - x[..., :-1]).abs(), (x[..., 1:, :] - x[..., :-1, :]).abs()
        return np.asarray(((across.mean((1, 2, 3)) + down.mean((1, 2, 3))) / 2).double().numpy())

    def labelled(self) -> LabelledFeatures:
        return LabelledFeatures(self.form, self.names, smile_of(self.rows))

    def part(self, keep: slice) -> Pictures:
        return Pictures(self.images[keep], self.form[keep], self.colour[keep], self.rows[keep])


def with_features(images: Tensor, rows: Sequence[Row] = ()) -> Pictures:
    """Pictures [n, 3, h, w] at 128 px with their features."""
    images = F.interpolate(images.clamp(-1, 1), size=SIDE, mode="bicubic", antialias=True).clamp(-1, 1)
    pixels = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    form = np.stack([features(Image.fromarray(picture)) for picture in pixels])
    colour = F.adaptive_avg_pool2d(images, 8).flatten(1).double().numpy()
    return Pictures(images, form, colour, tuple(rows))


def read(folder: Path, rows: Sequence[Row], *, most: int) -> Pictures:
    """Faces of these rows, evenly over them if there are more than wanted."""
    rows = rows[:: max(1, len(rows) // most)][:most]
    images = []
    for row in rows:
        with Image.open(folder / row["file"]) as picture:
            small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        images.append(torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 127.5 - 1)
    return with_features(torch.stack(images), rows)


def samples(generator: Generator, count: int, *, psi: float = 0.7) -> Pictures:
    return with_features(torch.cat(list(drawn_in_groups(generator, sampled(generator, count, psi=psi, seed=0).ws))))


def codes_of(generator: Generator, images: Tensor) -> Tensor:
    """ws [n, num_ws, w_dim] of pictures [n, 3, h, w] in [-1, 1] by one pass of the encoder."""
    assert generator.encoder is not None
    small = F.interpolate(images, size=generator.spec.resolution, mode="bilinear", antialias=True)
    with torch.no_grad():
        return torch.cat([generator.encoder(part) for part in torch.split(small, 16)])


def reconstructed(generator: Generator, pictures: Pictures) -> Pictures:
    """Their reconstructions from one pass of the encoder."""
    ws = codes_of(generator, pictures.images)
    with torch.no_grad():
        drawn = [generator.synthesis(part) for part in torch.split(ws, 16)]
    return with_features(torch.cat(drawn), pictures.rows)


def psnr(a: Pictures, b: Pictures) -> Array:
    """[n] in dB, at 128 px."""
    error = (a.images - b.images).square().mean(dim=(1, 2, 3)) / 4
    return np.asarray((-10 * error.clamp_min(1e-10).log10()).double().numpy())


def detected(images: Tensor) -> Array:
    """[n]: 1 where the program's own face finder detects a face; a mirrored border is added for it."""
    wide = F.pad(images, (MARGIN,) * 4, mode="reflect")
    return np.array([float(bool(find_faces(photo_from_tensor(one)))) for one in wide])
