"""Latents, labels, people and covariates, checked and turned into the arrays that a fit works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import ExpressionError, ShapeError
from ..glm import (
    Array,
    Family,
    Flags,
    Index,
    Response,
    choose_family,
    depending_columns,
    group_index,
    read_response,
    standardise,
)
from ..latents import Latent, expect_same_space
from ..wording import counted
from .axes import REFERENCE

MIN_PEOPLE = 5
"""Fewer people than this cannot be split into groups that check each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One row per picture.

    Convention: X [n, w_dim] float64, the mean row of each code; labels [n]; groups [n], people as integers; covariates
    [n, c] standardised; `grouped` says whether people were given at all. `copies` marks mirror
    images; where there are any, they and their originals count half each. weight [n] is what each row counts. An
    expression is known by its name in `labels`, or by numbers in `scores`. pairs [n] numbers pictures of one person
    before and after, below 0 for those in none.
    """

    X: Array
    labels: NDArray[np.str_]
    groups: Index
    covariates: Array
    grouped: bool
    copies: Flags
    weight: Array
    pairs: Index
    scores: Mapping[str, Array] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    covariate_names: tuple[str, ...] = ()
    num_ws: int = 1

    @property
    def paired(self) -> bool:
        """Whether pictures come as pairs of before and after."""
        return bool((self.pairs >= 0).any())

    @property
    def sides(self) -> Index:
        """Groups in which a person and their mirror image are two, [n]: asymmetry is no motion."""
        return self.groups * 2 + self.copies

    @property
    def sides_index(self) -> Index:
        """The same, numbered without gaps."""
        return np.asarray(np.unique(self.sides, return_inverse=True)[1], dtype=np.int64)

    def rows(self, chosen: Flags) -> Table:
        """The chosen rows as a table of their own."""
        return replace(
            self,
            X=self.X[chosen],
            labels=self.labels[chosen],
            groups=np.unique(self.groups[chosen], return_inverse=True)[1].astype(np.int64),
            covariates=self.covariates[chosen],
            copies=self.copies[chosen],
            weight=self.weight[chosen],
            pairs=self.pairs[chosen],
            scores={name: values[chosen] for name, values in self.scores.items()},
        )

    def about(self, name: str) -> Flags:
        """Which rows tell something of an expression: those that show it or neutral, or all where it has scores."""
        if name in self.scores:
            return np.ones(len(self.X), dtype=bool)
        return np.asarray((self.labels == name) | (self.labels == REFERENCE))

    def response(self, name: str) -> Response:
        """The label of the rows about an expression.

        Raises: ExpressionError.
        """
        if name not in self.scores:
            return read_response(self.labels[self.about(name)] == name, "binary")
        try:
            return read_response(self.scores[name], self.families.get(name))
        except ValueError as error:
            raise ExpressionError(f"the column {name}: {error}") from error

    def level(self, name: str) -> Array:
        """[n]: how much of an expression each row shows, in units of what intensity 1 means."""
        return self.response(name).level if name in self.scores else (self.labels == name).astype(np.float64)

    def shown(self, name: str) -> Flags:
        """Which rows are examples of an expression."""
        return np.asarray(self.level(name) >= 0.5) if name in self.scores else np.asarray(self.labels == name)

    def without(self, name: str) -> Flags:
        """Which rows it is compared with."""
        return np.asarray(self.about(name) & ~self.shown(name))

    def count(self, chosen: Flags) -> int:
        """Pictures among the chosen rows."""
        return int(np.count_nonzero(chosen & ~self.copies))

    def people(self, chosen: Flags) -> set[int]:
        """The people on the chosen rows."""
        return {int(person) for person in self.groups[chosen]}


@dataclass(frozen=True, slots=True)
class Mirror:
    """The same pictures in a mirror, which make axes alike on both sides and less noisy.

    Convention: latents row by row as the originals; `odd` names the covariates that change sign (yaw, roll).
    Actions named left and right, in any case, change places.
    """

    latents: Latent
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbers:
    """What else is known of pictures: scores with their families where these are named, weights, and pairs."""

    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    weights: Sequence[float] | None = None
    pairs: Sequence[str] | None = None


def build_table(
    latents: Latent,
    labels: Sequence[str],
    people: Sequence[str] | None,
    covariates: Mapping[str, Sequence[float]],
    mirror: Mirror | None = None,
    *,
    numbers: Numbers | None = None,
) -> Table:
    """Check lengths and values, and bring rows into an order of their own, so that the caller's does not matter.

    Raises: ShapeError, ExpressionError.
    """
    X = latents.mean_row().detach().double().cpu().numpy()  # [n, w_dim] leaves torch here
    columns: dict[tuple[str, str], Sequence[object]] = {("label", "labels"): labels}
    columns |= {} if people is None else {("person", "people"): people}
    numbers = numbers or Numbers()
    scores, weights, pairs = numbers.scores, numbers.weights, numbers.pairs
    columns |= {
        (f"value of '{name}'", f"values of '{name}'"): own for name, own in (*covariates.items(), *scores.items())
    }
    columns |= {} if weights is None else {("weight", "weights"): weights}
    columns |= {} if pairs is None else {("pair", "pairs"): pairs}
    for words, values in columns.items():
        if len(values) != len(X):
            raise ShapeError(
                f"{counted(len(values), *words)} came for {counted(len(X), 'latent')}; give one per picture"
            )
    if not all(isinstance(label, str) and label for label in labels):
        raise ExpressionError("some labels are empty or no text; give every picture the name of an expression")
    given = np.asarray(labels, dtype=str)
    coupled = _pairs(pairs, len(X))
    if people is None and pairs is not None:  # what is known of who is who
        people = [pair or f"alone {row}" for row, pair in enumerate(pairs)]
    who = np.arange(len(X)).astype(str) if people is None else np.asarray(people, dtype=str)
    order = np.lexsort((*X.T[:4], given, who)) if people is not None else np.lexsort((*X.T[:4], given))
    groups = group_index(None if people is None else list(who[order]), len(X))
    extra = _columns(covariates, len(X))[order]
    scored, weight = _columns(scores, len(X))[order], _weights(weights, len(X))[order]
    _expect_independent(extra, tuple(covariates))
    if mirror is not None:
        X = np.concatenate([X, _mirrored_rows(latents, mirror)])
        order = np.concatenate([order, order + len(order)])
        groups = np.tile(groups, 2)
        extra = np.concatenate([extra, extra * [-1.0 if name in mirror.odd else 1.0 for name in covariates]])
        scored, weight = np.concatenate([scored, scored]), np.tile(weight / 2.0, 2)
        coupled = np.concatenate([coupled, np.where(coupled < 0, coupled, coupled + len(coupled))])
    return Table(
        X=X[order],
        labels=np.resize(given[order[: len(given)]], len(X)),
        groups=groups,
        covariates=standardise(extra),
        grouped=people is not None,
        copies=np.arange(len(X)) >= len(given),
        weight=weight,
        pairs=coupled[order],
        scores=dict(zip(scores, scored.T, strict=True)),
        families=numbers.families,
        covariate_names=tuple(covariates),
        num_ws=int(latents.ws.shape[1]),
    )


def _weights(given: Sequence[float] | None, n: int) -> Array:
    """[n] with mean 1."""
    if given is None:
        return np.ones(n)
    weight = _columns({"weight": given}, n)[:, 0]
    if weight.min() < 0.0 or not weight.sum() > 0.0:
        raise ExpressionError(
            f"the weights lie between {weight.min():g} and {weight.max():g}; needed are numbers of 0 or more, not all 0"
        )
    return np.asarray(weight * n / weight.sum())


def _pairs(given: Sequence[str] | None, n: int) -> Index:
    """[n]: pairs as integers; -1 where none is named."""
    if given is None:
        return np.full(n, -1)
    names = np.asarray(given, dtype=str)
    return np.where(names == "", -1, np.unique(names, return_inverse=True)[1]).astype(np.int64)


def _expect_independent(covariates: Array, names: tuple[str, ...]) -> None:
    varying = [column for column in range(len(names)) if np.ptp(covariates[:, column]) > 0.0]  # a constant says nothing
    depending = depending_columns(covariates[:, varying])
    if depending:
        name = names[varying[depending[0]]]
        others = ", ".join(names[column] for column in varying[: depending[0]])
        raise ExpressionError(
            f"the covariate {name} is wholly explained by {others}; leave one of them out, as it cannot be told which of "
            "them changes a face"
        )


def _mirrored_rows(latents: Latent, mirror: Mirror) -> Array:
    expect_same_space("the latents", latents.fingerprint, "their mirror images", mirror.latents.fingerprint)
    if mirror.latents.ws.shape != latents.ws.shape:
        raise ShapeError(
            f"mirror images came with shape {tuple(mirror.latents.ws.shape)} for latents of shape "
            f"{tuple(latents.ws.shape)}; give one per picture"
        )
    return np.asarray(mirror.latents.mean_row().detach().double().cpu().numpy(), dtype=np.float64)


def _columns(named: Mapping[str, Sequence[float]], n: int) -> Array:
    """Named columns side by side; [n, 0] when there are none."""
    if not named:
        return np.zeros((n, 0))
    for name, values in named.items():
        bad = np.flatnonzero(~np.isfinite(np.asarray(values, dtype=np.float64)))
        if len(bad):
            raise ExpressionError(
                f"'{name}' is not a finite number for {len(bad)} of {counted(n, 'picture')}, first for number {int(bad[0]) + 1}; "
                "measure it there or leave the pictures out"
            )
    return np.stack([np.asarray(values, dtype=np.float64) for values in named.values()], axis=1)


def choose_expressions(
    labels: Sequence[str], wanted: tuple[str, ...] | None, floor: int
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The expressions to fit, and those seen too rarely, with their counts.

    Convention: without a wish, every label at or above the floor, in order of name.
    Raises: ExpressionError when neutral or a wanted expression is below the floor, or nothing is left.

    >>> choose_expressions(["neutral", "smile", "smile", "neutral", "frown"], None, 2)
    (('smile',), {'frown': 1})
    """
    counts = Counter(labels)
    told = ", ".join(f"{name} {count}" for name, count in counts.most_common(12))
    if counts[REFERENCE] < floor:
        raise ExpressionError(
            f"the face set has {counted(counts[REFERENCE], 'picture')} labelled '{REFERENCE}' ({told}); needed are {floor} or more; where "
            "another word stands for it, say which (--neutral on the command line)"
        )
    names = tuple(sorted(name for name in counts if name != REFERENCE)) if wanted is None else wanted
    rare = {name: counts[name] for name in names if counts[name] < floor}
    kept = tuple(name for name in names if name not in rare and name != REFERENCE)
    if not kept or (wanted is not None and rare):
        what = ", ".join(f"{count} of '{name}'" for name, count in rare.items()) or f"nothing but '{REFERENCE}'"
        raise ExpressionError(
            f"too few examples to fit: {what} (the set holds {told}); needed are {floor} or more of the expression "
            f"and of '{REFERENCE}': add pictures"
        )
    return kept, rare


