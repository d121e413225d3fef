"""The face model: its file, and the arrays in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from ..weights import builtin_path, plain_json, read_tensors

FORMAT = "emogan-face-model-1"
BUILTIN = "face_model.safetensors"
PARTS = ("face", "head_and_neck", "mouth_socket", "gums_and_tongue", "teeth", "eyeball_left", "eyeball_right")

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel:
    """A mean face, how people differ, and how expressions move it.

    Convention: v vertices in cm (x to the person's left, y up, z to the viewer): neutral [v, 3], identities [i, v, 3]
    (coefficients about N(0, 1)), expressions [k, v, 3] (coefficients 0 to 1, `names` in order). triangles [t, 3], each
    of one of PARTS (triangle_part [t]); part_vertices says which vertices a part has. landmark_vertex [468] is the
    vertex of each of MediaPipe's points, landmark_offset [468, 3] in cm from there to where MediaPipe puts the point;
    landmark_moves [k, 468, 2] in cm (x, y) is how a shape moves the points that are found, which is not how it moves
    those vertices: points stay behind, and slide over cheeks and jaw. landmark_modes [m, 468, 2] in cm of an upright head are how people's landmarks differ beyond the identities (coefficients N(0, 1)),
    landmark_sd [468] what is left as noise; coefficient_precision [k, k] is the inverse covariance of the normal part of
    the expression coefficients' prior, coefficient_rate [k] the rate of its exponential part. gaze_rest [2] is the gaze
    (radians, to the picture's right and up) that reads as straight.
    """

    names: tuple[str, ...]
    neutral: Single
    identities: Single
    expressions: Single
    triangles: NDArray[np.int32]
    triangle_part: NDArray[np.int8]
    part_vertices: Mapping[str, slice]
    landmark_vertex: NDArray[np.int32]
    landmark_offset: Single
    landmark_moves: Single
    landmark_modes: Single
    landmark_sd: Single
    coefficient_precision: Single
    coefficient_rate: Single
    gaze_rest: Single

    def shape(self, identity: Array, coefficients: Array) -> Array:
        """Vertices [v, 3] in cm of a person's face with an expression."""
        return np.asarray(
            self.neutral + np.tensordot(identity, self.identities, 1) + np.tensordot(coefficients, self.expressions, 1),
            dtype=np.float64,
        )

    def found_moves(self) -> Array:
        """[k, 468, 3] in cm: how each shape moves the landmarks that are found; their depth is the mesh's."""
        depth = self.expressions[:, self.landmark_vertex, 2:]
        return np.concatenate([self.landmark_moves, depth], axis=-1).astype(np.float64)

    def index(self, name: str) -> int:
        """The place of a shape in `names`."""
        return self.names.index(name)

    @property
    def face_vertices(self) -> int:
        """How many vertices the skin of the face has; they come first."""
        return int(self.part_vertices["face"].stop)


@cache
def load_face_model() -> FaceModel:
    """The face model that ships with the package.

    Raises: CheckpointError when its file is missing or another one.
    Source: ICT-FaceKit (Li et al. 2020, Learning Formation of Physically-Based Face Attributes), Light version, MIT.
    """
    return read_face_model(builtin_path(BUILTIN))


def read_face_model(path: Path) -> FaceModel:
    """A face model from a file that `emogan_core.training.face_model` wrote.

    Raises: CheckpointError when it is another file or damaged.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path.name} is no face model (format '{metadata.get('format', 'none')}'); needed '{FORMAT}', "
            "install the package again"
        )
    try:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        names = tuple(plain_json(metadata["names"]))
        ranges = plain_json(metadata["part_vertices"])
        expressions = expressions_of(arrays, len(names))
        return FaceModel(
            names=names,
            neutral=arrays["neutral"],
            identities=_identities(arrays),
            expressions=expressions,
            triangles=arrays["triangles"].astype(np.int32),
            triangle_part=arrays["triangle_part"].astype(np.int8),
            part_vertices={part: slice(*ranges[part]) for part in PARTS},
            landmark_vertex=arrays["landmark_vertex"].astype(np.int32),
            landmark_offset=arrays["landmark_offset"],
            landmark_moves=_landmark_moves(arrays, expressions, names),
            landmark_modes=arrays["landmark_modes"],
            landmark_sd=arrays["landmark_sd"],
            coefficient_precision=arrays["coefficient_precision"],
            coefficient_rate=arrays["coefficient_rate"],
            gaze_rest=arrays["gaze_rest"],
        )
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise CheckpointError(
            f"{path.name} lacks a part of the face model ({type(error).__name__}: {error}); install the package again"
        ) from error


def _identities(arrays: Mapping[str, NDArray[Any]]) -> Single:
    """[i, v, 3]: stored in full on the skin, as an affine map for each rigid piece inside (tooth, gums, eyeball)."""
    skin, maps, piece = arrays["identity_skin"], arrays["identity_affine"], arrays["piece"].astype(np.int64)
    neutral = arrays["neutral"]
    whole = np.zeros((len(skin), len(neutral), 3), dtype=np.float32)
    whole[:, : skin.shape[1]] = skin
    inside = np.column_stack([neutral[skin.shape[1] :], np.ones(len(neutral) - skin.shape[1])]).astype(np.float32)
    whole[:, skin.shape[1] :] = np.einsum("va,ivad->ivd", inside, maps[:, piece])
    return whole


def expressions_of(arrays: Mapping[str, NDArray[Any]], count: int) -> Single:
    """[k, v, 3]: stored as the vertices that each shape moves."""
    whole = np.zeros((count, len(arrays["neutral"]), 3), dtype=np.float32)
    starts = arrays["expression_start"].astype(np.int64)
    vertices = arrays["expression_vertex"].astype(np.int64)
    for k in range(count):
        part = slice(starts[k], starts[k + 1])
        whole[k, vertices[part]] = arrays["expression_move"][part]
    return whole


def _landmark_moves(arrays: Mapping[str, NDArray[Any]], expressions: Single, names: Sequence[str]) -> Single:
    """[k, 468, 2]: stored but for gazes, which are read on the irises; their lids move as the mesh does."""
    moves: Single = expressions[:, arrays["landmark_vertex"].astype(np.int64), :2]
    moves[measured_shapes(names)] = arrays["landmark_moves"]
    return moves


def measured_shapes(names: Sequence[str]) -> list[int]:
    """The shapes that are read on the 468 points: all but gazes."""
    return [index for index, name in enumerate(names) if not name.startswith("eyeLook")]
