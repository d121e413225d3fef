"""Networks of the user that say how alike two pictures are: LPIPS with VGG16 or AlexNet, and ArcFace. None ships.

Files are read as generators are: as inert values, whatever their names; no code in them is run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import CheckpointError
from ..networks.irse import MAX_BLOCKS, MAX_SIDE, RGB
from ..networks.perceptual import TRUNKS, UNWEIGHTED, PerceptualNet
from ..networks.recogniser import FaceRecogniser
from ..wording import counted
from .kinds import kind_of_names, kind_of_start, names_in
from .pickles import NEEDED, untrusted
from .readers import open_contents
from .reading.residuals import COUNTERS, body_tensors, norm_of, stages_in, stem_tensors
from .reading.tables import StateDict, state_dict_with
from .reading.weights import ForeignWeights
from .starts import is_foreign, is_safetensors, start_of

NEEDED_PERCEPTUAL = (
    "needed torchvision's VGG16 or AlexNet as weights (vgg16-397923af.pth), alone or with LPIPS' linear layers"
)
NEEDED_IDENTITY = "needed ArcFace's IR-SE50 as weights (model_ir_se50.pth)"
MAX_WIDTH = 4096
IN_COMFYUI = "it goes into models/emotiongan_likeness, for Invert Face and Compare Edit"
_LINEAR = "lin{}.model.1.weight"
_MARKS = ("features.0.weight", "net.slice1.0.weight", "slice1.0.weight", "lin0.model.1.weight")
_BARE, _ALSO_BARE = "0.weight", "10.weight"  # what is left of both by `features.state_dict()`
_CONVOLUTION = re.compile(r"(?:features\.|(?:net\.)?slice[1-5]\.)?(\d+)\.(weight|bias)")
_UNUSED = re.compile(r"classifier\.|lins\.|scaling_layer\.")  # the first of torchvision, the others said twice by LPIPS
N = TypeVar("N", bound=nn.Module)


def load_perceptual(path: Path, linear: Path | None = None) -> PerceptualNet:
    """LPIPS on the CPU from the weights of its classifier, and its linear layers from the same file or one of their own.

    Convention: read are torchvision's VGG16 and AlexNet, or their features alone, and what the package lpips saves; without
    linear layers every channel counts alike, as in that package's baseline, of which the distance is a tenth.
    Raises: CheckpointError when a file is missing, damaged, hostile or another kind.
    """
    table = _table(path, _MARKS, NEEDED_PERCEPTUAL, bare=True)
    entries = dict(table.entries)
    if linear is not None:
        entries |= _table(linear, ("lin0.model.1.weight",), "needed LPIPS' linear layers (vgg.pth or alex.pth)").entries
    return _read(path, lambda: _perceptual(entries), NEEDED_PERCEPTUAL)


def load_recogniser(path: Path) -> FaceRecogniser:
    """ArcFace's face recogniser on the CPU.

    Raises: CheckpointError when the file is missing, damaged, hostile or another kind.
    """
    table = _table(path, ("input_layer.0.weight",), NEEDED_IDENTITY)
    return _read(path, lambda: _recogniser(ForeignWeights(table.entries)), NEEDED_IDENTITY)


def likeness_facts(path: Path) -> dict[str, object] | None:
    """What a network that compares pictures is and what it is for, plain values only; None for any other file."""
    for facts_of in (_perceptual_facts, _linear_facts, _recogniser_facts):
        with suppress(CheckpointError):
            return facts_of(path)
    return None


def _perceptual_facts(path: Path) -> dict[str, object]:
    network = load_perceptual(path)
    alike = all(bool((one == UNWEIGHTED).all()) for one in network.linear)
    return {
        "kind": "network that compares pictures",
        "network": network.kind if alike else f"LPIPS on {network.kind}",
        "linear_layers": "not in this file; give those of LPIPS as a second --perceptual, or all count alike"
        if alike
        else "in this file",
        "parameters": sum(one.numel() for one in network.parameters()),
        "use": f"--perceptual {path.name} of emogan edit and invert; in ComfyUI {IN_COMFYUI}",
    }


def _linear_facts(path: Path) -> dict[str, object]:
    table = _table(path, (_LINEAR.format(0),), NEEDED_PERCEPTUAL)
    widths = [ForeignWeights(table.entries).shape(_LINEAR.format(depth), dims=4)[1] for depth in range(5)]
    return {
        "kind": "LPIPS' linear layers alone",
        "channels": widths,
        "use": f"a second --perceptual {path.name} after that of their network, VGG16 or AlexNet",
    }


def _recogniser_facts(path: Path) -> dict[str, object]:
    network = load_recogniser(path)
    return {
        "kind": "face recogniser (ArcFace)",
        "input": network.side,
        "descriptor": network.to_descriptor.out_features,
        "parameters": sum(one.numel() for one in network.parameters()),
        "use": f"--identity {path.name} of emogan edit and invert; in ComfyUI {IN_COMFYUI}",
    }


def _table(path: Path, marks: tuple[str, ...], needed: str, *, bare: bool = False) -> StateDict:
    """The file's state dict; with `bare` a classifier's features under their numbers alone as well.

    Raises: CheckpointError, with what is needed here.
    """
    if not path.exists():
        raise CheckpointError(f"there is no file at {path}; {needed}")
    try:
        start = start_of(path)
        if not is_foreign(start) and not is_safetensors(start):
            what = kind_of_start(start) or f"no file of weights known here (it starts with {start[:4]!r})"
            raise CheckpointError(f"{path.name} is {what}")
        contents = open_contents(path)
    except CheckpointError as error:
        text = str(error)
        raise CheckpointError(text.replace(NEEDED, needed) if NEEDED in text else f"{text}; {needed}") from error
    top = contents.top if isinstance(contents.top, dict) else {}
    with untrusted(path):
        found = state_dict_with(contents.top, *marks)
        kind = kind_of_names(names_in(top)) if found is None else None
        if bare and found is None and kind is None:
            found = state_dict_with(contents.top, _BARE)
            found = found if found is not None and _ALSO_BARE in found.entries else None
    if found is None:
        names = ", ".join(f"{name[:40]!a}" for name in list(top)[:4]) or "no table of weights"
        raise CheckpointError(f"{path.name} {f'seems to be {kind}' if kind else f'holds {names}'}; {needed}")
    return found


def _read(path: Path, read: Callable[[], N], needed: str) -> N:
    """A network, frozen; what is wrong with the file gets its name and what is needed.

    Raises: CheckpointError.
    """
    try:
        with torch.inference_mode(False), torch.no_grad(), untrusted(path):
            return read().eval().requires_grad_(False)
    except CheckpointError as error:
        raise CheckpointError(f"{error}; {needed}") from error


def _perceptual(table: Mapping[str, object]) -> PerceptualNet:
    numbered: dict[str, object] = {}
    for name, value in table.items():
        if found := _CONVOLUTION.fullmatch(name):
            numbered[f"{found[1]}.{found[2]}"] = value
        elif not _UNUSED.match(name):
            numbered[name] = value
    weights = ForeignWeights(numbered)
    present = {int(name.removesuffix(".weight")) for name in numbered if re.fullmatch(r"\d+\.weight", name)}
    kind = next((kind for kind, trunk in TRUNKS.items() if present == {n for s in trunk.numbers for n in s}), None)
    if kind is None:
        what = "LPIPS' linear layers alone, which come second" if not present else "another classifier"
        count = sum(getattr(numbered[f"{number}.weight"], "ndim", 4) == 4 for number in present)  # not its norms
        raise CheckpointError(f"it holds {what} ({counted(count, 'convolution')})")
    trunk, tensors, inner = TRUNKS[kind], dict[str, Tensor](), RGB
    widths: list[list[int]] = []
    for depth, numbers in enumerate(trunk.numbers):
        widths.append([])
        for place, number in enumerate(numbers):
            width, kernel = weights.shape(f"{number}.weight", dims=4)[0], trunk.sizes[depth][0]
            tensors[f"stages.{depth}.{place}.weight"] = weights.take(f"{number}.weight", width, inner, kernel, kernel)
            tensors[f"stages.{depth}.{place}.bias"] = weights.take(f"{number}.bias", width)
            widths[-1].append(width)
            inner = width
        tensors[f"linear.{depth}"] = _linear(weights, depth, inner)
    if max(map(max, widths)) > MAX_WIDTH:
        raise CheckpointError(f"it has layers of {max(map(max, widths))} channels; needed at most {MAX_WIDTH}")
    weights.expect_all_taken()
    with torch.device("meta"):
        network = PerceptualNet(kind, widths)
    network.load_state_dict(tensors, assign=True)
    return network


def _linear(weights: ForeignWeights, depth: int, width: int) -> Tensor:
    """How much each channel counts; 1 for all where the file has no linear layers.

    Raises: CheckpointError.
    """
    if _LINEAR.format(0) not in weights:
        return torch.full((width,), UNWEIGHTED)
    found = weights.take(_LINEAR.format(depth), 1, width, 1, 1).flatten()
    if float(found.min()) < 0:
        raise CheckpointError("its linear layers have weights below 0, which make no distance; the file is damaged")
    return found


def _recogniser(weights: ForeignWeights) -> FaceRecogniser:
    if "output_layer.3.weight" not in weights:
        raise CheckpointError("it is the start of a face recogniser without its last layer, as encoders are built on")
    stem, inputs = weights.shape("input_layer.0.weight", dims=4)[:2]
    stages = stages_in(weights)
    if not 3 <= len(stages) <= 6 or sum(one.blocks for one in stages) > MAX_BLOCKS or inputs != RGB:
        raise CheckpointError(f"it reads {inputs} channels through blocks of {len(stages)} widths; needed 3 and 3 to 6")
    if min(one.squeezed for one in stages) < 1:
        raise CheckpointError("its residual blocks have no gates")
    top = stages[-1].width
    outputs, inner = weights.shape("output_layer.3.weight", dims=2)
    last_side = math.isqrt(inner // top)
    if last_side**2 * top != inner or not 1 <= last_side << len(stages) <= MAX_SIDE:
        raise CheckpointError(f"its last layer takes {inner} numbers, which are no map of {top} channels")
    tensors = stem_tensors(weights, stem, inputs=RGB) | body_tensors(weights, stem, stages)
    before, after = norm_of(weights, "output_layer.0", top), norm_of(weights, "output_layer.4", outputs)
    kernel = weights.take("output_layer.3.weight", outputs, inner).double()
    scale, shift = (part.repeat_interleave(last_side**2) for part in before)  # of a map that is laid out flat
    bias = weights.take("output_layer.3.bias", outputs).double() + kernel @ shift
    tensors["to_descriptor.weight"] = (after[0][:, None] * kernel * scale).float()
    tensors["to_descriptor.bias"] = (after[0] * bias + after[1]).float()
    weights.expect_all_taken(ignored=COUNTERS)
    with torch.device("meta"):
        network = FaceRecogniser(stem, stages, last_side=last_side, outputs=outputs)
    network.load_state_dict(tensors, assign=True)
    return network