def score_labels(scores: Mapping[str, Sequence[float]], families: Mapping[str, Family]) -> dict[str, tuple[str, ...]]:
    """For every score, which pictures count as examples (its name) and which as 'neutral': half of intensity 1 parts them.

    Raises: ExpressionError for scores that no family takes.
    """
    found = {}
    for name, values in scores.items():
        try:
            shown = read_response(np.asarray(values, dtype=np.float64), families.get(name)).shown > 0.5
        except ValueError as error:
            raise ExpressionError(f"the column {name}: {error}") from error
        found[name] = tuple(name if flag else REFERENCE for flag in shown)
    return found


def expect_pairable(
    scores: Mapping[str, Sequence[float]], pairs: Sequence[str] | None, families: Mapping[str, Family]
) -> None:
    """Refuse pairs of labels that are no two kinds.

    Raises: ExpressionError.
    """
    if pairs is None:
        return
    for name, values in scores.items():
        family = families.get(name) or choose_family(np.asarray(values, dtype=np.float64))
        if family != "binary":
            raise ExpressionError(
                f"the column {name} holds {family} labels, which are no pairs of without and with; name people instead of "
                "pairs"
            )


def expect_scores(name: str, words: Sequence[str], floor: int) -> None:
    """Refuse a score of which too few pictures lie above or below.

    Raises: ExpressionError.
    """
    counts = Counter(words)
    if min(counts[name], counts[REFERENCE]) < floor:
        raise ExpressionError(
            f"the column {name} is high for {counted(counts[name], 'picture')} and low for {counts[REFERENCE]}; needed are {floor} or "
            "more of each: add pictures"
        )


