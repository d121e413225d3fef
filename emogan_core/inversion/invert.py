"""Photo -> latent: find the face, cut the generator's crop, invert it, and say how well that went."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..deltas import Delta, joined
from ..devices import gradients_off
from ..errors import CheckpointError, EmoganError, ShapeError
from ..face_model import FaceFit
from ..faces import Crop, Face, cut, cut_faces, frame_of
from ..images import Photo
from ..latents import Latent
from ..networks.build import Generator
from ..networks.memory import Need, need_to_compare, need_to_encode, need_to_invert
from ..networks.tuned import need_to_tune, with_delta
from ..progress import Progress, in_parts, silent
from .likeness import Likeness, measures_of
from .methods import encode, hybrid, less_time, optimise
from .objective import Target, editability, expect_numbers
from .schedule import OptimiseConfig
from .tune import tune

Mask = NDArray[np.float32]
"""[h, w] of a photo in 0..1."""

NEARLY_ALL = 0.9
"""Of a face left out by a mask: what is redrawn is then hardly of that face."""

CODE_METHODS: Mapping[str, Callable[..., Latent]] = {"encode": encode, "optimise": optimise, "hybrid": hybrid}
"""The ways to find a code: the encoder, corrected once, optimisation from the most alike of many samples, or one after the
other."""
METHODS: Mapping[str, Callable[..., Latent]] = {**CODE_METHODS, "tune": tune}
"""The ways of `invert` by name: those that find a code, and hybrid with pivotal tuning of the generator's weights after it."""


@dataclass(frozen=True, slots=True)
class Inversion:
    """Codes of n faces, with what they were cut from and how well they reconstruct it.

    Convention: latent has n rows, and the delta of each where they were tuned; target, reconstruction [n, 3, r, r] in [-1, 1] on the CPU; crops has n entries, or is
    None when the pictures came already cut; faces has the face model's fit of each, or is None likewise; metrics maps
    "psnr_db", "w_distance" and "layer_spread" (see `editability`) to n values, and with networks of the user (`Likeness`)
    "perceptual_distance" and "identity_distance".
    """

    latent: Latent
    target: Tensor
    reconstruction: Tensor
    crops: tuple[Crop, ...] | None
    metrics: Mapping[str, tuple[float, ...]]
    faces: tuple[FaceFit, ...] | None = None

    @property
    def delta(self) -> Delta | None:
        """What tuning adds to the generator's weights for these faces, None where they were not tuned."""
        return self.latent.delta

    def __len__(self) -> int:
        return len(self.latent)

    def __getitem__(self, index: int) -> Inversion:
        """One face of the batch, still as a batch of one."""
        return replace(
            self,
            latent=self.latent[index],
            target=self.target[index : index + 1],
            reconstruction=self.reconstruction[index : index + 1],
            crops=None if self.crops is None else (self.crops[index],),
            metrics={name: (values[index],) for name, values in self.metrics.items()},
            faces=None if self.faces is None else (self.faces[index],),
        )


