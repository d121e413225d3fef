"""The face model fitted to one face in the frames of a clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .fit import FaceFit, fit_face_of, fit_person
from .model import FaceModel
from .smoothing import smoothed

PERSON_FRAMES = 9
"""From how many frames, spread over a clip, its person is fitted."""


def fit_frames(
    model: FaceModel,
    landmarks: Sequence[NDArray[np.float64]],
    frames: Sequence[int],
    *,
    smoothing: float,
    after_each: Callable[[int], None] = lambda done: None,
) -> tuple[FaceFit, ...]:
    """The face model fitted to one face in frames of a clip: one person, and no jitter.

    The person is fitted to frames spread over the clip, jointly; then pose and expression to every frame's smoothed
    landmarks. Pose, coefficients, landmarks and residual are so smooth as the landmarks are.

    Convention: landmarks, frames and smoothing as in `smoothed`; `after_each` is told how many frames are done.
    Raises: as `smoothed` and `fit_face`.
    """
    places = smoothed(landmarks, frames, smoothing)
    chosen = np.unique(np.linspace(0, len(places) - 1, min(PERSON_FRAMES, len(places))).round().astype(int))
    person = fit_person(model, [places[index] for index in chosen])
    fits = []
    for done, place in enumerate(places, start=1):
        fits.append(fit_face_of(model, person, place))
        after_each(done)
    return tuple(fits)
