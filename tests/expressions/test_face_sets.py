"""Face sets: what is read, and what is refused with its row."""

from __future__ import annotations

import os
from pathlib import Path

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
    ("text", "told"),
    [
        ("file;expression\na.jpg;neutral\n", ("semicolons between the columns",)),
        ("file\texpression\na.jpg\tneutral\n", ("tabs between the columns",)),
        ("sep=;\nfile;expression\na.jpg;neutral\n", ("semicolons between the columns",)),
        ("File,Expression\na.jpg,neutral\n", ("the column 'File' as file", "the column 'Expression' as expression")),
        (
            "File Name , Emotion\na.jpg,neutral\n",
            ("the column 'File Name' as file", "the column 'Emotion' as expression"),
        ),
        (
            "image-path,label,id\na.jpg,neutral,7\n",
            ("the column 'image-path' as file", "the column 'label' as expression"),
        ),
        ("file,image,expression,label\na.jpg,b.jpg,neutral,7\n", ()),
        ("file,expression\na.jpg,Neutral\n", ("'Neutral' as neutral",)),
        ("file,expression\r\na.jpg,neutral\r\n\r\n", ()),
        ("file,expression\na.jpg,neutral\n".encode("utf-16"), ()),
    ],
)
def test_golden_other_ways_to_write_the_same(read, folder, text, told):
    faces = read(text)
    assert (faces.files, faces.expressions) == ((folder / "a.jpg",), ("neutral",))
    people = "no column person: every picture counts as another person"
    assert faces.notices == tuple(f"labels.csv: {notice}" for notice in (*told, people))


def test_golden_people_by_other_names(read):
    faces = read("file,expression,Subject ID\na.jpg,neutral,Ann\n")
    assert (faces.people, faces.notices) == (("Ann",), ("labels.csv: the column 'Subject ID' as person",))


def test_golden_words_for_the_named_expressions(read):
    faces = read("file,expression,person\na.jpg,Happy,a\nb.jpg,my  Smile,a\ndeep/c.jpg,my_smile,a\n")
    assert faces.expressions == ("happiness", "my Smile", "my Smile")
    assert faces.notices == ("labels.csv: 'Happy' as happiness",)


@pytest.mark.parametrize(("word", "labels"), [("Calm", ("calm", "glad")), ("0", ("0", "1"))])
def test_golden_another_word_for_the_reference(read, folder, tmp_path, word, labels):
    (tmp_path / "labels.csv").write_text(f"file,expression\na.jpg,{labels[0]}\nb.jpg,{labels[1]}\n")
    faces = read_face_set(folder, tmp_path / "labels.csv", neutral=word)
    assert faces.expressions == ("neutral", labels[1])
    with pytest.raises(ExpressionError, match=r"labelled 'plain', the word for 'neutral'; it has 1 '"):
        read_face_set(folder, tmp_path / "labels.csv", neutral="plain")


def test_golden_backslashes_part_folders(read, folder):
    faces = read("file,expression\ndeep\\c.jpg,neutral\n")
    assert faces.files == (folder / "deep" / "c.jpg",)
    assert "labels.csv: backslashes in 1 name as folders" in faces.notices


def test_golden_names_in_another_spelling(read, folder):
    """As Windows writes case and macOS accents; where two files could be meant, neither is taken."""
    (folder / "\u00dcn\u00ef.JPG").write_bytes(b"picture")
    faces = read("file,expression\nA.JPG,neutral\nDeep\\C.jpg,joyful\nu\u0308NI\u0308.jpg,smile\n")
    assert faces.files == (folder / "a.jpg", folder / "deep" / "c.jpg", folder / "\u00dcn\u00ef.JPG")
    assert "labels.csv: 3 names as the one file of another spelling, such as 'a.jpg' for 'A.JPG'" in faces.notices
    assert "labels.csv: backslashes in 1 name as folders" in faces.notices
    (folder / "A.jpg").write_bytes(b"picture")
    if not (folder / "A.JPG").exists():
        with pytest.raises(ExpressionError, match=r"row 2 names 'A\.JPG', which is not in"):
            read("file,expression\nA.JPG,neutral\nb.jpg,smile\n")
    with pytest.raises(ExpressionError, match=r"row 3 labels 'B\.jpg', as row 2 does"):
        read("file,expression\nb.jpg,neutral\nB.jpg,smile\n")


