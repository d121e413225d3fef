"""Aligned training faces in memory, with people held out and every file hashed."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

SOURCE_SIDE = 128


@dataclass(frozen=True, slots=True)
class Faces:
    """Training pictures with what is known of them.

    Convention: pixels uint8 [n, 3, 128, 128]; files, people, expressions n each; weights [n] draw probabilities;
    sha256 over all files in order.
    """

    pixels: Tensor
    files: tuple[str, ...]
    people: tuple[str, ...]
    expressions: tuple[str, ...]
    weights: Tensor
    sha256: str

    def __len__(self) -> int:
        return len(self.files)

    def rows(self, keep: Tensor) -> Faces:
        """The pictures where `keep` [n] is true; the hash stays that of everything read."""
        index = torch.nonzero(keep).flatten().tolist()
        files, people, expressions = (
            tuple(names[i] for i in index) for names in (self.files, self.people, self.expressions)
        )
        return Faces(self.pixels[index], files, people, expressions, self.weights[index], self.sha256)

    def to(self, device: torch.device) -> Faces:
        """The same faces with pixels and weights on another device."""
        return replace(self, pixels=self.pixels.to(device), weights=self.weights.to(device))


def read_faces(sets: Iterable[tuple[Path, Path, float]]) -> Faces:
    """Read (folder, CSV, draw weight) triples of crops that are already in the generator's frame.

    The CSV needs columns `file`, `person`, `expression`.
    """
    digest = hashlib.sha256()
    pixels, files, people, expressions, weights = [], [], [], [], []
    for folder, table, weight in sets:
        with table.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        for row in rows:
            content = (folder / row["file"]).read_bytes()
            digest.update(content)
            with Image.open(folder / row["file"]) as image:
                small = image.convert("RGB").resize((SOURCE_SIDE, SOURCE_SIDE), Image.Resampling.LANCZOS)
            pixels.append(torch.from_numpy(np.array(small)).permute(2, 0, 1))
            files.append(row["file"])
            people.append(row["person"])
            expressions.append(row["expression"])
            weights.append(weight)
    return Faces(
        torch.stack(pixels),
        tuple(files),
        tuple(people),
        tuple(expressions),
        torch.tensor(weights),
        digest.hexdigest(),
    )


def favour_dark(faces: Faces, times: float) -> Faces:
    """The same faces with the darkest third drawn `times` as often, by the median luma of the cheeks in the tight frame.

    Dark skin is rare in all sets, and a mean over faces is mostly a mean over light ones.
    """
    cheeks = torch.cat([faces.pixels[:, :, 64:86, 26:48], faces.pixels[:, :, 64:86, 80:102]], dim=3).float()
    luma = (cheeks * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1).flatten(1).median(dim=1).values
    dark = luma <= luma.quantile(1 / 3)
    return replace(faces, weights=torch.where(dark, times * faces.weights, faces.weights))


def read_held_out(path: Path) -> frozenset[str]:
    """Names in a list of people, one a line, `#` starts a comment."""
    return frozenset(line for line in path.read_text().splitlines() if line and not line.startswith("#"))


def split(faces: Faces, held_out: frozenset[str]) -> tuple[Faces, Faces]:
    """(for training, held out), by person and never by picture."""
    out = torch.tensor([person in held_out for person in faces.people])
    return faces.rows(~out), faces.rows(out)


def pick(faces: Faces, n: int, rng: torch.Generator) -> Tensor:
    """Rows [n] of pictures drawn by weight, on the device of `rng`, where the faces lie."""
    return torch.multinomial(faces.weights, n, replacement=True, generator=rng)


def view(faces: Faces, index: Tensor, resolution: int, rng: torch.Generator, *, jitter: bool) -> Tensor:
    """The pictures [n, 3, r, r] in [-1, 1] of rows `index` [n], mirrored at random; with `jitter` half of them slightly moved.

    The motion (2 % shift, 3 % scale, 2 degrees) imitates the error of a landmark network on a crop.
    """
    n = len(index)
    x = faces.pixels[index].float() / 127.5 - 1
    mirror = torch.rand(n, generator=rng, device=rng.device) < 0.5
    x = torch.where(mirror[:, None, None, None], x.flip(3), x)
    if jitter:
        x = F.grid_sample(x, _small_motions(n, rng), padding_mode="reflection", align_corners=False)
    return F.adaptive_avg_pool2d(x, resolution)


def small_pictures(faces: Faces, side: int) -> Tensor:
    """All faces [n, 3, side, side] in [-1, 1] on the CPU."""
    parts = [F.adaptive_avg_pool2d(part.float() / 127.5 - 1, side).cpu() for part in torch.split(faces.pixels, 1024)]
    return torch.cat(parts)


def _small_motions(n: int, rng: torch.Generator) -> Tensor:
    """Sampling grids [n, 128, 128, 2]; every second one is the identity."""
    active = (torch.rand(n, generator=rng, device=rng.device) < 0.5).float()
    angle = torch.randn(n, generator=rng, device=rng.device) * 0.035 * active
    scale = torch.exp(torch.randn(n, generator=rng, device=rng.device) * 0.03 * active)
    shift = torch.randn(n, 2, generator=rng, device=rng.device) * 0.04 * active[:, None]
    cos, sin = scale * angle.cos(), scale * angle.sin()
    theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    return F.affine_grid(theta, [n, 3, SOURCE_SIDE, SOURCE_SIDE], align_corners=False)
