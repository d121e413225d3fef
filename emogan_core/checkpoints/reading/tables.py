"""Where in a file of torch.save a state dict lies: under which key, behind which prefix, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...errors import CheckpointError

AVERAGED = ("G_ema", "g_ema", "generator_smooth", "g_running", "params_ema")
TRAINING = ("G", "g", "generator", "params")
NOT_AVERAGED = "the file lacks the smoothed generator (g_ema); the one in training is used and draws a little worse"
MAX_NAMES = 20_000  # of a state dict; the largest read, a generator with an encoder, has about 1300
_WHOLE = ("state_dict", "model", "")  # "" is the file's own table
_AROUND = ("", "models")  # tables of networks; genforce's trainings have them one level down
_COMPILED = "_orig_mod."  # what torch.compile puts before names, at any depth
_PARALLEL = "module."  # what DataParallel puts before names


@dataclass(frozen=True, slots=True, eq=False)
class StateDict:
    """A state dict in a file.

    Convention: `entries` without their prefix; `whole` is the table they are from, with prefixes; `around` the table
    of networks it is in, `top` the file's; `key` is "" where `whole` is the file's table itself.
    """

    key: str
    prefix: str
    entries: Mapping[str, object] = field(repr=False)
    whole: Mapping[str, object] = field(repr=False)
    around: Mapping[str, object] = field(repr=False)
    top: Mapping[str, object] = field(repr=False)

    @property
    def table(self) -> str:
        """How errors call it: by the key that it lies under, else by its prefix; "" for the whole file."""
        return self.prefix.removesuffix(".") or self.key

    @property
    def notices(self) -> tuple[str, ...]:
        """What has to be said of where it lies."""
        innermost = self.prefix.removesuffix(".").rpartition(".")[2]
        return (NOT_AVERAGED,) if self.key in TRAINING or innermost in TRAINING else ()

    def beside(self, *names: str) -> Mapping[str, object] | None:
        """The state dict of another network of the same file: under such a key, or with such a prefix in this table."""
        for name in names:
            found = table_at(self.around, name)
            if found is not None:
                return _without_prefix(_plain(found), _PARALLEL) or found
        outer = self.prefix.removesuffix(".").rpartition(".")[0]
        starts = [f"{outer}.", ""] if outer else [""]
        for start in (f"{start}{name}." for start in starts for name in names if self.prefix):
            found = _without_prefix(self.whole, start)
            if found:
                return found
        return None


def state_dict_with(top: object, *marks: str) -> StateDict | None:
    """The state dict that has a name like one of `marks`, whatever key and prefix it has; averaged ones come first.

    Convention: a mark is a whole name, or the start of one if it ends in a dot.
    Raises: CheckpointError for tables larger than any network's.
    """
    for key, whole, around in _candidates(top):
        prefixes = list(dict.fromkeys(prefix for name in whole if (prefix := _prefix(name, marks)) is not None))
        if prefixes:
            averaged = ("ema", "smooth", "running")
            prefix = next((one for one in prefixes if any(word in one.lower() for word in averaged)), prefixes[0])
            entries = _without_prefix(whole, prefix) if prefix else whole
            assert isinstance(top, dict)
            return StateDict(key, prefix, entries, whole, around, top)
    return None


def table_at(top: Mapping[str, object], key: str) -> dict[str, object] | None:
    """A table of names in another; None where there is none."""
    found = top.get(key)
    return found if isinstance(found, dict) and all(isinstance(name, str) for name in found) else None


def _candidates(top: object) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    """Key, table and the table around it, of all tables that may be a generator's state dict, best first."""
    if not isinstance(top, dict) or not all(isinstance(name, str) for name in top):
        return
    seen: set[int] = set()  # a small file may have one table under every key
    for outer in _AROUND:
        around = table_at(top, outer) if outer else top
        for key in (*AVERAGED, *TRAINING, *_WHOLE):
            table = None if around is None else table_at(around, key) if key else around
            if table and len(table) > MAX_NAMES:
                raise CheckpointError(f"it has a table of {len(table)} names; needed at most {MAX_NAMES}")
            if table and around is not None and id(table) not in seen:
                seen.add(id(table))
                yield key, _plain(table), around


def _plain(table: Mapping[str, object]) -> Mapping[str, object]:
    """Names as they were before torch.compile."""
    if not any(_COMPILED in name for name in table):
        return table
    return {name.replace(_COMPILED, ""): value for name, value in table.items()}


def _prefix(name: str, marks: tuple[str, ...]) -> str | None:
    """What comes before a mark in a name; None if there is no mark."""
    for mark in marks:
        before, found, after = name.partition(mark)
        if found and (not after or mark.endswith(".")) and (not before or before.endswith(".")):
            return before
    return None


def _without_prefix(table: Mapping[str, object], prefix: str) -> dict[str, object]:
    return {name.removeprefix(prefix): value for name, value in table.items() if name.startswith(prefix)}
