"""What a person looks at before using axes: strips, curves, what else changes, and warnings in words."""

from .gather import AxesReport, AxisReport, report_axes, report_facts
from .measure import REPORT_FACES
from .page import report_page
from .picture import report_picture, report_pictures

__all__ = [
    "REPORT_FACES",
    "AxesReport",
    "AxisReport",
    "report_axes",
    "report_facts",
    "report_page",
    "report_picture",
    "report_pictures",
]
