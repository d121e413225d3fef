"""`emogan fit --samples`: expression axes of any generator from its own samples, by one process or several."""

from __future__ import annotations

from argparse import Namespace

from torch import distributed

from ..checkpoints import load_generator
from ..errors import ExpressionError
from ..expressions import (
    SampleConfig,
    SampleShare,
    fit_samples,
    read_samples,
    sample_folder,
    sample_lines,
    sample_report,
    save_axes,
)
from ..expressions.sample_fit import LEAST_SEEN
from ..parser import DEFAULT_SEED
from ..progress import Progress
from ..wording import counted
from .arguments import Outcome, input_files
from .outputs import Outputs

SAMPLES = ".samples"


def fit_own_samples(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Draw samples, read the face in each, fit axes on what they show, and write the axes.

    What was read is kept beside the axes. Under `torchrun` every process reads its share, and the first one fits.
    """
    outputs.expect_safetensors(arguments.out, inputs=input_files(arguments))
    config = SampleConfig(
        count=arguments.samples,
        seed=DEFAULT_SEED if arguments.seed is None else arguments.seed,
        psi=1.0 if arguments.psi is None else arguments.psi,
        label=arguments.label,
    )
    if config.count < LEAST_SEEN:
        raise ExpressionError(
            f"{counted(config.count, 'sample was', 'samples were')} asked for; needed are {LEAST_SEEN} or more that show a face (some thousands fit well)"
        )
    share = _share()
    generator = load_generator(arguments.generator, device=arguments.device)
    folder = sample_folder(arguments.out.with_suffix(SAMPLES), generator, config)
    try:
        samples = read_samples(generator, config, folder, share=share, progress=progress)
    finally:
        if folder.path.exists():
            outputs.wrote(folder.path)
    if samples is None:
        told = f"process {share.rank + 1} of {share.world_size}: its samples are read; the first process fits"
        return {"rank": share.rank, "world_size": share.world_size}, [told]
    fit = fit_samples(generator, samples, model=arguments.model, progress=progress)
    save_axes(arguments.out, fit.axes)
    outputs.wrote(arguments.out)
    report = sample_report(fit) | {"psi": config.psi, "seed": config.seed, "class": config.label}
    told = f"wrote {arguments.out}; what the samples show is kept in {folder.path} for another fit, and may be deleted"
    return report, [*sample_lines(fit), told]


def _share() -> SampleShare:
    """The part of this process, as `torchrun` tells it.

    Raises: ExpressionError where the processes do not find each other.
    """
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        return SampleShare()
    try:
        distributed.init_process_group("gloo")
        share = SampleShare(distributed.get_rank(), distributed.get_world_size())
        distributed.destroy_process_group()
    except (RuntimeError, ValueError) as error:
        raise ExpressionError(
            f"torchrun's processes did not find each other ({str(error).splitlines()[0]}); start them with 'torchrun "
            "--standalone --nproc-per-node N -m emogan_core fit ...', or one without torchrun"
        ) from error
    return share
