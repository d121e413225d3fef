"""Nodes that fit, load and save expression axes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import (
    CODE_METHODS,
    SHOWN_BYTES,
    ExpressionAxes,
    Generator,
    SampleConfig,
    SampleFit,
    axes_lines,
    builtin_path,
    fit_labelled,
    fit_samples,
    load_axes,
    need_of,
    need_to_draw,
    read_samples,
    sample_folder,
    sample_lines,
    save_axes,
)
from . import host
from .face_sets import CODED_AT_ONCE, CodingOptions, from_batch, from_table, words_of
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, GeneratorSocket, HeldGenerator

FROM_INPUTS = "images and labels below"
FROM_SAMPLES = "the generator's own samples"


class LoadAxes(io.ComfyNode):
    """A file to expression axes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_LoadAxes",
            display_name="Load Expression Axes (EmotionGAN)",
            category=CATEGORY,
            description="Loads expression axes: what each expression changes. The built-in ones need no fit; they move photos with "
            "every generator, and what is drawn with the built-in one.",
            search_aliases=[
                "expression directions",
                "emotion directions",
                "load directions",
                "emotion",
                "smile",
                "happy",
            ],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.choices(host.AXES),
                    default=host.BUILTIN,
                    tooltip="'builtin' are the axes that come with EmotionGAN; others are .safetensors files in "
                    "models/emotiongan_axes, or saved by Save Expression Axes.",
                ),
            ],
            outputs=[
                AxesSocket.Output("axes", tooltip="The axes, for Apply Expression."),
                io.String.Output(
                    "report", tooltip="Each expression with its examples and how well the axis tells it apart."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, name: str = host.BUILTIN) -> bool | str:
        return host.checked(host.AXES, name)

    @classmethod
    def fingerprint_inputs(cls, name: str) -> str:
        return host.mark_of(_source(name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str) -> io.NodeOutput:
        axes = load_axes(host.BUILTIN if name == host.BUILTIN else _source(name))
        return io.NodeOutput(axes, "\n".join(axes_lines(axes)))


class SaveAxes(io.ComfyNode):
    """Expression axes to a file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_SaveAxes",
            display_name="Save Expression Axes (EmotionGAN)",
            category=CATEGORY,
            description="Saves axes to emotiongan_axes in the output folder, where Load Expression Axes finds them.",
            search_aliases=["save directions", "export axes"],
            is_output_node=True,
            inputs=[
                AxesSocket.Input("axes", tooltip="Axes from Fit Expression GLM."),
                io.String.Input(
                    "name", default="my_axes", tooltip="Name of the file; a number is added, nothing is overwritten."
                ),
            ],
            outputs=[],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, axes: ExpressionAxes, name: str) -> io.NodeOutput:
        target = host.new_path(host.AXES, name)
        save_axes(target, axes)
        return io.NodeOutput(ui=ui.PreviewText(f"saved {target.name}"))


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
                GeneratorSocket.Input("generator", tooltip="The generator in whose codes the directions lie."),
                io.Combo.Input(
                    "face_set",
                    options=[FROM_INPUTS, FROM_SAMPLES, *host.face_set_tables()],
                    default=FROM_INPUTS,
                    tooltip="A CSV file in ComfyUI's input folder, or one folder further down, with columns file (beside the "
                    "CSV), expression and optionally person; the images and labels connected here; or faces that the "
                    "generator draws itself, which need no labels.",
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
        return (
            "" if face_set in (FROM_INPUTS, FROM_SAMPLES) else host.mark_of_folder(host.face_set_table(face_set).parent)
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        generator: HeldGenerator,
        face_set: str,
        model: str,
        aligned: bool,
        images: Tensor | None = None,
        labels: str = "",
        people: str = "",
        method: str = "encode",
        scores: str = "",
        samples: int = 4000,
    ) -> io.NodeOutput:
        if face_set == FROM_SAMPLES:
            return _from_samples(generator, model, samples)
        how = CodingOptions(aligned=aligned, method=method, progress=host.progress(), scores=words_of(scores))
        need = need_of(generator.generator, method, device=host.device_of(generator))

        def learn(network: Generator) -> tuple[ExpressionAxes, tuple[str, ...]]:
            if face_set == FROM_INPUTS:
                faces, told = from_batch(network, images, labels, people, how=how)
            else:
                faces, told = from_table(network, host.face_set_table(face_set), how=how)
            return fit_labelled(faces, model=_model(model), progress=how.progress), told

        axes, told = host.at_work(generator, learn, bytes_needed=need.peak(CODED_AT_ONCE))
        return io.NodeOutput(axes, "\n".join([*axes_lines(axes), *told]))


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


def _source(name: str) -> Path:
    """The file behind a choice."""
    return builtin_path("axes.safetensors") if name == host.BUILTIN else host.chosen_path(host.AXES, name)
