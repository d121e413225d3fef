"""Files of torch.save as plain tables or records, in both layouts: the zip archive, and what PyTorch wrote before 1.6.

The pickle inside runs on our own machine of opcodes, where no name is ever imported. The file is mapped, not read:
every tensor is a window into it, so a claim beyond the file's end is refused and nothing claimed is ever allocated.
"""

from __future__ import annotations

import io
import mmap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from ...errors import CheckpointError
from .arrays import Array, NumberType
from .machine import Budget, Machine, Maker, Opaque, Source
from .pickle_files import Record, module_makers
from .storages import DTYPES, OLD_LAYOUT, OLD_MARK, Claim, claim_of, view_of

MAX_FILE_BYTES = 16 << 30
MAX_DIRECTORY_BYTES = 16 << 20
MAX_MEMBERS = 100_000
MAX_PICKLE_BYTES = 4 << 20
LITTLE = b"little"

_KINDS = "float16 bfloat16 float32 float64 int64 int32 uint8 bool"  # options may mention a dtype
_CONSTANTS = frozenset(DTYPES) | {f"torch.{kind}" for kind in _KINDS.split()}
_PATHS = "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"
_INERT = (
    "argparse.Namespace",
    "torch.device",
    *(f"pathlib.{kind}" for kind in _PATHS.split()),
    *(f"pathlib._local.{kind}" for kind in _PATHS.split()),  # since Python 3.13
)


Window = Callable[[Claim], Tensor]


