"""Pictures of every kind come in upright and 8-bit, bad ones are refused in one sentence, and saving loses nothing."""

from __future__ import annotations

import io
import os
import resource
import struct
import sys
import time
import zlib
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, ImageFile
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from emogan_core import images, picture_headers
from emogan_core.depth import png_of, tiff_of
from emogan_core.errors import OutputError, PhotoError, ShapeError
from emogan_core.free_memory import free_memory
from emogan_core.images import (
    MAX_PIXELS,
    Photo,
    bits_kept,
    check_photo_target,
    frames_in,
    photo_facts,
    photo_from_tensor,
    read_record,
    save_photo,
    tensor_from_photo,
)
from emogan_core.metadata import Metadata
from emogan_core.provenance import edit_record


def open_photo(path: Path, *, frame: int | None = None) -> Photo:
    """What is tested here, and that the header alone says the same of every file."""
    photo = images.open_photo(path, frame=frame)
    if frame is None:
        told = photo_facts(Path(path))
        height, width = photo.pixels.shape[:2]
        facts = (width, height, photo.bits, photo.alpha is not None, photo.notices)
        assert (told.width, told.height, told.bits, told.alpha, told.notices) == facts
    return photo


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


def test_shape_orientation_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pattern()).save(tmp_path / "a.png", exif=exif)
    whole = (tmp_path / "a.png").read_bytes()
    start = whole.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
    (tmp_path / "a.png").write_bytes(whole[:start] + whole[end:-12] + whole[start:end] + whole[-12:])
    assert open_photo(tmp_path / "a.png").pixels.shape == (36, 24, 3)


def test_shape_broken_exif_is_no_obstacle(tmp_path: Path) -> None:
    Image.fromarray(pattern()).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff garbage")
    assert open_photo(tmp_path / "a.jpg").pixels.shape == (24, 36, 3)


