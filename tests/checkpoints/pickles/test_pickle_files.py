"""Hostile pickles: nothing executes, nothing hangs, nothing but CheckpointError comes out."""

from __future__ import annotations

import contextlib
import copyreg
import functools
import io
import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import Call
from nvidia_pickles import stand_ins, write_networks
from tensorflow_pickles import Network, stand_in, write_tensorflow
from tiny import TINY, make_generator

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.pickles.arrays import Array
from emogan_core.checkpoints.pickles.budget import MAX_OPCODES
from emogan_core.checkpoints.pickles.pickle_files import read_pickle
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator

SECONDS = 5.0  # of this process: other programs on the machine may make it wait
LOAD = b"ctorch.storage\n_load_from_bytes\n"
VIEW = b"ctorch._utils\n_rebuild_tensor_v2\n"
TERA = 10 << 40


class Built:
    """Pickles to an object whose state is then set."""

    def __init__(self, made: Callable[..., object], arguments: tuple[object, ...], state: object) -> None:
        self.parts = made, arguments, state

    def __reduce__(self) -> tuple[object, ...]:
        return self.parts


def calls(flag: Path) -> dict[str, object]:
    """Ways to make a file `flag`, or to come near it, by unpickling."""
    source = f"open({str(flag)!r}, 'w').close()"
    command = f"touch {flag}"
    inner = pickle.dumps(Call(os.system, command))
    return {
        "os.system": Call(os.system, command),
        "os.mkdir": Call(os.mkdir, str(flag)),
        "Path.touch": Call(Path.touch, flag),
        "eval": Call(eval, source),
        "exec": Call(exec, source),
        "compile": Call(compile, source, "x", "exec"),
        "getattr": Call(getattr, flag, "touch"),
        "open": Call(open, str(flag), "w"),
        "import": Call(__import__, "this"),
        "partial": Call(functools.partial(os.mkdir, str(flag))),
        "partial_state": Built(functools.partial, (os.mkdir,), (os.mkdir, (str(flag),), {}, {})),
        "reduce": Call(functools.reduce, os.path.join, ["a", "b"]),
        "copyreg": Call(copyreg.__newobj__, Path, str(flag)),
        "reconstructor": Call(copyreg._reconstructor, Path, object, None),
        "add_extension": Call(copyreg.add_extension, "os", "system", 99),
        "pickle.loads": Call(pickle.loads, inner),
        "torch.load": Call(torch.load, str(flag)),
        "real_storage": Call(torch.storage._load_from_bytes, inner),
        "torch.jit": Call(torch.jit.load, str(flag)),
        "numpy_object": np.array([Call(os.system, command)], dtype=object),
        "numpy_dtype": np.dtype(object),
        "numpy_fields": np.dtype([("a", "O")]),
        "numpy_load": Call(np.load, str(flag), None, True),
        "codecs": Call(__import__("codecs").decode, b"616263", "hex"),
        "codecs_encode": Call(__import__("_codecs").encode, "abc", "rot13"),
        "class": Path,
        "ordered_dict": Call(OrderedDict, [("a", Call(os.system, command))]),
        "set": {Call(os.system, command)},
        "storage_class": torch.FloatStorage,
    }


def hidden(payload: object, *, place: str, protocol: int) -> bytes:
    """A file that holds a payload in one of the places in which a reader might run it."""
    if place == "top":
        return pickle.dumps(payload, protocol=protocol)
    if place == "state":
        with stand_ins():
            import torch_utils.persistence as persistence  # type: ignore[import-not-found]

            meta = {"type": "class", "version": 6, "module_src": "", "class_name": "Generator", "state": {"a": payload}}
            return pickle.dumps({"G_ema": Call(persistence._reconstruct_persistent_obj, meta)}, protocol=protocol)
    if place == "network":
        network = Network("G", "G_main", {}, version=4)
        network.build_module_src = payload  # type: ignore[assignment]
        with stand_in():
            return pickle.dumps((network, network, network), protocol=protocol)
    if place == "storage":
        return pickle.dumps(Call(torch.storage._load_from_bytes, pickle.dumps(payload, protocol)), protocol=protocol)
    return pickle.dumps(
        Call(torch.storage._load_from_bytes, storage_file(persistent=payload, protocol=protocol)), protocol=protocol
    )


