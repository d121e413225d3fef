"""The recipe of the shipped face model: ICT-FaceKit Light, reduced, with what landmarks of real faces add to it.

    python -m emogan_core.training.face_model DATA HELD_OUT OUT.safetensors

DATA holds `face_model/ict_face_model.safetensors` and the labelled landmarks (`press_landmarks.npz`, `studio_...`, with
their tables); HELD_OUT lists people who are left out.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..face_model.fit import FULL_GAZE, POINTS, fit_faces, turns_of
from ..face_model.model import FORMAT, PARTS, FaceModel, expressions_of, measured_shapes, read_face_model
from ..face_model.names import mirror_order
from ..weights import write_tensors
from .data import read_held_out

IDENTITIES = 36
LEAST_MOVE_CM = 0.0035  # what a shape moves less is left out: a fifth of a pixel in a face of 700 px
MODES = 40
FRONTAL_DEG = 12.0
NEUTRALS = 1000
FIRST_SD_CM = 0.12
NO_EXPRESSION = 1e8  # precision of coefficients that are held at 0
STUDIO_HELD, PRESS_HELD = 0.9, 0.6
"""The exponential prior of a shape just holds it at 0 in these shares of neutral training pictures, whichever needs more; of
the press only so many, because its labels call open lips and slight smiles neutral."""
SELDOM_HELD = {"browInnerUp": 0.75}
"""Other such shares of studio pictures, the press aside: raised brows would otherwise hardly ever stand out against brows
that are somebody's own."""
MODEL_SD_CM = 0.05  # by how much the shapes themselves are wrong: real smiles are not the model's
PAIRS = 150
KEPT_FREE = ("happiness", "surprise")  # expressions whose directions no mode may explain
COEFFICIENT_SD = {
    "mouthSmile": 0.7,
    "eyeBlink": 0.56,
    "jawOpen": 0.49,
    "browInnerUp": 0.49,
    "browOuterUp": 0.42,
    "noseSneer": 0.42,
    "browDown": 0.35,
    "eyeSquint": 0.35,
    "eyeWide": 0.35,
    "mouthPress": 0.28,
    "mouthFrown": 0.25,
    "mouthLowerDown": 0.28,
    "mouthPucker": 0.21,
    "mouthShrugUpper": 0.1,
    "jawLeft": 0.11,
    "jawRight": 0.11,
    "cheekPuff": 0.07,
    "mouthClose": 0.07,
    "jawForward": 0.04,
}
"""How far each shape goes under the normal part of the prior. Started from the differences between two pictures of one
person, then lowered where neutral training faces read as something else; 1.4 times that since the exponential part holds
those at 0."""
OTHER_SD = 0.31
APART_SD = 0.21  # by how much left and right usually differ

LICENCE = "MIT, Copyright (c) 2020 USC Institute for Creative Technologies"

