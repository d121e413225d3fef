"""Labels for an IMAGE batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import TINY, make_generator

from emogan_core.networks import tensors_of


@pytest.fixture(scope="module")
def generator(part):
    """The tiny generator, built by the pack's own core."""
    spec = part("emogan_core.networks").GeneratorSpec(
        **{name: getattr(TINY, name) for name in TINY.__dataclass_fields__}
    )
    return part("emogan_core.networks").build_generator(spec, tensors_of(make_generator()))


def coding(part, *, aligned: bool = True, method: str = "encode", progress=lambda report: None):
    return part("nodes.face_sets").CodingOptions(aligned=aligned, method=method, progress=progress)


@pytest.mark.slow
def test_shape_labels_by_line_or_comma(part, generator) -> None:
    steps: list[tuple[str, int]] = []
    labelled, told = part("nodes.face_sets").from_batch(
        generator,
        torch.rand(80, 16, 16, 3),
        "neutral, neutral\n" * 20 + "happiness\n\n" * 40,
        "",
        how=coding(part, progress=lambda report: steps.append((report.what, report.step))),
    )
    assert told == ()
    assert labelled.labels == ("neutral",) * 40 + ("happiness",) * 40
    assert labelled.people is None
    assert labelled.latents.ws.shape == (80, TINY.num_ws, TINY.w_dim)
    assert labelled.coefficients.shape[0] == 80
    assert [step for what, step in steps if what == "inverting the face set"] == list(range(1, 81))


@pytest.mark.parametrize(
    ("labels", "people", "sentence"),
    [
        ("neutral", "", "1 label came for 3 images"),
        ("a,b,c", "x,y", "2 people came for 3 images"),
        ("neutral, neutral, happiness", "", "needed are 12 or more"),
    ],
)
def test_error_numbers_differ_or_are_too_small(part, generator, labels: str, people: str, sentence: str) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match=sentence):
        part("nodes.face_sets").from_batch(generator, torch.rand(3, 8, 8, 3), labels, people, how=coding(part))


def test_error_nothing_connected(part, generator) -> None:
    with pytest.raises(part("emogan_core.errors").ExpressionError, match="no faces came"):
        part("nodes.face_sets").from_batch(generator, None, "", "", how=coding(part))


def test_error_no_face_anywhere(part, generator, monkeypatch: pytest.MonkeyPatch) -> None:
    face_sets, labelled = part("nodes.face_sets"), part("emogan_core.expressions.labelled")
    monkeypatch.setattr(labelled, "choose_face", lambda photo: (_ for _ in ()).throw(labelled.FaceError("none")))
    with pytest.raises(
        part("emogan_core.errors").ExpressionError, match=r"none of the pictures \(80 in all\) shows a usable face"
    ):
        face_sets.from_batch(
            generator,
            torch.zeros(80, 8, 8, 3),
            "neutral," * 40 + "happiness," * 40,
            "",
            how=coding(part, aligned=False),
        )


def test_error_no_encoder(part, monkeypatch: pytest.MonkeyPatch) -> None:
    networks, face_sets = part("emogan_core.networks"), part("nodes.face_sets")
    spec = networks.GeneratorSpec(**{name: getattr(TINY, name) for name in TINY.__dataclass_fields__})
    bare = networks.build_generator(spec, tensors_of(make_generator(companions=False)))
    labels = "neutral," * 40 + "happiness," * 40
    with pytest.raises(part("emogan_core.errors").CheckpointError, match="use 'optimise' or 'hybrid'"):
        face_sets.from_batch(bare, torch.rand(80, 8, 8, 3), labels, "", how=coding(part))
    module, groups = part("emogan_core.expressions.labelled"), []

    def short(generator, images, *, config, progress):
        groups.append(len(images))
        ws = torch.zeros(len(images), TINY.num_ws, TINY.w_dim)
        return part("emogan_core.latents").Latent(ws, generator.fingerprint)

    monkeypatch.setitem(module.CODE_METHODS, "optimise", short)
    labelled, _ = face_sets.from_batch(bare, torch.rand(80, 8, 8, 3), labels, "", how=coding(part, method="optimise"))
    assert len(labelled.latents) == 80
    assert sum(groups) == 80


def test_golden_twelve_examples_of_an_image_batch_move_photos(part, generator, monkeypatch: pytest.MonkeyPatch) -> None:
    face_sets, expressions = part("nodes.face_sets"), part("emogan_core.expressions")
    labelling, model = part("emogan_core.expressions.labelled"), part("emogan_core.face_model").load_face_model()
    names = model.names
    seen: list[int] = []

    def read(photo, face):  # pictures of noise show no face: the smiles come after the neutral ones
        seen.append(len(seen))
        smiles = [0.6 * (seen[-1] >= 12) if name.startswith("mouthSmile") else 0.0 for name in names]
        smiles += 0.01 * np.random.default_rng(seen[-1]).random(len(names))
        return labelling.Fitted(smiles, np.zeros(model.face_vertices, dtype=np.float16))

    monkeypatch.setattr(labelling, "_fitted", read)
    labelled, told = face_sets.from_batch(
        generator, torch.rand(24, 16, 16, 3), "Neutral," * 12 + "smile," * 11 + "Smile", "", how=coding(part)
    )
    assert told == ("labels: 'Neutral' as neutral",)
    axes = expressions.fit_expressions(labelled.latents, labelled.labels, coefficients=labelled.coefficients)
    (axis,) = axes
    assert (axis.name, axis.has_coefficients, axis.has_direction) == ("smile", True, False)
    step = dict(zip(names, axis.coefficients.tolist(), strict=True))
    assert step["mouthSmileLeft"] == pytest.approx(0.6, abs=0.1)


def test_shape_a_table_tells_how_it_was_read_and_what_was_left_out(
    part, generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelling = part("emogan_core.expressions.labelled")
    rows = ["Image;Label"]
    for row in range(26):
        Image.fromarray(np.full((16, 16, 3), row, np.uint8)).save(tmp_path / f"{row}.png")
        rows.append(f"{row}.png;{('happy', 'neutral')[row % 2]}")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "set.csv").write_text("\n".join(rows), encoding="utf-8")
    coded = {}

    def coding_of(*asked: object, **how: object) -> object:
        coded["found"] = labelling.LabelledLatents(
            None, (), None, {}, (labelling.Skipped(str(tmp_path / "3.png"), "no"),)
        )
        return coded["found"]

    face_sets = part("nodes.face_sets")
    monkeypatch.setattr(face_sets, "label_latents", coding_of)
    labelled, told = face_sets.from_files(generator, tmp_path / "set.csv", how=coding(part))
    assert labelled is coded["found"]
    assert told == (
        "set.csv: semicolons between the columns",
        "set.csv: the column 'Image' as file",
        "set.csv: the column 'Label' as expression",
        "set.csv: 'happy' as happiness",
        "set.csv: no column person: every picture counts as another person",
        "left out: 3.png (no)",
    )
    for row in range(26):
        folder = tmp_path / ("happy", "neutral")[row % 2]
        folder.mkdir(exist_ok=True)
        (tmp_path / f"{row}.png").rename(folder / f"{row}.png")
    _, told = face_sets.from_files(generator, tmp_path, how=coding(part))
    assert told[1].startswith(f"{tmp_path.name}: set.csv in it was not read; --labels ")
    assert told[2:] == (
        f"{tmp_path.name}: 'happy' as happiness",
        f"{tmp_path.name}: every picture counts as another person",
        "left out: 3.png (no)",
    )
