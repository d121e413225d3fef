"""`emogan report`: what a person looks at before using axes, as a page, a picture or JSON."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from ..errors import OutputError
from ..progress import Progress
from ..report import report_axes, report_facts, report_page, report_picture
from .arguments import Outcome, input_files, load_models
from .outputs import Outputs

PAGE, PICTURE, FACTS = ".html", ".png", ".json"


def write_report(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Look at axes with the generator that they belong to, and write what there is to see.

    Raises: OutputError for another suffix.
    """
    target: Path = arguments.out
    kind = target.suffix.lower()
    if kind not in (PAGE, PICTURE, FACTS):
        raise OutputError(
            f"the report {target.name} is named as no kind that is written; use {PAGE}, {PICTURE} or {FACTS}"
        )
    outputs.expect([target], inputs=input_files(arguments))
    generator, axes = load_models(arguments)
    report = report_axes(
        axes,
        generator,
        expressions=arguments.expression,
        seed=arguments.seed,
        label=arguments.label,
        progress=progress,
    )
    facts = report_facts(report)
    if kind == PICTURE:
        about = {"program": "EmotionGAN", "generated": True, "axes": report.content_fingerprint}
        outputs.save_photo(target, report_picture(report), record=about)
    else:
        outputs.save_text(target, report_page(report) if kind == PAGE else json.dumps(facts, indent=2) + "\n")
    warned = [f"{one.axis.name}: {warning}" for one in report.axes for warning in one.warnings]
    return facts, [*report.notes, *warned, f"wrote {target}"]
