"""A file, what its own program makes of it, and how far ours is from that."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.networks import Generator

PSI = 0.7
SLOW = ("mapping.fc", "mapping.dense", "style.")  # layers that learn a hundredth as fast hold numbers as much larger
Net = Any  # a network of another program
Draw = Callable[[Tensor], Tensor]
ByClass = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A file and its own program's network.

    Convention: `draw` ws -> pictures; `sample` z, c -> pictures at PSI; `discriminator` pictures, c -> logits; `encode` pictures
    of 256 px -> ws; all in `dtype`. Those that are None are not compared.
    """

    kind: str
    path: Path
    draw: Draw | None = None
    sample: ByClass | None = None
    discriminator: ByClass | None = None
    encode: Draw | None = None
    dtype: torch.dtype = torch.float32


Twins = Iterator[Twin]


@torch.no_grad()
def differences(twin: Twin) -> dict[str, float]:
    """The largest difference of each output, as a share of its range."""
    ours = load_generator(twin.path).to(twin.dtype)
    spec, rng = ours.spec, torch.Generator().manual_seed(1)
    found: dict[str, float] = {}
    count = 3 if spec.resolution < 512 else 1
    if twin.draw is not None:
        ws = torch.randn(count, spec.num_ws, spec.w_dim, generator=rng).to(twin.dtype)
        found["draw"] = share(ours.synthesis(ws), twin.draw(ws))
    if twin.sample is not None:
        z, c = torch.randn(count, spec.z_dim, generator=rng).to(twin.dtype), classes(spec.c_dim, count)
        found["sample"] = share(ours.synthesis(ours.mapping(z, psi=PSI, c=c)), twin.sample(z, c))
    if twin.discriminator is not None:
        found["discriminator"] = discriminated(ours, twin.discriminator, rng)
    if twin.encode is not None:
        assert ours.encoder is not None, f"{twin.kind}: the encoder was not read"
        images = torch.rand(2, 3, 256, 256, generator=rng) * 2 - 1
        found["encode"] = share(ours.encoder(images), twin.encode(images))
    return found


def discriminated(ours: Generator, discriminator: ByClass, rng: torch.Generator) -> float:
    """On noise of different brightness, so that logits differ."""
    assert ours.discriminator is not None, "the discriminator was not read"
    side = ours.spec.resolution
    images = torch.randn(8, 3, side, side, generator=rng) + 2 * torch.randn(8, 3, 1, 1, generator=rng)
    c = classes(ours.discriminator.c_dim, 8)
    return share(ours.discriminator(images, c), discriminator(images, c))


def share(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference in the range of theirs, which has to depend on what went in to be worth comparing."""
    assert ours.shape == theirs.shape, f"ours are {tuple(ours.shape)}, theirs {tuple(theirs.shape)}"
    span = theirs.max() - theirs.min()
    assert len(theirs) == 1 or (theirs - theirs[:1]).abs().max() > 0.1 * span, "all inputs gave nearly the same"
    return float((ours - theirs).abs().max() / span)


def classes(count: int, n: int) -> Tensor | None:
    return torch.eye(count)[torch.arange(n) % count] if count else None


def without_class(sample: Draw, z: Tensor, c: Tensor | None) -> Tensor:
    """For programs that know of no classes."""
    return sample(z)


@torch.no_grad()
def stirred(network: Net, *, slow: tuple[str, ...] = SLOW, seed: int = 2) -> Net:
    """The network frozen, with everything moved that begins at zero or one, so that nothing forgotten goes unseen."""
    rng = torch.Generator().manual_seed(seed)
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith(("bias", "noise_strength", "noise.weight", "apply_noise.weight", ".const", "first_layer")):
            amount = 20.0 if name.startswith(slow) else 0.2
            tensor.add_(amount * torch.randn(tensor.shape, generator=rng))
        elif name.endswith("w_avg"):
            tensor.copy_(torch.randn(tensor.shape, generator=rng))
        elif name.endswith("magnitude_ema"):
            tensor.copy_(torch.rand(tensor.shape, generator=rng) * 2 + 0.3)
    return network.eval().requires_grad_(False)


def enter(checkout: Path, *, bare: tuple[str, ...] = ()) -> None:
    """Import from a checkout; `bare` packages are entered without their own start, which asks for more than is needed.

    What downloads, compiles for a GPU, or is gone from today's Python is replaced by something empty.
    """
    import torch.utils.cpp_extension

    torch.utils.cpp_extension.load = lambda *_, **__: None
    for name in ("requests", "pkg_resources", "easydict"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["pkg_resources"].parse_version = torch.torch_version.TorchVersion  # type: ignore[attr-defined]
    sys.modules["easydict"].EasyDict = Easy  # type: ignore[attr-defined]
    sys.path.insert(0, str(checkout))
    for name in bare:
        sys.modules[name] = package = types.ModuleType(name)
        package.__path__ = [str(checkout / name)]


class Easy(dict[str, object]):
    """A dictionary whose keys are attributes as well."""

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None
