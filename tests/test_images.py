"""Pictures of every kind come in upright and 8-bit, bad ones are refused in one sentence, and saving loses nothing."""

from __future__ import annotations

import io
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from emogan_core.errors import OutputError, PhotoError, ShapeError
from emogan_core.images import (
    MAX_PIXELS,
    Photo,
    check_photo_target,
    open_photo,
    photo_from_tensor,
    read_record,
    save_photo,
    tensor_from_photo,
)
from emogan_core.provenance import edit_record


def pattern(height: int = 24, width: int = 36) -> np.ndarray:
    """A picture without any symmetry: smooth, so that JPEG keeps it, with a bright top-left corner."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 5, y * 8, 200 - x * 2 - y], axis=2).astype(np.uint8)
    pixels[:8, :8] = 250
    return pixels


def refusal(path: Path) -> str:
    with pytest.raises(PhotoError) as caught:
        open_photo(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "needed" in message or ";" in message
    return message


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("webp", {"lossless": True}), ("tif", {}), ("bmp", {})])
def test_shape_lossless_formats(tmp_path: Path, suffix: str, options: dict[str, bool]) -> None:
    Image.fromarray(pattern()).save(tmp_path / f"a.{suffix}", **options)
    photo = open_photo(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(photo.pixels, pattern())
    assert photo.alpha is None


def test_shape_the_name_does_not_matter(tmp_path: Path) -> None:
    Image.fromarray(pattern()).save(tmp_path / "a", format="JPEG", quality=95)
    assert np.abs(open_photo(tmp_path / "a").pixels.astype(int) - pattern()).mean() < 8


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_shape_modes_without_alpha(tmp_path: Path, mode: str) -> None:
    suffix = {"CMYK": "tif", "YCbCr": "jpg"}.get(mode, "png")
    Image.fromarray(pattern()).convert(mode).save(tmp_path / f"a.{suffix}")
    photo = open_photo(tmp_path / f"a.{suffix}")
    assert photo.pixels.shape == (24, 36, 3)
    assert photo.alpha is None
    if mode == "CMYK":
        assert np.abs(photo.pixels.astype(int) - pattern()).max() <= 2
    if mode == "L":
        assert (photo.pixels[..., 0] == photo.pixels[..., 2]).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "RGB"])
def test_shape_alpha_is_kept(tmp_path: Path, mode: str) -> None:
    rgba = np.dstack([pattern(), np.full((24, 36), 255, np.uint8)])
    rgba[:5, :, 3] = 0
    image = Image.fromarray(rgba)
    if mode == "P":
        quantised = image.quantize(16)
        quantised.save(tmp_path / "a.png")
    elif mode == "RGB":
        rgba[:5, :, :3] = (1, 2, 3)
        Image.fromarray(rgba[..., :3].copy()).save(tmp_path / "a.png", transparency=(1, 2, 3))
    else:
        image.convert(mode).save(tmp_path / "a.png")
    photo = open_photo(tmp_path / "a.png")
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, rgba[..., 3])


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_shape_sixteen_bit_gray_keeps_its_range(tmp_path: Path, suffix: str) -> None:
    values = np.linspace(0, 65535, 24 * 36).reshape(24, 36).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    pixels = open_photo(tmp_path / f"a.{suffix}").pixels
    assert np.abs(pixels[..., 0] - values / 257).max() <= 0.51


def test_shape_sixteen_bit_colour(tmp_path: Path) -> None:
    colour = pattern()
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).astype(">u2").tobytes() for row in colour)
    (tmp_path / "a.png").write_bytes(png(36, 24, rows, depth=16, colour=2))
    assert np.abs(open_photo(tmp_path / "a.png").pixels.astype(int) - colour).max() <= 1


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file made by hand, so that its header can say what Pillow would not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_invariance_exif_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    """However the camera stored it, the picture comes in upright."""
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](pattern())
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100} if suffix == "jpg" else {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"a.{suffix}", exif=exif, **options)
    pixels = open_photo(tmp_path / f"a.{suffix}").pixels
    assert pixels.shape == (24, 36, 3)
    assert np.abs(pixels.astype(int) - pattern()).mean() < (6 if suffix == "jpg" else 1e-9)


def test_shape_broken_exif_is_no_obstacle(tmp_path: Path) -> None:
    Image.fromarray(pattern()).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff garbage")
    assert open_photo(tmp_path / "a.jpg").pixels.shape == (24, 36, 3)


def test_shape_srgb_profile_changes_nothing_and_a_broken_one_is_ignored(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, icc in (("srgb", profile), ("broken", b"not a profile")):
        Image.fromarray(pattern()).save(tmp_path / f"{name}.png", icc_profile=icc)
        np.testing.assert_array_equal(open_photo(tmp_path / f"{name}.png").pixels, pattern())


def test_shape_other_profiles_are_converted(tmp_path: Path) -> None:
    """A profile that swaps red and blue, made from Pillow's sRGB profile, must swap them back."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    table = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    profile[table[b"rXYZ"] : table[b"rXYZ"] + 4] = b"bXYZ"
    profile[table[b"bXYZ"] : table[b"bXYZ"] + 4] = b"rXYZ"
    profile = profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be")).replace(b"sRGB", b"Swap")
    Image.fromarray(pattern()).save(tmp_path / "a.png", icc_profile=bytes(profile))
    pixels = open_photo(tmp_path / "a.png").pixels
    assert np.abs(pixels.astype(int) - pattern()[..., ::-1]).max() <= 3


