"""Live previews in the host: which nodes leave a face for them, and where the page asks."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any
from weakref import ref

from comfy_api.latest import io

from ..emogan_core import (
    Edit,
    EmoganError,
    ExpressionAxes,
    FacePreview,
    Inversion,
    apply_expressions,
    gradients_off,
    load_axes,
)
from . import host
from .live import MOST_BYTES, LiveFace, LiveFaces, RequestError, Value, picture_of, request_of
from .pictures import photos_of
from .putting_back import intensities_of
from .sockets import HeldInversion

ROUTE = "/emotiongan/preview"
MARK = "emotiongan_live"  # under which a node tells the page its face's name

FACES = LiveFaces()
_drawing = threading.Lock()


def previewed(execute: Callable[..., io.NodeOutput]) -> Callable[..., io.NodeOutput]:
    """An `execute` of a node with sliders that leaves its face for the page to ask for."""
    defaults = {
        name: one.default
        for name, one in inspect.signature(execute).parameters.items()
        if isinstance(one.default, Value)
    }

    @wraps(execute)
    def kept(cls: type[io.ComfyNode], **inputs: Any) -> io.NodeOutput:
        done = execute(cls, **inputs)
        told = _kept(defaults | inputs)
        if told is None or done.ui is None:
            return done
        shown = done.ui if isinstance(done.ui, dict) else done.ui.as_dict()
        return io.NodeOutput(*done.args, ui={**shown, MARK: [told]})

    return kept


def _kept(inputs: Mapping[str, Any]) -> dict[str, object] | None:
    """Keep the first face of a run; its name and values for the page, or None where nothing can be previewed."""
    image, held = inputs["image"], inputs["inversion"]
    assert isinstance(held, HeldInversion)
    node, made_of, inversion = host.node_at_work(), (image, held.inversion.latent.ws), _alone(held.inversion)
    picture, axes, expression = held.places.rows[0], inputs.get("axes"), inputs.get("expression")
    try:
        preview = FACES.preview_for(node, made_of) or FacePreview.of(
            photos_of(image[picture : picture + 1])[0], inversion
        )
    except EmoganError:
        return None  # pictures that were already cut
    values = {name: value for name, value in inputs.items() if isinstance(value, Value)}
    face = LiveFace(
        node=node,
        made_of=tuple(ref(one) for one in made_of),
        preview=preview,
        values=values,
        edit=lambda asked: _edit(inversion, load_axes(host.BUILTIN) if axes is None else axes, expression, asked),
    )
    return {"face": FACES.keep(face), "values": values}


def _alone(inversion: Inversion) -> Inversion:
    """The first face without its pictures, so that remembering it keeps no batch in memory."""
    first = inversion[0]
    with gradients_off():
        codes, nothing = first.latent.ws.clone(), first.target.new_empty(0)
    return replace(first, latent=replace(first.latent, ws=codes), target=nothing, reconstruction=nothing)


def _edit(
    inversion: Inversion, axes: ExpressionAxes, expression: Mapping[str, float] | None, asked: Mapping[str, Value]
) -> Edit:
    """What the node's `execute` would do with these values."""
    if asked.get("mode", "motion") != "motion":
        raise RequestError(400, "only mode motion has a live preview; run the workflow to see the other")
    sliders = {name: float(value) for name, value in asked.items() if type(value) in (int, float)}
    wanted = intensities_of(sliders, str(asked["more"]), expression, axes)
    return apply_expressions(
        inversion, axes, wanted, absolute=bool(asked["absolute"]), neutral_first=bool(asked["neutral_first"])
    )


def open_route() -> None:
    """Let the page ask; called once, when the host loads the pack."""
    host.serve(ROUTE, _answer, most_bytes=MOST_BYTES)


async def _answer(body: bytes) -> tuple[int, dict[str, object]]:
    """The picture for one request as a file of the host's temporary folder, or a sentence about why there is none."""
    try:
        return 200, {"images": [await asyncio.to_thread(_drawn, body)]}
    except RequestError as error:
        return error.status, {"error": str(error)}
    except EmoganError as error:
        return 400, {"error": str(error)}


def _drawn(body: bytes) -> dict[str, str]:
    """One picture at a time, and none while a workflow runs.

    Raises: EmoganError.
    """
    request = request_of(body)
    face = FACES.named(request.name)
    if host.is_busy() or not _drawing.acquire(blocking=False):
        raise RequestError(409, "busy; ask again in a moment")
    try:
        return host.shown_for_now(f"emotiongan_{request.name}", picture_of(face, request.values))
    finally:
        _drawing.release()
