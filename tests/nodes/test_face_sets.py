"""Labels for an IMAGE batch."""

from __future__ import annotations

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.networks import tensors_of


@pytest.fixture(scope="module")
def generator(part):
    """The tiny generator, built by the pack's own core."""
    spec = part("emogan_core.networks").GeneratorSpec(
        **{name: getattr(TINY, name) for name in TINY.__dataclass_fields__}
    )
    return part("emogan_core.networks").build_generator(spec, tensors_of(make_generator()))


def test_shape_labels_by_line_or_comma(part, generator) -> None:
    steps: list[int] = []
    labelled, skipped = part("nodes.face_sets").from_batch(
        generator,
        torch.rand(80, 16, 16, 3),
        "neutral, neutral\n" * 20 + "happiness\n\n" * 40,
        "",
        aligned=True,
        progress=lambda report: steps.append(report.step),
    )
    assert skipped == 0
    assert labelled.labels == ("neutral",) * 40 + ("happiness",) * 40
    assert labelled.people is None
    assert labelled.latents.ws.shape == (80, TINY.num_ws, TINY.w_dim)
    assert steps == list(range(1, 81))


@pytest.mark.parametrize(
    ("labels", "people", "sentence"),
    [
        ("neutral", "", "1 labels came for 3 images"),
        ("a,b,c", "x,y", "2 people came for 3 images"),
        ("neutral, neutral, happiness", "", "needed are 40 or more"),
    ],
)
def test_error_numbers_differ_or_are_too_small(part, generator, labels: str, people: str, sentence: str) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match=sentence):
        part("nodes.face_sets").from_batch(
            generator, torch.rand(3, 8, 8, 3), labels, people, aligned=True, progress=print
        )


def test_error_nothing_connected(part, generator) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match="no faces came"):
        part("nodes.face_sets").from_batch(generator, None, "", "", aligned=True, progress=print)


def test_error_no_face_anywhere(part, generator, monkeypatch: pytest.MonkeyPatch) -> None:
    face_sets = part("nodes.face_sets")
    monkeypatch.setattr(face_sets, "choose_face", lambda photo: (_ for _ in ()).throw(face_sets.FaceError("none")))
    with pytest.raises(part("emogan_core.errors").ExpressionError, match="none of the images shows a usable face"):
        face_sets.from_batch(
            generator,
            torch.zeros(80, 8, 8, 3),
            "neutral," * 40 + "happiness," * 40,
            "",
            aligned=False,
            progress=lambda report: None,
        )
