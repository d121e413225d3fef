"""Face sets whose folders' names are the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import pictures_by_label, read_face_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("Neutral/2.JPG", "Neutral/1.png", "Neutral/notes.txt", "Neutral/.hidden.png", "grin/1.png", ".trash/1.png")
    for name in (*names, "beside.png", "Neutral/more/1.png", "Neutral/.trash/1.png", "empty/readme.md"):
        path = tmp_path / "selfies" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    return tmp_path / "selfies"


def test_golden_a_folder_is_a_label(folder: Path) -> None:
    faces = read_face_set(folder, None)
    assert faces.files == (folder / "Neutral/1.png", folder / "Neutral/2.JPG", folder / "grin/1.png")
    assert faces.expressions == ("neutral", "neutral", "grin")
    assert faces.people is None
    assert faces.notices == (
        "selfies: labels from folders: Neutral 2, grin 1",
        "selfies: pictures that were not taken: 1 beside the folders and 1 in folders inside them",
        "selfies: 'Neutral' as neutral",
        "selfies: every picture counts as another person",
    )
    assert list(pictures_by_label(folder)) == ["Neutral", "grin"]


def test_golden_another_word_for_neutral(folder: Path) -> None:
    (folder / "Neutral").rename(folder / "plain")
    assert read_face_set(folder, None, neutral="plain").counts == {"neutral": 2, "grin": 1}


def test_error_no_folders_a_column_and_a_way_out(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExpressionError, match=r"no folder in .* holds pictures; needed are folders named by"):
        read_face_set(folder / "grin", None)
    with pytest.raises(ExpressionError, match="does not exist"):
        read_face_set(folder / "nowhere", None)
    with pytest.raises(ExpressionError, match="'age' is to be a column, and no table of labels came; give a CSV"):
        read_face_set(folder, None, covariates=["age"])
    (tmp_path / "secret.png").write_bytes(b"picture")
    (folder / "grin/out.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(ExpressionError, match="leads out of the folder through a link"):
        read_face_set(folder, None)


def test_shape_a_table_that_lies_in_the_folder_is_named(folder: Path) -> None:
    """Whether labels can be had without it or not."""
    table = folder / "Faces.CSV"
    table.write_text("file,expression\n")
    told = f"Faces.CSV in it was not read; --labels {table} takes its labels (in ComfyUI choose it as face_set)"
    assert f"selfies: {told}" in read_face_set(folder, None).notices
    (folder / "grin" / "labels.tsv").write_text("file\texpression\n")
    with pytest.raises(
        ExpressionError, match=r"a CSV with columns file and expression; labels\.tsv in it was not read; --labels"
    ):
        read_face_set(folder / "grin", None)
    with pytest.raises(ExpressionError, match=r"give a CSV that has it; Faces\.CSV in it was not read"):
        read_face_set(folder, None, covariates=["age"])
    (folder / "more.csv").write_text("")
    assert any("Faces.CSV and 1 more in it" in note for note in read_face_set(folder, None).notices)
