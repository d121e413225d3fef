"""Files of genforce's programs: genforce itself, Hammer and InterFaceGAN, and TensorFlow's StyleGAN1 by its names."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from parity_twin import PSI, Net, Twin, Twins, enter, stirred, without_class
from torch import Tensor

ALL_LAYERS = 99  # truncation of every row, as ours
SMALL: dict[str, Any] = {"fmaps_max": 32, "mapping_fmaps": 24}
LATENTS = {"genforce": {"z_space_dim": 24, "w_space_dim": 24}, "hammer": {"z_dim": 24, "w_dim": 24}}
SECONDS: dict[str, tuple[dict[str, Any], ...]] = {
    "genforce": ({}, {"architecture": "origin"}, {"classes": 5}, {"classes": 1, "architecture": "origin"}),
    "hammer": (
        {},
        {"architecture": "resnet", "conv_clamp": 0.7},
        {"architecture": "origin", "conv_clamp": 256},
        {"classes": 5, "embedding_dim": 24},
        {"classes": 1, "embedding_dim": 24, "architecture": "resnet"},
    ),
}
FIRSTS: dict[str, tuple[dict[str, Any], ...]] = {
    "genforce": ({}, {"resolution": 64, "classes": 4}, {"resolution": 256}),
    "hammer": ({}, {"resolution": 128, "classes": 4, "embedding_dim": 24}, {"resolution": 64, "fused_scale": True}),
}
NAMES = {"genforce": "genforce", "hammer": "Hammer"}


def genforce(checkout: Path, folder: Path) -> Twins:
    """genforce's StyleGAN2 and StyleGAN1, and TensorFlow's StyleGAN1 by its table of names."""
    enter(checkout, bare=("models",))
    first = importlib.import_module("models.stylegan_generator").StyleGANGenerator
    for options in FIRSTS["genforce"]:
        for fused in ("auto", True, False):
            g = made(first, "genforce", options | {"fused_scale": fused})
            path = tensorflow_stylegan1(g, folder, fused=fused)
            yield theirs("TensorFlow StyleGAN1 `.pkl`, by genforce's names", path, g)
        g = made(first, "genforce", options)
        torch.save({"generator_smooth": g.state_dict()}, folder / "model.pth")
        yield theirs("genforce StyleGAN1 `.pth`", folder / "model.pth", g)
    torch.manual_seed(5)
    g = stirred(first(1024))
    torch.save({"generator_smooth": g.state_dict()}, folder / "model.pth")
    large = theirs("genforce StyleGAN1 `.pth`, full width, 1024 px", folder / "model.pth", g)
    yield large
    g.double()
    yield replace(large, kind=f"{large.kind}, in float64", dtype=torch.float64)
    yield from seconds("genforce", folder)


def hammer(checkout: Path, folder: Path) -> Twins:
    """Hammer's StyleGAN2 and StyleGAN1."""
    enter(checkout, bare=("models",))
    first = importlib.import_module("models.stylegan_generator").StyleGANGenerator
    for options in FIRSTS["hammer"]:
        g = made(first, "hammer", options)
        torch.save(snapshot("hammer", g, options), folder / "model.pth")
        yield theirs("Hammer StyleGAN1 `.pth`", folder / "model.pth", g)
    yield from seconds("hammer", folder)


def interfacegan(checkout: Path, folder: Path) -> Twins:
    """InterFaceGAN's StyleGAN1, which it knows in full width only."""
    enter(checkout, bare=("models",))
    network = importlib.import_module("models.stylegan_generator_model").StyleGANGeneratorModel
    for side in (32, 128):
        torch.manual_seed(5)
        g = afresh(network(side, truncation_psi=PSI, truncation_layers=ALL_LAYERS))
        path = folder / "model.pth"
        torch.save(g.state_dict(), path)
        draw = partial(without_class, g)
        yield Twin(kind="InterFaceGAN StyleGAN1 `.pth`", path=path, draw=g.synthesis, sample=draw)


@torch.no_grad()
def afresh(g: Net) -> Net:
    """Its layers begin as PyTorch's and not as StyleGAN's: only files ever fill them."""
    rng = torch.Generator().manual_seed(3)
    for name, tensor in g.named_parameters():
        if tensor.ndim > 1:
            tensor.normal_(std=100.0 if name.startswith("mapping.") else 1.0, generator=rng)
    return stirred(g)


