"""What every edit of one face in one photo needs and none changes."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..images import Photo
from .eye_skin import EyeSkin, eye_skin_of
from .eyes import Eye, eye_of, iris_of
from .frames import COLUMNS
from .glasses import Rims, rims_of
from .jaws import hanging
from .lids import lids_of
from .motion import FADE_CM, Sources, seen_sources
from .open_mouth import shows_nothing
from .openings import EYE_LEFT, EYE_RIGHT, MOUTH, PLACES, Fitted, Place, aligned, fitted
from .shading import Light, Relief, light_of, relief_of
from .sharpness import blur_of
from .tones import Tones, tones_of_face
from .veil import unveiled, veil_of

Array = NDArray[np.float64]

LIP_SHADE = 0.45  # log brightness that a lip's inner side lacks
BALL_CM = (0.3, 0.9, 0.9)  # around an eye's landmarks, aside, above and below: how far lids may open
LIDS_CM = (0.9, 2.8, 1.4)  # the same: how far the skin goes with them
FINE = 2  # cells a pixel and side from which edges are antialiased


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A face before an edit.

    Convention: base [v, 3] is the person's neutral shape in cm; raw and vertices [v, 3] the projected mesh before and
    after its openings were laid on the photo's; sources where in the photo the vertices take their pixels;
    lips [v] the log ratio of brightness of what lips hid; shut whether the mouth shows nothing of its inside; hang is by
    how many px its upper and lower teeth lie lower than the model's; blur is the photo's own, in px; veil [3] its values for black; rims are those of glasses, if there are any. All colours are
    those below the veil, and of the face behind the rims.
    """

    base: Array
    raw: Array
    vertices: Array
    sources: Sources
    lips: Array
    openings: tuple[Fitted, ...]
    eyes: dict[str, tuple[Eye, EyeSkin]]
    relief: Relief
    light: Light
    tones: Tones
    shut: bool
    hang: tuple[float, float]
    blur: float
    veil: Array
    rims: Rims | None


def below(photo: Photo, veil: Array, raw: Array, scale: float) -> Photo:
    """A photo as it is below its veil [3], around the projected mesh raw [v, 3] of a face; itself where there is none."""
    return Photo(unveiled(photo.pixels, veil, raw, (FADE_CM + 1) * scale)) if veil.any() else photo


def scene_of(photo: Photo, model: FaceModel, fit: FaceFit) -> Scene:
    """A face's scene; it serves any number of edits of the same face in the same photo."""
    base = model.neutral + np.tensordot(fit.identity, model.identities, 1)
    raw = placed(model, fit, base, fit.coefficients)
    neutral = placed(model, fit, base, np.zeros_like(fit.coefficients))
    veil = veil_of(photo.pixels, fit)
    photo = below(photo, veil, raw, fit.pose.scale)
    rims = rims_of(photo, fit)
    if rims is not None:
        photo = rims.taken_off(photo)
    openings = tuple(fitted(model, fit, raw, neutral, place, photo.pixels) for place in PLACES)
    vertices = aligned(model, fit, raw, raw, openings)[0]
    sources = seen_sources(model, vertices, fit.pose.scale, openings)
    eyes = {one.place.name: _eye(photo, fit, one) for one in openings if one.place in (EYE_RIGHT, EYE_LEFT)}
    tones = tones_of_face(photo.pixels, fit)
    mouth = next(one for one in openings if one.place is MOUTH)
    shut = shows_nothing(photo.pixels, mouth, tones, fit.pose.scale)
    return Scene(
        base=base,
        raw=raw,
        vertices=vertices,
        sources=sources,
        lips=-LIP_SHADE * np.clip(sources.deep / 0.35, 0, 1),
        openings=openings,
        eyes={name: eye for name, eye in eyes.items() if eye is not None},
        relief=relief_of(model, fit.pose.project(_expressed(model, base, fit.coefficients)), fit.pose.scale),
        light=light_of(photo.pixels, model, vertices),
        tones=tones,
        shut=shut,
        hang=hanging(model, vertices, _between_lips(mouth), fit.pose.scale) if shut else (0.0, 0.0),
        blur=blur_of(photo.pixels, fit),
        veil=veil,
        rims=rims,
    )


def _between_lips(mouth: Fitted) -> Array:
    """[2]: the middle of the line between shut lips, as found in the photo: landmarks are often off it."""
    down = float(mouth.photo.middle[COLUMNS // 3 : -COLUMNS // 3].mean())
    return np.asarray(mouth.frame.origin + np.array([mouth.frame.length / 2, down]) @ mouth.frame.axes)


class _Same:
    """A photo's pixels as a key: equal only to itself, without keeping the pixels alive."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = weakref.ref(pixels)
        self._hash = id(pixels)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.pixels() is not None and self.pixels() is other.pixels()


def remembered_scene(photo: Photo, model: FaceModel, fit: FaceFit) -> Scene:
    """`scene_of`, kept for the faces edited last: sliders move one face again and again."""
    return _remembered(_Same(photo.pixels), model, fit)


@lru_cache(maxsize=4)
def _remembered(same: _Same, model: FaceModel, fit: FaceFit) -> Scene:
    pixels = same.pixels()
    assert pixels is not None
    return scene_of(Photo(pixels), model, fit)


def placed(model: FaceModel, fit: FaceFit, base: Array, coefficients: Array) -> Array:
    """[v, 3]: a person's mesh with an expression in the photo, as `FaceFit.vertices`, from a shape already known."""
    vertices = fit.pose.project(_expressed(model, base, coefficients))
    vertices[:, :2] += fit.residual
    return vertices


def relief_after(model: FaceModel, fit: FaceFit, scene: Scene, coefficients: Array) -> Relief:
    """The relief of the face with other coefficients."""
    return relief_of(model, fit.pose.project(_expressed(model, scene.base, coefficients)), fit.pose.scale)


def _expressed(model: FaceModel, base: Array, coefficients: Array) -> Array:
    shape = np.array(base, dtype=np.float64)
    for index in np.flatnonzero(coefficients):
        shape += float(coefficients[index]) * model.expressions[index]
    return shape


def _eye(photo: Photo, fit: FaceFit, opening: Fitted) -> tuple[Eye, EyeSkin] | None:
    """An eye before an edit and the skin around it, or None where it lies outside of the photo."""
    place = opening.place
    ball, around = (_around_eye(photo, fit, place, margins) for margins in (BALL_CM, LIDS_CM))
    if ball is None or around is None:
        return None
    lids = lids_of(opening.frame, opening.photo)
    eye = eye_of(_part(photo, ball), lids, ball, iris_of(fit, place), fit.pose.scale)
    return eye, eye_skin_of(_part(photo, around), around, lids, fit, place)


def _around_eye(photo: Photo, fit: FaceFit, place: Place, margins: tuple[float, float, float]) -> Grid | None:
    """The photo's pixels around an eye: margins aside, above and below in cm; None where too few lie in the photo."""
    points = fit.landmarks[list(place.upper + place.lower)]
    aside, above, below = (margin * fit.pose.scale for margin in margins)
    height, width = photo.pixels.shape[:2]
    left, top = np.maximum(np.floor(points.min(0) - np.array([aside, above])), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(0) + np.array([aside, below])), (width, height)).astype(int)
    if right - left < 8 or bottom - top < 8:
        return None
    return Grid(float(left), float(top), int(right - left), int(bottom - top))


def _part(photo: Photo, grid: Grid) -> NDArray[np.float32]:
    top, left = int(grid.top), int(grid.left)
    return photo.pixels[top : top + grid.height, left : left + grid.width].astype(np.float32)
