"""Statistics on arrays: designs, readout and pattern fits, covariance geometry, least motion; no torch, no files."""

from .designs import Array, Index, absorb, group_index, one_hot, standardise
from .diagnostics import FitWarning, Flags, auc_with_interval, concordance
from .families import FAMILIES, RULE, Family, Response, choose_family, read_response
from .folds import group_folds
from .geometry import covariance, group_readouts, inverse_root, within_covariance
from .multinomial import fit_classes
from .pairs import fit_pairs, pair_rows
from .pattern import PatternFit, fit_pattern
from .readout import PENALTIES, ReadoutFit, fit_readout, fit_slope, slopes_of
from .stability import bootstrapped_pattern, cosine_interval, depending_columns, group_draws, unit_interval
from .step import least_motion
from .validation import Validation, calibration, roc

__all__ = [
    "FAMILIES",
    "PENALTIES",
    "RULE",
    "Array",
    "Family",
    "FitWarning",
    "Flags",
    "Index",
    "PatternFit",
    "ReadoutFit",
    "Response",
    "Validation",
    "absorb",
    "auc_with_interval",
    "bootstrapped_pattern",
    "calibration",
    "choose_family",
    "concordance",
    "cosine_interval",
    "covariance",
    "depending_columns",
    "fit_classes",
    "fit_pairs",
    "fit_pattern",
    "fit_readout",
    "fit_slope",
    "group_draws",
    "group_folds",
    "group_index",
    "group_readouts",
    "inverse_root",
    "least_motion",
    "one_hot",
    "pair_rows",
    "read_response",
    "roc",
    "slopes_of",
    "standardise",
    "unit_interval",
    "within_covariance",
]