def storage_file(*, persistent: object = None, count: int = 4, held: int = 4, protocol: int = 2) -> bytes:
    """A storage as torch.save's older layout has it, with claims of one's own."""
    real = io.BytesIO()
    torch.save(torch.zeros(held)._typed_storage(), real, _use_new_zipfile_serialization=False)
    if persistent is None and count == held:
        return real.getvalue()
    if persistent is None:
        persistent = ("storage", torch.FloatStorage, "0", "cpu", count, None)
    out = io.BytesIO()
    pickle.dump(0x1950A86A20F9469CFC6C, out, 2)
    pickle.dump(1001, out, 2)
    pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, out, 2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return persistent if value is marker else None

    marker = object()
    Pickler(out, protocol).dump(marker)
    pickle.dump(["0"], out, 2)
    out.write(struct.pack("<q", count) + b"\0" * 4 * held)
    return out.getvalue()


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Reads bytes as a file and demands a CheckpointError that names the file, soon."""

    def read(data: bytes, *, reader: Callable[[Path], object] = load_generator) -> str:
        path = tmp_path / "stranger.pkl"
        path.write_bytes(data)
        started = time.process_time()
        with pytest.raises(CheckpointError) as caught:
            reader(path)
        assert time.process_time() - started < SECONDS
        assert "stranger.pkl" in str(caught.value)
        assert len(str(caught.value)) < 500
        return str(caught.value)

    return read


def test_invariance_the_corpus_bites(tmp_path: Path) -> None:
    """What is refused below would have run in an ordinary unpickler."""
    for name in ("os.system", "os.mkdir", "eval", "exec", "pickle.loads", "real_storage", "numpy_object", "set"):
        flag = tmp_path / name
        with contextlib.suppress(TypeError, RuntimeError):
            pickle.loads(pickle.dumps(calls(flag)[name], 4))
        assert flag.exists(), name


@pytest.mark.parametrize("place", ["top", "state", "network", "storage", "persistent"])
@pytest.mark.parametrize("name", sorted(calls(Path("flag"))))
def test_error_calls_are_refused(name: str, place: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    flag = tmp_path / "flag"
    for protocol in range(6):
        try:
            data = hidden(calls(flag)[name], place=place, protocol=protocol)
        except pickle.PicklingError:
            continue  # a persistent id of protocol 0 must be text
        expected = refused(data, reader=read_pickle)
        refused(data)
        assert not flag.exists()
        if place == "top" and name == "os.system" and data[:1] == b"\x80":
            assert f"refused '{os.system.__module__}.system' at byte" in expected


def test_error_embedded_source_is_never_compiled(tiny: Generator, tmp_path: Path) -> None:
    """Every module of the stand-ins carries source that would end the process."""
    assert b"embedded source was run" in write_networks(tmp_path / "a.pkl", tiny).read_bytes()
    load_generator(tmp_path / "a.pkl")


def loaded(data: bytes) -> bytes:
    return LOAD + b"(B" + struct.pack("<I", len(data)) + data + b"tR"


def view(size: bytes, stride: bytes, *, storage: bytes) -> bytes:
    return VIEW + b"(" + storage + b"K\0" + size + stride + b"\x89N" + b"tR"


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def raw(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def kind(name: str = "f4", order: str = "<") -> bytes:
    """A numpy type, made and given its byte order."""
    parts = text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t"
    return b"cnumpy\ndtype\n(" + text(name) + b"K\0K\1tR(K\3" + parts + b"b"


def shaped(*sides: int) -> bytes:
    return b"(" + b"".join(map(number, sides)) + b"t"


def saved_array(shape: bytes = shaped(4), type_: bytes = kind(), data: bytes = raw(bytes(16))) -> bytes:
    """An array as pickles make it: empty, then given its state."""
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85U\1btR"
    return empty + b"(K\1" + shape + type_ + b"\x89" + data + b"tb"


NETWORK = b"cdnnlib.tflib.network\nNetwork\n)\x81"


def network(**state: bytes) -> bytes:
    return NETWORK + b"}(" + b"".join(text(key) + value for key, value in state.items()) + b"ub"


def generator_of(**state: bytes) -> bytes:
    """(G, D, Gs), all the same network, as far as `state` goes a generator's."""
    usual = {"version": b"K\4", "static_kwargs": b"}", "build_func_name": text("G_main"), "variables": b"]"}
    parts = {key: network(**usual | {"build_func_name": text(f"G_{key}")}) for key in ("mapping", "synthesis")}
    components = b"}(" + b"".join(text(key) + part for key, part in parts.items()) + b"u"
    return b"\x80\x03" + network(**usual | {"components": components} | state) + b"q\0h\0h\0\x87."


