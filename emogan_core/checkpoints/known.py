"""Generator files that many people have, recognised by the hash of their bytes.

Hashes and terms are as public listings gave them: an equal hash tells which file it is, it proves no right to use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import CheckpointError

_CHUNK = 1 << 20
_NVIDIA = "NVIDIA Source Code License, non-commercial use only"
_NVIDIA_BASED = "generator weights from NVIDIA, non-commercial use only; the program around them is MIT"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file by its usual name, and a note on its terms."""

    name: str
    licence: str


KNOWN: Mapping[str, KnownFile] = {
    "a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c": KnownFile("StyleGAN2 FFHQ 1024", _NVIDIA),
    "d2b1c92f41ce8a64c55f7a75ef06c4c0eef9e17b1eb29aae8c10fb37b3e60478": KnownFile("StyleGAN2 FFHQ 512", _NVIDIA),
    "880a460d011a3696c088f58f5844b44271b17903963f2671f96f72dfbce5f76f": KnownFile("StyleGAN2-ADA MetFaces", _NVIDIA),
    "d0d7c5e71531c816b8cf01037393ee4fb65ed09dcb6434cc0197771e3051199b": KnownFile(
        "StyleGAN2 FFHQ config-f in rosinality's layout", _NVIDIA_BASED
    ),
    "bae494ef77e32a9cd1792a81a3c167692a0e64f6bcd8b06592ff42917e2ed46e": KnownFile(
        "StyleGAN2 FFHQ config-f in rosinality's layout, with g and d", _NVIDIA_BASED
    ),
    "2ace1d9a8c05c10a399bcd500b8dda118f759ff1aac89dbdab7435f2136a0999": KnownFile("e4e FFHQ", _NVIDIA_BASED),
    "f786ac5cf18fcdbc5c57c9f3f12cbedca69381fbdf5694dd132294e3133749d7": KnownFile("pSp FFHQ", _NVIDIA_BASED),
}


def recognise(sha256: str) -> KnownFile | None:
    return KNOWN.get(sha256)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes.

    Raises: CheckpointError when it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot read {path}: {why}; check the path") from error
    return digest.hexdigest()
