"""Smoothing a clip's landmarks: noise goes, movement stays, and nothing lags."""

from __future__ import annotations

import numpy as np
import pytest
from placed_faces import found_at, upright_pose

from emogan_core.errors import ShapeError
from emogan_core.face_model import Pose, load_face_model
from emogan_core.face_model.smoothing import smoothed

MODEL = load_face_model()
FRAMES = 24
BLINK = {11: 0.5, 12: 1.0, 13: 0.5}


def clip(*, moving: float, smile: float = 0.0, blink: bool = False) -> list[np.ndarray]:
    """Landmarks of a head that sways and turns by up to `moving` px and a hundredth of that in radians."""
    places = []
    for frame in range(FRAMES):
        phase = 2 * np.pi * frame / FRAMES
        turn = 0.01 * moving * np.sin(phase)
        rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        pose = Pose(20.0, rotation, np.array([400 + moving * np.sin(phase), 300 + moving * np.cos(phase)]))
        level = smile * frame / FRAMES
        shut = BLINK.get(frame, 0.0) if blink else 0.0
        places.append(
            found_at(MODEL, pose, mouthSmileLeft=level, mouthSmileRight=level, eyeBlinkLeft=shut, eyeBlinkRight=shut)
        )
    return places


def noisy(places: list[np.ndarray], level: float, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [place + rng.normal(0, level, place.shape) for place in places]


def away(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean([(a - b) ** 2 for a, b in zip(one, other, strict=True)])))


def test_golden_noise_goes_by_more_than_half() -> None:
    still = [found_at(MODEL, upright_pose(scale=20.0, middle=(400.0, 300.0)))] * FRAMES
    came = noisy(still, 0.5)
    assert away(smoothed(came, range(FRAMES), 2.0), still) < 0.6 * away(came, still)
    assert away(smoothed(came, range(FRAMES), 4.0), still) < 0.45 * away(came, still)


def test_invariance_a_head_that_moves_is_not_held_back() -> None:
    places = clip(moving=20.0, smile=0.8)
    assert away(smoothed(places, range(FRAMES), 2.0), places) < 0.1
    came = noisy(places, 0.5)
    assert away(smoothed(came, range(FRAMES), 2.0), places) < 0.7 * away(came, places)


def test_golden_a_blink_stays() -> None:
    places = clip(moving=0.0, blink=True)
    came = noisy(places, 0.2)
    upper, lower = 159, 145
    calm = smoothed(came, range(FRAMES), 3.0)
    gaps = [place[lower, 1] - place[upper, 1] for place in calm]
    true = [place[lower, 1] - place[upper, 1] for place in places]
    assert abs(gaps[12] - true[12]) < 0.1 * (true[0] - true[12])


def test_invariance_gaps_and_order() -> None:
    places, frames = clip(moving=10.0), [*range(6), *range(12, 24)]
    kept = [places[frame] for frame in frames]
    assert away(smoothed(kept, frames, 2.0), kept) < 0.1
    back = smoothed(noisy(places, 0.3)[::-1], range(FRAMES), 2.0)[::-1]
    assert away(back, smoothed(noisy(places, 0.3), range(FRAMES), 2.0)) < 1e-6


def test_invariance_nothing_changes_at_0_or_in_three_frames() -> None:
    places = noisy(clip(moving=5.0), 0.5)
    assert all(one is other for one, other in zip(smoothed(places, range(FRAMES), 0.0), places, strict=True))
    assert away(smoothed(places[:3], range(3), 2.0), places[:3]) == 0


@pytest.mark.parametrize(("frames", "strength"), [(range(3), 2.0), (range(FRAMES), -1.0), (range(FRAMES), np.nan)])
def test_error_sentences(frames: range, strength: float) -> None:
    with pytest.raises(ShapeError, match="give as many"):
        smoothed(clip(moving=0.0), frames, strength)
