"""Photo -> latent: find the face, cut the generator's crop, invert it, and say how well that went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..devices import gradients_off
from ..errors import CheckpointError, EmoganError, ShapeError
from ..face_model import FaceFit
from ..faces import Crop, Face, cut_faces
from ..images import Photo
from ..latents import Latent
from ..networks.build import Generator
from ..networks.memory import Need, need_to_encode, need_to_invert
from ..progress import Progress, in_parts, silent
from .methods import METHODS, OptimiseConfig, expect_numbers
from .objective import editability


@dataclass(frozen=True, slots=True)
class Inversion:
    """Codes of n faces, with what they were cut from and how well they reconstruct it.

    Convention: latent has n rows; target, reconstruction [n, 3, r, r] in [-1, 1] on the CPU; crops has n entries, or is
    None when the pictures came already cut; faces has the face model's fit of each, or is None likewise; metrics maps
    "psnr_db", "w_distance" and "layer_spread" (see `editability`) to n values.
    """

    latent: Latent
    target: Tensor
    reconstruction: Tensor
    crops: tuple[Crop, ...] | None
    metrics: Mapping[str, tuple[float, ...]]
    faces: tuple[FaceFit, ...] | None = None

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
    config: OptimiseConfig | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Find one face in each photo, the `face`-th largest from 0, and its code; a face that was found already is taken as it is.

    Convention: one row per photo, with its crop and the face model's fit; photos are never changed.
    Raises: FaceError when there is none such; Cancelled from `progress`; as `expect_method`.
    """
    expect_method(generator, method)
    photos = [photo] if isinstance(photo, Photo) else list(photo)
    spec = generator.spec
    found = cut_faces(photos, frame=spec.crop, resolution=spec.resolution, face=face, progress=progress)
    inversion = invert_images(generator, found.images, method=method, config=config, progress=progress)
    return replace(inversion, crops=found.crops, faces=found.fits)


def invert_images(
    generator: Generator,
    images: Tensor,
    *,
    method: str = "hybrid",
    config: OptimiseConfig | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Codes of pictures that are already cropped to the generator's frame.

    Convention: images [n, 3, r, r] in [-1, 1] on any device; never changed. Batches too large for memory are taken in
    groups, one after the other.
    Raises: ShapeError for another size; Cancelled from `progress`; as `expect_method`.
    """
    side = generator.spec.resolution
    if images.ndim != 4 or images.shape[0] == 0 or images.shape[1:] != (3, side, side):
        raise ShapeError(f"pictures came as {tuple(images.shape)}; this generator needs [n, 3, {side}, {side}], n >= 1")
    expect_method(generator, method)
    with gradients_off():
        target = images.detach().clone().float().to(generator.device)
    config = config or OptimiseConfig()
    groups = list(need_of(generator, method).groups(len(target)))
    parts = []
    for number, group in enumerate(groups):
        report = in_parts(progress, number, len(groups), first=group.start)
        ws = METHODS[method](generator, target[group], config=config, progress=report)
        parts.append(_measured(generator, ws, target[group]))
    with gradients_off():
        return Inversion(
            latent=Latent(torch.cat([part.latent.ws for part in parts]), generator.fingerprint),
            target=target.cpu(),
            reconstruction=torch.cat([part.reconstruction for part in parts]),
            crops=None,
            metrics={name: tuple(value for part in parts for value in part.metrics[name]) for name in parts[0].metrics},
        )


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


def need_of(generator: Generator, method: str, *, device: str | None = None) -> Need:
    """The memory that a method takes, beside the weights, on a kind of device, usually the generator's."""
    device = device or generator.device.type
    if method == "encode":
        return need_to_encode(generator, device=device)
    return need_to_invert(generator, device=device)


def _measured(generator: Generator, ws: Tensor, target: Tensor) -> Inversion:
    """Codes of a few pictures with their reconstructions and metrics."""
    with gradients_off():
        drawn = generator.synthesis(ws).clamp(-1, 1)
        expect_numbers(generator, drawn)
        w_distance, layer_spread = editability(generator, ws)
        mse = (drawn - target).square().mean(dim=(1, 2, 3)) / 4  # of a range of 1
        metrics = {
            "psnr_db": -10 * mse.clamp_min(1e-10).log10(),
            "w_distance": w_distance,
            "layer_spread": layer_spread,
        }
        return Inversion(
            latent=Latent(ws.detach().cpu(), generator.fingerprint),
            target=target.cpu(),
            reconstruction=drawn.cpu(),
            crops=None,
            metrics={name: tuple(values.tolist()) for name, values in metrics.items()},
        )
