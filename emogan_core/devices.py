"""Compute devices, seeded randomness, and contexts that turn autograd on or off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .errors import DeviceError


def resolve_device(name: str = "auto") -> torch.device:
    """The device named by `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises: DeviceError when it does not exist here.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise DeviceError(f"device '{name}' is not known; use auto, cpu, cuda or mps")
    if kind == "cuda" and (not torch.cuda.is_available() or int(index or 0) >= torch.cuda.device_count()):
        raise DeviceError(
            f"device '{name}' was asked for, but this machine offers {_offered(has_mps)}; use --device auto"
        )
    if kind == "mps" and not has_mps:
        raise DeviceError(f"device 'mps' was asked for, but this machine offers {_offered(has_mps)}; use --device auto")
    return torch.device(name)


def _offered(has_mps: bool) -> str:
    names = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())] + (["mps"] if has_mps else [])
    return ", ".join(names)


def rng_from_seed(seed: int) -> torch.Generator:
    """A CPU random generator: the same seed draws the same numbers on every device.

    Draw on the CPU, then move: torch.randn(shape, generator=rng).to(device).
    """
    return torch.Generator().manual_seed(seed)


@contextmanager
def gradients_allowed() -> Iterator[None]:
    """Autograd on, whatever the caller (ComfyUI runs nodes under inference mode) had set."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def gradients_off() -> Iterator[None]:
    """No autograd, but ordinary tensors: what is made here may later take part in a backward pass."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def ordinary(tensor: torch.Tensor) -> torch.Tensor:
    """The same values as a tensor that autograd may save; inference tensors are cloned, others pass through."""
    if not tensor.is_inference():
        return tensor
    with torch.inference_mode(False):
        return tensor.clone()
