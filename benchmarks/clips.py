"""Do edited clips jitter? Synthetic clips of composites, whose motion is known, edited with and without smoothing over time."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from emogan_core import (
    Edit,
    FaceFit,
    Inversion,
    Latent,
    Photo,
    apply_expressions,
    choose_face,
    fit_clip,
    fit_to_photo,
    intensities_at,
    load_axes,
    load_face_model,
    open_photo,
    parse_keyframes,
)
from emogan_core.compose.move import move_face
from emogan_core.compose.scene import scene_of
from emogan_core.face_model import fit_frames

NOTES = """
A composite smiles and blinks (frames 0 to 13 are calm, the blink lies at frame 36) while it sways by up to 18 px, turns by up to 4 degrees and changes its size by up to 5 %; every frame is edited by happiness 0.6 and eyeBlink 0.35.

- *Wobble* is what jumps from frame to frame (third differences, root mean square) in the place of the edited mesh, in the face's own frame, less where the drawn face is; *while calm* in the calm frames alone.
- *each by itself* is a batch without *clip*, the others are one clip with that smoothing.
- *blink read* is the strongest eyeBlinkLeft that was read, of the one drawn.
- Over all frames the numbers also hold what the landmarks miss of a quick blink, and of a smile that is already at its limit (a shape at 1 grows no further, so that whatever is read of it shows)."""

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

BLINK = "34: happiness=0.8\n36: happiness=0.8, eyeBlink=1\n38: happiness=0.8"
SWEEP = f"0: neutral\n14: neutral\n30: happiness=0.8\n{BLINK}\n47: happiness=0.5"
"""What the person in the clip does; the blink takes four frames."""
EDIT = {"happiness": 0.6, "eyeBlink": 0.35}
"""What every frame is edited by."""
FRAMES, PX, LEVELS, QUALITY = 48, 720, 3.0, 80
SHIFT_PX, ZOOM, TURN_DEG, PERIOD = 18.0, 0.05, 4.0, 31.0
PARTS = {
    "lips": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 13, 14),
    "lids": (33, 145, 159, 133, 160, 158, 144, 153, 263, 374, 386, 362, 387, 385, 373, 380),
}
THIRD = np.array([-1.0, 3.0, -3.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames, and what is known of them: moves[t] [2, 3] takes px of the still face to the frame's, meshes[t] [468, 2] are
    the still face's points, levels[t] how far its lids are shut."""

    frames: tuple[Photo, ...]
    moves: tuple[Array, ...]
    meshes: Array
    levels: Array


def clip_of(path: Path, rng: np.random.Generator) -> Clip:
    """A clip of a composite that smiles, blinks, is surprised, and moves its head in the picture."""
    source = Image.fromarray(open_photo(path).eight_bit.pixels).resize((PX, PX), Image.Resampling.LANCZOS)
    photo, model, axes = Photo(np.asarray(source)), load_face_model(), load_axes("builtin")
    fit = fit_to_photo(photo, choose_face(photo))
    scene, keyframes = scene_of(photo, model, fit), parse_keyframes(SWEEP)
    frames, moves, meshes, levels = [], [], [], []
    for number in range(FRAMES):
        wanted = intensities_at(keyframes, number)
        after, shading = _asked(apply_expressions(_inversion(fit), axes, wanted))
        pixels = move_face(photo, model, fit, after, shading=shading, scene=scene)[0]
        moves.append(_move(number))
        frames.append(Photo(_as_filmed(_warped(pixels, moves[-1]), rng)))
        meshes.append(fit.vertices(model, after)[model.landmark_vertex, :2])
        levels.append(after[model.index("eyeBlinkLeft")])
    return Clip(tuple(frames), tuple(moves), np.stack(meshes), np.array(levels))


def _inversion(fit: FaceFit) -> Inversion:
    none = torch.zeros(1, 3, 1, 1)
    return Inversion(Latent(torch.zeros(1, 1, 1), ""), none, none, None, {}, faces=(fit,))


def _asked(edit: Edit) -> tuple[Array, Array]:
    assert edit.coefficients is not None
    assert edit.shading is not None
    shading = np.zeros(len(load_face_model().neutral))
    shading[: edit.shading.shape[1]] = edit.shading[0]
    return edit.coefficients[0], shading


