"""What else changes along an axis: drawn faces are read before and after the step, by a reader that knows no axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..devices import gradients_off
from ..expressions import REFERENCE, ExpressionAxes, ExpressionAxis
from ..expressions.reading import READ, log_odds
from ..expressions.sample_file import SampleTable
from ..expressions.sample_scores import share_of
from ..expressions.samples import SKIN, read_picture, table_of
from ..networks import Generator
from ..networks.sampling import drawn_in_groups, sampled
from ..progress import Progress, silent

REPORT_FACES = 64
"""How many random faces a report draws and reads."""
FACES = 6  # of them that are moved
LEAST_SEEN = 16
FRONTAL_DEG = 12.0
LITTLE_SD = 0.5
"""Changes up to this many standard deviations of random faces are called little."""
LONGEST = 99.0
POSE = ("yaw", "pitch", "roll")


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that changes along an axis at intensity 1; `is_own` where it is what the axis is for."""

    name: str
    value: float
    is_own: bool = False


def bar_of(name: str, value: float, *, is_own: bool = False) -> Bar:
    """A bar of two digits after the point, of at most LONGEST."""
    return Bar(name, round(max(-LONGEST, min(LONGEST, value)), 2) + 0.0, is_own)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFaces:
    """Faces that the generator draws, for strips and for measuring.

    Convention: `plain` are up to FACES of them, seen from the front and with little expression, `spread` the standard
    deviation over all that were read of what `_read` reads; ws [m, num_ws, w_dim] are the codes of `plain`. `why` says why
    nothing can be measured, "" where it can.
    """

    ws: torch.Tensor
    plain: SampleTable | None
    seen: SampleTable | None
    why: str = ""


def draw_faces(generator: Generator, *, seed: int, label: int | None = None, progress: Progress = silent) -> DrawnFaces:
    """Random faces, read.

    Raises: CheckpointError when pictures are not finite; ShapeError for a class that is none; Cancelled.
    """
    ws = sampled(generator, REPORT_FACES, psi=1.0, seed=seed, label=label).ws
    with gradients_off():
        table = _table(generator, ws, progress)
        seen = table.rows(table.seen)
        if len(seen) < LEAST_SEEN:
            why = f"only {len(seen)} of {REPORT_FACES} random samples {'shows' if len(seen) == 1 else 'show'} a face that can be read, needed are {LEAST_SEEN}"
            return DrawnFaces(ws[:FACES], None, None, why)
        turned = np.abs(np.nan_to_num(table.pose_deg[:, 0], nan=90.0)) > FRONTAL_DEG
        shown = np.where(table.seen, np.nan_to_num(table.coefficients).sum(1) + 100.0 * turned, np.inf)
        chosen = np.sort(np.argsort(shown, kind="stable")[:FACES])
        return DrawnFaces(ws[torch.from_numpy(chosen)].clone(), table.rows(_flags(chosen)), seen)


def measured(generator: Generator, faces: DrawnFaces, axes: ExpressionAxes, axis: ExpressionAxis) -> tuple[Bar, ...]:
    """How far drawn faces move at intensity 1 in all that can be read of them, in standard deviations of random faces.

    Convention: identity is a root mean square and has no sign. Empty where faces cannot be read, before or after.
    """
    if faces.plain is None or faces.seen is None:
        return ()
    with gradients_off():
        after = _table(generator, faces.ws + axis.direction.to(faces.ws), silent)
    kept = after.seen
    if 2 * np.count_nonzero(kept) < len(kept):
        return ()
    before, moved = (_read(table.rows(kept), axes, axis) for table in (faces.plain, after))
    spread = _read(faces.seen, axes, axis)
    change = {name: (moved[name] - before[name]).mean(0) / np.maximum(spread[name].std(0), 1e-6) for name in before}
    sizes = {name: float(np.sqrt(np.mean(one**2))) if one.ndim else float(one) for name, one in change.items()}
    return tuple(bar_of(name, size, is_own=name == axis.name) for name, size in sizes.items())


def _read(table: SampleTable, axes: ExpressionAxes, axis: ExpressionAxis) -> Mapping[str, NDArray[np.float64]]:
    """Numbers [n] by what they are about, identity [n, i]; what the axis is for comes first."""
    coefficients = table.coefficients.astype(np.float64)
    odds = dict(zip(READ, _against_all(log_odds(coefficients)).T, strict=True))
    own: dict[str, NDArray[np.float64]] = {}
    if axis.name in odds:
        own = {axis.name: odds[axis.name]}
    elif axis.has_coefficients:
        own = {axis.name: np.array([share_of(axis, row) for row in coefficients])}
    pose = dict(zip(POSE, table.pose_deg.T.astype(np.float64), strict=True))
    skin = dict(zip((f"skin {name}" for name in SKIN), table.skin.T.astype(np.float64), strict=True))
    others = {name: values for name, values in odds.items() if name not in (axis.name, REFERENCE)}
    return {**own, "identity": table.identity.astype(np.float64), **pose, **skin, **others}


def _against_all(eta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds [n, e] of each expression against all others together, of those against neutral."""
    without = [np.delete(eta, column, axis=1) for column in range(eta.shape[1])]
    return np.stack([eta[:, column] - logsumexp(rest, axis=1) for column, rest in enumerate(without)], axis=1)


def _table(generator: Generator, ws: torch.Tensor, progress: Progress) -> SampleTable:
    pictures = [
        read_picture(image) for images in drawn_in_groups(generator, ws, progress=progress) for image in images.cpu()
    ]
    return table_of(ws[:, 0].float().cpu().numpy(), pictures)


def _flags(chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    flags = np.zeros(REPORT_FACES, dtype=np.bool_)
    flags[chosen] = True
    return flags
