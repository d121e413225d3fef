"""How far an encoder is: pictures beside what the generator draws of their codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..devices import gradients_off
from ..images import Photo, photo_from_tensor, save_photo
from ..inversion.objective import Target
from ..networks.build import Generator
from ..networks.encoder import Encoder
from ..sheets import contact_sheet
from .photos import TrainingPhotos
from .samples import drawn, random_codes, seen_px, varied

HELD_OUT_SEED = 0x5EED_0000_0000  # of samples that no training draws
COLUMNS = 8
MOST_PHOTOS = 32  # held-out ones that are redrawn
TILES_PX = (128, 256)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Pictures that an encoder is watched on, by what they are."""

    pictures: dict[str, Tensor]


def watched(generator: Generator, photos: TrainingPhotos | None) -> Watched:
    """Samples that are not learned from, the same in other colours, and photos, learned from and held out."""
    rng = torch.Generator(generator.device).manual_seed(HELD_OUT_SEED)
    with gradients_off():
        samples = torch.cat([drawn(generator, random_codes(generator, 1, rng)) for _ in range(COLUMNS)])
        pictures = {"held-out samples": samples, "in other colours": varied(samples, rng)}
    if photos is not None:
        pictures["photos learned from"] = _floats(photos.learned[:COLUMNS], generator)
        if len(photos.held_out):
            pictures["held-out photos"] = _floats(photos.held_out[:MOST_PHOTOS], generator)
    return Watched(pictures)


def _floats(photos: Tensor, generator: Generator) -> Tensor:
    return photos.to(generator.device).float() / 127.5 - 1


def redrawn(generator: Generator, encoder: Encoder, pictures: Tensor) -> Tensor:
    """What the generator draws of the encoder's codes, [n, 3, s, s] as `drawn`."""
    with gradients_off():
        return torch.cat([drawn(generator, encoder(picture[None])) for picture in pictures])


def preview(generator: Generator, encoder: Encoder, seen: Watched, path: Path, *, title: str) -> dict[str, float]:
    """Save a contact sheet of the pictures above their reconstructions; the mean PSNR of each kind, in dB.

    Raises: OutputError.
    """
    rows: list[list[Photo]] = []
    labels: list[str] = []
    psnr: dict[str, float] = {}
    for name, pictures in seen.pictures.items():
        again = redrawn(generator, encoder, pictures)
        psnr[name] = float(Target(pictures).psnr_db(again).mean())
        for label, shown in ((name, pictures), (f"{psnr[name]:.1f} dB", again)):
            rows.append([photo_from_tensor(picture[None]) for picture in shown[:COLUMNS]])
            labels.append(label)
    tile = min(max(seen_px(generator), TILES_PX[0]), TILES_PX[1])
    save_photo(path, contact_sheet(rows, title=title, row_labels=labels, tile_px=tile))
    return psnr
