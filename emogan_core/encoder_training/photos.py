"""The user's photos, cut as a generator's pictures are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import EmoganError, PhotoError
from ..faces import choose_face, crop_of, cut, frame_of
from ..free_memory import expect_room
from ..images import open_photo
from ..networks.build import Generator
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .samples import seen_px

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".heic", ".heif")
HELD_OUT_EVERY = 10


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPhotos:
    """Faces of photos to learn from, and every tenth one to look at alone.

    Convention: uint8 [n, 3, s, s] on the CPU; `skipped` are names with why nothing was cut from them.
    """

    learned: Tensor
    held_out: Tensor
    skipped: tuple[tuple[str, str], ...]


def read_photos(folder: Path, generator: Generator, *, progress: Progress = silent) -> TrainingPhotos:
    """The largest face of every picture in a folder, in order of the names; what is no picture or shows no face is left out.

    Raises: PhotoError when the folder is none, or holds no face; EmoganError when they do not fit into memory.
    """
    if not folder.is_dir():
        raise PhotoError(f"there is no folder {folder}; give --photos a folder of pictures with faces")
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise PhotoError(f"cannot look into {folder}: {error.strerror or error}; check its rights") from error
    side = seen_px(generator)
    expect_room(4 * len(files) * side * side * 3, what=f"the faces of {counted(len(files), 'photo')} would")
    faces: list[Tensor] = []
    skipped: list[tuple[str, str]] = []
    for number, path in enumerate(files, start=1):
        try:
            photo = open_photo(path).eight_bit
            picture = cut(photo, crop_of(choose_face(photo), frame_of(generator)), side)
            faces.append(((picture[0] + 1) * 127.5).round().clamp(0, 255).byte())
        except EmoganError as error:
            skipped.append((path.name, str(error)))
        progress(StepReport(number, len(files), "cutting photos"))
    if not faces:
        why = f"{skipped[0][0]}: {skipped[0][1]}" if skipped else f"needed files named {', '.join(SUFFIXES)}"
        raise PhotoError(
            f"no face was found in {counted(len(files), 'picture')} in {folder} ({why}); give photos that show faces"
        )
    every = torch.stack(faces)
    out = torch.arange(len(every)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return TrainingPhotos(every[~out], every[out], tuple(skipped))
