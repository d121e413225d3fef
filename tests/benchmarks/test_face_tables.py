"""Tables of faces from public sets: which pictures, of whom, and where the crop lies."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from emogan_core.expressions import read_face_set
from emogan_core.training.dense_views import read_table
from emogan_core.weights import builtin_path

SHARED = Path(__file__).parents[3] / "shared" / "data"
Script = Callable[[str], ModuleType]


@pytest.fixture
def sources(script: Script) -> ModuleType:
    return script("face_sources")


@pytest.fixture
def entries(script: Script) -> ModuleType:
    return script("face_entries")


@pytest.fixture
def tables(script: Script) -> ModuleType:
    return script("face_tables")


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_shape_press_pictures_are_those_of_the_legend(sources: ModuleType, tmp_path: Path) -> None:
    touched(tmp_path, "images/Ann_Lee_0002.jpg", "images/Bo_7.jpg", "images/other_12k.jpg", "images/unlabelled.jpg")
    rows = ["user.id,image,emotion", "1,Bo_7.jpg,SADNESS", "1,Ann_Lee_0002.jpg,neutral", "2,Bo_7.jpg,surprise"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "legend.csv").write_text("\n".join([*rows, "1,other_12k.jpg,fear", "1,gone_1.jpg,fear"]))
    found = [(one.file, one.person, one.expression) for one in sources.press(tmp_path)]
    assert found == [
        ("Ann_Lee_0002.jpg", "Ann_Lee", "neutral"),
        ("Bo_7.jpg", "Bo", "sadness"),
        ("other_12k.jpg", "other_12k", "fear"),
    ]


def test_shape_studio_pictures_are_the_front_views(sources: ModuleType, tmp_path: Path) -> None:
    touched(tmp_path, "smiling_front/002_08.jpg", "neutral_front/003_03.jpg", "neutral_front/002_03.jpg")
    touched(tmp_path, "neutral_front/._002_03.jpg", "left/002_01.jpg", "canada/010f.jpg", "canada/010f.tem")
    london = [(one.file, one.person, one.expression) for one in sources.london(tmp_path)]
    assert london == [
        ("london_002_03.jpg", "london_002", "neutral"),
        ("london_003_03.jpg", "london_003", "neutral"),
        ("london_002_08.jpg", "london_002", "happiness"),
    ]
    assert [(one.file, one.person) for one in sources.canada(tmp_path)] == [("canada_010f.jpg", "canada_010f")]


@pytest.mark.parametrize("name", ["press", "london", "canada", "congress"])
def test_error_another_folder_is_told(name: str, sources: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(sources.SourceError, match=r"has no .*; give (a checkout of github\.com|the unpacked)"):
        sources.SOURCES[name][1](tmp_path)


@pytest.mark.parametrize(("smile", "label"), [(0.1, "neutral"), (0.2, ""), (0.5, "happiness")])
def test_shape_a_smile_names_what_has_no_label(smile: float, label: str, sources: ModuleType) -> None:
    assert sources.by_smile({"mouthSmileLeft": smile, "mouthSmileRight": smile}) == label


def test_golden_a_row_says_where_the_crop_lies(entries: ModuleType, sources: ModuleType, tmp_path: Path) -> None:
    """Eyes 40 px apart and 44 above the mouth: the frame is 0.62 * 2 * max(80, 79.2) = 99.2 px wide, 15.4 px below them."""
    pixels = np.zeros((200, 160, 3), dtype=np.uint8)
    pixels[:, :80] = (200, 40, 40)
    Image.fromarray(pixels).save(tmp_path / "face.png")
    points = np.zeros((478, 3))
    points[[468, 473, 1, 61, 291], :2] = [[20, 60], [60, 60], [40, 85], [30, 104], [50, 104]]
    points[13, :2], points[14, :2], points[1, 2] = (40, 103), (40, 107), -10
    found = entries.Estimate(points, dict.fromkeys(entries.SHAPES, 0.25), 1.0, 2.0, 3.0)
    picture = sources.Picture(tmp_path / "face.png", "a.jpg", "a", "neutral")
    entry = entries.entry_of(picture, sources.TABLES["studio"], lambda photo: found, "somebody")
    row = entry.row
    assert row["source_side_px"] == pytest.approx(99.2)
    assert row["mouth_open"] == pytest.approx(0.2)
    assert row["outside"] == pytest.approx(9.6 / 99.2, abs=0.01)  # the frame begins at x = 40 - 49.6
    assert row["eye_l_x"] == pytest.approx(256 * 29.6 / 99.2, abs=0.01)
    assert row["eye_l_y"] == pytest.approx(256 * (49.6 - 15.4) / 99.2, abs=0.01)
    assert (row["colour"], row["estimated_by"], row["yaw_deg"]) == ("photo", "somebody", 1.0)
    assert entry.landmarks[1, 2] == pytest.approx(-10 * 256 / 99.2)
    shown = np.asarray(entry.crop).astype(int)
    assert shown.shape == (256, 256, 3)
    assert shown[128, [100, 250], 0].tolist() == [200, 0]
    part, inside = entry.original  # 160 px around (40, 66.6), as far as the photo goes
    assert part.size == (120, 147)
    assert inside[1].tolist() == [40, 85, -10]


def test_shape_what_a_table_does_not_want_is_left_out(entries: ModuleType, sources: ModuleType, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), (90, 90, 90)).save(tmp_path / "gray.png")
    points = np.zeros((478, 3))
    points[[468, 473, 1, 61, 291], :2] = [[100, 100], [200, 100], [150, 150], [120, 200], [180, 200]]
    picture = sources.Picture(tmp_path / "gray.png", "a.jpg", "a", None)
    turned = entries.Estimate(points, dict.fromkeys(entries.SHAPES, 0.0), 40.0, 0.0, 0.0)
    assert entries.entry_of(picture, sources.TABLES["congress"], lambda photo: turned, "") is None  # it is gray
    assert entries.entry_of(picture, sources.TABLES["press"], lambda photo: turned, "") is None  # it is turned
    assert entries.entry_of(picture, sources.TABLES["studio"], lambda photo: None, "") is None
    assert entries.entry_of(picture, sources.TABLES["studio"], lambda photo: turned, "") is not None


@pytest.mark.slow
def test_shape_our_own_nets_make_tables_that_training_reads(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals = tmp_path / "source" / "congress" / "original"
    originals.mkdir(parents=True)
    for name in ("f_multi", "m_african"):
        shutil.copy(builtin_path("examples") / f"composite_{name}.jpg", originals / f"{name}.jpg")
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["face_tables.py", str(out), "--congress", str(tmp_path / "source")])
    tables.main()
    files = ["congress_f_multi.jpg", "congress_m_african.jpg"]
    with zipfile.ZipFile(out / "congress_faces_384.zip") as archive:
        assert archive.namelist() == files
        archive.extractall(tmp_path / "faces")
    faces = read_face_set(tmp_path / "faces", out / "congress_faces.csv", covariates=("yaw_deg", "jawOpen"))
    assert faces.expressions == ("neutral", "neutral")
    people = {file: file.removesuffix(".jpg") for file in files}
    assert faces.people == tuple(people.values())
    dense = read_table(out / "congress_faces_384.zip", out / "congress_landmarks.npz", people, side=96)
    assert dense.points.shape == (2, 478)
    with (out / "congress_faces.csv").open() as lines:
        row = next(csv.DictReader(lines))
    assert row["estimated_by"] == "emogan"
    assert [float(row[name]) for name in ("eye_l_x", "eye_r_x")] == pytest.approx([114, 268], abs=6)


@pytest.mark.skipif(not (SHARED / "studio_originals.zip").is_file(), reason="needs the labelled faces")
def test_golden_studio_rows_come_out_again(entries: ModuleType, sources: ModuleType, tmp_path: Path) -> None:
    """From the part of the photo and the points that are kept of it, as the table and crop of the whole photo are."""
    stored = np.load(SHARED / "studio_originals_landmarks.npz")
    with (SHARED / "studio_faces.csv").open() as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    archives = [zipfile.ZipFile(SHARED / name) for name in ("studio_originals.zip", "studio_faces_256.zip")]
    with archives[0] as photos, archives[1] as crops:
        for index in (3, 90, 150):
            name = str(stored["files"][index])
            (tmp_path / name).write_bytes(photos.read(name))
            shapes = dict(zip(stored["names"].tolist(), stored["blendshapes"][index].tolist(), strict=True))
            found = entries.Estimate(stored["landmarks"][index] / 8.0, shapes, 0.0, 0.0, 0.0)
            picture = sources.Picture(tmp_path / name, name, "a", "neutral")
            entry = entries.entry_of(picture, sources.TABLES["studio"], lambda photo, found=found: found, "")
            for column in ("source_side_px", *(f"{one}_{axis}" for one in entries.FIVE_NAMES for axis in "xy")):
                assert entry.row[column] == pytest.approx(float(rows[name][column]), abs=1.0), column
            kept = np.asarray(Image.open(io.BytesIO(crops.read(name)))).astype(float)
            assert np.abs(np.asarray(entry.crop) - kept).mean() < 3.0  # both are JPEG
