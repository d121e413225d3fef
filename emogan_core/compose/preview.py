"""The part of a photo around a face, small enough to show an edit while a slider moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import EmoganError, ShapeError
from ..face_model import FaceFit, load_face_model
from ..faces import window_around
from ..images import Photo
from ..inversion import Edit, Inversion
from ..wording import counted
from .glasses import rims_of
from .move import mesh_shading, move_face
from .visible import hidden_parts, seen_coefficients


@dataclass(frozen=True, slots=True, eq=False)
class FacePreview:
    """One face of a photo, cut out and made small; edits of it are drawn without the generator.

    Convention: `photo` is a square around the face, `fit` lies in its pixels, `hidden` names mouth and eyes that cannot be
    seen in the whole photo. The first edit takes longer than those after it, which find its scene remembered.
    """

    photo: Photo
    fit: FaceFit
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, photo: Photo, inversion: Inversion, *, most_px: int = 512) -> FacePreview:
        """The preview of the one face of an inversion, `most_px` a side or less.

        Raises: EmoganError for an inversion of pictures that were already cut; ShapeError when it holds several faces.
        """
        if len(inversion) != 1:
            raise ShapeError(f"an inversion of {counted(len(inversion), 'face')} came; pick one with inversion[i]")
        if inversion.crops is None or inversion.faces is None:
            raise EmoganError(
                "an inversion of pictures that were already cut came; invert the photo itself to preview it"
            )
        height, width = photo.pixels.shape[:2]
        left, top, side = window_around(inversion.crops[0], height=height, width=width)
        part = np.ascontiguousarray(photo.pixels[top : top + side, left : left + side])
        shown = min(side, most_px)
        small = Image.fromarray(part).resize((shown, shown), Image.Resampling.LANCZOS, reducing_gap=2.0)
        fit = inversion.faces[0]
        hidden = hidden_parts(photo.pixels, fit, rims_of(photo, fit))
        return cls(Photo(np.array(small)), _moved_to(fit, (left, top), shown / side), hidden)

    def with_edit(self, edit: Edit) -> NDArray[np.uint8]:
        """The preview's pixels with an edit in them, as mode "motion" of `put_back` makes it, uint8 [s, s, 3].

        Raises: EmoganError for an edit that has no part in the face model; ShapeError for one of several faces.
        """
        if len(edit) != 1:
            raise ShapeError(f"an edit of {counted(len(edit), 'face')} came; pick one with edit[i]")
        if edit.coefficients is None:
            raise EmoganError("this edit has no part in the face model, so only put_back can show it")
        model = load_face_model()
        reached, _ = seen_coefficients(self.hidden, model, self.fit, edit.coefficients[0])
        return move_face(self.photo, model, self.fit, reached, shading=mesh_shading(model, edit), draft=True)[0]


def _moved_to(fit: FaceFit, corner: tuple[int, int], scale: float) -> FaceFit:
    """The fit in a part of its photo that begins at `corner` and was scaled."""
    pose = replace(
        fit.pose, scale=fit.pose.scale * scale, translation=(fit.pose.translation - np.array(corner)) * scale
    )
    return replace(fit, pose=pose, landmarks=(fit.landmarks - np.array(corner)) * scale, residual=fit.residual * scale)
