"""Picture files to arrays: upright, every bit of them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from .depth import Deep, from_page, is_deep, joined, pages_of_tiff, read_floats, take_other_byte
from .errors import PhotoError
from .metadata import Metadata, exif_of_tiff, metadata_of, orientation_of, rgb_profile, rights_in
from .picture_headers import (
    EIGHT_READ_TOLD,
    GRAYS_TOLD,
    ONE_BIT_TOLD,
    SEVERAL_TOLD,
    expect_size,
    first_of,
    has_alpha,
    is_unknown_tiff,
    open_header,
    opened,
    quiet,
    seek,
    told_of_depth,
    told_of_several,
    why,
)

_TURNED: Mapping[int, Callable[[NDArray[Any]], NDArray[Any]]] = {  # EXIF orientation -> what makes the picture upright
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """One upright picture.

    Convention: pixels uint8 or uint16 [h, w, 3], or float32 with white at 1; alpha [h, w] likewise, or None; what the
    numbers mean is sRGB, or the profile in `metadata`; `notices` say what of the file is not there.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    metadata: Metadata
    notices: tuple[str, ...] = ()


def decoded(path: Path, *, frame: int | None = None) -> Decoded:
    """The first picture in a file, or one of several by its number from 0.

    Raises: PhotoError when the file is missing, empty, no ordinary one, of another kind, damaged, or too large.
    """
    try:
        with opened(path) as image:
            return _loaded(path, image, frame)
    except PhotoError as error:
        if not is_unknown_tiff(path, error):
            raise
        found = _floats(path, frame or 0)
        if found is None and frame:
            return _page_alone(path, frame)
        if found is None:
            raise
        count = pages_of_tiff(path) if frame is None else 1
        return replace(found, notices=(f"{path.name} {SEVERAL_TOLD.format(count)}",)) if count > 1 else found


def _page_alone(path: Path, page: int) -> Decoded:
    """A page of a TIFF whose first one, at least, Pillow does not know.

    Raises: PhotoError.
    """
    with quiet(True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with from_page(path, page) as file, open_header(path, first_of(path), page, file) as image:
            return _loaded(path, image, None, file)


def _loaded(path: Path, image: ImageFile, frame: int | None, file: BinaryIO | None = None) -> Decoded:
    """A picture of an opened file, or the one with which `file` begins.

    Raises: PhotoError.
    """
    try:
        return _decoded(path, image, frame, file)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(
            f"{path.name} has {image.width} x {image.height} pixels, more than fit into memory; make it smaller"
        ) from error
    except Exception as error:  # a damaged file can trip any line of a decoder
        raise PhotoError(f"{path.name} is damaged or cut short: {why(error)}; get the file again") from error


def _decoded(path: Path, image: ImageFile, frame: int | None, file: BinaryIO | None) -> Decoded:
    notices = [] if frame is not None or file is not None else told_of_several(path, image)
    seek(path, image, frame)
    if image.mode == "1":
        notices.append(ONE_BIT_TOLD)
    if deeper := told_of_depth(image):
        notices.append(deeper)
    lower = None
    if is_deep(image):
        with open_header(path, first_of(path), file=file) as again:
            seek(path, again, frame)
            if take_other_byte(again):
                again.load()
                lower = again.copy()
        if lower is None:
            notices.append(EIGHT_READ_TOLD)
    image.load()
    metadata, turn = metadata_of(image), orientation_of(image)  # now: Pillow turns some kinds by itself
    if lower is not None:
        found = Decoded(*_split(joined(image, lower)), metadata)
    elif image.mode[0] in "IF":
        found = _of_grays(path, np.asarray(image), metadata)
        if image.info.get("icc_profile"):
            notices.append(GRAYS_TOLD)
    else:
        found = _of_eight_bits(image, metadata)
    return replace(_upright(found, turn), notices=tuple(f"{path.name} {notice}" for notice in notices))


def _upright(found: Decoded, turn: int) -> Decoded:
    if turn not in _TURNED:
        return found
    turned = _TURNED[turn]
    alpha = None if found.alpha is None else np.ascontiguousarray(turned(found.alpha))
    return replace(found, pixels=np.ascontiguousarray(turned(found.pixels)), alpha=alpha)


def _split(values: Deep) -> tuple[Deep, Deep | None]:
    """Colour [h, w, 3] and alpha [h, w] of values [h, w, 1, 3 or 4]."""
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2), None
    alpha = np.ascontiguousarray(values[..., 3]) if values.shape[2] == 4 else None
    return np.ascontiguousarray(values[..., :3]), alpha


def _of_grays(path: Path, values: NDArray[Any], metadata: Metadata) -> Decoded:
    """A picture of 16-bit or floating grays."""
    if values.dtype.kind == "f":
        return Decoded(*_split(_expect_shares(path, values[..., None].astype(np.float32))), metadata)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise PhotoError(
            f"{path.name} came with gray values from {values.min()} to {values.max()}; needed 8 or 16 bits a channel, "
            "save it so"
        )
    return Decoded(*_split(values[..., None].astype(np.uint16)), metadata)


def _floats(path: Path, frame: int) -> Decoded | None:
    """A TIFF of floating-point colours; None when it is another one."""
    with quiet(True):
        found = read_floats(path, lambda width, height: expect_size(path, width, height, bits=32), page=frame)
    if found is None:
        return None
    head = found.head
    profile = rgb_profile(head.icc_profile)
    with from_page(path, frame) as file:
        exif = exif_of_tiff(file)
    metadata = Metadata(exif=exif, icc_profile=profile, rights=rights_in(head.xmp))
    return _upright(Decoded(*_split(_expect_shares(path, found.values)), metadata), head.orientation)


def _expect_shares(path: Path, values: Deep) -> Deep:
    """Refuse floating-point numbers that are no shares of white.

    Raises: PhotoError.
    """
    beyond = float((values > 1).mean())
    if not np.isfinite(values).all() or beyond > 0.2:
        low, high = float(values.min()), float(values.max())
        raise PhotoError(
            f"{path.name} came with floating-point values from {low:.4g} to {high:.4g}; needed 0 for black to 1 for "
            "white, save it so, or with 16 bits"
        )
    return values


def _of_eight_bits(image: Image.Image, metadata: Metadata) -> Decoded:
    """A loaded image of any mode of 8 bits or less."""
    alpha = None
    if has_alpha(image):
        alpha = np.array(image.convert("RGBA").getchannel("A"))
    colour = image if image.mode in ("L", "RGB", "CMYK", "LAB") else _plain(image)
    if not metadata.icc_profile:
        colour = _srgb(colour, image.info.get("icc_profile"))
    return Decoded(np.array(colour.convert("RGB")), alpha, metadata)


def _plain(image: Image.Image) -> Image.Image:
    """Without alpha and palette; through RGBA, so that premultiplied alpha comes out right."""
    return image.convert("L") if image.mode in ("1", "LA") else image.convert("RGBA").convert("RGB")


def _srgb(image: Image.Image, profile: object) -> Image.Image:
    """Grays and inks in sRGB, where their profile says how."""
    if not isinstance(profile, bytes):
        return image
    try:
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError):
        return image  # a broken profile: the numbers are all there is
