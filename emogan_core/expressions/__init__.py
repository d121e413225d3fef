"""Face sets, expression axes and editing along them."""

from .axes import REFERENCE, ExpressionAxes, ExpressionAxis
from .axes_file import load_axes, save_axes
from .calibration import intensity_to_reach, read_eta
from .editing import LIMIT, apply_expressions
from .face_sets import FaceSet, read_face_set
from .fit import FitConfig, Origin, fit_expressions
from .labelled import LabelledLatents, label_latents
from .steps import StepConfig
from .tables import Mirror

__all__ = [
    "LIMIT",
    "REFERENCE",
    "ExpressionAxes",
    "ExpressionAxis",
    "FaceSet",
    "FitConfig",
    "LabelledLatents",
    "Mirror",
    "Origin",
    "StepConfig",
    "apply_expressions",
    "fit_expressions",
    "intensity_to_reach",
    "label_latents",
    "load_axes",
    "read_eta",
    "read_face_set",
    "save_axes",
]