ZIPPED = io.BytesIO()
with zipfile.ZipFile(ZIPPED, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("archive/data.pkl", b"\0" * (64 << 20))

BOMBS = {
    "nested_tuples": b"\x80\x02)" + b"\x85" * 1_000_000 + b".",
    "nested_tuples_within_limits": b"\x80\x02)" + b"\x85" * (MAX_OPCODES - 10) + b".",
    "nested_lists": b"\x80\x02" + b"](" * 150_000 + b"e" * 150_000 + b".",
    "deep_key": b"\x80\x02})" + b"\x85" * 300_000 + b"Ns.",
    "doubling_key": b"\x80\x02})" + b"2\x86" * 5000 + b"Ns.",
    "doubling_list": b"\x80\x02]" + b"q\0h\0h\0\x86q\0" * 60_000 + b".",
    "marks": b"\x80\x02" + b"(" * 1_000_000 + b".",
    "huge_memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    "huge_put": b"\x80\x02Np99999999999999999999\n.",
    "many_memos": b"\x80\x04N" + b"\x94" * 1_000_000 + b".",
    "text_claim": b"\x80\x04\x8d" + struct.pack("<Q", TERA) + b"x.",
    "bytes_claim": b"\x80\x04\x8e" + struct.pack("<Q", TERA) + b"x.",
    "bytes_overflow": b"\x80\x04\x8e" + b"\xff" * 8 + b"x.",
    "bytearray_claim": b"\x80\x05\x96" + struct.pack("<Q", TERA) + b"x.",
    "short_claim": b"\x80\x03B" + b"\xff" * 4 + b"x.",
    "negative_claim": b"\x80\x02T" + b"\xff" * 4 + b"x.",
    "frame_claim": b"\x80\x04\x95" + struct.pack("<Q", TERA) + b"N.",
    "number_claim": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"x.",
    "long_number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
    "long_digits": b"\x80\x02L" + b"9" * 1_000_000 + b"L\n.",
    "digits": b"\x80\x02I" + b"9" * 4000 + b"\n.",
    "colliding_keys": b"\x80\x02}(" + b"".join(number(i * ((1 << 61) - 1)) + b"N" for i in range(4)) + b"u.",
    "tuple_key": b"\x80\x02})Ns.",
    "extensions": b"\x80\x02\x82\x01.",
    "protocol_9": b"\x80\x09N.",
    "no_stop": b"\x80\x02N",
    "empty_stack": b"\x80\x02.",
    "underflow": b"\x80\x02\x87.",
    "no_mark": b"\x80\x02N0t.",
    "append_to_none": b"\x80\x02NNa.",
    "odd_items": b"\x80\x02}(Nu.",
    "call_of_text": b"\x80\x02U\x01x)R.",
    "instance": b"\x80\x02(ios\nsystem\n.",
    "object": b"\x80\x02(cos\nsystem\nU\x01xo.",
    "persistent_text": b"\x80\x02Pevil\n.",
    "persistent_outside": b"\x80\x02NQ.",
    "buffer": b"\x80\x05\x97.",
    "array_claim": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
    + number(TERA)
    + b"\x85U\x01btR.",
    "array_made": b"\x80\x02cnumpy\nndarray\n(" + number(TERA) + b"\x85tR.",
    "object_dtype": b"\x80\x02cnumpy\ndtype\n(U\x02O8tR.",
    "record_dtype": b"\x80\x02cnumpy\ndtype\n(U\x02V8tR.",
    "set_call": b"\x80\x02c__builtin__\nset\n]\x85R.",
    "dict_of_list": b"\x80\x02ccollections\nOrderedDict\n]\x85R.",
    "storage_claim": b"\x80\x03" + loaded(storage_file(count=TERA)) + b".",
    "storage_small_claim": b"\x80\x03" + loaded(storage_file(count=3)) + b".",
    "storage_zip": b"\x80\x03" + loaded(ZIPPED.getvalue()) + b".",
    "storage_text": b"\x80\x03" + LOAD + b"(U\x01xtR.",
    "view_claim": b"\x80\x03" + view(number(TERA) + b"\x85", b"K\0\x85", storage=loaded(storage_file())) + b".",
    "view_outside": b"\x80\x03" + view(b"K\x04\x85", b"K\x02\x85", storage=loaded(storage_file())) + b".",
    "view_negative": b"\x80\x03" + view(number(-4) + b"\x85", b"K\x01\x85", storage=loaded(storage_file())) + b".",
    "view_dimensions": b"\x80\x03" + view(b"(" + b"K\1" * 99 + b"t", b"(" + b"K\1" * 99 + b"t", storage=b"N") + b".",
    "views_again": b"\x80\x03"
    + loaded(storage_file(held=100_000))
    + b"q\0"
    + view(number(100_000) + b"\x85", b"K\1\x85", storage=b"h\0") * 2000
    + b".",
    "storage_again": b"\x80\x03B"
    + struct.pack("<I", len(storage_file(held=100_000)))
    + storage_file(held=100_000)
    + b"q\0"
    + (LOAD + b"(h\0tR") * 2000
    + b".",
    "legacy_torch": storage_file(),
    "array_lying_claim": b"\x80\x03" + saved_array(shaped(TERA)) + b".",
    "array_product_claim": b"\x80\x03" + saved_array(shaped(*[1 << 39] * 8)) + b".",
    "array_nothing_claim": b"\x80\x03" + saved_array(shaped(0, *[1 << 39] * 7), data=raw(b"")) + b".",
    "array_bytes_claim": b"\x80\x04" + saved_array(data=b"\x8e" + struct.pack("<Q", TERA)) + b".",
    "array_text_claim": b"\x80\x02" + saved_array(data=b"T" + struct.pack("<i", (1 << 31) - 1)) + b".",
    "array_short": b"\x80\x03" + saved_array(shaped(5)) + b".",
    "array_long": b"\x80\x03" + saved_array(shaped(3)) + b".",
    "array_negative": b"\x80\x03" + saved_array(shaped(-4)) + b".",
    "array_of_sides": b"\x80\x03" + saved_array(shaped(*[1] * 99)) + b".",
    "array_big_endian": b"\x80\x03" + saved_array(type_=kind(order=">")) + b".",
    "array_complex": b"\x80\x03" + saved_array(shaped(2), kind("c8")) + b".",
    "array_objects": b"\x80\x03" + saved_array(shaped(2), kind("O8")) + b".",
    "array_untyped": b"\x80\x03" + saved_array(type_=b"N") + b".",
    "array_in_array": b"\x80\x03" + saved_array(data=saved_array()) + b".",
    "array_of_list": b"\x80\x03" + saved_array(data=b"](K\1K\2e") + b".",
    "array_wide_text": b"\x80\x03" + saved_array(data=text("\u0100" * 4)) + b".",
    "array_no_state": b"\x80\x03" + saved_array().partition(b"(K\1")[0] + b"K\1b.",
    "arrays_again": b"\x80\x03"
    + raw(bytes(1 << 16))
    + b"q\0"
    + saved_array(shaped(1 << 14), data=b"h\0") * 1000
    + b".",
    "buffer_claim": b"\x80\x04cnumpy.core.numeric\n_frombuffer\n("
    + raw(bytes(16))
    + kind()
    + shaped(TERA)
    + text("C")
    + b"tR.",
    "network_deep": b"\x80\x03" + (NETWORK + b"}" + text("components")) * 10_000 + b"N" + b"sb" * 10_000 + b".",
    "network_deep_parts": generator_of(
        components=b"".join([b"}" + text("mapping") + NETWORK + b"}" + text("components")] * 10_000)
        + b"}"
        + b"sbs" * 10_000
    ),
    "network_of_itself": b"\x80\x03"
    + NETWORK
    + b"q\0}"
    + text("components")
    + b"}"
    + text("mapping")
    + b"h\0ssbh\0h\0\x87.",
    "network_twice": b"\x80\x03" + network(version=b"K\4") + b"}b.",
    "network_of_text": b"\x80\x03" + NETWORK + text("state") + b"b.",
    "network_of_arguments": b"\x80\x03cdnnlib.tflib.network\nNetwork\n" + text("G") + b"\x85\x81.",
    "network_nothing": b"\x80\x03" + NETWORK + b"}b" + b"q\0h\0h\0\x87.",
    "state_of_list": b"\x80\x03]}b.",
    "state_of_dictionary": b"\x80\x03}}b.",
    "state_of_tensor": b"\x80\x03" + view(b"K\4\x85", b"K\1\x85", storage=loaded(storage_file())) + b"}b.",
    "state_of_name": b"\x80\x03cnumpy\nndarray\n}b.",
    "source_claim": generator_of(build_module_src=b"\x8d" + struct.pack("<Q", TERA)),
    "variables_claim": generator_of(variables=b"](" + text("x") + saved_array(shaped(TERA)) + b"\x86e"),
    "variables_no_list": generator_of(variables=b"}"),
    "variables_no_pairs": generator_of(variables=b"](K\1K\2e"),
    "variables_triples": generator_of(variables=b"](" + text("x") + b"K\1K\2\x87e"),
    "variables_of_lists": generator_of(variables=b"](" + text("x") + b"]\x86e"),
    "variables_numbered": generator_of(variables=b"](K\1" + saved_array() + b"\x86e"),
    "variables_crowd": generator_of(variables=b"](" + (text("x") + b"K\1\x86") * 50_000 + b"e"),
    "variables_shared": generator_of(
        variables=saved_array(shaped(1 << 20), data=raw(bytes(1 << 22)))
        + b"q\0010]("
        + b"".join(text(f"x{i}") + b"h\1\x86" for i in range(4000))
        + b"e"
    ),
    "variables_long_name": generator_of(variables=b"](" + text("x" * 100_000) + b"K\1\x86e"),
    "variables_unset": generator_of(variables=b"](" + text("lod") + saved_array().partition(b"(K\1")[0] + b"\x86e"),
    "settings_crowd": generator_of(
        static_kwargs=b"}(" + b"".join(text(f"k{i}") + b"K\1" for i in range(50_000)) + b"u"
    ),
    "settings_of_list": generator_of(static_kwargs=b"]"),
    "settings_nested": generator_of(static_kwargs=b"}" + text("resample_kernel") + b")" + b"\x85" * 100_000 + b"s"),
    "settings_doubling": generator_of(static_kwargs=b"}" + text("resample_kernel") + b")" + b"2\x86" * 5000 + b"s"),
    "settings_doubling_key": generator_of(
        static_kwargs=b"}" + text("fused_scale") + b")" + b"2\x86" * 5000 + b"s",
        variables=b"](" + text("4x4/Const/StyleMod/weight") + b"K\1\x86e",
    ),
    "settings_large": generator_of(static_kwargs=b"}" + text("mapping_lrmul") + b"\x8a\x10" + b"\x7f" * 16 + b"s"),
    "parts_of_text": generator_of(components=b"}" + text("mapping") + text("x") + b"s"),
    "part_unknown": generator_of(components=b"}" + text("glow") + NETWORK + b"s"),
    "parts_empty": generator_of(components=b"}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BOMBS))
def test_error_bombs(name: str, refused: Callable[..., str]) -> None:
    """None of these is a generator; some are read as plain values first, which must be as quick."""
    refused(BOMBS[name])


@pytest.mark.parametrize("name", sorted(name for name in BOMBS if "claim" in name))
def test_error_claims_cost_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "claim.pkl"
    path.write_bytes(BOMBS[name])
    tracemalloc.start()
    with contextlib.suppress(CheckpointError):
        read_pickle(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("start", [b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"])
def test_error_random_opcodes(start: bytes, tmp_path: Path, rng: torch.Generator) -> None:
    path = tmp_path / "random.pkl"
    opcodes = b"(.0N12FGIJKLMRSTUVXabcdeghijloqrstu}]\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x90\x91\x93\x94\x95"
    for _ in range(200):
        chosen = torch.randint(0, len(opcodes), (40,), generator=rng).tolist()
        path.write_bytes(start + bytes(opcodes[index] for index in chosen))
        with contextlib.suppress(CheckpointError):
            load_generator(path)


@pytest.mark.slow
def test_error_damage_never_escapes(tiny: Generator, tmp_path: Path, rng: torch.Generator) -> None:
    """Flipped bits and cut ends give a generator or a CheckpointError; half the flips hit opcodes, not numbers."""
    whole = write_networks(tmp_path / "whole.pkl", tiny).read_bytes()
    path = tmp_path / "damaged.pkl"
    marks = [
        index for index in range(len(whole) - 8) if whole[index : index + 8].isascii() and any(whole[index : index + 8])
    ]
    refusals = []
    for trial in range(160):
        at = int(torch.randint(0, len(marks), (), generator=rng))
        position = marks[at] if trial % 2 else at * len(whole) // len(marks)
        damaged = bytearray(whole)
        damaged[position] ^= 1 << trial % 8
        path.write_bytes(damaged if trial % 4 else whole[:position])
        try:
            load_generator(path)
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(refusals) > 40
    assert all("damaged.pkl" in expected for expected in refusals)


@pytest.mark.slow
def test_error_damaged_tensorflow_files(tmp_path: Path, rng: torch.Generator) -> None:
    """As above, for the networks of TensorFlow's programs; every third trial cuts the file."""
    net = make_generator(TINY, companions=False)
    whole = write_tensorflow(tmp_path / "whole.pkl", net, version=3).read_bytes()
    start = len(whole) // 2  # Gs and what comes before it; the first half repeats G
    refusals = []
    for trial in range(150):
        position = start + int(torch.randint(0, len(whole) - start, (), generator=rng))
        damaged = bytearray(whole)
        damaged[position] ^= 1 << trial % 8
        (tmp_path / "damaged.pkl").write_bytes(damaged if trial % 3 else whole[:position])
        try:
            load_generator(tmp_path / "damaged.pkl")
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(refusals) >= 50
    assert all("damaged.pkl" in expected for expected in refusals)


def test_shape_arrays_are_the_numbers_written(tmp_path: Path) -> None:
    """Plain numbers of every type and order come back; reading makes no tensor before one is asked for."""
    arrays = {
        kind: np.arange(24).reshape(2, 3, 4).astype(kind) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1")
    }
    arrays |= {"b1": np.eye(3, dtype=bool), "scalar": np.array(3, np.float32), "none": np.zeros((0, 4), np.float32)}
    arrays["columns"] = np.asfortranarray(arrays["f4"])
    for protocol in (5, 4, 3, 2):
        if protocol == 2:
            del arrays["none"]  # Python writes no bytes as a call of bytes, which is no allowed name
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(arrays, protocol=protocol))
        found = read_pickle(tmp_path / "a.pkl")
        assert isinstance(found, dict)
        for name, array in arrays.items():
            assert isinstance(found[name], Array)
            torch.testing.assert_close(found[name].tensor(), torch.from_numpy(array.copy()))


def test_error_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pkl", tmp_path):
        with pytest.raises(CheckpointError):
            read_pickle(path)
