"""`emogan train-encoder`: a generator that came without an encoder gets one, trained on its own samples."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..checkpoints import open_generator
from ..checkpoints.convert import write_with_encoder
from ..encoder_training import TrainedEncoder, TrainingLength, TrainingPhotos, read_photos, train_encoder
from ..errors import CheckpointError
from ..faces import frame_of
from ..networks.build import Generator
from ..progress import Progress
from ..wording import counted
from .arguments import Outcome, input_files
from .outputs import Outputs

TRAINING = ".training"
MINUTES = 60.0
MOST_NAMED = 5


def train_own_encoder(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Train, and write the generator with its encoder; the state and previews stay beside it."""
    outputs.expect_safetensors(arguments.out, inputs=input_files(arguments))
    length = TrainingLength(
        arguments.steps, MINUTES if arguments.steps is None and arguments.minutes is None else arguments.minutes
    )
    loaded = open_generator(arguments.generator, device=arguments.device)
    generator = loaded.generator
    expect_none(generator, again=arguments.again)
    photos = None if arguments.photos is None else read_photos(arguments.photos, generator, progress=progress)
    trained = train_encoder(
        generator,
        arguments.out.with_suffix(TRAINING),
        length,
        photos=photos,
        seed=arguments.seed,
        anew=arguments.force,
        wrote=outputs.wrote,
        progress=progress,
    )
    how = {"encoder": _how(trained, photos)}
    write_with_encoder(arguments.out, loaded, trained.encoder, crop=frame_of(generator), notes=how)
    outputs.wrote(arguments.out)
    report: dict[str, object] = {
        "out": str(arguments.out),
        "fingerprint": generator.fingerprint,
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "psnr_db": {name: round(value, 2) for name, value in trained.psnr_db.items()},
        "preview": str(trained.preview),
        "photos": 0 if photos is None else len(photos.learned) + len(photos.held_out),
        "skipped": [] if photos is None else [list(pair) for pair in photos.skipped],
        "notices": list(loaded.notices),
    }
    return report, _lines(arguments.out, trained, photos, loaded.notices)


def expect_none(generator: Generator, *, again: bool) -> None:
    """Do not replace a good encoder by mistake.

    Raises: CheckpointError.
    """
    if generator.encoder is not None and not again:
        raise CheckpointError(
            f"'{generator.spec.name}' has an encoder already; use the file as it is, or --again to train another in its place"
        )


def _how(trained: TrainedEncoder, photos: TrainingPhotos | None) -> str:
    also = "" if photos is None else f" and on {counted(len(photos.learned), 'photo')} of its user"
    return f"trained by emogan train-encoder for {counted(trained.steps, 'step')} on the generator's own samples{also}"


def _lines(out: Path, trained: TrainedEncoder, photos: TrainingPhotos | None, notices: tuple[str, ...]) -> list[str]:
    lines = [f"{name}: redrawn at {value:.1f} dB" for name, value in trained.psnr_db.items()]
    lines += [f"note: {notice}" for notice in notices]
    if photos is not None and photos.skipped:
        named = "; ".join(f"{name}: {why}" for name, why in photos.skipped[:MOST_NAMED])
        lines.append(f"note: {counted(len(photos.skipped), 'picture was', 'pictures were')} left out ({named})")
    folder = trained.preview.parent
    return [
        f"wrote {out} after {counted(trained.steps, 'step')} in {counted(round(trained.seconds / 60), 'minute')}: the generator with an encoder",
        *lines,
        f"see {trained.preview}; with more --minutes or --steps, and --force, training goes on from {folder}, which may be "
        "deleted",
    ]
