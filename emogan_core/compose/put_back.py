"""Bringing an edit back into the photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..devices import gradients_off, ordinary
from ..errors import EmoganError, FaceError, ShapeError
from ..face_model import FaceFit, load_face_model
from ..faces import Crop
from ..images import Photo
from ..inversion import Edit, Inversion
from ..latents import Latent, expect_same_space
from ..networks.build import Generator
from ..networks.memory import need_to_draw, need_to_encode
from ..networks.sampling import drawn_in_groups
from ..networks.tuned import tuned_bytes, with_delta
from ..wording import counted
from .glasses import KEPT_TOLD
from .move import mesh_shading, move_face
from .moved_code import code_of_moved
from .paste import with_generator_detail
from .redrawing import Redrawing, redrawing_of
from .scene import remembered_scene
from .visible import hidden_parts, notices_of, seen_coefficients

MODES = ("motion", "paste")
"""The ways of `put_back`: the photo's own pixels moved, or these and what the generator newly shows."""

DRAWN_BYTES = 1 << 30
NO_FACE_DRAWN = (
    "the generator drew no face that can be read here, so the picture is as it was; 'redrawn' shows the edit"
)
UNALIGNED = "the redrawn face cannot be aligned with the photo's, so nothing of it was added"


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """An edited photo.

    Convention: `mask` float32 [h, w] in 0..1, exactly 0 where pixels are untouched; `redrawn` [1, 3, r, r] in about
    [-1, 1] on the CPU is the generator's own picture after the edit, [0, 3, r, r] where it was spared; `report` says which coefficients the edit asked
    for ("coefficients", by name, those that are not 0), how far it moved the face's landmarks ("moved_cm", mean and
    most), and in sentences what was left alone, stopped short or may not look right ("notices").
    """

    photo: Photo
    mask: NDArray[np.float32]
    redrawn: Tensor
    report: Mapping[str, object]


def put_back(
    generator: Generator,
    photo: Photo,
    inversion: Inversion,
    edited: Edit | Latent,
    *,
    mode: str = "motion",
    draft: bool = False,
    redraw: bool = True,
) -> Composite:
    """The photo with one face's edit in it, at the photo's own resolution.

    Mode "motion": the photo's own pixels follow the face model from its coefficients before to those after; the inside
    of the mouth, uncovered eyes and shading are drawn. A latent that was changed elsewhere gets its coefficients by
    reading the redrawn face before and after. Mode "paste": the same, and what the generator's picture shows beyond it
    (shadows, folds, the inside of a mouth that opens) is added, as fine as the generator draws. Pixels outside the mask,
    and all of them when nothing changed, are those of `photo`; alpha is never touched. `draft` moves at half the
    fineness, for sliders; `redraw` off spares the generator where its picture is not needed. In a drawn picture that shows no face, mode "paste" changes nothing but `redrawn`.
    The generator redraws what its encoder reads of the moved photo beyond the photo; the edit's latent where it has no
    encoder, where the edit has no coefficients, and where axes fitted on examples moved the latent, to which what it reads of the
    rest is added, or somebody else.
    Raises: EmoganError for an unknown mode, a face that does not lie in this photo, or a paste of an edit that the
    generator has no part in; ShapeError when inversion or edit hold several faces or differ in shape, or for
    coefficients of another face model; SpaceMismatch for a latent of another generator.
    """
    edit = edited if isinstance(edited, Edit) else Edit(edited)
    crop = _checked(generator, photo, inversion, edit, mode)
    if mode == "paste" and generator.encoder is None:
        _expect_drawn(generator, inversion, edit)
    tuned = with_delta(generator, inversion.delta)
    with gradients_off():
        ws = ordinary(inversion.latent.ws).to(generator.device)
        target = ordinary(edit.latent.ws).to(generator.device)
        if inversion.faces is None:
            empty = np.zeros(photo.pixels.shape[:2], dtype=np.float32)
            told: dict[str, object] = {"coefficients": {}, "moved_cm": (0.0, 0.0), "notices": (NO_FACE_DRAWN,)}
            return Composite(photo, empty, drawn(tuned, target), told)
        fit, model = inversion.faces[0], load_face_model()
        redrawing: Redrawing | None = None
        if edit.coefficients is None:
            redrawn = drawn(tuned, target)
            redrawing = None if torch.equal(ws, target) else redrawing_of(drawn(tuned, ws), redrawn)
            after = fit.coefficients if redrawing is None else (fit.coefficients + redrawing.change).clip(0.0, 1.0)
        else:
            redrawn = target.new_empty(0, 3, generator.spec.resolution, generator.spec.resolution, device="cpu")
            after = edit.coefficients[0]
        shading = mesh_shading(model, edit)
        rims = remembered_scene(photo, model, fit).rims
        hidden = hidden_parts(photo.pixels, fit, rims)
        reached, notices = seen_coefficients(hidden, model, fit, after)
        pixels, mask = move_face(photo, model, fit, reached, shading=shading, draft=draft)
        if edit.coefficients is not None and (redraw or mode == "paste"):
            learned = _learned(edit)
            if learned is not None and not np.allclose(learned, fit.coefficients):
                own, _ = seen_coefficients(hidden, model, fit, learned)
                alone, _ = move_face(photo, model, fit, own, shading=shading)
            else:
                alone = photo.pixels
            target = code_of_moved(generator, photo, pixels, crop, ws, edit, learned=None if learned is None else alone)
            redrawn = drawn(tuned, target)
        if mode == "paste" and not notices and not torch.equal(ws, target):
            try:
                redrawing = redrawing or redrawing_of(drawn(tuned, ws), redrawn)
                pixels, mask = with_generator_detail(
                    photo, pixels, mask, model, fit, reached, crop, redrawing, shading=shading
                )
            except FaceError:
                notices = (UNALIGNED,)
        if rims is not None and rims.lie_on(mask):
            notices += (KEPT_TOLD,)
        notices += edit.notices[0] if edit.notices else ()
        return Composite(replace(photo, pixels=pixels), mask, redrawn, _report(fit, reached, notices))


