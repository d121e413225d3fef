"""A generator that draws with a tuning delta, beside the one that it was tuned from."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from ..deltas import Delta
from ..devices import gradients_off
from ..errors import ShapeError
from ..latents import expect_same_space
from ..wording import counted
from .build import Generator
from .memory import Need, need_to_invert

COPIES = 4  # of the weights that a delta changes, alive at once while tuning


def tunable(generator: Generator) -> dict[str, Tensor]:
    """The weights that a delta may change, by name: the kernels of the synthesis' convolutions, [o, i, k, k]."""
    named = generator.synthesis.named_parameters()
    return {name: weight for name, weight in named if weight.ndim == 4 and name.endswith("weight")}


def with_delta(generator: Generator, delta: Delta | None) -> Generator:
    """The generator with one face's delta on its weights, or the generator itself where there is none.

    A second set of modules around the same tensors, those aside that the delta changes: nothing of `generator` is
    written, so that several faces may be drawn from one generator at once.
    Raises: SpaceMismatch for a delta of another generator; ShapeError when it holds several faces or other weights.
    """
    if delta is None:
        return generator
    expect_same_space("the delta", delta.fingerprint, "the generator", generator.fingerprint)
    _expect_fit(generator, delta)
    weights = tunable(generator)
    with gradients_off():
        changed = {
            id(weights[name]): nn.Parameter(added(weights[name], left[0], right[0]), requires_grad=False)
            for name, (left, right) in delta.factors.items()
        }
        return shallow_copy(generator, changed)


def added(weight: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """A weight [o, i, k, k] with the product of left [o, r] and right [r, i * k * k] added."""
    product = left.to(weight) @ right.to(weight)
    return weight + product.view(weight.shape)


def shallow_copy(generator: Generator, changed: dict[int, nn.Parameter]) -> Generator:
    """Second modules around the generator's own tensors, or around what `changed` has in their places, by their ids."""
    kept: dict[int, object] = {id(one): one for one in [*generator.parameters(), *generator.buffers()]}
    found: Generator = copy.deepcopy(generator, kept | changed)  # what the memo holds is taken as it is
    return found


def tuned_bytes(generator: Generator) -> int:
    """What the changed weights take beside the generator's own."""
    return sum(weight.numel() * weight.element_size() for weight in tunable(generator).values())


def need_to_tune(generator: Generator, *, device: str = "cuda") -> Need:
    """The memory that tuning takes beside the weights: the codes of a group, then two pictures of each face in turn.

    The changed weights exist once, with their gradients and what makes them.
    """
    codes = need_to_invert(generator, device=device)
    return Need(codes.each, codes.fixed + codes.each + COPIES * tuned_bytes(generator))


def _expect_fit(generator: Generator, delta: Delta) -> None:
    if len(delta) != 1:
        raise ShapeError(
            f"a delta of {counted(len(delta), 'face')} came; a generator draws with one, pick it with inversion[i]"
        )
    weights = tunable(generator)
    for name, (left, right) in delta.factors.items():
        shape = tuple(weights[name].shape) if name in weights else ()
        if not shape or (left.shape[1], right.shape[2]) != (shape[0], weights[name][0].numel()):
            raise ShapeError(
                f"a delta changes '{name[:60]}' as {(left.shape[1], right.shape[2])}, this generator has "
                f"{shape or 'no such weight'}; tune the face again with it"
            )
