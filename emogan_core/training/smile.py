"""The coefficients of a typical clear smile: what people's smiles share, as strong as lips and corners say they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from ..expressions.prototypes import levels
from ..face_model import FaceFit, FaceModel
from ..face_model.names import mirror_order
from ..glm import PatternFit, fit_pattern, group_index, one_hot
from .labelled_fits import Labelled

Array = NDArray[np.float64]

IRISES, CORNERS, LIDS, LIPS = (468, 473), (61, 291), (33, 133, 263, 362), (13, 14)
OUTER, CHIN = 0, 152  # the upper lip's upper edge, and the lowest point of the chin
CLEAR = 0.5  # MediaPipe's smile from which a smile is clear
LEAST_T = 3.0
ARTEFACTS = ("cheekPuff", "mouthClose", "jawForward", "eyeLook", "mouthLeft", "mouthRight", "jawLeft", "jawRight")
"""Shapes by which the fit explains what no muscle did: fuller cheeks, lips that only a closed mouth has, gaze."""
MOUTH = ("mouthSmile", "mouthStretch", "jawOpen", "mouthLowerDown", "mouthUpperUp")
"""Shapes that carry the mouth of a smile: their levels make the mesh's lips move as those of people do."""
PRECISION = np.array([0.008, 0.008, 0.01, 0.015, 0.008])  # how exactly that is wanted, in eye distances
KEPT_SD = 0.3  # how far levels may lie from the pattern's proportions
EYES = {"cheekSquint": 0.45, "cheekRaiser": 0.3, "eyeSquint": 0.12}
"""AU 6, which half of all smilers show; landmarks hardly see it, so it stands as FACS says."""


def pattern_of(
    model: FaceModel, pairs: Sequence[tuple[Labelled, FaceFit]], names: Sequence[str]
) -> tuple[PatternFit, Array]:
    """Coefficients regressed on expressions with people as fixed effects, left and right averaged; slopes' t [n, k]."""
    mirror = mirror_order(model.names)
    seen = np.stack([(fit.coefficients + fit.coefficients[mirror]) / 2 for _, fit in pairs])
    pattern = fit_pattern(
        seen,
        one_hot([picture.expression for picture, _ in pairs], names),
        groups=group_index([f"{picture.set} {picture.person}" for picture, _ in pairs], len(pairs)),
    )
    sd = np.sqrt(np.outer(pattern.spread, np.diag(pattern.residual)))
    return pattern, np.divide(pattern.slopes, sd, out=np.zeros_like(sd), where=sd > 0)


def lips_of(landmarks: Array) -> Array:
    """[5] in eye distances: how far the lips are apart, how wide the mouth is, and how high over the lids' corners its
    own corners, the upper lip and the chin stand."""
    left, right = landmarks[list(IRISES)]
    eye = float(np.linalg.norm(right - left))
    along = (right - left) / eye
    upright = np.stack([along, (along[1], -along[0])])
    corners = landmarks[list(CORNERS)] @ upright.T
    gap = (landmarks[LIPS[0]] - landmarks[LIPS[1]]) @ upright[1]
    level = (landmarks[list(LIDS)] @ upright[1]).mean()
    heights = [corners[:, 1].mean() - level, *(landmarks[[OUTER, CHIN]] @ upright[1] - level)]
    return np.array([gap, corners[1, 0] - corners[0, 0], *heights]) / eye


def lips_of_clear_smiles(groups: Sequence[Sequence[Labelled]]) -> Array:
    """[5]: how clear smiles differ from the same people's neutral faces: each set's median, averaged."""
    by_set: dict[str, list[Array]] = {}
    for own in groups:
        neutral = np.mean([lips_of(p.landmarks) for p in own if p.expression == "neutral"], axis=0)
        smiles = [lips_of(p.landmarks) - neutral for p in own if p.expression == "happiness" and p.smile >= CLEAR]
        by_set.setdefault(own[0].set, []).extend(smiles)
    return np.asarray(np.mean([np.median(rows, axis=0) for rows in by_set.values()], axis=0))


def lips_of_shapes(model: FaceModel) -> Array:
    """[5, k]: the same five measures of the mean face for each shape at 1."""
    eye = float(
        np.ptp([model.neutral[model.part_vertices[ball], 0].mean() for ball in ("eyeball_left", "eyeball_right")])
    )
    middle = _lip_edges(model)
    corners = model.landmark_vertex[list(CORNERS)]
    moves = model.expressions.astype(np.float64)
    gap = moves[:, middle[0], 1] - moves[:, middle[1], 1]
    width = moves[:, corners[1], 0] - moves[:, corners[0], 0]
    heights = [moves[:, corners, 1].mean(1), *moves[:, model.landmark_vertex[[OUTER, CHIN]], 1].T]
    return np.stack([gap, width, *heights]) / eye


def _lip_edges(model: FaceModel) -> tuple[int, int]:
    """The vertices where upper and lower lip meet in the middle; MediaPipe's two points there share one."""
    face = slice(0, model.face_vertices)
    centre = model.neutral[model.landmark_vertex[LIPS[0]]]
    near = np.flatnonzero((np.abs(model.neutral[face] - centre) < (0.15, 1.0, 0.7)).all(1))
    drop = model.expressions[model.index("jawOpen"), near, 1]
    below = drop < drop.min() / 2
    height = model.neutral[near, 1]
    upper, lower = near[~below], near[below]
    return int(upper[np.argmin(height[~below])]), int(lower[np.argmax(height[below])])


def smile_of(model: FaceModel, slope: Array, t: Array, target: Array) -> Array:
    """Coefficients [k] of a typical clear smile.

    The pattern's proportions where they are sure; scaled up, because the fit's prior shrinks every coefficient, until
    the mouth widens as `target` [5] says, and then the mouth's shapes corrected so that lips part and corners rise as
    much as they should. AU 6 is added as FACS has it.
    """
    sure = np.abs(t) >= LEAST_T
    kept = [sure[k] and slope[k] > 0 and not name.startswith(ARTEFACTS) for k, name in enumerate(model.names)]
    pattern = np.where(kept, slope, 0.0)
    effect, eyes = lips_of_shapes(model), levels(EYES)
    wanted = target - effect @ eyes
    mouth = np.stack([levels({name: 1.0}) for name in MOUTH])  # [5, k]
    share = np.array([pattern[row > 0].mean() for row in mouth]) * wanted[1] / float(effect[1] @ pattern)
    design = np.concatenate([(effect @ mouth.T) / PRECISION[:, None], np.eye(len(mouth)) / KEPT_SD])
    solved = lsq_linear(design, np.concatenate([wanted / PRECISION, share / KEPT_SD]), bounds=(0.0, 1.0)).x
    return np.asarray(solved @ mouth + eyes)
