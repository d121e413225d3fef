"""Finding the faces of a photo: boxes from scikit-image's cascade, points and a second opinion from our own net."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..devices import gradients_off
from ..errors import FaceError
from ..images import Photo
from ..networks.landmarks import INPUT_SIZE, LandmarkNet, LandmarkPrediction, mirrored_average
from ..weights import builtin_path, read_tensors
from ..wording import counted
from .align import Face, frame_axis, frame_quad, yaw_of
from .crop import Crop, cut

MIN_FACE_PX = 64
MAX_YAW_DEG = 32.0  # as estimated: out there the estimate falls short, and this is about 35 to 37 degrees
WORKING_PX = 320  # long side of the coarsest search; there the cascade takes some 30 ms
FINEST_PX = 2560
SMALLEST_PHOTO_PX = 16  # below that there is nothing to see
TURNED_PX = 560  # side of the square on which a photo is turned; it is wider than the photo
SMALLEST_WINDOW = 36  # the cascade's own window is 24; smaller faces are left to a finer level
TURNS_DEG = ((0, -25, 25), (-50, 50), (-90, 90, 180), (-70, 70, -115, 115, -138, 138, -160, 160))
"""Tried in this order until a face appears: the likely turns of a photo first, then those between; the cascade finds
faces within 12 degrees of upright."""
LOOSE = 1.6  # side of the first look relative to the cascade's box
CLOSE = 1.3  # side of the later looks relative to the tight frame
LEAST_COVERED = 0.1
MOSTLY_CLEAR = 0.5  # of a face or photo: what lies beneath its transparency hardly shows
"""The share of a face's box that a mask must cover to mean that face."""
MIN_SCORE = 0.95  # 199 of 200 held-out faces score above 0.996; textures have reached 0.96 at most
SURE_SCORE = 0.996  # faces that are upside down have passed for upright ones at 0.966
PHANTOM_APART = 0.8  # sides: what is seen of a face the wrong way up lies off its middle
MIN_TURNED_SCORE = 0.98  # eight times as many looks, so eight times as many chances to be wrong


@dataclass(frozen=True, slots=True)
class _Box:
    """A square that may hold a face: centre and side in photo px, clockwise turn in degrees."""

    x: float
    y: float
    side: float
    turn_deg: float = 0.0


def find_faces(photo: Photo, *, turned: bool = True) -> tuple[Face, ...]:
    """All faces of a photo, largest first; small and turned ones too, which `choose_face` refuses.

    Only when no upright face is found, and where `turned` allows, is the photo also searched turned, in case it was held
    sideways. What may be the phantom of a face that is upside down is looked at so as well.
    """
    if min(photo.pixels.shape[:2]) < SMALLEST_PHOTO_PX:
        return ()
    if (photo.pixels == photo.pixels[:1, :1]).all():
        return ()  # one colour, as the black frames of a film: searched at every turn it would take seconds
    boxes = _upright_boxes(photo)
    faces = _faces_in(photo, boxes, MIN_SCORE)
    if turned and any(face.score < SURE_SCORE for face in faces):
        faces = _turned_over(photo, boxes, faces)
    for turns in TURNS_DEG if turned else ():
        faces = faces or _faces_in(photo, _turned_boxes(photo, turns), MIN_TURNED_SCORE)
    return tuple(sorted(faces, key=lambda face: face.size_px, reverse=True))


def choose_face(photo: Photo, index: int = 0) -> Face:
    """One face that can be edited, 0 being the largest.

    Raises: FaceError as `choose_among`.
    """
    return choose_among(find_faces(photo), photo, index)


def choose_among(faces: Sequence[Face], photo: Photo, index: int = 0) -> Face:
    """One of the faces that were found in a photo, if it can be edited.

    Raises: FaceError when there is none, no such index, or it is too small or seen too much from the side.
    """
    height, width = photo.pixels.shape[:2]
    if not faces:
        beneath = ""
        if (clear := 1 - photo.opacity()) > MOSTLY_CLEAR:
            beneath = f", {clear:.0%} of which is transparent (the colours beneath were looked at)"
        raise FaceError(
            f"no face was found in this photo of {width} x {height} px{beneath}; give one with a face seen from the front, "
            f"at least {MIN_FACE_PX} px wide"
        )
    if not 0 <= index < len(faces):
        found = counted(len(faces), "face was", "faces were")
        valid = "0" if len(faces) == 1 else f"0 (the largest) to {len(faces) - 1}"
        raise FaceError(f"face {index} was asked for, but {found} found; use {valid}")
    expect_editable(faces[index], f"face {index}")
    return faces[index]


