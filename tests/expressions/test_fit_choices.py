"""What is asked of a fit, as settings, and refused where it cannot be meant."""

from __future__ import annotations

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import FIT_COVARIANCES, FIT_FAMILIES, expect_held, expect_unlabelled, fit_config
from emogan_core.fit_arguments import FAMILIES, MULTINOMIAL


def test_golden_names_go_where_they_belong() -> None:
    config = fit_config(covariates=["age"], hold=["age", "anger", "identity"], covariance="latent")
    steps = config.steps
    assert (steps.hold_covariates, steps.hold_expressions, steps.hold_identity) == (("age",), ("anger",), True)
    assert (steps.covariance, config.multinomial, config.families) == ("latent", False, {})
    assert fit_config(family="multinomial").multinomial
    assert fit_config(scores=["joy", "pain"], family="soft").families == {"joy": "soft", "pain": "soft"}


@pytest.mark.parametrize(
    ("family", "scores", "sentence"),
    [("multinomial", ("joy",), "about expressions, and scores came"), ("soft", (), "about scores, and none came")],
)
def test_error_a_family_of_something_else(family: str, scores: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ExpressionError, match=sentence):
        fit_config(scores=scores, family=family)


def test_error_what_nothing_is_known_of_cannot_be_held() -> None:
    expect_held(fit_config(hold=["anger", "identity"]), ["anger", "neutral"])
    with pytest.raises(ExpressionError, match="'age' is to be held still, but is no covariate that was named"):
        expect_held(fit_config(hold=["age"]), ["anger", "neutral"])


def test_error_samples_have_no_labels() -> None:
    expect_unlabelled({"hold": (), "covariates": "", "family": None, "labels": False})
    with pytest.raises(ExpressionError, match=r"^hold, family are about labelled pictures, .* leave them out, or give"):
        expect_unlabelled({"hold": ["age"], "covariates": "", "family": "soft"})
    with pytest.raises(ExpressionError, match=r"^hold is about labelled pictures"):
        expect_unlabelled({"hold": "age"})


def test_invariance_the_command_line_offers_the_same() -> None:
    assert (*FAMILIES, MULTINOMIAL) == FIT_FAMILIES
    assert set(FIT_COVARIANCES) == {"within", "latent", "identity"}