def _learned(edit: Edit) -> NDArray[np.float64] | None:
    """The coefficients [k] that axes fitted on examples come to, where the face model moves something beside them, else None."""
    if edit.coefficients is None or edit.designed_change is None or not edit.designed_change.any():
        return None
    return np.asarray(edit.coefficients[0] - edit.designed_change[0])


def drawn(generator: Generator, codes: Tensor) -> Tensor:
    """Pictures of codes on the CPU, a few at a time so that large generators fit into memory."""
    return torch.cat(list(drawn_in_groups(generator, codes, most=DRAWN_BYTES))).float().cpu()


def need_to_put_back(generator: Generator, *, device: str | None = None) -> int:
    """The memory that drawing an edit takes, in bytes, beside the weights, on a kind of device, usually the generator's."""
    device = device or generator.device.type
    drawing = need_to_draw(generator.spec, device=device).peak(2, most=DRAWN_BYTES)
    return max(
        drawing + tuned_bytes(generator), need_to_encode(generator, device=device).of(2)
    )  # of a face with a delta


def _expect_drawn(generator: Generator, inversion: Inversion, edit: Edit) -> None:
    """Refuse an edit that a generator without an encoder has no part in.

    Raises: EmoganError.
    """
    faces = inversion.faces
    if edit.coefficients is None or faces is None or np.array_equal(edit.coefficients[0], faces[0].coefficients):
        return
    if torch.equal(ordinary(inversion.latent.ws), ordinary(edit.latent.ws)):
        raise EmoganError(
            f"this edit moves the face model only, and the generator '{generator.spec.name}' has no encoder to read it "
            "with, so it draws nothing new to paste; use mode motion, or a generator with an encoder"
        )


def _report(fit: FaceFit, after: NDArray[np.float64], notices: tuple[str, ...]) -> dict[str, object]:
    model = load_face_model()
    at = model.landmark_vertex
    moved = np.linalg.norm(np.tensordot(after - fit.coefficients, model.expressions[:, at], 1), axis=1)
    named = {
        name: round(float(value), 3) for name, value in zip(model.names, after, strict=True) if abs(value) >= 0.005
    }
    far = (round(float(moved.mean()), 3), round(float(moved.max()), 3))
    own_left = model.neutral[at, 0] > 0
    lopsided = abs(float(moved[own_left].mean() - moved[~own_left].mean()))
    told = notices_of(fit, after, far[0], lopsided_cm=lopsided)
    return {"coefficients": named, "moved_cm": far, "notices": notices + told}


def _checked(generator: Generator, photo: Photo, inversion: Inversion, edit: Edit, mode: str) -> Crop:
    """The crop of a request that makes sense."""
    if mode not in MODES:
        raise EmoganError(f"the mode '{mode}' is not known; use {' or '.join(MODES)}")
    if len(inversion.latent) != 1 or len(edit) != 1:
        raise ShapeError(
            f"an inversion of {counted(len(inversion.latent), 'face')} and an edit of {len(edit)} came; "
            "put_back takes one of each, pick one with inversion[i] and edit[i]"
        )
    expect_same_space("the inversion", inversion.latent.fingerprint, "the generator", generator.fingerprint)
    expect_same_space("the edited latent", edit.latent.fingerprint, "the generator", generator.fingerprint)
    if edit.latent.ws.shape != inversion.latent.ws.shape:
        raise ShapeError(
            f"an edited latent {tuple(edit.latent.ws.shape)} came for an inversion {tuple(inversion.latent.ws.shape)}; "
            "edit the inversion's own latent"
        )
    if inversion.crops is None or (inversion.faces is None and mode != "paste"):
        raise EmoganError("an inversion of pictures that were already cut came; invert the photo itself to put it back")
    _check_coefficients(edit)
    _check_place(photo, inversion.crops[0])
    return inversion.crops[0]


def _check_coefficients(edit: Edit) -> None:
    model = load_face_model()
    for name, values, count in (
        ("coefficients", edit.coefficients, len(model.names)),
        ("shading", edit.shading, model.face_vertices),
    ):
        if values is not None and (values.shape != (1, count) or not np.isfinite(values).all()):
            raise ShapeError(
                f"an edit's {name} came as {values.shape}, or not finite; this face model needs (1, {count}) finite "
                "numbers, as apply_expressions and copy_expression give them"
            )


def _check_place(photo: Photo, crop: Crop) -> None:
    """Raises: EmoganError when the face lies outside of the photo."""
    height, width = photo.pixels.shape[:2]
    low, high = crop.quad.min(0), crop.quad.max(0)
    if low[0] >= width or low[1] >= height or high[0] <= 0 or high[1] <= 0:
        raise EmoganError(
            f"the face lies outside of this photo of {width} x {height} pixels; give the photo it was found in"
        )