Array = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture: who, which expression, its 478 landmarks [478, 2] in px, and how far the head is turned."""

    person: str
    expression: str
    landmarks: Array
    yaw_deg: float


def main(arguments: Sequence[str]) -> None:
    data, held_out, out = (Path(word) for word in arguments)
    reduced, names, ranges = reduce_model(data / "face_model" / "ict_face_model.safetensors")
    own = _no_statistics(len(names)) | {"landmark_moves": own_moves(reduced, names)}
    save(out, reduced | own, names, ranges)
    pictures = read_pictures(data, people_left_out=read_held_out(held_out))
    learned = learn(read_face_model(out), pictures)
    save(out, reduced | own | learned, names, ranges)
    print(f"wrote {out}, {out.stat().st_size / 1e6:.2f} MB")


def reduce_model(source: Path) -> tuple[Arrays, tuple[str, ...], dict[str, list[int]]]:
    """Fewer identities, inner pieces as affine maps, shapes as the vertices they move; names in ARKit's spelling."""
    with safe_open(str(source), "np") as file:
        about = file.metadata()
        whole = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a safetensors handle is no dict
    names = tuple(arkit_name(name) for name in json.loads(about["expressions"]))
    ranges = dict(zip(json.loads(about["parts"]), json.loads(about["part_vertices"]), strict=True))
    neutral = whole["neutral"].astype(np.float32)
    identities = whole["identities"][:IDENTITIES].astype(np.float32)
    skin = ranges["mouth_socket"][1]
    pieces = _pieces(whole["triangles"], len(neutral))[skin:]
    piece = np.unique(pieces, return_inverse=True)[1].astype(np.int64)
    moves = whole["expressions"].astype(np.float32)
    for side in ("left", "right"):
        _turn_eyeball(moves, neutral, names, side=side, ball=slice(*ranges[f"eyeball_{side}"]))
    moving = np.linalg.norm(moves, axis=-1) > LEAST_MOVE_CM  # [k, v]
    reduced: Arrays = {
        "neutral": neutral,
        "identity_skin": identities[:, :skin].astype(np.float16),
        "identity_affine": _affine(neutral[skin:], identities[:, skin:], piece),
        "piece": piece.astype(np.uint8),
        "expression_start": np.r_[0, moving.sum(1).cumsum()].astype(np.int32),
        "expression_vertex": np.nonzero(moving)[1].astype(np.int16),
        "expression_move": moves[moving].astype(np.float16),
        "triangles": whole["triangles"].astype(np.int16),
        "triangle_part": whole["triangle_part"].astype(np.int8),
        "landmark_vertex": whole["mediapipe468_vertex"].astype(np.int32),
    }
    return reduced, names, {part: ranges[part] for part in PARTS}


def arkit_name(name: str) -> str:
    """browDown_L as ARKit spells it: browDownLeft."""
    for short, long in (("_L", "Left"), ("_R", "Right")):
        if name.endswith(short):
            return name.removesuffix(short) + long
    return name


def _turn_eyeball(
    moves: NDArray[np.float32], neutral: NDArray[np.float32], names: Sequence[str], *, side: str, ball: slice
) -> None:
    """Let the eyeLook shapes turn the eyeball, which they leave still in the source; `moves` is written to."""
    outward = 1.0 if side == "left" else -1.0
    ways = {"Up": (1, 1.0), "Down": (1, -1.0), "Out": (0, outward), "In": (0, -outward)}
    low, high = neutral[ball].min(0), neutral[ball].max(0)
    from_centre = neutral[ball] - (low + high) / 2
    for way, (axis, sign) in ways.items():
        turned = from_centre.copy()
        turned[:, axis] = np.cos(FULL_GAZE) * from_centre[:, axis] + sign * np.sin(FULL_GAZE) * from_centre[:, 2]
        turned[:, 2] = np.cos(FULL_GAZE) * from_centre[:, 2] - sign * np.sin(FULL_GAZE) * from_centre[:, axis]
        moves[names.index(f"eyeLook{way}{side.capitalize()}"), ball] = turned - from_centre


