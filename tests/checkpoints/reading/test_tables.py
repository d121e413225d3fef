"""State dicts under every key and prefix that programs put around them; none is refused for its name alone."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import genforce_names, rosinality_discriminator, rosinality_names
from nvidia_pickles import networks_of
from stylegan1_names import genforce_stylegan1
from tiny import FIRST, TINY, make_generator, vivid

from emogan_core.checkpoints import load_generator, open_generator
from emogan_core.checkpoints.reading.tables import state_dict_with
from emogan_core.networks import Generator

Names = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(replace(TINY, c_dim=0), companions=False)


@pytest.fixture(scope="module")
def kinds(net: Generator) -> dict[str, Names]:
    """The same generator under the names of three programs, and a StyleGAN1."""
    return {
        "nvidia": networks_of(net)["G_ema"].state_dict(),  # type: ignore[attr-defined]
        "rosinality": rosinality_names(net) | {"latent_avg": net.w_avg},
        "genforce": genforce_names(net),
        "stylegan1": genforce_stylegan1(vivid(FIRST)),
    }


def prefixed(names: Names, prefix: str) -> Names:
    return {prefix + name: tensor for name, tensor in names.items()}


AROUND: dict[str, Callable[[Names], object]] = {
    "module.": lambda names: prefixed(names, "module."),
    "g_ema with module.": lambda names: {"g_ema": prefixed(names, "module.")},
    "_orig_mod.": lambda names: prefixed(names, "_orig_mod."),
    "_orig_mod.module.": lambda names: {"params_ema": prefixed(names, "_orig_mod.module.")},
    "compiled within": lambda names: {"g_ema": {name.replace(".", "._orig_mod.", 1): t for name, t in names.items()}},
    "state_dict": lambda names: {"state_dict": names, "epoch": 3},
    "generator": lambda names: {"generator": names},
    "params": lambda names: {"params": names},
    "params_ema": lambda names: {"params": {}, "params_ema": names},
    "model": lambda names: {"model": names},
    "lightning": lambda names: {
        "pytorch-lightning_version": "2.4.0",
        "epoch": 1,
        "state_dict": prefixed(names, "generator.") | {"discriminator.x": torch.zeros(2)},
        "hyper_parameters": {"lr": 0.1},
    },
    "lightning, averaged": lambda names: {"state_dict": prefixed(names, "model.generator_ema.")},
}


@pytest.mark.parametrize("kind", ["nvidia", "rosinality", "genforce", "stylegan1"])
@pytest.mark.parametrize("around", sorted(AROUND))
def test_shape_every_key_and_prefix_is_found(kind: str, around: str, kinds: dict[str, Names], tmp_path: Path) -> None:
    names = {name: tensor for name, tensor in kinds[kind].items() if name != "latent_avg"}
    torch.save(names, tmp_path / "bare.pt")
    torch.save(AROUND[around](names), tmp_path / "around.pt")
    assert load_generator(tmp_path / "around.pt").fingerprint == load_generator(tmp_path / "bare.pt").fingerprint


def test_shape_a_discriminator_comes_by_its_prefix(tmp_path: Path) -> None:
    net = make_generator(TINY)
    parts = prefixed(rosinality_names(net), "module.generator.")
    parts |= prefixed(rosinality_discriminator(net), "module.discriminator.")
    torch.save({"state_dict": parts}, tmp_path / "lightning.ckpt")
    assert load_generator(tmp_path / "lightning.ckpt").discriminator is not None


def test_shape_the_averaged_one_is_chosen_and_the_other_is_named(net: Generator, tmp_path: Path) -> None:
    other = rosinality_names(make_generator(seed=4, companions=False))
    both = prefixed(other, "generator.") | prefixed(rosinality_names(net), "generator_ema.")
    torch.save({"state_dict": both, "latent_avg": net.w_avg}, tmp_path / "both.ckpt")
    assert load_generator(tmp_path / "both.ckpt").fingerprint == net.fingerprint
    torch.save({"state_dict": prefixed(other, "generator.")}, tmp_path / "raw.ckpt")
    assert "lacks the smoothed generator" in " ".join(open_generator(tmp_path / "raw.ckpt").notices)


def test_shape_settings_of_lightning_are_no_hindrance(
    net: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type("AttributeDict", (dict,), {"__module__": "pytorch_lightning.utilities.parsing"})
    with monkeypatch.context() as patched:
        for name in ("pytorch_lightning", "pytorch_lightning.utilities", "pytorch_lightning.utilities.parsing"):
            patched.setitem(sys.modules, name, types.ModuleType(name))
        patched.setattr(sys.modules[kind.__module__], "AttributeDict", kind, raising=False)
        content = {"state_dict": prefixed(rosinality_names(net), "G."), "hyper_parameters": kind(lr=0.1)}
        torch.save(content | {"latent_avg": net.w_avg}, tmp_path / "settings.ckpt")
    assert load_generator(tmp_path / "settings.ckpt").fingerprint == net.fingerprint


def test_invariance_marks_are_whole_names() -> None:
    assert state_dict_with({"xinput.input": 1}, "input.input") is None
    assert state_dict_with({"input.input.more": 1}, "input.input") is None
    assert state_dict_with({"input.inputs": 1}, "input.") is not None
    assert state_dict_with(["input.input"], "input.input") is None
