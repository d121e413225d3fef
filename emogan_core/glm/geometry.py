"""Covariances of latents, and the square roots that whiten them."""

from __future__ import annotations

import numpy as np

from .designs import Array, Index, group_means


def covariance(X: Array) -> Array:
    """Covariance about the mean, shrunk towards a multiple of the identity.

    Convention: X [n, d]; returns [d, d].
    Source: Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices".
    """
    from sklearn.covariance import ledoit_wolf  # slow to import, and only fits need it

    return np.asarray(ledoit_wolf(X)[0], dtype=np.float64)


def within_covariance(X: Array, groups: Index) -> Array:
    """Covariance about group means: how codes vary within a group (a person).

    Groups of one are left out; degrees of freedom are n - g over the others.

    Convention: X [n, d]; returns [d, d].
    Raises: ValueError when no group has two rows.
    """
    means, size = group_means(X, groups, np.ones(len(X)))
    repeated = size[groups] > 1
    if not repeated.any():
        raise ValueError("every group has one row; a within-group covariance needs groups of two or more")
    residual = (X - means[groups])[repeated]
    freedom = len(residual) - int(np.count_nonzero(size > 1))
    return covariance(residual) * (len(residual) / freedom)


def inverse_root(M: Array) -> Array:
    """The symmetric R with R M R = 1; directions below 1e-10 of the largest variance are treated as that.

    Convention: M [d, d] symmetric, positive semidefinite; returns [d, d].
    """
    values, vectors = np.linalg.eigh((M + M.T) / 2.0)
    floor = max(float(values[-1]) * 1e-10, np.finfo(float).tiny)
    return np.asarray((vectors / np.sqrt(np.maximum(values, floor))) @ vectors.T, dtype=np.float64)


def group_readouts(X: Array, groups: Index, count: int) -> Array:
    """The readouts that best tell groups (people) apart: linear discriminants, the most telling first.

    Convention: X [n, d]; returns [d, m], m = count or fewer where there are fewer groups of two or more.
    Raises: ValueError when no group has two rows.
    """
    means, size = group_means(X, groups, np.ones(len(X)))
    repeated = means[size > 1]
    root = inverse_root(within_covariance(X, groups))
    between = (repeated - repeated.mean(axis=0)) @ root
    most = min(count, len(repeated) - 1)
    return np.asarray(root @ np.linalg.svd(between, full_matrices=False)[2][:most].T)
