"""Networks of the user by which pictures are compared, as inputs of nodes that can do without."""

from __future__ import annotations

from comfy_api.latest import io

from ..emogan_core import FaceRecogniser, Likeness, load_perceptual, load_recogniser
from . import host

NONE = "none"


def perceptual_input() -> io.Input:
    """A file with VGG16, AlexNet or LPIPS, which need not be there."""
    return _file_input(
        "perceptual",
        "A network of yours in models/emotiongan_likeness by which redrawings are compared with photos as well: torchvision's "
        "VGG16 or AlexNet as weights, or all of LPIPS. The report tells the distance. Takes several times as long.",
    )


def identity_input(tooltip: str) -> io.Input:
    """A file with ArcFace, which need not be there."""
    return _file_input("identity", f"ArcFace of yours (model_ir_se50.pth) in models/emotiongan_likeness: {tooltip}")


def checked_files(*names: str) -> bool | str:
    """For `validate_inputs`: True, or the sentence about a choice that is no file."""
    absent = [name for name in names if name != NONE and name not in host.files_in(host.LIKENESS)]
    return host.absence(host.LIKENESS, absent[0]) if absent else True


def mark_of_files(*names: str) -> str:
    """For `fingerprint_inputs`: a text that changes when one of these files does."""
    return "\n".join(host.mark_of(host.chosen_path(host.LIKENESS, name)) for name in names if name != NONE)


def likeness_of(perceptual: str, identity: str) -> Likeness:
    """The networks of two choices.

    Raises: EmoganError when a file is not there; CheckpointError when it is another kind.
    """
    network = None if perceptual == NONE else load_perceptual(host.chosen_path(host.LIKENESS, perceptual))
    return Likeness(perceptual=network, identity=recogniser_of(identity))


def recogniser_of(identity: str) -> FaceRecogniser | None:
    """The face recogniser of a choice.

    Raises: as `likeness_of`.
    """
    return None if identity == NONE else load_recogniser(host.chosen_path(host.LIKENESS, identity))


def _file_input(name: str, tooltip: str) -> io.Input:
    return io.Combo.Input(
        name, options=[NONE, *host.files_in(host.LIKENESS)], default=NONE, optional=True, advanced=True, tooltip=tooltip
    )