def open_archive(path: Path) -> dict[str, object] | Record:
    """The table or module a file of torch.save holds; tensors are windows into the file, options opaque things.

    Raises: CheckpointError when the file is damaged, packed, oversized, lies about sizes, or names anything but
    tensors, tables, numbers, texts, NVIDIA's modules and training options.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    try:
        with file:
            size = path.stat().st_size
            if not 0 < size <= MAX_FILE_BYTES:
                raise CheckpointError(f"it has {size} bytes; needed 1 to {MAX_FILE_BYTES}; get the file again")
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            found = _from_zip(file, memory) if memory[:4] == b"PK\x03\x04" else _from_old_layout(file, memory)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    except Exception as error:  # damaged bytes break zip and pickle decoders in any way they like
        told = ascii(str(error))[:120]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {told}); get the file again") from error
    if isinstance(found, Record):
        return found
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise CheckpointError(
            f"{path.name} holds one {type(found).__name__} at its top instead of a table of named weights; "
            "give a generator's checkpoint"
        )
    return found


def _from_zip(file: BinaryIO, memory: mmap.mmap) -> object:
    _expect_small_directory(memory)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _expect_honest(members, comment=archive.comment, size=len(memory))
        pickles = [member for member in members if member.filename.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise CheckpointError(
                f"it is a zip archive with {len(pickles)} data.pkl, needed 1; give what torch.save wrote"
            )
        if pickles[0].file_size > MAX_PICKLE_BYTES:
            raise CheckpointError(
                f"its data.pkl has {pickles[0].file_size} bytes, above the limit of {MAX_PICKLE_BYTES}; "
                "save the generator's weights alone"
            )
        folder = pickles[0].filename.removesuffix("data.pkl")
        named = {member.filename: member for member in members}
        order = f"{folder}byteorder"
        if order in named and (named[order].file_size != len(LITTLE) or archive.read(order) != LITTLE):
            raise CheckpointError("it was written on a big-endian machine, which is not read; save it on another")
        pickled = archive.read(pickles[0])

    def window(claim: Claim) -> Tensor:
        member = named.get(f"{folder}data/{claim.key}")
        if member is None:
            raise CheckpointError(f"its storage '{claim.key[:40]}' is missing; the file is damaged, get it again")
        return _window(memory, claim, start=_data_start(memory, member), room=member.file_size)

    try:
        return _run(Source(io.BytesIO(pickled), len(pickled)), len(memory), window)
    except CheckpointError as error:
        raise CheckpointError(f"in data.pkl: {error}") from error


def _expect_small_directory(memory: mmap.mmap) -> None:
    """Before the directory is read: the file must end as torch.save ends it, and its directory must be short."""
    end = memory[-22:]
    if end[:4] != b"PK\x05\x06":
        raise CheckpointError("its end is not that of a zip archive; the file is cut short, get it again")
    sizes = [int.from_bytes(end[12:16], "little")]
    locator = memory[-42:-22] if len(memory) >= 42 else b""
    if locator[:4] == b"PK\x06\x07":  # the wide form, which torch writes beside the short one
        place = int.from_bytes(locator[8:16], "little")
        sizes = [int.from_bytes(memory[at + 40 : at + 48], "little") for at in (place, max(len(memory) - 98, 0))]
    if max(sizes) > MAX_DIRECTORY_BYTES:
        raise CheckpointError(f"its directory claims {max(sizes)} bytes, above the limit of {MAX_DIRECTORY_BYTES}")


def _expect_honest(members: list[zipfile.ZipInfo], *, comment: bytes, size: int) -> None:
    """Nothing packed, nothing twice, nothing more than the file has room for."""
    total = sum(member.file_size for member in members)
    packed = [member.filename for member in members if member.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise CheckpointError(
            f"it packs {packed[0][:60]!a}, {total} bytes unpacked from a file of {size}; "
            "torch.save packs nothing, so give the original file"
        )
    if total > size or any(member.compress_size != member.file_size for member in members):
        raise CheckpointError(f"it claims {total} bytes of content and has {size}; the file is damaged, get it again")
    if len(members) > MAX_MEMBERS or len({member.filename for member in members}) < len(members) or comment:
        raise CheckpointError(f"its directory of {len(members)} entries is not one torch.save writes; get it again")


def _data_start(memory: mmap.mmap, member: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: after its own header, a name and an extra field of stated lengths."""
    header = memory[member.header_offset : member.header_offset + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise CheckpointError(f"member {member.filename[:60]!a} has no header; the file is damaged, get it again")
    return member.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def _from_old_layout(file: BinaryIO, memory: mmap.mmap) -> object:
    """Four pickles (mark, layout, machine, content), one of the storages' keys in order, then each one's numbers.

    The content is run twice: first to learn the claims, then, with every storage's place known, for the tensors.
    """
    source = Source(file, len(memory))
    mark, layout, machine = (_run(source, len(memory), _nowhere) for _ in range(3))
    if (
        mark != OLD_MARK
        or layout != OLD_LAYOUT
        or not isinstance(machine, dict)
        or machine.get("little_endian") is not True
    ):
        raise CheckpointError("it is not what torch.save writes; give a generator's checkpoint")
    claims: dict[str, Claim] = {}
    begin = source.tell()

    def noted(claim: Claim) -> Tensor:
        claims[claim.key] = claim
        return torch.zeros(0)

    _run(source, len(memory), noted, draft=True)
    keys = _run(source, len(memory), _nowhere)
    named = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []  # nesting may have no end
    if not isinstance(keys, list) or len(named) < len(keys) or sorted(named) != sorted(claims):
        raise CheckpointError("its table of storages is damaged; get the file again")
    starts, position = {}, source.tell()
    for key in keys:
        starts[key] = position + 8
        position += 8 + claims[key].count * claims[key].dtype.itemsize
        if int.from_bytes(memory[starts[key] - 8 : starts[key]], "little") != claims[key].count:
            raise CheckpointError(f"its storage {key[:40]!a} has another length than stated; get the file again")
    file.seek(begin)

    def window(claim: Claim) -> Tensor:
        return _window(memory, claim, start=starts[claim.key], room=claims[claim.key].count * claim.dtype.itemsize)

    return _run(source, len(memory), window)


def _nowhere(claim: Claim) -> Tensor:
    raise CheckpointError(f"storage {claim.key[:40]!a} comes where none belongs; the file is damaged, get it again")


def _window(memory: mmap.mmap, claim: Claim, *, start: int, room: int) -> Tensor:
    """The storage's numbers where they lie in the file."""
    needed = claim.count * claim.dtype.itemsize
    if needed > room or start + needed > len(memory):
        raise CheckpointError(
            f"storage {claim.key[:40]!a} claims {claim.count} numbers ({needed} bytes) and holds "
            f"{max(0, min(room, len(memory) - start))} bytes; the file is damaged or cut short, get it again"
        )
    if not needed:
        return torch.zeros(0, dtype=claim.dtype)
    return torch.frombuffer(memory, dtype=claim.dtype, count=claim.count, offset=start)


def _run(source: Source, size: int, window: Window, *, draft: bool = False) -> object:
    """One pickle; a draft looks at its storages only, and every tensor is opaque."""
    budget = Budget(size)
    makers = _makers(budget)
    if draft:
        makers |= {name: _opaque for name in makers if name.startswith("torch._utils.")}
    return Machine(
        source,
        makers=makers,
        constants=_CONSTANTS,
        persistent=lambda identity: window(claim_of(identity)),
        budget=budget,
        build=lambda target, state: _build(target, state, budget),
    ).run()


def _makers(budget: Budget) -> dict[str, Maker]:
    def tensor(numbers: object, offset: object, size: object, stride: object, *_: object) -> Tensor:
        found = view_of(numbers, offset, size, stride)
        budget.spend_bytes(found.numel() * found.element_size())
        return found

    return module_makers(budget) | {
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch.Size": _opaque,
        **dict.fromkeys(_INERT, _opaque),
    }


def _opaque(*_: object) -> Opaque:
    return Opaque()


def _parameter(data: object, *_: object) -> object:
    return data


def _build(target: object, state: object, budget: Budget) -> None:
    """States of numpy's numbers are taken; tables carry version numbers in theirs, options their values: dropped."""
    if isinstance(target, NumberType):
        target.set_state(state)
    elif isinstance(target, Array):
        target.set_state(state, budget)
    elif not isinstance(target, dict | Opaque):
        raise CheckpointError("refused to set the state of what is no table; get the file from a source you trust")
