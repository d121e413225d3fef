"""Edits as steps: a part of the way to one, and one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import torch

from ..devices import gradients_off
from ..errors import ShapeError
from ..inversion import Edit, Inversion
from .reach import DRAWN_ONLY


def share_of_edit(inversion: Inversion, edit: Edit, share: float) -> Edit:
    """A part of the way from faces as they are to an edit of them: 0 is as they are, 1 the edit, above 1 beyond it.

    Convention: coefficients end in -1..1, whatever the share.
    Raises: ShapeError when the edit is of another inversion.
    """
    before, faces = inversion.latent, inversion.faces
    if edit.latent.ws.shape != before.ws.shape:
        raise ShapeError(
            f"an edit of codes {tuple(edit.latent.ws.shape)} came for an inversion of {tuple(before.ws.shape)}; give an "
            "edit of this inversion"
        )
    with gradients_off():
        ws = before.ws + share * (edit.latent.ws - before.ws) if share else before.ws
        step = None if edit.step is None else share * edit.step
    latent = replace(before, ws=ws)
    if faces is None or edit.coefficients is None:
        return Edit(latent)
    own = np.stack([face.coefficients for face in faces])
    coefficients = own + (share * (edit.coefficients - own)).clip(-1 - own, 1 - own) if share else own
    shading, designed_change = (None if one is None else share * one for one in (edit.shading, edit.designed_change))
    return Edit(latent, coefficients, shading, step, designed_change, edit.notices)


def inversion_after(inversion: Inversion, edit: Edit) -> Inversion:
    """The inversion of faces as they are after an edit, for the next one; its pictures stay those before."""
    if inversion.faces is None or edit.coefficients is None:
        return replace(inversion, latent=edit.latent)
    pairs = zip(inversion.faces, edit.coefficients, strict=True)
    return replace(inversion, latent=edit.latent, faces=tuple(replace(face, coefficients=own) for face, own in pairs))


def join_edits(edits: Sequence[Edit]) -> Edit:
    """What edits come to of which each was made `inversion_after` the one before.

    Convention: the latent is the last one's, the coefficients those of the last that has some; shading, step, designed_change and
    notices are those of all. Where some have no coefficients, the photo shows nothing of these, and a notice says so.
    """
    shadings = [edit.shading for edit in edits if edit.shading is not None]
    steps = [edit.step for edit in edits if edit.step is not None]
    with gradients_off():
        step = torch.stack(steps).sum(0) if steps else None
    designed_change = [edit.designed_change for edit in edits if edit.coefficients is not None]
    known = [one for one in designed_change if one is not None]
    moving = [edit.coefficients for edit in edits if edit.coefficients is not None]
    told = [edit.notices for edit in edits if edit.notices]
    if 0 < len(moving) < len(edits):
        told.append(((DRAWN_ONLY,),) * len(edits[-1]))
    return replace(
        edits[-1],
        coefficients=moving[-1] if moving else None,
        shading=np.sum(shadings, axis=0) if shadings else None,
        step=step,
        designed_change=np.sum(known, axis=0) if known and len(known) == len(designed_change) else None,
        notices=tuple(tuple(dict.fromkeys(chain(*of_face))) for of_face in zip(*told, strict=True)),
    )
