"""A file is written whole or not at all, and never over an input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emogan_core import files
from emogan_core.errors import OutputError
from emogan_core.files import first_bytes, refuse_overwrite, write_whole


def put(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    "name", ["a.txt", "no_suffix", "-dash.png", " space .png", "x" * 251 + ".png", "\u2603\n\u00fc.png"]
)
def test_shape_odd_names(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, put("one"))
    write_whole(tmp_path / name, put("two"))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "two"


def test_shape_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_whole(tmp_path / "a", put("x"))
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_error_leaves_the_old_file_and_no_half_one(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise error

    expected = OutputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        write_whole(tmp_path / "a.txt", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_error_input_under_any_name(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.write_text("precious")
    (tmp_path / "link.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    for name in ("in.png", "link.png", "hard.png", "../" + tmp_path.name + "/in.png"):
        with pytest.raises(OutputError, match="is the input itself"):
            write_whole(tmp_path / name, put("x"), inputs=[source])
    assert source.read_text() == "precious"


def test_error_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    for target, words in [
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "a.png", "does not exist"),
        (tmp_path / "file" / "a.png", "does not exist"),
        (tmp_path / "pipe", "device or pipe"),
        (Path("/dev/null"), "device or pipe"),
        (tmp_path / ("x" * 300), "choose another name"),
        (tmp_path / "a\0b.png", "choose another name"),
        (Path("/proc/a.png"), "choose a folder"),
    ]:
        with pytest.raises(OutputError, match=words) as caught:
            refuse_overwrite(target)
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_error_protected_places(tmp_path: Path) -> None:
    (tmp_path / "kept.png").write_text("")
    (tmp_path / "kept.png").chmod(0o444)
    with pytest.raises(OutputError, match="write-protected"):
        refuse_overwrite(tmp_path / "kept.png")
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="choose a folder"):
        refuse_overwrite(tmp_path / "a.png")
    tmp_path.chmod(0o755)


def test_shape_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "other").write_text("other")
    (tmp_path / "link").symlink_to("deep/other")
    (tmp_path / "new").symlink_to("deep/none yet")
    for name in ("link", "new"):
        write_whole(tmp_path / name, put("new"))
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["none yet", "other"]
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to("missing/a.png")
    for name, words in (("loop", "in a circle"), ("lost", "does not exist")):
        with pytest.raises(OutputError, match=words):
            write_whole(tmp_path / name, put("x"))


def test_shape_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from emogan_core.files import write_whole\n"
        "write_whole(Path(sys.argv[1]), lambda path: os.kill(os.getpid(), signal.SIGKILL))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")], env=environment, check=False)
    assert len(list(tmp_path.glob(".emogan-*"))) == 1
    living = tmp_path / f".emogan-{files._machine()}-{os.getpid()}-x.png"
    elsewhere = tmp_path / ".emogan-00000000-1-x.png"
    ours_before = tmp_path / ".emogan-abcdefgh.png"  # as an older version named them
    for path in (living, elsewhere, ours_before):
        path.touch()
    os.utime(ours_before, (1, 1))
    write_whole(tmp_path / "b.png", put("x"))
    assert set(tmp_path.iterdir()) == {living, elsewhere, tmp_path / "b.png"}


def test_error_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "pipe", "device or pipe"),
        (Path("/dev/full"), "device or pipe"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(OSError, match=words):
            first_bytes(path, 16)
    (tmp_path / "a").write_text("abc")
    assert first_bytes(tmp_path / "a", 2) == b"ab"


def test_error_messages_of_megabytes_are_cut() -> None:
    message = str(OutputError("the beginning " + "x" * 10_000_000 + " and what to do"))
    assert len(message) < 2000
    assert message.startswith("the beginning")
    assert message.endswith("and what to do")
