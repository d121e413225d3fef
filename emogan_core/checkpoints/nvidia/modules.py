"""Walking the records of NVIDIA's PyTorch pickles, and what settings of any program may say: limits, words, filters."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...weights import is_finite
from ..pickles.pickle_files import Record

MAX_DEPTH = 8
MAX_MODULES = 4096
MAX_ENTRIES = 256  # of one module's table; a file may hang one table under every module
MAX_NAME = 100
MAPPING_GAIN = 0.01
TAPS = (1.0, 3.0, 3.0, 1.0)  # of the filter that networks.layers blurs with
_LINEAR_LAYERS = ("affine", "embed", "out", "skip", "torgb")


def modules_of(record: Record, name: str = "") -> Iterator[tuple[str, Record]]:
    """Every module below a record with its dotted name, however the file has knotted them.

    Raises: CheckpointError when there are more than any network has.
    """
    queue, seen = [(name, record)], 0
    while queue:
        name, record = queue.pop()
        seen += 1
        if seen > MAX_MODULES or name.count(".") > MAX_DEPTH:
            raise CheckpointError(f"it has more than {MAX_MODULES} modules or {MAX_DEPTH} floors; no generator does")
        yield name, record
        for key, child in table_of(record, "_modules").items():
            if isinstance(child, Record):
                queue.append((f"{name}.{key}" if name else key, child))


def table_of(record: Record, key: str) -> dict[str, object]:
    """One of a module's tables; empty when it is none.

    Raises: CheckpointError when it is larger than any network needs.
    """
    table = record.state.get(key)
    if not isinstance(table, dict):
        return {}
    if len(table) > MAX_ENTRIES or not all(isinstance(name, str) and len(name) <= MAX_NAME for name in table):
        raise CheckpointError(f"a module's table has more than {MAX_ENTRIES} entries or odd names; no generator has")
    return table


def tensors_of_modules(modules: dict[str, Record]) -> dict[str, Tensor]:
    """Parameters and buffers as float32, blur filters checked and left out.

    Raises: CheckpointError.
    """
    tensors: dict[str, Tensor] = {}
    converted: dict[int, Tensor] = {}  # one copy for each, however many modules name it
    for path, record in modules.items():
        for key, tensor in (*table_of(record, "_parameters").items(), *table_of(record, "_buffers").items()):
            if not isinstance(tensor, Tensor):
                continue
            name = f"{path}.{key}" if path else key
            if key == "resample_filter":
                expect_our_filter(tensor)
                continue
            if id(tensor) not in converted:
                converted[id(tensor)] = tensor.float().contiguous()
                if not is_finite(converted[id(tensor)]):  # not before: float64 may be too large for float32
                    raise CheckpointError(f"'{name}' holds NaN or infinity; the file is damaged, get it again")
            tensors[name] = converted[id(tensor)]
    return tensors


def expect_activation(name: str, record: Record) -> None:
    """Leaky ReLU everywhere but in the linear layers, and the mapping's learning rate of 0.01.

    Raises: CheckpointError.
    """
    linear = name.rpartition(".")[2] in _LINEAR_LAYERS
    told = record.state.get("activation")
    if isinstance(told, str) and told != ("linear" if linear else "lrelu"):
        raise CheckpointError(f"{name} has the activation {told_word(told)}, which is not supported; needed 'lrelu'")
    gain = record.state.get("bias_gain")
    if name.startswith("mapping.fc") and isinstance(gain, int | float) and abs(gain - MAPPING_GAIN) > 1e-9:
        raise CheckpointError(f"its mapping has a learning rate multiplier of {gain:g}; needed {MAPPING_GAIN:g}")


def clamp_of(value: object) -> float | None:
    """A layer's activation limit, or None for none.

    Raises: CheckpointError.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and 0 < value < float("inf"):
        return float(value)
    raise CheckpointError("an activation limit is no positive number; the file is damaged, get it again")


def told_word(value: object) -> str:
    """A word of the file, fit to be shown."""
    return ascii(value[:40]) if isinstance(value, str) else "not a word"


def expect_our_filter(tensor: Tensor) -> None:
    """Ours is [1, 3, 3, 1] and nothing else; a single number is no filter at all.

    Raises: CheckpointError.
    """
    taps = torch.tensor(TAPS) / sum(TAPS)
    if tensor.shape != (4, 4) or not torch.allclose(tensor.float(), torch.outer(taps, taps), atol=1e-6):
        raise CheckpointError("it blurs with another filter than [1, 3, 3, 1], which is not supported yet")
