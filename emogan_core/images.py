"""Pictures in and out of files: upright, 8-bit sRGB, from a short list of formats and under a cap on pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from .errors import OutputError, PhotoError, ShapeError
from .files import refuse_overwrite, write_whole
from .records import read_embedded, save_options

MAX_PIXELS = 100_000_000
"""Pictures of more are refused before they are decoded."""

READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_FORMAT_BY_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_MAX_SIDE = {"PNG": 1 << 30, "JPEG": 65_500, "WEBP": 16_383, "TIFF": 1 << 30}
_TURN = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_NEEDED = "needed a JPEG, PNG, WebP, TIFF or BMP picture"


@dataclass(frozen=True, slots=True)
class Photo:
    """One upright picture.

    Convention: pixels uint8 [h, w, 3], sRGB; alpha uint8 [h, w], or None when the file had none.
    Raises: ShapeError.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ShapeError(f"a photo came as {self.pixels.dtype} {shape}; needed uint8 [h, w, 3], not empty")
        if self.alpha is not None and (self.alpha.dtype != np.uint8 or self.alpha.shape != shape[:2]):
            raise ShapeError(f"alpha came as {self.alpha.dtype} {self.alpha.shape}; needed uint8 {shape[:2]}")


def open_photo(path: Path | str) -> Photo:
    """The first picture in a file, turned upright by its EXIF orientation and converted to sRGB by its ICC profile.

    Raises: PhotoError when the file is missing, empty, of another kind, damaged, or larger than MAX_PIXELS.
    """
    path = Path(path)
    with _opened(path) as image:
        try:
            image.load()
            return _upright_srgb(image)
        except PhotoError:
            raise
        except MemoryError as error:
            raise PhotoError(
                f"{path.name} has {image.width} x {image.height} pixels, more than fit into memory; make it smaller"
            ) from error
        except Exception as error:  # a damaged file can trip any line of a decoder
            raise PhotoError(f"{path.name} is damaged or cut short: {_why(error)}; get the file again") from error


def read_record(path: Path) -> dict[str, object] | None:
    """The record of the edit that a picture saved by `save_photo` carries, or None.

    Raises: PhotoError as `open_photo` does for files that are not pictures.
    """
    with _opened(path) as image:
        return read_embedded(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture file whose header was checked and whose pixels are not yet decoded; Pillow's warnings are kept quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _open_header(path) as image:
            yield image


def _open_header(path: Path) -> Image.Image:
    """Pillow's lazy image of an allowed format, its size checked before anything is decoded."""
    head = _first_bytes(path)
    limit = f"the limit is {MAX_PIXELS // 10**6} megapixels, make it smaller first"
    try:
        image = Image.open(path, formats=READABLE)
    except UnidentifiedImageError as error:
        raise PhotoError(f"{path.name} {_what_came(head)}; {_NEEDED}") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{path.name} has far too many pixels; {limit}") from error
    except Exception as error:  # a damaged header can trip any line of a parser
        raise PhotoError(f"{path.name} is damaged or cut short: {_why(error)}; get the file again") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise PhotoError(f"{path.name} has {image.width} x {image.height} pixels; {limit}")
    return image


def _first_bytes(path: Path) -> bytes:
    """The start of an ordinary file that is not empty."""
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a folder; give one picture file")
        if path.exists() and not path.is_file():
            raise PhotoError(f"{path} is a device or pipe; give a picture file")
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise PhotoError(f"cannot read {path}: {_why(error)}; check the path") from error
    if not head:
        raise PhotoError(f"{path.name} is empty (0 bytes); {_NEEDED}")
    return head


def _why(error: Exception) -> str:
    """The reason inside a foreign error, on one line."""
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())


