"""Face sets: what is read, and what is refused with its row."""

from __future__ import annotations

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import read_face_set


@pytest.fixture
def folder(tmp_path):
    faces = tmp_path / "faces"
    (faces / "deep").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "deep/c.jpg"):
        (faces / name).write_bytes(b"picture")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return faces


@pytest.fixture
def read(folder, tmp_path):
    def reading(text, **options):
        labels = tmp_path / "labels.csv"
        labels.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_face_set(folder, labels, **options)

    return reading


def test_golden_files_labels_people_covariates(read, folder):
    faces = read(
        "file,expression,person,yaw,colour,other\n"
        "a.jpg,neutral,Ann,-3.5,photo,x\n"
        "b.jpg,happiness,Ann,1e1,estimated,y\n"
        "deep/c.jpg,happiness,Bob,0,photo,z\n",
        covariates=("yaw", "colour"),
    )
    assert faces.files == (folder / "a.jpg", folder / "b.jpg", folder / "deep" / "c.jpg")
    assert faces.expressions == ("neutral", "happiness", "happiness")
    assert faces.people == ("Ann", "Ann", "Bob")
    assert faces.covariates == {"yaw": (-3.5, 10.0, 0.0), "colour": (1.0, 0.0, 1.0)}
    assert faces.counts == {"happiness": 2, "neutral": 1}
    assert len(faces) == 3


def test_golden_no_person_column_byte_order_mark_and_spaces(read):
    faces = read("\ufefffile , expression\n a.jpg , neutral \n")
    assert faces.people is None
    assert faces.expressions == ("neutral",)


def test_golden_cells_that_look_like_formulas_are_text(read):
    faces = read("file,expression,person\na.jpg,\"=cmd|'/c calc'!A1\",@SUM(A1)\n")
    assert faces.expressions == ("=cmd|'/c calc'!A1",)
    assert faces.people == ("@SUM(A1)",)


@pytest.mark.parametrize(
    "cell",
    [
        "../secret.jpg",
        "deep/../../secret.jpg",
        "/etc/passwd",
        "..\\secret.jpg",
        "C:\\secret.jpg",
        "C:secret.jpg",
        "\\\\host\\share\\x.jpg",
        "deep/../a.jpg",
    ],
)
def test_error_row_leaves_the_folder(read, cell):
    with pytest.raises(ExpressionError, match="row 3 points outside the folder"):
        read(f"file,expression\na.jpg,neutral\n{cell},happiness\n")


@pytest.mark.parametrize("link", ["out.jpg", "loop.jpg", "way/secret.jpg"])
def test_error_row_leaves_through_a_link(read, folder, tmp_path, link):
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    (folder / "way").symlink_to(tmp_path)
    with pytest.raises(ExpressionError, match=r"row 2 (points outside|names)"):
        read(f"file,expression\n{link},neutral\n")


def test_golden_a_link_that_stays_inside_is_fine(read, folder):
    (folder / "same.jpg").symlink_to(folder / "a.jpg")
    assert len(read("file,expression\nsame.jpg,neutral\n")) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column file, expression"),
        ("file,expression\n", "no rows"),
        ("file,label\na.jpg,neutral\n", "no column expression; it has file, label"),
        ("file,expression,file\na.jpg,neutral,b.jpg\n", "column file more than once"),
        ("file,expression\na.jpg,\nb.jpg,\n", r"row 2 has no expression \(2 such rows of 2\)"),
        ("file,expression\n,neutral\n", "row 2 has no file"),
        ("file,expression,person\na.jpg,neutral,\n", "row 2 has no person"),
        ("file,expression\na.jpg\n", "row 2 has another number of cells"),
        ("file,expression\na.jpg,neutral,more\n", "row 2 has another number of cells"),
        ("file,expression\na.jpg,neutral\nz.jpg,neutral\ny.jpg,neutral\n", r"row 3 names 'z.jpg'.*\(2 of 3 files"),
        ("file,expression\ndeep,neutral\n", "row 2 names 'deep'"),
        ("file,expression\na.jpg,neutral\na.jpg,happiness\n", "rows 2 and 3 both label 'a.jpg'"),
        ('file,expression\n"a.jpg,neutral\n', "not a CSV"),
        (b"\xff\xfe\x00a", "not a CSV in UTF-8"),
        ("file,expression\na\0.jpg,neutral\n", "points outside|not a CSV"),
    ],
)
def test_error_odd_tables(read, text, words):
    with pytest.raises(ExpressionError, match=words):
        read(text)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("1", "nan", "3"), "row 3 has 'nan' in column yaw"),
        (("1", "inf", "3"), "row 3"),
        (("1", "", "3"), "row 3 has '' in column yaw"),
        (("1", "left", "right"), "row 3 has 'left'"),
        (("up", "left", "right"), "row 2 has 'up'"),
    ],
)
def test_error_covariate_is_no_number(read, cells, words):
    names = ("a.jpg", "b.jpg", "deep/c.jpg")
    rows = "".join(f"{name},neutral,{cell}\n" for name, cell in zip(names, cells, strict=True))
    with pytest.raises(ExpressionError, match=words):
        read(f"file,expression,yaw\n{rows}", covariates=("yaw",))


def test_error_covariate_without_column(read):
    with pytest.raises(ExpressionError, match="no column pitch"):
        read("file,expression\na.jpg,neutral\n", covariates=("pitch",))


def test_error_missing_folder_and_table(folder, tmp_path):
    with pytest.raises(ExpressionError, match="does not exist"):
        read_face_set(tmp_path / "none", tmp_path / "labels.csv")
    with pytest.raises(ExpressionError, match="cannot read"):
        read_face_set(folder, tmp_path / "none.csv")
