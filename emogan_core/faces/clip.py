"""One face in the frames of a clip: followed by its box, with the face model fitted as one person, free from jitter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FaceError
from ..face_model import FaceFit, fit_frames, load_face_model
from ..images import Photo
from ..progress import Progress, StepReport, silent
from .align import Face
from .crop import crop_of
from .dense import dense_landmarks
from .find import choose_face, expect_editable, find_faces, seen_again

SMOOTHING = 2.0
"""Of a clip's landmarks over time, in frames."""
LEAST_OVERLAP = 0.5
"""The share of a face's box that must lie in its box before for it to be the same face."""
GROWTH, MOST_GROWTH = 0.25, 2.0  # how much wider a face is looked for, for every frame it was not seen

Box = tuple[float, float, float, float]
Found = tuple[Face, NDArray[np.float64] | None]
"""A face, and its landmarks where somebody else found them."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipFaces:
    """One face in the frames of a clip.

    Convention: `rows` are the numbers of the frames that show it, of `count`, rising, with a face and a fit each;
    `notes` has a sentence about every other frame.
    """

    count: int
    rows: tuple[int, ...]
    faces: tuple[Face, ...]
    fits: tuple[FaceFit, ...]
    notes: tuple[str, ...]

    def coefficients(self) -> NDArray[np.float64]:
        """[count, k]: those of every frame; in frames without the face, between those of the frames around."""
        known = np.stack([fit.coefficients for fit in self.fits])
        frames = np.arange(self.count)
        return np.stack([np.interp(frames, self.rows, shape) for shape in known.T], axis=1)


def fit_clip(
    photos: Sequence[Photo],
    *,
    face: int = 0,
    smoothing: float = SMOOTHING,
    choose: Callable[[int, Photo], Found] | None = None,
    follow: Callable[[int, Photo, Box], Found] | None = None,
    stop: bool = False,
    progress: Progress = silent,
) -> ClipFaces:
    """One face in all frames of a clip: the `face`-th largest of the first frame that shows one, and then the same.

    The frames are taken one after the other, so that `photos` need not hold them at once.

    Convention: `smoothing` in frames takes the jitter off pose, coefficients and landmarks, 0 leaves it; of a frame's
    number and picture `choose` finds the face first, `follow` then in that box or near it, in the place of our own nets;
    with `stop` no frame may lack it.
    Raises: FaceError when no frame shows the face, or with `stop` one does not; Cancelled from `progress`.
    """
    rows, faces, places, notes, first = [], [], [], [], None
    before: Face | None = None
    lost = 0
    for row, photo in enumerate(photos):
        progress(StepReport(row, 2 * len(photos), "finding the face"))
        try:
            if before is None:
                found, landmarks = (choose_face(photo, face), None) if choose is None else choose(row, photo)
            else:
                box = _grown(before.box, 1 + min(MOST_GROWTH, GROWTH * lost))
                found, landmarks = (_followed(photo, before, box), None) if follow is None else follow(row, photo, box)
            before, lost = found, 0
            expect_editable(found, "the face")
            places.append(dense_landmarks(photo, found) if landmarks is None else landmarks)
        except FaceError as error:
            lost += 1
            told = FaceError(f"frame {row + 1} of {len(photos)}: {error}" if len(photos) > 1 else str(error))
            if stop:
                raise told from error
            first = first or told
            notes.append(str(told))
            continue
        rows.append(row)
        faces.append(found)
    if first is not None and not rows:
        raise first

    def tell(done: int) -> None:
        progress(StepReport(len(photos) + done, len(photos) + len(rows), "fitting the face model"))

    fits = fit_frames(load_face_model(), places, rows, smoothing=smoothing, after_each=tell)
    return ClipFaces(len(photos), tuple(rows), tuple(faces), fits, tuple(notes))


def same_face(faces: Sequence[Face], box: Box) -> Face:
    """Which of the faces of a frame is the one that was in that box before.

    Raises: FaceError when none lies there.
    """
    shares = [_share_inside(face.box, box) for face in faces]
    if not faces or max(shares) < LEAST_OVERLAP:
        told = "no face was found" if not faces else "there is no face where it was in the frame before"
        raise FaceError(told)
    middle = np.array([box[0] + box[2], box[1] + box[3]])
    there = [face for face, share in zip(faces, shares, strict=True) if share >= LEAST_OVERLAP]
    return min(there, key=lambda face: float(np.hypot(*(np.array(face.box[:2]) + face.box[2:] - middle))))


def _followed(photo: Photo, before: Face, box: Box) -> Face:
    """The face again; looking where it was takes a sixth of the time of a search.

    Raises: FaceError.
    """
    try:
        return same_face([seen_again(photo, crop_of(before, "tight"))], box)
    except FaceError:
        return same_face(find_faces(photo), box)


def _grown(box: Box, factor: float) -> Box:
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, factor * (box[2] - box[0]) / 2
    return (x - half, y - half, x + half, y + half)


def _share_inside(box: Box, other: Box) -> float:
    """The share of a box that lies in another."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, width) * max(0.0, height) / max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))
