"""From what a generator's samples show to raw directions: a pattern and a readout for each score, pose and skin held fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..devices import gradients_off
from ..errors import ExpressionError
from ..glm import (
    Array,
    Validation,
    auc_with_interval,
    calibration,
    covariance,
    fit_pattern,
    inverse_root,
    least_motion,
    roc,
    standardise,
)
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .axes import ExpressionAxis
from .sample_file import SampleTable
from .sample_scores import Score
from .samples import SKIN
from .steps import Model

POSE = ("yaw_deg", "pitch_deg", "roll_deg")
LEAST_SEEN = 200
"""Fewer samples with a face than this fit nothing that would hold for others."""
FOLDS = 5
PENALTIES = tuple(10.0**power for power in np.arange(0.0, 4.5, 0.5))
LEAST_R = 0.2
"""Correlation, over samples that took no part, between a score and its readout, below which the codes do not tell it."""
EXPERIMENTAL_BELOW, EXPERIMENTAL_AUC = 100, 0.6
CLEAR_SHARE = 0.1  # the clearest tenth, held against the lower half


@dataclass(frozen=True, slots=True, eq=False)
class RawAxis:
    """An axis whose direction still has no unit: it is one standard deviation of the codes along itself long.

    Convention: `axis.eta_per_unit` is the readout's rise along that; `correlation` is between score and readout, over
    samples that took no part.
    """

    axis: ExpressionAxis
    score: Score
    correlation: float


def expect_faces(samples: SampleTable, name: str) -> SampleTable:
    """The samples in which a face was seen.

    Raises: ExpressionError when they are too few to fit anything, or all of one code.
    """
    seen = samples.rows(samples.seen)
    told = (
        f"{len(seen)} of {counted(len(samples), 'sample')} of '{name}' {'shows' if len(seen) == 1 else 'show'} a face"
    )
    if not len(seen) or len(seen) < 0.05 * len(samples):
        raise ExpressionError(
            f"{told}; axes are read off drawn faces, so give a generator of faces seen from the front (or, if it is one, "
            "a --psi nearer 0)"
        )
    if len(seen) < LEAST_SEEN:
        raise ExpressionError(
            f"{told}, needed are {LEAST_SEEN} or more; ask for more --samples (some thousands fit well)"
        )
    if not (seen.w.std(0) > 0).any():
        raise ExpressionError(f"{told}, all of them by one code; give another generator, or a --psi further from 0")
    return seen


def covariates_of(samples: SampleTable) -> tuple[tuple[str, ...], Array, tuple[str, ...]]:
    """What is held fixed: the names, values [n, c] standardised, and a sentence for each one that cannot be."""
    columns = np.concatenate([samples.pose_deg, samples.skin], axis=1).astype(np.float64)
    kept: list[int] = []
    notes = []
    for index, name in enumerate((*POSE, *SKIN)):
        left = _without(columns[:, [index]], columns[:, kept])[:, 0]
        if columns[:, index].std() < 1e-9 * max(1.0, float(np.abs(columns[:, index]).max())):
            notes.append(f"{name} is the same in every sample, so it is not held fixed")
        elif left.std() < 1e-4 * columns[:, index].std():
            notes.append(f"{name} follows from the covariates before it, so it is not held fixed twice")
        else:
            kept.append(index)
    return tuple((*POSE, *SKIN)[index] for index in kept), standardise(columns[:, kept]), tuple(notes)


@dataclass(frozen=True, slots=True, eq=False)
class SampleSpace:
    """The codes of samples in which a face is seen, and what is held fixed of them.

    Convention: X [n, d]; `plain` is X less what the covariates [n, c] explain of it, `root` [d, d] the inverse root of
    its covariance.
    """

    X: Array
    names: tuple[str, ...]
    covariates: Array
    notes: tuple[str, ...]
    plain: Array
    root: Array

    @classmethod
    def of(cls, samples: SampleTable) -> SampleSpace:
        """All rows of `samples` are seen."""
        X = samples.w.astype(np.float64)  # [n, w_dim]
        names, covariates, notes = covariates_of(samples)
        plain = _without(X, covariates)
        return cls(X, names, covariates, notes, plain, inverse_root(covariance(plain)))

    def length(self, step: Array) -> float:
        """A step [d] in standard deviations of the codes."""
        return float(np.linalg.norm(self.root @ step))

    def holding(self, step: Array, readout: Array) -> Array:
        """A step [d] less the shortest one that moves a readout [d] as far, so that the readout stays."""
        return np.asarray(step - (readout @ step) * least_motion(self._metric, readout[:, None], np.ones(1)))

    @property
    def _metric(self) -> Array:
        return np.asarray(np.linalg.inv(self.root @ self.root))


def fit_scores(
    space: SampleSpace,
    scores: Sequence[Score],
    *,
    num_ws: int,
    model: Model = "pattern",
    progress: Progress = silent,
) -> tuple[list[RawAxis], dict[str, str]]:
    """One raw axis for every score that the codes tell, and why the others are left out.

    Pattern: the slope of the code on the score, pose and skin held fixed. Readout: the shortest step of the code that moves
    the score's own readout, of codes less what pose and skin explain.
    """
    fitted, left_out = [], {score.name: score.why for score in scores if score.why}
    wanted = [score for score in scores if not score.why]
    for step, score in enumerate(wanted, start=1):
        beta, cross = _readout(space, score)
        values = _without(score.values[:, None], space.covariates)[:, 0]
        correlation = float(np.corrcoef(cross, values)[0, 1]) if cross.std() > 0 else 0.0
        progress(StepReport(step, len(wanted), f"fitting {score.name}"))
        if correlation < LEAST_R:
            left_out[score.name] = f"the codes hardly tell it (correlation {correlation:.2f}, needed {LEAST_R:g})"
            continue
        axis = _described(score, cross, values, model, space.names)
        axis = replace(
            axis,
            readout=torch.tensor(beta, dtype=torch.float32),
            intercept=float(score.values.mean() - space.plain.mean(0) @ beta),
            layer_weights=(1.0,) * num_ws,
        )
        fitted.append(RawAxis(directed(space, axis, _step(space, score, beta, model)), score, correlation))
    return fitted, left_out


def _step(space: SampleSpace, score: Score, beta: Array, model: Model) -> Array:
    if model == "pattern":
        pattern = fit_pattern(
            space.X,
            score.values[:, None],
            groups=np.arange(len(space.X)),
            covariates=space.covariates,
            group_penalty=np.inf,
        )
        return np.asarray(pattern.slopes[0])
    return least_motion(np.eye(len(beta)), beta[:, None], np.ones(1))


def directed(space: SampleSpace, axis: ExpressionAxis, step: Array) -> ExpressionAxis:
    """An axis whose direction is a step, brought to the length of one standard deviation of the codes."""
    step = step / space.length(step)
    with gradients_off():
        return replace(
            axis,
            direction=torch.tensor(np.tile(step, (len(axis.layer_weights), 1)), dtype=torch.float32),
            eta_per_unit=float(axis.readout.double().numpy() @ step),
        )


def _without(values: Array, covariates: Array) -> Array:
    """Values [n, c] less what covariates explain of them; their means stay."""
    centred = covariates - covariates.mean(0)
    return np.asarray(values - centred @ np.linalg.lstsq(centred, values - values.mean(0), rcond=None)[0])


def _readout(space: SampleSpace, score: Score) -> tuple[Array, Array]:
    """Slope [d] of a ridge regression on codes, whitened, its penalty cross-validated, and predictions [n] of rows that
    took no part."""
    from sklearn.linear_model import Ridge, RidgeCV  # slow to import, and only fits need it
    from sklearn.model_selection import KFold, cross_val_predict

    white = space.plain @ space.root
    values = _without(score.values[:, None], space.covariates)[:, 0]
    chosen = RidgeCV(alphas=PENALTIES).fit(white, values)
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    cross = cross_val_predict(Ridge(alpha=chosen.alpha_), white, values, cv=folds)
    return np.asarray(space.root @ chosen.coef_, dtype=np.float64), np.asarray(cross, dtype=np.float64)


def _described(score: Score, cross: Array, values: Array, model: Model, covariates: tuple[str, ...]) -> ExpressionAxis:
    """The score's axis with what the samples tell about it; no direction yet.

    `cross` [n] predicts `values` [n], the score less what covariates explain of it.
    """
    clear = score.values >= np.quantile(score.values, 1 - CLEAR_SHARE)
    faint = (score.values <= np.median(score.values)) & ~clear
    chosen = clear | faint
    auc = auc_with_interval(cross[chosen], clear[chosen], np.arange(np.count_nonzero(chosen)))
    false, true = roc(cross[chosen], clear[chosen])
    told, found, rows = calibration(cross, values)
    return replace(
        score.part,
        validation=Validation(false, true, told, found, rows, unit="label"),
        model=model,
        covariance="pattern" if model == "pattern" else "identity",
        covariates=covariates,
        link=score.link,
        n_expression=score.shown,
        n_neutral=len(score.values) - score.shown,
        n_people=score.shown,
        auc=auc[0],
        auc_low=auc[1],
        auc_high=auc[2],
        experimental=score.shown < EXPERIMENTAL_BELOW or auc[1] < EXPERIMENTAL_AUC,
        label_source="the face model's reading of the generator's own samples",
        licence="",
    )
