"""Statistics on arrays: designs, readout and pattern fits, covariance geometry, least motion; no torch, no files."""

from .designs import Array, Index, absorb, group_index, one_hot, standardise
from .diagnostics import FitWarning, Flags, auc_with_interval
from .geometry import covariance, inverse_root, within_covariance
from .pattern import PatternFit, fit_pattern
from .readout import ReadoutConfig, ReadoutFit, fit_readout, fit_slope, group_folds
from .step import least_motion

__all__ = [
    "Array",
    "FitWarning",
    "Flags",
    "Index",
    "PatternFit",
    "ReadoutConfig",
    "ReadoutFit",
    "absorb",
    "auc_with_interval",
    "covariance",
    "fit_pattern",
    "fit_readout",
    "fit_slope",
    "group_folds",
    "group_index",
    "inverse_root",
    "least_motion",
    "one_hot",
    "standardise",
    "within_covariance",
]
