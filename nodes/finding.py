"""Faces in the pictures of a batch: found by our own nets, or where the host's landmarks say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from comfy_api.latest import io
from numpy.typing import NDArray
from torch import Tensor

from ..emogan_core import (
    SMOOTHING,
    ClipFaces,
    Face,
    FaceError,
    FaceFit,
    Photo,
    choose_among,
    face_from,
    face_under,
    find_faces,
    fit_clip,
    fit_to_photo,
    same_face,
)
from . import host
from .landmarks import landmarks_of
from .pictures import masks_of
from .sockets import LandmarksSocket

LEAVE, STOP = "leave unchanged", "stop"
MOST_SMOOTHING = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One face of each picture that has one, with the face model fitted to it, and sentences about pictures without one or with several."""

    rows: tuple[int, ...]
    faces: tuple[Face, ...]
    fits: tuple[FaceFit, ...]
    notes: tuple[str, ...]


def face_inputs(*, of: str) -> list[io.Input]:
    """Which face, for nodes that look for one."""
    return [
        io.Int.Input(
            "face",
            default=0,
            min=0,
            max=63,
            tooltip=f"Which face of {of}: 0 is the largest, 1 the next. Find Faces shows them with their numbers.",
        )
    ]


def landmarks_input() -> io.Input:
    """Somebody else's landmarks."""
    return LandmarksSocket.Input(
        "face_landmarks",
        optional=True,
        tooltip="From Find Faces on the same image, which is then not looked through again; or from ComfyUI's Detect Face "
        "Landmarks (MediaPipe), whose points then take the place of our own.",
    )


def smoothing_input() -> io.Input:
    """How calm a clip's face shall be."""
    return io.Float.Input(
        "smoothing",
        default=SMOOTHING,
        min=0.0,
        max=MOST_SMOOTHING,
        step=0.5,
        optional=True,
        advanced=True,
        tooltip="How many frames to either side calm what is seen of the face in a clip; 0 takes every frame as it is. Quick "
        "movements, such as a blink, stay.",
    )


def find_all(
    photos: Sequence[Photo], face: int, *, landmarks: object = None, mask: Tensor | None = None, stop: bool
) -> Found:
    """The wanted face of every photo: by number, or the one under a mask.

    Convention: with `stop` off, photos without a usable face are left out as long as one is left.
    Raises: FaceError, saying which photo of a batch it is about; ShapeError for landmarks or masks of other pictures.
    """
    height, width = photos[0].pixels.shape[:2]
    given = None if landmarks is None else landmarks_of(landmarks, count=len(photos), size=(height, width))
    masks = masks_of(mask, count=len(photos), size=(height, width))
    rows, faces, fits, notes, first, several = [], [], [], [], None, []
    for row, photo in enumerate(photos):
        host.stop_if_cancelled()
        where = f"image {row + 1} of {len(photos)}: " if len(photos) > 1 else ""
        try:
            found, points, count = _one(photo, face, None if given is None else given[row], masks[row])
            fit = fit_to_photo(photo, found, landmarks=points)
        except FaceError as error:
            told = FaceError(f"{where}{error}")
            if stop:
                raise told from error
            first = first or told
            notes.append(f"left unchanged: {told}")
            continue
        rows.append(row)
        several += [row + 1] if count > 1 and face == 0 else []
        faces.append(found)
        fits.append(fit)
    if first is not None and not rows:
        raise first
    if several:
        which = ", ".join(map(str, several[:6])) + (" and more" if len(several) > 6 else "")
        notes.append(
            f"several faces in image {which}: the largest was taken, 'face' or a mask chooses another; Find Faces shows their "
            "numbers"
        )
    return Found(tuple(rows), tuple(faces), tuple(fits), tuple(notes))


def find_clip(
    photos: Sequence[Photo],
    face: int,
    *,
    landmarks: object = None,
    mask: Tensor | None = None,
    smoothing: float,
    stop: bool = False,
) -> ClipFaces:
    """One face through all frames of a clip; number or mask choose it where it is seen first.

    Raises: as `find_all`.
    """
    height, width = photos[0].pixels.shape[:2]
    given = None if landmarks is None else landmarks_of(landmarks, count=len(photos), size=(height, width))
    masks = masks_of(mask, count=len(photos), size=(height, width))

    def choose(row: int, photo: Photo) -> tuple[Face, NDArray[np.float64] | None]:
        return _one(photo, face, None if given is None else given[row], masks[row])[:2]

    def follow(row: int, photo: Photo, box: tuple[float, float, float, float]) -> tuple[Face, NDArray[np.float64]]:
        assert given is not None
        known = [face_from(photo, points) for points in given[row]]
        chosen = same_face([one for one, _ in known], box)
        return next(pair for pair in known if pair[0] is chosen)

    return fit_clip(
        photos,
        smoothing=smoothing,
        choose=choose,
        follow=None if given is None else follow,
        stop=stop,
        progress=host.progress(),
    )


def _one(
    photo: Photo, face: int, given: Sequence[NDArray[np.float64]] | None, mask: Tensor | None
) -> tuple[Face, NDArray[np.float64] | None, int]:
    """A face, its landmarks where they were given, and among how many it was chosen by number.

    Raises: FaceError; ShapeError for landmarks of another shape.
    """
    if given is None:
        if mask is not None:
            return face_under(photo, mask.numpy()), None, 1
        among = find_faces(photo)
        return choose_among(among, photo, face), None, len(among)
    if face >= len(given):
        raise FaceError(
            f"face {face} was asked for, but the landmarks are of {len(given)}; choose another, or find more faces there"
        )
    return *face_from(photo, given[face]), len(given)
