"""Reading: what a face shows, alike in a mirror, from neutral to each named expression."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from tiny_faces import coefficients_of, tiny_face

from emogan_core.errors import CheckpointError, FaceError
from emogan_core.expressions import NAMED, load_axes, read_expression, reading_of
from emogan_core.expressions.prototypes import PROTOTYPES, SHAPES_OF_UNIT, UNITS, levels, prototype
from emogan_core.expressions.reading import READ, Reading, _read, features_of
from emogan_core.face_model import load_face_model
from emogan_core.face_model.names import mirror_order
from emogan_core.images import Photo, open_photo
from emogan_core.weights import builtin_path


def fit_with(coefficients):
    _, fit = tiny_face()
    return replace(fit, coefficients=coefficients)


def test_golden_a_face_without_expression_is_neutral():
    reading = reading_of(fit_with(np.zeros(len(load_face_model().names))))
    assert reading.expression == "neutral"
    assert sum(reading.probabilities.values()) == pytest.approx(1.0)
    assert tuple(reading.probabilities) == READ
    assert set(reading.coefficients.values()) == {0.0}


@pytest.mark.parametrize("name", NAMED)
def test_golden_every_axis_reads_as_its_name(name):
    reading = reading_of(fit_with(load_axes()[name].coefficients.double().numpy()))
    assert reading.expression == name, reading.probabilities


@pytest.mark.parametrize("name", NAMED)
def test_invariance_a_mirrored_face_reads_the_same(name):
    model = load_face_model()
    step = load_axes()[name].coefficients.double().numpy()
    mirrored = step[mirror_order(model.names)]
    assert (name == "contempt") == (not np.allclose(step, mirrored))
    np.testing.assert_allclose(features_of(step), features_of(mirrored), atol=1e-7)


def test_golden_pose_and_misfit_are_the_fits_own():
    _, fit = tiny_face()
    reading = reading_of(replace(fit, error_cm=0.07))
    assert (reading.yaw_deg, reading.pitch_deg, reading.roll_deg) == pytest.approx((0.0, 0.0, 0.0))
    assert reading.error_cm == 0.07
    assert len(fields(Reading)) == 6


def test_golden_a_composite_is_read_as_neutral():
    reading = read_expression(open_photo(builtin_path("examples/composite_f_multi.jpg")))
    assert reading.expression == "neutral", reading.probabilities
    assert abs(reading.yaw_deg) < 10
    assert reading.error_cm < 0.2


@pytest.mark.slow
def test_error_photo_without_a_face():
    with pytest.raises(FaceError):
        read_expression(Photo(np.full((120, 120, 3), 90, dtype=np.uint8)))


def test_error_another_file():
    with pytest.raises(CheckpointError, match="is no expression readout"):
        _read(builtin_path("axes.safetensors"))


def test_shape_prototypes_are_what_muscles_can_do():
    model = load_face_model()
    assert set(PROTOTYPES) == set(NAMED) - {"happiness"}
    assert set(UNITS) == set(NAMED)
    for name in PROTOTYPES:
        step = prototype(name)
        assert step.shape == (len(model.names),)
        assert step.min() >= 0
        assert step.max() <= 1
    shapes = {shape for names in SHAPES_OF_UNIT.values() for shape in names}
    assert all(levels({shape: 1.0}).any() for shape in shapes)
    np.testing.assert_array_equal(levels({"jawOpen": 0.5}), coefficients_of(model, {"jawOpen": 0.5}))


@pytest.mark.parametrize("name", PROTOTYPES)
def test_invariance_prototypes_move_what_their_action_units_say(name):
    said = {shape for unit in UNITS[name] for shape in SHAPES_OF_UNIT[unit]}
    bare = {shape.removesuffix("Left") if name == "contempt" else shape for shape in PROTOTYPES[name]}
    heaviest = max(PROTOTYPES[name], key=PROTOTYPES[name].__getitem__)
    assert heaviest.removesuffix("Left") in said
    assert len(bare & said) >= min(3, len(said) - 1)
