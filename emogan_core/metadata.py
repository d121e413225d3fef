"""What a picture file says beside its pixels, and which of it is handed on to an edited picture."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageCms

MAX_EXIF_BYTES = 60_000  # what one segment of a JPEG holds, with some room
MAX_CHUNKS = 200_000  # of a PNG: 100 megapixels of 16 bits in chunks of 8 kB have 75,000
MAX_PROFILE_BYTES = 4 << 20
MAX_XMP_BYTES = 1 << 20
MAX_STATEMENT = 1_000
_EXIF_IFD = 0x8769
_DESCRIPTIVE = (  # EXIF: description, maker, model, software, date, artist, copyright, Windows' own texts, rating
    *(0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298),
    *range(0x9C9B, 0x9CA0),
    0x4746,
)
_NOT_HANDED_ON = (  # maker's note, pointer, size, where in the stored picture the subject is
    *(0x927C, 0xA005, 0xA002, 0xA003, 0x9214, 0xA214),
)
_TEXTS = ("dc:rights", "dc:creator", "xmpRights:UsageTerms")  # lists in XMP
_WORDS = ("xmpRights:Marked", "xmpRights:WebStatement", "photoshop:Credit")
_PNG_XMP_KEY = "XML:com.adobe.xmp"
_TIFF_XMP_TAG = 700
JPEG_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is handed on from a photo to its edited copy.

    Convention: `exif` is a block as Pillow writes and reads it, without orientation, place, thumbnail and maker's note;
    `icc_profile` says what the RGB numbers mean (sRGB where it is empty); `rights` are statements of the XMP about
    copyright, by name ("dc:rights").
    """

    exif: bytes = b""
    icc_profile: bytes = b""
    rights: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def metadata_of(image: Image.Image) -> Metadata:
    """What an opened picture hands on; what is damaged or too long is left out."""
    return Metadata(
        exif=_exif_of(image), icc_profile=rgb_profile(image.info.get("icc_profile")), rights=rights_in(xmp_of(image))
    )


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) where there is none or where it cannot be read."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # EXIF is optional; a broken block must not cost the picture
        return 1


def orientation_told(path: Path, image: Image.Image) -> int:
    """The same of a picture whose pixels are not decoded, which Pillow would do for PNG."""
    if image.format != "PNG":
        return orientation_of(image)
    try:
        block = Image.Image.getexif(image)
        if not len(block):
            block.load(_late_exif(path))
        return int(block.get(0x0112, 1))
    except Exception:  # EXIF is optional; a broken block must not cost the picture
        return 1


def _late_exif(path: Path) -> bytes:
    """The EXIF of a PNG that holds it behind its pixels, else nothing."""
    with path.open("rb") as file:
        file.seek(8)
        for _ in range(MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            length = int.from_bytes(head[:4], "big")
            if head[4:] == b"eXIf":
                return file.read(min(length, MAX_EXIF_BYTES))
            file.seek(length + 4, io.SEEK_CUR)
    return b""


def xmp_of(image: Image.Image) -> str:
    """The XMP of an opened picture, empty where it has none; a stranger's XML is never parsed."""
    found: object = image.info.get("xmp") or image.info.get(_PNG_XMP_KEY)
    if found is None and hasattr(image, "tag_v2"):
        found = image.tag_v2.get(_TIFF_XMP_TAG)
    if found is None:
        segments = (data for marker, data in getattr(image, "applist", ()) if marker == "APP1")
        found = next((data for data in segments if data.startswith(JPEG_XMP_HEAD)), b"")
    if isinstance(found, bytes):
        return found[:MAX_XMP_BYTES].decode("utf-8", "replace")
    return str(found)[:MAX_XMP_BYTES]


def rights_as_xmp(rights: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """(attributes, elements) of an rdf:Description that say the same, in ASCII."""
    attributes = "".join(f' {name}="{_escaped(rights[name][0])}"' for name in _WORDS if name in rights)
    elements = ""
    for name in (name for name in _TEXTS if name in rights):
        kind, language = ("Seq", "") if name == "dc:creator" else ("Alt", ' xml:lang="x-default"')
        items = "".join(f"<rdf:li{language}>{_escaped(text)}</rdf:li>" for text in rights[name])
        elements += f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"
    return attributes, elements


def _escaped(text: str) -> str:
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def exif_of_tiff(file: BinaryIO) -> bytes:
    """The same of a TIFF that Pillow does not open: its directory is EXIF's, whatever its pixels are."""
    try:
        found = Image.Exif()
        found.load_from_fp(file)
        return _kept(found)
    except Exception:  # as above
        return b""


def _exif_of(image: Image.Image) -> bytes:
    try:
        return _kept(image.getexif())
    except Exception:  # EXIF is optional, and a damaged block can trip any line of its reader
        return b""


def _kept(found: Image.Exif) -> bytes:
    """What is handed on of a block, as a block."""
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in found:
            kept[tag] = found[tag]
    camera = {tag: value for tag, value in found.get_ifd(_EXIF_IFD).items() if tag not in _NOT_HANDED_ON}
    if camera:
        kept.get_ifd(_EXIF_IFD).update(camera)
    block = kept.tobytes() if len(kept) or camera else b""
    return block if len(block) <= MAX_EXIF_BYTES else b""


def rgb_profile(profile: object) -> bytes:
    """A profile that says what RGB numbers mean; empty for others: grays and inks are converted, broken ones ignored."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= MAX_PROFILE_BYTES:
        return b""
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError):
        return b""  # the numbers are all there is
    return profile if space.strip() == "RGB" else b""


def rights_in(xmp: str) -> dict[str, tuple[str, ...]]:
    """What is said about copyright, found by its usual names."""
    xmp = xmp.replace("xapRights:", "xmpRights:")  # as older programs call it
    found: dict[str, tuple[str, ...]] = {}
    for name in _TEXTS:
        # up to the next start of the same: else a text of nothing but starts costs the square of their number
        body = re.search(rf"<{name}>((?:(?!<{name}>).){{0,20000}}?)</{name}>", xmp, flags=re.DOTALL)
        if body:
            found[name] = _statements(re.findall(r"<rdf:li[^<>]*>([^<]*)</rdf:li>", body.group(1)))
    for name in _WORDS:
        word = re.search(rf'{name}="([^"<>]*)"', xmp) or re.search(rf"<{name}>([^<]*)</{name}>", xmp)
        if word:
            found[name] = _statements([word.group(1)])
    return {name: statements for name, statements in found.items() if statements}


def _statements(texts: list[str]) -> tuple[str, ...]:
    told = (" ".join(html.unescape(text).split())[:MAX_STATEMENT] for text in texts[:8])
    return tuple(text for text in told if text)