def test_shape_srgb_profile_changes_nothing_and_a_broken_one_is_ignored(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, icc in (("srgb", profile), ("broken", b"not a profile")):
        Image.fromarray(pattern()).save(tmp_path / f"{name}.png", icc_profile=icc)
        np.testing.assert_array_equal(open_photo(tmp_path / f"{name}.png").pixels, pattern())


@cache  # it holds the second in which it was made
def other_profile() -> bytes:
    """A profile that swaps red and blue, made from Pillow's sRGB profile."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    table = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    profile[table[b"rXYZ"] : table[b"rXYZ"] + 4] = b"bXYZ"
    profile[table[b"bXYZ"] : table[b"bXYZ"] + 4] = b"rXYZ"
    return bytes(profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be")).replace(b"sRGB", b"Swap"))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_shape_rgb_numbers_and_their_profile_are_kept(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(pattern()).save(tmp_path / "a.png", icc_profile=other_profile())
    photo = open_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.pixels, pattern())
    save_photo(tmp_path / f"b.{suffix}", photo, record={"edited": True})
    with Image.open(tmp_path / f"b.{suffix}") as image:
        assert image.info["icc_profile"] == other_profile()
    assert open_photo(tmp_path / f"b.{suffix}").metadata.icc_profile == other_profile()


def test_shape_inks_are_converted_by_their_profile(tmp_path: Path) -> None:
    """LAB stands for inks here: Pillow makes a profile of it by itself, and only that tells it from RGB."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.createProfile("sRGB")
    there = ImageCms.profileToProfile(Image.fromarray(pattern()), srgb, ImageCms.createProfile("LAB"), outputMode="LAB")
    there.save(tmp_path / "a.tif", icc_profile=lab)
    photo = open_photo(tmp_path / "a.tif")
    assert photo.metadata.icc_profile == b""
    assert np.abs(photo.pixels.astype(int) - pattern()).mean() < 3  # not all its colours are within sRGB


@pytest.mark.parametrize("name", ["a.webp", "a.tif", "a.png", "a.gif", "a.avif"])
def test_shape_first_frame_of_an_animation(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(pattern()), Image.fromarray(255 - pattern())]
    options = {"a.webp": {"lossless": True}, "a.avif": {"quality": 100}}.get(name, {})
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    photo = open_photo(tmp_path / name)
    assert np.abs(photo.pixels.astype(int) - pattern()).mean() < (6 if name in ("a.gif", "a.avif") else 1e-9)
    assert photo.notices == (f"{name} holds 2 pictures; the first was taken",)
    second = open_photo(tmp_path / name, frame=1)
    assert np.abs(second.pixels.astype(int) - (255 - pattern())).mean() < (6 if name in ("a.gif", "a.avif") else 1e-9)
    assert (frames_in(tmp_path / name), second.notices) == (2, ())
    with pytest.raises(PhotoError, match="damaged or cut short"):
        open_photo(tmp_path / name, frame=2)
    frames[0].save(tmp_path / name, **options)
    assert (open_photo(tmp_path / name).notices, frames_in(tmp_path / name)) == ((), 1)


def test_shape_pages_of_other_kinds_and_sizes(tmp_path: Path) -> None:
    """8 bits, 16 bits and floats, each as deep as it is."""
    pages = [pattern(), pattern()[:20].astype(np.uint16) * 257, pattern()[:, :30].astype(np.float32) / 255]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in pages:
            file.write(page, photometric="rgb")
    photos = [open_photo(tmp_path / "a.tif", frame=number) for number in range(frames_in(tmp_path / "a.tif"))]
    assert [photo.bits for photo in photos] == [8, 16, 32]
    for page, photo in zip((pattern(), pattern()[:20], pattern()[:, :30]), photos, strict=True):
        np.testing.assert_allclose(photo.pixels, page, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
@pytest.mark.parametrize("packed", [None, "deflate"])
def test_shape_pages_behind_one_that_is_not_read(
    tmp_path: Path, options: dict[str, object], packed: str | None
) -> None:
    """Colours in floats, which Pillow does not open, or numbers of 32 bits, which nobody reads, come first."""
    eight, sixteen = pattern(), pattern()[:20].astype(np.uint16) * 257
    for name, first in (("a.tif", pattern().astype(np.float32) / 255), ("b.tif", pattern().astype(np.uint32) << 24)):
        path = tmp_path / name
        with tifffile.TiffWriter(path, **options) as file:
            file.write(first, photometric="rgb")
            for page in (eight, sixteen, eight[:, :30].astype(np.float32) / 255):
                file.write(page, photometric="rgb", compression=packed)
            file.write(eight.astype(np.uint32), photometric="rgb")
        before = path.read_bytes()
        assert frames_in(path) == 5
        photos = [open_photo(path, frame=number) for number in (1, 2, 3)]
        assert [photo.bits for photo in photos] == [8, 16, 32]
        for page, photo in zip((eight, eight[:20], eight[:, :30]), photos, strict=True):
            np.testing.assert_allclose(photo.pixels, page, atol=1e-4)
            assert photo.notices == ()
        with pytest.raises(PhotoError, match="has a page, number 5, of 3 x uint32; needed 8 or 16 bits"):
            open_photo(path, frame=4)
        with pytest.raises(PhotoError, match="damaged or cut short"):
            open_photo(path, frame=5)
        assert path.read_bytes() == before
    assert open_photo(tmp_path / "a.tif").notices == ("a.tif holds 5 pictures; the first was taken",)


def test_shape_opacity_of_a_part(tmp_path: Path) -> None:
    alpha = np.zeros((24, 36), np.uint8)
    alpha[:, :9] = 255
    for depth in (alpha, alpha.astype(np.uint16) * 257, alpha.astype(np.float32) / 255):
        photo = Photo(pattern(), depth)
        assert photo.opacity() == pytest.approx(0.25)
        assert photo.opacity(slice(0, 5), slice(0, 18)) == pytest.approx(0.5)
        assert photo.opacity(slice(30, 40), slice(50, 60)) == 1
    assert Photo(pattern()).opacity() == 1


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.gif"])
def test_shape_two_tones(tmp_path: Path, name: str) -> None:
    tones = Image.fromarray(pattern()).convert("1")
    tones.save(tmp_path / name)
    photo = open_photo(tmp_path / name)
    assert photo.alpha is None
    np.testing.assert_array_equal(photo.pixels, np.asarray(tones)[..., None].repeat(3, 2).astype(np.uint8) * 255)
    if name != "a.gif":  # which has them as a palette
        assert photo.notices == (
            f"{name} holds only black and white; what an edit draws has grays, and so has what is saved",
        )


def test_error_tiffs_of_other_numbers_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pattern().astype(np.uint32) << 24, photometric="rgb")
    with pytest.raises(PhotoError, match=r"a\.tif is a TIFF of 3 x uint32; needed 8 or 16 bits a channel"):
        open_photo(tmp_path / "a.tif")


def test_shape_floats_keep_what_their_file_tells(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x8298] = "CameraMaker", "nobody"
    exif.get_ifd(0x8769)[0x829A] = 0.004
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    floats = pattern().astype(np.float32) / 255
    (tmp_path / "a.tif").write_bytes(tiff_of(floats, {"exif": exif.tobytes(), "icc_profile": profile}))
    photo = open_photo(tmp_path / "a.tif")
    assert (photo.bits, photo.metadata.icc_profile) == (32, profile)
    for out in ("b.tif", "b.png", "b.jpg"):
        save_photo(tmp_path / out, photo)
        with Image.open(tmp_path / out, formats=["PNG", "JPEG"]) if out != "b.tif" else nullcontext() as image:
            again = open_photo(tmp_path / out).metadata
            assert again.icc_profile == profile
            told = Image.Exif()
            told.load(again.exif)
            assert (told[0x010F], told[0x8298]) == ("CameraMaker", "nobody")
            assert told.get_ifd(0x8769)[0x829A] == pytest.approx(0.004)
            assert image is None or image.getexif()[0x010F] == "CameraMaker"


def test_shape_heic_where_its_package_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is played: its opener takes what the real one's takes."""

    class Opener(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self) -> None:
            self._size, self._mode = (36, 24), "RGB"

        def load(self) -> Image.core.PixelAccess | None:
            self.im = Image.fromarray(pattern()).im
            return Image.Image.load(self)

    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert "pillow-heif" in refusal(tmp_path / "phone.heic")

    def register() -> None:
        Image.register_open("HEIF", Opener, lambda prefix: prefix[8:12] == b"heic")

    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=register))
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    np.testing.assert_array_equal(open_photo(tmp_path / "phone.heic").pixels, pattern())


