"""Names of expressions and shapes as people write them: in another case, with blanks or underscores, by a usual word."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ExpressionError
from ..face_model import both_sides, load_face_model
from .axes import ExpressionAxes, ExpressionAxis, is_of_shape, is_shape
from .label_words import MEANT
from .meanings import SHAPES


def spelled_as_known(
    intensities: Mapping[str, float], axes: ExpressionAxes
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Intensities under the names that the axes and the face model have, and how other spellings were read.

    Convention: case, blanks, hyphens and underscores do not count, and "happy" stands for happiness, where only one name
    can be meant; an axis goes before a shape of the face model of its name, and that is told. Names that are not known
    stay as they are.
    Raises: ExpressionError when two names mean one expression, or a shape's name stands for several axes.
    """
    found: dict[str, float] = {}
    told: list[str] = []
    for name, value in intensities.items():
        known = _known(name, axes)
        if known in found:
            raise ExpressionError(f"'{known}' has two intensities, one of them as '{name}'; name it once")
        found[known] = value
        if known != name:
            told.append(f"'{name}' was read as {known}")
        if known in axes.names and (shape := shape_replaced_by(axes[known])):
            told.append(f"{known} is the expression of these axes, not the face model's shape {shape}")
    return found, tuple(told)


def shape_replaced_by(axis: ExpressionAxis) -> str:
    """The shape of the face model whose name an axis has, in any spelling, while moving something else; '' for none."""
    shapes = load_face_model().names
    like = [shape for shape in dict.fromkeys([*shapes, *both_sides(shapes), *SHAPES]) if _key(shape) == _key(axis.name)]
    return "" if not like or is_of_shape(axis) else like[0]


def _known(name: str, axes: ExpressionAxes) -> str:
    own = [known for known in axes.names if _key(known) == _key(name)]
    if name in own or len(own) == 1:
        return name if name in own else own[0]
    if is_shape(name):
        if own:
            raise ExpressionError(
                f"'{name}' may be {' or '.join(own)} of these axes, or the face model's shape; write one of these axes as it "
                "stands, or leave out --axes for the shape"
            )
        return name
    shapes = load_face_model().names
    meant = {known: known for known in (*axes.names, *shapes, *both_sides(shapes), *SHAPES)}
    words = {word: known for known, words in MEANT.items() if known in axes.names for word in words}
    for table in (meant, words):
        near = {known for word, known in table.items() if _key(word) == _key(name)}
        if near:
            return near.pop() if len(near) == 1 else name
    return name


def _key(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign not in " _-\t")