def _pieces(triangles: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """The connected piece that each vertex belongs to."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    links = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1])


def _affine(neutral: NDArray[np.float32], moves: NDArray[np.float32], piece: NDArray[np.int64]) -> NDArray[np.float32]:
    """[i, pieces, 4, 3]: the affine map that moves each piece as an identity moves its vertices."""
    maps = np.zeros((len(moves), piece.max() + 1, 4, 3), dtype=np.float32)
    for index in range(piece.max() + 1):
        own = piece == index
        design = np.column_stack([neutral[own], np.ones(own.sum())]).astype(np.float64)
        wanted = moves[:, own].transpose(1, 0, 2).reshape(own.sum(), -1)
        maps[:, index] = np.linalg.lstsq(design, wanted, rcond=None)[0].reshape(4, len(moves), 3).transpose(1, 0, 2)
    return maps


def _no_statistics(shapes: int) -> Arrays:
    """What stands in the file before anything was learned: no offsets, no modes, expressions forbidden."""
    return {
        "landmark_offset": np.zeros((468, 3), dtype=np.float32),
        "landmark_modes": np.zeros((0, 468, 2), dtype=np.float32),
        "landmark_sd": np.full(468, FIRST_SD_CM, dtype=np.float32),
        "coefficient_precision": (NO_EXPRESSION * np.eye(shapes)).astype(np.float32),
        "coefficient_rate": np.zeros(shapes, dtype=np.float32),
        "gaze_rest": np.zeros(2, dtype=np.float32),
    }


def own_moves(reduced: Arrays, names: Sequence[str]) -> NDArray[np.float16]:
    """[m, 468, 2]: landmarks that move as the mesh does, until `emogan_core.training.landmark_moves` has measured them."""
    moves = expressions_of(reduced, len(names))[:, reduced["landmark_vertex"].astype(np.int64), :2]
    return np.asarray(moves[measured_shapes(names)], dtype=np.float16)


def without_statistics(model: FaceModel) -> FaceModel:
    """The model as it was before anything was learned of landmarks, but for how shapes move them."""
    return replace(model, **_no_statistics(len(model.names)))  # type: ignore[arg-type]


def read_pictures(data: Path, *, people_left_out: frozenset[str]) -> list[Picture]:
    """The training pictures of both sets."""
    pictures = []
    for kind in ("studio", "press"):
        stored = np.load(data / f"{kind}_landmarks.npz")
        at = {str(name): points for name, points in zip(stored["files"], stored["landmarks"], strict=True)}
        with (data / f"{kind}_faces.csv").open(newline="") as lines:
            pictures += [
                Picture(row["person"], row["expression"], at[row["file"]][:, :2] / 8.0, float(row["yaw_deg"]))
                for row in csv.DictReader(lines)
                if row["person"] not in people_left_out
            ]
    return pictures


def learn(model: FaceModel, pictures: Sequence[Picture]) -> Arrays:
    """Where landmarks lie on the mesh, how people's differ beyond the identities, and how expressions vary."""
    neutral = _spread([p for p in pictures if p.expression == "neutral" and abs(p.yaw_deg) < FRONTAL_DEG])
    turns = [turns_of(model, p.landmarks) for p in neutral]
    model = replace(model, gaze_rest=np.median(turns, axis=0).astype(np.float32))
    for _ in range(2):
        left = np.stack([_misfit(model, p) for p in neutral])  # [n, 468, 2] cm
        offset = model.landmark_offset.copy()
        offset[:, :2] += left.mean(0).astype(np.float32)
        model = replace(model, landmark_offset=offset)
    left = np.stack([_misfit(model, p) for p in neutral])
    print(f"neutral faces: {np.linalg.norm(left, axis=-1).mean():.4f} cm from the model without modes")
    flat = (left - left.mean(0)).reshape(len(left), -1)
    free, _ = np.linalg.qr(np.stack([_shown(model, pictures, name).ravel() for name in KEPT_FREE]).T)
    flat = flat - (flat @ free) @ free.T
    _, lengths, right = np.linalg.svd(flat, full_matrices=False)
    modes = (right[:MODES] * (lengths[:MODES, None] / np.sqrt(len(left)))).reshape(MODES, 468, 2)
    rest = flat - (flat @ right[:MODES].T) @ right[:MODES]
    sd = np.sqrt((rest.reshape(left.shape) ** 2).mean((0, 2)) + MODEL_SD_CM**2)
    print(f"modes take {1 - (rest**2).sum() / (flat**2).sum():.2f} of its variance")
    model = replace(model, landmark_modes=modes.astype(np.float16), landmark_sd=sd.astype(np.float32))
    return {
        "landmark_offset": model.landmark_offset,
        "landmark_modes": model.landmark_modes,
        "landmark_sd": model.landmark_sd,
        "coefficient_precision": precision_of(model.names).astype(np.float32),
        "coefficient_rate": rates(model, neutral).astype(np.float32),
        "gaze_rest": model.gaze_rest,
    }


def rates(model: FaceModel, neutral: Sequence[Picture]) -> Array:
    """[k]: how strongly neutral pictures pull at each shape while all are held at 0, at the shares above; sides alike."""
    pulls = np.stack([fit_faces(model, [p.landmarks])[0].coefficients for p in neutral]) * NO_EXPRESSION
    studio = np.array([_of_studio(p) for p in neutral])
    needed = np.maximum(
        np.quantile(pulls[studio], STUDIO_HELD, axis=0), np.quantile(pulls[~studio], PRESS_HELD, axis=0)
    )
    for start, share in SELDOM_HELD.items():
        own = [index for index, name in enumerate(model.names) if name.startswith(start)]
        needed[own] = np.quantile(pulls[studio][:, own], share, axis=0)
    alike = (needed + needed[mirror_order(model.names)]) / 2
    alike[np.setdiff1d(np.arange(len(alike)), measured_shapes(model.names))] = 0.0  # gazes are not read on these points
    return np.asarray(alike)


def _of_studio(picture: Picture) -> bool:
    return picture.person.startswith(("london_", "canada_"))


def _spread(pictures: Sequence[Picture]) -> list[Picture]:
    """All studio pictures, which come first and are the sharpest, and press pictures at even steps."""
    studio = [p for p in pictures if _of_studio(p)]
    press = pictures[len(studio) :]
    return studio + list(press[:: max(1, len(press) // (NEUTRALS - len(studio)))])[: NEUTRALS - len(studio)]


def _misfit(model: FaceModel, picture: Picture) -> Array:
    """[468, 2] in cm, upright: landmarks less the fitted model."""
    (misfit,) = _misfits(model, [picture])
    return misfit


def _misfits(model: FaceModel, pictures: Sequence[Picture]) -> list[Array]:
    """Of several pictures of one person, who has one identity in all of them."""
    found = []
    at = model.landmark_vertex
    for picture, fit in zip(pictures, fit_faces(model, [p.landmarks for p in pictures]), strict=True):
        shape = model.neutral[at] + model.landmark_offset + np.tensordot(fit.identity, model.identities[:, at], 1)
        shape = shape + np.tensordot(fit.coefficients, model.expressions[:, at], 1)
        misfit = (picture.landmarks[:468] - fit.pose.project(shape)[:, :2]) * (1.0, -1.0) / fit.pose.scale
        found.append(np.asarray(misfit @ fit.pose.rotation[:2, :2]))
    return found


def _shown(model: FaceModel, pictures: Sequence[Picture], expression: str) -> Array:
    """[468, 2] in cm: how landmarks move on average from a person's neutral picture to an expressive one."""
    by_person: dict[str, list[Picture]] = {}
    for picture in pictures:
        if abs(picture.yaw_deg) < FRONTAL_DEG:
            by_person.setdefault(picture.person, []).append(picture)
    moves: list[Array] = []
    for shown in by_person.values():
        pair = [next((p for p in shown if p.expression == name), None) for name in ("neutral", expression)]
        both = [p for p in pair if p is not None]
        if len(both) == 2 and len(moves) < PAIRS:
            before, after = _misfits(model, both)
            moves.append(after - before)
    return np.asarray(np.mean(moves, axis=0))


def precision_of(names: Sequence[str]) -> Array:
    """[k, k] inverse covariance of coefficients: how far each goes, and left and right mostly together."""
    sd = [
        next((value for start, value in COEFFICIENT_SD.items() if name.startswith(start)), OTHER_SD) for name in names
    ]
    precision = np.diag(1 / np.square(sd))
    for index, other in enumerate(mirror_order(names)):
        if other > index:
            pair = np.ix_([index, other], [index, other])
            precision[pair] += np.array([[1, -1], [-1, 1]]) / (2 * APART_SD**2)
    return precision


def save(
    out: Path, arrays: Mapping[str, NDArray[np.generic]], names: Sequence[str], ranges: Mapping[str, list[int]]
) -> None:
    metadata = {
        "format": FORMAT,
        "names": json.dumps(names),
        "part_vertices": json.dumps(ranges),
        "units": "cm; x to the person's left, y up, z towards the viewer",
        "source": "ICT-FaceKit Light (ICT-VGL/ICT-FaceKit), reduced; landmark statistics of studio and press faces",
        "licence": LICENCE,
        "points": str(POINTS),
    }
    write_tensors(out, {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}, metadata)


if __name__ == "__main__":
    main(sys.argv[1:])
