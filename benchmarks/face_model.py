"""How well the face model fits landmarks of people it never saw, and whether its coefficients are right.

python benchmarks/face_model.py DATA -o docs/results/face-model.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from held_out import rows_of
from numpy.typing import NDArray
from scipy.stats import spearmanr

from emogan_core.face_model import FaceFit, FaceModel, fit_face, load_face_model

HEADER = """\
# The face model on held-out people

```
python benchmarks/face_model.py DATA -o docs/results/face-model.md
```

One picture at a time, on MediaPipe's landmarks of people who were held out of training.

- *Misfit*: mean distance of the landmarks from the fitted mesh (identity and expression only, before the smooth residual that puts vertices on landmarks), at the places of the 68 Multi-PIE points and at all 468; an iris is 1.2 cm wide.
- *Read as neutral*: share of pictures labelled neutral whose every coefficient, gaze aside, is below 0.2; press labels are of 128 px pictures and often call a slight smile or open lips neutral.
- *Smiles*: Spearman correlation of the mouthSmile coefficient with MediaPipe's own score, over neutral and smiling pictures.
- *Single movements*: a neutral face's landmarks moved as one shape at full strength moves those that are found (by one half of the face alone where it has sides), and read again: how many of the shapes (gaze aside) rise by 0.6 or more, and how many leave every other below 0.25.

How shapes move landmarks that are found was measured on twelve training people; the number of landmark modes, the noise floor and both parts of the coefficients' prior were chosen on training people. An earlier version's proportions between the priors' widths, which are kept, had been compared on these very people.
"""
MULTIPIE = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
"""MediaPipe's numbers of the 68 Multi-PIE points."""
MOST = 150
MOVED_PEOPLE = 8
Array = NDArray[np.float64]
Labelled = tuple[dict[str, str], Array]


def read(data: Path, kind: str) -> list[Labelled]:
    """The held-out pictures of a set: their rows and landmarks [478, 2] in px."""
    stored = np.load(data / f"{kind}_landmarks.npz")
    at = {str(name): points for name, points in zip(stored["files"], stored["landmarks"], strict=True)}
    rows = rows_of(data / f"{kind}_faces.csv", held_out=True)
    return [(row, at[row["file"]][:, :2] / 8.0) for row in rows]


def misfit_cm(model: FaceModel, fit: FaceFit) -> Array:
    """[468]: distance of each landmark from the mesh."""
    at = model.landmark_vertex
    shape = model.shape(fit.identity, fit.coefficients)[at] + model.landmark_offset
    distance: Array = np.linalg.norm(fit.landmarks[:468] - fit.pose.project(shape)[:, :2], axis=1) / fit.pose.scale
    return distance


def expressive(model: FaceModel) -> NDArray[np.bool_]:
    return np.array([not name.startswith("eyeLook") for name in model.names])


def set_line(model: FaceModel, title: str, pictures: Sequence[Labelled]) -> str:
    neutral = [one for one in pictures if one[0]["expression"] == "neutral"][:MOST]
    smiling = [one for one in pictures if one[0]["expression"] == "happiness"][:MOST]
    fits = [fit_face(model, points) for _, points in (*neutral, *smiling)]
    distances = np.stack([misfit_cm(model, fit) for fit in fits])
    levels = np.stack([fit.coefficients for fit in fits])
    share_neutral = float((levels[: len(neutral), expressive(model)].max(1) < 0.2).mean())
    smile = levels[:, [model.index("mouthSmileLeft"), model.index("mouthSmileRight")]].mean(1)
    blendshapes = [float(row["mouthSmileLeft"]) + float(row["mouthSmileRight"]) for row, _ in (*neutral, *smiling)]
    rank = float(spearmanr(smile, blendshapes).statistic)
    cells = [
        title,
        f"{len(neutral)} / {len(smiling)}",
        f"{distances[:, MULTIPIE].mean():.3f}",
        f"{distances.mean():.3f}",
    ]
    cells += [
        f"{share_neutral:.0%}",
        f"{rank:.2f}",
        f"{smile[: len(neutral)].mean():.2f} / {smile[len(neutral) :].mean():.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def moved_lines(model: FaceModel, pictures: Sequence[Labelled]) -> list[str]:
    """What single movements read as, and which of them do not read as themselves."""
    which = np.flatnonzero(expressive(model))
    rises, others, found = [], [], model.found_moves()
    for _, points in [one for one in pictures if one[0]["expression"] == "neutral"][:MOVED_PEOPLE]:
        unmoved = fit_face(model, points)
        for shape in which:
            moved = points.copy()
            moved[:468] += unmoved.pose.project_change(found[shape])[:, :2]
            change = (fit_face(model, moved).coefficients - unmoved.coefficients)[which]
            rises.append(change[which == shape][0])
            others.append(change[which != shape].max())
    rise, other = (np.reshape(values, (-1, len(which))).mean(0) for values in (rises, others))
    low = [f"{model.names[k]} {value:.2f}" for k, value in zip(which, rise, strict=True) if value < 0.6]
    return [
        f"Of {len(which)} shapes {int((rise >= 0.6).sum())} rise by 0.6 or more (mean {rise.mean():.2f}), "
        f"{int((other <= 0.25).sum())} leave every other below 0.25 (means over {MOVED_PEOPLE} studio people).",
        "",
        f"Below 0.6: {', '.join(low)}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    model = load_face_model()
    studio, press = (read(arguments.data, kind) for kind in ("studio", "press"))
    lines = [
        HEADER,
        "| set | neutral / smiling | misfit at 68, cm | at 468 | read as neutral | smiles, Spearman | mouthSmile, neutral / smiling |",
        "|---|---|---|---|---|---|---|",
        set_line(model, "studio", studio),
        set_line(model, "press", press),
        "",
        *moved_lines(model, studio),
    ]
    arguments.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
