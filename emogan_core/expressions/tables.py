"""Latents, labels, people and covariates, checked and turned into the arrays that a fit works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ExpressionError, ShapeError
from ..glm import Array, Flags, Index, group_index, standardise
from ..latents import Latent, expect_same_space
from .axes import REFERENCE

MIN_PEOPLE = 5
"""Fewer people than this cannot be split into groups that check each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One row per picture.

    Convention: X [n, w_dim] float64, the mean row of each code; labels [n]; groups [n], people as integers; covariates
    [n, c] and actions [n, a] standardised; `grouped` says whether people were given at all. `copies` marks mirror
    images; where there are any, they and their originals count half each.
    """

    X: Array
    labels: NDArray[np.str_]
    groups: Index
    covariates: Array
    actions: Array
    grouped: bool
    copies: Flags

    @property
    def weight(self) -> Array:
        """The weight of each row, [n]; they add up to the number of pictures."""
        return np.full(len(self.X), 0.5 if self.copies.any() else 1.0)

    @property
    def sides(self) -> Index:
        """Groups in which a person and their mirror image are two, [n]: asymmetry is no motion."""
        return self.groups * 2 + self.copies

    def rows(self, chosen: Flags) -> Table:
        """The chosen rows as a table of their own."""
        return Table(
            X=self.X[chosen],
            labels=self.labels[chosen],
            groups=np.unique(self.groups[chosen], return_inverse=True)[1].astype(np.int64),
            covariates=self.covariates[chosen],
            actions=self.actions[chosen],
            grouped=self.grouped,
            copies=self.copies[chosen],
        )

    def against_reference(self, name: str) -> Flags:
        """Which rows show this expression or neutral."""
        return np.asarray((self.labels == name) | (self.labels == REFERENCE))

    def count(self, name: str) -> int:
        """Pictures with this label."""
        return int(np.count_nonzero((self.labels == name) & ~self.copies))

    def people(self, name: str) -> set[int]:
        """The people seen with this expression."""
        return {int(person) for person in self.groups[self.labels == name]}


@dataclass(frozen=True, slots=True)
class Mirror:
    """The same pictures in a mirror, which make axes alike on both sides and less noisy.

    Convention: latents row by row as the originals; `odd` names the covariates that change sign (yaw, roll).
    Actions named left and right, in any case, change places.
    """

    latents: Latent
    odd: tuple[str, ...] = ()


def build_table(
    latents: Latent,
    labels: Sequence[str],
    people: Sequence[str] | None,
    covariates: Mapping[str, Sequence[float]],
    actions: Mapping[str, Sequence[float]],
    mirror: Mirror | None = None,
) -> Table:
    """Check lengths and values, and bring rows into an order of their own, so that the caller's does not matter.

    Raises: ShapeError, ExpressionError.
    """
    X = latents.mean_row().detach().double().cpu().numpy()  # [n, w_dim] leaves torch here
    columns: dict[str, Sequence[object]] = {"labels": labels, **({} if people is None else {"people": people})}
    columns |= {f"values of '{name}'": values for name, values in (*covariates.items(), *actions.items())}
    for what, values in columns.items():
        if len(values) != len(X):
            raise ShapeError(f"{len(values)} {what} came for {len(X)} latents; give one per picture")
    if not all(isinstance(label, str) and label for label in labels):
        raise ExpressionError("some labels are empty or no text; give every picture the name of an expression")
    given = np.asarray(labels, dtype=str)
    who = np.arange(len(X)).astype(str) if people is None else np.asarray(people, dtype=str)
    order = np.lexsort((*X.T[:4], given, who)) if people is not None else np.lexsort((*X.T[:4], given))
    groups = group_index(None if people is None else list(who[order]), len(X))
    extra, acting = _columns(covariates, len(X))[order], _columns(actions, len(X))[order]
    if mirror is not None:
        X = np.concatenate([X, _mirrored_rows(latents, mirror)])
        order = np.concatenate([order, order + len(order)])
        groups = np.tile(groups, 2)
        extra = np.concatenate([extra, extra * [-1.0 if name in mirror.odd else 1.0 for name in covariates]])
        acting = np.concatenate([acting, acting[:, swapped(tuple(actions))]])
    return Table(
        X=X[order],
        labels=np.resize(given[order[: len(given)]], len(X)),
        groups=groups,
        covariates=standardise(extra),
        actions=standardise(acting),
        grouped=people is not None,
        copies=np.arange(len(X)) >= len(given),
    )


def _mirrored_rows(latents: Latent, mirror: Mirror) -> Array:
    expect_same_space("the latents", latents.fingerprint, "their mirror images", mirror.latents.fingerprint)
    if mirror.latents.ws.shape != latents.ws.shape:
        raise ShapeError(
            f"mirror images came with shape {tuple(mirror.latents.ws.shape)} for latents of shape "
            f"{tuple(latents.ws.shape)}; give one per picture"
        )
    return np.asarray(mirror.latents.mean_row().detach().double().cpu().numpy(), dtype=np.float64)


def swapped(names: tuple[str, ...]) -> list[int]:
    """For each action, the column that shows its mirror image: left and right change places, in any case."""
    sides = (("Left", "Right"), ("left", "right"), ("Right", "Left"), ("right", "left"))
    partner = {name: next((name.replace(a, b) for a, b in sides if a in name), name) for name in names}
    return [names.index(partner[name]) if partner[name] in names else index for index, name in enumerate(names)]


def _columns(named: Mapping[str, Sequence[float]], n: int) -> Array:
    """Named columns side by side; [n, 0] when there are none."""
    if not named:
        return np.zeros((n, 0))
    for name, values in named.items():
        bad = np.flatnonzero(~np.isfinite(np.asarray(values, dtype=np.float64)))
        if len(bad):
            raise ExpressionError(
                f"'{name}' is not a finite number for {len(bad)} of {n} pictures, first for number {int(bad[0]) + 1}; "
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
            f"the face set has {counts[REFERENCE]} pictures labelled '{REFERENCE}' ({told}); needed are {floor} or more; where "
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


def expect_people(table: Table, name: str) -> None:
    """Refuse an expression that too few people show.

    Raises: ExpressionError.
    """
    _expect_people(name, len(table.people(name)), len(table.people(REFERENCE)))


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
            f"'{name}' comes from {seen} people and '{REFERENCE}' from {neutral}; needed are {MIN_PEOPLE} or more of "
            "each, or the axis would be about these persons: add people"
        )
