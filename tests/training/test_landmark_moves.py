"""Measured landmark motion: brought back into the model's frame, and alike on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from placed_faces import fit_at, found_at
from scipy.spatial.transform import Rotation

from emogan_core.face_model import Pose, load_face_model
from emogan_core.face_model.names import mirror_order
from emogan_core.training.landmark_moves import landmark_mirror, mean_moves, move_of

MODEL = load_face_model()


def test_golden_the_motion_of_a_turned_head_is_brought_back() -> None:
    turned = Pose(30.0, Rotation.from_euler("yz", [15, 5], degrees=True).as_matrix(), np.array([400.0, 300.0]))
    shape, rise = MODEL.index("mouthSmileLeft"), 0.8
    fit = fit_at(MODEL, turned)
    seen = move_of(MODEL, fit, shape, found_at(MODEL, turned, mouthSmileLeft=rise), rise)
    np.testing.assert_allclose(seen, MODEL.landmark_moves[shape], atol=1e-6)


def test_invariance_sides_move_alike() -> None:
    shape, mirror = MODEL.index("browDownLeft"), landmark_mirror()
    np.testing.assert_array_equal(mirror[mirror], np.arange(468))
    seen = np.random.default_rng(0).normal(size=(468, 2))
    moves = mean_moves(MODEL, mirror, iter([(shape, seen)]))
    other = mirror_order(MODEL.names)[shape]
    np.testing.assert_allclose(moves[other], seen[mirror] * (-1, 1), atol=1e-6)
    jaw = MODEL.index("jawOpen")  # nothing was seen of it
    np.testing.assert_array_equal(moves[jaw], MODEL.expressions[jaw][MODEL.landmark_vertex, :2])


def test_golden_the_shipped_moves_are_damped() -> None:
    own = MODEL.expressions[:, MODEL.landmark_vertex, :2]
    for name in ("jawOpen", "mouthSmileLeft", "noseSneerRight", "browDownLeft"):
        k = MODEL.index(name)
        share = (own[k] * MODEL.landmark_moves[k]).sum() / (own[k] ** 2).sum()
        assert 0.25 < share < 0.95


def test_invariance_the_mesh_is_drawn_with_its_own_motion() -> None:
    still = replace(MODEL, landmark_moves=np.zeros_like(MODEL.landmark_moves))
    levels = np.full(len(MODEL.names), 0.3)
    none = np.zeros(len(MODEL.identities))
    np.testing.assert_array_equal(still.shape(none, levels), MODEL.shape(none, levels))
