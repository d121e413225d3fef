from __future__ import annotations

import numpy as np
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.motion import coarse_field, opening_patch, seen_sources, without_stillness
from emogan_core.compose.openings import MOUTH, PLACES, aligned, fitted, sides
from emogan_core.face_model.mesh import Grid


def test_invariance_a_mesh_at_rest_moves_nothing() -> None:
    model, fit = tiny_face()
    vertices = fit.vertices(model)
    skin = model.triangles[model.triangle_part <= 1]
    field = coarse_field(model, vertices, vertices[:, :2], np.zeros(len(vertices)), skin, Grid(0, 0, 88, 88, 2), SCALE)
    assert not field.any()


def test_golden_field_points_to_where_the_skin_was_and_fades_beyond_the_head() -> None:
    model, fit = tiny_face()
    vertices = fit.vertices(model)
    moved = vertices + np.array([3.0, -2.0, 0.0])
    skin = model.triangles[model.triangle_part <= 1]
    field = coarse_field(
        model, moved, vertices[:, :2], np.zeros(len(vertices)), skin, Grid(-100, -100, 188, 188, 2), SCALE
    )
    column, row = ((fit.landmarks[4] + 100) / 2).astype(int)
    assert np.allclose(field[row, column, :2], (-3, 2), atol=0.1)
    assert not field[0].any()


def test_golden_hidden_lips_take_pixels_of_their_own_lip() -> None:
    model, fit = tiny_face()
    raw = fit.vertices(model)
    openings = tuple(fitted(model, fit, raw, raw, place, tiny_photo().pixels) for place in PLACES)
    before = aligned(model, fit, raw, raw, openings)[0]
    sources = seen_sources(model, before, SCALE, openings)
    assert (sources.deep > 0).any()
    assert not sources.deep[model.landmark_vertex[[0, 17, 50, 280]]].any()
    assert np.array_equal(sources.places[model.landmark_vertex[50]], before[model.landmark_vertex[50], :2])


def test_golden_openings_lie_on_the_photos_edges() -> None:
    model, fit = tiny_face({"jawOpen": 0.4})
    raw = fit.vertices(model)
    neutral = tiny_face()[1].vertices(model)
    opening = fitted(model, fit, raw, neutral, MOUTH, tiny_photo().pixels)
    before = aligned(model, fit, raw, raw, (opening,))[0]
    again = fitted(model, fit, before, neutral, MOUTH, tiny_photo().pixels)
    middle = slice(6, -6)
    assert np.abs(again.mesh.upper - opening.photo.upper)[middle].max() < 1.3
    assert np.abs(again.mesh.lower - opening.photo.lower)[middle].max() < 1.3


def test_golden_lips_that_close_on_the_mesh_close_in_the_photo() -> None:
    model, fit = tiny_face({"jawOpen": 0.4})
    raw, neutral = fit.vertices(model), tiny_face()[1].vertices(model)
    opening = fitted(model, fit, raw, neutral, MOUTH, tiny_photo().pixels)
    moved = aligned(model, fit, raw, neutral, (opening,))[2][0]
    assert opening.photo.gap.max() > 0.5 * SCALE
    assert moved.edges.gap.max() < 0.05 * SCALE


def test_shape_a_patch_knows_how_much_is_skin() -> None:
    model, fit = tiny_face()
    vertices = fit.vertices(model, coefficients_of(model, {"jawOpen": 0.6}))
    skin = model.triangles[model.triangle_part <= 1]
    below = sides(model, MOUTH)[0]
    patch = opening_patch(vertices, vertices[:, :2], below, skin, Grid(0, 0, SIDE, SIDE), scale=SCALE)
    column, row = ((fit.landmarks[13] + fit.landmarks[14]) / 2 + (0, 5)).astype(int)
    assert patch.skin[row, column] == 0
    column, row = fit.landmarks[4].astype(int)
    assert patch.skin[row, column] == 1


def test_invariance_what_hardly_moves_stands_still() -> None:
    field = np.array([[[0.02, 0.0], [0.0, 1.0]]], dtype=np.float32)
    assert np.allclose(without_stillness(field), [[[0, 0], [0, 0.97]]])


def test_invariance_lips_move_in_a_large_photo_as_in_a_small_one() -> None:
    """In cells of several pixels, where a mesh drawn at every pixel shows its facets and folds."""
    model, fit = tiny_face()
    skin = model.triangles[model.triangle_part <= 1]
    before, after = (fit.vertices(model, coefficients_of(model, named)) for named in ({}, {"mouthSmile": 1.0}))
    below = sides(model, MOUTH)[0]
    corner, size, large = np.floor(fit.landmarks[13] - 4 * SCALE), int(8 * SCALE), 12
    grids = [Grid(*(corner * k), size * k, size * k) for k in (4, large)]  # as a photo of 700 px, and one of 2100
    small, big = (
        opening_patch(after * k, before[:, :2] * k, below, skin, grid, scale=SCALE * k, step=step)
        for k, grid, step in ((4, grids[0], 1), (large, grids[1], 3))
    )
    assert big.field.shape == (size * large, size * large, 2)
    fields = small.field / 4, big.field.reshape(size * 4, 3, size * 4, 3, 2).mean((1, 3)) / large
    apart = np.linalg.norm(fields[0] - fields[1], axis=-1)
    assert np.quantile(apart, 0.99) < 0.05
    skins = small.skin, big.skin.reshape(size * 4, 3, size * 4, 3).mean((1, 3))
    assert np.abs(skins[0] - skins[1]).mean() < 0.01
    for axis in (0, 1):  # off the seam no facet and no fold bends the motion
        bends = np.abs(np.diff(big.field, 2, axis=axis)).max(-1)
        assert np.quantile(bends, 0.99) < 0.1


def test_golden_lips_that_slide_over_each_other_pass_into_each_other_softly() -> None:
    model, fit = tiny_face()
    skin, below, k = model.triangles[model.triangle_part <= 1], sides(model, MOUTH)[0], 4
    before, after = (
        fit.vertices(model, coefficients_of(model, named)) * k
        for named in ({}, {"mouthShrugLower": 0.6, "mouthFrown": 0.9})
    )
    corner, size = np.floor(fit.landmarks[13] - 4 * SCALE) * k, int(8 * SCALE) * k
    patch = opening_patch(after, before[:, :2], below, skin, Grid(*corner, size, size), scale=SCALE * k)
    middle = patch.seam[:, 1] == size // 2
    rows = patch.seam[middle, 0]
    assert 0.08 < len(rows) / (SCALE * k) < 0.3  # cm: as wide as the line between lips at rest, and no wider
    assert patch.share[middle].max() <= 0.5
    order = np.argsort(rows)
    share = patch.share[middle][order]
    peak = int(share.argmax())
    assert (np.diff(share[: peak + 1]) >= -1e-3).all()
    assert (np.diff(share[peak + 1 :]) <= 1e-3).all()