def test_shape_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(pattern()), Image.fromarray(255 - pattern())]
    for name in ("a.webp", "a.tif", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(open_photo(tmp_path / name).pixels, pattern())


def test_error_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello, I am not a picture")
    (tmp_path / "page.png").write_bytes(b"%PDF-1.7 something")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    Image.fromarray(pattern()).save(tmp_path / "a.gif")
    Image.fromarray(pattern()).save(tmp_path / "a.ppm")
    assert "empty" in refusal(tmp_path / "empty.png")
    assert "not a picture" in refusal(tmp_path / "text.jpg")
    assert "PDF" in refusal(tmp_path / "page.png")
    assert "HEIC" in refusal(tmp_path / "phone.jpg")
    assert "GIF" in refusal(tmp_path / "a.gif")
    assert "JPEG, PNG, WebP, TIFF or BMP" in refusal(tmp_path / "a.ppm")
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refusal(tmp_path / "pipe")
    assert "folder" in refusal(tmp_path)
    assert "check the path" in refusal(tmp_path / "nowhere.png")
    assert "check the path" in refusal(tmp_path / "a.gif" / "x.png")
    assert "check the path" in refusal(tmp_path / ("x" * 300 + ".png"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp"])
@pytest.mark.parametrize("keep", [0.05, 0.5, 0.9])
def test_error_truncated(tmp_path: Path, suffix: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format={"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()))
    whole = buffer.getvalue()
    (tmp_path / f"a.{suffix}").write_bytes(whole[: int(len(whole) * keep)])
    assert "damaged" in refusal(tmp_path / f"a.{suffix}")


def test_error_flipped_bytes_never_escape_as_another_error(tmp_path: Path) -> None:
    """Damage anywhere either still decodes or is a PhotoError."""
    rng = np.random.default_rng(1)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP"):
        buffer = io.BytesIO()
        Image.fromarray(pattern()).save(buffer, format=kind)
        for _ in range(60):
            broken = bytearray(buffer.getvalue())
            for at in rng.integers(0, min(len(broken), 400), 3):
                broken[at] = rng.integers(0, 256)
            (tmp_path / "a").write_bytes(broken)
            with suppress(PhotoError):
                open_photo(tmp_path / "a")


def test_error_more_pixels_than_the_limit_before_decoding(tmp_path: Path) -> None:
    for side in (10_001, 60_000):
        (tmp_path / "bomb.png").write_bytes(png(side, side, b"\0"))
        assert f"{MAX_PIXELS // 10**6} megapixels" in refusal(tmp_path / "bomb.png")


def test_error_sixteen_million_grays_and_floats(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 1 << 20, np.int32)).save(tmp_path / "a.tif")
    assert "1048576" in refusal(tmp_path / "a.tif")
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "b.tif")
    assert "floating" in refusal(tmp_path / "b.tif")


def test_error_photo_of_a_wrong_shape() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        Photo(pattern().astype(np.float32))
    with pytest.raises(ShapeError, match="alpha"):
        Photo(pattern(), np.zeros((3, 3), np.uint8))
    with pytest.raises(ShapeError, match="needed"):
        photo_from_tensor(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ShapeError, match="NaN"):
        photo_from_tensor(torch.full((3, 4, 4), torch.nan))


def test_invariance_photo_tensor_photo() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    image = tensor_from_photo(Photo(every))
    assert image.shape == (1, 3, 16, 16)
    assert image.min() == -1
    assert image.max() == 1
    np.testing.assert_array_equal(photo_from_tensor(image).pixels, every)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "TIFF"])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_invariance_save_then_open_is_exact(tmp_path: Path, suffix: str, with_alpha: bool) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (40, 30), dtype=np.uint8) if with_alpha else None
    save_photo(tmp_path / f"a.{suffix}", Photo(pixels, alpha), record={"edited": True})
    again = open_photo(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(again.pixels, pixels)
    assert (again.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(again.alpha, alpha)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_shape_record_comes_back(tmp_path: Path, suffix: str) -> None:
    record = edit_record({"happiness": 1.0, 'a "<b>" & c': -0.5}, generator="0" * 64, axes="f" * 64, mode="motion")
    save_photo(tmp_path / f"a.{suffix}", Photo(pattern()), record=record)
    assert read_record(tmp_path / f"a.{suffix}") == record
    assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / f"a.{suffix}").read_bytes()
    assert open_photo(tmp_path / f"a.{suffix}").pixels.shape == (24, 36, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_shape_nothing_of_the_source_is_written(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(pattern()).save(tmp_path / "secret.jpg", exif=exif, comment=b"private words")
    save_photo(tmp_path / f"out.{suffix}", open_photo(tmp_path / "secret.jpg"), record={"edited": True})
    written = (tmp_path / f"out.{suffix}").read_bytes()
    for word in (b"CameraMaker", b"private", b"secret", str(tmp_path).encode()):
        assert word not in written
    with Image.open(tmp_path / f"out.{suffix}") as image:
        assert 0x8825 not in image.getexif()


def test_shape_pictures_without_a_record(tmp_path: Path) -> None:
    Image.fromarray(pattern()).save(tmp_path / "a.png")
    assert read_record(tmp_path / "a.png") is None
    save_photo(tmp_path / "b.png", Photo(pattern()))
    assert read_record(tmp_path / "b.png") is None
    save_photo(tmp_path / "c.png", Photo(pattern()), record={"long": "x" * 100_000})
    assert read_record(tmp_path / "c.png") is None


def test_error_targets(tmp_path: Path) -> None:
    transparent = Photo(pattern(), np.zeros((24, 36), np.uint8))
    with pytest.raises(OutputError, match=r"transparency.*\.png"):
        save_photo(tmp_path / "a.jpg", transparent)
    with pytest.raises(OutputError, match=r"'\.gif'"):
        save_photo(tmp_path / "a.gif", transparent)
    with pytest.raises(OutputError, match="no suffix"):
        check_photo_target(tmp_path / "a")
    with pytest.raises(OutputError, match="16383"):
        save_photo(tmp_path / "a.webp", Photo(np.zeros((1, 16_384, 3), np.uint8)))
    assert list(tmp_path.iterdir()) == []


def test_shape_opaque_alpha_is_no_obstacle_for_jpeg(tmp_path: Path) -> None:
    save_photo(tmp_path / "a.jpg", Photo(pattern(), np.full((24, 36), 255, np.uint8)))
    assert open_photo(tmp_path / "a.jpg").alpha is None
