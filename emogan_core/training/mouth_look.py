"""The recipe of the net that tells hidden mouths from seen ones.

    python -m emogan_core.training.mouth_look DATA HELD_OUT OUT

Seen mouths are those of training people, half of them beside something drawn that leaves the lips free; hidden ones are
the same behind what `occluders` draws. The threshold lets pass ninety-nine in a hundred seen mouths of every set, of training
people who were left out of the fit.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.draw import polygon
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from ..compose.mouth_look import FORMAT, SEEN, SIDE, features_of, lips_square
from ..face_model.contours import OUTER_LIPS
from ..faces import Crop, cut
from ..images import Photo
from ..weights import write_tensors
from .data import read_held_out
from .labelled_fits import LANDMARK_STEPS
from .landmark_runs import held_out
from .occluders import Around, covered

Array = NDArray[np.float64]
Rng = np.random.Generator

SETS = {"press": "press_faces_128.zip", "studio": "studio_originals.zip", "congress": "congress_faces_384.zip"}
LANDMARKS = {
    "press": "press_landmarks.npz",
    "studio": "studio_originals_landmarks.npz",
    "congress": "congress_landmarks.npz",
}
MOST, TIMES = {"press": 1800, "studio": 121, "congress": 400}, {"press": 1, "studio": 5, "congress": 1}
WIDE, WIDE_PX = 2.4, 96  # the square on which things are drawn
SKIN_POINTS, SKIN_SIDE, SKIN_PX = (50, 280, 151), 0.5, 20
HIDDEN, FREE = 0.5, 0.1  # shares of the lips that are covered
TEXTURES = ("astronaut", "chelsea", "coffee", "rocket", "brick", "grass", "gravel", "page", "text", "coins", "camera")
PASSED = 0.01  # share of seen mouths above the threshold
LICENCE = "Apache-2.0 as part of this project; fitted on the press, studio and Congress faces (see MODEL_CARD.md)"


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """A square around somebody's lips, [WIDE_PX, WIDE_PX, 3] in 0..255; which of it are lips, [WIDE_PX, WIDE_PX] in 0..1;
    a piece of the same face's skin; the set and the file."""

    patch: NDArray[np.uint8]
    lips: NDArray[np.bool_]
    skin: NDArray[np.uint8]
    set: str
    file: str


def read_mouths(data: Path, held_out_list: Path, *, test: bool, most: dict[str, int]) -> list[Mouth]:
    """Mouths of the people to train on, or of those kept for testing."""
    names, found = read_held_out(held_out_list), []
    for kind, archive in SETS.items():
        stored = np.load(data / LANDMARKS[kind])
        files, landmarks = stored["files"].tolist(), stored["landmarks"]
        people = people_of(data / f"{kind}_faces.csv")
        order = np.random.default_rng(0).permutation(len(files))
        with zipfile.ZipFile(data / archive) as pictures:
            where = {Path(name).name: name for name in pictures.namelist()}
            count = 0
            for row in order:
                file = files[row]
                if count >= most[kind]:
                    break
                if (people[file] in names or held_out(people[file])) != test:
                    continue
                count += 1
                pixels = np.asarray(Image.open(io.BytesIO(pictures.read(where[file]))).convert("RGB"))
                found.append(mouth_of(pixels, landmarks[row, :, :2] / LANDMARK_STEPS, kind, file))
    return found


def people_of(table: Path) -> dict[str, str]:
    with table.open(newline="", encoding="utf-8") as lines:
        return {row["file"]: row["person"] for row in csv.DictReader(lines)}


def mouth_of(pixels: NDArray[np.uint8], landmarks: Array, kind: str, file: str) -> Mouth:
    """The square around the lips of landmarks [478, 2] in px of a picture."""
    photo, quad = Photo(pixels), lips_square(landmarks, WIDE)
    crop = Crop(quad=quad, landmarks=np.zeros((5, 2)), frame="tight")
    inward = crop.from_photo(WIDE_PX)
    outline = landmarks[list(OUTER_LIPS)] @ inward[:, :2].T + inward[:, 2]
    lips = np.zeros((WIDE_PX, WIDE_PX), dtype=np.bool_)
    rows, columns = polygon(outline[:, 1], outline[:, 0], lips.shape)  # type: ignore[no-untyped-call]
    lips[rows, columns] = True
    small = (quad - quad.mean(0)) * SKIN_SIDE / WIDE
    skins = [
        _bytes(cut(photo, Crop(quad=landmarks[p] + small, landmarks=np.zeros((5, 2)), frame="tight"), SKIN_PX))
        for p in SKIN_POINTS
    ]
    skin = max(skins, key=lambda one: float(one.mean()) - 2 * float(one.std()))  # the one least in shadow or hair
    return Mouth(_bytes(cut(photo, crop, WIDE_PX)), lips, skin, kind, file)


def _bytes(image: torch.Tensor) -> NDArray[np.uint8]:
    values = (image[0].permute(1, 2, 0).numpy() + 1) * 127.5
    return np.asarray(values.round().clip(0, 255), dtype=np.uint8)


