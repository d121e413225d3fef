"""A generator's own samples, drawn and read: what the face in each shows, as the face model sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from ..devices import gradients_off, rng_from_seed
from ..errors import ExpressionError, FaceError
from ..face_model import FaceFit, FaceModel, load_face_model
from ..faces import Face, drawn_face, find_faces
from ..faces.find import MIN_SCORE
from ..faces.fit import fit_to_photo
from ..images import Photo, photo_from_tensor
from ..networks import Generator
from ..networks.mapping import class_rows
from ..networks.sampling import drawn_in_groups
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .sample_file import CHUNK, SampleFolder, SampleTable, joined
from .shadings import open_skin

LEAST_PX, MOST_PX = 128, 384
"""Sides between which pictures are looked at: landmarks need the first, and gain nothing beyond the second."""
SKIN = ("lightness", "redness", "texture")
"""What is measured on bare skin: log of its mean gray, of red over green, and how much it varies finely, as age does."""
FINE_CM, COARSE_CM = 0.12, 0.5
DARKEST = 4.0  # of 255
PATIENCE_S = 120.0
TRIED = 128
"""A generator that draws no face in so many samples is given up."""


@dataclass(frozen=True, slots=True)
class SampleConfig:
    """Which samples are drawn.

    Convention: sample number i depends on `seed` and i alone, so that more samples begin with the same ones; `psi` is
    the truncation; `label` the class of generators with classes.
    Raises: ExpressionError for fewer than one sample, or a psi that is none.
    """

    count: int = 4000
    seed: int = 0
    psi: float = 1.0
    label: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ExpressionError(
                f"{counted(self.count, 'sample was', 'samples were')} asked for; needed 1 or more, some thousands for a fit"
            )
        if not math.isfinite(self.psi) or not 0 < abs(self.psi) <= 2:
            raise ExpressionError(f"psi {self.psi} came; give a number within 2, and not 0, where all samples are one")


@dataclass(frozen=True, slots=True)
class SampleShare:
    """The part of the work that is one process's own: process `rank` of `world_size`, counted from 0."""

    rank: int = 0
    world_size: int = 1


def sample_folder(path: Path, generator: Generator, config: SampleConfig) -> SampleFolder:
    """The folder in which `read_samples` keeps what it read."""
    how = {"fingerprint": generator.fingerprint, "seed": config.seed, "psi": config.psi, "label": config.label}
    return SampleFolder(path, {name: str(value) for name, value in how.items()})


def read_samples(
    generator: Generator,
    config: SampleConfig,
    folder: SampleFolder,
    *,
    share: SampleShare = SampleShare(),
    progress: Progress = silent,
) -> SampleTable | None:
    """Draw samples and read the face in each, chunk by chunk; what is in the folder already is not drawn again.

    With several processes each draws its own chunks; the first also waits for the others' and, where nothing new
    comes any more, draws what is missing itself. The table is the same, to the bit, however many there are.

    Convention: returns the table for the first process, None for the others.
    Raises: ExpressionError when none of the first samples shows a face; CheckpointError when pictures are not finite;
    ShapeError for a class that is none; OutputError; Cancelled.
    """
    chunks = range(math.ceil(config.count / CHUNK))
    own = chunks[share.rank :: share.world_size]
    slowest, faces = 0.0, 0
    for step, chunk in enumerate(own, start=1):
        began = time.monotonic()
        table = folder.get(chunk)
        if table is None:
            table = _drawn(generator, config, chunk)
            folder.put(chunk, table)
            slowest = max(slowest, time.monotonic() - began)
        faces += int(np.count_nonzero(table.seen))
        if not faces and step * CHUNK >= TRIED:
            raise ExpressionError(
                f"none of the first {step * CHUNK} samples of '{generator.spec.name}' shows a face; axes are read off drawn "
                "faces, so give a generator of faces seen from the front (or, if it is one, a --psi nearer 0)"
            )
        progress(StepReport(step * CHUNK, len(own) * CHUNK, "reading samples"))
    if share.rank:
        return None
    if share.world_size > 1:
        _wait(folder, chunks, max(PATIENCE_S, 10 * slowest), progress)
    parts: list[SampleTable] = []
    for chunk in chunks:
        table = folder.get(chunk)
        if table is None:  # of a process that died
            table = _drawn(generator, config, chunk)
            folder.put(chunk, table)
        parts.append(table)
    return joined(parts).rows(slice(config.count))


def _wait(folder: SampleFolder, chunks: range, patience_s: float, progress: Progress) -> None:
    """Until every chunk is there, or nothing new has come for a while."""
    missing = [chunk for chunk in chunks if not folder.has(chunk)]
    news = time.monotonic()
    while missing and time.monotonic() - news < patience_s:
        time.sleep(0.2)
        still = [chunk for chunk in missing if not folder.has(chunk)]
        if len(still) < len(missing):
            missing, news = still, time.monotonic()
        progress(StepReport(len(chunks) - len(missing), len(chunks), "waiting for the other processes"))


