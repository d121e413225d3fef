"""Inversions as one safetensors file: codes, places and face fits, so that minutes of work need not be done again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..deltas import delta_from
from ..errors import CheckpointError, ShapeError
from ..face_model import FaceFit, Pose, load_face_model
from ..faces import FRAMES, Crop
from ..latents import Latent
from ..weights import is_finite, read_header, read_tensors, write_tensors
from .invert import Inversion

Array = NDArray[np.float64]

FORMAT = "emotiongan-inversion-1"
_POSE_COLUMNS = 12  # scale, rotation, translation


def save_inversion(path: Path, inversion: Inversion, *, notes: Mapping[str, str] = {}) -> None:
    """Write an inversion of photos, and `notes` of the caller's own; it holds the cut faces, so it is as private as they.

    Raises: ShapeError for one of pictures that were already cut; OutputError.
    """
    if inversion.crops is None or inversion.faces is None:
        raise ShapeError("an inversion of pictures that were already cut came; invert the photo itself to keep it")
    crops, faces = inversion.crops, inversion.faces
    arrays = {
        "poses": [np.r_[fit.pose.scale, fit.pose.rotation.ravel(), fit.pose.translation] for fit in faces],
        "identity": [fit.identity for fit in faces],
        "coefficients": [fit.coefficients for fit in faces],
        "landmarks": [fit.landmarks for fit in faces],
        "residual": [fit.residual for fit in faces],
        "error_cm": [fit.error_cm for fit in faces],
    }
    tensors = {name: torch.from_numpy(np.stack(values)).double() for name, values in arrays.items()}  # to the last bit
    tensors |= {"ws": inversion.latent.ws.float()}
    tensors |= {} if inversion.delta is None else inversion.delta.tensors()
    tensors |= {"target": inversion.target.half(), "reconstruction": inversion.reconstruction.half()}  # only looked at
    metadata = {
        "format": FORMAT,
        "fingerprint": inversion.latent.fingerprint,
        "frame": crops[0].frame,
        "crops": json.dumps([[crop.quad.tolist(), crop.landmarks.tolist()] for crop in crops]),  # to the last bit
        "metrics": json.dumps({name: list(values) for name, values in inversion.metrics.items()}),
        "notes": json.dumps(dict(notes)),
    }
    write_tensors(path, {name: tensor.detach().contiguous() for name, tensor in tensors.items()}, metadata)


def load_inversion(path: Path) -> tuple[Inversion, dict[str, str]]:
    """An inversion on the CPU from a file that `save_inversion` wrote, and the notes that came with it.

    Raises: CheckpointError when the file is another one, damaged, or of another face model; ShapeError when codes are
    not finite.
    """
    shapes, metadata = read_header(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path.name} is no inversion (format '{metadata.get('format', 'none')[:40]}'); needed '{FORMAT}', as Save "
            "Inversion writes it"
        )
    n = shapes.get("ws", (0,))[0]
    for name, shape in _expected(n).items():
        if n == 0 or shapes.get(name, ())[: len(shape)] != shape or (name not in _PICTURES and shapes[name] != shape):
            raise CheckpointError(
                f"{path.name} has {name} of shape {shapes.get(name)}, needed {shape}; it is damaged or of another version, "
                "invert the photo again"
            )
    tensors, _ = read_tensors(path, doubles=True)
    if not all(is_finite(tensor) for tensor in tensors.values()):
        raise CheckpointError(f"{path.name} holds NaN or infinite values; invert the photo again")
    try:
        metrics = {str(name): tuple(map(float, values)) for name, values in json.loads(metadata["metrics"]).items()}
        notes = {str(name): str(text) for name, text in json.loads(metadata["notes"]).items()}
        fingerprint, frame = metadata["fingerprint"], metadata["frame"]
        crops = tuple(_crop(quad, five, frame) for quad, five in json.loads(metadata["crops"]))
        if frame not in FRAMES or len(crops) != n or any(len(values) != n for values in metrics.values()):
            raise ValueError(f"frame '{frame[:40]}'")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path.name} describes itself wrongly ({type(error).__name__}: {error}); invert the photo again"
        ) from error
    rows = {name: tensor.double().numpy() for name, tensor in tensors.items() if name in _expected(n)}
    inversion = Inversion(
        latent=Latent(tensors["ws"], fingerprint, delta_from(tensors, fingerprint)),
        target=tensors["target"],
        reconstruction=tensors["reconstruction"],
        crops=crops,
        metrics=metrics,
        faces=_faces(rows),
    )
    return inversion, notes


_PICTURES = ("ws", "target", "reconstruction")  # whose other sides are the generator's


def _expected(n: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a file of n faces, and their shapes as far as they are known without the generator."""
    model = load_face_model()
    return {
        "ws": (n,),
        "target": (n, 3),
        "reconstruction": (n, 3),
        "poses": (n, _POSE_COLUMNS),
        "identity": (n, len(model.identities)),
        "coefficients": (n, len(model.names)),
        "landmarks": (n, 478, 2),
        "residual": (n, len(model.neutral), 2),
        "error_cm": (n,),
    }


def _crop(quad: object, five: object, frame: str) -> Crop:
    corners, landmarks = np.array(quad, dtype=np.float64), np.array(five, dtype=np.float64)
    if corners.shape != (4, 2) or landmarks.shape != (5, 2) or not np.isfinite([*corners, *landmarks]).all():
        raise ValueError("crops that are none")
    return Crop(corners, landmarks, frame)


def _faces(rows: Mapping[str, Array]) -> tuple[FaceFit, ...]:
    return tuple(
        FaceFit(
            pose=Pose(scale=float(pose[0]), rotation=pose[1:10].reshape(3, 3), translation=pose[10:]),
            identity=rows["identity"][row],
            coefficients=rows["coefficients"][row],
            landmarks=rows["landmarks"][row],
            residual=rows["residual"][row],
            error_cm=float(rows["error_cm"][row]),
        )
        for row, pose in enumerate(rows["poses"])
    )
