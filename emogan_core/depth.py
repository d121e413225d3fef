"""Pictures of more than 8 bits a channel: reading all their bits, of which Pillow gives the upper 8, and writing them.

Pillow has no type for 16-bit colour, but decoders that take either byte of each number: two passes give both.
"""

from __future__ import annotations

import io
import logging
import mmap
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .errors import PhotoError
from .files import ordinary_only

Deep = NDArray[Any]
"""uint16, or float32 with white at 1: [h, w, c]."""

ROWS_AT_ONCE = 256
_OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
_TWO_BYTES = ("RGB", "RGBA", "RGBX")
_EXIF_IFD, _ICC_TAG, _XMP_TAG, _TURN_TAG = 0x8769, 34675, 700, 274


def is_deep(image: ImageFile) -> bool:
    """Whether an opened picture, its pixels not yet decoded, stores 16 bits a channel of which Pillow gives 8."""
    return any(";16" in _raw_mode(tile) for tile in image.tile) and not image.mode.startswith("I")


def take_other_byte(image: ImageFile) -> bool:
    """Make a picture, its pixels not yet decoded, decode to the lower byte of each number; whether that can be done."""
    tiles: list[Any] = []
    tile: Any
    for tile in image.tile:  # codec, box, offset, arguments: a raw mode, alone or first
        mode, _, order = _raw_mode(tile).partition(";")
        if mode not in _TWO_BYTES or order not in _OTHER_BYTE:
            return False
        other = f"{mode};{_OTHER_BYTE[order]}"
        arguments = other if isinstance(tile[3], str) else (other, *tile[3][1:])
        plain = (*tile[:3], arguments)  # as in older Pillows; newer ones name the parts
        tiles.append(tile._replace(args=arguments) if hasattr(tile, "_replace") else plain)
    image.tile = tiles
    return bool(tiles) and "transparency" not in image.info


def joined(upper: Image.Image, lower: Image.Image) -> Deep:
    """uint16 [h, w, 3 or 4] of the two halves of a picture."""
    high = np.asarray(upper).astype(np.uint16)
    high <<= 8
    high |= np.asarray(lower)
    return high


def _raw_mode(tile: Any) -> str:
    return str(tile[3] if isinstance(tile[3], str) else tile[3][0] if tile[3] else "")


@dataclass(frozen=True, slots=True)
class FloatsHead:
    """What the header of a TIFF of floats says: its size as stored, EXIF orientation, ICC profile, XMP."""

    width: int
    height: int
    channels: int
    orientation: int
    icc_profile: bytes
    xmp: str


@dataclass(frozen=True, slots=True, eq=False)
class Floats:
    """A TIFF of floats: values float32 [h, w, 1, 3 or 4] as stored, and what its header says."""

    values: Deep
    head: FloatsHead


def kind_of_tiff(path: Path, page: int = 0) -> str:
    """What numbers a picture of a TIFF holds, empty when that cannot be told."""
    import tifffile  # here: few pictures need it; scikit-image brings it along

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it reports on standard error
    try:
        with tifffile.TiffFile(path) as file:
            found: Any = file.pages[page]
            return f"{found.samplesperpixel} x {found.dtype}" if found.dtype is not None else ""
    except Exception:  # a damaged file can trip any line of a decoder
        return ""


def pages_of_tiff(path: Path) -> int:
    """How many pictures a TIFF holds some of which Pillow does not open; 0 when its pages cannot be followed."""
    import tifffile  # here: few pictures need it; scikit-image brings it along

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it reports on standard error
    try:
        with tifffile.TiffFile(path) as file:
            return len(file.pages)
    except Exception:  # a damaged file can trip any line of a decoder
        return 0


@contextmanager
def from_page(path: Path, page: int) -> Iterator[BinaryIO]:
    """A TIFF as if it began with one of its pages, so that what is before it need not be of a known kind.

    Raises: PhotoError when the file is damaged; OSError.
    """
    import tifffile  # here: few pictures need it; scikit-image brings it along

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it reports on standard error
    try:
        with tifffile.TiffFile(path) as file:
            order, wide, place = file.byteorder, file.is_bigtiff, int(file.pages[page].offset)
    except Exception as error:  # a damaged file can trip any line of a decoder
        raise PhotoError(f"{path.name} is damaged or cut short: {error}; get the file again") from error
    with (
        open(path, "rb", opener=ordinary_only) as plain,
        mmap.mmap(plain.fileno(), 0, access=mmap.ACCESS_COPY) as copy,
    ):
        struct.pack_into(f"{order}{'Q' if wide else 'I'}", copy, 8 if wide else 4, place)  # the file stays as it is
        yield cast(BinaryIO, copy)


def read_floats(path: Path, expect_size: Callable[[int, int], None], *, page: int = 0) -> Floats | None:
    """A picture of a TIFF of floating-point numbers, of which Pillow opens few; None if it is none.

    `expect_size` refuses a width and height before anything is decoded.
    Raises: PhotoError when it is packed in a way that is not read here, or damaged.
    """
    with _float_page(path, page) as found:
        if found is None:
            return None
        expect_size(found.imagewidth, found.imagelength)
        head = _head_of(path, found)
        values = np.asarray(found.asarray(maxworkers=1), dtype=np.float32)
        return Floats(values.reshape(head.height, head.width, head.channels), head)


