"""`emogan expressions`: what can be asked for by name, what it does and where it comes from."""

from __future__ import annotations

from argparse import Namespace

from ..expressions import ExpressionAxes, ExpressionAxis, load_axes
from ..expressions.meanings import EXPRESSIONS, SHAPES
from ..expressions.spelling import shape_replaced_by
from ..face_model import REGIONS, load_face_model, sides_of
from ..progress import Progress
from ..wording import counted
from .arguments import Outcome
from .outputs import Outputs

SHAPE_SOURCE = "a shape of the face model"


def list_expressions(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """The named expressions of a set of axes, and the shapes that every set knows."""
    axes = load_axes(arguments.axes)
    named = {axis.name: _named(axes, axis.name) for axis in axes}
    names = load_face_model().names
    shapes: dict[str, dict[str, object]] = {
        name: {"does": does, "source": SHAPE_SOURCE, "sides": [side for side in sides_of(name, names) if side != name]}
        for name, does in SHAPES.items()
    }
    for axis in axes:
        if (shape := shape_replaced_by(axis)) in shapes:
            shapes[shape]["replaced_by"] = axis.name
    report: dict[str, object] = {"axes": axes.content_fingerprint, "expressions": named, "shapes": shapes}
    return report, _lines(named, shapes)


def _named(axes: ExpressionAxes, name: str) -> dict[str, object]:
    axis = axes[name]
    return {
        "does": EXPRESSIONS.get(name, "an expression of your own"),
        "source": axis.source or axis.label_source,
        "moves": [part for part, has in (("photo", axis.has_coefficients), ("generator", axis.has_direction)) if has],
        "experimental": axis.experimental,
        "experimental_because": _why_experimental(axis),
    }


def _why_experimental(axis: ExpressionAxis) -> str:
    """What is not sure of an axis: only what was fitted on codes can be so."""
    if not axis.experimental or not axis.has_direction:
        return ""
    return (
        f"; experimental in what the generator draws: fitted on {counted(axis.n_expression, 'example')}, told from neutral with an AUC "
        f"of {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f})"
    )


def _lines(named: dict[str, dict[str, object]], shapes: dict[str, dict[str, object]]) -> list[str]:
    lines = ["expressions (-3 to 3; 1 is the typical example, 0 changes nothing):"]
    wide = max(len(name) for name in (*named, *shapes))
    for name, facts in named.items():
        origin = str(facts["source"]).split(";")[0]
        source = f" (from {origin})" if origin else ""
        lines.append(f"  {name:{wide}}  {facts['does']}{source}{facts['experimental_because']}")
    lines += [
        "",
        "shapes of the face model (0 to 1; for one side add Left or Right, the person's own, where marked *):",
    ]
    for region in REGIONS:
        for name, facts in shapes.items():
            if name.startswith(region):
                own = f"; its name means the expression {facts['replaced_by']} above" if "replaced_by" in facts else ""
                lines.append(f"  {name + ('*' if facts['sides'] else ''):{wide}}  {facts['does']}{own}")
    return lines