def clear_share(photo: Photo, landmarks: NDArray[np.float64]) -> float:
    """How far a face can be seen through by the photo's alpha, between its eyes and mouth: 0 opaque, 1 invisible.

    Convention: landmarks [5, 2] in photo px.
    """
    low, high = np.floor(landmarks.min(0)).clip(0).astype(int), np.ceil(landmarks.max(0)).clip(0).astype(int)
    return 1 - photo.opacity(slice(low[1], high[1] + 1), slice(low[0], high[0] + 1))


def face_under(photo: Photo, mask: NDArray[np.floating]) -> Face:
    """The face that a mask covers most of and that can be edited.

    Convention: mask [h, w] in 0..1, of the photo's size; a box is covered by the mean of the mask over it.
    Raises: FaceError when the mask lies on no face, or as `choose_face`.
    """
    faces = find_faces(photo)
    covered = [_covered(face, mask) for face in faces]
    if not faces or max(covered) < LEAST_COVERED:
        found = counted(len(faces), "face was", "faces were")
        raise FaceError(f"the mask lies on no face, {found} found; draw it over the face")
    chosen = faces[covered.index(max(covered))]
    expect_editable(chosen, "the face under the mask")
    return chosen


def _covered(face: Face, mask: NDArray[np.floating]) -> float:
    height, width = mask.shape
    left, top, right, bottom = (round(side) for side in face.box)
    part = mask[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    return float(part.mean()) if part.size else 0.0


def obstacle_of(face: Face) -> str | None:
    """Why a face cannot be edited, in two words, or None when it can."""
    if face.size_px < MIN_FACE_PX:
        return "too small"
    return "turned away" if abs(face.yaw_deg) > MAX_YAW_DEG else None


def expect_editable(face: Face, what: str) -> None:
    """Refuse a face that is too small or seen too much from the side; `what` it is called in the sentence.

    Raises: FaceError.
    """
    if face.size_px < MIN_FACE_PX:
        raise FaceError(
            f"{what} is {face.size_px:.0f} px wide, too small; "
            f"give a larger photo, where it has at least {MIN_FACE_PX} px"
        )
    if abs(face.yaw_deg) > MAX_YAW_DEG:
        raise FaceError(
            f"{what} is turned {abs(face.yaw_deg):.0f} degrees to the side; "
            f"choose a face or photo turned by no more than about {MAX_YAW_DEG:.0f}"
        )


def seen_again(photo: Photo, crop: Crop) -> Face:
    """The face of a photo where it is known to be, after an edit say, without a search.

    Raises: FaceError when there is none any more.
    """
    (face,) = refine(photo, [_grown(_safe_quad(crop.landmarks), CLOSE)])
    if face.score < MIN_SCORE or not _is_plausible(photo, face):
        raise FaceError("there is no face any more where it was; edit it less")
    return face


def refine(photo: Photo, quads: Sequence[NDArray[np.float64]]) -> tuple[Face, ...]:
    """What the net sees in squares of a photo: each is looked at, then twice more, upright and close to the face.

    Convention: quads [4, 2] in photo px, top left, top right, bottom right, bottom left as the face roughly stands.
    """
    points, _ = _read(photo, quads)
    for _ in range(2):
        points, prediction = _read(photo, [_grown(_safe_quad(p), CLOSE) for p in points])
    scores = prediction.logit.sigmoid().tolist()
    faces = []
    for p, score, yaw, pitch in zip(
        points, scores, prediction.yaw_deg.tolist(), prediction.pitch_deg.tolist(), strict=True
    ):
        quad = _safe_quad(p)
        low, high = quad.mean(0) - _side(quad) / 2, quad.mean(0) + _side(quad) / 2
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        # the net was never shown more than 35 degrees and says too little there; the geometry goes on
        faces.append(Face(box=box, landmarks=p, score=score, yaw_deg=(yaw + yaw_of(p)) / 2, pitch_deg=pitch))
    return tuple(faces)


def _faces_in(photo: Photo, boxes: Sequence[_Box], min_score: float) -> list[Face]:
    """The boxes that hold a face, each face once."""
    if not boxes:
        return []
    kept: list[Face] = []
    for face in sorted(refine(photo, [_quad(box, LOOSE) for box in boxes]), key=lambda face: face.score, reverse=True):
        if face.score < min_score or not _is_plausible(photo, face):
            continue
        if all(_apart(face, other) for other in kept):
            kept.append(face)
    return kept


def _turned_over(photo: Photo, boxes: Sequence[_Box], faces: Sequence[Face]) -> list[Face]:
    """The faces, but those that look more like one upside down as that."""
    over = _faces_in(photo, [replace(box, turn_deg=180.0) for box in boxes], MIN_TURNED_SCORE)
    kept = [
        face
        for face in faces
        if all(_apart(face, other, share=PHANTOM_APART) or face.score >= other.score for other in over)
    ]
    return kept + [other for other in over if all(_apart(other, face) for face in kept)]


def _is_plausible(photo: Photo, face: Face) -> bool:
    """Whether the points can be a face's, and it lies on the photo for the most part."""
    height, width = photo.pixels.shape[:2]
    p = face.landmarks
    across = frame_axis(p)
    down = np.array([-across[1], across[0]])
    eyes, mouth = (p[0] + p[1]) / 2, (p[3] + p[4]) / 2
    inside = (p >= 0).all(1) & (p <= [width, height]).all(1)
    return bool(
        inside.sum() >= 4
        and (p[1] - p[0]) @ across > 0.12 * face.size_px
        and (p[4] - p[3]) @ across > 0.08 * face.size_px
        and 0 < (p[2] - eyes) @ down < (mouth - eyes) @ down
    )


def _apart(one: Face, other: Face, *, share: float = 0.4) -> bool:
    middle = (frame_quad(one.landmarks, "tight") - frame_quad(other.landmarks, "tight")).mean(0)
    return bool(np.linalg.norm(middle) > share * max(one.size_px, other.size_px))


def _read(photo: Photo, quads: Sequence[NDArray[np.float64]]) -> tuple[list[NDArray[np.float64]], LandmarkPrediction]:
    """Landmarks in photo px, [5, 2] each, and the whole prediction, for squares of a photo."""
    crops = [Crop(quad=quad, landmarks=np.zeros((5, 2)), frame="tight") for quad in quads]
    with gradients_off():
        images = torch.cat([cut(photo, crop, INPUT_SIZE) for crop in crops])
        prediction = mirrored_average(_net()(images), _net()(images.flip(3)))
    points = prediction.landmarks.double().numpy()
    maps = [crop.to_photo(INPUT_SIZE) for crop in crops]
    return [p @ m[:, :2].T + m[:, 2] for p, m in zip(points, maps, strict=True)], prediction


@cache
def _net() -> LandmarkNet:
    tensors, _ = read_tensors(builtin_path("landmarks.safetensors"))
    with gradients_off():
        net = LandmarkNet()
        net.load_state_dict(tensors)
        return net.eval().requires_grad_(False)


@cache
def _cascade() -> Any:
    import skimage.data  # here: loading it takes longer than the rest of the package together
    from skimage.feature import Cascade

    return Cascade(skimage.data.lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]


def _upright_boxes(photo: Photo) -> list[_Box]:
    """Boxes of upright faces of every size, from the coarse level to the one where the smallest faces show."""
    height, width = photo.pixels.shape[:2]
    gray = Image.fromarray(photo.eight_bit.pixels).convert("L")
    finest = min(FINEST_PX, max(WORKING_PX, max(height, width) * SMALLEST_WINDOW / (0.8 * MIN_FACE_PX)))
    levels = max(0, math.ceil(math.log2(finest / WORKING_PX)))
    boxes: list[_Box] = []
    for level in range(levels + 1):
        scale = min(finest, WORKING_PX * 2**level) / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(gray.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR))
        largest = max(size) if level == 0 else 2 * SMALLEST_WINDOW + 8
        boxes += [
            _Box(x=(left + side / 2) / scale, y=(top + side / 2) / scale, side=side / scale)
            for left, top, side in _windows(small, largest, step=1.0 if level == 0 else 1.2)
        ]
    return _grouped(boxes)