def test_shape_real_heic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    for name in ("OPEN", "SAVE", "SAVE_ALL", "EXTENSION", "MIME"):
        monkeypatch.setattr(Image, name, dict(getattr(Image, name)))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    heif.register_heif_opener()
    small, large = Image.fromarray(pattern(64, 96)), Image.fromarray(pattern(96, 128))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Phone"
    large.save(tmp_path / "turned.heic", exif=exif.tobytes(), icc_profile=other_profile(), quality=95)
    photo = open_photo(tmp_path / "turned.heic")
    assert photo.pixels.shape == (128, 96, 3)
    assert np.abs(photo.pixels.astype(int) - np.rot90(pattern(96, 128), -1)).mean() < 4
    assert photo.metadata.icc_profile == other_profile()
    assert b"Phone" in photo.metadata.exif
    both = heif.HeifFile()
    both.add_from_pillow(small)
    both.add_from_pillow(large)
    both.save(tmp_path / "two.heic", primary_index=1)
    photo = open_photo(tmp_path / "two.heic")
    assert photo.pixels.shape == (96, 128, 3)
    assert photo.notices == ("two.heic holds 2 pictures; number 2, which it says is the main one, was taken",)
    shapes = [open_photo(tmp_path / "two.heic", frame=number).pixels.shape[:2] for number in range(2)]
    assert shapes == [(64, 96), (96, 128)]
    deep = np.dstack([pattern(64, 96), np.full((64, 96), 100, np.uint8)]).astype(np.uint16) * 257
    heif.from_bytes("RGBA;16", (96, 64), deep.tobytes()).save(tmp_path / "deep.heic", quality=95)
    photo = open_photo(tmp_path / "deep.heic")
    assert photo.notices == ("deep.heic holds 10 bits a channel, of which 8 are read",)
    assert photo.alpha is not None
    assert np.abs(photo.alpha.astype(int) - 100).max() <= 1


