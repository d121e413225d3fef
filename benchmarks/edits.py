"""Smiles put on held-out people with one generator, measured by probes of smile and identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from held_out import Person, as_picture, picture_of
from PIL import Image
from probes import Array, features, likeness
from sklearn.pipeline import Pipeline

from emogan_core.compose import put_back
from emogan_core.expressions import ExpressionAxes, apply_expressions
from emogan_core.networks import Generator


@dataclass(frozen=True, slots=True)
class Measured:
    """What happiness does at one intensity, per person [n]: its share of a true smile, and the likeness to the photo."""

    share: Array
    kept: Array


def features_of(pictures: Sequence[Image.Image]) -> Array:
    """Features [n, d]."""
    return np.stack([features(picture) for picture in pictures])


class Bench:
    """People, probes and the generator, with the features of every original computed once.

    Convention: `smiles` are features of true smiles, of these people or of others like them; their mean over that of
    the originals is a true smile's size.
    """

    def __init__(
        self,
        people: Sequence[Person],
        generator: Generator,
        *,
        smile: Pipeline,
        identity: Pipeline,
        smiles: Array | None = None,
        draft: bool = False,
    ) -> None:
        self.people, self.generator, self.draft = people, generator, draft
        self.smile, self.identity = smile, identity
        self.originals = features_of([picture_of(person.photo, person.crop) for person in people])
        self.smiles = features_of([p.smile for p in people if p.smile is not None]) if smiles is None else smiles

    @property
    def kept_by_inversion(self) -> Array:
        """[n]: likeness of each reconstruction to its photo."""
        drawn = features_of([as_picture(person.inversion.reconstruction) for person in self.people])
        return likeness(self.identity, drawn, self.originals)

    def run(self, axes: ExpressionAxes, intensity: float) -> Measured:
        """Happiness in mode motion.

        Raises: ValueError when an edit is not finite.
        """
        edits = []
        for person in self.people:
            edit = apply_expressions(person.inversion, axes, {"happiness": intensity})
            if not torch.isfinite(edit.latent.ws).all():
                raise ValueError("an edit came out as NaN or infinity")
            composite = put_back(self.generator, person.photo, person.inversion, edit, draft=self.draft)
            edits.append(picture_of(composite.photo, person.crop))
        after = features_of(edits)
        before = self.smile.predict(self.originals)
        true = self.smile.predict(self.smiles).mean() - before.mean()
        return Measured((self.smile.predict(after) - before) / true, likeness(self.identity, after, self.originals))
