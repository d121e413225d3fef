"""Weak perspective pose: a scaled orthographic projection of the model into the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FaceError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the model stands in the photo.

    Convention: `scale` in px per cm; rotation [3, 3] turns model axes (x to the person's left, y up, z to the viewer)
    into the camera's; translation [2] is the photo position (origin at the corner of the top-left pixel, y down) of the
    model's origin.
    """

    scale: float
    rotation: Array
    translation: Array

    def project(self, points: NDArray[np.floating]) -> Array:
        """Photo x, y and depth (px, larger is nearer), [..., 3], of model points [..., 3] in cm."""
        turned = self.scale * (np.asarray(points, dtype=np.float64) @ self.rotation.T)
        turned[..., 1] *= -1
        turned[..., :2] += self.translation
        return turned

    def project_change(self, change: NDArray[np.floating]) -> Array:
        """What a displacement [..., 3] of model points in cm is in the photo: px in x, y and depth."""
        turned: Array = self.scale * (np.asarray(change, dtype=np.float64) @ self.rotation.T)
        turned[..., 1] *= -1
        return turned

    @property
    def yaw_deg(self) -> float:
        """Turn about the vertical, positive when the nose points to the picture's right."""
        return math.degrees(math.atan2(self.rotation[0, 2], self.rotation[2, 2]))

    @property
    def pitch_deg(self) -> float:
        """Positive when the nose points up."""
        return math.degrees(math.asin(float(np.clip(self.rotation[1, 2], -1, 1))))

    @property
    def roll_deg(self) -> float:
        """Clockwise turn in the picture's plane."""
        return math.degrees(math.atan2(-self.rotation[1, 0], self.rotation[0, 0]))


def fit_pose(points: Array, places: Array, weight: Array) -> Pose:
    """The pose that brings model points closest to photo places: least squares, then the nearest rotation.

    Convention: points [n, 3] in cm, places [n, 2] in photo px (y down), weight [n].
    Raises: FaceError when the places are no face (all on one line, or not finite).
    Source: weak perspective by polar decomposition of the affine camera (Tomasi & Kanade 1992).
    """
    upright = places * (1.0, -1.0)
    root = np.sqrt(weight)[:, None]
    design = np.column_stack([points, np.ones(len(points))]) * root
    affine = np.linalg.lstsq(design, upright * root, rcond=None)[0].T  # [2, 4]
    left, lengths, right = np.linalg.svd(affine[:, :3], full_matrices=False)
    if not np.isfinite(lengths).all() or lengths[1] < 1e-6:
        raise FaceError("the landmarks of this face lie on one line or are not finite; choose another photo")
    rows = left @ right  # [2, 3]
    rotation = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    scale = float(lengths.mean())
    shift = np.average(upright - scale * points @ rows.T, axis=0, weights=weight)
    return Pose(scale=scale, rotation=rotation, translation=shift * (1.0, -1.0))
