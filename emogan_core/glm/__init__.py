"""Statistics on arrays: designs, readout and pattern fits, covariance geometry, least motion; no torch, no files."""

from .designs import Array, Index, absorb, deal_groups, group_index, one_hot, standardise
from .diagnostics import FitWarning, Flags, auc_with_interval
from .geometry import Shrinkage, covariance, inverse_root, within_covariance
from .pattern import PatternFit, fit_pattern
from .readout import ReadoutConfig, ReadoutFit, fit_readout, fit_slope
from .step import least_motion
from .toy import Toy, toy

__all__ = [
    "Array",
    "FitWarning",
    "Flags",
    "Index",
    "PatternFit",
    "ReadoutConfig",
    "ReadoutFit",
    "Shrinkage",
    "Toy",
    "absorb",
    "auc_with_interval",
    "covariance",
    "deal_groups",
    "fit_pattern",
    "fit_readout",
    "fit_slope",
    "group_index",
    "inverse_root",
    "least_motion",
    "one_hot",
    "standardise",
    "toy",
    "within_covariance",
]