def _turned_boxes(photo: Photo, turns_deg: Sequence[float]) -> list[_Box]:
    """Boxes of turned faces; the photo is seen small, on a square wide enough for every turn."""
    height, width = photo.pixels.shape[:2]
    side = 1.1 * math.hypot(width, height)
    shrunk = min(1.0, 1.5 * TURNED_PX / side)
    size = (max(1, round(width * shrunk)), max(1, round(height * shrunk)))
    small = Photo(pixels=np.asarray(Image.fromarray(photo.eight_bit.pixels).resize(size, Image.Resampling.BOX)))
    boxes: list[_Box] = []
    for turn in turns_deg:
        whole = _Box(x=size[0] / 2, y=size[1] / 2, side=side * shrunk, turn_deg=turn)
        crop = Crop(quad=_quad(whole, 1.0), landmarks=np.zeros((5, 2)), frame="tight")
        seen = (cut(small, crop, TURNED_PX)[0].mean(0).numpy() + 1) / 2
        found = []
        for left, top, window in _windows(seen, TURNED_PX, step=1.2):
            x, y = crop.to_photo(TURNED_PX) @ [left + window / 2, top + window / 2, 1]
            if 0 <= x <= size[0] and 0 <= y <= size[1]:  # the rest is only the photo mirrored at its edges
                at = (float(x) / shrunk, float(y) / shrunk)
                found.append(_Box(x=at[0], y=at[1], side=window * side / TURNED_PX, turn_deg=turn))
        boxes += _grouped(found)
    return boxes


