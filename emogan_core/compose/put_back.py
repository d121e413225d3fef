"""Bringing an edit of the generator's picture back into the photo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..devices import gradients_off, ordinary
from ..errors import EmoganError, ShapeError
from ..faces import Crop, cut
from ..images import Photo
from ..inversion import Inversion
from ..latents import Latent, expect_same_space
from ..networks.build import Generator
from .apply import Change, changed_pixels
from .flow import blurred
from .masks import face_mask, frontality, mouth_mask
from .motion import MotionConfig, at_size, drawn, read_motion, unfolded
from .mouth import SIDE, MouthConfig, calmed, opening_of

MODES = ("motion", "paste")


@dataclass(frozen=True, slots=True)
class PutBackConfig:
    """How an edit is brought into the photo.

    Convention: `feather` is the share of the face oval's radius over which an edit fades in; `tone_window` the share of
    the crop above whose size a pasted picture takes its colours from the photo.
    """

    feather: float = 0.25
    tone_window: float = 0.06
    motion: MotionConfig = field(default_factory=MotionConfig)
    mouth: MouthConfig = field(default_factory=MouthConfig)


DRAFT = PutBackConfig(motion=MotionConfig(pulls=(0.6,), max_steps=1))
"""For sliders that move: 4 pictures are drawn instead of up to 17, and of the motions averaged only the middle one is
found, in one step. On the built-in generator the motion keeps its direction (cosine .94 to .98) and .94 of its size."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """An edited photo.

    Convention: `mask` float32 [h, w] in 0..1, exactly 0 where pixels are untouched; `redrawn` [1, 3, r, r] in about
    [-1, 1] on the CPU is the generator's own picture after the edit.
    """

    photo: Photo
    mask: NDArray[np.float32]
    redrawn: Tensor


def put_back(
    generator: Generator,
    photo: Photo,
    inversion: Inversion,
    edited: Latent,
    *,
    mode: str = "motion",
    config: PutBackConfig | None = None,
) -> Composite:
    """The photo with one face's edit in it, at the photo's own resolution.

    Mode "motion": the photo's own pixels follow the motion between the redrawn face before and after the edit, and new
    shading is added. Mode "paste": the generator's picture itself is feathered in. Pixels outside the mask, and all of
    them when `edited` equals the inversion's latent, are those of `photo`; alpha is never touched.
    Raises: EmoganError for an unknown mode, or a face that does not lie in this photo; ShapeError when inversion or
    edited hold several faces or differ in shape; SpaceMismatch for a latent of another generator.
    """
    crop = _checked(generator, inversion, edited, mode)
    settings = config or PutBackConfig()
    with gradients_off():
        ws = ordinary(inversion.latent.ws).to(generator.device)
        target = ordinary(edited.ws).to(generator.device)
        if torch.equal(ws, target):
            untouched = Photo(photo.pixels.copy(), photo.alpha)
            mask = np.zeros(photo.pixels.shape[:2], dtype=np.float32)
            return Composite(untouched, mask, drawn(generator, target).float().cpu())
        make = _moved if mode == "motion" else _pasted
        change, redrawn = make(generator, photo, crop, ws, target, settings)
        pixels, mask = changed_pixels(photo.pixels, crop, change)
        return Composite(Photo(pixels, photo.alpha), mask, redrawn.float().cpu())


def _moved(
    generator: Generator, photo: Photo, crop: Crop, ws: Tensor, edited: Tensor, settings: PutBackConfig
) -> tuple[Change, Tensor]:
    """The change that mode "motion" makes."""
    config = settings.motion
    size = config.size
    face = face_mask(crop, size, feather=settings.feather)
    even = replace(config, symmetry=config.symmetry * frontality(crop))
    motion = read_motion(generator, ws, edited, face.to(ws.device), config=even)
    flow = calmed(motion.flow.float().cpu() * face, crop, config=settings.mouth)
    flow = unfolded(flow, least_area=config.least_area)
    mouth = mouth_mask(crop, size, width=0.62, height=0.45, feather=0.5)
    gain = face * (config.shading + (config.mouth_shading - config.shading) * mouth)
    shading = motion.shading.float().cpu() * gain
    shading = _as_colourful(shading, cut(photo, crop, size), at_size(motion.before, size).float().cpu())
    opening = opening_of(cut(photo, crop, SIDE), motion.shading.float().cpu(), flow, crop, config=settings.mouth)
    return Change(mask=face, flow=flow / size, added=shading, opening=opening), motion.after


def _pasted(
    generator: Generator, photo: Photo, crop: Crop, ws: Tensor, edited: Tensor, settings: PutBackConfig
) -> tuple[Change, Tensor]:
    """The change that mode "paste" makes."""
    before, after = drawn(generator, torch.cat([ws, edited])).float().cpu().chunk(2)
    side = after.shape[-1]
    own = cut(photo, crop, side)
    tone = blurred(own - before, settings.tone_window * side)
    content = own + _as_colourful(after + tone - own, own, before)
    mask = face_mask(crop, side, feather=settings.feather)
    return Change(mask=mask, content=content), after


def _as_colourful(added: Tensor, own: Tensor, redrawn: Tensor) -> Tensor:
    """`added` with its colour (not its brightness) held to the photo's: what is put into a gray photo stays gray."""
    gray = added.mean(dim=1, keepdim=True)
    spread, drawn_spread = (float((image - image.mean(1, keepdim=True)).std()) for image in (own, redrawn))
    share = min(1.0, spread / max(drawn_spread, 1e-6))
    return gray.expand_as(added) + (added - gray) * share if share > 1e-3 else gray.expand_as(added).contiguous()


def _checked(generator: Generator, inversion: Inversion, edited: Latent, mode: str) -> Crop:
    """The crop of a request that makes sense."""
    if mode not in MODES:
        raise EmoganError(f"the mode '{mode}' is not known; use {' or '.join(MODES)}")
    if len(inversion.latent) != 1 or len(edited) != 1:
        raise ShapeError(
            f"an inversion of {len(inversion.latent)} faces and {len(edited)} edited codes came; "
            "put_back takes one of each, pick one with inversion[i] and edited[i]"
        )
    expect_same_space("the inversion", inversion.latent.fingerprint, "the generator", generator.fingerprint)
    expect_same_space("the edited latent", edited.fingerprint, "the generator", generator.fingerprint)
    if edited.ws.shape != inversion.latent.ws.shape:
        raise ShapeError(
            f"an edited latent {tuple(edited.ws.shape)} came for an inversion {tuple(inversion.latent.ws.shape)}; "
            "edit the inversion's own latent"
        )
    if inversion.crops is None:
        raise EmoganError("an inversion of pictures that were already cut came; invert the photo itself to put it back")
    return inversion.crops[0]
