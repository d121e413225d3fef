"""Ways of editing a photo that one benchmark runs alike: the latent moved alone, and the face model with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emogan_core import expressions
from emogan_core.compose import put_back
from emogan_core.errors import EmoganError
from emogan_core.expressions import ExpressionAxes, apply_expressions
from emogan_core.images import Photo
from emogan_core.inversion import Inversion, invert
from emogan_core.networks import Generator

NEUTRAL, COPY = "neutral", "copy"
Pixels = NDArray[np.uint8]


class UnableError(ValueError):
    """A method has no way of doing what is wished."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One edit of one photo.

    Convention: `expression` is a named expression or a shape of the face model; "neutral" takes off what the face
    shows, "copy" puts another photo's expression on it.
    """

    expression: str
    intensity: float = 1.0
    mode: str = "motion"


Method = Callable[[Photo, Wish, Photo | None], Pixels]
"""The photo, what is wished, and for "copy" the photo it is copied from -> edited pixels.

Raises: UnableError.
"""


def method_of(generator: Generator, axes: ExpressionAxes, *, inversion: str = "hybrid") -> Method:
    """The method of the package that is imported: by the face model where it has one."""
    make = by_face_model if hasattr(expressions, "copy_expression") else by_latent
    return make(axes, generator, remembering(generator, inversion))


def by_latent(axes: ExpressionAxes, generator: Generator, inverted: Callable[[Photo], Inversion]) -> Method:
    """The latent is moved along an axis; a smile is taken off with happiness -1, and nothing can be copied."""

    def edited(photo: Photo, wish: Wish, donor: Photo | None) -> Pixels:
        name, intensity = wish.expression, wish.intensity
        if name == NEUTRAL:
            name, intensity = "happiness", -intensity
        if name not in axes.names:
            raise UnableError(f"there is no axis '{name}'; there are {', '.join(axes.names)}")
        inversion = inverted(photo)
        latent = apply_expressions(inversion.latent, axes, {name: intensity})
        return put_back(generator, photo, inversion, latent, mode=wish.mode).photo.pixels

    return edited


def by_face_model(axes: ExpressionAxes, generator: Generator, inverted: Callable[[Photo], Inversion]) -> Method:
    """Latent and the face model's coefficients are moved together, as in the README."""

    def edited(photo: Photo, wish: Wish, donor: Photo | None) -> Pixels:
        inversion = inverted(photo)
        try:
            if wish.expression == NEUTRAL:
                edit = apply_expressions(inversion, axes, {}, neutral_first=True)
            elif wish.expression == COPY:
                assert donor is not None
                edit = expressions.copy_expression(inversion, inverted(donor).faces[0], axes)
            else:
                edit = apply_expressions(inversion, axes, {wish.expression: wish.intensity})
            return put_back(generator, photo, inversion, edit, mode=wish.mode).photo.pixels
        except EmoganError as error:
            raise UnableError(str(error)) from error

    return edited


def remembering(generator: Generator, method: str) -> Callable[[Photo], Inversion]:
    """Inversion of a photo, done once for each; the photos are kept, so that no other takes one's place in memory."""
    known: dict[int, tuple[Photo, Inversion]] = {}

    def inverted(photo: Photo) -> Inversion:
        if id(photo) not in known:
            known[id(photo)] = photo, invert(generator, photo, method=method)
        return known[id(photo)][1]

    return inverted
