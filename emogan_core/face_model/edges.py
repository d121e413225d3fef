"""The edges of a triangle mesh, and means over neighbouring vertices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def edges_of(triangles: NDArray[np.integer]) -> NDArray[np.int64]:
    """The edges [3 t, 2] of triangles [t, 3], one way each; those of two triangles twice."""
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)


def neighbour_mean(triangles: NDArray[np.integer], count: int) -> sparse.csr_matrix:
    """[n, n] for n = `count` vertices: times values [n, ...] the mean over each vertex's neighbours; 0 where it has none."""
    edges = edges_of(triangles)
    pairs = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    matrix = sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    total = np.asarray(matrix.sum(1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(total, 1)) @ matrix)