def _what_came(head: bytes) -> str:
    """What a file of no readable format is, told from its first bytes."""
    if head.startswith((b"\xff\xd8", b"\x89PNG", b"II*\0", b"MM\0*", b"BM")) or head[8:12] == b"WEBP":
        return "is damaged or cut short"
    known = {b"GIF8": "GIF", b"%PDF": "PDF", b"PK\x03\x04": "ZIP", b"%!PS": "PostScript", b"8BPS": "Photoshop"}
    kind = known.get(head[:4])
    if head[4:8] == b"ftyp":
        kind = "HEIC or AVIF" if head[8:11] in (b"hei", b"mif", b"avi", b"hev", b"msf") else "video"
    return f"is a {kind} file" if kind else "is not a picture this program reads"


def _upright_srgb(image: Image.Image) -> Photo:
    """A loaded image of any mode as a Photo."""
    alpha = None
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
    turn = _TURN.get(_orientation(image))
    colour = _srgb(_eight_bit(image))
    if turn is not None:
        colour = colour.transpose(turn)
        alpha = alpha.transpose(turn) if alpha else None
    return Photo(np.array(colour), None if alpha is None else np.array(alpha))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) where there is none or where it cannot be read."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # EXIF is optional; a broken block must not cost the picture
        return 1


def _eight_bit(image: Image.Image) -> Image.Image:
    """Without alpha and palette, 8 bits a channel: L, RGB or CMYK, with the ICC profile still in `info`."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise PhotoError(
                f"a picture came with gray values from {values.min()} to {values.max()}; needed 8 or 16 bits a "
                "channel, save it so"
            )
        gray = Image.fromarray(((values * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8))
        gray.info = dict(image.info)
        return gray
    if image.mode == "F":
        raise PhotoError("a picture came with floating-point pixels; needed 8 or 16 bits a channel, save it so")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    return image.convert("RGBA").convert("RGB")  # through RGBA: palettes and premultiplied alpha come out right


def _srgb(image: Image.Image) -> Image.Image:
    """RGB pixels in sRGB; an embedded profile that is sRGB already, or cannot be used, changes nothing."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
                return converted if converted is not None else image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError):
            pass  # a broken profile: the numbers are all there is
    return image.convert("RGB")


def check_photo_target(path: Path, *, has_alpha: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Check before long work that a picture can be saved at `path`.

    Raises: OutputError for an unknown suffix, transparency that the format cannot hold, or an unusable place.
    """
    if path.suffix.lower() not in _FORMAT_BY_SUFFIX:
        came = f"the suffix '{path.suffix}'" if path.suffix else "no suffix"
        raise OutputError(f"the output {path.name} has {came}; use .png, .jpg, .webp or .tif")
    if has_alpha and _FORMAT_BY_SUFFIX[path.suffix.lower()] == "JPEG":
        raise OutputError(
            f"the photo has transparency, which JPEG ({path.name}) cannot hold; save as .png, .webp or .tif"
        )
    refuse_overwrite(path, inputs)


def save_photo(
    path: Path, photo: Photo, *, record: Mapping[str, object] | None = None, inputs: Iterable[Path] = ()
) -> None:
    """Save by suffix, whole or not at all: PNG, WebP and TIFF lossless, JPEG at quality 95.

    Nothing of the source file's metadata is written; `record` (see `records.edit_record`) is all the file says.
    Raises: OutputError as `check_photo_target`; also when the format cannot hold so large a picture.
    """
    transparent = photo.alpha is not None and bool((photo.alpha < 255).any())
    inputs = tuple(inputs)
    check_photo_target(path, has_alpha=transparent, inputs=inputs)
    kind = _FORMAT_BY_SUFFIX[path.suffix.lower()]
    height, width = photo.pixels.shape[:2]
    if max(height, width) > _MAX_SIDE[kind]:
        raise OutputError(
            f"the picture is {width} x {height}, but {kind} holds at most {_MAX_SIDE[kind]} a side; save as .png"
        )
    image = Image.fromarray(photo.pixels)
    if photo.alpha is not None and kind != "JPEG":
        image.putalpha(Image.fromarray(photo.alpha))
    options = save_options(kind, record)
    write_whole(path, lambda temporary: image.save(temporary, format=kind, **options), inputs=inputs)


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
