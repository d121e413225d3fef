"""One row per reader: its program's file is known by this reader first, draws that program's picture, and converts to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from alias_free import PUBLISHED, make_alias_free
from alias_free_pickles import alias_free_state, write_alias_free
from expecting import parts_of
from foreign import basicsr_names, genforce_names, rosinality_names
from nvidia_pickles import networks_of, write_networks
from stylegan1_names import genforce_stylegan1, rosinality_stylegan1
from tensorflow_pickles import write_tensorflow
from tiny import FIRST, normal, vivid

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.convert import convert_generator
from emogan_core.checkpoints.readers import READERS, open_contents
from emogan_core.networks import Generator


@dataclass(frozen=True)
class Golden:
    """A picture: colours at (5, 9) of the second and at (31, 0) of the first, and the deviation of both."""

    second: tuple[float, float, float]
    first: tuple[float, float, float]
    deviation: float


STYLEGAN2 = Golden((-0.32803, 0.46344, -0.32430), (-0.11178, 0.15749, -0.10583), 0.32757)
STYLEGAN1 = Golden((0.09622, -0.25598, -0.42934), (0.53344, -0.48915, -0.65709), 0.36553)
ROSINALITY1 = Golden((5.65665, -6.05399, 4.51948), (6.78528, 5.50957, -1.58047), 7.47001)
STYLEGAN3 = Golden((-0.02024, -0.00779, 0.05857), (-0.01570, -0.01301, 0.09323), 0.04434)
"""What the programs themselves draw from the tensors in these files, G(z) at psi 1 with the noise in the file, on the CPU:
STYLEGAN2 alike by stylegan2-ada-pytorch (d72cc7d), rosinality's stylegan2-pytorch (bef283a), BasicSR (8d56e3a) and genforce
(197feee); STYLEGAN1 by genforce; ROSINALITY1 by style-based-gan-pytorch (07fa60b), its blocks made as narrow, with noise of
zeros; STYLEGAN3 by stylegan3 (c233a91).
"""


@dataclass(frozen=True)
class Row:
    """A tiny file as its program writes it, the picture in it, and words of what is told that it lacks, in order."""

    file: str
    write: Callable[[Path], object]
    golden: Golden
    lacks: tuple[str, ...] = ()


def saved(content: Callable[[], object]) -> Callable[[Path], object]:
    """By torch.save."""
    return lambda path: torch.save(content(), path)


def alias_free() -> Generator:
    return make_alias_free(PUBLISHED)


ROWS = {
    "TensorFlow pickle": Row(
        "net.pkl", lambda path: write_tensorflow(path, vivid()), STYLEGAN2, ("discriminator is left out",)
    ),
    "StyleGAN3 pickle": Row("net.pkl", lambda path: write_alias_free(path, alias_free()), STYLEGAN3),
    "StyleGAN2-ADA-PyTorch pickle": Row("net.pkl", lambda path: write_networks(path, vivid()), STYLEGAN2),
    "StyleGAN3 state dict": Row(
        "net.pt", saved(lambda: alias_free_state(alias_free())), STYLEGAN3, ("taken as published",)
    ),
    "StyleGAN2 state dict, NVIDIA's names": Row(
        "net.pt",
        saved(lambda: networks_of(vivid())["G_ema"].state_dict()),  # type: ignore[attr-defined]
        STYLEGAN2,
        ("conv_clamp",),
    ),
    "StyleGAN1, rosinality's names": Row(
        "train.model",
        saved(lambda: {"g_running": rosinality_stylegan1()}),
        ROSINALITY1,
        ("trained up to 32 px", "has no noise", "lacks the average latent"),
    ),
    "StyleGAN2, rosinality's names": Row(
        "net.pt", saved(lambda: {"g_ema": rosinality_names(vivid()), "latent_avg": vivid().w_avg}), STYLEGAN2
    ),
    "StyleGAN2, BasicSR's names": Row(
        "net_g.pth",
        saved(lambda: {"params_ema": basicsr_names(rosinality_names(vivid()))}),
        STYLEGAN2,
        ("lacks the average latent", "bilinear variant"),
    ),
    "StyleGAN1, genforce's names": Row(
        "net.pth", saved(lambda: {"generator_smooth": genforce_stylegan1(vivid(FIRST))}), STYLEGAN1
    ),
    "StyleGAN2, genforce's and Hammer's names": Row(
        "net.pth", saved(lambda: {"models": {"generator_smooth": genforce_names(vivid())}}), STYLEGAN2
    ),
}


def test_shape_every_reader_has_a_row() -> None:
    assert list(ROWS) == [reader.name for reader in READERS]


@pytest.mark.parametrize("name", ROWS)
def test_golden_known_read_drawn_converted(name: str, tmp_path: Path) -> None:
    row, out = ROWS[name], tmp_path / "out.safetensors"
    path = tmp_path / row.file
    row.write(path)
    contents = open_contents(path)
    assert next(reader.name for reader in READERS if reader.detect(contents) is not None) == name

    done = convert_generator(path, out)
    assert len(done.notices) == len(row.lacks)
    assert all(words in told for words, told in zip(row.lacks, done.notices, strict=True))

    read, again = load_generator(path), load_generator(out)
    z = normal(2, read.spec.z_dim, seed=4)
    pictures = read.synthesis(read.mapping(z))
    about = {"atol": 2e-5 * (1 + row.golden.deviation), "rtol": 0}  # the digits above, and float32
    torch.testing.assert_close(pictures[1, :, 5, 9], torch.tensor(row.golden.second), **about)
    torch.testing.assert_close(pictures[0, :, 31, 0], torch.tensor(row.golden.first), **about)
    torch.testing.assert_close(pictures.std(), torch.tensor(row.golden.deviation), **about)

    assert again.spec == read.spec
    assert again.fingerprint == read.fingerprint
    assert {name for name, tensor in parts_of(read).items() if not torch.equal(tensor, parts_of(again)[name])} == set()
    assert torch.equal(again.synthesis(again.mapping(z)), pictures)
