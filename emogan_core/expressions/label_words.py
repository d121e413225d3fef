"""What people write for the named expressions and for the reference, in any case and spacing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..errors import ExpressionError
from .axes import REFERENCE

MEANT = {
    "happiness": ("happy", "joy", "joyful"),
    "sadness": ("sad",),
    "anger": ("angry",),
    "surprise": ("surprised",),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "contempt": ("contemptuous",),
    REFERENCE: ("neutrality", "no expression"),
}
"""Other words for the named expressions; what somebody else calls by one word alone is taken for it."""

MAX_LABEL = 80
_MEANING = {word: name for name, words in MEANT.items() for word in (name, *words)}


def read_labels(
    source: str, labels: Sequence[str], *, neutral: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels with one spelling each, the named expressions and 'neutral' by their names, and how they were read.

    Convention: `source` is where they come from, for messages; `neutral` is the word that stands for 'neutral' there.
    Raises: ExpressionError for a label too long to be a name, for two different words of one meaning, or when nothing
    is labelled with `neutral`.
    """
    spellings = _spellings(source, labels)
    meanings = {key: _MEANING.get(key, spelling) for key, spelling in spellings.items()}
    if neutral is not None:
        if _key(neutral) not in meanings:
            raise ExpressionError(
                f"no picture of {source} is labelled '{neutral[:MAX_LABEL]}', the word for '{REFERENCE}'; it has "
                f"{_counted(labels)}"
            )
        meanings = {key: "neutral (as labelled)" if name == REFERENCE else name for key, name in meanings.items()}
        meanings[_key(neutral)] = REFERENCE
    _refuse_doubles(source, meanings, spellings)
    told = [f"'{spellings[key]}' as {name}" for key, name in meanings.items() if name != spellings[key]]
    return tuple(meanings[_key(label)] for label in labels), tuple(told)


def _key(label: str) -> str:
    return " ".join(label.replace("_", " ").split()).casefold()


def _spellings(source: str, labels: Sequence[str]) -> dict[str, str]:
    """For each label, however spelled, the way in which most pictures have it."""
    found: dict[str, Counter[str]] = {}
    for label in labels:
        if len(label) > MAX_LABEL:
            raise ExpressionError(
                f"{source} has a label of {len(label)} letters, '{label[:40]}...'; give names of up to {MAX_LABEL}"
            )
        found.setdefault(_key(label), Counter())[" ".join(label.split())] += 1
    return {key: spelled.most_common(1)[0][0] for key, spelled in found.items()}


def _refuse_doubles(source: str, meanings: Mapping[str, str], spellings: Mapping[str, str]) -> None:
    """Two words of one meaning may be meant to be different.

    Raises: ExpressionError.
    """
    for name, count in Counter(meanings.values()).items():
        if count > 1:
            words = " and ".join(f"'{spellings[key]}'" for key, meant in meanings.items() if meant == name)
            raise ExpressionError(f"{source} has the labels {words}, which all stand for {name}; write one of them")


def _counted(labels: Sequence[str]) -> str:
    return ", ".join(f"{count} '{label[:MAX_LABEL]}'" for label, count in Counter(labels).most_common(8))