def test_error_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello, I am not a picture")
    (tmp_path / "page.png").write_bytes(b"%PDF-1.7 something")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    Image.fromarray(pattern()).save(tmp_path / "a.ppm")
    assert "empty" in refusal(tmp_path / "empty.png")
    assert "not a picture" in refusal(tmp_path / "text.jpg")
    assert "PDF" in refusal(tmp_path / "page.png")
    for start in (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"):
        (tmp_path / "new.jxl").write_bytes(start + bytes(40))
        assert "is a JPEG XL picture" in refusal(tmp_path / "new.jxl")
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert "is a vector (SVG) file" in refusal(tmp_path / "drawing.svg")
    assert "HEIC" in refusal(tmp_path / "phone.jpg")
    assert "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC" in refusal(tmp_path / "a.ppm")
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refusal(tmp_path / "pipe")
    assert "folder" in refusal(tmp_path)
    assert "check the path" in refusal(tmp_path / "nowhere.png")
    assert "check the path" in refusal(tmp_path / "a.ppm" / "x.png")
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


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_error_libtiff_keeps_quiet(tmp_path: Path, compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It writes to standard error by itself about what is damaged."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.tif", compression=compression)
    broken = bytearray((tmp_path / "a.tif").read_bytes())
    broken[600:700] = b"\xff" * 100
    (tmp_path / "a.tif").write_bytes(broken)
    with suppress(PhotoError):
        open_photo(tmp_path / "a.tif")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


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


def test_error_only_the_header_is_read_where_no_more_is_asked(tmp_path: Path) -> None:
    """100 megapixels in 12 kB: some 400 MB when they are decoded."""
    packed = zlib.compressobj(9)
    row = bytes(30_001)
    rows = b"".join([*(packed.compress(row) for _ in range(10_000)), packed.flush()])
    (tmp_path / "flat.png").write_bytes(png(10_000, 10_000, b"").replace(zlib.compress(b""), rows))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert photo_facts(tmp_path / "flat.png").width == 10_000
    assert read_record(tmp_path / "flat.png") is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_error_sixteen_million_grays_and_odd_floats(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 1 << 20, np.int32)).save(tmp_path / "a.tif")
    assert "1048576" in refusal(tmp_path / "a.tif")
    Image.fromarray(np.full((4, 4), 200, np.float32)).save(tmp_path / "b.tif")
    assert "0 for black to 1 for white" in refusal(tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "c.tif", np.full((4, 4, 3), np.nan, np.float32), photometric="rgb")
    assert "0 for black to 1 for white" in refusal(tmp_path / "c.tif")
    tifffile.imwrite(tmp_path / "d.tif", np.ones((4, 4, 3)), photometric="rgb")
    assert "float64" in refusal(tmp_path / "d.tif")
    tifffile.imwrite(tmp_path / "e.tif", np.ones((64, 64, 3), np.float32), photometric="rgb")
    (tmp_path / "e.tif").write_bytes((tmp_path / "e.tif").read_bytes()[:5000])
    assert "damaged" in refusal(tmp_path / "e.tif")


def test_error_photo_of_a_wrong_shape() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        Photo(pattern().astype(np.int32))
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


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description photoshop:City="Secretville" xmpRights:Marked="True"><dc:rights><rdf:Alt>'
    '<rdf:li xml:lang="x-default">\u00a9 Ann &amp; Bob</rdf:li></rdf:Alt></dc:rights><dc:creator><rdf:Seq>'
    "<rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()


