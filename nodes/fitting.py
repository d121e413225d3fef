"""The node that fits expression axes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import (
    CODE_METHODS,
    FIT_COVARIANCES,
    FIT_FAMILIES,
    SHOWN_BYTES,
    ExpressionAxes,
    ExpressionError,
    Generator,
    SampleConfig,
    SampleFit,
    axes_lines,
    builtin_path,
    expect_unlabelled,
    fit_config,
    fit_labelled,
    fit_samples,
    need_of,
    need_to_draw,
    read_samples,
    sample_folder,
    sample_lines,
)
from . import host
from .face_sets import CODED_AT_ONCE, CodingOptions, from_batch, from_files, words_of
from .generators import generator_input, held_builtin
from .sentences import in_one_sentence
from .set_choices import face_sets, files_of, mark_of_set
from .sockets import CATEGORY, AxesSocket, HeldGenerator

FROM_INPUTS = "images and labels below"
FROM_SAMPLES = "the generator's own samples"
FROM_EXAMPLE, EXAMPLE = "example: a wink", builtin_path("examples/wink/faces.csv")
AS_USUAL, BY_VALUES = "as usual", "by their values"


class FitExpressionGLM(io.ComfyNode):
    """The core's fit_expressions on a folder's table or on an IMAGE batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_FitExpressionGLM",
            display_name="Fit Expression GLM (EmotionGAN)",
            category=CATEGORY,
            description="Learns what expressions change from labelled faces with a generalised linear model. Every "
            "expression, and neutral, needs 12 examples or more to move photos, and 40 of at least 5 people to change what the "
            "generator draws.",
            search_aliases=[
                "train expression",
                "learn expression",
                "learn direction",
                "glm",
                "regression",
                "interfacegan",
            ],
            inputs=[
                generator_input("The generator in whose codes the directions lie"),
                io.Combo.Input(
                    "face_set",
                    options=[FROM_INPUTS, FROM_SAMPLES, FROM_EXAMPLE, *face_sets()],
                    default=FROM_INPUTS,
                    tooltip="In ComfyUI's input folder: a folder in which folders named by expression, and neutral, hold pictures; or "
                    "a CSV, there or one folder further down, with columns file (beside the "
                    "CSV), expression and optionally person; the images and labels connected here; faces that the generator "
                    "draws itself, which need no labels; or the example, 24 small pictures of nobody, half of them winking.",
                ),
                io.Combo.Input(
                    "model",
                    options=["pattern", "readout"],
                    default="pattern",
                    tooltip="pattern: how the code changes with the expression, people set apart. "
                    "readout: how the expression is read off the code, stepped with least motion.",
                ),
                io.Boolean.Input(
                    "aligned",
                    default=False,
                    advanced=True,
                    tooltip="On when the pictures are already cut in the generator's frame; otherwise the largest face of "
                    "each is found, and pictures without a usable one are left out.",
                ),
                io.Image.Input("images", optional=True, tooltip="Faces to learn from; one label each."),
                io.String.Input(
                    "labels",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="neutral\nhappiness\n...",
                    tooltip="One expression per image, by line or comma; 'neutral' is what all others are compared with.",
                ),
                io.String.Input(
                    "people",
                    default="",
                    multiline=True,
                    optional=True,
                    advanced=True,
                    placeholder="anna\nanna\n...",
                    tooltip="Who each image shows, by line or comma; empty when all are different people.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(CODE_METHODS),
                    default="encode",
                    optional=True,
                    advanced=True,
                    tooltip="How the pictures become codes. encode: at once, by the generator's encoder. A generator without "
                    "one needs hybrid or optimise: many steps for every picture, which is a matter of hours without a GPU.",
                ),
                io.String.Input(
                    "scores",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Columns of numbers in the CSV, by comma: an axis for each, instead of the expressions. 0 to 1, levels "
                    "such as 0 to 4, or any other scale; how each was taken is in the report.",
                ),
                io.Int.Input(
                    "samples",
                    default=4000,
                    min=200,
                    max=1_000_000,
                    optional=True,
                    advanced=True,
                    tooltip="How many faces the generator draws where face_set is its own samples: about 0.15 s each. What was "
                    "read is kept in output/emotiongan_samples, so that a stopped fit goes on.",
                ),
                *_choices(),
            ],
            outputs=[
                AxesSocket.Output("axes", tooltip="The fitted axes, for Apply Expression and Save Expression Axes."),
                io.String.Output(
                    "report", tooltip="Each expression with its examples and how well the axis tells it apart."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, face_set: str = FROM_INPUTS, **others: object) -> str:
        return "" if face_set in (FROM_INPUTS, FROM_SAMPLES) else mark_of_set(_files(face_set))

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        face_set: str,
        model: str,
        aligned: bool,
        generator: HeldGenerator | None = None,
        images: Tensor | None = None,
        labels: str = "",
        people: str = "",
        method: str = "encode",
        scores: str = "",
        samples: int = 4000,
        neutral: str = "",
        covariates: str = "",
        hold: str = "",
        covariance: str = AS_USUAL,
        family: str = BY_VALUES,
    ) -> io.NodeOutput:
        if face_set != FROM_INPUTS:
            _expect_no_batch(
                face_set, images=images is not None, labels=bool(labels.strip()), people=bool(people.strip())
            )
        if face_set == FROM_SAMPLES:
            expect_unlabelled(
                {
                    "scores": scores,
                    "covariates": covariates,
                    "hold": hold,
                    "neutral": neutral.strip(),
                    "covariance": covariance != AS_USUAL,
                    "family": family != BY_VALUES,
                    "aligned": aligned,
                }
            )
            return _from_samples(generator or held_builtin(), model, samples)
        config = fit_config(
            scores=words_of(scores),
            covariates=words_of(covariates),
            hold=words_of(hold),
            family=None if family == BY_VALUES else family,
            covariance=next((one for one in FIT_COVARIANCES if one == covariance), None),
            model=_model(model),
        )
        generator = generator or held_builtin()
        how = CodingOptions(
            aligned=aligned,
            method=method,
            progress=host.progress(),
            scores=words_of(scores),
            covariates=words_of(covariates),
            neutral=neutral.strip(),
            config=config,
        )
        need = need_of(generator.generator, method, device=host.device_of(generator))

        def learn(network: Generator) -> tuple[ExpressionAxes, tuple[str, ...]]:
            if face_set == FROM_INPUTS:
                faces, told = from_batch(network, images, labels, people, how=how)
            else:
                faces, told = from_files(network, _files(face_set), how=how)
            return fit_labelled(faces, model=_model(model), config=config, progress=how.progress), told

        axes, told = host.at_work(generator, learn, bytes_needed=need.peak(CODED_AT_ONCE))
        return io.NodeOutput(axes, "\n".join([*axes_lines(axes), *told]))


