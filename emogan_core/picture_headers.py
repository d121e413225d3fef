"""Picture files opened: formats from a short list, sizes and kinds told from headers, under caps on pixels and memory."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from .depth import is_deep, kind_of_tiff, pages_of_tiff, read_floats_head, take_other_byte
from .errors import PhotoError
from .files import first_bytes
from .free_memory import free_memory
from .metadata import orientation_told

MAX_PIXELS = 100_000_000
"""Pictures of more are refused before they are decoded."""
BYTES_A_PIXEL = {8: 18, 16: 54, 32: 100}
"""What an edit takes at its peak, by bits a channel; measured 16, 52 and 99 at 98 megapixels, all else included."""
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Gif", "Avif")  # not all that Pillow has, which takes a while
READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
NEEDED = "needed a JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC picture"
_ON_THE_SIDE, _TIFF_WIDTH = (5, 6, 7, 8), 256  # orientations that swap width and height
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
SEVERAL_TOLD = "holds {} pictures; the first was taken"
_MAIN_TOLD = "holds {} pictures; number {}, which it says is the main one, was taken"
ONE_BIT_TOLD = "holds only black and white; what an edit draws has grays, and so has what is saved"
EIGHT_READ_TOLD = "holds 16 bits a channel in a way of which only 8 are read"
GRAYS_TOLD = "has a profile of its grays, which was left out"
_TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")
_SEVERAL = ("GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIF")  # not JPEG: phones append small copies to it


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture's header says of the first picture in its file: its size upright, bits a channel as `decoded` reads
    them, whether it has alpha, and the same notices."""

    width: int
    height: int
    bits: int
    alpha: bool
    notices: tuple[str, ...] = ()


def photo_facts(path: Path) -> Facts:
    """What a picture file holds, from its header: whether its pixels are whole is not looked at.

    Raises: PhotoError as `decoded`.
    """
    try:
        with opened(path) as image:
            found = _facts(path, image)
    except PhotoError as error:
        head = read_floats_head(path) if is_unknown_tiff(path, error) else None
        if head is None:
            raise
        count = pages_of_tiff(path)
        told = (SEVERAL_TOLD.format(count),) if count > 1 else ()
        size = (head.height, head.width) if head.orientation in _ON_THE_SIDE else (head.width, head.height)
        found = Facts(*size, bits=32, alpha=head.channels == 4, notices=told)
    return replace(found, notices=tuple(f"{path.name} {notice}" for notice in found.notices))


def _facts(path: Path, image: ImageFile) -> Facts:
    notices, bits = told_of_several(path, image), 8
    if image.mode == "1":
        notices.append(ONE_BIT_TOLD)
    if deeper := told_of_depth(image):
        notices.append(deeper)
    width, height, turned = image.width, image.height, orientation_told(path, image) in _ON_THE_SIDE
    if turned and image.format == "TIFF" and width != getattr(image, "tag_v2", {}).get(_TIFF_WIDTH):
        turned = False  # newer Pillows say how wide it will be
    alpha = has_alpha(image)
    if is_deep(image):
        if take_other_byte(image):
            bits = 16
        else:
            notices.append(EIGHT_READ_TOLD)
    elif image.mode[0] in "IF":
        bits, alpha = (32 if image.mode[0] == "F" else 16), False
        if image.info.get("icc_profile"):
            notices.append(GRAYS_TOLD)
    return Facts(*((height, width) if turned else (width, height)), bits=bits, alpha=alpha, notices=tuple(notices))


@contextmanager
def opened(path: Path) -> Iterator[ImageFile]:
    """A picture file whose header was checked and whose pixels are not yet decoded; libraries are kept quiet meanwhile.

    Raises: PhotoError.
    """
    head = first_of(path)
    with warnings.catch_warnings(), quiet(head[:4] in _TIFF_HEADS):
        warnings.simplefilter("ignore")
        with open_header(path, head) as image:
            yield image


def open_header(path: Path, head: bytes, page: int = 0, file: BinaryIO | None = None) -> ImageFile:
    """Pillow's lazy image of an allowed format, its size checked before anything is decoded.

    `file` is what `from_page` makes of it for a page.
    """
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        _offer_heic()
    try:
        image = Image.open(file or path, formats=_formats())
    except UnidentifiedImageError as error:
        kind = kind_of_tiff(path, page) if head[:4] in _TIFF_HEADS else ""
        raise PhotoError(f"{path.name} {_unknown_kind(kind, page) if kind else _what_came(head)}") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(
            f"{path.name} has far too many pixels; the limit is {MAX_PIXELS // 10**6} megapixels, make it smaller first"
        ) from error
    except Exception as error:  # a damaged header can trip any line of a parser
        raise PhotoError(f"{path.name} is damaged or cut short: {why(error)}; get the file again") from error
    try:
        expect_size(path, image.width, image.height, bits=16 if is_deep(image) or image.mode[0] in "IF" else 8)
    except PhotoError:
        image.close()
        raise
    return image


