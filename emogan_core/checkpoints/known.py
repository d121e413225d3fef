"""Generator files that many people have, recognised by the hash of their bytes.

Hashes and terms are as public listings gave them: an equal hash tells which file it is, it proves no right to use it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError
from .pickles import open_regular

_CHUNK = 1 << 20
_NVIDIA = "NVIDIA Source Code License, non-commercial use only"
_NVIDIA_BASED = "generator weights from NVIDIA, non-commercial use only; the program around them is MIT"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file by its usual name, a note on its terms, and the sizes it may have in bytes: some listings round."""

    name: str
    licence: str
    smallest: int = 0
    largest: int = 1 << 62


KNOWN: Mapping[str, KnownFile] = {
    "a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c": KnownFile(
        "StyleGAN2 FFHQ 1024", _NVIDIA, 381_624_121, 381_624_121
    ),
    "d2b1c92f41ce8a64c55f7a75ef06c4c0eef9e17b1eb29aae8c10fb37b3e60478": KnownFile(
        "StyleGAN2 FFHQ 512", _NVIDIA, 363_500_000, 382_200_000
    ),
    "880a460d011a3696c088f58f5844b44271b17903963f2671f96f72dfbce5f76f": KnownFile(
        "StyleGAN2-ADA MetFaces", _NVIDIA, 381_500_000, 382_500_000
    ),
    "d0d7c5e71531c816b8cf01037393ee4fb65ed09dcb6434cc0197771e3051199b": KnownFile(
        "StyleGAN2 FFHQ config-f in rosinality's layout", _NVIDIA_BASED, 132_729_083, 132_729_083
    ),
    "bae494ef77e32a9cd1792a81a3c167692a0e64f6bcd8b06592ff42917e2ed46e": KnownFile(
        "StyleGAN2 FFHQ config-f in rosinality's layout, with g and d", _NVIDIA_BASED, 380_500_000, 400_100_000
    ),
    "2ace1d9a8c05c10a399bcd500b8dda118f759ff1aac89dbdab7435f2136a0999": KnownFile(
        "e4e FFHQ", _NVIDIA_BASED, 1_201_649_680, 1_201_649_680
    ),
    "f786ac5cf18fcdbc5c57c9f3f12cbedca69381fbdf5694dd132294e3133749d7": KnownFile(
        "pSp FFHQ", _NVIDIA_BASED, 1_150_000_000, 1_350_000_000
    ),
}


def recognised(path: Path) -> KnownFile | None:
    """The known file that this is, byte for byte; only files of a known one's size are hashed.

    Raises: CheckpointError when it cannot be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    if not any(known.smallest <= size <= known.largest for known in KNOWN.values()):
        return None
    return recognise(sha256_of(path))


def recognise(sha256: str) -> KnownFile | None:
    return KNOWN.get(sha256)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, counted once for as long as the file stays as it is.

    Raises: CheckpointError when it cannot be read.
    """
    try:
        found = path.stat()
        return _sha256(os.path.realpath(path), found.st_size, found.st_mtime_ns)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot read {path}: {why}; check the path") from error


@lru_cache(maxsize=16)
def _sha256(path: str, size: int, changed: int) -> str:
    """Size and time of the last change are there to tell files apart that had the same name one after the other."""
    digest = hashlib.sha256()
    with open_regular(Path(path)) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
