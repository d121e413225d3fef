"""Edits of held-out people with one generator, measured by probes of expression and identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from held_out import Person, as_picture, picture_of
from PIL import Image
from probes import Array, Recogniser, cosine, features, likeness
from sklearn.pipeline import Pipeline

from emogan_core.compose import put_back
from emogan_core.expressions import ExpressionAxes, apply_expressions
from emogan_core.inversion import Edit, Inversion
from emogan_core.networks import Generator

Way = Callable[[Inversion, float], Edit]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of editing does at one intensity, per person [n]."""

    gain: Array
    share: Array
    kept: Array
    kept_drawing: Array
    recognised: Array | None


def by_axis(axes: ExpressionAxes, expression: str) -> Way:
    return lambda inversion, intensity: apply_expressions(inversion, axes, {expression: intensity})


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
        probes: Mapping[str, Pipeline],
        identity: Pipeline,
        smiles: Array | None = None,
        recogniser: Recogniser | None = None,
        draft: bool = False,
    ) -> None:
        self.people, self.generator, self.recogniser, self.draft = people, generator, recogniser, draft
        self.probes, self.identity = probes, identity
        pictures = [picture_of(person.photo, person.crop) for person in people]
        self.originals = features_of(pictures)
        self.known = recogniser.transform(pictures) if recogniser else None
        self.smiles = features_of([p.smile for p in people if p.smile is not None]) if smiles is None else smiles
        self.reconstructions = features_of([as_picture(p.inversion.reconstruction) for p in people])

    @property
    def kept_by_inversion(self) -> Array:
        """[n]: likeness of each reconstruction to its photo."""
        return likeness(self.identity, self.reconstructions, self.originals)

    def run(self, way: Way, intensity: float, mode: str, expression: str) -> Measured:
        edits, drawings = [], []
        for person in self.people:
            edit = way(person.inversion, intensity)
            if not torch.isfinite(edit.latent.ws).all():
                raise ValueError("an edit came out as NaN or infinity")
            composite = put_back(self.generator, person.photo, person.inversion, edit, mode=mode, draft=self.draft)
            edits.append(picture_of(composite.photo, person.crop))
            drawings.append(as_picture(composite.redrawn))
        after, drawn = features_of(edits), features_of(drawings)
        probe = self.probes[expression]
        gain = probe.predict(after) - probe.predict(self.originals)
        true = probe.predict(self.smiles).mean() - probe.predict(self.originals).mean()
        return Measured(
            gain,
            gain / true,
            likeness(self.identity, after, self.originals),
            likeness(self.identity, drawn, self.reconstructions),
            None if self.recogniser is None else cosine(self.recogniser.transform(edits), self.known),
        )
