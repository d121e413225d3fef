"""Our file format for weights: safetensors with metadata, checked before anything is allocated, written atomically."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .errors import CheckpointError, OutputError
from .files import ordinary_only, write_whole
from .wording import counted

MAX_HEADER_BYTES = 16 << 20
MAX_TENSOR_BYTES = 8 << 30
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 16
MAX_SIDE = 1 << 48
MAX_DIGITS = 20  # of a whole number in metadata
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def builtin_path(name: str) -> Path:
    """Where a file that ships with the package lies."""
    return Path(__file__).parent / "builtin" / name


def read_header(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Shapes by tensor name, and the metadata, of a safetensors file; nothing is allocated for the tensors.

    Raises: CheckpointError when it is not a whole, consistent safetensors file.
    """
    try:
        with open(path, "rb", opener=ordinary_only) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise CheckpointError(f"{path.name} is not a safetensors file; give a .safetensors file of ours")
            header = json.loads(file.read(length))
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path.name} is not a safetensors file: its header is not JSON; give another file"
        ) from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{path.name} has a header that is not a table; the file is damaged, get it again")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError(f"{path.name} has metadata that is not text; the file is damaged, get it again")
    if len(header) > MAX_TENSORS:
        raise CheckpointError(
            f"{path.name} holds {counted(len(header), 'tensor')}; needed at most {MAX_TENSORS}, give another file"
        )
    shapes = {}
    for name, entry in header.items():
        shapes[name] = _checked_shape(path, name, entry, data_bytes=size - 8 - length)
    return shapes, metadata


def _checked_shape(path: Path, name: str, entry: object, *, data_bytes: int) -> tuple[int, ...]:
    """The shape one header entry states, if it agrees with its own offsets and the file's size."""
    try:
        shape = tuple(int(side) for side in entry["shape"])  # type: ignore[index]
        if len(shape) > MAX_DIMENSIONS or not all(abs(side) < MAX_SIDE for side in shape):
            raise ValueError("a shape that no file can hold")  # whose product could take very long
        begin, end = (int(offset) for offset in entry["data_offsets"])  # type: ignore[index]
        needed = math.prod(shape) * _BYTES[entry["dtype"]]  # type: ignore[index]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(
            f"{path.name} describes tensor {name[:60]!a} wrongly; the file is damaged, get it again"
        ) from error
    if min(shape, default=1) < 0 or not 0 <= begin <= end <= data_bytes or end - begin != needed:
        raise CheckpointError(
            f"{path.name} claims {needed} bytes for tensor {name[:60]!a} but holds {max(0, min(end, data_bytes) - begin)}; "
            "the file is damaged or cut short, get it again"
        )
    if needed > MAX_TENSOR_BYTES:
        raise CheckpointError(
            f"{path.name} holds a tensor {name[:60]!a} of {needed} bytes, above the limit of {MAX_TENSOR_BYTES}"
        )
    return shape


def plain_json(text: str) -> Any:
    """What a text in a file's metadata says, as JSON of short finite numbers and of Unicode.

    Raises: ValueError for anything else: 1e999 and 10^400 fit no float, a lone surrogate no file; RecursionError.
    """
    value = json.loads(text, parse_float=_finite, parse_int=_short, parse_constant=_finite)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text is not Unicode") from error
    return value


def _finite(digits: str) -> float:
    if not math.isfinite(float(digits)):
        raise ValueError(f"{digits[:20]} is no finite number")
    return float(digits)


def _short(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def read_tensors(path: Path, *, doubles: bool = False) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors on the CPU, and the metadata.

    Floating tensors come as float32 whatever the file stores; files of ours store float16 to be small. With `doubles`
    float64 stays float64. They are copies: memory-mapped tensors would change with the file, and crash the process when it
    is truncated.
    Raises: CheckpointError.
    """
    shapes, metadata = read_header(path)
    tensors = {}
    try:
        with torch.inference_mode(False), safe_open(str(path), framework="pt", device="cpu") as file:
            for name in shapes:
                tensor = file.get_tensor(name)
                kept = not tensor.is_floating_point() or (doubles and tensor.dtype == torch.float64)
                tensors[name] = tensor.to(tensor.dtype if kept else torch.float32, copy=True)
    except SafetensorError as error:
        raise CheckpointError(f"{path.name} cannot be read as safetensors ({error}); get the file again") from error
    return tensors, metadata


def stored_types(path: Path) -> tuple[str, ...]:
    """The types in which a safetensors file keeps its tensors, as safetensors spells them: ("F16",), ("F32",).

    Raises: CheckpointError.
    """
    shapes, _ = read_header(path)
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            return tuple(sorted({str(file.get_slice(name).get_dtype()) for name in shapes}))
    except SafetensorError as error:
        raise CheckpointError(f"{path.name} cannot be read as safetensors ({error}); get the file again") from error


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether a tensor holds neither NaN nor infinity."""
    if not tensor.numel():
        return True
    least, most = torch.aminmax(tensor)  # one pass that propagates NaN; isfinite took ten times as long
    return bool(torch.isfinite(least) & torch.isfinite(most))


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file atomically.

    Raises: OutputError; also for names and metadata that are not Unicode.
    """
    for text in (*tensors, *metadata, *metadata.values()):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise OutputError(
                f"a text for {path.name} is not Unicode ({text[:60]!a}), which no safetensors file holds; write it otherwise"
            ) from error
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}

    def write(temporary: Path) -> None:
        try:
            save_file(plain, str(temporary), metadata=dict(metadata))
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error

    write_whole(path, write)


def fingerprint_of(tensors: Mapping[str, torch.Tensor], *, spec: str) -> str:
    """Hex SHA-256 over the spec's text and every tensor's name, shape and float32 values, in order of name."""
    digest = hashlib.sha256(spec.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().float().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
