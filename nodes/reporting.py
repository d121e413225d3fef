"""The node that shows what axes do."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from ..emogan_core import (
    REPORT_FACES,
    SHOWN_BYTES,
    AxesReport,
    ExpressionAxes,
    axes_lines,
    need_to_draw,
    report_axes,
    report_pictures,
)
from . import host
from .face_sets import words_of
from .pictures import image_of_photo
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, GeneratorSocket, HeldGenerator


class ShowAxes(io.ComfyNode):
    """The core's report_axes, a picture for each axis."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_ShowAxes",
            display_name="Show Expression Axes (EmotionGAN)",
            category=CATEGORY,
            description="Shows what axes do before they are used: faces from -2 to +2, how well each expression is told apart, what "
            "else changes along with it (pose, identity, skin, other expressions), and warnings in words.",
            search_aliases=["axes report", "expression report", "direction report", "confounds", "roc", "calibration"],
            is_output_node=True,
            inputs=[
                AxesSocket.Input("axes", tooltip="From Load Expression Axes or Fit Expression GLM."),
                io.String.Input(
                    "expressions",
                    default="",
                    tooltip="Which axes to show, by comma; empty shows all of them. Each takes some seconds.",
                ),
                GeneratorSocket.Input(
                    "generator",
                    optional=True,
                    tooltip="The one that the axes were fitted on; without it nothing is drawn, and what else changes is not "
                    "measured.",
                ),
            ],
            outputs=[
                io.Image.Output("picture", tooltip="One picture for each axis: strips of faces, charts and words."),
                io.String.Output("report", tooltip="What is known of each axis, and the warnings."),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls, axes: ExpressionAxes, expressions: str = "", generator: HeldGenerator | None = None
    ) -> io.NodeOutput:
        names, progress = words_of(expressions), host.progress()
        if generator is None:
            report = report_axes(axes, expressions=names, progress=progress)
        else:
            need = need_to_draw(generator.generator.spec, device=host.device_of(generator))
            report = host.at_work(
                generator,
                lambda network: report_axes(axes, network, expressions=names, progress=progress),
                bytes_needed=need.peak(REPORT_FACES, most=SHOWN_BYTES),
            )
        picture = host.outgoing(torch.cat([image_of_photo(one) for one in report_pictures(report)]))
        return io.NodeOutput(picture, _told(axes, report), ui=ui.PreviewImage(picture, cls=cls))


def _told(axes: ExpressionAxes, report: AxesReport) -> str:
    warned = [f"{one.axis.name}: {warning}" for one in report.axes for warning in one.warnings]
    return "\n".join([*axes_lines(axes), *report.notes, *warned])
