"""Pivotal tuning: closer to the face, nothing of the generator touched, several faces beside each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import make_generator
from tiny_models import portrait

from emogan_core.commands.draw import drawn
from emogan_core.compose import put_back
from emogan_core.deltas import Delta, delta_from
from emogan_core.errors import ShapeError, SpaceMismatch
from emogan_core.inversion import Edit, Inversion, OptimiseConfig, invert, invert_images, load_inversion, save_inversion
from emogan_core.latents import load_latent, save_latent
from emogan_core.networks import Generator
from emogan_core.networks.tuned import tunable, with_delta
from emogan_core.progress import silent

SHORT = OptimiseConfig(hybrid_steps=10, tune_steps=25)


@pytest.fixture(scope="module")
def images(tiny: Generator) -> torch.Tensor:
    other = make_generator(seed=5)
    z = torch.randn(2, 16, generator=torch.Generator().manual_seed(11))
    return (0.4 * other.synthesis(other.mapping(z, psi=0.8))).clamp(-1, 1)  # no code of `tiny` draws these


@pytest.fixture(scope="module")
def weights(tiny: Generator) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tiny.state_dict().items()}


@pytest.fixture(scope="module")
def inversion(tiny: Generator, images: torch.Tensor, weights: dict[str, torch.Tensor]) -> Inversion:
    return invert_images(tiny, images, method="tune", config=SHORT)


@pytest.fixture(scope="module")
def of_photo(tiny: Generator) -> Inversion:
    return invert(tiny, portrait(), method="tune", config=OptimiseConfig(hybrid_steps=2, tune_steps=4))


def test_golden_tuning_redraws_closer_than_its_codes(
    tiny: Generator, images: torch.Tensor, inversion: Inversion
) -> None:
    before = invert_images(tiny, images, config=SHORT)
    torch.testing.assert_close(inversion.latent.ws, before.latent.ws, atol=0, rtol=0)
    pairs = zip(before.metrics["psnr_db"], inversion.metrics["psnr_db"], strict=True)
    assert all(late > early + 2 for early, late in pairs)


def test_invariance_the_generator_stays_to_the_bit(
    tiny: Generator, weights: dict[str, torch.Tensor], inversion: Inversion
) -> None:
    assert all(torch.equal(tensor, weights[name]) for name, tensor in tiny.state_dict().items())
    assert not any(parameter.requires_grad for parameter in tiny.parameters())
    assert inversion.delta is not None
    tuned = with_delta(tiny, inversion.delta[:1])
    changed = set(tunable(tiny))
    for name, tensor in tuned.synthesis.state_dict().items():
        own = tiny.synthesis.state_dict()[name]
        assert (tensor.data_ptr() == own.data_ptr()) == (name not in changed)  # the others are shared, not copied
    assert with_delta(tiny, None) is tiny


def test_invariance_two_faces_are_drawn_at_once_from_one_generator(tiny: Generator, inversion: Inversion) -> None:
    def draw(row: int) -> torch.Tensor:
        one = inversion[row % 2].latent
        with torch.no_grad():
            network = tiny if row % 3 == 2 else with_delta(tiny, one.delta)
            return network.synthesis(one.ws)

    alone = [draw(row) for row in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, range(12)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
    assert not torch.equal(alone[2], alone[0])


def test_invariance_same_inside_inference_mode(tiny: Generator, images: torch.Tensor) -> None:
    short = replace(SHORT, hybrid_steps=2, tune_steps=3)
    outside = invert_images(tiny, images[:1], method="tune", config=short)
    with torch.inference_mode():
        inside = invert_images(tiny, images[:1].clone(), method="tune", config=short)
    assert inside.delta is not None
    assert outside.delta is not None
    assert inside.delta.content_fingerprint == outside.delta.content_fingerprint


def test_invariance_nearby_faces_stay_where_locality_weighs(tiny: Generator, images: torch.Tensor) -> None:
    z = torch.randn(8, 16, generator=torch.Generator().manual_seed(3))
    nearby = tiny.mapping(z)
    before = tiny.synthesis(nearby)
    moved = []
    for locality in (0.0, 20.0):
        config = replace(SHORT, weights=replace(SHORT.weights, locality=locality))
        delta = invert_images(tiny, images[:1], method="tune", config=config).delta
        moved.append(float((with_delta(tiny, delta).synthesis(nearby) - before).abs().mean()))
    assert moved[1] < 0.5 * moved[0]


def test_invariance_kept_inversions_draw_with_their_delta(tiny: Generator, of_photo: Inversion, tmp_path: Path) -> None:
    save_inversion(tmp_path / "one.safetensors", of_photo)
    again, _ = load_inversion(tmp_path / "one.safetensors")
    assert again.delta is not None
    assert of_photo.delta is not None
    assert again.delta.content_fingerprint == of_photo.delta.content_fingerprint
    assert of_photo.faces is not None
    moved = Edit(replace(of_photo.latent, ws=of_photo.latent.ws + 0.3), of_photo.faces[0].coefficients[None])
    for mode in ("motion", "paste"):
        first, second = (put_back(tiny, portrait(), one, moved, mode=mode) for one in (of_photo, again))
        assert torch.equal(first.redrawn, second.redrawn)
        assert np.array_equal(first.photo.pixels, second.photo.pixels)
        untuned = replace(of_photo, latent=replace(of_photo.latent, delta=None))
        assert not torch.equal(first.redrawn, put_back(tiny, portrait(), untuned, moved, mode=mode).redrawn)


def test_invariance_kept_latents_draw_with_their_delta(tiny: Generator, inversion: Inversion, tmp_path: Path) -> None:
    save_latent(tmp_path / "two.safetensors", inversion.latent)
    again = load_latent(tmp_path / "two.safetensors")
    pictures = [photo.pixels for photo in drawn(tiny, again, silent)]
    assert np.array_equal(pictures, [photo.pixels for photo in drawn(tiny, inversion.latent, silent)])
    bare = drawn(tiny, replace(again, delta=None), silent)
    assert not np.array_equal(pictures, [photo.pixels for photo in bare])


def test_error_deltas_that_do_not_fit(tiny: Generator, inversion: Inversion) -> None:
    delta = inversion.delta
    assert delta is not None
    with pytest.raises(ShapeError, match="pick it with inversion"):
        with_delta(tiny, delta)
    with pytest.raises(SpaceMismatch, match="the delta belongs to generator"):
        with_delta(make_generator(seed=1), delta[:1])
    name, (left, right) = next(iter(delta.factors.items()))
    for factors, sentence in (
        ({"b9.weight": (left[:1], right[:1])}, "no such weight"),
        ({name: (left[:1, :3], right[:1])}, "this generator has"),
    ):
        with pytest.raises(ShapeError, match=sentence):
            with_delta(tiny, Delta(factors, tiny.fingerprint))
    for factors, sentence in (
        ({}, "factors of .. faces"),
        ({name: (left, right[:1])}, "needed one number"),
        ({name: (left, right[:, :-1])}, "needed float16"),
        ({name: (left.float(), right)}, "needed float16"),
        ({name: (left * torch.nan, right)}, "NaN or infinite"),
    ):
        with pytest.raises(ShapeError, match=sentence):
            Delta(factors, tiny.fingerprint)
    with pytest.raises(ShapeError, match="one for each"):
        replace(inversion.latent, delta=delta[:1])
    tensors = delta.tensors()
    tensors.pop(f"delta.{name}.left")
    with pytest.raises(ShapeError, match="came with one factor"):
        delta_from(tensors, tiny.fingerprint)


def test_error_a_file_whose_delta_is_damaged(of_photo: Inversion, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_inversion(path, of_photo)
    with safe_open(str(path), framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata())  # noqa: SIM118
    name = next(name for name in tensors if name.endswith(".left"))
    tensors[name] = tensors[name][:, :, :1].contiguous()
    save_file(tensors, str(path), metadata=metadata)
    with pytest.raises(ShapeError, match="tune again"):
        load_inversion(path)
