"""Fitting the face model to dense landmarks: pose, identity, expression, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..errors import FaceError, ShapeError
from .model import FaceModel
from .pose import Array, Pose, fit_pose

POINTS = 478  # MediaPipe's: 468 on the face, then two irises of five points each
IRIS = (slice(468, 473), slice(473, 478))  # the first is the person's right eye
EYEBALLS = ("eyeball_right", "eyeball_left")
CORNERS = ((33, 133), (362, 263))  # of the eyes, in the same order
ROUNDS = 5
NEWTON_STEPS = 30
POSE_STEPS = 6  # scale, rotations, shifts
FULL_GAZE = 0.42  # radians that eyeLook* 1 stands for: as far as eyes turn without the head
BLOCK = 2048  # vertices at once
RESIDUAL_CM = 0.9  # how far what the model cannot explain is spread over the mesh


@dataclass(frozen=True, slots=True, eq=False)
class FaceFit:
    """One face of one photo, as the face model sees it.

    Convention: identity [i], about N(0, 1); coefficients [k] in 0..1; landmarks [478, 2] in photo px; residual [v, 2] in
    photo px is added to the projected vertices, so that they lie on the landmarks; error_cm is the landmarks' mean
    distance from the model before that.
    """

    pose: Pose
    identity: Array
    coefficients: Array
    landmarks: Array
    residual: Array
    error_cm: float

    def vertices(self, model: FaceModel, coefficients: Array | None = None) -> Array:
        """Photo x, y and depth [v, 3] of the mesh, with other coefficients where they are given."""
        own = self.coefficients if coefficients is None else coefficients
        placed = self.pose.project(model.shape(self.identity, own))
        placed[:, :2] += self.residual
        return placed


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What all pictures of a person share: identity [i] and landmark modes [m], both about N(0, 1)."""

    identity: Array
    modes: Array


def fit_face(model: FaceModel, landmarks: NDArray[np.floating]) -> FaceFit:
    """The face model fitted to one face.

    Convention: landmarks [478, 2] in photo px, MediaPipe's order.
    Raises: ShapeError for another shape or points that are not finite; FaceError when they are no face.
    """
    return fit_faces(model, [landmarks])[0]


def fit_faces(model: FaceModel, landmarks: Sequence[NDArray[np.floating]]) -> tuple[FaceFit, ...]:
    """The face model fitted to several pictures of one person: one identity, a pose and an expression each.

    A maximum a posteriori fit: identity and landmark modes are N(0, 1), coefficients lie in 0..1 under the model's
    prior, landmark noise is `landmark_sd`. Gauss-Newton: every round solves for all of them together, each pose to first
    order, then finds the poses anew.
    Raises: as `fit_face`; ShapeError when none is given.
    """
    return _fitted(model, landmarks, None)[1]


def fit_person(model: FaceModel, landmarks: Sequence[NDArray[np.floating]]) -> Person:
    """What is the same in several pictures of one person, fitted as `fit_faces` does.

    Raises: as `fit_faces`.
    """
    return _fitted(model, landmarks, None)[0]


def fit_face_of(model: FaceModel, person: Person, landmarks: NDArray[np.floating]) -> FaceFit:
    """The face model fitted to one picture of a person who is known: pose and expression alone.

    Raises: as `fit_face`.
    """
    return _fitted(model, [landmarks], person)[1][0]


