"""Train an encoder for a generator on its own samples, and go on where a training was stopped."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from ..errors import CheckpointError, EmoganError, OutputError, SpaceMismatch
from ..networks.build import Generator
from ..networks.encoder import LINEAR_SIDE, Encoder
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .degradations import degrade
from .memory import batch_for
from .photos import TrainingPhotos
from .preview import Watched, preview, watched
from .projection import fit_projection
from .run import EncoderConfig, EncoderRun, encoder_for, stored_batch
from .samples import labelled_pictures, reduced

STATE = "state.safetensors"
SAVE_EVERY_S = 60.0
PREVIEW_EVERY_S = 300.0
PROJECTED, PROJECTED_AT_ONCE = 1024, 16  # samples on which the projection is fitted
PROJECTED_SHARE = 1 / 6  # of the time, at most
DEGRADED = 0.4  # share of pictures that suffer each degradation, for the choice of its penalty
WHAT = "training the encoder"


@dataclass(frozen=True, slots=True)
class TrainingLength:
    """When a training ends, all its runs together: at a step, or after so many minutes.

    Raises: EmoganError unless exactly one is given and above 0.
    """

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise EmoganError("a training ends at a step or after some minutes; give --steps or --minutes, not both")
        if self.steps is not None and self.steps < 1:
            raise EmoganError(f"{counted(self.steps, 'step')} came; needed 1 or more")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise EmoganError(f"{self.minutes} minutes came; needed a finite number above 0")

    def reached(self, run: EncoderRun) -> bool:
        """Whether a training is over."""
        if self.steps is not None:
            return run.step >= self.steps
        return run.seconds >= 60 * (self.minutes or 0)


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEncoder:
    """An encoder, and how it was made.

    Convention: `psnr_db` of reconstructions by what the pictures are; `steps` and `seconds` of all runs together.
    """

    encoder: Encoder
    steps: int
    seconds: float
    psnr_db: dict[str, float]
    preview: Path


def train_encoder(
    generator: Generator,
    folder: Path,
    length: TrainingLength,
    *,
    photos: TrainingPhotos | None = None,
    seed: int = 0,
    anew: bool = False,
    wrote: Callable[[Path], object] = lambda path: None,
    progress: Progress = silent,
) -> TrainedEncoder:
    """Train on the generator's own samples, whose codes are known, and on photos, whose pictures alone are compared.

    Convention: `folder` holds the state, from which a training that was stopped goes on to the bit, and previews; it is
    made. `anew` replaces the state of another training, or a damaged one; `wrote` is called with each file once.
    Raises: SpaceMismatch when the folder's state is of another training; CheckpointError; OutputError; Cancelled.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror or error}; choose another place"
        ) from error
    state = folder / STATE
    learned = None if photos is None else photos.learned
    run = _resumed(state, generator, learned, seed=seed, anew=anew)
    if run is None:
        run = EncoderRun(generator, EncoderConfig(seed, batch_for(generator, encoder_for(generator))), learned)
        clock = _Clock(run)
        try:
            _begin(run, length, progress)
        except BaseException:  # stopped before there is a state to go on from: nothing is left behind
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise
        clock.tick()
        run.save(state)
    clock = _Clock(run)
    wrote(state)
    seen = watched(generator, photos)
    report = _reporting(run, length, progress)
    saved = shown = time.monotonic()
    while not length.reached(run):
        loss = run.train_step()
        now = time.monotonic()
        if now - saved > SAVE_EVERY_S:
            run.save(state)
            saved = now
        if now - shown > PREVIEW_EVERY_S:
            wrote(_previewed(run, seen, folder)[0])
            shown = now
        clock.tick()
        report(loss)
    run.save(state)
    picture, psnr = _previewed(run, seen, folder)
    wrote(picture)
    return TrainedEncoder(run.result(), run.step, run.seconds, psnr, picture)


def _previewed(run: EncoderRun, seen: Watched, folder: Path) -> tuple[Path, dict[str, float]]:
    """The contact sheet of a step, and its PSNR.

    Raises: OutputError.
    """
    path = folder / f"{run.step:06d}.png"
    title = f"{run.generator.spec.name[:40]}: encoder after {counted(run.step, 'step')}, {counted(round(run.seconds / 60), 'minute')}"
    return path, preview(run.generator, run.result(), seen, path, title=title)


def _reporting(run: EncoderRun, length: TrainingLength, progress: Progress) -> Callable[[float], None]:
    """Tells how far this part of a training is: in steps, or in whole seconds where time ends it."""
    by_time = length.minutes is not None
    first, last = (round(run.seconds), round(60 * (length.minutes or 0))) if by_time else (run.step, length.steps or 0)
    told = 0

    def report(loss: float) -> None:
        nonlocal told
        here = min(last, round(run.seconds) if by_time else run.step) - first
        if here > told:
            told = here
            progress(StepReport(here, last - first, WHAT, loss=loss))

    return report


class _Clock:
    """Adds to a run's seconds what passed since it was asked last."""

    def __init__(self, run: EncoderRun) -> None:
        self.run, self.last = run, time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        self.run.seconds += now - self.last
        self.last = now


def _begin(run: EncoderRun, length: TrainingLength, progress: Progress) -> None:
    """Fit the projection, on as many samples as there is time for."""
    generator, began = run.generator, time.monotonic()
    budget = math.inf if length.minutes is None else 60 * length.minutes * PROJECTED_SHARE
    rng = torch.Generator(generator.device).manual_seed(run.config.seed)
    small: list[torch.Tensor] = []
    codes: list[torch.Tensor] = []
    degraded: list[torch.Tensor] = []
    groups = PROJECTED // PROJECTED_AT_ONCE
    for pictures, ws in labelled_pictures(generator, run.config.seed + 1, size=PROJECTED_AT_ONCE):
        small.append(_flat(pictures))
        codes.append(((ws[:, 0] - generator.w_avg) / generator.w_std.clamp_min(1e-6)).cpu())
        if len(degraded) < max(1, groups // 10):
            degraded.append(_flat(degrade(reduced(pictures, run.live.resolution), rng, share=DEGRADED)))
        progress(StepReport(len(small), groups, "drawing samples"))
        if len(small) >= groups or (len(small) > len(degraded) and time.monotonic() - began > budget):
            break
    run.begin(*fit_projection(torch.cat(small), torch.cat(codes), torch.cat(degraded)))


def _flat(pictures: torch.Tensor) -> torch.Tensor:
    """As the encoder's projection reads them, [n, 3 * LINEAR_SIDE^2]."""
    return F.adaptive_avg_pool2d(pictures, LINEAR_SIDE).flatten(1).cpu()


def _resumed(
    state: Path, generator: Generator, photos: torch.Tensor | None, *, seed: int, anew: bool
) -> EncoderRun | None:
    """The run as it was saved, None where nothing was, or `anew` gives up what does not fit.

    The batch is the stored one: memory may be less by now, but a training goes on as it began.
    Raises: SpaceMismatch; CheckpointError.
    """
    if not state.exists():
        return None
    try:
        run = EncoderRun(generator, EncoderConfig(seed, stored_batch(state)), photos)
        run.restore(state)
    except (SpaceMismatch, CheckpointError):
        if anew:
            return None
        raise
    return run
