"""Seeded damage: bit flips, cut ends, spliced parts and opcodes, swapped lengths, claims of size; also under checksums."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Mutation = Callable[[bytes, Rng], bytes]

OPCODES = (  # of pickles: memo, marks, calls, long claims, ends
    *(b"j\xff\xff\xff\x7f", b"r\xff\xff\xff\x7f", b"(" * 40, b"R", b"b", b"c", b"cos\nsystem\n", b"X\xff\xff\xff\x7f"),
    *(
        b"\x8d" + b"\xff" * 8,
        b"\x8e" + b"\xff" * 7 + b"\x7f",
        b"\x8b\xff\xff\xff\x7f",
        b"0",
        b"2" * 30,
        b"}",
        b"u",
        b".",
    ),
    *(b"K\x00", b"N", b"\x85", b"\x86", b"\x81", b"\x93", b"\x94", b"t", b"Q", b"G\x7f\xf0\0\0\0\0\0\0"),
)
LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 33, (1 << 63) - 1, (1 << 64) - 1)
NUMBERS = (
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    b"99999",
    b"2147483648",
    b"9" * 30,
    b"9" * 400,
    b"null",
    b'"\\ud800"',
    b"[[[[",
)


def bits(data: bytes, rng: Rng) -> bytes:
    """Some bits flipped, anywhere or near the start, where headers are."""
    changed = bytearray(data)
    end = min(len(data), 600) if rng.random() < 0.5 else len(data)
    for place in rng.integers(0, end, int(rng.integers(1, 12))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut(data: bytes, rng: Rng) -> bytes:
    """Cut short, or its start cut off."""
    place = int(rng.integers(0, len(data)))
    return data[:place] if rng.random() < 0.8 else data[place:]


def spliced(data: bytes, rng: Rng) -> bytes:
    """A part of itself, an opcode or a strange number put in, or over what was there."""
    place, other = (int(rng.integers(0, len(data))) for _ in range(2))
    choice = rng.random()
    if choice < 0.4:
        part = data[other : other + int(rng.integers(1, 200))]
    else:
        words = OPCODES if choice < 0.7 else NUMBERS
        part = words[int(rng.integers(len(words)))]
    return data[:place] + part + data[place + (len(part) if rng.random() < 0.5 else 0) :]


def lengths(data: bytes, rng: Rng) -> bytes:
    """Two to eight bytes, which may be a length, replaced by another one."""
    size, order = int(rng.choice([2, 4, 8])), "little" if rng.random() < 0.5 else "big"
    end = min(len(data), 2000) if rng.random() < 0.6 else len(data)
    place = int(rng.integers(0, max(1, end - size)))
    value = LENGTHS[int(rng.integers(len(LENGTHS)))] & ((1 << 8 * size) - 1)
    return data[:place] + value.to_bytes(size, order) + data[place + size :]  # type: ignore[arg-type]


def claims(data: bytes, rng: Rng) -> bytes:
    """A number written in digits replaced by another, where there is one."""
    places = [place for place in range(min(len(data), 60_000)) if data[place : place + 1].isdigit()]
    if not places:
        return lengths(data, rng)
    start = end = places[int(rng.integers(len(places)))]
    while start and data[start - 1 : start].isdigit():
        start -= 1
    while data[end : end + 1].isdigit():
        end += 1
    return data[:start] + NUMBERS[int(rng.integers(len(NUMBERS)))] + data[end:]


MUTATIONS: dict[str, Mutation] = {"bits": bits, "cut": cut, "spliced": spliced, "lengths": lengths, "claims": claims}


def damaged(data: bytes, packed: str, rng: Rng) -> bytes:
    """One or two mutations of a file, half of the time inside its packing, whose checksums and lengths are then right."""
    inside = _PACKED.get(packed)
    for _ in range(1 + int(rng.random() < 0.3)):
        if not data:
            return data
        mutation = MUTATIONS[str(rng.choice(list(MUTATIONS)))]
        data = inside(data, mutation, rng) if inside is not None and rng.random() < 0.6 else mutation(data, rng)
    return data


def in_zip(data: bytes, mutation: Mutation, rng: Rng) -> bytes:
    """One member of an archive damaged, mostly the pickle."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # damaged before
        return mutation(data, rng)
    pickles = [name for name in members if name.endswith("data.pkl")]
    names = pickles if pickles and rng.random() < 0.8 else list(members)
    chosen = names[int(rng.integers(len(names)))]
    members[chosen] = mutation(members[chosen], rng) if members[chosen] else b"x"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def in_safetensors(data: bytes, mutation: Mutation, rng: Rng) -> bytes:
    """The header damaged as text, or one value of it, or of the JSON inside its texts; its length is right."""
    length = int.from_bytes(data[:8], "little")
    header, rest = data[8 : 8 + length], data[8 + length :]
    if rng.random() < 0.5 or not header:
        header = mutation(header or b"{}", rng)
    else:
        try:
            header = json.dumps(_changed(json.loads(header), rng)).encode()
        except (ValueError, RecursionError):
            header = mutation(header, rng)
    return struct.pack("<Q", len(header)) + header + rest


def _changed(value: object, rng: Rng) -> object:
    """One value somewhere inside another one."""
    others: list[object] = [
        None,
        -1,
        0,
        1e308,
        10**400,
        "",
        "\ud800",
        "x" * 5000,
        [],
        {},
        [[1]] * 50,
        True,
        "nan",
        {"a": {}},
    ]
    if isinstance(value, str) and value[:1] in "[{" and rng.random() < 0.8:
        try:
            return json.dumps(_changed(json.loads(value), rng))
        except (ValueError, RecursionError):
            return value
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = keys[int(rng.integers(len(keys)))]
        changed = dict(value) if isinstance(value, dict) else list(value)
        if rng.random() < 0.1:
            del changed[key]  # type: ignore[arg-type]
        else:
            changed[key] = _changed(value[key], rng)  # type: ignore[index,call-overload]
        return changed
    return others[int(rng.integers(len(others)))]


def in_png(data: bytes, mutation: Mutation, rng: Rng) -> bytes:
    """The body of one chunk damaged."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    if not chunks:
        return mutation(data, rng)
    chosen = int(rng.integers(len(chunks)))
    made = [data[:8]]
    for number, (name, old) in enumerate(chunks):
        body = mutation(old, rng) if number == chosen and old else old
        made.append(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(made)


_PACKED = {"zip": in_zip, "safetensors": in_safetensors, "png": in_png}
