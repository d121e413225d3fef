"""Files of NVIDIA's programs: StyleGAN2 and StyleGAN3 pickles, networks in torch.save, TensorFlow's pickles."""

from __future__ import annotations

import importlib
import itertools
import math
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from parity_twin import PSI, Net, Twin, Twins, enter, stirred

from emogan_core.networks import GeneratorSpec
from emogan_core.networks.discriminator import Discriminator

Make = Callable[..., Net]
FP32 = {"noise_mode": "const", "force_fp32": True}  # as the reference draws on a CPU, with the noise that is stored
FORCED = {"force_fp32": True}  # StyleGAN3 has no noise
GRID = itertools.product(("skip", "resnet", "orig"), (8, 32, 64), (2, 8), (None, 0.7, 256.0), (0, 1, 10))
OUTER = ("c_dim", "z_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs")
PLAIN: dict[str, Any] = {"arch": "skip", "side": 32, "layers": 2, "clamp": None, "c_dim": 0}
ODD: tuple[dict[str, Any], ...] = (
    {"use_noise": False},
    {"use_noise": False, "arch": "resnet"},
    {"fp16": 3},
    {"fp16": 3, "arch": "resnet", "clamp": 0.7},
    {"fp16": 3, "arch": "orig", "c_dim": 3, "clamp": 256.0},
    {"group": None},
    {"group": 8, "c_dim": 2},
)
FORMS: dict[str, Callable[[Net, Net], object]] = {
    "the network": lambda g, d: g,
    "G_ema alone": lambda g, d: {"G_ema": g, "D": d},
    "all networks": lambda g, d: {"G": g, "G_ema": g, "D": d, "augment_pipe": None},
    "a state dict": lambda g, d: g.state_dict(),
    "a state dict under a key": lambda g, d: {"state_dict": {f"decoder.{n}": t for n, t in g.state_dict().items()}},
}
RADIAL = {"conv_kernel": 1, "use_radial_filters": True}
LAYOUTS: tuple[dict[str, Any], ...] = (
    {},
    {"img_resolution": 64, "num_layers": 10},
    {"img_resolution": 16, "num_layers": 6, "margin_size": 4, "filter_size": 4},
    RADIAL,
    RADIAL | {"img_resolution": 64, "num_layers": 9, "margin_size": 6},
    {"c_dim": 5},
    RADIAL | {"c_dim": 3},
    {"lrelu_upsampling": 4, "num_critical": 3},
    {"lrelu_upsampling": 1, "num_critical": 1},
    {"filter_size": 5, "use_radial_filters": True, "output_scale": 1, "conv_clamp": None},
    {"img_resolution": 64, "conv_clamp": 0.5, "first_cutoff": 3, "first_stopband": 6, "last_stopband_rel": 1.5},
)


def ada(checkout: Path, folder: Path) -> Twins:
    """stylegan2-ada-pytorch: its own pickles, torch.save, and TensorFlow's files by its converter."""
    enter(checkout)
    networks = importlib.import_module("training.networks")
    make = partial(pair, partial(nested, networks.Generator), networks.Discriminator)
    for grid in GRID:
        yield pickled("StyleGAN2 `.pkl`: kinds, sides, depths, limits, classes", folder, *make(*grid))
    for more in ODD:
        yield pickled("StyleGAN2 `.pkl`: fp16 layers, no noise, groups", folder, *make(**PLAIN | more))
    for zipped, (form, content), arch in itertools.product((True, False), FORMS.items(), ("skip", "resnet")):
        g, d = make(**PLAIN | {"arch": arch, "side": 64, "c_dim": 4 if arch == "resnet" else 0})
        path = folder / "model.pt"
        torch.save(content(g, d), path, _use_new_zipfile_serialization=zipped)
        whole = form in ("G_ema alone", "all networks")
        yield twin("StyleGAN2 in `torch.save`: networks and state dicts", path, g, d if whole else None)
    yield from tensorflow(folder)


def nested(made: Make, **options: Any) -> Net:
    """A network made by settings as the stylegan3 repository takes them: here the synthesis has a group of its own."""
    synthesis = {name: options.pop(name) for name in list(options) if name not in OUTER}
    return made(**options, synthesis_kwargs=synthesis)


def pair(
    made: Make, discriminator: Make, arch: str, side: int, layers: int, clamp: float | None, c_dim: int, **more: Any
) -> tuple[Net, Net]:
    """A generator and a discriminator of one training, small and random."""
    torch.manual_seed(5)  # the reference asks the global generator
    common: dict[str, Any] = {"c_dim": c_dim, "img_resolution": side, "img_channels": 3}
    common |= {"channel_base": side * 8, "channel_max": 32, "conv_clamp": clamp, "num_fp16_res": more.pop("fp16", 0)}
    epilogue = {"mbstd_group_size": more.pop("group", 4)}
    g = made(z_dim=32, w_dim=24, mapping_kwargs={"num_layers": layers}, architecture=arch, **common, **more)
    d = discriminator(architecture=arch, epilogue_kwargs=epilogue, **common)
    return stirred(g), stirred(d)


