"""A small machine that follows a pickle's opcodes over inert values; names it was not given are refused, none is imported.

Every step costs what its own bytes justify: claimed lengths are held against the bytes that are left before anything is
read, memo indices are keys and not sizes, dictionary keys are texts or small numbers, and opcodes are counted.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from ...errors import CheckpointError
from .budget import Budget
from .programs import NEEDED, kind_of_module

MAX_LINE_BYTES = 4096  # of opcodes that end at a newline; protocols 2 and newer use them for short names only
MAX_PROTOCOL = 5
MAX_LITERAL_BYTES = 256 << 20  # a storage; the largest of any network read has 64 MiB
MAX_ARGUMENTS = 64  # of one call; parts of a path are the most there are
MAX_KEY = 1000  # characters of a dictionary's key
MAX_BITS = 128  # longer numbers make arithmetic slow; torch's own mark of a file has 77 bits
SHOWN_CHARACTERS = 80

Maker = Callable[..., object]
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = frozenset(
    (
        *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "BYTEARRAY8"),
        *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    )
)
_SIZED_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class Name:
    """A global that a pickle names; it stays a name."""

    text: str


class Opaque:
    """Something allowed whose content nobody needs, such as a set."""


class Source:
    """A file of known size as an opcode reader wants it: no read goes beyond what is there, no line is long."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size

    def tell(self) -> int:
        return self.file.tell()

    def read(self, count: int) -> bytes:
        left = self.size - self.file.tell()
        if not 0 <= count <= left:
            raise CheckpointError(
                f"{count} bytes are claimed at byte {self.tell()} where {left} are left; "
                "the file is damaged or cut short, get it again"
            )
        if count > MAX_LITERAL_BYTES:
            raise CheckpointError(
                f"one value of {count} bytes is claimed at byte {self.tell()}, above the limit of {MAX_LITERAL_BYTES}; "
                "no generator has one"
            )
        return self.file.read(count)

    def readline(self) -> bytes:
        return self.file.readline(MAX_LINE_BYTES)


