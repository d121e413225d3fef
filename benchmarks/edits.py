"""People and judges around one generator: what a way of editing does to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from held_out import Person, as_picture, picture_of
from judges import Array, Recogniser, cosine, features, likeness
from PIL import Image
from sklearn.pipeline import Pipeline

from emogan_core.compose import put_back
from emogan_core.expressions import ExpressionAxes, apply_expressions
from emogan_core.inversion import Edit, Inversion
from emogan_core.networks import Generator

Way = Callable[[Inversion, float], Edit]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one way of editing does at one intensity, per person [n]."""

    gain: Array
    share: Array
    kept: Array
    kept_redrawn: Array
    recognised: Array | None


def by_axis(axes: ExpressionAxes, expression: str) -> Way:
    return lambda inversion, intensity: apply_expressions(inversion, axes, {expression: intensity})


def look(pictures: Sequence[Image.Image]) -> Array:
    """Features [n, d]."""
    return np.stack([features(picture) for picture in pictures])


class Bench:
    """People, judges and the generator, with the features of every original taken once.

    Convention: `smiles` are features of true smiles, of these people or of others like them; their mean over that of
    the originals is a true smile's size.
    """

    def __init__(
        self,
        people: Sequence[Person],
        generator: Generator,
        *,
        judges: Mapping[str, Pipeline],
        identity: Pipeline,
        smiles: Array | None = None,
        recogniser: Recogniser | None = None,
        draft: bool = False,
    ) -> None:
        self.people, self.generator, self.recogniser, self.draft = people, generator, recogniser, draft
        self.judges, self.identity = judges, identity
        pictures = [picture_of(person.photo, person.crop) for person in people]
        self.originals = look(pictures)
        self.known = recogniser.transform(pictures) if recogniser else None
        self.smiles = look([p.smile for p in people if p.smile is not None]) if smiles is None else smiles
        self.redrawn = look([as_picture(p.inversion.reconstruction) for p in people])

    @property
    def kept_by_inversion(self) -> Array:
        """[n]: likeness of each redrawn face to its photo."""
        return likeness(self.identity, self.redrawn, self.originals)

    def run(self, way: Way, intensity: float, mode: str, expression: str) -> Judged:
        edits, drawings = [], []
        for person in self.people:
            edit = way(person.inversion, intensity)
            if not torch.isfinite(edit.latent.ws).all():
                raise ValueError("an edit left the numbers")
            composite = put_back(self.generator, person.photo, person.inversion, edit, mode=mode, draft=self.draft)
            edits.append(picture_of(composite.photo, person.crop))
            drawings.append(as_picture(composite.redrawn))
        after, drawn = look(edits), look(drawings)
        judge = self.judges[expression]
        gain = judge.predict(after) - judge.predict(self.originals)
        true = judge.predict(self.smiles).mean() - judge.predict(self.originals).mean()
        return Judged(
            gain,
            gain / true,
            likeness(self.identity, after, self.originals),
            likeness(self.identity, drawn, self.redrawn),
            None if self.recogniser is None else cosine(self.recogniser.transform(edits), self.known),
        )
