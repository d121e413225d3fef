"""Where eyes and mouth open: the mesh's edges there, laid on the photo's.

An opening is looked at in its own frame: along from corner to corner, down across it, both in photo px, origin at the
corner on the picture's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid, draw
from ..face_model.model import FaceModel
from .frames import COLUMNS, INSET, Edges, Frame, frame_between, outline_of, shares
from .lip_line import lip_line, lips_apart

Array = NDArray[np.float64]

ROWS_PER_CM = 60
ROUND = 3.0  # columns over which an edge's move is averaged: lips bend, the mesh kinks
PRESSED_CM = 0.25  # a gap between lips that is shut where they are fully pressed together
AROUND = 8.0  # columns over which lips are taken together
OVERLAP_CM = 0.03  # edges that meet after an edit overlap by twice this, so that nothing shows between them
LITTLE_CM = 0.02  # a gap of the mesh that says nothing
OVAL, OVAL_FROM, OVAL_WHOLE = 0.85, 0.06, 0.25  # how oval the lower lip of a mouth is that opens so far of its width
OFF_CORNERS = 0.17  # share of its width in which it becomes so: corners stay where the mesh has them
LIFTED_CM = 0.15  # and by how much its upper lip is higher than the mesh's, which the jaw pulls down
SHUT = 0.2  # share of its opening below which an opening is taken to be closed
TEETH_CM = 0.05  # an open mouth is taken to be this much taller at each edge, so that no tooth goes with a lip
CLOSED_CM = 0.16  # landmarks less far apart than this mean closed lips: they are wrong by up to half of it


@dataclass(frozen=True, slots=True)
class Place:
    """One opening of a face, by MediaPipe's points, each row from the picture's left to its right.

    Convention: reach_cm is how far into the skin a correction at the edge is carried; above_cm and below_cm how far
    from the corners' line edges are looked for.
    """

    name: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    reach_cm: float
    above_cm: float
    below_cm: float


EYE_RIGHT = Place(
    "eye_right",
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    0.45,
    1.2,
    1.2,
)
EYE_LEFT = Place(
    "eye_left",
    (362, 398, 384, 385, 386, 387, 388, 466, 263),
    (362, 382, 381, 380, 374, 373, 390, 249, 263),
    0.45,
    1.2,
    1.2,
)
MOUTH = Place(
    "mouth",
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    0.6,
    2.0,
    5.5,
)
PLACES = (EYE_RIGHT, EYE_LEFT, MOUTH)


def photo_edges(place: Place, landmarks: Array, scale: float) -> tuple[Frame, Edges]:
    """An opening's edges as the landmarks see them; lips that nearly touch are taken as closed."""
    frame = frame_between(landmarks[place.upper[0]], landmarks[place.upper[-1]])
    rows = [frame.inside(landmarks[list(points)]) for points in (place.upper, place.lower)]
    upper, lower = (np.interp(shares() * frame.length, row[:, 0], row[:, 1]) for row in rows)
    middle, gap = (upper + lower) / 2, np.maximum(lower - upper, 0.0)
    if place is MOUTH:
        closed = float(gap.max()) < CLOSED_CM * scale
        gap = np.zeros_like(gap) if closed else gap + 2 * TEETH_CM * scale * np.minimum(gap / (CLOSED_CM * scale), 1)
    return frame, Edges(middle - gap / 2, middle + gap / 2)