def _expect_no_batch(face_set: str, **given: bool) -> None:
    """Refuse images and what is about them beside another face set, where nothing would come of them.

    Raises: ExpressionError.
    """
    asked = [name for name, came in given.items() if came]
    if asked:
        raise ExpressionError(
            f"{', '.join(asked)} came, and '{face_set}' is chosen as face_set, so nothing would come of that; choose "
            f"'{FROM_INPUTS}', or leave it out"
        )


def _choices() -> list[io.Input]:
    """What else a fit can be told, as on the command line."""
    return [
        io.String.Input(
            "neutral",
            default="",
            optional=True,
            advanced=True,
            tooltip="The label that stands for 'neutral', with which all others are compared, if it is another word.",
        ),
        io.String.Input(
            "covariates",
            default="",
            optional=True,
            advanced=True,
            tooltip="Columns of the CSV that tell what differs besides the expression, by comma: age, yaw, camera. Numbers, or "
            "two words. Their part is kept out of the axes.",
        ),
        io.String.Input(
            "hold",
            default="",
            optional=True,
            advanced=True,
            tooltip="What every axis shall leave still, by comma: a covariate named above, another expression, or identity.",
        ),
        io.Combo.Input(
            "covariance",
            options=[AS_USUAL, *FIT_COVARIANCES],
            default=AS_USUAL,
            optional=True,
            advanced=True,
            tooltip="With the model readout: in which covariance of the codes steps are shortest. as usual: within, where "
            "people are told apart, else latent. within: how one person's codes differ. latent: how all differ. identity: no "
            "covariance, plain distance.",
        ),
        io.Combo.Input(
            "family",
            options=[BY_VALUES, *FIT_FAMILIES],
            default=BY_VALUES,
            optional=True,
            advanced=True,
            tooltip="What kind of numbers the scores are, where their values suggest another. multinomial is for expressions: "
            "they are read off together, instead of each against neutral.",
        ),
    ]


def _files(face_set: str) -> Path:
    """The CSV, or the folder with folders in it, behind a choice."""
    return EXAMPLE if face_set == FROM_EXAMPLE else files_of(face_set)


def _from_samples(generator: HeldGenerator, model: str, count: int) -> io.NodeOutput:
    """Axes from faces that the generator draws itself."""
    config, progress = SampleConfig(count=count), host.progress()
    need = need_to_draw(generator.generator.spec, device=host.device_of(generator))
    folder = host.samples_folder()

    def learn(network: Generator) -> SampleFit:
        table = read_samples(network, config, sample_folder(folder, network, config), progress=progress)
        assert table is not None  # this is the only process
        return fit_samples(network, table, model=_model(model), progress=progress)

    fit = host.at_work(generator, learn, bytes_needed=need.peak(count, most=SHOWN_BYTES))
    return io.NodeOutput(fit.axes, "\n".join(sample_lines(fit)))


def _model(name: str) -> Literal["readout", "pattern"]:
    """A choice as the core's type."""
    return "readout" if name == "readout" else "pattern"