def described(path: Path, *, deep: bool) -> None:
    """A picture with everything that a camera and an archive write into it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x8298], exif[0x0112] = "CameraMaker", "(c) Ann", 1
    camera = exif.get_ifd(0x8769)
    camera[0x9003], camera[0x927C], camera[0x829A] = "2026:01:02 03:04:05", b"secret maker's note", IFDRational(1, 125)
    exif.get_ifd(0x8825)[1] = "N"
    if not deep:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        info.add_text("Comment", "private words")
        Image.fromarray(pattern()).save(path, exif=exif, pnginfo=info)
        return
    path.write_bytes(png_of(pattern().astype(np.uint16) * 256 + 7, {"exif": exif.tobytes()}))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_shape_descriptions_are_handed_on_and_places_are_not(tmp_path: Path, suffix: str, deep: bool) -> None:
    described(tmp_path / "secret.png", deep=deep)
    out = tmp_path / f"out.{suffix}"
    save_photo(out, open_photo(tmp_path / "secret.png"), record={"edited": True})
    for word in (b"private", b"secret", b"Secretville", str(tmp_path).encode()):
        assert word not in out.read_bytes()
    with Image.open(out) as image:
        exif = image.getexif()
        assert (exif[0x010F], exif[0x8298]) == ("CameraMaker", "(c) Ann")
        assert dict(exif.get_ifd(0x8769)) == {0x9003: "2026:01:02 03:04:05", 0x829A: IFDRational(1, 125)}
        assert 0x8825 not in exif
    assert read_record(out) == {"edited": True}
    if not deep:
        rights = {"dc:rights": ("\u00a9 Ann & Bob",), "dc:creator": ("Ann", "Bob"), "xmpRights:Marked": ("True",)}
        assert open_photo(out).metadata.rights == rights


def test_shape_hostile_descriptions_cost_no_picture(tmp_path: Path) -> None:
    """Ends in time, and says nothing that was not there."""
    nested = b"<dc:rights>" * 20_000 + b"<rdf:li>" * 20_000
    Image.fromarray(pattern()).save(
        tmp_path / "a.webp", xmp=nested, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff", lossless=True
    )
    started = time.process_time()
    photo = open_photo(tmp_path / "a.webp")
    assert time.process_time() - started < 2  # of this process: other programs on the machine may make it wait
    assert photo.metadata == Metadata()
    np.testing.assert_array_equal(photo.pixels, pattern())


def sixteen(channels: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 1 << 16, (24, 36, channels), dtype=np.uint16)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_golden_sixteen_bits_come_back(tmp_path: Path, suffix: str, channels: int) -> None:
    """Read by our two passes, written by our writers, and read by tifffile, which knows neither."""
    values = sixteen(channels)
    for name, order in (("a.tif", "<"), ("b.tif", ">")):
        extra = ["unassalpha"] if channels == 4 else None
        tifffile.imwrite(tmp_path / name, values, photometric="rgb", byteorder=order, extrasamples=extra)
        photo = open_photo(tmp_path / name)
        assert (photo.bits, photo.pixels.dtype, photo.notices) == (16, np.float32, ())
        np.testing.assert_array_equal(np.round(photo.pixels * 257), values[..., :3])
        save_photo(tmp_path / f"out.{suffix}", photo, record={"edited": True})
        again = open_photo(tmp_path / f"out.{suffix}")
        np.testing.assert_array_equal(again.pixels, photo.pixels)
        assert read_record(tmp_path / f"out.{suffix}") == {"edited": True}
        if channels == 4:
            np.testing.assert_array_equal(again.alpha, values[..., 3])
        if suffix == "tif":
            np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), values)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", None])
def test_golden_packed_sixteen_bits(tmp_path: Path, compression: str | None) -> None:
    """Grays, which Pillow writes itself; every packing of colours goes through the same decoder."""
    values = sixteen(1)[..., 0]
    Image.fromarray(values).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(np.round(open_photo(tmp_path / "a.tif").pixels[..., 1] * 257), values)
    tifffile.imwrite(tmp_path / "b.tif", sixteen(3), photometric="rgb", compression="zlib", predictor=True)
    np.testing.assert_array_equal(np.round(open_photo(tmp_path / "b.tif").pixels * 257), sixteen(3))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_invariance_orientation_of_deep_pictures(tmp_path: Path, orientation: int) -> None:
    """As that of the same picture with 8 bits."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pattern()).save(tmp_path / "a.png", exif=exif)
    (tmp_path / "b.png").write_bytes(png_of(pattern().astype(np.uint16) * 257, {"exif": exif.tobytes()}))
    tifffile.imwrite(
        tmp_path / "c.tif",
        pattern().astype(np.float32) / 255,
        photometric="rgb",
        extratags=[(274, "H", 1, orientation, True)],
    )
    for name in ("b.png", "c.tif"):
        np.testing.assert_array_equal(
            np.round(open_photo(tmp_path / name).pixels), open_photo(tmp_path / "a.png").pixels
        )


