"""The node that writes any generator as a file of ours."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import io, ui

from ..emogan_core import (
    FRAMES,
    ConversionOptions,
    LoadedCheckpoint,
    brief,
    convert_generator,
    is_conversion,
    open_generator,
    sha256_of,
    summarised,
)
from . import host
from .generators import source_of
from .sentences import in_one_sentence
from .sockets import CATEGORY, GeneratorSocket

AS_READ = "as read"


class ConvertGenerator(io.ComfyNode):
    """The core's convert_generator, into the output folder, where Load Generator looks as well."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_ConvertGenerator",
            display_name="Convert Generator (EmotionGAN)",
            category=CATEGORY,
            description="Writes a generator as one .safetensors file to stylegan in the output folder, where Load Generator "
            "finds it after a refresh: it opens faster, can be shared, and can hold no code.",
            search_aliases=["pkl to safetensors", "convert stylegan", "export generator", "save generator"],
            is_output_node=True,
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.choices(host.GENERATORS),
                    default=host.BUILTIN,
                    tooltip="The file to convert: the same choice as in Load Generator.",
                ),
                io.String.Input(
                    "save_as",
                    default="",
                    tooltip="Name of the new file, or nothing to call it as the old one. Another file of that name is never "
                    "written over: a number is added.",
                ),
                io.Boolean.Input(
                    "fp16",
                    default=False,
                    tooltip="Off keeps every bit. On rounds the weights to half the size; latents and axes of the original "
                    "then no longer fit.",
                ),
                io.Combo.Input(
                    "crop",
                    options=[AS_READ, *FRAMES],
                    default=AS_READ,
                    optional=True,
                    advanced=True,
                    tooltip="The frame in which its training pictures were cut, which no file tells: ffhq shows the head with "
                    "some room, as nearly all published networks of faces; tight is brow to chin.",
                ),
                io.String.Input(
                    "licence",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Its terms, if the file does not tell them; kept in the new file.",
                ),
            ],
            outputs=[
                GeneratorSocket.Output("generator", tooltip="The generator as the new file holds it."),
                io.String.Output("path", tooltip="Where the new file lies."),
                io.String.Output(
                    "report",
                    tooltip="Name, architecture, licence as far as known, fingerprint, hashes, and what the old file lacked.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, name: str = host.BUILTIN) -> bool | str:
        return host.checked(host.GENERATORS, name)

    @classmethod
    def fingerprint_inputs(cls, name: str, **others: object) -> str:
        return host.mark_of(source_of(name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str, save_as: str, fp16: bool, crop: str = AS_READ, licence: str = "") -> io.NodeOutput:
        source = source_of(name)
        sha256, options = (
            sha256_of(source),
            ConversionOptions(half=fp16, crop="" if crop == AS_READ else crop, licence=licence),
        )
        target = host.free_generator_path(
            save_as if save_as.strip() else source.stem + ("_fp16" if fp16 else ""),
            may_be=lambda path: is_conversion(path, source_sha256=sha256, options=options),
        )
        opened, first = _converted(source, target, options)
        told = summarised(opened, sha256=sha256_of(target))
        report = "\n".join([first, *told, f"converted from sha256: {sha256}"])
        shown = {**ui.PreviewText(report).as_dict(), **host.told([first, *brief(opened, sha256=sha256)])}
        return io.NodeOutput(host.hold(opened.generator), str(target), report, ui=shown)


def _converted(source: Path, target: Path, options: ConversionOptions) -> tuple[LoadedCheckpoint, str]:
    """The new file, opened, and the sentence about what was done; one that is there already is left as it is."""
    if target.exists():
        return open_generator(target), f"{target.name} was there already, made of the same file: nothing was written"
    done = convert_generator(source, target, options=options)
    told = f"wrote {target.name}, {done.precision}"
    if not done.same_fingerprint:
        told += "; rounding changed the fingerprint: latents and axes of the original do not fit this file"
    return LoadedCheckpoint(done.generator, target, own=True, notices=done.notices), told