def expect_size(path: Path, width: int, height: int, *, bits: int) -> None:
    """Refuse what is too large to be edited, told from the header alone.

    Raises: PhotoError.
    """
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"{path.name} has {width} x {height} pixels; the limit is {MAX_PIXELS // 10**6} megapixels, make it "
            "smaller first"
        )
    needed, free = width * height * BYTES_A_PIXEL[bits], free_memory()
    if free is not None and needed > free:
        raise PhotoError(
            f"{path.name} has {width} x {height} pixels of {bits} bits, which take up to {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB of memory are free; make it smaller, or close other programs"
        )


def frames_in(path: Path) -> int:
    """How many pictures a file holds, as far as it can be followed; small copies that phones append to JPEG do not count.

    Raises: PhotoError as `decoded`.
    """
    try:
        with opened(path) as image:
            return _count(path, image)
    except PhotoError as error:
        if not is_unknown_tiff(path, error):
            raise
        return max(1, pages_of_tiff(path))


def is_unknown_tiff(path: Path, error: PhotoError) -> bool:
    """Whether a picture was refused because Pillow does not know this kind of TIFF."""
    return isinstance(error.__cause__, UnidentifiedImageError | OtherPage) and first_of(path)[:4] in _TIFF_HEADS


class OtherPage(Exception):  # noqa: N818 - what it is, told to `is_unknown_tiff` alone
    """A page of a TIFF, not its first, of a kind that Pillow does not know."""


def seek(path: Path, image: ImageFile, frame: int | None) -> None:
    """Go to one of several pictures, whose size may be another than the first one's.

    Raises: PhotoError.
    """
    if frame is None or frame == image.tell():
        return
    try:
        image.seek(frame)
    except SyntaxError as error:  # which is how Pillow says that it does not know a kind of page
        kind = kind_of_tiff(path, frame) or "a kind that is not known"
        raise PhotoError(f"{path.name} {_unknown_kind(kind, frame)}") from OtherPage(str(error))
    expect_size(path, image.width, image.height, bits=16 if is_deep(image) or image.mode[0] in "IF" else 8)


def _unknown_kind(kind: str, page: int) -> str:
    where = f"has a page, number {page + 1}," if page else "is a TIFF"
    return f"{where} of {kind}; needed 8 or 16 bits a channel, or floats: save it so"


def told_of_several(path: Path, image: ImageFile) -> list[str]:
    """What is said when one of several pictures is taken: the first, or the one at which Pillow's opener begins."""
    count = _count(path, image)
    if count < 2:
        return []
    return [_MAIN_TOLD.format(count, image.tell() + 1) if image.tell() else SEVERAL_TOLD.format(count)]


def _count(path: Path, image: ImageFile) -> int:
    try:
        return int(getattr(image, "n_frames", 1)) if image.format in _SEVERAL else 1
    except Exception:  # what follows the first picture may be damaged, or a page of a kind that Pillow does not know
        return max(1, pages_of_tiff(path)) if image.format == "TIFF" else 1


def told_of_depth(image: ImageFile) -> str:
    """What is said of a HEIC with more bits than are read, empty of others."""
    bits = image.info.get("bit_depth", 8) if image.format == "HEIF" else 8
    return f"holds {bits} bits a channel, of which 8 are read" if bits != 8 else ""


def has_alpha(image: Image.Image) -> bool:
    return image.mode in _TRANSPARENT or "transparency" in image.info


def first_of(path: Path) -> bytes:
    """The start of an ordinary file that is not empty.

    Raises: PhotoError.
    """
    try:
        head = first_bytes(path, 16)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise PhotoError(f"cannot read {path}: {why(error)}; check the path") from error
    if not head:
        raise PhotoError(f"{path.name} is empty (0 bytes); {NEEDED}")
    return head


def why(error: Exception) -> str:
    """The reason inside a foreign error, on one line."""
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())


def _what_came(head: bytes) -> str:
    """What a file that Pillow does not open is, told from its first bytes, and what to do."""
    if head.startswith((b"\xff\xd8", b"\x89PNG", b"BM", b"GIF8", *_TIFF_HEADS)) or head[8:12] == b"WEBP":
        return f"is damaged or cut short; {NEEDED}"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "is a HEIC picture; install the Python package pillow-heif to read it, or save it as JPEG or PNG"
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS:
        return "is an AVIF picture, which needs Pillow 11.3 or newer; install that, or save it as JPEG or PNG"
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return f"is a JPEG XL picture; {NEEDED}"
    known = {b"<svg": "vector (SVG)", b"%PDF": "PDF", b"PK\x03\x04": "ZIP", b"%!PS": "PostScript", b"8BPS": "Photoshop"}
    kind = "video" if head[4:8] == b"ftyp" else known.get(head[:4])
    return f"is a {kind} file; {NEEDED}" if kind else f"is not a picture this program reads; {NEEDED}"


def _formats() -> list[str]:
    """What this Pillow reads of READABLE, in that order."""
    for name in _PLUGINS:
        with suppress(ImportError):  # older ones know no AVIF
            importlib.import_module(f"PIL.{name}ImagePlugin")
    return [kind for kind in READABLE if kind in Image.OPEN]


def _offer_heic() -> None:
    """Let Pillow read HEIC where the package that can is installed."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return


@contextmanager
def quiet(wanted: bool) -> Iterator[None]:
    """Standard error closed to libraries that write to it by themselves, as libtiff does."""
    try:
        kept = os.dup(2) if wanted else -1
    except OSError:  # there is none
        kept = -1
    if kept < 0:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