def _fitted(
    model: FaceModel, landmarks: Sequence[NDArray[np.floating]], person: Person | None
) -> tuple[Person, tuple[FaceFit, ...]]:
    if not landmarks:
        raise ShapeError("no landmarks came; give those of one picture or more of one person")
    places = [_checked(points) for points in landmarks]
    at_points = _landmark_model(model)
    found = person or Person(np.zeros(len(at_points.identity)), np.zeros(len(at_points.modes)))
    shapes = [_landmarks(at_points, found.identity, np.zeros(()))] * len(places)
    poses = [fit_pose(shapes[0], points[:468], at_points.weight) for points in places]
    gazes = [_gaze(model, pose, points) for pose, points in zip(poses, places, strict=True)]
    coefficients = [np.zeros(len(model.names)) for _ in places]
    for _ in range(ROUNDS):
        found, coefficients = _solve(
            model, at_points, poses, shapes, [points[:468] for points in places], gazes, person
        )
        shapes = [
            _landmarks(at_points, found.identity, np.tensordot(each, at_points.expression, 1)) for each in coefficients
        ]
        poses = [
            fit_pose(shape, points[:468] - _beyond(at_points, pose, found.modes), at_points.weight)
            for shape, points, pose in zip(shapes, places, poses, strict=True)
        ]
        gazes = [_gaze(model, pose, points) for pose, points in zip(poses, places, strict=True)]
    return found, tuple(
        _finished(model, at_points, pose, found.identity, each, points)
        for pose, each, points in zip(poses, coefficients, places, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _LandmarkModel:
    """The model at MediaPipe's 468 points: mean [468, 3], identity [i, 468, 3], expression [k, 468, 3] as points move
    and drawn [k, 468, 3] as the mesh does, modes [m, 468, 2] in cm upright, weight [468] = 1 / sd^2."""

    mean: Array
    identity: Array
    expression: Array
    drawn: Array
    modes: Array
    weight: Array


@lru_cache(maxsize=4)
def _landmark_model(model: FaceModel) -> _LandmarkModel:
    at = model.landmark_vertex
    return _LandmarkModel(
        mean=(model.neutral[at] + model.landmark_offset).astype(np.float64),
        identity=model.identities[:, at].astype(np.float64),
        expression=model.found_moves(),
        drawn=model.expressions[:, at].astype(np.float64),
        modes=model.landmark_modes.astype(np.float64),
        weight=1.0 / model.landmark_sd.astype(np.float64) ** 2,
    )


def _landmarks(at_points: _LandmarkModel, identity: Array, change: Array) -> Array:
    return np.asarray(at_points.mean + np.tensordot(identity, at_points.identity, 1) + change)


def _beyond(at_points: _LandmarkModel, pose: Pose, modes: Array) -> Array:
    """[468, 2] photo px: the landmark modes' share of a face's landmarks."""
    shift: Array = pose.scale * np.tensordot(modes, _modes(at_points, pose), 1) * (1.0, -1.0)
    return shift


def _modes(at_points: _LandmarkModel, pose: Pose) -> Array:
    """[m, 468, 2] in cm in the picture's plane, y up: the landmark modes, which were learned upright, rolled with the head."""
    rolled: Array = (at_points.modes * (1.0, -1.0)) @ _roll(pose).T * (1.0, -1.0)
    return rolled


def _solve(
    model: FaceModel,
    at_points: _LandmarkModel,
    poses: Sequence[Pose],
    shapes: Sequence[Array],
    places: Sequence[Array],
    gazes: Sequence[Array],
    person: Person | None,
) -> tuple[Person, list[Array]]:
    """The person, unless known, and every picture's coefficients, with small changes of the poses: bounded least squares."""
    people, k = len(at_points.identity), len(model.names)
    common = 0 if person is not None else people + len(at_points.modes)
    shared = common + POSE_STEPS * len(poses)
    size = shared + k * len(poses)
    normal, target = np.zeros((size, size)), np.zeros(size)
    normal[np.arange(shared), np.arange(shared)] = np.where(np.arange(shared) < common, 1.0, 1e-3)
    looks = [index for index, name in enumerate(model.names) if name.startswith("eyeLook")]
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    root = np.sqrt(np.repeat(at_points.weight, 2))[:, None]
    for picture, (pose, shape, points, gaze) in enumerate(zip(poses, shapes, places, gazes, strict=True)):
        rows = pose.rotation[:2]
        columns = [np.einsum("npc,dc->npd", part, rows) for part in (at_points.identity, at_points.expression)]
        own_parts = [_pose_steps(shape @ pose.rotation.T), columns[1]]
        parts = own_parts if person is not None else [columns[0], _modes(at_points, pose), *own_parts]
        design = np.concatenate(parts).reshape(common + POSE_STEPS + k, -1).T * root  # [936, n]
        upright = (points - pose.translation) * (1.0, -1.0) / pose.scale
        if person is not None:
            upright = upright - np.tensordot(person.identity, columns[0], 1)
            upright = upright - np.tensordot(person.modes, _modes(at_points, pose), 1)
        misfit = (upright - at_points.mean @ rows.T).reshape(-1, 1) * root
        steps = np.arange(POSE_STEPS) + common + picture * POSE_STEPS
        own = np.arange(k) + shared + picture * k
        where = np.r_[0:common, steps, own]
        normal[np.ix_(where, where)] += design.T @ design
        target[where] += (design.T @ misfit)[:, 0]
        normal[np.ix_(own, own)] += model.coefficient_precision
        target[own] -= model.coefficient_rate
        low[own], high[own] = 0.0, 1.0
        for index in looks:  # gaze is seen on the irises; lids only follow
            low[own[index]], high[own[index]] = gaze[index], gaze[index]
    solved = _bounded(normal, target, shared, low, high)
    coefficients = [np.clip(solved[shared + p * k : shared + (p + 1) * k], 0.0, 1.0) for p in range(len(poses))]
    return person or Person(solved[:people], solved[people:common]), coefficients


def _pose_steps(turned: Array) -> Array:
    """[6, 468, 2]: how points [468, 3] in camera axes move with scale, three small rotations and two shifts."""
    x, y, z = turned.T
    one, none = np.ones_like(x), np.zeros_like(x)
    pairs = [(x, y), (none, -z), (z, none), (-y, x), (one, none), (none, one)]
    return np.stack([np.stack(pair, axis=1) for pair in pairs])


def _bounded(normal: Array, target: Array, free: int, low: Array, high: Array) -> Array:
    """The x that minimises x' normal x / 2 - target' x, its entries from `free` on within low and high.

    Source: projected Newton method (Bertsekas 1982), after the unbounded entries are eliminated.
    """
    eliminated = np.linalg.solve(normal[:free, :free], np.column_stack([normal[:free, free:], target[:free]]))
    hessian = normal[free:, free:] - normal[free:, :free] @ eliminated[:, :-1]
    slope = target[free:] - normal[free:, :free] @ eliminated[:, -1]
    low, high = low[free:], high[free:]
    x = np.clip(np.zeros(len(slope)), low, high)
    for _ in range(NEWTON_STEPS):
        gradient = hessian @ x - slope
        held = ((x <= low) & (gradient >= 0)) | ((x >= high) & (gradient <= 0))
        loose = np.flatnonzero(~held)
        if len(loose) == 0 or np.abs(gradient[loose]).max() < 1e-7 * np.abs(slope).max():
            break
        step = np.zeros(len(x))
        step[loose] = -np.linalg.solve(hessian[np.ix_(loose, loose)], gradient[loose])
        value = x @ hessian @ x / 2 - slope @ x
        for share in (1.0, 0.5, 0.25, 0.1, 0.03):
            tried = np.clip(x + share * step, low, high)
            if tried @ hessian @ tried / 2 - slope @ tried < value:
                break
        x = tried
    return np.concatenate([eliminated[:, -1] - eliminated[:, :-1] @ x, x])


def _gaze(model: FaceModel, pose: Pose, points: Array) -> Array:
    """[k]: eyeLook* coefficients from where the irises stand between their lids; the rest 0."""
    seen = np.zeros(len(model.names))
    right, up = _turn(model, pose, points) - model.gaze_rest
    levels = {"eyeLookUp": up, "eyeLookDown": -up}
    for side, outward in (("Left", right), ("Right", -right)):  # the person's left is the picture's right
        for name, value in {**levels, "eyeLookOut": outward, "eyeLookIn": -outward}.items():
            seen[model.index(name + side)] = min(1.0, max(0.0, float(value) / FULL_GAZE))
    return seen


def turns_of(model: FaceModel, landmarks: Array) -> Array:
    """Gaze [2] of a face, radians to the picture's right and up, before what reads as straight is taken off."""
    at_points = _landmark_model(model)
    return _turn(model, fit_pose(at_points.mean, landmarks[:468], at_points.weight), landmarks)


def _turn(model: FaceModel, pose: Pose, points: Array) -> Array:
    """Both eyes' mean turn [2]; they look the same way, one alone is mostly noise. The corners move with the head."""
    turns = []
    for ball, iris, corners in zip(EYEBALLS, IRIS, CORNERS, strict=True):
        radius = pose.scale * float(np.ptp(model.neutral[model.part_vertices[ball]][:, 1])) / 2
        offset = (points[iris].mean(0) - points[list(corners)].mean(0)) @ _roll(pose) / radius
        turns.append(np.arcsin(np.clip(offset * (1.0, -1.0), -0.9, 0.9)))
    return np.asarray(np.mean(turns, axis=0))


def _roll(pose: Pose) -> Array:
    """[2, 2] that turns photo directions back to an upright head."""
    angle = np.radians(pose.roll_deg)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _finished(
    model: FaceModel, at_points: _LandmarkModel, pose: Pose, identity: Array, coefficients: Array, points: Array
) -> FaceFit:
    """The fit with its residual: a smooth field that carries the landmarks' misfit to the whole mesh."""
    shape = pose.project(_landmarks(at_points, identity, np.tensordot(coefficients, at_points.drawn, 1)))
    misfit = points[:468] - shape[:, :2]
    field = _spreading(model) @ misfit.astype(np.float32)
    error = float(np.linalg.norm(misfit, axis=1).mean() / pose.scale)
    return FaceFit(
        pose=pose,
        identity=identity,
        coefficients=coefficients,
        landmarks=points,
        residual=field.astype(np.float64),
        error_cm=error,
    )


@lru_cache(maxsize=4)
def _spreading(model: FaceModel) -> NDArray[np.float32]:
    """[v, 468]: carries values at the landmarks to all vertices, by Gaussian kernel interpolation on the mean face."""
    at = model.neutral[model.landmark_vertex]
    factors = linalg.lu_factor(_kernel(at, at) + 0.3 * np.eye(len(at), dtype=np.float32))
    spread = np.empty((len(model.neutral), len(at)), dtype=np.float32)
    for start in range(0, len(spread), BLOCK):  # in blocks: the whole would take seven times what it leaves
        part = slice(start, start + BLOCK)
        spread[part] = linalg.lu_solve(factors, _kernel(at, model.neutral[part])).T
    return spread


def _kernel(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    square = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.exp(-square.clip(0) / (2 * RESIDUAL_CM**2)))


def _checked(landmarks: NDArray[np.floating]) -> Array:
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 2 or points.shape[0] != POINTS or points.shape[1] < 2:
        raise ShapeError(f"landmarks came as {points.shape}; give [{POINTS}, 2], MediaPipe's points in photo pixels")
    if not np.isfinite(points[:, :2]).all():
        raise FaceError("landmarks came with NaN or infinite values; find the face again")
    return points[:, :2]