def _windows(gray: NDArray[np.generic], largest: int, *, step: float) -> list[tuple[float, float, float]]:
    """The cascade's windows (left, top, side) on a gray picture; larger steps are faster and miss more."""
    if min(gray.shape) < SMALLEST_WINDOW:
        return []
    sizes = {"min_size": (SMALLEST_WINDOW, SMALLEST_WINDOW), "max_size": (min(largest, max(gray.shape)),) * 2}
    found = _cascade().detect_multi_scale(gray, scale_factor=1.2, step_ratio=step, min_neighbor_number=2, **sizes)
    return [(one["c"], one["r"], one["width"]) for one in found]


def _grouped(boxes: Sequence[_Box]) -> list[_Box]:
    """Boxes, largest first, without those whose centre lies in the middle of a larger one of about its size."""
    kept: list[_Box] = []
    for box in sorted(boxes, key=lambda box: box.side, reverse=True):
        near = (b for b in kept if max(abs(b.x - box.x), abs(b.y - box.y)) < 0.25 * b.side and box.side > 0.5 * b.side)
        if next(near, None) is None:
            kept.append(box)
    return kept


def _quad(box: _Box, grown: float) -> NDArray[np.float64]:
    """Corners [4, 2] of a box, larger by a factor."""
    angle, half = math.radians(box.turn_deg), grown * box.side / 2
    x = half * np.array([math.cos(angle), math.sin(angle)])
    y = half * np.array([-math.sin(angle), math.cos(angle)])
    centre = np.array([box.x, box.y])
    return np.stack([centre - x - y, centre + x - y, centre + x + y, centre - x + y])


def _grown(quad: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    centre = quad.mean(0)
    grown: NDArray[np.float64] = centre + factor * (quad - centre)
    return grown


def _safe_quad(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The tight frame, or a square of one pixel where the points make no sense (the net then says: no face)."""
    try:
        quad = frame_quad(landmarks, "tight")
    except FaceError:
        quad = _quad(_Box(x=float(landmarks[:, 0].mean()), y=float(landmarks[:, 1].mean()), side=1.0), 1.0)
    return quad


def _side(quad: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(quad[1] - quad[0]))
