"""Face sets, expression axes and editing along them."""

from .axes import REFERENCE, ExpressionAxes, ExpressionAxis, moving_axis, shape_axis
from .axes_file import load_axes, save_axes
from .calibration import intensity_to_reach, read_eta
from .editing import LIMIT, apply_expressions, checked_intensity, copy_expression, level_of, move_latent
from .face_sets import FaceSet, read_face_set
from .fit import FitConfig, Origin, fit_expressions
from .labelled import LabelledLatents, Skipped, code_file, label_latents, label_photos, readable
from .prototypes import NAMED, PROTOTYPES, prototype
from .reading import Reading, read_expression, reading_of
from .steps import StepConfig
from .tables import Mirror

__all__ = [
    "LIMIT",
    "NAMED",
    "PROTOTYPES",
    "REFERENCE",
    "ExpressionAxes",
    "ExpressionAxis",
    "FaceSet",
    "FitConfig",
    "LabelledLatents",
    "Mirror",
    "Origin",
    "Reading",
    "Skipped",
    "StepConfig",
    "apply_expressions",
    "checked_intensity",
    "code_file",
    "copy_expression",
    "fit_expressions",
    "intensity_to_reach",
    "label_latents",
    "label_photos",
    "level_of",
    "load_axes",
    "move_latent",
    "moving_axis",
    "prototype",
    "read_eta",
    "read_expression",
    "read_face_set",
    "readable",
    "reading_of",
    "save_axes",
    "shape_axis",
]
