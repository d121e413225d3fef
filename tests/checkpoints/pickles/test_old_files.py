"""Files of PyTorch 0.1 under Python 2, as torchvision's VGG16 and the linear layers of LPIPS still are."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path

import pytest
import torch

from emogan_core.checkpoints.pickles import open_archive
from emogan_core.errors import CheckpointError

STORAGE = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04NtQ"
TENSOR = b"ctorch._utils\n_rebuild_tensor\n(" + STORAGE + b"K\0K\x04\x85K\x01\x85tR"
PARAMETER = b"ctorch.nn.parameter\nParameter\n" + TENSOR + b"\x85R(\x88\x89Ntb"
TABLE = b"ccollections\nOrderedDict\n"


def old_file(path: Path, content: bytes) -> Path:
    """torch.save's older layout around one pickle in protocol 2, with a storage of 0, 1, 2, 3."""
    out = io.BytesIO()
    for head in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
        pickle.dump(head, out, 2)
    out.write(b"\x80\x02" + content + b".")
    pickle.dump(["0"], out, 2)
    out.write(struct.pack("<q", 4) + struct.pack("<4f", 0, 1, 2, 3))
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize("value", [TENSOR, PARAMETER], ids=["tensor", "parameter"])
def test_golden_a_table_of_pairs(tmp_path: Path, value: bytes) -> None:
    path = old_file(tmp_path / "old.pth", TABLE + b"](](U\x01a" + value + b"ee\x85R")
    table = open_archive(path)
    assert isinstance(table, dict)
    torch.testing.assert_close(table, {"a": torch.arange(4.0)})
    torch.testing.assert_close(torch.load(path, weights_only=True)["a"].detach(), torch.arange(4.0))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (TABLE + b"](](U\x01aee\x85R", "an entry that is no pair"),
        (TABLE + b"](](NNee\x85R", "keys other than texts"),
        (TABLE + b"U\x01a\x85R", "made of something other than pairs"),
        (b"](" + b"](U\x01aNe" * 500 + b"eq\1" + (TABLE + b"h\1\x85R0") * 1000, "more than 400000 opcodes"),
    ],
)
def test_error_damaged(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        open_archive(old_file(tmp_path / "old.pth", content))