def pickled(kind: str, folder: Path, g: Net, d: Net | None, *, forced: dict[str, Any] = FP32) -> Twin:
    """As a training's snapshot; the network drawn is the one its own pickle gives back."""
    path = folder / "network.pkl"
    snapshot = {"training_set_kwargs": {"class_name": "", "path": ""}, "G": g, "D": d, "G_ema": g, "augment_pipe": None}
    path.write_bytes(pickle.dumps(snapshot))
    return twin(kind, path, pickle.loads(path.read_bytes())["G_ema"], d, forced=forced)


def twin(kind: str, path: Path, g: Net, d: Net | None, *, forced: dict[str, Any] = FP32) -> Twin:
    return Twin(
        kind=kind,
        path=path,
        draw=lambda ws: g.synthesis(ws, **forced),
        sample=lambda z, c: g(z, c, truncation_psi=PSI, **forced),
        discriminator=None if d is None else lambda images, c: d(images, c, force_fp32=True),
    )


def stylegan3(checkout: Path, folder: Path) -> Twins:
    """The stylegan3 repository: its StyleGAN2 and its StyleGAN3."""
    import scipy.optimize
    import scipy.signal
    import scipy.special  # noqa: F401 - the reference uses it without importing it

    enter(checkout)
    seconds = importlib.import_module("training.networks_stylegan2")
    third = importlib.import_module("training.networks_stylegan3").Generator
    make = partial(pair, seconds.Generator, seconds.Discriminator)
    for arch, clamp, c_dim in itertools.product(("skip", "resnet", "orig"), (None, 0.7), (0, 3)):
        g, d = make(arch, 32, 2, clamp, c_dim)
        yield pickled("StyleGAN2 `.pkl` of the stylegan3 repository", folder, g, d)
    for more in ODD:
        g, d = make(**PLAIN | more)
        yield pickled("StyleGAN2 `.pkl` of the stylegan3 repository", folder, g, d)
    for layout in LAYOUTS:
        options = {"c_dim": 0, "img_resolution": 32} | layout
        g = alias_free(third, **options)
        d = make("skip", options["img_resolution"], 2, 256.0, options["c_dim"])[1]
        yield pickled("StyleGAN3 `.pkl`: T, R and between, turned and moved", folder, g, d, forced=FORCED)
    for content, layout in itertools.product(FORMS.values(), ({}, RADIAL)):
        g, path = alias_free(third, c_dim=0, img_resolution=32, **layout), folder / "model.pt"
        torch.save(content(g, g), path)
        yield twin("StyleGAN3 T and R in `torch.save`: networks and state dicts", path, g, None, forced=FORCED)


@torch.no_grad()
def alias_free(made: Make, **options: Any) -> Net:
    """A small random StyleGAN3 that turns and moves its picture, by its own measure and by the code's."""
    torch.manual_seed(5)
    narrow = {"channel_base": 16 * options["img_resolution"], "channel_max": 24}
    g = stirred(made(z_dim=16, w_dim=16, img_channels=3, mapping_kwargs={"num_layers": 2}, **narrow, **options))
    cos, sin = math.cos(0.3), math.sin(0.3)
    entry = g.synthesis.input
    entry.transform.copy_(torch.tensor([[cos, -sin, 0.1], [sin, cos, -0.05], [0, 0, 1]]))
    entry.affine.weight.normal_(generator=torch.Generator().manual_seed(4)).mul_(0.3)
    return g


def tensorflow(folder: Path) -> Twins:
    """StyleGAN2 files in TensorFlow's layout, read by the reference's converter as well."""
    sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "support"))
    legacy = importlib.import_module("legacy")
    from tensorflow_pickles import write_tensorflow
    from tiny import TINY, vivid

    kinds = {"skip": "stylegan2", "resnet": "stylegan2-resnet", "orig": "stylegan2-orig"}
    for arch, clamp, c_dim in itertools.product(kinds, (None, 0.7), (0, 5)):
        version = 5 if c_dim or clamp else 4
        spec = replace(
            TINY, architecture=kinds[arch], conv_clamp=clamp, discriminator_clamp=clamp, c_dim=c_dim, z_dim=24
        )
        seen = "resnet" if clamp else arch  # a limit and a look at the smallest picture are not read together
        by_class = (c_dim, 16, 0) if c_dim else (0, 1, 0)
        discriminator = Discriminator(spec.resolution, spec.channels, architecture=seen, clamp=clamp, classes=by_class)
        path = write_tensorflow(
            folder / "network.pkl",
            vivid(spec, discriminator=discriminator),
            change=told_by(spec, seen),
            version=version,
        )
        with path.open("rb") as file:
            theirs = legacy.load_network_pkl(file)
        g, d = theirs["G_ema"].eval(), theirs["D"].eval()
        yield twin("TensorFlow StyleGAN2 `.pkl`, by its `legacy.py`", path, g, d)


def told_by(spec: GeneratorSpec, arch: str) -> Callable[[tuple[Any, ...]], None]:
    """Adds the settings that the converter asks for."""

    def change(networks: tuple[Any, ...]) -> None:
        widths = {"fmap_base": spec.channels[-1] * spec.resolution // 2, "fmap_max": max(spec.channels)}
        for network in networks:
            for part in (network, *network.components.values()):
                part.static_kwargs |= widths
        discriminator = {"mbstd_group_size": spec.discriminator_group, "num_channels": 3, "architecture": arch}
        discriminator |= {"mapping_layers": 0, "mapping_fmaps": 16} if spec.c_dim else {}
        networks[1].static_kwargs |= discriminator

    return change
