"""Our own generator files: safetensors whose metadata holds the generator's spec."""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import CheckpointError
from ..networks.build import Generator, build_generator, tensors_of
from ..networks.spec import spec_from_json
from ..weights import read_header, read_tensors, write_tensors
from .kinds import kind_of_names
from .pickles import named

FORMAT = "emotiongan-generator-1"
NEEDED_ALSO = "or a StyleGAN generator of another program (.pkl, .pt, .pth, .safetensors)"
_OURS = {
    "emogan-axes": "a file of expression axes; give it as axes",
    "emotiongan-latent-1": "a latent, which belongs to a generator",
}


def is_ours(path: Path) -> bool:
    """Whether a safetensors file says that this program wrote it, be it a generator or another thing.

    Raises: CheckpointError when it is damaged.
    """
    _, metadata = read_header(path)
    return metadata.get("format", "").startswith(("emogan", "emotiongan"))


def read_generator(path: Path) -> Generator:
    """A generator on the CPU from one of our files.

    Raises: CheckpointError when it is another kind of file, damaged, or its tensors do not fit its spec.
    """
    shapes, metadata = read_header(path)
    found = metadata.get("format", "none")
    if found != FORMAT:
        kind = _OURS.get(found) or kind_of_names(shapes)
        what = f"is not a generator but {kind}" if kind else "is a safetensors file but not a generator of ours"
        raise CheckpointError(f"{path.name} {what} (format '{found[:40]}'); needed '{FORMAT}', {NEEDED_ALSO}")
    tensors, _ = read_tensors(path)
    with named(path):
        return build_generator(spec_from_json(metadata.get("spec", "")), tensors)


def write_generator(path: Path, generator: Generator, *, half: bool, notes: dict[str, str] | None = None) -> None:
    """Write a generator whole or not at all; `half` stores float16, `notes` are further metadata (data, licence, hashes).

    Raises: OutputError.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of(generator).items()}
    write_tensors(path, tensors, {"format": FORMAT, "spec": generator.spec.to_json(), **(notes or {})})
