"""Labelled latents: the codes of a face set's pictures beside their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..errors import ExpressionError, FaceError
from ..faces import Crop, choose_face, crop_of, cut
from ..images import Photo, open_photo
from ..inversion import METHODS, OptimiseConfig, expect_method, need_of
from ..latents import Latent
from ..networks import Generator
from ..progress import Progress, StepReport, silent
from .face_sets import FaceSet

CODED_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class LabelledLatents:
    """Codes and what their pictures show, row by row.

    Convention: `mirrored` are the codes of the same pictures mirrored, or None; `skipped` are the files in which no
    usable face was found; they have no row.
    """

    latents: Latent
    labels: tuple[str, ...]
    people: tuple[str, ...] | None
    covariates: Mapping[str, tuple[float, ...]]
    skipped: tuple[Path, ...]
    mirrored: Latent | None = None


def label_latents(
    generator: Generator,
    faces: FaceSet,
    *,
    aligned: bool = False,
    method: str = "encode",
    mirrored: bool = False,
    progress: Progress = silent,
) -> LabelledLatents:
    """Invert every picture of a face set; photos without a usable face are left out.

    Convention: `aligned` pictures already are the generator's frame from edge to edge and of any size; otherwise the
    largest face of each photo is found and cut. `mirrored` asks for the mirror images' codes too, twice the work.
    Raises: PhotoError for a file that is no picture; ExpressionError for an unknown method, or when no picture has a
    usable face; CheckpointError when the method needs an encoder that the generator lacks; Cancelled.
    """
    if method not in METHODS:
        raise ExpressionError(f"inversion method '{method}' is not known; use one of {', '.join(METHODS)}")
    expect_method(generator, method)
    at_once = min(CODED_AT_ONCE, next(need_of(generator, method).groups(CODED_AT_ONCE)).stop)
    codes: list[torch.Tensor] = []
    turned: list[torch.Tensor] = []
    kept: list[int] = []
    waiting: list[torch.Tensor] = []
    for row, image in _images(generator, faces, aligned=aligned):
        if image is not None:
            waiting.append(image)
            kept.append(row)
        if waiting and (len(waiting) == at_once or row == len(faces) - 1):
            images = torch.cat(waiting).to(generator.device)
            codes.append(_codes(generator, images, method))
            if mirrored:
                turned.append(_codes(generator, images.flip(3), method))
            waiting = []
        progress(StepReport(step=row + 1, steps=len(faces), what="inverting the face set"))
    if not codes:
        raise ExpressionError(
            f"none of the {len(faces)} pictures shows a usable face; give photos of faces seen from the front, or say "
            "that they are aligned if they are already cut in the generator's frame"
        )
    used = set(kept)
    return LabelledLatents(
        latents=Latent(torch.cat(codes), generator.fingerprint),
        labels=tuple(faces.expressions[row] for row in kept),
        people=None if faces.people is None else tuple(faces.people[row] for row in kept),
        covariates={name: tuple(values[row] for row in kept) for name, values in faces.covariates.items()},
        skipped=tuple(path for row, path in enumerate(faces.files) if row not in used),
        mirrored=Latent(torch.cat(turned), generator.fingerprint) if turned else None,
    )


def _codes(generator: Generator, images: torch.Tensor, method: str) -> torch.Tensor:
    """ws of aligned images; not by invert_images, which also redraws every face, and nobody looks at that here."""
    return METHODS[method](generator, images, config=OptimiseConfig(), progress=silent).detach().cpu()


def _images(generator: Generator, faces: FaceSet, *, aligned: bool) -> Iterator[tuple[int, torch.Tensor | None]]:
    """One face per picture in the generator's frame, [1, 3, r, r], or None where there is no usable one."""
    spec = generator.spec
    for row, path in enumerate(faces.files):
        photo = open_photo(path)
        try:
            crop = _whole(photo, spec.crop) if aligned else crop_of(choose_face(photo), spec.crop)
        except FaceError:
            yield row, None
            continue
        yield row, cut(photo, crop, spec.resolution)


def _whole(photo: Photo, frame: str) -> Crop:
    """A crop that is the whole picture; it has no landmarks to speak of."""
    height, width = photo.pixels.shape[:2]
    quad = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    return Crop(quad=quad, landmarks=np.zeros((5, 2)), frame=frame)
