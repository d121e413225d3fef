"""Labels for an IMAGE batch."""

from __future__ import annotations

import pytest
import torch


def test_shape_labels_by_line_or_comma(part) -> None:
    images = torch.rand(3, 8, 8, 3)
    pictures = part("nodes.face_sets").from_batch(images, "neutral, happiness\n neutral \n", "")
    assert pictures.expressions == ("neutral", "happiness", "neutral")
    assert pictures.people is None
    assert pictures.fetch(2).pixels.shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("labels", "people", "sentence"),
    [("neutral", "", "1 labels came for 3 images"), ("a,b,c", "x,y", "2 people came for 3 images")],
)
def test_error_numbers_differ(part, labels: str, people: str, sentence: str) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match=sentence):
        part("nodes.face_sets").from_batch(torch.rand(3, 8, 8, 3), labels, people)


def test_error_nothing_connected(part) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match="no faces came"):
        part("nodes.face_sets").from_batch(None, "", "")
