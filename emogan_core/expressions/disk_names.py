"""Names of files as another system spells them: in other case, with accents composed otherwise."""

from __future__ import annotations

import os
import unicodedata
from contextlib import suppress
from pathlib import Path, PurePosixPath


class OnDisk:
    """Files by names that differ in case or in how accents are composed, as other systems spell them.

    `others` are sentences on those that were found so.
    """

    def __init__(self) -> None:
        self.others: list[str] = []
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def spelled(self, folder: Path, parts: tuple[str, ...]) -> Path:
        """A file under a folder, each missing part as the only one alike is spelled; as it came where there is none."""
        found = folder
        for part in parts:
            alike = [part] if (found / part).exists() else self._names(found).get(_plain(part), [])
            if len(alike) != 1:
                return folder.joinpath(*parts)
            found = found / alike[0]
        own = found.relative_to(folder).parts
        if own != parts:
            self.others.append(f"'{PurePosixPath(*own)}' for '{PurePosixPath(*parts)}'")
        return found

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._listed:
            listed = self._listed.setdefault(folder, {})
            with suppress(OSError):
                for name in os.listdir(folder):
                    listed.setdefault(_plain(name), []).append(name)
        return self._listed[folder]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
