"""Probes: measures of faces that know nothing of our generator: histograms of gradients, read by linear models.

They are fitted on people in training, on other labels than the axes: MediaPipe's estimate of the smile, and names for
identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
SMILE = ("mouthSmileLeft", "mouthSmileRight")

Array = NDArray[np.float64]


def features(picture: Image.Image) -> Array:
    """Histogram-of-gradients features of a face in the tight frame, at 128 px, brightness ignored."""
    gray = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    return np.asarray(hog(gray, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2), block_norm="L2-Hys"))


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features [n, d] of labelled pictures, with people, and how much each smiles, 0 to 1, [n]."""

    x: Array
    people: tuple[str, ...]
    smile: Array


def smile_of(rows: Sequence[Mapping[str, str]]) -> Array:
    """[n]: MediaPipe's estimate of the smile in the rows of a table, both sides together."""
    return np.array([np.mean([float(row[name]) for name in SMILE]) for row in rows])


def fit_smile_probe(faces: LabelledFeatures) -> Pipeline:
    """A ridge regression from features to the smile."""
    ridge = make_pipeline(StandardScaler(), PCA(300, random_state=0), RidgeCV(np.logspace(0, 5, 11)))
    return ridge.fit(faces.x, faces.smile)


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
    u, v = probe.transform(a), probe.transform(b)
    return np.asarray((u * v).sum(1) / (np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)))
