"""Nodes that keep inversions as files and bring them back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from comfy_api.latest import io

from ..emogan_core import CheckpointError, Inversion, expect_same_space, load_inversion, save_inversion
from . import host
from .generators import generator_input, held_builtin
from .sentences import in_one_sentence
from .sockets import CATEGORY, HeldGenerator, HeldInversion, LatentSocket, Places


class SaveInversion(io.ComfyNode):
    """The core's save_inversion, with the places of the faces, into the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_SaveInversion",
            display_name="Save Inversion (EmotionGAN)",
            category=CATEGORY,
            description="Saves what Invert Face found to emotiongan_inversions in the output folder, where Load Inversion finds "
            "it, so that a photo need not be inverted again. The file holds the cut faces: keep it as private as the photo.",
            search_aliases=["save latent", "keep inversion", "save face"],
            is_output_node=True,
            inputs=[
                LatentSocket.Input("inversion", tooltip="From Invert Face or Sample Faces."),
                io.String.Input(
                    "name", default="my_face", tooltip="Name of the file; a number is added, nothing is overwritten."
                ),
            ],
            outputs=[],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, inversion: HeldInversion, name: str) -> io.NodeOutput:
        target, places = host.new_path(host.INVERSIONS, name), inversion.places
        notes = {"count": places.count, "size": places.size, "rows": places.rows, "marks": places.marks}
        save_inversion(target, inversion.inversion, notes={"places": json.dumps(notes)})
        return io.NodeOutput(ui=host.saved(target))


class LoadInversion(io.ComfyNode):
    """The core's load_inversion, for the generator it belongs to."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_LoadInversion",
            display_name="Load Inversion (EmotionGAN)",
            category=CATEGORY,
            description="Loads what Save Inversion wrote, in the place of Invert Face. Every edit still needs the photo.",
            search_aliases=["load latent", "load face"],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.inversions(),
                    tooltip="Files of Save Inversion in the output folder, or in models/emotiongan_inversions.",
                ),
                generator_input("The generator with which the photo was inverted"),
            ],
            outputs=[LatentSocket.Output("inversion", tooltip="Codes and places of the faces, for Apply Expression.")],
        )

    @classmethod
    def validate_inputs(cls, name: str) -> bool | str:
        return True if name in host.inversions() else host.absence(host.INVERSIONS, name)

    @classmethod
    def fingerprint_inputs(cls, name: str, **others: object) -> str:
        return host.mark_of(host.chosen_path(host.INVERSIONS, name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str, generator: HeldGenerator | None = None) -> io.NodeOutput:
        generator = generator or held_builtin()
        inversion, notes = load_inversion(host.chosen_path(host.INVERSIONS, name))
        expect_same_space(
            f"the inversion {name}", inversion.latent.fingerprint, "the generator", generator.generator.fingerprint
        )
        return io.NodeOutput(HeldInversion(inversion, generator, _places(name, notes, inversion)))


def _places(name: str, notes: Mapping[str, str], inversion: Inversion) -> Places:
    """Where the faces lie.

    Raises: CheckpointError when the file does not say so.
    """
    try:
        told = json.loads(notes["places"])
        height, width = (int(side) for side in told["size"])
        rows, marks = tuple(int(row) for row in told["rows"]), tuple(str(mark) for mark in told["marks"])
        count = int(told["count"])
        if not len(rows) == len(marks) == len(set(rows)) == len(inversion) or not all(0 <= row < count for row in rows):
            raise ValueError("other numbers of faces and places")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{name} does not say in which pictures its faces lie ({type(error).__name__}); give a file that Save "
            "Inversion wrote"
        ) from error
    return Places(count, (height, width), rows, marks)