def mesh_edges(model: FaceModel, vertices: Array, place: Place, frame: Frame, scale: float) -> Edges:
    """An opening's edges as the mesh shows them, in a frame of its own."""
    lower_side, near = sides(model, place)
    placed = np.column_stack([frame.inside(vertices[:, :2]), vertices[:, 2]])
    step = frame.length * (1 - 2 * INSET) / (COLUMNS - 1)
    top, bottom = place.above_cm * scale, place.below_cm * scale
    rows = int((top + bottom) / scale * ROWS_PER_CM)
    height = (top + bottom) / rows
    stretched = placed * (1.0, step / height, 1.0)  # the grid's cells are square
    grid = Grid(frame.length * INSET - step / 2, -top * step / height, COLUMNS, rows, step)
    drawing = draw(stretched, near, grid)
    side = np.full(grid.shape, -1, dtype=np.int64)
    side.reshape(-1)[drawing.cell] = drawing.values(lower_side) > 0.5
    down = (np.arange(rows) + 0.5) * height - top
    half = height / 2
    is_upper, is_lower = side == 0, side == 1
    first_lower = np.where(is_lower.any(0), down[is_lower.argmax(0)] - half, 0.0)
    above = is_upper & (np.arange(rows)[:, None] < np.where(is_lower.any(0), is_lower.argmax(0), rows))
    last_upper = np.where(above.any(0), down[rows - 1 - above[::-1].argmax(0)] + half, first_lower)
    return Edges(np.minimum(last_upper, first_lower), first_lower)


@cache
def sides(model: FaceModel, place: Place) -> tuple[Array, NDArray[np.int32]]:
    """For each vertex whether it lies below the opening (1) or above (0), and the skin's triangles around it."""
    skin = model.triangles[model.triangle_part <= 1]
    neutral = model.neutral.astype(np.float64)
    points = list(dict.fromkeys(place.upper + place.lower))
    marks = neutral[model.landmark_vertex[points]]
    centre, extent = marks.mean(0), np.ptp(marks[:, 0])
    close = np.linalg.norm(neutral[:, :2] - centre[:2], axis=1) < 0.9 * extent
    if place is MOUTH:
        drop = np.linalg.norm(model.expressions[model.index("jawOpen")], axis=1).astype(np.float64)
        at = model.landmark_vertex
        high, low = drop[at[list(place.upper[3:-3])]].mean(), drop[at[list(place.lower[3:-3])]].mean()
        lower = (drop > (high + low) / 2).astype(np.float64)
    else:
        left, right = neutral[model.landmark_vertex[[place.upper[0], place.upper[-1]]]]
        line = left[1] + (neutral[:, 0] - left[0]) / (right[0] - left[0]) * (right[1] - left[1])
        lower = (neutral[:, 1] < line).astype(np.float64)
    return lower, skin[close[skin].all(1)]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """One opening before an edit: its frame, the photo's edges and the mesh's.

    Convention: rest [COLUMNS] is the gap (px) that the mesh shows where it means none: that of the neutral lips, which
    the fit's residual may have parted; 0 for eyes.
    """

    place: Place
    frame: Frame
    photo: Edges
    mesh: Edges
    rest: Array

    def outline(self, edges: Edges) -> Array:
        """[n, 2] photo px: points along edges in this opening's frame, and its corners."""
        return outline_of(self.frame, edges)


def fitted(
    model: FaceModel, fit: FaceFit, vertices: Array, neutral: Array, place: Place, pixels: NDArray[np.uint8]
) -> Fitted:
    """An opening of the unchanged face; vertices [v, 3] are its mesh, neutral [v, 3] that without an expression."""
    frame, photo = photo_edges(place, fit.landmarks, fit.pose.scale)
    if place is MOUTH and not (photo.gap.any() and lips_apart(pixels, frame, photo, fit.pose.scale)):
        photo = lip_line(pixels, frame, Edges(photo.middle, photo.middle), fit.pose.scale)
    mesh = mesh_edges(model, vertices, place, frame, fit.pose.scale)
    rest = np.zeros(COLUMNS)
    if place is MOUTH:
        corners = neutral[model.landmark_vertex[[place.upper[0], place.upper[-1]]], :2]
        rest = mesh_edges(model, neutral, place, frame_between(*corners), fit.pose.scale).gap
    return Fitted(place, frame, photo, mesh, rest)


