"""Which charts an axis has."""

from __future__ import annotations

from .canvas import FAINT, INK, Drawing, Words
from .charts import HEIGHT, WIDTH, bar_chart, calibration_chart, layer_chart, roc_chart
from .gather import AxisReport
from .words import auc_of

NOT_KEPT = (
    ("No curves were kept with these axes,", "which an earlier version fitted.", "Fit again to see them."),
    "How well it is told apart",
)


def figures_of(one: AxisReport) -> list[Drawing]:
    """The charts of one axis that there is anything in, in the order in which they are read."""
    if not one.axis.has_direction:
        return []
    told = one.axis.validation
    auc = f"{auc_of(one.axis)}; perfect is 1"
    charts = [roc_chart(told, auc=auc) if told.false_rate else _without_curves(auc)]
    if told.rows:
        charts.append(calibration_chart(told))
    if one.changes:
        unit = "in sd of random faces; pale is little"
        charts.append(bar_chart(one.changes, title="What else changes", unit=unit))
    if one.readouts:
        unit = "in sd, or in the other's intensity 1"
        charts.append(bar_chart(one.readouts, title="Other readouts of the code", unit=unit))
    charts.append(layer_chart(one.layers))
    return charts


def _without_curves(auc: str) -> Drawing:
    lines, title = NOT_KEPT
    drawing = Drawing(WIDTH, HEIGHT, title)
    drawing.add(Words(8, 16, title, 13, INK), Words(8, 31, auc, 10))
    drawing.add(*(Words(WIDTH / 2, 110 + 16 * row, line, 11, FAINT, "middle") for row, line in enumerate(lines)))
    return drawing
