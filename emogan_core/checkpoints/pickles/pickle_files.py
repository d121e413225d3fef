"""NVIDIA's pickles as inert records: an allow-list of names, each answered by a function of ours.

Nothing is imported, called or compiled on a file's behalf: the opcodes run on our own machine, and the storages, which
are files within the file, are parsed here as well. Module source embedded in the file is dropped unread.
Source: layouts as documented for PyTorch's serialisation and observed in files of stylegan2-ada-pytorch and stylegan3;
the state that TensorFlow's networks save, as their programs document it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ...errors import CheckpointError
from .arrays import Array, NumberType, array_makers
from .machine import Budget, Machine, Maker, Opaque, Source
from .storages import DTYPES, OLD_LAYOUT, OLD_MARK, Claim, claim_of, view_of

MAX_FILE_BYTES = 8 << 30
TENSORFLOW = "dnnlib.tflib.network.Network"
TENSORFLOW_STATE = ("version", "name", "static_kwargs", "components", "build_func_name", "variables")
PROGRESSIVE = ("tfutil.Network", "network.Network")


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A module of a file: the name of its class and its attributes, nothing alive."""

    class_name: str
    state: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Storage:
    numbers: Tensor = field(repr=False)


def read_pickle(path: Path) -> object:
    """What a pickle of plain values, tensors and NVIDIA's modules or networks describes, these as records.

    Raises: CheckpointError naming the file and what was refused; nothing else, whatever the bytes are.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise CheckpointError(f"it has {size} bytes, above the limit of {MAX_FILE_BYTES}; no generator is so large")
        budget = Budget(size)
        with path.open("rb") as file:
            return Machine(
                Source(file, size),
                makers=_makers(budget),
                budget=budget,
                build=lambda target, state: _build(target, state, budget),
            ).run()
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except Exception as error:  # damaged bytes break the decoder in any way they like; none of it concerns the user
        told = ascii(str(error))[:160]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {told}); get the file again") from error


def _makers(budget: Budget) -> dict[str, Maker]:
    def storage(data: object) -> _Storage:
        return _storage(data, budget)

    def tensor(store: object, offset: object, size: object, stride: object, *_: object) -> Tensor:
        numbers = store.numbers if isinstance(store, _Storage) else None
        found = view_of(numbers, offset, size, stride)
        budget.spend_bytes(found.numel() * found.element_size())
        return found

    return module_makers(budget) | {
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch.storage._load_from_bytes": storage,
        TENSORFLOW: _tensorflow,
        **dict.fromkeys(PROGRESSIVE, _progressive),
    }


def module_makers(budget: Budget) -> dict[str, Maker]:
    """What NVIDIA's PyTorch modules consist of besides tensors, which files of torch.save write in a way of their own."""

    def encoded(text: object, name: object = "latin1") -> bytes:
        if not isinstance(text, str) or name not in ("latin1", "latin-1"):
            raise CheckpointError("refused an encoding other than latin1; get the file again, or as safetensors")
        budget.spend_bytes(len(text))
        return text.encode("latin1")

    made: dict[str, Maker] = {
        "torch_utils.persistence._reconstruct_persistent_obj": _record,
        "dnnlib.util.EasyDict": _empty,
        "collections.OrderedDict": _empty,
        "_codecs.encode": encoded,
        "builtins.set": _set,
        "__builtin__.set": _set,
    }
    return made | array_makers(budget)


def _record(meta: object) -> Record:
    """What `_reconstruct_persistent_obj` would bring to life by compiling `module_src`; here it stays a record."""
    if not isinstance(meta, dict):
        raise CheckpointError("a module comes without its description; the file is damaged, get it again")
    kind, version, class_name, state = (meta.get(key) for key in ("type", "version", "class_name", "state"))
    if not isinstance(kind, str) or kind != "class" or not isinstance(version, int) or version > 6:
        raise CheckpointError("a module is described in a way not known here; needed a class of version 6 or older")
    if not isinstance(class_name, str) or not isinstance(state, dict):
        raise CheckpointError("a module has no class name or no state; the file is damaged, get it again")
    return Record(class_name, state)


def _empty(*arguments: object) -> dict[str, object]:
    if arguments:
        raise CheckpointError("a dictionary is made from a list; needed one filled item by item, as networks are saved")
    return {}


def _set(*_: object) -> Opaque:
    return Opaque()


def _parameter(data: object, *_: object) -> Tensor:
    if not isinstance(data, Tensor):
        raise CheckpointError("a parameter holds no tensor; the file is damaged, get it again")
    return data


def _storage(data: object, budget: Budget) -> _Storage:
    """One storage from the bytes of a torch.save of the older layout, parsed without torch.load."""
    if not isinstance(data, bytes):
        raise CheckpointError("a storage is not made of bytes; the file is damaged, get it again")
    budget.spend_bytes(len(data))
    source = Source(io.BytesIO(data), len(data))

    def step(persistent: Callable[[object], object] | None = None) -> object:
        names = frozenset(DTYPES)
        return Machine(source, makers={}, constants=names, persistent=persistent, budget=budget).run()

    try:
        magic, layout, machine = step(), step(), step()
        if magic != OLD_MARK or layout != OLD_LAYOUT or not isinstance(machine, dict):
            raise CheckpointError("it is not of torch.save's older layout, the only one storages come in")
        if machine.get("little_endian") is not True:
            raise CheckpointError("it was written on a big-endian machine, which is not read")
        claim, keys = step(claim_of), step()
    except CheckpointError as error:
        raise CheckpointError(f"inside a tensor's storage: {error}") from error
    if not isinstance(claim, Claim) or not isinstance(keys, list) or len(keys) != 1 or keys[0] != claim.key:
        raise CheckpointError("a storage's table of contents is damaged; get the file again")
    header = int.from_bytes(source.read(8), "little")
    start, needed = source.tell(), claim.count * claim.dtype.itemsize
    if header != claim.count or needed != len(data) - start:
        raise CheckpointError(
            f"a storage claims {claim.count} numbers ({needed} bytes) and holds {len(data) - start} bytes; "
            "the file is damaged or cut short, get it again"
        )
    if not needed:
        return _Storage(torch.zeros(0, dtype=claim.dtype))
    return _Storage(torch.frombuffer(bytearray(memoryview(data)[start:]), dtype=claim.dtype))


def _tensorflow(*arguments: object) -> Record:
    """A network without its state, which comes by a BUILD."""
    if arguments:
        raise CheckpointError("a TensorFlow network is made with arguments; needed one saved by its own program")
    return Record(TENSORFLOW, {})


def _progressive(*_: object) -> object:
    raise CheckpointError("it is a Progressive GAN, which has no W space to edit in; give a StyleGAN")


def _build(target: object, state: object, budget: Budget) -> None:
    """States of numpy's types and arrays and of TensorFlow's networks; nothing else has one that matters."""
    if isinstance(target, NumberType):
        target.set_state(state)
    elif isinstance(target, Array):
        target.set_state(state, budget)
    elif isinstance(target, Record) and target.class_name == TENSORFLOW:
        if target.state or not isinstance(state, dict):
            raise CheckpointError("a TensorFlow network's state comes twice or is no dictionary; get the file again")
        target.state.update({key: state.get(key) for key in TENSORFLOW_STATE})  # its source code is dropped here
    else:
        raise CheckpointError("refused to set the state of what has none; get the file from a source you trust")
