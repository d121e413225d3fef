from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emogan_core.face_model.mesh import Grid, draw, vertex_normals


def blob(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Random triangles over a 20 x 16 grid, some of them turned away."""
    rng = np.random.default_rng(seed)
    vertices = np.column_stack([rng.uniform(-3, 23, 40), rng.uniform(-3, 19, 40), rng.uniform(0, 10, 40)])
    return vertices, np.array([rng.choice(40, 3, replace=False) for _ in range(30)])


def reference(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], grid: Grid, both: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Triangle (-1 for none) and depth of each cell, one cell and one triangle at a time."""
    triangle = np.full(grid.shape, -1)
    depth = np.full(grid.shape, -np.inf)
    for index, (a, b, c) in enumerate(vertices[triangles]):
        twice = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if not both and twice >= 0:
            continue
        for row in range(grid.height):
            for column in range(grid.width):
                x, y = grid.left + (column + 0.5) * grid.step, grid.top + (row + 0.5) * grid.step
                u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / twice
                v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / twice
                near = u * a[2] + v * b[2] + (1 - u - v) * c[2]
                if min(u, v, 1 - u - v) >= 0 and near > depth[row, column]:
                    triangle[row, column], depth[row, column] = index, near
    return triangle, depth


def test_golden_drawing_equals_a_loop_over_cells() -> None:
    for seed, both, grid in ((0, False, Grid(0, 0, 20, 16)), (1, True, Grid(-2, 1, 30, 12, 0.7))):
        vertices, triangles = blob(seed)
        drawing = draw(vertices, triangles, grid, both=both)
        triangle, depth = reference(vertices, triangles, grid, both)
        assert np.array_equal(drawing.filled(drawing.triangle, -1), triangle)
        assert np.allclose(drawing.filled(drawing.depth, 0), np.where(triangle < 0, 0, depth), atol=1e-4)


def test_invariance_each_cell_is_drawn_once_and_weights_sum_to_one() -> None:
    vertices, triangles = blob()
    drawing = draw(vertices, triangles, Grid(0, 0, 20, 16))
    assert len(np.unique(drawing.cell)) == len(drawing.cell) > 50
    assert np.allclose(drawing.weights.sum(1), 1, atol=1e-4)
    assert drawing.weights.min() > -1e-3


def test_golden_values_at_cells_are_linear_in_place() -> None:
    vertices, triangles = blob()
    drawing = draw(vertices, triangles, Grid(0, 0, 20, 16))
    places = drawing.values(vertices[:, :2])
    rows, columns = np.divmod(drawing.cell, 20)
    assert np.allclose(places, np.column_stack([columns, rows]) + 0.5, atol=1e-3)


def test_shape_nothing_to_draw() -> None:
    vertices, triangles = blob()
    drawing = draw(vertices + 1000, triangles, Grid(0, 0, 20, 16))
    assert len(drawing.cell) == 0
    assert not drawing.covered().any()


def test_shape_only_wanted_cells() -> None:
    vertices, triangles = blob()
    drawing = draw(vertices, triangles, Grid(0, 0, 20, 16))
    wanted = np.zeros((16, 20), dtype=bool)
    wanted[:8] = True
    assert np.array_equal(drawing.where(wanted).covered(), drawing.covered() & wanted)


def test_invariance_no_gaps_along_shared_edges() -> None:
    corners = np.array([[0.0, 0, 0], [20, 0, 0], [20, 16, 0], [0, 16, 0], [7.3, 9.1, 0]])
    triangles = np.array([[1, 0, 4], [2, 1, 4], [3, 2, 4], [0, 3, 4]])
    assert draw(corners, triangles, Grid(0, 0, 20, 16)).covered().all()


def test_golden_normals_of_a_sphere_point_outwards() -> None:
    rng = np.random.default_rng(0)
    from scipy.spatial import ConvexHull

    points = rng.normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    hull = ConvexHull(points)
    triangles = hull.simplices.copy()
    a, b, c = (points[triangles[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * hull.equations[:, :3]).sum(1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    normals = vertex_normals(points * (1, -1, 1), triangles)
    assert ((normals * points * (1, -1, 1)).sum(1) > 0.9).all()
