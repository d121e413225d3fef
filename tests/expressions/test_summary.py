"""What is told about axes: parts, examples, and what was left out."""

from __future__ import annotations

from dataclasses import replace

import torch

from emogan_core.expressions import ExpressionAxes, load_axes, shape_axis
from emogan_core.expressions.axes import moving_axis
from emogan_core.expressions.summary import axes_lines, facts_of
from emogan_core.face_model import load_face_model


def test_golden_lines_of_every_kind_of_axis() -> None:
    shipped = replace(load_axes("builtin")["happiness"], family="binary", cosine_low=1.0, unit_low=1.0, unit_high=1.0)
    known = replace(shipped, n_expression=7, auc=0.9, auc_low=0.8, auc_high=0.95, experimental=False)
    step = torch.full((len(load_face_model().names),), 0.5)
    axes = ExpressionAxes(
        axes=(
            replace(known, name="a"),
            replace(known, name="b", experimental=True, coefficients=torch.zeros(0)),
            moving_axis("c", step, source="set by hand"),
            replace(moving_axis("d", step, source="labelled pictures"), n_expression=12),
        ),
        fingerprint="f" * 64,
        left_out={"e": 3},
    )
    assert axes_lines(axes) == [
        "a: 7 examples, AUC 0.90 (0.80 to 0.95)",
        "b: 7 examples, AUC 0.90 (0.80 to 0.95), experimental, moves no photos",
        "c: moves photos; set by hand",
        "d: 12 examples, moves photos; too few for what the generator draws",
        "e: left out, 3 examples are too few",
    ]
    assert facts_of(axes["c"])["moves"] == ["face model"]
    assert facts_of(axes["b"])["experimental"] is True


def test_golden_an_axis_named_like_a_shape_is_told() -> None:
    step = torch.full((len(load_face_model().names),), 0.5)
    axes = ExpressionAxes((moving_axis("Jaw_Open", step, source=""), shape_axis("mouthSmile")), fingerprint="")
    assert axes_lines(axes)[2:] == [
        "Jaw_Open: wherever these axes are used, this name means the expression, not the face model's shape jawOpen"
    ]
    assert facts_of(axes["Jaw_Open"])["instead_of_shape"] == "jawOpen"
    assert "instead_of_shape" not in facts_of(axes["mouthSmile"])