def read_floats_head(path: Path) -> FloatsHead | None:
    """What the header of such a picture says, None where it is none.

    Raises: PhotoError as `read_floats`.
    """
    with _float_page(path, 0) as found:
        return None if found is None else _head_of(path, found)


@contextmanager
def _float_page(path: Path, page: int) -> Iterator[Any]:
    """tifffile's page of floats, None where it holds other numbers.

    Raises: PhotoError for whatever goes wrong with it.
    """
    import tifffile  # here: few pictures need it; scikit-image brings it along

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it reports on standard error
    try:
        with tifffile.TiffFile(path) as file:
            found: Any = file.pages[page]
            yield found if found.dtype is not None and found.dtype.kind == "f" else None
    except PhotoError:
        raise
    except Exception as error:  # a damaged file can trip any line of a decoder
        raise PhotoError(f"{path.name} is damaged or cut short: {error}; get the file again") from error


def _head_of(path: Path, page: Any) -> FloatsHead:
    _expect_plain(path, page)
    orientation, profile, xmp = (page.tags.valueof(tag, default=b"") for tag in (_TURN_TAG, _ICC_TAG, _XMP_TAG))
    return FloatsHead(
        width=page.imagewidth,
        height=page.imagelength,
        channels=page.samplesperpixel,
        orientation=int(orientation or 1),
        icc_profile=profile if isinstance(profile, bytes) else b"",
        xmp=xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp),
    )


def _expect_plain(path: Path, page: Any) -> None:
    plain = page.dtype == np.float32 and page.samplesperpixel in (1, 3, 4) and page.planarconfig == 1
    if not plain or page.compression not in (1, 8, 32946) or page.predictor not in (1, None) or page.imagedepth != 1:
        raise PhotoError(
            f"{path.name} came as floating-point TIFF of {page.dtype}, {page.samplesperpixel} channels, compression "
            f"{int(page.compression)}, predictor {int(page.predictor or 1)}; needed 32 bits, 1, 3 or 4 channels side by "
            "side, no compression or plain deflate: save it so, or with 16 bits"
        )


def png_of(pixels: Deep, options: Mapping[str, Any]) -> bytes:
    """A PNG of uint16 [h, w, 3 or 4], with the `exif`, `icc_profile` and `pnginfo` that Pillow would be given."""
    height, width, channels = pixels.shape
    parts = [b"\x89PNG\r\n\x1a\n"]

    def add(name: bytes, body: bytes) -> None:
        parts.extend([struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(name + body))])

    add(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))
    if options.get("icc_profile"):
        add(b"iCCP", b"ICC Profile\0\0" + zlib.compress(options["icc_profile"]))
    for name, body, *_ in getattr(options.get("pnginfo"), "chunks", ()):
        add(name, body)
    if options.get("exif"):
        add(b"eXIf", options["exif"].removeprefix(b"Exif\0\0"))
    packer = zlib.compressobj(6)
    for top in range(0, height, ROWS_AT_ONCE):
        rows = pixels[top : top + ROWS_AT_ONCE].astype(">u2").view(np.uint8).reshape(-1, width * channels * 2)
        lines = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        lines[:, 0] = 1  # the filter "sub": what each byte differs by from the pixel before
        lines[:, 1:] = rows
        lines[:, 1 + 2 * channels :] -= rows[:, : -2 * channels]
        add(b"IDAT", packer.compress(lines.tobytes()))
    add(b"IDAT", packer.flush())
    add(b"IEND", b"")
    return b"".join(parts)


def tiff_of(pixels: Deep, options: Mapping[str, Any]) -> bytes:
    """A deflated TIFF of uint8, uint16 or float32 [h, w, 3 or 4], with what Pillow would be given, of which it takes a part."""
    height, width, channels = pixels.shape
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    packer = zlib.compressobj(6)
    bands = [packer.compress(little[top : top + ROWS_AT_ONCE].tobytes()) for top in range(0, height, ROWS_AT_ONCE)]
    body = b"".join([*bands, packer.flush()])
    tags = ImageFileDirectory_v2(prefix=b"II")
    block = Image.Exif()
    if options.get("exif"):
        block.load(options["exif"])
        for tag, value in block.items():
            tags[tag] = value
        if camera := dict(block.get_ifd(_EXIF_IFD)):
            tags[_EXIF_IFD] = camera
    for tag, value in options.get("tiffinfo", {}).items():
        tags[tag] = value
    if options.get("icc_profile"):
        tags.tagtype[_ICC_TAG] = 7
        tags[_ICC_TAG] = options["icc_profile"]
    bits = pixels.dtype.itemsize * 8
    tags[256], tags[257], tags[258] = width, height, (bits,) * channels
    tags[259], tags[262], tags[277], tags[278], tags[284] = 8, 2, channels, height, 1
    tags[339] = (3 if pixels.dtype.kind == "f" else 1,) * channels
    if channels == 4:
        tags[338] = 2  # an alpha that the colours are not multiplied with
    tags[273], tags[279] = 0, len(body)  # Pillow adds where the one strip begins: behind the directory
    file = io.BytesIO()
    tags.save(file)
    file.write(body)
    return file.getvalue()