def seen_patch(patch: Array, rng: Rng) -> Array:
    """The SIDE px square that the net looks at, its landmarks a little wrong, in another light and quality."""
    side = SEEN / WIDE * WIDE_PX * rng.uniform(0.9, 1.12)
    turn, flip = rng.normal(0, 0.06), rng.choice((-1, 1))
    centre = (WIDE_PX - 1) / 2 + rng.normal(0, 0.03 * WIDE_PX, 2)
    rows, columns = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2) * side / SIDE
    columns = columns * flip
    at = (
        rows * np.cos(turn) + columns * np.sin(turn) + centre[0],
        columns * np.cos(turn) - rows * np.sin(turn) + centre[1],
    )
    soft = ndimage.gaussian_filter(patch, (*[max(rng.normal(0.4, 0.7), 0.0)] * 2, 0))
    small = np.stack([ndimage.map_coordinates(soft[..., c], at, order=1, mode="nearest") for c in range(3)], axis=2)
    if rng.random() < 0.3:
        small[:] = small.mean(2, keepdims=True) * (1 + rng.normal(0, 0.04, 3) * (rng.random() < 0.5))
    small = 255 * (small / 255) ** rng.uniform(0.75, 1.35) * rng.uniform(0.4, 1.1) * (1 + rng.normal(0, 0.03, 3))
    small = np.clip(small + rng.normal(0, rng.uniform(0, 4), small.shape), 0, 255)
    if rng.random() < 0.5:
        held = io.BytesIO()
        Image.fromarray(small.astype(np.uint8)).save(held, "JPEG", quality=int(rng.integers(45, 96)))
        small = np.asarray(Image.open(held), dtype=np.float64)
    return small


def drawn(mouths: Sequence[Mouth], rng: Rng) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64]]:
    """Features [n, d], which are of hidden mouths, [n], and of which mouth, [n]."""
    textures = [_coloured(getattr(skimage.data, name)()) for name in TEXTURES]
    skins = [mouth.skin.astype(np.float64) for mouth in mouths]
    patches, hidden, own = [], [], []
    for index, mouth in enumerate(mouths):
        around = Around(skin=skins[index], skins=skins, textures=textures)
        for _ in range(TIMES[mouth.set]):
            plain = mouth.patch.astype(np.float64)
            patches.append(seen_patch(plain, rng))
            hidden.append(False)
            own.append(index)
            for _ in range(2):
                picture, mask = covered(plain, WIDE_PX / WIDE, around, rng)
                share = float(mask[mouth.lips].mean()) if mouth.lips.any() else 0.3
                if share > HIDDEN or share < FREE:
                    patches.append(seen_patch(picture, rng))
                    hidden.append(share > HIDDEN)
                    own.append(index)
    return features_of(np.stack(patches)), np.array(hidden), np.array(own)


def _coloured(picture: NDArray[np.uint8]) -> Array:
    values = picture.astype(np.float64)
    return values[..., :3] if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def fitted(features: Array, hidden: NDArray[np.bool_], *, inner: int = 16) -> dict[str, Array]:
    """Weights of the net, the standardising of features folded in."""
    scaler = StandardScaler().fit(features)
    net = MLPClassifier((inner,), alpha=1.0, max_iter=60, early_stopping=True, random_state=0, n_iter_no_change=6)
    net.fit(scaler.transform(features), hidden)
    inward = net.coefs_[0].T / scaler.scale_
    return {
        "inner.weight": inward,
        "inner.bias": net.intercepts_[0] - inward @ scaler.mean_,
        "outer.weight": net.coefs_[1][:, 0],
        "outer.bias": net.intercepts_[1],
    }


def answers(weights: dict[str, Array], features: Array) -> Array:
    """[n]: log odds that mouths are hidden."""
    inner = np.maximum(features @ weights["inner.weight"].T + weights["inner.bias"], 0)
    return np.asarray(inner @ weights["outer.weight"] + weights["outer.bias"])


def main(arguments: Sequence[str]) -> None:
    data, held_out_list, out = (Path(word) for word in arguments)
    rng = np.random.default_rng(0)
    mouths = read_mouths(data, held_out_list, test=False, most=MOST)
    features, hidden, own = drawn(mouths, rng)
    kept = own % 6 != 0
    weights = fitted(features[kept], hidden[kept])
    said, kinds = answers(weights, features[~kept]), np.array([mouths[i].set for i in own[~kept]])
    seen = ~hidden[~kept]
    threshold = max(float(np.quantile(said[seen & (kinds == kind)], 1 - PASSED)) for kind in SETS)
    print(
        f"{len(hidden)} mouths, {hidden.mean():.2f} hidden; threshold {threshold:.2f}, found {np.mean(said[~seen] > threshold):.3f}"
    )
    weights["outer.bias"] = weights["outer.bias"] - threshold
    tensors = {name: torch.from_numpy(value).half() for name, value in weights.items()}
    write_tensors(out, tensors, {"format": FORMAT, "licence": LICENCE})


if __name__ == "__main__":
    main(sys.argv[1:])
