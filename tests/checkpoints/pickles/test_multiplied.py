"""Small files whose parts multiply, by sharing one large part often: refused before anything is multiplied."""

from __future__ import annotations

import json
import pickle
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign import rosinality_names
from nvidia_pickles import Module, networks_of, write_training
from tiny import make_generator

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.kinds import kind_of_names, names_in
from emogan_core.checkpoints.pickles import read_pickle
from emogan_core.checkpoints.reading.tables import AVERAGED, TRAINING
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator

SECONDS = 5.0  # of this process: other programs on the machine may make it wait
MEMORY = 200 << 20  # of Python's own, where names and texts are; what such files took before was 1 to 3 GB


@pytest.fixture
def expect_refused() -> Callable[..., None]:
    def expect(path: Path, words: str, *, traced: bool = False) -> None:
        started = time.process_time()
        with pytest.raises(CheckpointError, match=words) as caught:
            load_generator(path)
        assert time.process_time() - started < SECONDS
        assert len(str(caught.value)) < 500
        if traced:  # which is slow
            tracemalloc.start()
            with pytest.raises(CheckpointError):
                load_generator(path)
            assert tracemalloc.get_traced_memory()[1] < MEMORY
            tracemalloc.stop()

    return expect


def test_error_one_table_with_a_long_name_under_many_keys(tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    shared = {"a" * 145_000: 1}
    torch.save({f"k{index}": shared for index in range(20_700)}, tmp_path / "names.pt")
    expect_refused(tmp_path / "names.pt", "a key of 145000 characters; needed at most 1000", traced=True)


def test_invariance_names_of_a_shared_table_are_looked_at_once() -> None:
    shared = {"b" * 1000: 1}
    assert list(names_in({"k": shared, "l": shared})) == ["k", "l", "b" * 1000]
    assert kind_of_names("c" * (1 << 20) for _ in range(1 << 14)) is None


def test_error_one_table_under_many_modules(
    tiny: Generator, tmp_path: Path, expect_refused: Callable[..., None]
) -> None:
    """4000 modules with 250 shared buffers each: a million names of hundreds of characters."""
    networks = networks_of(tiny)
    buffers = {f"{index:03}" + "x" * 90: torch.zeros(1) for index in range(250)}
    place = networks["G_ema"].mapping  # type: ignore[attr-defined]
    for _ in range(3):
        place.add_module("y" * 90, Module())
        place = place._modules["y" * 90]
    leaf, middle = Module(), Module()
    leaf._buffers = buffers
    middle._modules = {f"n{index}": leaf for index in range(15)}
    place._modules = {f"m{index}": middle for index in range(250)}
    write_training(tmp_path / "modules.pkl", networks, protocol=4, change=dict)
    expect_refused(tmp_path / "modules.pkl", "more than 16384 tensors", traced=True)


@pytest.mark.slow
def test_error_empty_tensors_without_number(tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    header = {f"t{index}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for index in range(200_000)}
    text = json.dumps(header, separators=(",", ":")).encode()
    (tmp_path / "empty.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    expect_refused(tmp_path / "empty.safetensors", "200000 tensors; needed at most 20000")


def test_error_one_large_table_under_every_key(tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    table = {f"{index}" + "x" * 900: 1 for index in range(19_000)}
    networks = dict.fromkeys((*AVERAGED, *TRAINING, "state_dict", "model"), table)
    torch.save(networks | {"models": networks}, tmp_path / "keys.pt", _use_new_zipfile_serialization=False)
    expect_refused(tmp_path / "keys.pt", "which is no generator known here")


@pytest.mark.parametrize("count", [30_000, 19_000])
def test_error_one_filter_under_many_names(count: int, tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    names: dict[str, object] = dict(rosinality_names(make_generator(companions=False)))
    kernel = names["convs.0.conv.blur.kernel"]
    names |= {f"f{index}.kernel": kernel for index in range(count)} | {"extra": torch.zeros(1)}
    torch.save({"g_ema": names}, tmp_path / "filters.pt")
    many = count > 20_000
    expect_refused(tmp_path / "filters.pt", "names; needed at most 20000" if many else "cannot use 'extra'")


def test_error_a_tuple_expanded_again_and_again(tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    """200,000 arguments of `set`, 50,000 times, in a pickle and in each of the older layout's pickles."""
    call = b"h\x01h\x00R0"
    bomb = b"(" + b"N" * 200_000 + b"tq\x000c__builtin__\nset\nq\x010" + call * 50_000 + b"N."
    (tmp_path / "tuple.pkl").write_bytes(b"\x80\x02" + bomb)
    expect_refused(tmp_path / "tuple.pkl", "200000 arguments")
    start = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    (tmp_path / "tuple.pt").write_bytes(start + b"\x80\x02" + bomb)
    expect_refused(tmp_path / "tuple.pt", "200000 arguments")


def test_error_the_older_layout_has_one_budget(tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    start = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    long = b"\x80\x02" + b"N0" * 120_000 + b"}."  # within the limit once, beyond it when run twice
    (tmp_path / "twice.pt").write_bytes(start + long + pickle.dumps([], 2))
    expect_refused(tmp_path / "twice.pt", "more than 400000 opcodes")


@pytest.mark.parametrize(
    ("size", "words"), [(5 << 29, "above the limit of"), (300 << 20, "one value of 314572700 bytes")]
)
def test_error_one_literal_of_a_sparse_file(
    size: int, words: str, tmp_path: Path, expect_refused: Callable[..., None]
) -> None:
    path = tmp_path / "sparse.pkl"
    with path.open("wb") as file:
        file.write(b"\x80\x04\x8e" + struct.pack("<Q", size - 100))
        file.truncate(size)
    expect_refused(path, words)


def test_error_small_numbers_count_as_the_floats_they_become(
    tiny: Generator, tmp_path: Path, expect_refused: Callable[..., None]
) -> None:
    networks = networks_of(tiny)
    networks["G_ema"].mapping.register_buffer("w", torch.zeros(32 << 20, dtype=torch.uint8))  # type: ignore[attr-defined]
    write_training(tmp_path / "bytes.pkl", networks, protocol=4, change=dict)
    expect_refused(tmp_path / "bytes.pkl", "more bytes than the file holds")
    networks = networks_of(tiny)
    networks["G_ema"].mapping.register_buffer("w", torch.zeros(4, dtype=torch.uint8))  # type: ignore[attr-defined]
    write_training(tmp_path / "byte.pkl", networks, protocol=4, change=dict)
    expect_refused(tmp_path / "byte.pkl", r"'mapping\.w' holds torch\.uint8; needed floating point")


@pytest.mark.parametrize("program", ["nvidia", "rosinality"])
def test_error_a_mapping_too_large_to_sample(program: str, tmp_path: Path, expect_refused: Callable[..., None]) -> None:
    """64 layers that share one tensor: 121 seconds for samples of w before they were counted."""
    weight, bias = torch.zeros(2048, 2048), torch.zeros(2048)
    start = 0 if program == "nvidia" else 1
    name = "mapping.fc{}" if program == "nvidia" else "style.{}"
    names = (
        {"synthesis.b4.const": torch.zeros(4, 4, 4)}
        if program == "nvidia"
        else {"input.input": torch.zeros(1, 4, 4, 4)}
    )
    for index in range(start, 64 + start):
        names |= {name.format(index) + ".weight": weight, name.format(index) + ".bias": bias}
    torch.save({"g_ema": names}, tmp_path / "mapping.pt")
    expect_refused(tmp_path / "mapping.pt", "shares its numbers with other names|mapping network has 268435456 numbers")


def test_error_a_pickled_mapping_too_large_to_sample(
    tiny: Generator, tmp_path: Path, expect_refused: Callable[..., None]
) -> None:
    networks = networks_of(tiny)
    mapping = networks["G_ema"].mapping  # type: ignore[attr-defined]
    shared = torch.nn.Parameter(torch.zeros(1024, 1024))
    for index in range(64):
        layer = Module()
        layer.weight, layer.bias = shared, torch.nn.Parameter(torch.zeros(1024))
        mapping.add_module(f"fc{index}", layer)
    write_training(tmp_path / "mapping.pkl", networks, protocol=4, change=dict)
    expect_refused(tmp_path / "mapping.pkl", "mapping network has 67108864 numbers; needed at most 16777216")


def test_invariance_small_arrays_are_read(tmp_path: Path) -> None:
    (tmp_path / "array.pkl").write_bytes(pickle.dumps({"a": np.zeros(1000, np.uint8)}, 4))
    assert isinstance(read_pickle(tmp_path / "array.pkl"), dict)
