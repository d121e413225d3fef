"""The zip archive that torch.save writes since PyTorch 1.6: one pickle, and a member for each storage."""

from __future__ import annotations

import io
import mmap
import zipfile
from typing import BinaryIO

from ...errors import CheckpointError
from .machine import Source
from .storages import Claim, Storage
from .windows import Run, window_of

MAX_DIRECTORY_BYTES = 16 << 20
MAX_MEMBERS = 100_000
MAX_PICKLE_BYTES = 4 << 20
LITTLE = b"little"


def read_zip(file: BinaryIO, memory: mmap.mmap, *, run: Run) -> object:
    """What the archive's pickle describes; `run` runs one pickle with its storages' windows.

    Raises: CheckpointError.
    """
    _expect_small_directory(memory)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        pickles = [member for member in members if member.filename.endswith("/data.pkl")]
        if not pickles:
            first = next((member.filename for member in members if not member.is_dir()), "nothing")
            raise CheckpointError(
                f"it is a zip archive of {first[-60:]!a}, without the data.pkl that torch.save writes; "
                "unpack it and give the file in it"
            )
        if any("/code/" in member.filename for member in members):
            raise CheckpointError(
                "it is a program of TorchScript, and no code of a file is ever run; give the weights alone, a state_dict"
            )
        _expect_honest(members, comment=archive.comment, size=len(memory))
        if len(pickles) > 1:
            raise CheckpointError(f"it is a zip archive with {len(pickles)} data.pkl; give one that torch.save wrote")
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

    def window(claim: Claim) -> Storage:
        member = named.get(f"{folder}data/{claim.key}")
        if member is None:
            raise CheckpointError(f"its storage '{claim.key[:40]}' is missing; the file is damaged, get it again")
        return window_of(memory, claim, start=_data_start(memory, member), room=member.file_size)

    try:
        return run(Source(io.BytesIO(pickled), len(pickled)), window)
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
