"""One face of each photo in a generator's frame: where it is, what it looks like there, and the face model fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import FaceError
from ..face_model import FaceFit
from ..images import Photo
from ..progress import Progress, StepReport, silent
from .align import Face
from .crop import Crop, crop_of, cut
from .find import choose_face
from .fit import fit_to_photo


@dataclass(frozen=True, slots=True, eq=False)
class CutFaces:
    """The faces of n photos.

    Convention: images [n, 3, r, r] in [-1, 1], float32 on the CPU; one crop and one fit for each.
    """

    images: torch.Tensor
    crops: tuple[Crop, ...]
    fits: tuple[FaceFit, ...]


def cut_faces(
    photos: Sequence[Photo], *, frame: str, resolution: int, face: int | Face = 0, progress: Progress = silent
) -> CutFaces:
    """Find one face in each photo, the `face`-th largest or the one given, cut it out and fit the face model to it.

    Raises: FaceError when there is none such, saying which photo of several it is about; Cancelled from `progress`.
    """
    images, crops, fits = [], [], []
    for number, photo in enumerate(photos, start=1):
        try:
            found = face if isinstance(face, Face) else choose_face(photo, face)
            fits.append(fit_to_photo(photo, found))
        except FaceError as error:
            where = f"image {number} of {len(photos)}: " if len(photos) > 1 else ""
            raise FaceError(f"{where}{error}") from error
        crops.append(crop_of(found, frame))
        images.append(cut(photo, crops[-1], resolution))
        progress(StepReport(number, len(photos), "finding faces"))
    return CutFaces(torch.cat(images), tuple(crops), tuple(fits))
