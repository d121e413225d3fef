"""Face sets, expression axes and editing along them."""

from .axes import REFERENCE, ExpressionAxes, ExpressionAxis, moving_axis, shape_axis
from .axes_file import load_axes, save_axes
from .calibration import read_eta
from .combining import inversion_after, join_edits, share_of_edit
from .driving import drive_expression, most_neutral
from .editing import LIMIT, apply_expressions, checked_intensity, copy_expression, level_of, move_latent
from .face_sets import FaceSet, read_face_set
from .fit import FitConfig, Origin, fit_expressions, fit_labelled
from .fit_choices import FIT_COVARIANCES, FIT_FAMILIES, expect_fittable, expect_held, expect_unlabelled, fit_config
from .from_samples import SampleFit, fit_samples, sample_lines, sample_report
from .keyframes import EASINGS, Keyframe, intensities_at, parse_keyframes
from .label_folders import pictures_by_label
from .label_words import read_labels
from .labelled import LabelledLatents, Skipped, code_file, label_latents, label_photos, readable
from .presets import add_intensities, builtin_presets, load_preset, parse_intensities, save_preset, scale_intensities
from .prototypes import NAMED, PROTOTYPES, prototype
from .reading import Reading, read_expression, reading_lines, reading_of
from .sample_file import SampleFolder, SampleTable
from .samples import SampleConfig, SampleShare, read_samples, sample_folder
from .spelling import spelled_as_known
from .steps import StepConfig
from .tables import Mirror

__all__ = [
    "EASINGS",
    "FIT_COVARIANCES",
    "FIT_FAMILIES",
    "LIMIT",
    "NAMED",
    "PROTOTYPES",
    "REFERENCE",
    "ExpressionAxes",
    "ExpressionAxis",
    "FaceSet",
    "FitConfig",
    "Keyframe",
    "LabelledLatents",
    "Mirror",
    "Origin",
    "Reading",
    "SampleConfig",
    "SampleFit",
    "SampleFolder",
    "SampleShare",
    "SampleTable",
    "Skipped",
    "StepConfig",
    "add_intensities",
    "apply_expressions",
    "builtin_presets",
    "checked_intensity",
    "code_file",
    "copy_expression",
    "drive_expression",
    "expect_fittable",
    "expect_held",
    "expect_unlabelled",
    "fit_config",
    "fit_expressions",
    "fit_labelled",
    "fit_samples",
    "intensities_at",
    "inversion_after",
    "join_edits",
    "label_latents",
    "label_photos",
    "level_of",
    "load_axes",
    "load_preset",
    "most_neutral",
    "move_latent",
    "moving_axis",
    "parse_intensities",
    "parse_keyframes",
    "pictures_by_label",
    "prototype",
    "read_eta",
    "read_expression",
    "read_face_set",
    "read_labels",
    "read_samples",
    "readable",
    "reading_lines",
    "reading_of",
    "sample_folder",
    "sample_lines",
    "sample_report",
    "save_axes",
    "save_preset",
    "scale_intensities",
    "shape_axis",
    "share_of_edit",
    "spelled_as_known",
]
