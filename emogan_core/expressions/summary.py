"""What is known about a set of axes, for people and for programs."""

from __future__ import annotations

from ..wording import counted
from .axes import ExpressionAxes, ExpressionAxis
from .spelling import shape_replaced_by


def axes_lines(axes: ExpressionAxes) -> list[str]:
    """What is known about a set of axes: one line for each, and for each expression that was left out."""
    left_out = [
        f"{name}: left out, {counted(count, 'example is', 'examples are')} too few"
        for name, count in axes.left_out.items()
    ]
    notes = [f"{axis.name}: {note}" for axis in axes for note in axis.notes]
    taken = [
        f"{axis.name}: wherever these axes are used, this name means the expression, not the face model's shape {shape}"
        for axis in axes
        if (shape := shape_replaced_by(axis))
    ]
    return [*(line_of(axis) for axis in axes), *notes, *taken, *left_out]


def facts_of(axis: ExpressionAxis) -> dict[str, object]:
    """An axis as JSON: what it moves, from what, and how well it is known; only what there is to say."""
    parts = {
        "generator": axis.has_direction,
        "face model": axis.has_coefficients,
        "shading": axis.shading.numel() > 0,
    }
    facts: dict[str, object] = {"moves": [part for part, has in parts.items() if has]}
    if axis.has_direction:
        facts |= {"model": axis.model, "link": axis.link, "eta_per_unit": round(axis.eta_per_unit, 3)}
        facts |= {"auc": [round(axis.auc, 3), round(axis.auc_low, 3), round(axis.auc_high, 3)]}
        facts |= {"family": axis.family, "cosine_low": round(axis.cosine_low, 3)}
        facts |= {"unit_interval": [round(axis.unit_low, 3), round(axis.unit_high, 3)], "notes": list(axis.notes)}
        facts |= {"experimental": axis.experimental}
    if axis.n_expression:
        facts |= {"examples": axis.n_expression, "neutral": axis.n_neutral, "people": axis.n_people}
    told = {"source": axis.source, "label_source": axis.label_source, "licence": axis.licence}
    told["instead_of_shape"] = shape_replaced_by(axis)
    return facts | {name: text for name, text in told.items() if text}


def line_of(axis: ExpressionAxis) -> str:
    """What is known of an axis in a line: examples, kind of label, AUC, and how sure its direction and length are."""
    if not axis.has_direction and not axis.n_expression:
        return f"{axis.name}: moves photos" + (f"; {axis.source}" if axis.source else "")
    told = f"{axis.name}: {counted(axis.n_expression, 'example')}"
    if not axis.has_direction:
        return f"{told}, moves photos; too few for what the generator draws"
    told += "" if axis.family == "binary" else f" ({axis.family})"
    told += f", AUC {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f})"
    if axis.unit_low < axis.unit_high:  # known since axes are fitted with a bootstrap
        told += (
            f", other people: cosine {axis.cosine_low:.2f} or more, {axis.unit_low:.1f} to {axis.unit_high:.1f} as long"
        )
    return (
        told + (", experimental" if axis.experimental else "") + ("" if axis.has_coefficients else ", moves no photos")
    )
