"""Files of other programs than NVIDIA's: genforce and Hammer, rosinality, pSp and e4e."""

from __future__ import annotations

import importlib
import math
import pickle
import sys
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from parity_twin import PSI, Draw, Net, Twin, Twins, enter, stirred
from torch import Tensor

from emogan_core.checkpoints import load_generator

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
ENCODERS = {"GradualStyleEncoder": "pSp", "Encoder4Editing": "e4e"}


def genforce(checkout: Path, folder: Path) -> Twins:
    """genforce's StyleGAN2 and StyleGAN1, and TensorFlow's StyleGAN1 by its table of names."""
    enter(checkout, bare=("models",))
    first = importlib.import_module("models.stylegan_generator").StyleGANGenerator
    for told in FIRSTS["genforce"]:
        for fused in ("auto", True, False):
            g = made(first, "genforce", told | {"fused_scale": fused})
            path = tensorflow_stylegan1(g, folder, fused=fused)
            yield theirs("TensorFlow StyleGAN1 `.pkl`, by genforce's names", path, g)
        g = made(first, "genforce", told)
        torch.save({"generator_smooth": g.state_dict()}, folder / "model.pth")
        yield theirs("genforce StyleGAN1 `.pth`", folder / "model.pth", g)
    yield from seconds("genforce", folder)


def hammer(checkout: Path, folder: Path) -> Twins:
    """Hammer's StyleGAN2 and StyleGAN1."""
    enter(checkout, bare=("models",))
    first = importlib.import_module("models.stylegan_generator").StyleGANGenerator
    for told in FIRSTS["hammer"]:
        g = made(first, "hammer", told)
        torch.save(snapshot("hammer", g, told), folder / "model.pth")
        yield theirs("Hammer StyleGAN1 `.pth`", folder / "model.pth", g)
    yield from seconds("hammer", folder)


def seconds(program: str, folder: Path) -> Twins:
    second = importlib.import_module("models.stylegan2_generator").StyleGAN2Generator
    judge = importlib.import_module("models.stylegan2_discriminator").StyleGAN2Discriminator
    plain = {} if program == "genforce" else {"impl": "ref"}
    for told in SECONDS[program]:
        for side in (32, 64):
            here = told | {"resolution": side}
            g = made(second, program, here)
            torch.manual_seed(6)
            d = stirred(judge(resolution=side, fmaps_base=8 * side, fmaps_max=32))
            torch.save(snapshot(program, g, here, d), folder / "model.pth")
            yield theirs(f"{NAMES[program]} StyleGAN2 `.pth`", folder / "model.pth", g, d, **plain)


