"""What a command may write and has written: one rule for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import OutputError
from ..files import refuse_overwrite, write_whole
from ..images import Photo, check_photo_target, save_photo


def make_folder(folder: Path) -> None:
    """Create the output folder, only its last level, and see that it can be written to."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror or error}; give a new folder in one that exists"
        ) from error


class Outputs:
    """The outputs of one command.

    A file that is there already is written over only with `force`, and an input never. What is written is told, so that
    a command that is stopped can say what it left.
    """

    def __init__(self, *, force: bool = False) -> None:
        self.force = force
        self.written: list[Path] = []
        self._inputs: tuple[Path, ...] = ()

    def expect(self, targets: Sequence[Path], *, inputs: Iterable[Path] = ()) -> None:
        """Check before the work that files can be written, and remember what must not be written over.

        Raises: OutputError.
        """
        self._inputs = tuple(inputs)
        if len({target.absolute() for target in targets}) < len(targets):
            raise OutputError(f"two outputs would be written to {targets[0]}; give each its own name")
        for target in targets:
            refuse_overwrite(target, self._inputs)
            self._expect_new(target)

    def expect_photos(
        self, targets: Sequence[Path], *, photo: Photo | None = None, inputs: Iterable[Path] = ()
    ) -> None:
        """The same for pictures, the first of which will be like `photo`.

        Raises: OutputError; also for a suffix, a size or transparency that cannot be.
        """
        for target in targets:
            check_photo_target(target, photo=photo if target is targets[0] else None)
        self.expect(targets, inputs=inputs)

    def expect_safetensors(self, target: Path, *, inputs: Iterable[Path] = ()) -> None:
        """The same for a file of tensors.

        Raises: OutputError; also for another suffix, and a name that is no text, which that format's library cannot use.
        """
        if target.suffix.lower() != ".safetensors":
            raise OutputError(f"the output {target.name} is not named as what it will be; use a name in .safetensors")
        try:
            str(target).encode("utf-8")
        except UnicodeEncodeError as error:
            raise OutputError(f"the name {str(target)!a} is no text in UTF-8; give another name") from error
        self.expect([target], inputs=inputs)

    def save_photo(self, target: Path, photo: Photo, *, record: Mapping[str, object] | None) -> None:
        """Save a picture, and tell.

        Raises: OutputError.
        """
        save_photo(target, photo, record=record, inputs=self._inputs)
        self.wrote(target)

    def save_text(self, target: Path, text: str) -> None:
        """Save a text in UTF-8, and tell.

        Raises: OutputError.
        """
        write_whole(target, lambda place: place.write_text(text, encoding="utf-8"), inputs=self._inputs)
        self.wrote(target)

    def wrote(self, target: Path) -> None:
        """Take note of a file that was written."""
        self.written.append(target)

    def _expect_new(self, target: Path) -> None:
        if target.exists() and not self.force:
            raise OutputError(f"{target} is there already; give another name, or --force to write over it")
