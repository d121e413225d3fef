"""Codes of labelled faces by the encoder, kept in a folder as they are made, so that a stopped run goes on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emogan_core import Generator, open_photo
from emogan_core.faces import cut, frame_of, whole_crop

POSE = ("yaw_deg", "pitch_deg", "roll_deg")
AT_ONCE = 32
PART = 512  # pictures in a file

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CodedFaces:
    """Pictures with their codes.

    Convention: ws [n, num_ws, w_dim] float32; rows are those of the tables; brightness [n] is the mean in [-1, 1].
    """

    files: tuple[Path, ...]
    rows: tuple[dict[str, str], ...]
    ws: torch.Tensor
    brightness: Array

    @property
    def mean_rows(self) -> Array:
        """[n, w_dim]."""
        return np.asarray(self.ws.double().mean(1).numpy(), dtype=np.float64)

    @property
    def pose(self) -> Array:
        """[n, 3] in degrees."""
        return np.array([[float(row[name]) for name in POSE] for row in self.rows])

    def column(self, name: str) -> NDArray[np.str_]:
        return np.array([row[name] for row in self.rows])


def coded_faces(generator: Generator, sets: Sequence[tuple[Path, Path]], cache: Path) -> CodedFaces:
    """Encode every picture of the tables; parts that are in the cache are read."""
    cache.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    rows: list[dict[str, str]] = []
    for folder, table in sets:
        with table.open(newline="") as lines:
            found = list(csv.DictReader(lines))
        rows += found
        files += [folder / row["file"] for row in found]
    codes, light = [], []
    for begin in range(0, len(files), PART):
        part = cache / f"{generator.fingerprint[:12]}_{begin}_{min(begin + PART, len(files))}.npz"
        if not part.exists():
            ws, mean = _encoded(generator, files[begin : begin + PART])
            draft = part.with_suffix(".tmp.npz")
            np.savez(draft, ws=ws.numpy(), brightness=mean)
            draft.replace(part)
            print(f"encoded {begin + len(ws)} of {len(files)}", flush=True)
        with np.load(part) as stored:
            codes.append(torch.from_numpy(stored["ws"]))
            light.append(stored["brightness"])
    return CodedFaces(tuple(files), tuple(rows), torch.cat(codes), np.concatenate(light))


@torch.inference_mode()
def _encoded(generator: Generator, files: Sequence[Path]) -> tuple[torch.Tensor, Array]:
    codes, light = [], []
    for begin in range(0, len(files), AT_ONCE):
        photos = [open_photo(file) for file in files[begin : begin + AT_ONCE]]
        images = torch.cat(
            [cut(photo, whole_crop(photo, frame_of(generator)), generator.spec.resolution) for photo in photos]
        )
        codes.append(generator.encode(images))
        light.append(images.mean((1, 2, 3)).double().numpy())
    return torch.cat(codes), np.concatenate(light)