def _drawn(generator: Generator, config: SampleConfig, chunk: int) -> SampleTable:
    """One chunk of samples, drawn and read."""
    numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
    z = torch.stack([_noise(generator.spec.z_dim, config.seed, number) for number in numbers])
    c = class_rows(generator.spec, config.label, count=len(z))
    with gradients_off():
        ws = generator.mapping(
            z.to(generator.device), psi=config.psi, c=None if c is None else c.to(generator.device)
        ).clone()
    seen = [reading for images in drawn_in_groups(generator, ws) for reading in map(read_picture, images.cpu())]
    return table_of(ws[:, 0].cpu().numpy(), seen)


def _noise(z_dim: int, seed: int, number: int) -> torch.Tensor:
    """z [z_dim] of one sample, the same on every machine."""
    own = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0]
    return torch.randn(z_dim, generator=rng_from_seed(int(own) >> 1))


@dataclass(frozen=True, slots=True, eq=False)
class PictureReading:
    """What the face model sees in a drawn picture, and `SKIN` of it, [s]."""

    fit: FaceFit
    skin: NDArray[np.float64]


def read_picture(image: torch.Tensor) -> PictureReading | None:
    """What a drawn picture [3, r, r] in [-1, 1] shows, None where no face is seen in it."""
    photo = photo_from_tensor(_resized(image))
    try:
        fit = fit_to_photo(photo, _face(photo))
    except FaceError:
        return None
    return PictureReading(fit, _skin(photo, load_face_model(), fit))


def _resized(image: torch.Tensor) -> torch.Tensor:
    """A picture of a size in which faces are looked for: small ones smoothly enlarged, large ones made smaller."""
    side = image.shape[-1]
    wanted = min(MOST_PX, max(LEAST_PX, side))
    if side == wanted:
        return image
    with gradients_off():
        return F.interpolate(
            image[None].float(), size=(wanted, wanted), mode="bicubic", align_corners=False, antialias=wanted < side
        )[0].clamp(-1, 1)


def _face(photo: Photo) -> Face:
    """The face of a drawn picture: where the generator's frame has it, or wherever it is found.

    Raises: FaceError.
    """
    face = drawn_face(photo)
    if face.score >= MIN_SCORE:
        return face
    faces = find_faces(photo, turned=False)
    if not faces:
        raise FaceError("no face was found in this picture; draw another one")
    return faces[0]


def _skin(photo: Photo, model: FaceModel, fit: FaceFit) -> NDArray[np.float64]:
    """`SKIN` of a face: log mean gray, log of red over green, and the log of how much gray varies finely; [s]."""
    bare, neutral, identities, expressions = _bare(model)  # the whole mesh would take as long as the fit
    shape = neutral + np.tensordot(fit.identity, identities, 1) + np.tensordot(fit.coefficients, expressions, 1)
    places = (fit.pose.project(shape)[:, :2] + fit.residual[bare])[:, ::-1].T - 0.5  # rows, columns of pixel centres
    colours = photo.pixels.astype(np.float32)
    gray = np.log(np.maximum(colours.mean(-1), DARKEST))
    detail = ndimage.gaussian_filter(gray, FINE_CM * fit.pose.scale) - ndimage.gaussian_filter(
        gray, COARSE_CM * fit.pose.scale
    )
    seen = [
        ndimage.map_coordinates(plane, places, order=1, mode="nearest")
        for plane in (*np.moveaxis(colours, -1, 0)[:2], gray, detail)
    ]
    red, green = (float(np.log(max(plane.mean(), DARKEST))) for plane in seen[:2])
    return np.array([float(seen[2].mean()), red - green, float(np.log(seen[3].std() + 1e-3))])


@cache
def _bare(model: FaceModel) -> tuple[NDArray[Any], ...]:
    """The vertices of bare skin, away from lips, lids, brows and the face's border, and the model there."""
    bare = np.flatnonzero(open_skin(model) > 0.9)
    return bare, model.neutral[bare], model.identities[:, bare], model.expressions[:, bare]


def table_of(w: NDArray[np.float32], seen: list[PictureReading | None]) -> SampleTable:
    """A table of codes [n, w_dim] and what their pictures show."""
    model = load_face_model()

    def column(width: int, take: Callable[[PictureReading], NDArray[np.float64]]) -> NDArray[np.float32]:
        rows: Iterator[NDArray[np.float64]] = (np.full(width, np.nan) if one is None else take(one) for one in seen)
        return np.stack(list(rows)).astype(np.float32)

    return SampleTable(
        w=w,
        coefficients=column(len(model.names), lambda one: one.fit.coefficients),
        identity=column(len(model.identities), lambda one: one.fit.identity),
        pose_deg=column(3, lambda one: np.array([one.fit.pose.yaw_deg, one.fit.pose.pitch_deg, one.fit.pose.roll_deg])),
        skin=column(len(SKIN), lambda one: one.skin),
    )