def invert(
    generator: Generator,
    photo: Photo | Sequence[Photo],
    *,
    method: str = "hybrid",
    face: int | Face = 0,
    ignored: Sequence[Mask] | None = None,
    config: OptimiseConfig | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Find one face in each photo, the `face`-th largest from 0, and its code; a face that was found already is taken as it is.

    Convention: one row per photo, with its crop and the face model's fit; `ignored`, one mask [h, w] in 0..1 for each
    photo, is 1 where it does not count, such as on a hand; photos are never changed.
    Raises: FaceError when there is none such; ShapeError for masks of another size; Cancelled from `progress`; as
    `expect_method`.
    """
    expect_method(generator, method)
    photos = [photo] if isinstance(photo, Photo) else list(photo)
    _expect_masks(photos, ignored)
    spec = generator.spec
    found = cut_faces(photos, frame=frame_of(generator), resolution=spec.resolution, face=face, progress=progress)
    masks = None
    if ignored is not None:
        masks = torch.cat(
            [cut_mask(mask, crop, spec.resolution) for mask, crop in zip(ignored, found.crops, strict=True)]
        )
    inversion = invert_images(generator, found.images, method=method, ignored=masks, config=config, progress=progress)
    return replace(inversion, crops=found.crops, faces=found.fits)


def cut_mask(mask: Mask, crop: Crop, size: int) -> Tensor:
    """A photo's mask [h, w] in 0..1 as the crop shows it, [1, 1, size, size] in 0..1."""
    gray = (255 * np.clip(mask, 0, 1)).astype(np.float32)
    return (cut(Photo(np.repeat(gray[..., None], 3, axis=2)), crop, size)[:, :1] + 1) / 2


def ignored_note(ignored: Tensor) -> str:
    """A sentence where a mask, [1, 1, r, r] as `cut_mask` gives it, leaves out nearly all of a face, or nothing; else ''."""
    share = float(ignored.mean())
    if share > NEARLY_ALL:
        return f"the mask leaves out {share:.0%} of the face; white is what does not count"
    return "" if share > 0 else "the mask leaves out nothing of the face"


def invert_images(
    generator: Generator,
    images: Tensor,
    *,
    method: str = "hybrid",
    ignored: Tensor | None = None,
    config: OptimiseConfig | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Codes of pictures that are already cropped to the generator's frame.

    Convention: images [n, 3, r, r] in [-1, 1] on any device; ignored [n, 1, r, r] in 0..1, 1 where they do not count, or
    None; never changed. Batches too large for memory are taken in groups, one after the other.
    Raises: ShapeError for another size; Cancelled from `progress`; as `expect_method`.
    """
    side = generator.spec.resolution
    if images.ndim != 4 or images.shape[0] == 0 or images.shape[1:] != (3, side, side):
        raise ShapeError(f"pictures came as {tuple(images.shape)}; this generator needs [n, 3, {side}, {side}], n >= 1")
    if ignored is not None and ignored.shape != (len(images), 1, side, side):
        raise ShapeError(f"masks came as {tuple(ignored.shape)}; these pictures need {(len(images), 1, side, side)}")
    expect_method(generator, method)
    with gradients_off():
        kept = [
            None if given is None else given.detach().clone().float().to(generator.device)
            for given in (images, ignored)
        ]
        assert kept[0] is not None
        target = Target(Target(kept[0], kept[1]).masked(kept[0]), kept[1])
    config = config or OptimiseConfig()
    groups = list(need_of(generator, method, likeness=config.likeness).groups(len(target)))
    began, parts = time.monotonic(), []
    for number, group in enumerate(groups):
        report = in_parts(progress, number, len(groups), first=group.start)
        left = less_time(config, time.monotonic() - began)
        if left.seconds is not None:
            left = replace(left, seconds=left.seconds / (len(groups) - number))
        latent = METHODS[method](generator, target[group], config=left, progress=report)
        parts.append(_measured(generator, latent, target[group], config.likeness))
    with gradients_off():
        deltas = [part.delta for part in parts if part.delta is not None]
        ws = torch.cat([part.latent.ws for part in parts])
        return Inversion(
            latent=Latent(ws, generator.fingerprint, joined(deltas) if deltas else None),
            target=kept[0].cpu(),
            reconstruction=torch.cat([part.reconstruction for part in parts]),
            crops=None,
            metrics={name: tuple(value for part in parts for value in part.metrics[name]) for name in parts[0].metrics},
        )


def _expect_masks(photos: Sequence[Photo], masks: Sequence[Mask] | None) -> None:
    """Raises: ShapeError."""
    if masks is None:
        return
    came, needed = [mask.shape for mask in masks], [photo.pixels.shape[:2] for photo in photos]
    if came != needed:
        raise ShapeError(f"masks of {came} pixels came for photos of {needed}; give one of each photo's own size")


def expect_method(generator: Generator, method: str) -> None:
    """Refuse a method that cannot work, before the long work.

    Raises: EmoganError when it is not known; CheckpointError when it needs an encoder that the generator lacks.
    """
    if method not in METHODS:
        raise EmoganError(f"inversion method '{method}' is not known; use one of {', '.join(METHODS)}")
    if method == "encode" and generator.encoder is None:
        raise CheckpointError(
            f"the generator '{generator.spec.name}' has no encoder, so method 'encode' cannot work; use 'optimise' or "
            "'hybrid', or a generator with an encoder"
        )


def need_of(generator: Generator, method: str, *, likeness: Likeness | None = None, device: str | None = None) -> Need:
    """The memory that a method takes, beside the weights, on a kind of device, usually the generator's."""
    device, likeness = device or generator.device.type, likeness or Likeness()
    if method == "encode":
        return need_to_encode(generator, device=device)
    need = need_to_tune(generator, device=device) if method == "tune" else need_to_invert(generator, device=device)
    more = need_to_compare(generator.spec.resolution, likeness.perceptual, likeness.identity)
    return Need(need.each + more.each, need.fixed + more.fixed)


def _measured(generator: Generator, latent: Latent, target: Target, likeness: Likeness) -> Inversion:
    """Codes of a few pictures with their reconstructions and metrics."""
    with gradients_off():
        drawn = _drawn(generator, latent).clamp(-1, 1)
        expect_numbers(generator, drawn)
        w_distance, layer_spread = editability(generator, latent.ws)
        metrics = {"psnr_db": target.psnr_db(drawn), "w_distance": w_distance, "layer_spread": layer_spread}
        metrics |= {name: measure(drawn) for name, measure in measures_of(likeness, target).items()}
        return Inversion(
            latent=replace(latent, ws=latent.ws.detach().cpu()),
            target=target.images.cpu(),
            reconstruction=drawn.cpu(),
            crops=None,
            metrics={name: tuple(values.tolist()) for name, values in metrics.items()},
        )


def _drawn(generator: Generator, latent: Latent) -> Tensor:
    """Every face with its own delta; all at once where they have none."""
    if latent.delta is None:
        drawn: Tensor = generator.synthesis(latent.ws)
        return drawn
    rows = [latent[row] for row in range(len(latent))]
    return torch.cat([with_delta(generator, one.delta).synthesis(one.ws) for one in rows])
