"""Faces that a page may ask to see with other slider values, between two runs.

A run leaves its face here; the page's `web/js/live.js` then asks for it with the values that its sliders have now, and
gets a small picture. Nothing of it goes into a result: that is what a run is for.
"""

from __future__ import annotations

import io
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from weakref import ref

from PIL import Image
from torch import Tensor

from ..emogan_core import Edit, EmoganError, FacePreview

Value: TypeAlias = bool | int | float | str

MOST_FACES = 4
MOST_BYTES = 16_384  # of a request
MOST_SIGNS = 2_000  # of one text in it
JPEG_QUALITY = 90


class RequestError(EmoganError):
    """A request that is not answered, with the HTTP status that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, eq=False)
class LiveFace:
    """The face that a node edited last.

    Convention: `node` is the host's name of the node, `made_of` the tensors that the preview was made of, not kept alive;
    `values` are those of the node's inputs that a page may change; `edit` makes an Edit of all of them.
    """

    node: str
    made_of: tuple[ref[Tensor], ...]
    preview: FacePreview
    values: Mapping[str, Value]
    edit: Callable[[Mapping[str, Value]], Edit]


class LiveFaces:
    """The faces edited last, by a name that cannot be guessed; those asked for least recently are forgotten first."""

    def __init__(self, most: int = MOST_FACES) -> None:
        self._most = most
        self._faces: OrderedDict[str, LiveFace] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._faces)

    def preview_for(self, node: str, made_of: Sequence[Tensor]) -> FacePreview | None:
        """The preview that a node's last run made of these very tensors, so that it is made once and not for every run."""
        with self._lock:
            found = self._name_for(node, made_of)
            return None if found is None else self._faces[found].preview

    def keep(self, face: LiveFace) -> str:
        """Remember a face, in the place of the one that the node made of the same tensors; returns its name."""
        with self._lock:
            name = self._name_for(face.node, [one() for one in face.made_of]) or secrets.token_hex(8)
            self._faces[name] = face
            self._faces.move_to_end(name)
            while len(self._faces) > self._most:
                self._faces.popitem(last=False)
        return name

    def _name_for(self, node: str, made_of: Sequence[Tensor | None]) -> str | None:
        for name, face in self._faces.items():
            if face.node == node and all(mine() is one for mine, one in zip(face.made_of, made_of, strict=True)):
                return name
        return None

    def named(self, name: str) -> LiveFace:
        """The face of that name.

        Raises: RequestError when there is none any more.
        """
        with self._lock:
            if name not in self._faces:
                raise RequestError(404, "this face is not remembered any more; run the workflow once")
            self._faces.move_to_end(name)
            return self._faces[name]


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What a page asks: a face by its name, with some of its values changed."""

    name: str
    values: Mapping[str, Value]


def request_of(body: bytes) -> PreviewRequest:
    """What a page asks in JSON: {"face": name, "values": {input: number, text, true or false}}.

    Raises: RequestError for anything else.
    """
    if len(body) > MOST_BYTES:
        raise RequestError(413, f"{len(body)} bytes came; a request has at most {MOST_BYTES}")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "what came is no JSON; needed an object with 'face' and 'values'") from None
    name, values = (said.get("face"), said.get("values")) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(values, dict):
        raise RequestError(400, "needed an object with 'face', a text, and 'values', an object")
    for key, value in values.items():
        if not isinstance(value, Value) or (isinstance(value, str) and len(value) > MOST_SIGNS):
            raise RequestError(400, f"'{key[:40]}' is no number, no short text and neither true nor false")
    return PreviewRequest(name, values)


def picture_of(face: LiveFace, changed: Mapping[str, Value]) -> bytes:
    """A JPEG of a face with some of its values changed.

    Raises: RequestError for a value that the node has no input for, or of another kind; EmoganError for what the core refuses.
    """
    for name, value in changed.items():
        if name not in face.values:
            raise RequestError(400, f"the node has no value '{name[:40]}' to change")
        if _kind(value) is not _kind(face.values[name]):
            raise RequestError(400, f"'{name}' is {value!r:.40}, which is not what that input takes")
    pixels = face.preview.with_edit(face.edit({**face.values, **changed}))
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return written.getvalue()


def _kind(value: Value) -> type:
    return float if type(value) is int else type(value)