def test_golden_decimal_commas(read):
    faces = read("file;expression;Yaw angle\na.jpg;neutral;-3,5\nb.jpg;neutral;2\n", covariates=("yaw_angle",))
    assert faces.covariates == {"yaw_angle": (-3.5, 2.0)}
    assert "labels.csv: decimal commas in yaw_angle" in faces.notices
    with pytest.raises(ExpressionError, match="'3,5'"):  # where commas part columns they may part thousands
        read('file,expression,yaw\na.jpg,neutral,"3,5"\nb.jpg,neutral,1\n', covariates=("yaw",))


def test_error_no_table_without_end(folder, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/full"), Path("/dev/zero")):
        with pytest.raises(ExpressionError, match="device or pipe"):
            read_face_set(folder, path)
    with pytest.raises(ExpressionError, match="folder"):
        read_face_set(folder, folder)


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
        ("", "no header that can be read"),
        ("file,expression\n", "no rows"),
        ("file,mood\na.jpg,neutral\n", "no column expression; its first line is 'file,mood'; expected is a header row"),
        ("a.jpg,happy\n", "no column file, expression; its first line is 'a.jpg,happy'"),
        ("a.jpg;happy,sad\n", "no header that can be read; its first line is 'a.jpg;happy,sad'"),
        ("file,image,label,emotion\na.jpg,a.jpg,x,x\n", "columns label and emotion, and each could be the expression"),
        ("path,image,label\na.jpg,a.jpg,x\n", "columns path and image, and each could be the file"),
        (f"file,expression\na.jpg,{'x' * 100}\n", "label of 100 letters"),
        (f"file,expression\n{'x' * 300}.jpg,neutral\n", "row 2 has a name that is too long"),
        ("file,expression\na.jpg,happy\nb.jpg,Joy\n", "labels 'happy' and 'Joy', which all stand for happiness"),
        ("sep=;\nfile;expression\na.jpg\n", "row 3 has another number of cells"),
        ("file,expression,file\na.jpg,neutral,b.jpg\n", "column file more than once"),
        ("file,expression\na.jpg,\nb.jpg,\n", r"row 2 has no expression \(2 such rows of 2\)"),
        ("file,expression\n,neutral\n", "row 2 has no file"),
        ("file,expression,person\na.jpg,neutral,\n", "row 2 has no person"),
        ("file,expression\na.jpg\n", "row 2 has another number of cells"),
        ("file,expression\na.jpg,neutral,more\n", "row 2 has another number of cells"),
        ("file,expression\na.jpg,neutral\nz.jpg,neutral\ny.jpg,neutral\n", r"row 3 names 'z.jpg'.*\(2 of 3 files"),
        ("file,expression\ndeep,neutral\n", "row 2 names 'deep'"),
        ("file,expression\na.jpg,neutral\na.jpg,happiness\n", "row 3 labels 'a.jpg', as row 2 does"),
        ('file,expression\n"a.jpg,neutral\n', "not a CSV"),
        (b"\xff\x00a", "not in UTF-8: line 1"),
        (b"file,expression\na.jpg,fr\xf6hlich\n", "not in UTF-8: line 2"),
        ("file,expression\na\0.jpg,neutral\n", "points outside|not a CSV"),
        ("file,expression\na.jpg,neutral\n".encode("utf-16-le"), "begins as a text in UTF-16 without its mark"),
        ("file,expression\na.jpg,neutral\n".encode("utf-16-be"), "begins as a text in UTF-16 without its mark"),
        ("file,expression\na.jpg,neutral\n".encode("utf-32"), "or in UTF-32; save it as 'CSV UTF-8'"),
        ("# mine\nfile,expression\na.jpg,neutral\n", "no column file, expression; its first line is '# mine'"),
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
        (("1e308", "1e308", "1e308"), r"row 2 has 1e308 in column yaw, beyond 1e\+12"),
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


def test_shape_empty_lines_before_the_header(read) -> None:
    faces = read("\r\n\r\nfile,expression\r\na.jpg,happy\r\n\r\nb.jpg,neutral\r\n")
    assert faces.expressions == ("happiness", "neutral")
    with pytest.raises(ExpressionError, match="row 5 names"):
        read("\n\nfile,expression\na.jpg,happy\nnone.jpg,neutral\n")


def test_error_workbooks_and_a_file_for_a_folder(read, folder) -> None:
    with pytest.raises(ExpressionError, match=r"labels\.csv is a spreadsheet's own file; save the table as CSV"):
        read(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ExpressionError, match=r"a\.jpg is a file; give the folder"):
        read_face_set(folder / "a.jpg", folder / "b.jpg")


def test_golden_scores_stand_instead_of_expressions(read):
    faces = read(
        "file,label,emotion,weight,pair\na.jpg,0.5,1,2,x\nb.jpg,0,3,1,x\ndeep/c.jpg,1,2,0,\n",
        scores=("label", "emotion"),
    )
    assert faces.scores == {"label": (0.5, 0.0, 1.0), "emotion": (1.0, 3.0, 2.0)}
    assert faces.expressions == ("", "", "")
    assert faces.weights == (2.0, 1.0, 0.0)
    assert faces.pairs == ("x", "x", "")
    assert faces.covariates == {}
    assert any("weight" in notice for notice in faces.notices)


def test_golden_a_weight_that_is_a_covariate_is_no_weight(read):
    faces = read("file,expression,weight\na.jpg,neutral,70\nb.jpg,joy,80\n", covariates=("weight",))
    assert faces.weights is None
    assert faces.covariates == {"weight": (70.0, 80.0)}


def test_golden_two_files_in_a_row_are_a_pair(read, folder):
    faces = read("before;after;expression;person\na.jpg;b.jpg;joy;Ann\n")
    assert faces.files == (folder / "a.jpg", folder / "b.jpg")
    assert faces.expressions == ("neutral", "happiness")
    assert faces.people == ("Ann", "Ann")
    assert faces.pairs == ("2", "2")


def test_golden_some_rows_are_a_face_set(read):
    faces = read("file,expression,person,weight\na.jpg,neutral,Ann,1\nb.jpg,joy,Ann,2\n").rows([1])
    assert (faces.expressions, faces.people, faces.weights) == (("happiness",), ("Ann",), (2.0,))


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("file,a\na.jpg,x\nb.jpg,1\n", {"scores": ("a",)}, "row 2 has 'x' in column a"),
        ("file,a\na.jpg,1\n", {"scores": ("b",)}, "no column b"),
        ("before,expression\na.jpg,joy\n", {}, "no column file"),
        ("before,after,expression\na.jpg,a.jpg,joy\n", {}, "row 2 names 'a.jpg' twice"),
        ("file,expression,weight\na.jpg,joy,1\nb.jpg,joy,-1\n", {}, "row 3 has a weight below 0"),
        ("file,expression,weight\na.jpg,joy,1\nb.jpg,joy,inf\n", {}, "row 3 has 'inf' in column weight"),
        ("file,expression,weight\na.jpg,joy,0\nb.jpg,joy,0.0\n", {}, "gives every picture the weight 0"),
        ("file,expression,weight\na.jpg,joy,much\n", {}, "row 2 has 'much' in column weight"),
    ],
)
def test_error_scores_and_pairs(read, text, options, words):
    with pytest.raises(ExpressionError, match=words):
        read(text, **options)
