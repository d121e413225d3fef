"""The shortest step in latent space that changes readouts by given amounts."""

from __future__ import annotations

import numpy as np

from .designs import Array


def least_motion(metric: Array, readouts: Array, targets: Array) -> Array:
    """The shortest step in the metric that changes each readout by its target.

    Minimises step' metric^-1 step subject to readouts' step = targets, in closed form:
    step = M B (B' M B)^-1 t. M = identity gives the readout's own normal; M = a covariance of latents prefers directions
    of large variance. Readouts with target 0 do not change at all.

    Convention: metric [d, d]; readouts [d, m], linearly independent; targets [m]; returns [d].
    Raises: ValueError when a readout does not change in this metric, or the readouts are linearly dependent in it.
    """
    moved = metric @ readouts  # [d, m]
    gram = readouts.T @ moved  # [m, m]
    if not (np.diag(gram) > 0.0).all():
        raise ValueError("a readout does not move in this metric at all")
    if np.linalg.cond(gram / np.sqrt(np.outer(np.diag(gram), np.diag(gram)))) > 1e10:
        raise ValueError("the readouts depend on each other in this metric; drop one of them")
    return np.asarray(moved @ np.linalg.solve(gram, targets), dtype=np.float64)
