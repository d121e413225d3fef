"""A fit's figures in plain words: what they are, and where they are poor, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from ..expressions import ExpressionAxis
from ..expressions.meanings import EXPRESSIONS, SHAPES
from ..wording import counted
from .measure import LITTLE_SD, Bar

WELL_TOLD, POORLY_TOLD = 0.9, 0.7
SURE_COSINE = 0.8
OFF = 0.1
CLEAR_SD = 1.0
MOST_NOTES, MOST_LETTERS = 8, 400  # files may hold more

LEGEND = (
    "Strips: the same face at intensity -2 to +2; 0 is the face as it is, 1 the typical example. Only the expression should "
    "change.",
    "How well it is told apart: on faces that took no part in the fit, one by one with a falling threshold. Good: the green "
    "line runs near the upper left corner (AUC near 1). On the diagonal (AUC 0.5) it is guessing.",
    "Can its numbers be trusted? Faces in groups, by what the fit tells of them. Good: dots near the line; of faces "
    "told 0.8, eight in ten show it.",
    "What else changes: drawn faces read before and after intensity 1. A bar of 1 is as much as random faces typically "
    "vary (one standard deviation). Good: green is long, all others stay within the pale band. Expressions that look "
    "alike rise together. Poses are angles, texture is fine detail of the skin, identity has no sign.",
    "Other readouts of the code: by how much the fit's own formulas for covariates and for the other expressions move. Good: "
    "short bars.",
    "Where in the generator it acts: the length of the step in each row of W+. Early rows turn and shape a face, late rows "
    "colour it. All alike where the direction was fitted on the mean row.",
)
"""How each part of a report is read."""


def meaning_of(name: str) -> str:
    """What an expression or shape is, in plain words; "" for one of the user's own."""
    return EXPRESSIONS.get(name) or SHAPES.get(name, "")


def counts_of(axis: ExpressionAxis) -> str:
    """How many faces the axis rests on."""
    if not axis.n_expression:
        return "not fitted on examples" + (f"; {axis.source[:MOST_LETTERS]}" if axis.source else "")
    people = f", {counted(axis.n_people, 'person', 'people')}" if axis.n_people < axis.n_expression else ""
    both = f" ({axis.n_people_both} seen both ways)" if axis.n_people_both else ""
    return f"{counted(axis.n_expression, 'face')} with it{people}{both}, {axis.n_neutral} without"


def auc_of(axis: ExpressionAxis) -> str:
    """The area under the ROC curve with its interval."""
    return f"AUC {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f})"


def remarks_on(axis: ExpressionAxis, changes: Sequence[Bar]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to know of an axis before it is used: warnings, and what is as it should be."""
    if not axis.has_direction:
        return (), (
            "Moves photos, and nothing of what the generator draws: there is no curve and no direction to show.",
        )
    warnings: list[str] = []
    fine: list[str] = []
    if axis.experimental:
        warnings.append("Experimental: few examples, or they hardly differ in the code. Look at every result.")
    (fine if axis.auc_low >= POORLY_TOLD else warnings).append(_told_apart(axis))
    if axis.unit_low < axis.unit_high:  # known since axes are fitted with a bootstrap
        sure = axis.cosine_low >= SURE_COSINE
        (fine if sure else warnings).append(
            f"With other people the direction would agree to a cosine of {axis.cosine_low:.2f} or more"
            + (": it is settled." if sure else f" (settled from {SURE_COSINE:g}): add people.")
        )
    warnings.extend(_off(axis))
    warnings.extend(f"Note of the fit: {note[:MOST_LETTERS]}." for note in axis.notes[:MOST_NOTES])
    warnings.extend(_beside(axis, changes))
    if not axis.has_coefficients:
        warnings.append(
            "Changes what the generator draws (mode paste) and moves no photo: the face model has no part in it."
        )
    return tuple(warnings), tuple(fine)


def _told_apart(axis: ExpressionAxis) -> str:
    how = "well" if axis.auc_low >= WELL_TOLD else "fairly" if axis.auc_low >= POORLY_TOLD else "poorly"
    advice = "" if how != "poorly" else " Check the labels, or add examples."
    return f"The code tells it {how}: {auc_of(axis)}.{advice}"


def _off(axis: ExpressionAxis) -> list[str]:
    told = axis.validation
    if told.unit != "probability" or not told.rows:
        return []
    gap = sum(n * abs(a - b) for n, a, b in zip(told.rows, told.told, told.found, strict=True)) / sum(told.rows)
    return [f"Its probabilities are off by {gap:.2f} on average: rank faces by them, no more."] if gap > OFF else []


def _beside(axis: ExpressionAxis, changes: Sequence[Bar]) -> list[str]:
    """What changes more than little though it should not. Of other expressions those that rise clearly; a shape of the face
    model is a part of several, so it may."""
    strong = [
        bar
        for bar in changes
        if not bar.is_own
        and (
            bar.value > CLEAR_SD and axis.name not in SHAPES if bar.name in EXPRESSIONS else abs(bar.value) > LITTLE_SD
        )
    ]
    if not strong:
        return []
    strong = sorted(strong, key=lambda bar: -abs(bar.value))
    told = ", ".join(f"{bar.name} {bar.value:+.1f}" for bar in strong[:4])
    return [f"At intensity 1 this also changes, in standard deviations of random faces: {told}."]
