"""What intensity 1 means for axes of a generator's own samples: faces drawn along each are read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..devices import gradients_off
from ..glm import Array
from ..networks import Generator
from ..networks.sampling import drawn_in_groups
from ..progress import Progress, StepReport, silent
from .axes import ExpressionAxis
from .sample_file import SampleTable
from .sample_fit import RawAxis
from .sample_scores import share_of, typical_rise
from .samples import read_picture, table_of

Single = NDArray[np.float32]

FACES = 8
LENGTHS = (1.5, 3.0)
"""How far faces are moved to be read, in standard deviations of the codes; beyond the last is no typical range."""
LEAST_RISE, LEAST_SHARE = 0.02, 0.1
"""What drawn faces must read of an axis, and the share of what is typical, for it to be one."""
SURE_SHARE = 0.6  # of what is typical; axes that reach less are experimental
FRONTAL_DEG = 12.0
SOURCE = "direction from the generator's own samples"


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredAxis:
    """An axis with its unit, and what drawn faces did along it at intensity 1.

    Convention: `length` is the step in standard deviations of the codes; `rise` the share of the axis' step of the face
    model by which drawn faces read higher, `typical` what a face that makes this step reads as; `identity_drift` the
    change of the identity coefficients (root mean square, in standard deviations over samples) and `pose_drift_deg` of
    the pose.
    """

    axis: ExpressionAxis
    correlation: float
    length: float
    rise: float
    typical: float
    identity_drift: float
    pose_drift_deg: float


def measure_units(
    generator: Generator, raw: Sequence[RawAxis], samples: SampleTable, *, progress: Progress = silent
) -> tuple[list[MeasuredAxis], dict[str, str]]:
    """Axes whose intensity 1 makes drawn faces read higher by what the typical step reads as, or by as much of that as lies
    within the codes' typical range; and why others are left out.

    Convention: all rows of `samples` are seen.
    Raises: CheckpointError when pictures are not finite; Cancelled.
    """
    base = _plain_faces(samples)
    measured: list[MeasuredAxis] = []
    left_out: dict[str, str] = {}
    for step, one in enumerate(raw, start=1):
        tables = [_moved(generator, base, one.axis, length) for length in LENGTHS]
        progress(StepReport(step, len(raw), f"measuring {one.axis.name}"))
        rises = np.array([_rise(one.axis, base, table) for table in tables])
        typical = typical_rise(one.axis)
        length = _length(rises, typical)
        if length is None:
            left_out[one.axis.name] = (
                f"faces drawn along it do not show it (they read {np.nanmax(np.append(rises, -1.0)):+.2f} of it, typical is "
                f"{typical:.2f})"
            )
            continue
        near = int(np.argmin(np.abs(np.array(LENGTHS) - length)))
        nearest, share = tables[near], length / LENGTHS[near]
        rise = float(np.interp(length, (0.0, *LENGTHS), (0.0, *rises)))
        scaled = _scaled(one.axis, length)
        measured.append(
            MeasuredAxis(
                axis=replace(scaled, experimental=scaled.experimental or rise < SURE_SHARE * typical),
                correlation=one.correlation,
                length=length,
                rise=rise,
                typical=typical,
                identity_drift=share * _drift(base.identity, nearest.identity, samples.identity.std(0)),
                pose_drift_deg=share * _drift(base.pose_deg, nearest.pose_deg, np.ones(3)),
            )
        )
    return measured, left_out


def _plain_faces(samples: SampleTable) -> SampleTable:
    """Samples seen from the front that show the least."""
    turned = np.abs(samples.pose_deg[:, 0]) > FRONTAL_DEG
    shown = samples.coefficients.sum(1) + 100.0 * turned
    chosen = np.zeros(len(samples), dtype=bool)
    chosen[np.argsort(shown, kind="stable")[:FACES]] = True
    return samples.rows(chosen)


def _moved(generator: Generator, base: SampleTable, axis: ExpressionAxis, length: float) -> SampleTable:
    """The same faces, drawn a step further along an axis."""
    with gradients_off():
        w = torch.from_numpy(base.w)
        ws = w[:, None] + length * axis.direction  # [n, num_ws, w_dim]
        pictures = [read_picture(image) for images in drawn_in_groups(generator, ws) for image in images.cpu()]
    return table_of(base.w, pictures)


def _rise(axis: ExpressionAxis, base: SampleTable, moved: SampleTable) -> float:
    """How much higher faces read, in shares of the axis' step; NaN where half of them are no face any more."""
    seen = moved.seen
    if 2 * np.count_nonzero(seen) < len(seen):
        return float("nan")
    change = (moved.coefficients[seen] - base.coefficients[seen]).astype(np.float64)
    return share_of(axis, change.mean(0))


def _length(rises: Array, typical: float) -> float | None:
    """The step that reads as typical, or the one that reads highest where none does; None where none reads at all."""
    places, values = (0.0, *LENGTHS), (0.0, *rises.tolist())
    for (near, low), (far, high) in zip(
        zip(places, values, strict=True), zip(places[1:], values[1:], strict=True), strict=False
    ):
        if high >= typical > low:
            return float(near + (far - near) * (typical - low) / (high - low))
    known = np.where(np.isfinite(rises), rises, -np.inf)
    best = int(np.argmax(known))
    return LENGTHS[best] if known[best] >= max(LEAST_RISE, LEAST_SHARE * typical) else None


def _scaled(axis: ExpressionAxis, length: float) -> ExpressionAxis:
    with gradients_off():
        return replace(
            axis,
            direction=axis.direction * length,
            eta_per_unit=axis.eta_per_unit * length,
            source=f"{axis.source}; {SOURCE}" if axis.source else SOURCE,
        )


def _drift(before: Single, after: Single, unit: NDArray[np.floating]) -> float:
    """Root mean square of the mean change over the faces that are still seen, in a unit."""
    change = np.nanmean((after - before).astype(np.float64), axis=0) / np.maximum(unit, 1e-9)
    return float(np.sqrt(np.mean(change**2)))
