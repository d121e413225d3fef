"""`emogan edit`: a photo in, the same person with another expression out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..compose import Composite, put_back
from ..expressions import ExpressionAxes, apply_expressions
from ..images import Photo, check_photo_target, open_photo, photo_from_tensor, save_photo
from ..inversion import Inversion, invert
from ..networks.build import Generator
from ..progress import Progress, StepReport
from ..records import edit_record
from ..sheets import contact_sheet
from .arguments import Outcome, expect_distinct, first_of, input_files, intensities_of, load_models, rehearse, spelled

SHEET_SHARES = (0.0, 0.5, 1.0, 1.5)


def edit_photo(arguments: Namespace, progress: Progress) -> Outcome:
    """A photo in, the same photo with other expressions out."""
    intensities = intensities_of(arguments)
    inputs = input_files(arguments, arguments.photo)
    expect_distinct(arguments.out, arguments.sheet)
    check_photo_target(arguments.out, inputs=inputs)
    if arguments.sheet is not None:
        check_photo_target(arguments.sheet, inputs=inputs)
    photo = open_photo(arguments.photo)
    check_photo_target(arguments.out, has_alpha=_is_transparent(photo))
    generator, axes = load_models(arguments)
    rehearse(generator, axes, intensities)
    inversion = invert(generator, photo, method=arguments.method, face=arguments.face, progress=progress)
    edited = apply_expressions(inversion.latent, axes, intensities)
    composite = put_back(generator, photo, inversion, edited, mode=arguments.mode)
    record = edit_record(
        intensities, generator=generator.fingerprint, axes=axes.content_fingerprint, mode=arguments.mode
    )
    if arguments.sheet is not None:
        sheet = _edit_sheet(generator, axes, photo, inversion, intensities, arguments.mode, progress)
        save_photo(arguments.sheet, sheet, record=record, inputs=inputs)
    save_photo(arguments.out, composite.photo, record=record, inputs=inputs)
    changed = float((composite.mask > 0).mean())
    report = record | {
        "method": arguments.method,
        "width": photo.pixels.shape[1],
        "height": photo.pixels.shape[0],
        "changed_share": round(changed, 4),
        "inversion": first_of(inversion.metrics),
    }
    lines = [f"{spelled(intensities)}: wrote {arguments.out} ({changed:.0%} of the picture may differ)"]
    return report, lines + ([f"contact sheet: {arguments.sheet}"] if arguments.sheet is not None else [])


def _is_transparent(photo: Photo) -> bool:
    return photo.alpha is not None and bool((photo.alpha < 255).any())


def _edit_sheet(
    generator: Generator,
    axes: ExpressionAxes,
    photo: Photo,
    inversion: Inversion,
    intensities: Mapping[str, float],
    mode: str,
    progress: Progress,
) -> Photo:
    """The face over shares of the asked intensities: as put back, and as the generator draws it."""
    columns: list[Composite] = []
    for step, share in enumerate(SHEET_SHARES, start=1):
        shared = {name: max(-3.0, min(3.0, share * value)) for name, value in intensities.items()}
        edited = apply_expressions(inversion.latent, axes, shared)
        columns.append(put_back(generator, photo, inversion, edited, mode=mode))
        progress(StepReport(step, len(SHEET_SHARES), "drawing the sheet"))
    assert inversion.crops is not None
    quad = inversion.crops[0].quad
    single = next(iter(intensities.values())) if len(intensities) == 1 else None
    labels = [f"{share:g} x" if single is None else f"{share * single:+g}" for share in SHEET_SHARES]
    return contact_sheet(
        [
            [_around(column.photo, quad) for column in columns],
            [photo_from_tensor(column.redrawn) for column in columns],
        ],
        title=spelled(intensities),
        subtitle=f"mode {mode}, generator {generator.fingerprint[:12]}, axes {axes.content_fingerprint[:12]}",
        column_labels=labels,
        row_labels=["photo", "generator"],
        tile_px=240,
    )


def _around(photo: Photo, quad: NDArray[np.float64]) -> Photo:
    """The upright part of a photo around a face."""
    height, width = photo.pixels.shape[:2]
    middle, half = quad.mean(axis=0), 0.8 * float(np.linalg.norm(quad[1] - quad[0]))
    x0, y0 = (max(0, int(value)) for value in middle - half)
    x1, y1 = min(width, int(middle[0] + half) + 1), min(height, int(middle[1] + half) + 1)
    return Photo(photo.pixels[y0:y1, x0:x1], None if photo.alpha is None else photo.alpha[y0:y1, x0:x1])