def pressed_cm(model: FaceModel, coefficients: Array) -> float:
    """How much of a gap between the mesh's lips coefficients [k] press shut: its lips part where they are rolled in."""
    shares = [
        float(np.mean([max(coefficients[model.index(one)], 0.0) for one in names]))
        for names in (("mouthPressLeft", "mouthPressRight"), ("mouthRollLower", "mouthRollUpper"))
    ]
    return PRESSED_CM * min(max(shares), 1.0)


def correction(
    model: FaceModel, opening: Fitted, before: Array, upper: Array, lower: Array, axes: Array, scale: float
) -> Array:
    """[v, 2] photo px: shifts across an opening's edges ([COLUMNS] each) carried to the skin around it."""
    lower_side, near = sides(model, opening.place)
    touched = np.unique(near)
    along, down = opening.frame.inside(before[touched, :2]).T
    share = along / opening.frame.length
    below = lower_side[touched] > 0.5
    around = np.r_[0.0, shares(), 1.0]
    edge = np.where(
        below,
        np.interp(share, around, np.r_[0.0, opening.mesh.lower, 0.0]),
        np.interp(share, around, np.r_[0.0, opening.mesh.upper, 0.0]),
    )
    upper, lower = (ndimage.gaussian_filter1d(line, 1.0, mode="nearest") for line in (upper, lower))
    ends = (upper[[0, -1]] + lower[[0, -1]]) / 2
    places = around
    upper, lower = (np.r_[ends[0], line, ends[1]] for line in (upper, lower))
    shift = np.where(below, np.interp(share, places, lower), np.interp(share, places, upper))
    reach = opening.place.reach_cm * scale
    outside = np.maximum(np.maximum(-share, share - 1), 0) * opening.frame.length
    weight = np.exp(-(((down - edge) / reach) ** 2) - (outside / (0.5 * reach)) ** 2)
    result = np.zeros((len(before), 2))
    result[touched] = (weight * shift)[:, None] * axes[1]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """One opening after an edit: its frame and edges in the photo."""

    frame: Frame
    edges: Edges

    def outline(self) -> Array:
        """[n, 2] photo px: points along the edges, and the corners."""
        return outline_of(self.frame, self.edges)


def aligned(
    model: FaceModel,
    fit: FaceFit,
    before: Array,
    after: Array,
    openings: tuple[Fitted, ...],
    *,
    coefficients: Array | None = None,
) -> tuple[Array, Array, tuple[Moved, ...]]:
    """Both meshes with their openings' edges on the photo's; what the mesh opens or closes is kept.

    An opening that closes on the mesh closes in the photo, whatever the fit's misfit; one that opens more gains in px
    what it gains on the mesh. `coefficients` [k] are those after; by default as before.
    """
    first, second = before.copy(), after.copy()
    scale = fit.pose.scale
    first_pressed = pressed_cm(model, fit.coefficients) * scale
    last_pressed = first_pressed if coefficients is None else pressed_cm(model, coefficients) * scale
    outcome = []
    for opening in openings:
        place, mesh, photo = opening.place, opening.mesh, opening.photo
        upper, lower = photo.upper - mesh.upper, photo.lower - mesh.lower
        first[:, :2] += correction(model, opening, before, upper, lower, opening.frame.axes, scale)
        corners = model.landmark_vertex[[place.upper[0], place.upper[-1]]]
        start, end = (opening.frame.origin + (after - before)[vertex, :2] for vertex in corners)
        end = end + opening.frame.axes[0] * opening.frame.length
        frame = frame_between(start, end)
        moved = mesh_edges(model, after, place, frame, scale)
        edges = (
            _lips_after(opening, moved, frame.length, (first_pressed, last_pressed), scale)
            if place is MOUTH
            else _lids_after(opening, moved, scale)
        )
        shut = (edges.gap <= 0) & (photo.gap > 0)
        over = ndimage.gaussian_filter1d(shut.astype(np.float64), 1.0) * OVERLAP_CM * scale
        for last in (False, True):
            upper, lower = edges.upper - moved.upper + over, edges.lower - moved.lower - over
            second[:, :2] += correction(model, opening, before, upper, lower, frame.axes, scale)
            if last or place is not MOUTH or not shut.any():
                break
            moved = mesh_edges(model, second, place, frame, scale)  # lips that fold do not meet at once
        outcome.append(Moved(frame, edges))
    return first, second, tuple(outcome)