def test_golden_floats_come_back(tmp_path: Path) -> None:
    values = np.random.default_rng(6).uniform(-0.1, 1.05, (24, 36, 4)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["unassalpha"], compression="zlib")
    photo = open_photo(tmp_path / "a.tif")
    assert photo.bits == 32
    save_photo(tmp_path / "b.tif", photo, record={"edited": True})
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), values)
    assert read_record(tmp_path / "b.tif") == {"edited": True}
    gray = values[..., 0].clip(0, 1)
    Image.fromarray(gray).save(tmp_path / "c.tif")
    save_photo(tmp_path / "d.png", open_photo(tmp_path / "c.tif"))
    saved = open_photo(tmp_path / "d.png")
    assert saved.bits == 16
    assert np.abs(saved.pixels[..., 0] / 255 - gray).max() < 1e-5


def test_shape_deep_photos_where_eight_bits_are_needed(tmp_path: Path) -> None:
    photo = Photo((sixteen(3) / 257).astype(np.float32), sixteen(1)[..., 0])
    for suffix in ("jpg", "webp", "png", "tif"):
        assert bits_kept(tmp_path / f"a.{suffix}", photo) == (8 if suffix in ("jpg", "webp") else 16)
    save_photo(tmp_path / "a.webp", photo)
    seen = open_photo(tmp_path / "a.webp")
    np.testing.assert_array_equal(seen.pixels, photo.eight_bit.pixels)
    np.testing.assert_array_equal(seen.alpha, photo.eight_bit.alpha)
    assert photo.is_transparent
    assert not Photo(photo.pixels, np.full((24, 36), 0xFFFF, np.uint16)).is_transparent


def test_shape_sixteen_bits_read_as_eight_say_so(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes(36 * 4) for _ in range(24))
    (tmp_path / "a.png").write_bytes(png(36, 24, rows, depth=16, colour=4))
    assert open_photo(tmp_path / "a.png").notices == (
        "a.png holds 16 bits a channel in a way of which only 8 are read",
    )


def test_error_more_than_the_free_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(pattern(200, 300)).save(tmp_path / "a.png")
    monkeypatch.setattr(picture_headers, "free_memory", lambda: 1_000_000)
    assert "0.0 GB of memory are free" in refusal(tmp_path / "a.png")
    monkeypatch.setattr(picture_headers, "free_memory", lambda: None)
    assert open_photo(tmp_path / "a.png").pixels.shape == (200, 300, 3)
    assert free_memory() is None or free_memory() > 1 << 20


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_error_a_full_disk_is_one_sentence(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A limit on the size of files stands for the disk."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*; choose another place"):
            save_photo(tmp_path / f"a.{suffix}", Photo(noise))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


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
