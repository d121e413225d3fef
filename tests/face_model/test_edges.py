"""Edges of a mesh and means over neighbours."""

from __future__ import annotations

import numpy as np

from emogan_core.face_model.edges import edges_of, neighbour_mean

TWO = np.array([[0, 1, 2], [2, 1, 3]])  # two triangles that share an edge


def test_shape_every_triangle_gives_its_three_edges() -> None:
    assert sorted(map(tuple, np.sort(edges_of(TWO), 1))) == [(0, 1), (0, 2), (1, 2), (1, 2), (1, 3), (2, 3)]


def test_golden_means_over_neighbours_count_each_once() -> None:
    mean = neighbour_mean(TWO, 5)
    np.testing.assert_allclose(mean @ np.array([0.0, 3.0, 6.0, 9.0, 7.0]), [4.5, 5.0, 4.0, 4.5, 0.0])
