"""Provenance of saved pictures: metadata that says that and how a picture was edited, with which generator and axes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .metadata import JPEG_XMP_HEAD, Metadata, rights_as_xmp, xmp_of
from .workflow_records import record_of_workflow

PNG_KEY = "emotiongan.edit"
MAX_RECORD_BYTES = 32_768
MOST_EARLIER = 8
_PNG_XMP_KEY = "XML:com.adobe.xmp"
_TIFF_XMP_TAG = 700
# IPTC's word for a photo into which a generative model drew something
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
}
_XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:emotiongan="urn:emotiongan:1" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"{attributes}>{elements}</rdf:Description></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)


def edit_record(
    intensities: Mapping[str, float], *, generator: str, axes: str | None, mode: str | None = None
) -> dict[str, object]:
    """The metadata of a saved picture; it takes nothing that could name a source, a place or a person.

    Convention: `generator` and `axes` are fingerprints; `mode` is how the edit was put back, None for a generated face.

    >>> edit_record({"happiness": 1.0}, generator="ab12", axes=None, mode="motion")
    {'program': 'EmotionGAN', 'edited': True, 'expressions': {'happiness': 1.0}, 'generator': 'ab12', 'mode': 'motion'}
    """
    record: dict[str, object] = {"program": "EmotionGAN", "edited": True, "expressions": dict(intensities)}
    record["generator"] = generator
    if axes is not None:
        record["axes"] = axes
    if mode is not None:
        record["mode"] = mode
    return record


def with_earlier(record: Mapping[str, object], earlier: Mapping[str, object] | None) -> dict[str, object]:
    """The record of an edit of a picture that carried one already: under `earlier` are the last MOST_EARLIER, oldest first.

    >>> with_earlier({"expressions": {"fear": 1.0}}, {"expressions": {"happiness": 1.0}})
    {'expressions': {'fear': 1.0}, 'earlier': [{'expressions': {'happiness': 1.0}}]}
    """
    if earlier is None:
        return dict(record)
    before = earlier.get("earlier")
    chain = [one for one in before if isinstance(one, dict)] if isinstance(before, list) else []
    chain = [*chain, {name: value for name, value in earlier.items() if name != "earlier"}][-MOST_EARLIER:]
    while chain and len(json.dumps(chain)) > MAX_RECORD_BYTES // 2:
        chain = chain[1:]
    return {**record, "earlier": chain} if chain else dict(record)


def save_options(
    kind: str,
    record: Mapping[str, object] | None,
    metadata: Metadata = Metadata(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """Options, mostly Pillow's, for saving format `kind`, with what is handed on of a photo's metadata, and with the record
    embedded: as XMP, in PNG also as a text chunk.
    """
    options = dict(_OPTIONS.get(kind, {}))
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.icc_profile:
        options["icc_profile"] = metadata.icc_profile
    if record is None and not metadata.rights:
        return options
    text = None if record is None else json.dumps(dict(record), sort_keys=True)  # ASCII
    xmp = _xmp(text, metadata)
    if kind == "PNG":
        info = PngInfo()
        if text is not None:
            info.add_text(PNG_KEY, text)
        info.add_itxt(_PNG_XMP_KEY, xmp.decode("ascii"))
        options["pnginfo"] = info
    elif kind == "JPEG":  # the APP1 segment by hand: Pillow's own `xmp=` is newer than the versions hosts ship
        segment = JPEG_XMP_HEAD + xmp
        options["extra"] = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    elif kind == "WEBP":
        options["xmp"] = xmp
    else:
        options["tiffinfo"] = {_TIFF_XMP_TAG: xmp}
    return options


def _xmp(record: str | None, metadata: Metadata) -> bytes:
    """The record, where there is one, and what the photo said about copyright."""
    attributes, elements = rights_as_xmp(metadata.rights)
    if record is not None:
        edit = f' Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPE}" emotiongan:edit="{html.escape(record)}"'
        attributes = edit + attributes
    return _XMP.format(attributes=attributes, elements=elements).encode("ascii")


def read_embedded(image: Image.Image) -> dict[str, object] | None:
    """The record inside an opened picture, or what ComfyUI's workflow says; None for none, a damaged or oversized one."""
    text = image.info.get(PNG_KEY)
    own = _parsed(text) if isinstance(text, str) else record_in_xmp(xmp_of(image))
    return record_of_workflow(image) if own is None else own


def record_in_xmp(xmp: str) -> dict[str, object] | None:
    """The record in an XMP block, the attribute we wrote found by its name: a stranger's XML is never parsed."""
    found = re.search(r'emotiongan:edit="([^"<>]*)"', xmp[: 4 * MAX_RECORD_BYTES])
    return _parsed(html.unescape(found.group(1))) if found else None


def _parsed(text: str) -> dict[str, object] | None:
    if len(text) > MAX_RECORD_BYTES:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
