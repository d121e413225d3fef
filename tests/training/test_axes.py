"""The recipe of the built-in axes: choosing by blendshapes, splitting by person, and a whole small run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.expressions import FitConfig, LabelledLatents, StepConfig
from emogan_core.expressions.tables import MIN_PEOPLE
from emogan_core.latents import Latent
from emogan_core.training.axes import (
    CHOSEN,
    COVARIATES,
    EXPRESSIONS,
    SCORES,
    choose_by_score,
    fit,
    read_faces,
    save_sheets,
    split,
)

BLENDSHAPES = sorted(
    {f"{name}{side}" for weights in SCORES.values() for name in weights if name not in ("jawOpen", "browInnerUp", "mouthShrugLower")
     for side in ("Left", "Right")} | {"jawOpen", "browInnerUp", "mouthShrugLower"}
)  # fmt: skip


def drawn(n: int, rng: np.random.Generator) -> dict[str, tuple[float, ...]]:
    held = {name: tuple(rng.normal(size=n)) for name in COVARIATES if name != "colour"}
    shapes = {name: tuple(rng.random(n)) for name in BLENDSHAPES}
    return {**held, "colour": (0.0,) * n, **shapes}


@pytest.fixture(scope="module")
def labelled(tiny) -> LabelledLatents:
    rng = np.random.default_rng(0)
    n = 900
    labels = tuple(rng.choice(["neutral", *EXPRESSIONS], size=n, p=[0.7, 0.12, 0.06, 0.06, 0.03, 0.03]))
    values = drawn(n, rng)
    w = rng.normal(size=(n, tiny.spec.w_dim))
    for index, name in enumerate(("happiness", "surprise", "anger")):
        w[np.array(labels) == name, index] += 3.0
    w[:, 4] += 4.0 * np.array(values["browInnerUp"]) + 4.0 * np.array(values["mouthFrownLeft"])
    w[:, 5] += 4.0 * np.array(values["browDownLeft"]) + 4.0 * np.array(values["mouthUpperUpLeft"])
    ws = torch.from_numpy(w).float().unsqueeze(1).expand(-1, tiny.spec.num_ws, -1)
    codes = Latent(ws, tiny.fingerprint)
    people = tuple(f"person {index // 3}" for index in range(n))
    return LabelledLatents(codes, labels, people, values, (), mirrored=codes)


def test_golden_chosen_pictures_score_highest(labelled):
    chosen = choose_by_score(labelled.labels, labelled.covariates)
    assert chosen.count("disgust") == CHOSEN["disgust"]  # whoever scores high in both is disgusted
    assert CHOSEN["sadness"] // 2 < chosen.count("sadness")
    frown = np.array(labelled.covariates["mouthFrownLeft"]) + np.array(labelled.covariates["browInnerUp"])
    assert frown[np.array(chosen) == "sadness"].mean() > frown[np.array(chosen) == "neutral"].mean() + 0.3
    kept = [index for index, label in enumerate(labelled.labels) if label in ("happiness", "surprise")]
    assert [chosen[index] for index in kept] == [labelled.labels[index] for index in kept]


def test_golden_pictures_in_their_own_colour_are_never_chosen(labelled):
    colour = tuple(float(index % 2) for index in range(len(labelled.labels)))
    chosen = choose_by_score(labelled.labels, {**labelled.covariates, "colour": colour})
    assert all(chosen[index] != "disgust" for index in range(1, len(chosen), 2))


def test_golden_split_is_by_person(labelled):
    out = frozenset(f"person {index}" for index in range(0, 300, 7))
    parts = split(labelled, out)
    assert set(parts.held_out.people) == out
    assert not set(parts.fitted.people) & out
    assert len(parts.fitted.latents) + len(parts.held_out.latents) == len(labelled.latents)
    assert parts.fitted.mirrored is not None
    assert len(parts.fitted.mirrored) == len(parts.fitted.labels)


@pytest.mark.slow
def test_golden_a_whole_small_fit_is_told_honestly(tiny, labelled, tmp_path):
    config = FitConfig(
        expressions=EXPRESSIONS,
        floor=MIN_PEOPLE,
        steps=StepConfig(through_actions=tuple(SCORES), hold_expressions=("happiness",)),
    )
    axes = fit(labelled, config)
    assert set(axes.names) == set(EXPRESSIONS)
    assert axes["disgust"].experimental
    for axis in axes:
        assert ("MediaPipe" in axis.label_source) == (axis.name in SCORES)
        assert "CC BY 4.0" in axis.licence
    assert axes["happiness"].direction[0].argmax() == 0
    assert axes["sadness"].direction[0].argmax() == 4
    assert axes["disgust"].direction[0].argmax() == 5
    save_sheets(tiny, replace(axes, axes=axes.axes[:1]), labelled, tmp_path, faces=3)
    with Image.open(tmp_path / "happiness.png") as sheet:
        assert sheet.width > 5 * 64


def test_golden_face_sets_become_one(tmp_path):
    header = [
        "file",
        "person",
        "expression",
        "yaw_deg",
        "pitch_deg",
        "roll_deg",
        "browDownLeft",
        "jawOpen",
        "noseSneerRight",
    ]
    pairs = []
    for number, extra in enumerate(([], ["colour"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = [",".join(header + extra)]
        for index, colour in enumerate(("photo", "estimated")):
            (folder / f"{index}.jpg").write_bytes(b"x")
            cells = [
                f"{index}.jpg",
                f"p{number}",
                "neutral",
                "1",
                "2",
                "3",
                "0.1",
                "0.2",
                "0.3",
                *([colour] if extra else []),
            ]
            rows.append(",".join(cells))
        (folder / "faces.csv").write_text("\n".join(rows) + "\n")
        pairs.append((folder, folder / "faces.csv"))
    faces = read_faces(pairs)
    assert len(faces) == 4
    assert faces.covariates["set"] == (0.0, 0.0, 1.0, 1.0)
    assert faces.covariates["colour"] == (1.0, 1.0, 1.0, 0.0)
    assert faces.covariates["jawOpen"] == (0.2,) * 4
    assert faces.people == ("p0", "p0", "p1", "p1")
