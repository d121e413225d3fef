"""Pictures in and out of files: upright, with the depth, profile and descriptions that their files had."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from .decoding import decoded
from .depth import png_of, read_floats_head, tiff_of
from .errors import OutputError, PhotoError, ShapeError
from .files import write_whole
from .metadata import Metadata
from .picture_headers import MAX_PIXELS, frames_in, is_unknown_tiff, opened, photo_facts
from .provenance import read_embedded, record_in_xmp, save_options

__all__ = [
    "MAX_PIXELS",
    "Photo",
    "as_pixels",
    "bits_kept",
    "check_photo_target",
    "check_readable",
    "frames_in",
    "open_photo",
    "photo_facts",
    "photo_from_tensor",
    "read_record",
    "save_photo",
    "tensor_from_photo",
]

_FORMAT_BY_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_MAX_SIDE = {"PNG": 1 << 30, "JPEG": 65_500, "WEBP": 16_383, "TIFF": 1 << 30}
_BITS = {np.dtype(np.uint8): 8, np.dtype(np.float32): 16, np.dtype(np.float64): 32}
_OPAQUE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 0xFFFF, np.dtype(np.float32): 1}
_STEP_16 = 257  # 16-bit numbers to one of 8 bits

Pixels = NDArray[Any]
"""[h, w, 3] in 0..255: uint8, or finer steps of the same numbers where a file had more bits (see `Photo`)."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One upright picture.

    Convention: pixels [h, w, 3] in 0..255: uint8, or with all the depth of the file float32 for 16 bits a channel and
    float64 for floating-point files (which may go beyond 0..255); alpha [h, w] or None, in the file's own type: uint8,
    uint16, or float32 with 1 for opaque. The numbers are sRGB, unless `metadata` has a profile; `notices` say what of
    the file is not there.
    Raises: ShapeError.
    """

    pixels: Pixels
    alpha: NDArray[Any] | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype not in _BITS or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ShapeError(f"a photo came as {self.pixels.dtype} {shape}; needed uint8 [h, w, 3], not empty")
        if self.alpha is not None and (self.alpha.dtype not in _OPAQUE or self.alpha.shape != shape[:2]):
            raise ShapeError(f"alpha came as {self.alpha.dtype} {self.alpha.shape}; needed uint8 {shape[:2]}")

    @property
    def bits(self) -> int:
        """Bits a channel: 8, 16, or 32 for floating-point files."""
        return _BITS[self.pixels.dtype]

    @property
    def is_transparent(self) -> bool:
        """Whether anything can be seen through."""
        return self.alpha is not None and bool((self.alpha < _OPAQUE[self.alpha.dtype]).any())

    def opacity(self, rows: slice = slice(None), columns: slice = slice(None)) -> float:
        """How little can be seen through a part of the picture, on average: 0 where it cannot be seen, 1 opaque or empty."""
        if self.alpha is None or not (part := self.alpha[rows, columns]).size:
            return 1.0
        return float(part.mean(dtype=np.float64)) / _OPAQUE[self.alpha.dtype]

    @property
    def eight_bit(self) -> Photo:
        """The same picture in uint8, itself where it is that already."""
        alpha = self.alpha
        if alpha is not None and alpha.dtype != np.uint8:
            alpha = as_pixels(alpha * (255 / _OPAQUE[alpha.dtype]), np.dtype(np.uint8))
        if self.bits == 8 and alpha is self.alpha:
            return self
        return replace(self, pixels=as_pixels(self.pixels, np.dtype(np.uint8)), alpha=alpha)


def as_pixels(values: NDArray[Any], kind: np.dtype[Any]) -> Pixels:
    """Numbers in 0..255 as pixels of a photo's type: rounded and clipped to uint8, as they are in finer steps."""
    if kind == np.uint8 == values.dtype:
        return np.ascontiguousarray(values)
    if kind == np.uint8:
        rounded = np.round(values)
        return np.asarray(np.clip(rounded, 0, 255, out=rounded).astype(np.uint8))
    return values.astype(kind)


def open_photo(path: Path | str, *, frame: int | None = None) -> Photo:
    """The first picture in a file, turned upright by its EXIF orientation, with all bits of its colours.

    `frame` takes one of several by its number, from 0 to one below `frames_in`.
    RGB numbers stay as they are, with their ICC profile beside them; grays and inks are converted to sRGB.
    Raises: PhotoError when the file is missing, empty, no ordinary one, of another kind, damaged, or too large for
    MAX_PIXELS or for the memory that is free.
    """
    found = decoded(Path(path), frame=frame)
    pixels = found.pixels
    if pixels.dtype == np.uint16:
        pixels = pixels.astype(np.float32) / np.float32(_STEP_16)
    elif pixels.dtype == np.float32:
        pixels = pixels.astype(np.float64) * 255
    return Photo(pixels, found.alpha, found.metadata, found.notices)


def check_readable(path: Path) -> None:
    """Check that a file begins as a picture does, of a size that can be taken; nothing of it is decoded.

    Raises: PhotoError as `open_photo`.
    """
    try:
        with opened(path):
            return
    except PhotoError as error:
        if not is_unknown_tiff(path, error):
            raise


