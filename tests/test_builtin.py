"""What ships with the package: small enough, whole, described by its card, and able to do its work."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import load_axes
from emogan_core.inversion import invert_images
from emogan_core.networks import Generator
from emogan_core.weights import builtin_path, read_header

LIMIT_BYTES = 30_000_000
FILES = (
    "generator.safetensors",
    "landmarks.safetensors",
    "dense_landmarks.safetensors",
    "face_model.safetensors",
    "axes.safetensors",
    "expression_readout.safetensors",
    "mouth_look.safetensors",
    "rims.safetensors",
)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_generator("builtin")


def test_shape_files_are_small_together() -> None:
    assert sum(builtin_path(name).stat().st_size for name in FILES) < LIMIT_BYTES


@pytest.mark.parametrize("name", FILES)
def test_golden_card_names_every_file_by_hash(name: str) -> None:
    card = builtin_path("MODEL_CARD.md").read_text()
    assert hashlib.sha256(builtin_path(name).read_bytes()).hexdigest() in card


@pytest.mark.parametrize("name", FILES)
def test_shape_metadata_says_nothing_of_a_machine(name: str) -> None:
    _, metadata = read_header(builtin_path(name))
    assert not any(part in text for text in metadata.values() for part in ("/home/", "/root/", "/work/", "/tmp/"))


def test_shape_generator_has_its_companions(generator: Generator) -> None:
    assert generator.spec.resolution >= 64
    assert generator.spec.crop == "tight"
    assert generator.encoder is not None
    assert generator.discriminator is not None


def test_invariance_axes_belong_to_the_generator(generator: Generator) -> None:
    axes = load_axes("builtin")
    assert axes.fingerprint == generator.fingerprint
    assert axes.names == ("happiness", "surprise", "anger", "sadness", "disgust", "fear", "contempt")
    assert all(axis.has_direction and axis.has_coefficients and not axis.experimental for axis in axes)


def test_golden_own_samples_survive_inversion(generator: Generator) -> None:
    """The encoder was trained on redrawing real faces; its answer on the generator's own must be close as well."""
    z = torch.randn(8, generator.spec.z_dim, generator=torch.Generator().manual_seed(0))
    images = generator.synthesis(generator.mapping(z, psi=0.7)).clamp(-1, 1)
    assert float(images.std()) > 0.2  # faces, not fog
    inversion = invert_images(generator, images, method="encode")
    assert min(inversion.metrics["psnr_db"]) > 22


@pytest.mark.slow
def test_golden_held_out_faces_are_redrawn(generator: Generator) -> None:
    """Four full photos of people in no training set; skips without the shared faces."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("the shared photos are not here")
    from emogan_core.faces import choose_face, crop_of, cut
    from emogan_core.images import open_photo

    photos = [open_photo(path) for path in sorted(folder.glob("*_smiling.jpg"))[:4]]
    images = torch.cat([cut(p, crop_of(choose_face(p), "tight"), generator.spec.resolution) for p in photos])
    inversion = invert_images(generator, images, method="encode")
    assert min(inversion.metrics["psnr_db"]) > 21, inversion.metrics
