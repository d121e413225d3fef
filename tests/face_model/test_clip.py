"""Fits of a clip: one person, whatever the frame, and calm coefficients."""

from __future__ import annotations

import numpy as np
from placed_faces import found_at, upright_pose

from emogan_core.face_model import fit_faces, fit_frames, load_face_model
from emogan_core.face_model.fit import fit_face_of, fit_person

MODEL = load_face_model()
POSE = upright_pose(scale=20.0, middle=(400.0, 300.0))
SMILE = MODEL.index("mouthSmileLeft")


def places(count: int, noise: float) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    levels = np.linspace(0, 0.9, count)
    clean = [found_at(MODEL, POSE, mouthSmileLeft=level, mouthSmileRight=level) for level in levels]
    return [place + rng.normal(0, noise, place.shape) for place in clean]


def test_golden_one_person_and_a_smile_that_rises() -> None:
    told: list[int] = []
    fits = fit_frames(MODEL, places(12, 0.5), range(12), smoothing=2.0, after_each=told.append)
    assert all(np.array_equal(fit.identity, fits[0].identity) for fit in fits)
    smiles = np.array([fit.coefficients[SMILE] for fit in fits])
    assert smiles[0] < 0.1
    assert smiles[-1] > 0.7
    assert told == list(range(1, 13))


def test_invariance_smoothing_calms_coefficients() -> None:
    came = places(12, 0.8)
    rough, calm = (fit_frames(MODEL, came, range(12), smoothing=smoothing) for smoothing in (0.0, 2.0))

    def jumps(fits: tuple) -> float:
        track = np.stack([fit.coefficients for fit in fits])
        return float(np.square(np.diff(track, 3, axis=0)).sum())

    assert jumps(calm) < 0.4 * jumps(rough)


def test_invariance_a_known_person_reads_as_in_the_joint_fit() -> None:
    came = places(4, 0.2)
    together, person = fit_faces(MODEL, came), fit_person(MODEL, came)
    for fit, place in zip(together, came, strict=True):
        alone = fit_face_of(MODEL, person, place)
        assert np.array_equal(alone.identity, fit.identity)
        assert np.abs(alone.coefficients - fit.coefficients).max() < 0.03
