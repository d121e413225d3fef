"""What the readers of other programs' weights share: taking tensors by name, and filling in what a file lacks."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.mapping import Mapping, sampled_w
from ...networks.spec import MAX_RESOLUTION, GeneratorSpec
from ...weights import is_finite
from .canonical import CanonicalCheckpoint

AVERAGE_SAMPLES = 10_000
AVERAGE_SEED = 0
MAX_ELEMENTS = 1 << 28
MAX_AGAIN = 1 << 26  # numbers that names share with others
UNKNOWN_LICENCE = "unknown: ask whoever made the file"


class ForeignWeights:
    """A foreign state dict from which every tensor is taken once, as float32 of its own memory.

    Convention: `place` is how errors call it, for example "ffhq.pt (g_ema)".
    """

    def __init__(self, entries: MappingOf[str, object], *, place: str) -> None:
        self.entries, self.place = entries, place
        self.taken: set[str] = set()
        self._copied: set[int] = set()
        self._again = 0

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def shape(self, name: str, *, dims: int) -> tuple[int, ...]:
        """A tensor's shape, once it is known to be an ordinary tensor of `dims` axes.

        Raises: CheckpointError.
        """
        found = self.entries.get(name)
        if not isinstance(found, Tensor):
            what = "is missing" if found is None else f"is a {type(found).__name__}"
            raise CheckpointError(
                f"{self.place}: {name[:100]!a} {what}, needed a tensor; the file is incomplete or another kind"
            )
        plain = found.layout == torch.strided and found.is_floating_point() and not found.is_quantized
        if not plain or found.ndim != dims or not 0 < found.numel() <= MAX_ELEMENTS:
            raise CheckpointError(
                f"{self.place}: {name[:100]!a} is {found.dtype} {list(found.shape)[:8]}; needed floating point "
                f"with {dims} axes and at most {MAX_ELEMENTS} numbers; this is another kind of network"
            )
        return tuple(found.shape)

    def take(self, name: str, *shape: int) -> Tensor:
        """A finite tensor of just this shape.

        Raises: CheckpointError.
        """
        came = self.shape(name, dims=len(shape))
        found = self.entries[name]
        assert isinstance(found, Tensor)
        if came != shape:
            raise CheckpointError(
                f"{self.place}: {name[:100]!a} is {list(came)}, needed {list(shape)} beside the other weights; "
                "the network is of a kind not read here"
            )
        self._spend(name, found)
        tensor = torch.empty(shape).copy_(found.detach())
        if not is_finite(tensor):
            raise CheckpointError(
                f"{self.place}: {name[:100]!a} holds NaN or infinity; the file is damaged, get it again"
            )
        self.taken.add(name)
        return tensor

    def _spend(self, name: str, found: Tensor) -> None:
        """Under many names one tensor of a small file would fill any memory."""
        if id(found) in self._copied:
            self._again += found.numel()
        self._copied.add(id(found))
        if self._again > MAX_AGAIN:
            raise CheckpointError(
                f"{self.place}: {name[:100]!a} shares its numbers with other names, more than {MAX_AGAIN} numbers so far; "
                "no generator file does that, get another one"
            )

    def count(self, pattern: str, *, start: int = 0) -> int:
        """How many consecutive names there are, `pattern` holding one place for the number."""
        number = start
        while pattern.format(number) in self.entries:
            number += 1
        return number - start

    def expect_all_taken(self, *, ignored: tuple[str, ...]) -> None:
        """Everything must have found its place, except names that end in one of `ignored`.

        Raises: CheckpointError.
        """
        left = [name for name in self.entries if name not in self.taken and not name.endswith(ignored)]
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            names = ", ".join(f"{name[:60]!a}" for name in left[:5])
            raise CheckpointError(
                f"{self.place}: cannot use {names}{more}; this variant of the network is not read here"
            )


def resolution_of(blocks: int, *, place: str) -> int:
    """Side of the pictures that `blocks` blocks from 4 px up draw.

    Raises: CheckpointError.
    """
    if not 2 <= blocks <= MAX_RESOLUTION.bit_length() - 2:
        raise CheckpointError(f"{place} has {blocks} resolutions; needed 2 (8 px) to 10 ({MAX_RESOLUTION} px)")
    return 4 << (blocks - 1)


def told_of_silence(layers: int) -> list[str]:
    """A notice when layers have no noise at all."""
    said = f"{layers} layers have no noise; they are given noise of strength 0, which draws the same pictures"
    return [said] if layers else []


def told_of_judge(reason: CheckpointError) -> str:
    """A notice that the generator is read without its discriminator."""
    return f"the discriminator is left out, pictures are compared without it: {reason}"


def completed(spec: GeneratorSpec, tensors: dict[str, Tensor], *, notices: list[str]) -> CanonicalCheckpoint:
    """The checkpoint, with silent noise and a computed average where the file had none, each told in a notice."""
    missing: list[str] = []
    for index, side in enumerate(spec.resolutions):
        noisy = ("conv0", "conv1") if index or spec.architecture == "stylegan1" else ("conv1",)
        for layer in noisy:
            name = f"synthesis.b{side}.{layer}.noise_const"
            if name not in tensors:
                tensors[name] = torch.zeros(side, side)
                missing.append(name)
    if missing:
        notices.append(
            f"the file lacks {len(missing)} noise maps; zeros are used, so fine texture is a little smoother"
        )
    if "mapping.w_avg" not in tensors:
        tensors["mapping.w_avg"] = _average_code(spec, tensors)
        notices.append(f"the file lacks the average latent; it was computed from {AVERAGE_SAMPLES} seeded samples")
        missing.append("mapping.w_avg")
    return CanonicalCheckpoint(
        replace(spec, licence=UNKNOWN_LICENCE), tensors, notices=tuple(notices), computed=tuple(missing)
    )


def _average_code(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> Tensor:
    mapping = Mapping(spec)
    own = {name.removeprefix("mapping."): tensor for name, tensor in tensors.items() if name.startswith("mapping.")}
    mapping.load_state_dict({**own, "w_avg": torch.zeros(spec.w_dim)})
    return sampled_w(mapping, count=AVERAGE_SAMPLES, seed=AVERAGE_SEED).mean(0)
