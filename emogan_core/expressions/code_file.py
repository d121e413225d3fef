"""Codes of pictures that were inverted before, in a file: a fit that failed or was stopped need not begin again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .. import __version__
from ..errors import CheckpointError, OutputError
from ..weights import read_header, read_tensors, write_tensors

FORMAT = "emotiongan-codes-1"
SAVED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What the face model sees in one picture: coefficients [k], and `shadings.brightness` [f]; NaN where it saw none."""

    coefficients: NDArray[np.float64]
    brightness: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """What one picture gave: ws [num_ws, w_dim] and what the face model sees, or why it gave none."""

    ws: torch.Tensor | None
    fitted: Fitted | None = None
    why: str = ""


class CodeFile:
    """A growing file of codes, by what the pictures hold and how they were inverted.

    Convention: `how` names all that codes depend on beside the picture; a file of others is begun anew.
    Raises: OutputError when the file is there already and is none of these.
    """

    def __init__(self, path: Path, how: Mapping[str, str]) -> None:
        self.path = path
        self._how = {"format": FORMAT, "program": __version__, **how}
        self._known: dict[str, Coded] = {}
        self._saved_at, self._changed = time.monotonic(), False
        if path.exists():
            self._read()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, picture: Path) -> tuple[str, Coded | None]:
        """A picture's key, and what it gave before.

        Raises: OSError.
        """
        digest = hashlib.sha256()
        with picture.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
        key = digest.hexdigest()[:32]
        return key, self._known.get(key)

    def put(self, key: str, coded: Coded) -> None:
        """Keep what a picture gave; now and then the file is written.

        Raises: OutputError.
        """
        self._known[key], self._changed = coded, True
        if time.monotonic() - self._saved_at > SAVED_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write the file, if there is anything new.

        Raises: OutputError.
        """
        if not self._changed:
            return
        whole = {key: one for key, one in self._known.items() if one.ws is not None}
        told = {
            "keys": json.dumps(list(whole)),
            "without": json.dumps({k: o.why for k, o in self._known.items() if o.ws is None}),
        }
        tensors = {}
        if whole:
            tensors["ws"] = torch.stack([one.ws for one in whole.values() if one.ws is not None])
            rows = [one.fitted for one in whole.values() if one.fitted is not None]
            if len(rows) == len(whole):
                tensors["coefficients"] = torch.from_numpy(np.stack([row.coefficients for row in rows]))
                tensors["brightness"] = torch.from_numpy(np.stack([row.brightness for row in rows]))
        write_tensors(self.path, tensors, {**self._how, **told})
        self._saved_at, self._changed = time.monotonic(), False

    def _read(self) -> None:
        try:
            _, metadata = read_header(self.path)
            if metadata.get("format") != FORMAT:
                raise CheckpointError(
                    f"{self.path.name} is of format '{metadata.get('format', 'none')}', not '{FORMAT}'"
                )
            if any(metadata.get(name) != value for name, value in self._how.items()):
                return  # of another generator or method: not wrong, but of no use
            tensors, _ = read_tensors(self.path)
            keys, without = json.loads(metadata["keys"]), json.loads(metadata["without"])
            coefficients, brightness = tensors.get("coefficients"), tensors.get("brightness")
            for row, key in enumerate(keys):
                own = None
                if coefficients is not None and brightness is not None:
                    own = Fitted(coefficients[row].double().numpy(), brightness[row].half().numpy())
                self._known[key] = Coded(tensors["ws"][row], own)
            self._known |= {key: Coded(None, why=str(why)) for key, why in without.items()}
        except (CheckpointError, KeyError, IndexError, AttributeError, ValueError) as error:
            raise OutputError(
                f"{self.path} would hold the codes of this fit, but something else is there ({error}); move it away"
            ) from error