class Machine:
    """Runs one pickle up to its STOP.

    Convention: `makers` maps allowed names to functions of inert arguments; `constants` are names that may only be
    arguments; `persistent` answers persistent ids, which are refused without it.
    """

    def __init__(
        self,
        source: Source,
        *,
        makers: Mapping[str, Maker],
        budget: Budget,
        constants: frozenset[str] = frozenset(),
        persistent: Maker | None = None,
        build: Maker | None = None,
    ) -> None:
        self.source, self.makers, self.budget = source, makers, budget
        self.constants, self.persistent, self.build = constants, persistent, build
        self.stack: list[object] = []
        self.below: list[list[object]] = []
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        """The value the pickle describes, made of plain values, records and names.

        Raises: CheckpointError for what is refused; the decoder's own errors when the bytes are no pickle.
        """
        for opcode, argument, position in pickletools.genops(self.source):  # type: ignore[arg-type]
            self.budget.spend_opcodes()
            if opcode.name == "STOP":
                break
            self._step(opcode.name, argument, position or 0)
        return self.stack.pop()

    def _step(self, opcode: str, argument: object, position: int) -> None:
        stack = self.stack
        if opcode in _LITERALS:
            if isinstance(argument, int) and argument.bit_length() > MAX_BITS:
                raise CheckpointError(f"a number of {argument.bit_length()} bits at byte {position} is refused")
            stack.append(argument)
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode])
        elif opcode in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(argument)])  # type: ignore[call-overload]
        elif opcode in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(argument)] = stack[-1]  # type: ignore[call-overload]
        elif opcode == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif opcode in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(self._name(argument, position))
        elif opcode in ("REDUCE", "NEWOBJ"):
            arguments, called = stack.pop(), stack.pop()
            stack.append(self._made(called, arguments, position))
        elif opcode == "BUILD":
            state = stack.pop()
            if self.build is None:
                raise CheckpointError(f"refused to set an object's state at byte {position}; get another file")
            self.build(stack[-1], state)
        elif opcode == "BINPERSID" and self.persistent is not None:
            stack.append(self.persistent(stack.pop()))
        elif opcode == "PROTO":
            if not isinstance(argument, int) or argument > MAX_PROTOCOL:
                raise CheckpointError(f"it claims pickle protocol {argument}; needed {MAX_PROTOCOL} or older")
        elif not self._collect(opcode) and opcode != "FRAME":
            raise CheckpointError(
                f"refused opcode {opcode} at byte {position}, which no generator file needs and which can reach code; "
                "get the file from a source you trust, or as safetensors"
            )

    def _collect(self, opcode: str) -> bool:
        """Marks, containers and their items; False when `opcode` is something else."""
        stack = self.stack
        if opcode == "MARK":
            self.below.append(stack)
            self.stack = []
        elif opcode in _SIZED_TUPLES:
            count = _SIZED_TUPLES[opcode]
            if len(stack) < count:
                raise CheckpointError("its stack runs empty; the file is damaged, get it again")
            stack[-count:] = [tuple(stack[-count:])]
        elif opcode == "EMPTY_LIST":
            stack.append([])
        elif opcode == "EMPTY_DICT":
            stack.append({})
        elif opcode == "EMPTY_SET":
            stack.append(Opaque())
        elif opcode in ("TUPLE", "LIST", "DICT", "FROZENSET", "APPENDS", "SETITEMS", "ADDITEMS", "POP_MARK"):
            self._close(opcode)
        elif opcode == "APPEND":
            item = stack.pop()
            _listed(stack[-1]).append(item)
        elif opcode == "SETITEM":
            item, key = stack.pop(), stack.pop()
            _keyed(stack[-1])[key_of(key)] = item
        elif opcode == "DUP":
            stack.append(stack[-1])
        elif opcode == "POP":
            stack.pop()
        else:
            return False
        return True

    def _close(self, opcode: str) -> None:
        """Take everything since the last mark."""
        items = self.stack
        self.stack = self.below.pop()
        if opcode == "TUPLE":
            self.stack.append(tuple(items))
        elif opcode == "LIST":
            self.stack.append(items)
        elif opcode == "FROZENSET":
            self.stack.append(Opaque())
        elif opcode == "APPENDS":
            _listed(self.stack[-1]).extend(items)
        elif opcode in ("DICT", "SETITEMS"):
            if opcode == "DICT":
                self.stack.append({})
            target = _keyed(self.stack[-1])
            for key, item in zip(items[::2], items[1::2], strict=True):
                target[key_of(key)] = item

    def _name(self, argument: object, position: int) -> Name:
        if isinstance(argument, str):
            text = argument.replace(" ", ".", 1)
        else:
            parts = (self.stack.pop(), self.stack.pop())
            if not all(isinstance(part, str) for part in parts):
                raise CheckpointError(f"a name at byte {position} is no text; the file is damaged, get it again")
            text = f"{parts[1]}.{parts[0]}"
        if text not in self.makers and text not in self.constants:
            kind = kind_of_module(text)
            if kind is not None:
                raise CheckpointError(
                    f"refused {text[:SHOWN_CHARACTERS]!a} at byte {position}: the file seems to be {kind}; {NEEDED}"
                )
            raise CheckpointError(
                f"refused {text[:SHOWN_CHARACTERS]!a} at byte {position}: generators consist of tensors and "
                "settings only, and nothing else is read; get the file from a source you trust, or as safetensors"
            )
        return Name(text)

    def _made(self, called: object, arguments: object, position: int) -> object:
        if not isinstance(called, Name) or called.text not in self.makers:
            raise CheckpointError(f"refused a call of what is no allowed name at byte {position}; get another file")
        if not isinstance(arguments, tuple):
            raise CheckpointError(f"{called.text} came without a tuple of arguments; the file is damaged, get it again")
        if len(arguments) > MAX_ARGUMENTS:
            raise CheckpointError(
                f"{called.text} came with {len(arguments)} arguments at byte {position}; needed at most {MAX_ARGUMENTS}"
            )
        self.budget.spend_opcodes(len(arguments))
        try:
            return self.makers[called.text](*arguments)
        except CheckpointError as error:
            raise CheckpointError(f"{error} (at byte {position})") from error


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise CheckpointError("items are put into what is no list; the file is damaged, get it again")
    return value


def _keyed(value: object) -> dict[object, object]:
    if not isinstance(value, dict):
        raise CheckpointError("entries are put into what is no dictionary; the file is damaged, get it again")
    return value


def key_of(value: object) -> str | int:
    """A key whose hash is quick: hashing nested tuples can take for ever, large numbers can be made to collide."""
    if isinstance(value, str) and len(value) <= MAX_KEY:
        return value
    if isinstance(value, int) and abs(value) < 1 << 31:
        return value
    if isinstance(value, str):
        raise CheckpointError(f"a dictionary has a key of {len(value)} characters; needed at most {MAX_KEY}")
    raise CheckpointError("a dictionary has keys other than texts and small numbers; no generator file does")
