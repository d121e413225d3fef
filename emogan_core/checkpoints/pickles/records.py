"""What pickles of NVIDIA's PyTorch programs consist of besides tensors: modules as inert records, tables, numbers.

Source: layouts as observed in files of stylegan2-ada-pytorch and stylegan3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import CheckpointError
from .arrays import array_makers
from .budget import Budget
from .machine import Maker, Opaque, key_of

_TABLES = (
    "collections.OrderedDict",
    "dnnlib.util.EasyDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",  # the settings of a Lightning training
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "lightning.fabric.utilities.data.AttributeDict",
)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A module or network of a file: the name of its class and its attributes; nothing of it can run."""

    class_name: str
    state: dict[str, object] = field(repr=False)


def module_makers(budget: Budget) -> dict[str, Maker]:
    """The allowed names in files with modules, each with the function that answers it."""

    def encoded(text: object, name: object = "latin1") -> bytes:
        if not isinstance(text, str) or name not in ("latin1", "latin-1"):
            raise CheckpointError("refused an encoding other than latin1; get the file again, or as safetensors")
        budget.spend_bytes(len(text))
        return text.encode("latin1")

    def table(*arguments: object) -> dict[object, object]:
        """Filled item by item afterwards; or, as Python 2 wrote them, of a list of pairs."""
        pairs = arguments[0] if arguments else []
        if len(arguments) > 1 or not isinstance(pairs, list):
            raise CheckpointError(
                "a dictionary is made of something other than pairs; the file is damaged, get it again"
            )
        budget.spend_opcodes(len(pairs))  # one list may make many tables
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise CheckpointError("a dictionary has an entry that is no pair; the file is damaged, get it again")
        return {key_of(key): value for key, value in pairs}

    made: dict[str, Maker] = {
        **dict.fromkeys(_TABLES, table),
        "torch_utils.persistence._reconstruct_persistent_obj": _record,
        "_codecs.encode": encoded,
        "builtins.set": opaque,
        "__builtin__.set": opaque,
    }
    return made | array_makers(budget)


def opaque(*_: object) -> Opaque:
    """The answer to names that are allowed and whose content nobody needs."""
    return Opaque()


def _record(meta: object) -> Record:
    """What `_reconstruct_persistent_obj` would bring to life by compiling `module_src`; here it stays a record."""
    if not isinstance(meta, dict):
        raise CheckpointError("a module comes without its description; the file is damaged, get it again")
    kind, version, class_name, state = (meta.get(key) for key in ("type", "version", "class_name", "state"))
    if not isinstance(kind, str) or kind != "class" or not isinstance(version, int) or version > 6:
        raise CheckpointError("a module is described in a way not known here; needed a class of version 6 or older")
    if not isinstance(class_name, str) or not isinstance(state, dict):
        raise CheckpointError("a module has no class name or no state; the file is damaged, get it again")
    return Record(class_name, state)