def seconds(program: str, folder: Path) -> Twins:
    second = importlib.import_module("models.stylegan2_generator").StyleGAN2Generator
    discriminator = importlib.import_module("models.stylegan2_discriminator").StyleGAN2Discriminator
    plain = {} if program == "genforce" else {"impl": "ref"}
    for options in SECONDS[program]:
        for side in (32, 64):
            here = options | {"resolution": side}
            g = made(second, program, here)
            torch.manual_seed(6)
            d = stirred(discriminator(resolution=side, fmaps_base=8 * side, fmaps_max=32))
            torch.save(snapshot(program, g, here, d), folder / "model.pth")
            yield theirs(f"{NAMES[program]} StyleGAN2 `.pth`", folder / "model.pth", g, d, **plain)


def settings(program: str, options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a network of that program."""
    here = {"resolution": 32, "mapping_layers": 3} | LATENTS[program] | SMALL | options
    here["label_size" if program == "genforce" else "label_dim"] = here.pop("classes", 0)
    return here | {"fmaps_base": 8 * here["resolution"]}


def made(network: Callable[..., Net], program: str, options: dict[str, Any]) -> Net:
    torch.manual_seed(5)
    return stirred(network(**settings(program, options)))


def snapshot(program: str, g: Net, options: dict[str, Any], d: Net | None = None) -> dict[str, object]:
    """A training's file; Hammer's tells the settings."""
    models = {"generator": g.state_dict(), "generator_smooth": g.state_dict()}
    models |= {} if d is None else {"discriminator": d.state_dict()}
    kwargs = {"generator_smooth": settings(program, options), "discriminator": {}}
    return {"models": models} | ({"model_kwargs_init": kwargs} if program == "hammer" else {})


def theirs(kind: str, path: Path, g: Net, d: Net = None, **plain: Any) -> Twin:
    def discriminator(images: Tensor, c: Tensor | None) -> Tensor:
        found = d(images, **plain)
        logits: Tensor = found["score"] if isinstance(found, dict) else found
        return logits

    return Twin(
        kind=kind,
        path=path,
        draw=lambda ws: g.synthesis(ws, **plain)["image"],
        sample=lambda z, c: g(z, c, trunc_psi=PSI, trunc_layers=ALL_LAYERS, **plain)["image"],
        discriminator=None if d is None else discriminator,
    )


def tensorflow_stylegan1(g: Net, folder: Path, *, fused: object) -> Path:
    """The pickle that genforce's converter would have made this network of."""
    sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "support"))
    from tensorflow_pickles import Network, stand_in

    state = g.state_dict()
    variables: dict[str, Any] = {}
    for ours, name in g.pth_to_tf_var_mapping.items():
        value = state[ours].numpy()
        if "weight" in name and "LabelConcat" not in name and "Noise" not in name:
            value = value.T if "Dense" in name or "StyleMod" in name else value.transpose(2, 3, 1, 0)
        variables[name] = value.copy()
    options: dict[str, Any] = {"resolution": g.resolution, "latent_size": g.z_space_dim, "dlatent_size": g.w_space_dim}
    options |= {"label_size": g.label_size, "mapping_layers": g.mapping_layers, "mapping_fmaps": g.mapping_fmaps}
    options |= {"fmap_base": g.fmaps_base // 2, "fmap_max": g.fmaps_max, "fused_scale": fused}
    mapping = {name: value for name, value in variables.items() if name.startswith(("Dense", "Label"))}
    own = {"dlatent_avg": variables["dlatent_avg"]}
    drawing = {name: value for name, value in variables.items() if name not in mapping and name not in own}
    network = Network("Gs", "G_style", own, version=3, **options)
    network.components["mapping"] = Network("G_mapping", "G_mapping", mapping, version=3, **options)
    network.components["synthesis"] = Network("G_synthesis", "G_synthesis", drawing, version=3, **options)
    path = folder / "network.pkl"
    with stand_in():
        path.write_bytes(pickle.dumps((network, network, network), protocol=4))
    return path
