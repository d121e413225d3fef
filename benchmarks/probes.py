"""Probes: measures of faces that know nothing of our generator: histograms of gradients, read by linear models.

They are fitted on people in training, on other labels than the axes (MediaPipe's blendshape estimates for expressions,
names for identity), and are tested on held-out people before anybody believes them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import hog
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

SIDE = 128
SCORES = {
    "happiness": ("mouthSmileLeft", "mouthSmileRight"),
    "surprise": ("jawOpen", "browOuterUpLeft", "browOuterUpRight", "eyeWideLeft", "eyeWideRight"),
    "anger": ("browDownLeft", "browDownRight"),
    "sadness": ("mouthFrownLeft", "mouthFrownRight"),
    "disgust": ("noseSneerLeft", "noseSneerRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
}

Array = NDArray[np.float64]


def features(picture: Image.Image) -> Array:
    """Histogram-of-gradients features of a face in the tight frame, at 128 px, brightness ignored."""
    gray = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    return np.asarray(hog(gray, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2), block_norm="L2-Hys"))


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features [n, d] of labelled pictures, with people, expressions, and blendshape sums by expression [n]."""

    x: Array
    people: tuple[str, ...]
    expressions: tuple[str, ...]
    scores: dict[str, Array]


def read_features(folder: Path, table: Path, *, keep: slice) -> LabelledFeatures:
    """Features of the pictures a table lists, every so many of them."""
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))[keep]
    x = []
    for row in rows:
        with Image.open(folder / row["file"]) as picture:
            x.append(features(picture))
    people, expressions = (tuple(row[name] for row in rows) for name in ("person", "expression"))
    return LabelledFeatures(np.stack(x), people, expressions, scores_of(rows))


def scores_of(rows: Sequence[Mapping[str, str]]) -> dict[str, Array]:
    """Mean blendshapes [n] of a table's rows, by expression."""
    return {
        name: np.array([np.mean([float(row[c]) for c in columns]) for row in rows]) for name, columns in SCORES.items()
    }


def fit_expression_probes(faces: LabelledFeatures, *, names: Sequence[str] = tuple(SCORES)) -> dict[str, Pipeline]:
    """One ridge regression per expression, features to mean blendshape in 0..1."""
    return {name: _ridge().fit(faces.x, faces.scores[name]) for name in names}


def _ridge() -> Pipeline:
    return make_pipeline(StandardScaler(), PCA(300, random_state=0), RidgeCV(np.logspace(0, 5, 11)))


def fit_identity_probe(faces: LabelledFeatures) -> Pipeline:
    """Fisher faces: principal components, then the directions that tell people with three pictures or more apart."""
    counts: dict[str, int] = {}
    for person in faces.people:
        counts[person] = counts.get(person, 0) + 1
    keep = np.array([counts[person] >= 3 for person in faces.people])
    names = np.array(faces.people)[keep]
    probe = make_pipeline(
        StandardScaler(),
        PCA(200, random_state=0),
        LinearDiscriminantAnalysis(n_components=100, solver="eigen", shrinkage="auto"),
    )
    return probe.fit(faces.x[keep], names)


def likeness(probe: Pipeline, a: Array, b: Array) -> Array:
    """[n]: cosine between the identity codes of two feature sets [n, d]."""
    return cosine(probe.transform(a), probe.transform(b))


class Recogniser:
    """A face recogniser somebody brings as an ONNX file (112 px RGB in [-1, 1] to an embedding); never shipped."""

    def __init__(self, path: Path) -> None:
        import onnxruntime  # only needed with --identity: pip install onnxruntime

        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def transform(self, pictures: list[Image.Image]) -> Array:
        """[n, d] embeddings."""
        small = [
            np.asarray(p.convert("RGB").resize((112, 112), Image.Resampling.LANCZOS), np.float32) for p in pictures
        ]
        batch = np.stack(small).transpose(0, 3, 1, 2) / 127.5 - 1
        return np.concatenate([self.session.run(None, {self.input: one[None].astype(np.float32)})[0] for one in batch])


def cosine(u: Array, v: Array) -> Array:
    """[n]: cosine between the rows of two sets of codes [n, d]."""
    return np.asarray((u * v).sum(1) / (np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)))
