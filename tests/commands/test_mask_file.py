"""Masks as people make them: white on black, painted on a transparent layer, cut out, label maps; and what is no mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tiny_models import portrait

from emogan_core.commands.mask_file import read_mask
from emogan_core.errors import PhotoError

SIZE = (40, 60)
HAND = np.zeros(SIZE, bool)
HAND[5:20, 10:30] = True


def painted(colour: tuple[int, int, int], *, around: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    """A layer with a colour where the hand is, transparent elsewhere."""
    pixels = np.where(HAND[..., None], colour, around)
    return Image.fromarray(np.dstack([pixels, HAND * 255]).astype(np.uint8))


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "P", "I;16"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_shape_white_on_black_says_nothing(tmp_path: Path, mode: str, suffix: str) -> None:
    path = tmp_path / f"mask.{suffix}"
    plain = Image.fromarray((HAND * 255).astype(np.uint8))
    (Image.fromarray((HAND * 0xFFFF).astype(np.uint16)) if mode == "I;16" else plain.convert(mode)).save(path)
    mask, told = read_mask(path, SIZE)
    assert (mask.dtype, told) == (np.float32, [])
    np.testing.assert_array_equal(mask, HAND)


def test_shape_soft_edges_and_jpeg_stay_shares(tmp_path: Path) -> None:
    soft = Image.fromarray((HAND * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    soft.save(tmp_path / "mask.png")
    np.testing.assert_allclose(read_mask(tmp_path / "mask.png", SIZE)[0], np.asarray(soft) / 255, atol=1e-6)
    soft.save(tmp_path / "mask.jpg", quality=90)
    mask, told = read_mask(tmp_path / "mask.jpg", SIZE)
    assert (np.abs(mask - np.asarray(soft) / 255).max() < 0.1, told) == (True, [])


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 0), (120, 120, 120)])
def test_shape_what_is_painted_on_a_transparent_layer(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    """Whatever lies beneath what is transparent."""
    for around in ((0, 0, 0), (255, 255, 255)):
        painted(colour, around=around).save(tmp_path / "mask.png")
        mask, told = read_mask(tmp_path / "mask.png", SIZE)
        np.testing.assert_array_equal(mask, HAND)
        assert told == ["mask.png: the mask was read from its transparency: what is painted is left out"]


def test_shape_white_on_black_beside_what_is_transparent(tmp_path: Path) -> None:
    pixels = np.dstack([*(HAND * 255,) * 3, np.full(SIZE, 255)]).astype(np.uint8)
    pixels[30:, :] = (255, 255, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    mask, told = read_mask(tmp_path / "mask.png", SIZE)
    np.testing.assert_array_equal(mask, HAND)
    assert told == ["mask.png: what is transparent was read as black"]
    pixels[..., 3] = 200  # the same everywhere, which says nothing
    pixels[30:, :, :3] = 0
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", SIZE)[0], HAND)


def test_shape_label_maps_and_colours(tmp_path: Path) -> None:
    Image.fromarray(HAND.astype(np.uint8)).save(tmp_path / "mask.png")
    mask, told = read_mask(tmp_path / "mask.png", SIZE)
    np.testing.assert_array_equal(mask, HAND)
    assert told == ["mask.png holds the values 0 and 1 of 255; the higher one was read as white"]
    Image.fromarray((HAND[..., None] * [255, 0, 0]).astype(np.uint8)).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", SIZE)[0], HAND)
    Image.fromarray((HAND * 128).astype(np.uint8)).save(tmp_path / "mask.png")
    mask, told = read_mask(tmp_path / "mask.png", SIZE)
    assert mask.max() == pytest.approx(128 / 255)
    assert "its brightest value, 128 of 255, leaves out a part" in told[0]
    Image.new("L", SIZE[::-1]).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png", SIZE)[0].max() == 0


def test_error_what_may_mean_several_things(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    photo = portrait().pixels[100:140, 80:140]
    labels = np.arange(60, dtype=np.uint8)[None].repeat(40, 0) // 10
    holes = np.dstack([photo, ~HAND * 255]).astype(np.uint8)
    for picture, told in (
        (
            Image.new("L", SIZE[::-1], 255),
            "the mask mask.png is white all over, which would leave out all of the photo",
        ),
        (Image.new("L", SIZE[::-1], 1), r"is one gray \(1 of 255\) all over"),
        (Image.new("L", SIZE[::-1], 90), r"is one gray \(90 of 255\) all over"),
        (Image.new("RGBA", SIZE[::-1]), "is transparent all over; give white"),
        (Image.new("RGBA", SIZE[::-1], (255, 255, 255, 1)), "is transparent all over; give white"),
        (painted((0, 0, 0)), "is black and transparent, and either may be meant"),
        (Image.fromarray(labels), "has no value above 5 of 255"),
        (Image.fromarray(photo), "is no mask: [0-9]+% of it is neither black nor white"),
        (Image.fromarray(holes), "is no mask: [0-9]+% of it is neither black nor white"),
        (Image.new("L", (20, 10), 255), "has 20 x 10 pixels, the photo 60 x 40; give one of the photo's size"),
    ):
        picture.save(path)
        with pytest.raises(PhotoError, match=told):
            read_mask(path, SIZE)
