"""`emogan edit`: a photo in, the same person with another expression out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..compose import Composite, put_back
from ..expressions import LIMIT, ExpressionAxes, apply_expressions
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
    targets = [target for target in (arguments.out, arguments.sheet) if target is not None]
    expect_distinct(targets)
    for target in targets:
        check_photo_target(target, inputs=inputs)
    photo = open_photo(arguments.photo)
    check_photo_target(arguments.out, has_alpha=_is_transparent(photo))
    generator, axes = load_models(arguments)
    rehearse(generator, axes, intensities)
    inversion = invert(generator, photo, method=arguments.method, face=arguments.face, progress=progress)
    job = _Job(generator, axes, photo, inversion, arguments.mode)
    composite = job.composite(intensities)
    record = edit_record(
        intensities, generator=generator.fingerprint, axes=axes.content_fingerprint, mode=arguments.mode
    )
    save_photo(arguments.out, composite.photo, record=record, inputs=inputs)
    changed = float((composite.mask > 0).mean())
    lines = [f"{spelled(intensities)}: wrote {arguments.out} ({changed:.0%} of the picture may differ)"]
    if arguments.sheet is not None:
        save_photo(arguments.sheet, _sheet(job, intensities, composite, progress), record=record, inputs=inputs)
        lines.append(f"contact sheet: {arguments.sheet}")
    height, width = photo.pixels.shape[:2]
    report = record | {"method": arguments.method, "width": width, "height": height, "changed_share": round(changed, 4)}
    return report | {"inversion": first_of(inversion.metrics)}, lines


@dataclass(frozen=True, slots=True)
class _Job:
    """One face of one photo, inverted and ready to be edited."""

    generator: Generator
    axes: ExpressionAxes
    photo: Photo
    inversion: Inversion
    mode: str

    def composite(self, intensities: Mapping[str, float]) -> Composite:
        edited = apply_expressions(self.inversion.latent, self.axes, intensities)
        return put_back(self.generator, self.photo, self.inversion, edited, mode=self.mode)


def _is_transparent(photo: Photo) -> bool:
    return photo.alpha is not None and bool((photo.alpha < 255).any())


def _sheet(job: _Job, intensities: Mapping[str, float], asked: Composite, progress: Progress) -> Photo:
    """The face over shares of the asked intensities: as put back, and as the generator draws it."""
    columns: list[Composite] = []
    labels: list[str] = []
    for step, share in enumerate(SHEET_SHARES, start=1):
        shared = {name: max(-LIMIT, min(LIMIT, share * value)) for name, value in intensities.items()}
        columns.append(asked if share == 1.0 else job.composite(shared))
        labels.append(f"{next(iter(shared.values())):g}" if len(shared) == 1 else f"{share:g} x")
        progress(StepReport(step, len(SHEET_SHARES), "drawing the sheet"))
    assert job.inversion.crops is not None  # `invert` cut them from the photo
    quad = job.inversion.crops[0].quad
    return contact_sheet(
        [
            [_around(column.photo, quad) for column in columns],
            [photo_from_tensor(column.redrawn) for column in columns],
        ],
        title=spelled(intensities),
        subtitle=f"mode {job.mode}, generator {job.generator.fingerprint[:12]}, "
        f"axes {job.axes.content_fingerprint[:12]}",
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