def settings(program: str, told: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a network of that program."""
    here = {"resolution": 32, "mapping_layers": 3} | LATENTS[program] | SMALL | told
    here["label_size" if program == "genforce" else "label_dim"] = here.pop("classes", 0)
    return here | {"fmaps_base": 8 * here["resolution"]}


def made(network: Callable[..., Net], program: str, told: dict[str, Any]) -> Net:
    torch.manual_seed(5)
    return stirred(network(**settings(program, told)))


def snapshot(program: str, g: Net, told: dict[str, Any], d: Net | None = None) -> dict[str, object]:
    """A training's file; Hammer's tells the settings."""
    models = {"generator": g.state_dict(), "generator_smooth": g.state_dict()}
    models |= {} if d is None else {"discriminator": d.state_dict()}
    kwargs = {"generator_smooth": settings(program, told), "discriminator": {}}
    return {"models": models} | ({"model_kwargs_init": kwargs} if program == "hammer" else {})


def theirs(kind: str, path: Path, g: Net, d: Net = None, **plain: Any) -> Twin:
    def judge(images: Tensor, c: Tensor | None) -> Tensor:
        found = d(images, **plain)
        logits: Tensor = found["score"] if isinstance(found, dict) else found
        return logits

    return Twin(
        kind=kind,
        path=path,
        draw=lambda ws: g.synthesis(ws, **plain)["image"],
        sample=lambda z, c: g(z, c, trunc_psi=PSI, trunc_layers=ALL_LAYERS, **plain)["image"],
        judge=None if d is None else judge,
    )


def tensorflow_stylegan1(g: Net, folder: Path, *, fused: object) -> Path:
    """The pickle that genforce's converter would have made this network of."""
    sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
    from tensorflow_pickles import Network, stand_in

    state = g.state_dict()
    variables: dict[str, Any] = {}
    for ours, name in g.pth_to_tf_var_mapping.items():
        value = state[ours].numpy()
        if "weight" in name and "LabelConcat" not in name and "Noise" not in name:
            value = value.T if "Dense" in name or "StyleMod" in name else value.transpose(2, 3, 1, 0)
        variables[name] = value.copy()
    told: dict[str, Any] = {"resolution": g.resolution, "latent_size": g.z_space_dim, "dlatent_size": g.w_space_dim}
    told |= {"label_size": g.label_size, "mapping_layers": g.mapping_layers, "mapping_fmaps": g.mapping_fmaps}
    told |= {"fmap_base": g.fmaps_base // 2, "fmap_max": g.fmaps_max, "fused_scale": fused}
    mapping = {name: value for name, value in variables.items() if name.startswith(("Dense", "Label"))}
    own = {"dlatent_avg": variables["dlatent_avg"]}
    drawing = {name: value for name, value in variables.items() if name not in mapping and name not in own}
    network = Network("Gs", "G_style", own, version=3, **told)
    network.components["mapping"] = Network("G_mapping", "G_mapping", mapping, version=3, **told)
    network.components["synthesis"] = Network("G_synthesis", "G_synthesis", drawing, version=3, **told)
    path = folder / "network.pkl"
    with stand_in():
        path.write_bytes(pickle.dumps((network, network, network), protocol=4))
    return path


def rosinality(checkout: Path, folder: Path) -> Twins:
    """stylegan2-pytorch of rosinality."""
    enter(checkout)
    model = importlib.import_module("model")
    for side, multiplier, layers, width in ((32, 2, 2, 32), (64, 1, 3, 64), (64, 2, 8, 512), (128, 1, 8, 64)):
        torch.manual_seed(5)
        g = stirred(model.Generator(side, width, layers, channel_multiplier=multiplier))
        d = stirred(model.Discriminator(side, channel_multiplier=multiplier))
        average = g.mean_latent(4096)[0].detach()
        content = {"g": g.state_dict(), "g_ema": g.state_dict(), "d": d.state_dict(), "latent_avg": average}
        torch.save(content, folder / "model.pt")
        yield drawn_by_rosinality(folder / "model.pt", g, d, average)


def drawn_by_rosinality(path: Path, g: Net, d: Net, average: Tensor) -> Twin:
    around = {"truncation": PSI, "truncation_latent": average}
    return Twin(
        kind="rosinality StyleGAN2 `.pt`",
        path=path,
        draw=lambda ws: g([ws], input_is_latent=True, randomize_noise=False)[0],
        sample=lambda z, c: g([z], randomize_noise=False, **around)[0],
        judge=lambda images, c: d(images),
    )


def rosinality1(checkout: Path, folder: Path) -> Twins:
    """style-based-gan-pytorch of rosinality, grown to 32 and 256 px, without the noise that it draws anew each time.

    It has no codes per layer and keeps no average, so that only z can be compared, around the average ours computes.
    """
    enter(checkout)
    model = importlib.import_module("model")
    for step in (3, 6):
        torch.manual_seed(5)
        g = grown(model.StyledGenerator(512), step)
        path = folder / "train.model"
        torch.save({"g_running": g.state_dict()}, path)
        average = load_generator(path).w_avg[None]
        noise = [torch.zeros(3, 1, 4 << index, 4 << index) for index in range(step + 1)]
        told = {"mean_style": average, "style_weight": PSI, "noise": noise, "step": step}
        yield Twin(
            kind="rosinality StyleGAN1 `.model`, without noise",
            path=path,
            sample=partial(without_class, partial(g, **told)),
        )


def without_class(sample: Draw, z: Tensor, c: Tensor | None) -> Tensor:
    return sample(z)


@torch.no_grad()
def grown(g: Net, step: int) -> Net:
    """Trained up to a step: what lies beyond is as it began."""
    rng = torch.Generator().manual_seed(2)
    for name, tensor in g.named_parameters():
        fresh = name.startswith("generator.") and int(name.split(".")[2]) > step
        if not fresh and ("noise" in name or name.endswith("bias")):
            tensor.add_(0.3 * torch.randn(tensor.shape, generator=rng))
    return g.eval().requires_grad_(False)


def e4e(checkout: Path, folder: Path) -> Twins:
    """The encoders of pSp and e4e by the e4e repository, with its decoder beside them, as its trainings save them."""
    enter(checkout)
    encoders = importlib.import_module("models.encoders.psp_encoders")
    decoder = importlib.import_module("models.stylegan2.model").Generator
    for name, kind in ENCODERS.items():
        for side in (256, 1024):
            told = types.SimpleNamespace(stylegan_size=side, input_nc=3)
            network = lively(getattr(encoders, name)(50, "ir_se", told))
            state = {f"encoder.{key}": tensor for key, tensor in network.state_dict().items()}
            state |= {f"decoder.{key}": tensor for key, tensor in decoder(side, 512, 8).state_dict().items()}
            average = torch.randn(512, generator=torch.Generator().manual_seed(7))
            opts = {"encoder_type": name, "start_from_latent_avg": True, "stylegan_size": side, "learn_in_w": False}
            torch.save({"state_dict": state, "latent_avg": average, "opts": opts}, folder / "model.pt")
            answer = partial(around, network, average)
            yield Twin(kind=f"encoder of {kind} `.pt`", path=folder / "model.pt", encode=answer)


def around(network: Net, average: Tensor, images: Tensor) -> Tensor:
    """The codes of an encoder that answers with steps from the average."""
    codes: Tensor = network(images) + average
    return codes


@torch.no_grad()
def lively(network: Net) -> Net:
    """Random statistics as well, and kernels that keep the signal's size."""
    rng = torch.Generator().manual_seed(3)
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("num_batches_tracked"):
            continue
        noise = torch.randn(tensor.shape, generator=rng)
        if name.endswith("running_var"):
            noise = (0.4 * noise).exp()
        elif tensor.ndim == 4:
            noise = noise / math.sqrt(tensor[0].numel())
        elif tensor.ndim == 1:
            noise = 0.2 * noise + (1 if name.endswith("weight") else 0)
        tensor.copy_(noise)
    return network.eval().requires_grad_(False)
