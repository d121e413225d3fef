"""Walking the records of NVIDIA's PyTorch pickles: modules by their dotted names, and the tensors in them."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ...errors import CheckpointError
from ...weights import is_finite
from ..pickles import Record
from ..reading.filters import expect_filters
from ..reading.settings import MAPPING_RATE, word

MAX_DEPTH = 8
MAX_MODULES = 4096
MAX_ENTRIES = 256  # of one module's table; a file may hang one table under every module
MAX_NAME = 100
MAX_AGAIN = 1 << 26  # numbers of tensors that several names share
MAX_TENSORS = 16_384  # of one network; the largest read has about 400
_FILTER = "resample_filter"
_LINEAR_LAYERS = ("affine", "embed", "out", "skip", "torgb")


def modules_of(record: Record, name: str = "") -> Iterator[tuple[str, Record]]:
    """Every module below a record with its dotted name, each once for each name, also where modules contain one another.

    Raises: CheckpointError when there are more than any network has.
    """
    queue, seen = [(name, record)], 0
    while queue:
        name, record = queue.pop()
        seen += 1
        if seen > MAX_MODULES or name.count(".") > MAX_DEPTH:
            raise CheckpointError(f"it has more than {MAX_MODULES} modules or {MAX_DEPTH} levels; no generator does")
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


def tensors_of_modules(modules: dict[str, Record], *, copy: bool) -> dict[str, Tensor]:
    """Parameters and buffers as float32, blur filters checked and left out; `copy` for memory of their own.

    Raises: CheckpointError.
    """
    tensors: dict[str, Tensor] = {}
    filters: dict[str, object] = {}
    converted: dict[int, Tensor] = {}  # one copy for each, however many modules name it
    again = 0
    for path, record in modules.items():
        for key, tensor in (*table_of(record, "_parameters").items(), *table_of(record, "_buffers").items()):
            if not isinstance(tensor, Tensor):
                continue
            if len(tensors) + len(filters) >= MAX_TENSORS:
                raise CheckpointError(f"it has more than {MAX_TENSORS} tensors, many of them shared; no generator does")
            name = f"{path}.{key}" if path else key
            if not tensor.is_floating_point():
                raise CheckpointError(f"'{name}' holds {tensor.dtype}; needed floating point, the file is damaged")
            if key == _FILTER:
                filters[name] = tensor
                continue
            if id(tensor) in converted:
                again += tensor.numel()
                if again > MAX_AGAIN:  # each name is a tensor of its own in a generator
                    raise CheckpointError(
                        f"'{name}' shares its numbers with other names, more than {MAX_AGAIN} numbers so far; "
                        "no generator file does that, get another one"
                    )
            else:
                converted[id(tensor)] = tensor.float().contiguous()
                if copy and converted[id(tensor)].data_ptr() == tensor.data_ptr():
                    converted[id(tensor)] = tensor.clone()
                if not is_finite(converted[id(tensor)]):  # not before: float64 may be too large for float32
                    raise CheckpointError(f"'{name}' holds NaN or infinity; the file is damaged, get it again")
            tensors[name] = converted[id(tensor)]
    expect_filters(filters, filters)
    return tensors


def expect_activation(name: str, record: Record) -> None:
    """Leaky ReLU everywhere but in the linear layers, and the mapping's learning rate of 0.01.

    Raises: CheckpointError.
    """
    linear = name.rpartition(".")[2] in _LINEAR_LAYERS
    activation = record.state.get("activation")
    if isinstance(activation, str) and activation != ("linear" if linear else "lrelu"):
        raise CheckpointError(f"{name} has the activation {word(activation)}, which is not supported; needed 'lrelu'")
    gain = record.state.get("bias_gain")
    if name.startswith("mapping.fc") and isinstance(gain, int | float) and abs(gain - MAPPING_RATE) > 1e-9:
        raise CheckpointError(f"its mapping has a learning rate multiplier of {gain:g}; needed {MAPPING_RATE:g}")
