from __future__ import annotations

import numpy as np
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.move import move_face
from emogan_core.compose.outline import with_outline
from emogan_core.face_model.mesh import Grid
from emogan_core.images import Photo

GRID = Grid(0, 0, SIDE // 2, SIDE // 2, 2)
CHEEKS, CHIN, NOSE = (132, 361), 152, 4  # on the outline, and in the middle


def held(motion: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A motion that is the same everywhere, with the outline held, and the landmarks' cells."""
    _, fit = tiny_face()
    field = np.broadcast_to(np.array(motion, dtype=np.float32), (*GRID.shape, 2))
    return with_outline(field, fit, GRID), GRID.cells(fit.landmarks).astype(int)


def test_golden_cheeks_hardly_move_sideways_where_they_end() -> None:
    field, cells = held((3.0, 0.0))
    for column, row in cells[list(CHEEKS)]:
        assert 0 < field[row, column, 0] < 1.6
    assert field[cells[NOSE][1], cells[NOSE][0], 0] == 3


def test_golden_a_chin_goes_down_with_its_outline() -> None:
    field, cells = held((0.0, -3.0))
    assert field[cells[CHIN][1], cells[CHIN][0], 1] < -2.8


def test_invariance_a_face_at_rest_stays() -> None:
    assert not held((0.0, 0.0))[0].any()


def test_golden_a_smirk_does_not_widen_the_jaw() -> None:
    """A line along the jaw's outline stays nearly where it is, while the corner of the mouth moves."""
    model, fit = tiny_face()
    pixels = np.full((SIDE, SIDE, 3), 150, dtype=np.uint8)
    row = int(fit.landmarks[291, 1])
    edge = int(np.interp(row, *fit.landmarks[[454, 323, 361, 288, 397, 365]].T[::-1]))
    pixels[:, edge:] = 60
    moved, _ = move_face(Photo(pixels), model, fit, coefficients_of(model, {"mouthSmileLeft": 1.0}))
    after = float(((moved[row].mean(-1) - 60) / 90).sum())
    assert abs(after - edge) < 0.22 * SCALE  # 0.27 where the outline moves as the cheek does
    far = move_face(tiny_photo(), model, fit, coefficients_of(model, {"mouthSmileLeft": 1.0}))[1]
    assert far[row, int(fit.landmarks[291, 0])] == 1
