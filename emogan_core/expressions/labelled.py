"""Labelled latents: the codes of a face set's pictures beside their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ExpressionError, FaceError
from ..face_model import load_face_model
from ..faces import Crop, Face, choose_face, crop_of, cut
from ..faces.find import refine
from ..faces.fit import fit_to_photo
from ..images import Photo, open_photo
from ..inversion import METHODS, OptimiseConfig, expect_method, need_of
from ..latents import Latent
from ..networks import Generator
from ..progress import Progress, StepReport, silent
from .face_sets import FaceSet

CODED_AT_ONCE = 32
LEAST_SCORE = 0.5  # below it an aligned picture shows no face to fit the face model to


@dataclass(frozen=True, slots=True)
class LabelledLatents:
    """Codes and what their pictures show, row by row.

    Convention: `mirrored` are the codes of the same pictures mirrored, or None; `skipped` are the files in which no
    usable face was found; they have no row. `coefficients` [n, k] are those of the face model fitted to each picture, NaN
    where it could not be, or None when nobody asked.
    """

    latents: Latent
    labels: tuple[str, ...]
    people: tuple[str, ...] | None
    covariates: Mapping[str, tuple[float, ...]]
    skipped: tuple[Path, ...]
    mirrored: Latent | None = None
    coefficients: NDArray[np.float64] | None = None


def label_latents(
    generator: Generator,
    faces: FaceSet,
    *,
    aligned: bool = False,
    method: str = "encode",
    mirrored: bool = False,
    coefficients: bool = True,
    progress: Progress = silent,
) -> LabelledLatents:
    """Invert every picture of a face set; photos without a usable face are left out.

    Convention: `aligned` pictures already are the generator's frame from edge to edge and of any size; otherwise the
    largest face of each photo is found and cut. `mirrored` asks for the mirror images' codes too, twice the work;
    `coefficients` for a fit of the face model to each picture.
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
    found: list[NDArray[np.float64]] = []
    waiting: list[torch.Tensor] = []
    for row, photo, face, image in _images(generator, faces, aligned=aligned):
        if image is not None:
            waiting.append(image)
            kept.append(row)
            if coefficients:
                found.append(coefficients_in(photo, face))
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
        coefficients=np.stack(found) if found else None,
    )


def _codes(generator: Generator, images: torch.Tensor, method: str) -> torch.Tensor:
    """ws of aligned images; not by invert_images, which also redraws every face, and nobody looks at that here."""
    return METHODS[method](generator, images, config=OptimiseConfig(), progress=silent).detach().cpu()


def _images(
    generator: Generator, faces: FaceSet, *, aligned: bool
) -> Iterator[tuple[int, Photo, Face | None, torch.Tensor | None]]:
    """Each photo, its face, and the face in the generator's frame, [1, 3, r, r], or None where there is no usable one."""
    spec = generator.spec
    for row, path in enumerate(faces.files):
        photo = open_photo(path)
        face = None
        try:
            if not aligned:
                face = choose_face(photo)
            crop = whole(photo, spec.crop) if face is None else crop_of(face, spec.crop)
        except FaceError:
            yield row, photo, None, None
            continue
        yield row, photo, face, cut(photo, crop, spec.resolution)


def coefficients_in(photo: Photo, face: Face | None) -> NDArray[np.float64]:
    """[k]: the face model's coefficients; NaN where it cannot be fitted. An aligned picture's face is looked for in all of it."""
    try:
        if face is None:
            (face,) = refine(photo, [whole(photo, "tight").quad])
            if face.score < LEAST_SCORE:
                raise FaceError("this picture shows no face")
        return fit_to_photo(photo, face).coefficients
    except FaceError:
        return np.full(len(load_face_model().names), np.nan)


def whole(photo: Photo, frame: str) -> Crop:
    """A crop that is the whole picture; it has no landmarks to speak of."""
    height, width = photo.pixels.shape[:2]
    quad = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    return Crop(quad=quad, landmarks=np.zeros((5, 2)), frame=frame)
