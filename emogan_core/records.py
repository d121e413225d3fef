"""The small note a saved picture carries: that it was edited, how, and with which generator and axes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .workflow_records import record_of_workflow

PNG_KEY = "emotiongan.edit"
MAX_RECORD_BYTES = 32_768
_PNG_XMP_KEY = "XML:com.adobe.xmp"
_TIFF_XMP_TAG = 700
_JPEG_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
# IPTC's word for a photo into which a generative model drew something
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:emotiongan="urn:emotiongan:1" '
    'Iptc4xmpExt:DigitalSourceType="{source_type}" emotiongan:edit="{record}"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


def edit_record(
    intensities: Mapping[str, float], *, generator: str, axes: str | None, mode: str | None = None
) -> dict[str, object]:
    """What a saved picture says about itself; takes nothing that could name a source, a place or a person.

    Convention: `generator` and `axes` are fingerprints; `mode` is how the edit was put back, None for a generated face.
    """
    record: dict[str, object] = {"program": "EmotionGAN", "edited": True, "expressions": dict(intensities)}
    record["generator"] = generator
    if axes is not None:
        record["axes"] = axes
    if mode is not None:
        record["mode"] = mode
    return record


def save_options(kind: str, record: Mapping[str, object] | None) -> dict[str, Any]:
    """Pillow's options for saving format `kind`, with the record embedded: as XMP, in PNG also as a text chunk."""
    options = dict(_OPTIONS[kind])
    if record is None:
        return options
    text = json.dumps(dict(record), sort_keys=True)  # ASCII
    xmp = _XMP.format(source_type=_SOURCE_TYPE, record=html.escape(text)).encode("ascii")
    if kind == "PNG":
        info = PngInfo()
        info.add_text(PNG_KEY, text)
        info.add_itxt(_PNG_XMP_KEY, xmp.decode("ascii"))
        options["pnginfo"] = info
    elif kind == "JPEG":  # the APP1 segment by hand: Pillow's own `xmp=` is newer than the versions hosts ship
        segment = _JPEG_XMP_HEAD + xmp
        options["extra"] = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    elif kind == "WEBP":
        options["xmp"] = xmp
    else:
        options["tiffinfo"] = {_TIFF_XMP_TAG: xmp}
    return options


def read_embedded(image: Image.Image) -> dict[str, object] | None:
    """The record inside an opened picture, or what ComfyUI's workflow says; None for none, a damaged or oversized one."""
    text = image.info.get(PNG_KEY)
    if not isinstance(text, str):
        text = _record_in_xmp(_xmp_of(image))
    if text is None:
        return record_of_workflow(image)
    if len(text) > MAX_RECORD_BYTES:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _xmp_of(image: Image.Image) -> str:
    found: object = image.info.get("xmp") or image.info.get(_PNG_XMP_KEY)
    if found is None and hasattr(image, "tag_v2"):
        found = image.tag_v2.get(_TIFF_XMP_TAG)
    if found is None:
        segments = (data for marker, data in getattr(image, "applist", ()) if marker == "APP1")
        found = next((data for data in segments if data.startswith(_JPEG_XMP_HEAD)), b"")
    return found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)


def _record_in_xmp(xmp: str) -> str | None:
    """The attribute we wrote, found by its name: a stranger's XML is never parsed."""
    found = re.search(r'emotiongan:edit="([^"<>]*)"', xmp[: 4 * MAX_RECORD_BYTES])
    return html.unescape(found.group(1)) if found else None