def _lips_after(opening: Fitted, moved: Edges, length: float, pressed: tuple[float, float], scale: float) -> Edges:
    """The photo's edges after an edit, from the mesh's before and after, `length` px long: each column for itself.

    Where the mesh had them shut the lips around say whether they close. A mouth that opens wide is an oval; the mesh
    drops the middle of its lower lip to a point.
    """
    mesh, photo = opening.mesh, opening.photo
    then, now = (np.maximum(gap - opening.rest - by, 0) for gap, by in zip((mesh.gap, moved.gap), pressed, strict=True))
    now_around, then_around = (ndimage.gaussian_filter1d(gap, AROUND, mode="reflect") for gap in (now, then))
    left = np.minimum(_left(now, then, scale), _left(now_around, then_around, scale))
    gap = photo.gap * left + np.maximum(now - then, 0)
    middle = moved.middle + photo.middle - mesh.middle
    upper, lower = middle - gap / 2, middle + gap / 2
    far = np.clip((float(np.max(now - then)) / length - OVAL_FROM) / (OVAL_WHOLE - OVAL_FROM), 0, 1)
    arch = np.sqrt(1 - (2 * shares() - 1) ** 2)
    off_corners = np.clip((np.minimum(shares(), 1 - shares()) - INSET) / OFF_CORNERS, 0, 1)
    lower = lower + OVAL * far * off_corners * np.maximum(max(float(lower.max()), 0.0) * arch - lower, 0)
    return _rounded(Edges(upper - LIFTED_CM * scale * far * off_corners * arch, lower), photo)


def _left(now: Array, then: Array, scale: float) -> Array:
    """How much of a gap is left where the mesh's was `then` px and is `now`, 0 to 1."""
    little = LITTLE_CM * scale
    return np.asarray(np.clip(((now + little) / (then + little) - SHUT) / (1 - SHUT), 0, 1))


def _lids_after(opening: Fitted, moved: Edges, scale: float) -> Edges:
    """The same for lids, which open and close as a whole, keep the eye's shape, and share the way as the mesh's do."""
    mesh, photo, little = opening.mesh, opening.photo, LITTLE_CM * scale
    now, then, seen = (float(edges.gap.mean()) for edges in (moved, mesh, photo))
    up, low = float((moved.upper - mesh.upper).mean()), float((moved.lower - mesh.lower).mean())
    gain = now - then
    if now < then:
        gain = seen * (float(_left(np.array(now), np.array(then), scale)) - 1)
    share = float(np.clip(-up / (low - up), 0, 1)) if abs(low - up) > 0.25 * little else 0.5
    both = up + share * (low - up)  # what both lids do together
    shape = photo.gap / seen if seen > little else np.ones(COLUMNS)
    upper = photo.upper + (both - share * gain) * shape
    return Edges(upper, np.maximum(upper, photo.lower + (both + (1 - share) * gain) * shape))


def _rounded(edges: Edges, photo: Edges) -> Edges:
    """Edges whose moves from the photo's are smooth along the opening."""
    moves = [
        ndimage.gaussian_filter1d(new - old, ROUND, mode="nearest")
        for new, old in ((edges.upper, photo.upper), (edges.lower, photo.lower))
    ]
    upper, lower = photo.upper + moves[0], photo.lower + moves[1]
    middle, gap = (upper + lower) / 2, np.where(edges.gap > 0, np.maximum(lower - upper, 0), 0)
    return Edges(middle - gap / 2, middle + gap / 2)
