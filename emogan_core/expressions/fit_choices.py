"""What somebody asks of a fit, in words, as its settings; and what cannot be fitted, told before the long work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, cast, get_args

from ..errors import ExpressionError
from ..glm import FAMILIES, Family
from .axes import REFERENCE
from .face_sets import FaceSet
from .fit import FitConfig
from .steps import Covariance, Model, StepConfig
from .tables import expect_enough, expect_pairable, expect_scores, score_labels

IDENTITY = "identity"
MULTINOMIAL: Literal["multinomial"] = "multinomial"
FIT_FAMILIES = (*FAMILIES, MULTINOMIAL)
"""What `family` can be."""
FIT_COVARIANCES: tuple[Covariance, ...] = get_args(Covariance)
"""What `covariance` can be."""


def fit_config(
    *,
    scores: Sequence[str] = (),
    covariates: Sequence[str] = (),
    hold: Sequence[str] = (),
    family: str | None = None,
    covariance: Covariance | None = None,
    model: Model = "pattern",
) -> FitConfig:
    """Settings of a fit from the names in a face set.

    Convention: `scores` and `covariates` are its columns; `hold` names covariates, expressions, or "identity", that steps
    leave still; `family` is one of FIT_FAMILIES, None the one that the scores' values suggest, and "multinomial" reads
    expressions off together instead of each against neutral.
    Raises: ExpressionError for a family of scores without scores, or the other way round, and a covariance that the model
    does not use.
    """
    together = family == MULTINOMIAL
    if family and together == bool(scores):
        told = (
            "expressions, and scores came; leave them out" if together else "scores, and none came; name their column"
        )
        raise ExpressionError(f"the family '{family}' is about {told}")
    if covariance and model == "pattern" and not hold:
        raise ExpressionError(
            f"the covariance '{covariance}' is one in which the model readout steps, and the model pattern came, which uses it "
            "only to hold something still; leave it out, or choose the model readout"
        )
    steps = StepConfig(
        hold_covariates=tuple(name for name in hold if name in covariates),
        hold_expressions=tuple(name for name in hold if name not in (*covariates, IDENTITY)),
        hold_identity=IDENTITY in hold,
        covariance=covariance,
    )
    families = dict.fromkeys(scores, cast(Family, family)) if family and not together else {}
    return FitConfig(families=families, multinomial=together, steps=steps)


def expect_fittable(faces: FaceSet, config: FitConfig) -> None:
    """Refuse before the long work what cannot be fitted.

    Raises: ExpressionError.
    """
    expect_pairable(faces.scores, faces.pairs, config.families)
    for name, words in score_labels(faces.scores, config.families).items():
        expect_scores(name, words, config.floor)
    if not faces.scores:
        expect_enough(faces.expressions, faces.people, floor=config.floor, least=config.moving_floor)
    expect_held(config, faces.scores or faces.expressions)


def expect_unlabelled(given: Mapping[str, object]) -> None:
    """Refuse what only labelled pictures have, where a generator's own samples are fitted.

    Convention: `given` holds what was asked for under the names by which it was asked for; what is empty was not.
    Raises: ExpressionError.
    """
    asked = [name for name, value in given.items() if value]
    if asked:
        one = len(asked) == 1
        raise ExpressionError(
            f"{', '.join(asked)} {'is' if one else 'are'} about labelled pictures, and a generator's own samples have no labels; "
            f"leave {'it' if one else 'them'} out, or give labelled pictures in place of samples"
        )


def expect_held(config: FitConfig, fitted: Collection[str]) -> None:
    """Refuse what is to be held still and is nothing that is known of the pictures, or two things; `fitted` are the labels
    or scores.

    Raises: ExpressionError.
    """
    for name in (*config.steps.hold_covariates, *((IDENTITY,) if config.steps.hold_identity else ())):
        if name in fitted:
            what = f"'{IDENTITY}', what tells people apart," if name == IDENTITY else f"the covariate '{name}'"
            raise ExpressionError(
                f"{what} is to be held still, and an expression of this set is called so, too; call that otherwise"
            )
    unknown = [name for name in config.steps.hold_expressions if name not in fitted]
    if unknown:
        raise ExpressionError(
            f"'{unknown[0]}' is to be held still, but is no covariate that was named, no expression of this set and not "
            f"'{IDENTITY}'; there are {', '.join(sorted(set(fitted) - {REFERENCE})[:12])}"
        )
