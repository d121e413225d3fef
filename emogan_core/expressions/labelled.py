"""Labelled latents: the codes of a face set's pictures, or of pictures in memory, beside their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ExpressionError, FaceError, PhotoError
from ..face_model import load_face_model
from ..faces import Face, choose_face, crop_of, cut, frame_of, whole_crop
from ..faces.find import refine
from ..faces.fit import fit_to_photo
from ..images import Photo, check_readable, open_photo
from ..inversion import CODE_METHODS, OptimiseConfig, Target, expect_method, need_of
from ..latents import Latent
from ..networks import Generator
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .code_file import Coded, CodeFile, Fitted
from .face_sets import FaceSet
from .shadings import brightness

CODED_AT_ONCE = 32
LEAST_SCORE = 0.5  # below it an aligned picture shows no face to fit the face model to


@dataclass(frozen=True, slots=True)
class Skipped:
    """A picture that was left out: its file, or its number in a batch, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class LabelledLatents:
    """Codes and what their pictures show, row by row.

    Convention: `mirrored` are the codes of the same pictures mirrored, or None; `skipped` are the pictures that cannot be
    read or show no usable face; they have no row. `coefficients` [n, k] are those of the face model fitted to each
    picture, NaN where it could not be, or None when nobody asked; `brightness` [n, f] float16 is the light on its
    vertices, as `shadings.brightness` has it, likewise. `scores`, `weights` and `pairs` are those of the face set.
    """

    latents: Latent
    labels: tuple[str, ...]
    people: tuple[str, ...] | None
    covariates: Mapping[str, tuple[float, ...]]
    skipped: tuple[Skipped, ...]
    mirrored: Latent | None = None
    coefficients: NDArray[np.float64] | None = None
    brightness: NDArray[np.float16] | None = None
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    weights: tuple[float, ...] | None = None
    pairs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture of a face set: a file to be opened when it is its turn, or a photo in memory."""

    name: str
    source: Path | Photo

    def opened(self) -> Photo:
        return self.source if isinstance(self.source, Photo) else open_photo(self.source)


@dataclass(frozen=True, slots=True)
class _How:
    """How pictures become codes."""

    aligned: bool
    method: str
    mirrored: bool = False
    coefficients: bool = True


def code_file(path: Path, generator: Generator, *, aligned: bool, method: str) -> CodeFile:
    """The file in which `label_latents` keeps codes made so.

    Raises: OutputError when something else is there.
    """
    return CodeFile(path, {"fingerprint": generator.fingerprint, "aligned": str(aligned), "method": method})


def readable(faces: FaceSet) -> tuple[FaceSet, tuple[Skipped, ...]]:
    """The pictures of a face set whose files begin as pictures do, and the others; nothing is decoded.

    Raises: ExpressionError when none is.
    """
    skipped: dict[int, Skipped] = {}
    for row, path in enumerate(faces.files):
        try:
            check_readable(path)
        except PhotoError as error:
            skipped[row] = Skipped(str(path), str(error))
    kept = [row for row in range(len(faces)) if row not in skipped]
    if not kept:
        raise ExpressionError(f"none of the pictures ({len(faces)} in all) can be read; the first: {skipped[0].why}")
    return faces.rows(kept), tuple(skipped.values())


def label_latents(
    generator: Generator,
    faces: FaceSet,
    *,
    aligned: bool = False,
    method: str = "encode",
    mirrored: bool = False,
    coefficients: bool = True,
    codes: CodeFile | None = None,
    progress: Progress = silent,
) -> LabelledLatents:
    """Invert every picture of a face set; those that cannot be read or show no usable face are left out.

    Convention: `aligned` pictures already are the generator's frame from edge to edge and of any size; otherwise the
    largest face of each photo is found and cut. `mirrored` asks for the mirror images' codes too, twice the work;
    `coefficients` for a fit of the face model to each picture. `codes` (see `code_file`) gives what is known already and
    keeps what is new, but for mirror images.
    Raises: ExpressionError for an unknown method, or when no picture has a usable face; CheckpointError when the method
    needs an encoder that the generator lacks; OutputError when codes cannot be kept; Cancelled.
    """
    how = _How(aligned=aligned, method=method, mirrored=mirrored, coefficients=coefficients)
    pictures = [_Picture(str(path), path) for path in faces.files]
    coder = _Coder(generator, how, codes if coefficients and not mirrored else None)
    return _labelled(coder, pictures, faces, progress)


def label_photos(
    generator: Generator,
    photos: Sequence[Photo],
    labels: Sequence[str],
    *,
    people: Sequence[str] | None = None,
    aligned: bool = False,
    method: str = "encode",
    progress: Progress = silent,
) -> LabelledLatents:
    """As `label_latents`, of photos in memory with one label, and one person where people are given, for each.

    Raises: ExpressionError for labels or people of another number; and as `label_latents`.
    """
    for one, several, words in (
        ("label", "labels", labels),
        ("person", "people", labels if people is None else people),
    ):
        if len(words) != len(photos):
            raise ExpressionError(
                f"{counted(len(words), one, several)} came for {counted(len(photos), 'picture')}; give one for each"
            )
    pictures = [_Picture(f"picture {number}", photo) for number, photo in enumerate(photos, start=1)]
    coder = _Coder(generator, _How(aligned=aligned, method=method), None)
    named = FaceSet((), tuple(labels), None if people is None else tuple(people), {})
    return _labelled(coder, pictures, named, progress)


class _Coder:
    """Codes of pictures that come one by one and are inverted in groups.

    Raises: ExpressionError for an unknown method; CheckpointError when it needs an encoder that the generator lacks.
    """

    def __init__(self, generator: Generator, how: _How, codes: CodeFile | None) -> None:
        if how.method not in CODE_METHODS:
            raise ExpressionError(f"inversion method '{how.method}' is not known; use one of {', '.join(CODE_METHODS)}")
        expect_method(generator, how.method)
        self.generator, self.how, self.codes = generator, how, codes
        self.at_once = min(CODED_AT_ONCE, next(need_of(generator, how.method).groups(CODED_AT_ONCE)).stop)
        self.found: dict[int, Coded] = {}
        self.turned: dict[int, torch.Tensor] = {}
        self._waiting: list[tuple[int, str, torch.Tensor, Fitted | None]] = []

    def take(self, row: int, picture: _Picture) -> None:
        """Take a picture, and invert the group when it is full."""
        key = ""
        try:
            if self.codes is not None and isinstance(picture.source, Path):
                key, known = self.codes.get(picture.source)
                if known is not None:
                    self.found[row] = known
                    return
            photo = picture.opened()
            face, image = self._cut(photo)
        except (PhotoError, FaceError, OSError) as error:
            self._keep(row, key, Coded(None, why=str(error)))
            return
        self._waiting.append((row, key, image, _fitted(photo, face) if self.how.coefficients else None))
        if len(self._waiting) == self.at_once:
            self.finish()

    def finish(self) -> None:
        """Invert the pictures that wait."""
        if not self._waiting:
            return
        images = torch.cat([image for _, _, image, _ in self._waiting]).to(self.generator.device)
        codes = self._codes(images)
        turned = self._codes(images.flip(3)) if self.how.mirrored else None
        for index, (row, key, _, fit) in enumerate(self._waiting):
            self._keep(row, key, Coded(codes[index], fit))
            if turned is not None:
                self.turned[row] = turned[index]
        self._waiting = []

    def _keep(self, row: int, key: str, coded: Coded) -> None:
        self.found[row] = coded
        if self.codes is not None and key:
            self.codes.put(key, coded)

    def _cut(self, photo: Photo) -> tuple[Face | None, torch.Tensor]:
        """A photo's face, and the picture of it in the generator's frame, [1, 3, r, r]."""
        spec = self.generator.spec
        face = None if self.how.aligned else choose_face(photo)
        frame = frame_of(self.generator)
        crop = whole_crop(photo, frame) if face is None else crop_of(face, frame)
        return face, cut(photo, crop, spec.resolution)

    def _codes(self, images: torch.Tensor) -> torch.Tensor:
        """ws of aligned images; not by invert_images, which also redraws every face, and nobody looks at that here."""
        method = CODE_METHODS[self.how.method]
        return method(self.generator, Target(images), config=OptimiseConfig(), progress=silent).ws.detach().cpu()


def _labelled(
    coder: _Coder,
    pictures: Sequence[_Picture],
    faces: FaceSet,
    progress: Progress,
) -> LabelledLatents:
    try:
        for row, picture in enumerate(pictures):
            coder.take(row, picture)
            if row == len(pictures) - 1:
                coder.finish()
            progress(StepReport(step=row + 1, steps=len(pictures), what="inverting the face set"))
    finally:
        if coder.codes is not None:
            coder.codes.save()
    coded = {row: one.ws for row, one in sorted(coder.found.items()) if one.ws is not None}
    skipped = tuple(Skipped(pictures[row].name, one.why) for row, one in sorted(coder.found.items()) if one.ws is None)
    if not coded:
        raise ExpressionError(
            f"none of the pictures ({len(pictures)} in all) shows a usable face; give photos of faces seen from the front, or say "
            f"that they are aligned if they are already cut in the generator's frame (the first: {skipped[0].why})"
        )
    rows, fingerprint = list(coded), coder.generator.fingerprint
    kept = replace(faces, files=tuple(Path(picture.name) for picture in pictures)).rows(rows)
    fits = [fit for row in rows if (fit := coder.found[row].fitted) is not None]
    return LabelledLatents(
        latents=Latent(torch.stack(list(coded.values())), fingerprint),
        labels=kept.expressions,
        people=kept.people,
        covariates=kept.covariates,
        skipped=skipped,
        mirrored=Latent(torch.stack([coder.turned[row] for row in rows]), fingerprint) if coder.turned else None,
        coefficients=np.stack([fit.coefficients for fit in fits]) if coder.how.coefficients else None,
        brightness=np.stack([fit.brightness for fit in fits]) if coder.how.coefficients else None,
        scores=kept.scores,
        weights=kept.weights,
        pairs=kept.pairs,
    )


def _fitted(photo: Photo, face: Face | None) -> Fitted:
    """What the face model sees in a picture; NaN where it cannot be fitted.

    An aligned picture's face, None, is looked for in all of it. Numbers are as exact as a file of codes keeps them, so
    that a second fit is the same.
    """
    model = load_face_model()
    try:
        if face is None:
            (face,) = refine(photo, [whole_crop(photo, "tight").quad])
            if face.score < LEAST_SCORE:
                raise FaceError("this picture shows no face")
        fit = fit_to_photo(photo, face)
    except FaceError:
        return Fitted(np.full(len(model.names), np.nan), np.full(model.face_vertices, np.nan, dtype=np.float16))
    coefficients = fit.coefficients.astype(np.float32).astype(np.float64)
    return Fitted(coefficients, brightness(photo, model, fit).astype(np.float16))
