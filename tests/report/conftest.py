"""A report on two axes of the tiny generator, one of them with a name that is no name; reading faces is played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from played_readings import CURVES, SLY, played_composites, played_reading
from tiny_models import axis

from emogan_core.expressions import ExpressionAxes, moving_axis
from emogan_core.face_model import load_face_model
from emogan_core.networks import Generator
from emogan_core.report import AxesReport, report_axes


@pytest.fixture(scope="session")
def axes(tiny: Generator) -> ExpressionAxes:
    happiness = replace(
        axis("happiness", tiny),
        validation=CURVES,
        n_expression=40,
        n_neutral=60,
        n_people=40,
        n_people_both=0,
        auc_low=0.4,
        auc=0.5,
    )
    happiness = replace(happiness, covariates=("yaw_deg",), covariate_drift=(0.25,), notes=("a <b>note</b>",))
    step = torch.zeros(len(load_face_model().names))
    step[0] = 1.0
    return ExpressionAxes(
        (happiness, replace(axis(SLY, tiny), link="identity"), moving_axis("brow", step, source="by hand")),
        tiny.fingerprint,
        left_out={"<i>fear</i>": 3},
    )


@pytest.fixture(scope="session")
def played() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emogan_core.report.measure.read_picture", played_reading)
        patch.setattr("emogan_core.report.gather.composites", played_composites)
        yield


@pytest.fixture(scope="session")
def report(tiny: Generator, axes: ExpressionAxes, played: None) -> AxesReport:
    return report_axes(axes, tiny)