def _move(number: int) -> Array:
    """[2, 3]: where the picture's middle goes, its turn and size, each along a sine of its own."""
    phase = 2 * np.pi * number / PERIOD
    angle, size = np.radians(TURN_DEG) * np.sin(1.3 * phase), 1 + ZOOM * np.sin(0.7 * phase)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([PX / 2, PX / 2])
    shift = SHIFT_PX * np.array([np.sin(phase), 0.6 * np.sin(1.7 * phase)])
    return np.column_stack([turn, middle + shift - turn @ middle])


def _back(move: Array) -> Array:
    inverse = np.linalg.inv(move[:, :2])
    return np.column_stack([inverse, -inverse @ move[:, 2]])


def _warped(pixels: Pixels, move: Array) -> Pixels:
    """A picture moved; coordinates are those of corners of pixels, as Pillow's."""
    coefficients = tuple(_back(move).reshape(-1))
    return np.asarray(
        Image.fromarray(pixels).transform((PX, PX), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
    )


def _as_filmed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    noisy = np.clip(pixels + rng.normal(0, LEVELS, pixels.shape), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(file).convert("RGB"))


def rows_of(name: str, clip: Clip, smoothings: Sequence[float]) -> Iterator[str]:
    """A line of the table for every frame fitted by itself, then one for each smoothing."""
    yield _row(name, "each by itself", [fit_to_photo(photo, choose_face(photo)) for photo in clip.frames], clip)
    places = [fit.landmarks for fit in fit_clip(clip.frames, smoothing=0).fits]
    for smoothing in smoothings:
        fits = fit_frames(load_face_model(), places, range(len(places)), smoothing=smoothing)
        yield _row(name, f"{smoothing:g}", fits, clip)


def _row(name: str, told: str, fits: Sequence[FaceFit], clip: Clip) -> str:
    away = _edited_points(fits, clip.moves) - clip.meshes
    calm = slice(0, 14)  # before the smile
    cells = []
    for part in PARTS.values():
        points = away[:, list(part)]
        cells += [f"{_wobble(points):.3f}", f"{_wobble(points[calm]):.3f}"]
    blink = load_face_model().index("eyeBlinkLeft")
    track = np.array([fit.coefficients[blink] for fit in fits])
    return f"| {name} | {told} | {' | '.join(cells)} | {track.max():.2f} of {clip.levels.max():.2f} |"


def _edited_points(fits: Sequence[FaceFit], moves: Sequence[Array]) -> Array:
    """[t, 468, 2]: the edited mesh at the landmarks, in still px."""
    model, axes = load_face_model(), load_axes("builtin")
    points = []
    for fit, move in zip(fits, moves, strict=True):
        after = _asked(apply_expressions(_inversion(fit), axes, EDIT))[0]
        back = _back(move)
        points.append(fit.vertices(model, after)[model.landmark_vertex, :2] @ back[:, :2].T + back[:, 2])
    return np.stack(points)


def _wobble(points: Array) -> float:
    """Root mean square of what jumps from frame to frame, px: by third differences, which smooth motion hardly has."""
    third = ndimage.correlate1d(points, THIRD, axis=0, origin=0)[2:-2]
    return float(np.sqrt((third**2).sum(-1).mean() / (THIRD @ THIRD)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="+", help="composites, or other portraits from the front")
    parser.add_argument("--smoothing", type=float, nargs="+", default=[0.0, 1.0, 2.0, 4.0])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("# Clips: how much an edit jitters\n\n```")
    print(f"python benchmarks/clips.py {' '.join(path.name for path in arguments.pictures)} > docs/results/clips.md")
    print(f"```\n\n{FRAMES} frames of {PX} px, noise of {LEVELS:g} levels, JPEG {QUALITY}.\n")
    print("| face | smoothing, frames | lips: wobble, px | while calm | lids: wobble, px | while calm | blink read |")
    print("|---|---|---|---|---|---|---|")
    for path in arguments.pictures:
        clip = clip_of(path, np.random.default_rng(arguments.seed))
        for row in rows_of(path.stem, clip, arguments.smoothing):
            print(row)
            sys.stdout.flush()
    print(NOTES)


if __name__ == "__main__":
    main()
