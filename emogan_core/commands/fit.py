"""`emogan fit`: expression axes from a labelled folder of faces, or from the generator's own samples."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..checkpoints import load_generator
from ..errors import ExpressionError
from ..expressions import (
    FaceSet,
    LabelledLatents,
    Origin,
    Skipped,
    code_file,
    expect_fittable,
    expect_unlabelled,
    fit_config,
    fit_labelled,
    label_latents,
    read_face_set,
    readable,
    save_axes,
)
from ..expressions.summary import axes_lines, facts_of
from ..inversion import expect_method
from ..networks.build import Generator
from ..progress import Progress
from .arguments import Outcome, input_files
from .fit_samples import fit_own_samples
from .outputs import Outputs
from .unused_options import refuse_unused

CODES = ".codes"
METHOD = "encode"
MOST_NAMED = 20


def fit_axes(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Axes from a labelled folder, or from the generator's own samples.

    Raises: ExpressionError when neither or both were asked for, or samples with what is about labels.
    """
    if (arguments.folder is None) == (arguments.samples is None):
        raise ExpressionError(
            f"{'neither a folder of labelled faces nor' if arguments.folder is None else 'both a folder of labelled faces and'} --samples came; give a "
            "folder, with --labels CSV or with a folder in it for each expression, or --samples N to fit on faces that the generator draws itself"
        )
    if arguments.samples is not None:
        expect_unlabelled(
            {
                "--labels": arguments.labels,
                "--score": arguments.score,
                "--covariate": arguments.covariate,
                "--hold": arguments.hold,
                "--family": arguments.family,
                "--covariance": arguments.covariance,
                "--neutral": arguments.neutral,
                "--aligned": arguments.aligned,
                "--label-source": arguments.label_source,
                "--licence": arguments.licence,
                "--method": arguments.method,
            }
        )
        return fit_own_samples(arguments, progress, outputs)
    drawing = {"--psi": arguments.psi, "--class": arguments.label, "--seed": arguments.seed}
    refuse_unused(drawing, "about a generator's own samples (--samples), and a folder of labelled pictures came")
    if arguments.score:
        refuse_unused({"--neutral": arguments.neutral}, "about labels in words, and --score came, which reads numbers")
    return fit_folder(arguments, progress, outputs)


def fit_folder(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Invert every labelled face, fit one axis per expression, and write the axes.

    All that can be known before the pictures are inverted is looked at before; their codes are kept beside the axes.
    """
    method = arguments.method or METHOD
    config = fit_config(
        scores=arguments.score,
        covariates=arguments.covariate,
        hold=arguments.hold,
        family=arguments.family,
        covariance=arguments.covariance,
        model=arguments.model,
    )
    all_faces = read_face_set(
        arguments.folder,
        arguments.labels,
        covariates=arguments.covariate,
        neutral=arguments.neutral,
        scores=arguments.score,
    )
    outputs.expect_safetensors(
        arguments.out,
        inputs=[*input_files(arguments), *([arguments.labels] if arguments.labels else []), *all_faces.files],
    )
    faces, unread = readable(all_faces)
    expect_fittable(faces, config)
    generator = load_generator(arguments.generator, device=arguments.device)
    expect_method(generator, method)
    labelled, kept = _labelled(arguments, method, generator, faces, progress, outputs)
    axes = fit_labelled(
        labelled,
        model=arguments.model,
        config=config,
        origin=Origin(label_source=arguments.label_source, licence=arguments.licence),
        progress=progress,
    )
    save_axes(arguments.out, axes)
    outputs.wrote(arguments.out)
    skipped = {_inside(arguments.folder, one): one.why for one in (*unread, *labelled.skipped)}
    report: dict[str, object] = {
        "generator": axes.fingerprint,
        "axes": axes.content_fingerprint,
        "expressions": {axis.name: facts_of(axis) for axis in axes},
        "left_out": dict(axes.left_out),
        "skipped": skipped,
        "read_as": list(faces.notices),
    }
    told = f"wrote {arguments.out}; what the pictures gave is kept in {kept} for another fit, and may be deleted"
    return report, [*faces.notices, *axes_lines(axes), *_named(skipped), told]


def _labelled(
    arguments: Namespace, method: str, generator: Generator, faces: FaceSet, progress: Progress, outputs: Outputs
) -> tuple[LabelledLatents, Path]:
    """The labelled latents, and the file that keeps them."""
    codes = code_file(arguments.out.with_suffix(CODES), generator, aligned=arguments.aligned, method=method)
    try:
        labelled = label_latents(
            generator, faces, aligned=arguments.aligned, method=method, codes=codes, progress=progress
        )
    finally:
        if codes.path.exists():
            outputs.wrote(codes.path)
    return labelled, codes.path


def _inside(folder: Path, skipped: Skipped) -> str:
    return Path(skipped.name).relative_to(folder).as_posix()


def _named(skipped: dict[str, str]) -> list[str]:
    lines = [f"left out: {name} ({why})" for name, why in list(skipped.items())[:MOST_NAMED]]
    return [*lines, f"left out: {len(skipped) - MOST_NAMED} more"] if len(skipped) > MOST_NAMED else lines