def read_record(path: str | Path) -> dict[str, object] | None:
    """The record of the edit that a picture saved by `save_photo` carries, or None.

    Raises: PhotoError as `open_photo` does for files that are not pictures.
    """
    path = Path(path)
    try:
        with opened(path) as image:
            return read_embedded(image)
    except PhotoError as error:
        head = read_floats_head(path) if is_unknown_tiff(path, error) else None
        if head is None:
            raise
        return record_in_xmp(head.xmp)


def check_photo_target(path: Path, *, photo: Photo | None = None) -> None:
    """Check before long work that the format of a picture file can hold a picture like `photo`, where it is known.

    Raises: OutputError for an unknown suffix, or transparency or a size that the format cannot hold.
    """
    kind = _FORMAT_BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        came = f"the suffix '{path.suffix}'" if path.suffix else "no suffix"
        raise OutputError(f"the output {path.name} has {came}; use .png, .jpg, .webp or .tif")
    if photo is not None:
        if photo.is_transparent and kind == "JPEG":
            raise OutputError(
                f"the photo has transparency, which JPEG ({path.name}) cannot hold; save as .png, .webp or .tif"
            )
        height, width = photo.pixels.shape[:2]
        if max(height, width) > _MAX_SIDE[kind]:
            raise OutputError(
                f"the picture is {width} x {height}, but {kind} holds at most {_MAX_SIDE[kind]} a side; save as .png"
            )


def bits_kept(path: Path, photo: Photo) -> int:
    """Bits a channel that a photo keeps when it is saved at `path`: PNG holds up to 16, TIFF all, others 8."""
    most = {"PNG": 16, "TIFF": 32}.get(_FORMAT_BY_SUFFIX.get(path.suffix.lower(), ""), 8)
    return min(photo.bits, most)


def save_photo(
    path: str | Path, photo: Photo, *, record: Mapping[str, object] | None = None, inputs: Iterable[Path] = ()
) -> None:
    """Save by suffix, whole or not at all: PNG, WebP and TIFF lossless, JPEG at quality 95, as deep as `bits_kept`.

    What the photo's `metadata` holds is written, and `record` (see `provenance.edit_record`); nothing else of its file is.
    Raises: OutputError as `check_photo_target` and `files.write_whole`.
    """
    path = Path(path)
    check_photo_target(path, photo=photo)
    packed = _packed(photo, _FORMAT_BY_SUFFIX[path.suffix.lower()], bits_kept(path, photo), record)
    write_whole(path, lambda temporary: temporary.write_bytes(packed), inputs=inputs)


def _packed(photo: Photo, kind: str, bits: int, record: Mapping[str, object] | None) -> bytes:
    """The bytes of a picture file; in memory, because some encoders hide that a disk is full."""
    options = save_options(kind, record, photo.metadata)
    values = _stored(photo, bits)
    if kind == "TIFF":
        return tiff_of(values, options)
    if bits > 8:
        return png_of(values, options)
    image = Image.fromarray(values)
    if kind == "JPEG":
        image = image.convert("RGB")
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def _stored(photo: Photo, bits: int) -> NDArray[Any]:
    """uint8, uint16, or float32 with white at 1: [h, w, 3 or 4]."""
    if bits == 8:
        plain = photo.eight_bit
        return plain.pixels if plain.alpha is None else np.dstack([plain.pixels, plain.alpha])
    if bits == 16:
        steps = photo.pixels * _STEP_16
        colour, opaque = np.clip(np.round(steps, out=steps), 0, 0xFFFF, out=steps).astype(np.uint16), 0xFFFF
    else:
        colour, opaque = (photo.pixels / 255).astype(np.float32), 1
    if photo.alpha is None:
        return colour
    share = photo.alpha * (opaque / _OPAQUE[photo.alpha.dtype])
    return np.dstack([colour, (np.round(share) if bits == 16 else share).astype(colour.dtype)])


def photo_from_tensor(image: torch.Tensor) -> Photo:
    """The 8-bit picture of a tensor; values beyond the range are clipped.

    Convention: [3, h, w] or [1, 3, h, w] in [-1, 1].
    Raises: ShapeError for another shape, or NaN.
    """
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[0] != 3:
        raise ShapeError(f"an image came with shape {tuple(image.shape)}; needed [3, h, w] or [1, 3, h, w]")
    if not torch.isfinite(image).all():
        raise ShapeError("an image came with NaN or infinite values; needed numbers in [-1, 1]")
    bytes_ = (image.detach().float() + 1).mul(127.5).round().clamp(0, 255).to(torch.uint8)  # [3, h, w]
    return Photo(np.ascontiguousarray(bytes_.permute(1, 2, 0).cpu().numpy()))


def tensor_from_photo(photo: Photo) -> torch.Tensor:
    """[1, 3, h, w] float32 in [-1, 1] on the CPU; alpha is left out. `photo_from_tensor` gives the same bytes back."""
    pixels = torch.tensor(photo.pixels).permute(2, 0, 1).unsqueeze(0)  # [1, 3, h, w]
    return pixels.float().div(127.5).sub(1.0).contiguous()