def expect_people(table: Table, name: str) -> None:
    """Refuse an expression that too few people show.

    Raises: ExpressionError.
    """
    _expect_people(name, len(table.people(table.shown(name))), len(table.people(table.without(name))))


def expect_enough(labels: Sequence[str], people: Sequence[str] | None, *, floor: int, least: int) -> None:
    """Refuse, before any picture is inverted, labels and people of which no axes could be fitted.

    Convention: `floor` examples or more give an expression its part in the latent, which needs people enough; `least`
    are the fewest that give one anything.
    Raises: ExpressionError.
    """
    choose_expressions(labels, None, least)
    counts = Counter(labels)
    who = range(len(labels)) if people is None else people
    seen = {name: len({p for p, label in zip(who, labels, strict=True) if label == name}) for name in counts}
    if counts[REFERENCE] >= floor:
        for name in sorted(name for name, count in counts.items() if count >= floor and name != REFERENCE):
            _expect_people(name, seen[name], seen[REFERENCE])


def _expect_people(name: str, seen: int, neutral: int) -> None:
    if seen < MIN_PEOPLE or neutral < MIN_PEOPLE:
        raise ExpressionError(
            f"'{name}' comes from {counted(seen, 'person', 'people')} and '{REFERENCE}' from {neutral}; needed are {MIN_PEOPLE} or more of "
            "each, or the axis would be about these persons: add people"
        )
