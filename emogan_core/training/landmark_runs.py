"""What the trainings of both landmark nets share: learning rate, resumable state, and the record of their commands."""

from __future__ import annotations

import hashlib
import io
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..weights import read_tensors, write_tensors


def held_out(person: str) -> bool:
    """Whether a person is kept for testing: one in ten, by a hash of the name."""
    return hashlib.sha256(person.encode()).digest()[0] < 26


def lr_at(step: int, *, lr: float, steps: int) -> float:
    """Learning rate of a 0-based step: linear warm-up over 100 steps, and a cosine decay to zero."""
    return lr * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))


def step_rng(seed: int, step: int) -> torch.Generator:
    """The randomness of one step: the same after a restart."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def save_state(
    path: Path,
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    metadata: Mapping[str, str],
    *,
    averaged: Mapping[str, Tensor] | None = None,
) -> None:
    """Write everything that `restore_state` needs to resume; `averaged` is a moving average of the net's tensors."""
    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    tensors |= {f"ema.{name}": tensor for name, tensor in (averaged or {}).items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": torch.as_tensor(moment) for name, moment in moments.items()}
    write_tensors(path, tensors, metadata)


def restore_state(
    path: Path, net: nn.Module, optimiser: torch.optim.Optimizer, *, averaged: dict[str, Tensor] | None = None
) -> tuple[int, str]:
    """Load a state into net, optimiser and `averaged`; returns its step and history. Without a file it is (0, "")."""
    if not path.is_file():
        return 0, ""
    tensors, metadata = read_tensors(path)
    net.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("net.")})
    if averaged is not None:
        averaged.update({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("ema.")})
    saved = optimiser.state_dict()
    saved["state"] = {}
    for name, tensor in tensors.items():
        if name.startswith("adam."):
            _, index, moment = name.split(".")
            saved["state"].setdefault(int(index), {})[moment] = tensor
    optimiser.load_state_dict(saved)
    return int(metadata["step"]), metadata["history"]


def with_command(history: str, command: str, *, step: int) -> str:
    """The history of a run with the command that goes on with it from a step."""
    if history.endswith(command):
        return history
    return f"{history}{', then ' if history else ''}from step {step}: {command}"


def command_of(module: str, arguments: Sequence[str]) -> str:
    """A command line for the record, with paths shortened to their last part."""
    words = [Path(word).name if "/" in word else word for word in arguments]
    return f"python -m emogan_core.training.{module} {shlex.join(words)}"


def in_half_precision(net: nn.Module) -> dict[str, Tensor]:
    """The net's tensors as they are shipped, in float16."""
    return {name: t.half() if t.is_floating_point() else t for name, t in net.state_dict().items()}


def mirrored_into(where: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Coordinates outside [low, high] reflected at its ends."""
    span = high - low
    folded = torch.remainder(where - low, 2 * span)
    return low + torch.minimum(folded, 2 * span - folded)


def through_jpeg(image: Tensor, quality: int) -> Tensor:
    """A picture [3, h, w] in 0..1 after JPEG compression."""
    stream = io.BytesIO()
    Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()).save(stream, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1).float() / 255
