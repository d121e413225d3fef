"""Two versions of a photo held against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from likeness_files import write_networks
from tiny_models import portrait

from emogan_core.checkpoints.likeness import load_recogniser
from emogan_core.comparing import compare, comparison_lines
from emogan_core.errors import ShapeError
from emogan_core.images import Photo


def test_invariance_a_photo_is_like_itself() -> None:
    same = compare(portrait(), portrait(), mask=np.zeros((256, 256)))
    assert not same.changed.any()
    assert (same.most, same.outside, same.moved_cm, same.unread) == (0, 0, (0.0, 0.0), "")
    assert (same.difference.pixels == 128).all()
    assert same.before is not None
    assert same.after is not None
    assert same.before.probabilities == same.after.probabilities


def test_golden_what_differs_is_counted() -> None:
    pixels = portrait().pixels.copy()
    pixels[:10, :10] ^= 64
    mask = np.zeros((256, 256))
    mask[:10, :8] = 1e-3
    found = compare(portrait(), Photo(pixels), mask=mask)
    assert found.changed.sum() == 100
    assert (found.outside, found.most) == (20, 64)
    lines = comparison_lines(found)
    assert lines[:2] == ["changed: 0.2% of the pixels, by 64 of 255 at most", "outside of the mask: 20 pixels differ"]
    assert [line.split(":")[0] for line in lines[2:]] == [
        "before, reads as",
        "before, shapes",
        "after, reads as",
        "after, shapes",
        "landmarks moved",
    ]


def test_golden_a_recogniser_of_the_users_says_who_it_is(tmp_path: Path) -> None:
    recogniser = load_recogniser(write_networks(tmp_path)[1])
    same = compare(portrait(), portrait(), recogniser=recogniser)
    darker = compare(portrait(), Photo(portrait().pixels // 2), recogniser=recogniser)
    assert same.identity_distance == pytest.approx(0, abs=1e-6)
    assert darker.identity_distance is not None
    assert darker.identity_distance > 1e-4
    assert comparison_lines(same)[-1] == "identity distance: 0.000 (0 is the same, strangers are near 1)"


@pytest.mark.slow
def test_shape_without_a_face_the_pixels_are_told() -> None:
    blank = Photo(np.full((256, 256, 3), 90, np.uint8))
    found = compare(blank, blank)
    assert (found.before, found.after, found.crop, found.outside) == (None, None, None, None)
    assert comparison_lines(found)[1].startswith("the photo before the edit could not be read: no face was found")
    gone = compare(portrait(), blank)
    assert gone.crop is not None
    assert (
        comparison_lines(gone)[-1]
        == "the photo after the edit could not be read: there is no face any more where it was; edit it less"
    )


@pytest.mark.parametrize("mask", [None, np.zeros((10, 10))])
def test_error_other_sizes(mask) -> None:
    other = portrait() if mask is not None else Photo(portrait().pixels[:200].copy())
    with pytest.raises(ShapeError, match="give two of one size"):
        compare(portrait(), other, mask=mask)
