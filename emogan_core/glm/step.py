"""The step through latent space that reaches wanted readouts with least motion."""

from __future__ import annotations

import numpy as np

from .designs import Array


def least_motion(metric: Array, readouts: Array, targets: Array) -> Array:
    """The shortest step in the metric that changes each readout by its target.

    Minimises step' metric^-1 step subject to readouts' step = targets, in closed form:
    step = M B (B' M B)^-1 t. M = identity follows the readout's own normal; M = a covariance of latents prefers motions
    that are common in it. Readouts with target 0 are held still exactly.

    Convention: metric [d, d]; readouts [d, m], linearly independent; targets [m]; returns [d].
    Raises: ValueError when the readouts depend on each other in this metric.
    """
    moved = metric @ readouts  # [d, m]
    gram = readouts.T @ moved  # [m, m]
    if np.linalg.cond(gram / np.sqrt(np.outer(np.diag(gram), np.diag(gram)))) > 1e10:
        raise ValueError("the readouts depend on each other in this metric; drop one of them")
    return np.asarray(moved @ np.linalg.solve(gram, targets), dtype=np.float64)


def to_readout_step(direction: Array, beta: Array, eta_step: float) -> Array:
    """A direction scaled so that the readout moves by exactly eta_step.

    Raises: ValueError when the readout does not rise along the direction.
    """
    rise = float(beta @ direction)
    if rise <= 1e-9 * float(np.linalg.norm(beta) * np.linalg.norm(direction)):
        raise ValueError("the readout does not rise along this direction; the two fits contradict each other")
    return np.asarray(direction * (eta_step / rise), dtype=np.float64)
