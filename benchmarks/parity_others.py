"""Files of rosinality's programs and of BasicSR, and the encoders of pSp and e4e."""

from __future__ import annotations

import importlib
import math
import sys
import types
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from parity_twin import PSI, SLOW, Net, Twin, Twins, enter, stirred, without_class
from torch import Tensor

from emogan_core.checkpoints import load_generator

ENCODERS = {"GradualStyleEncoder": "pSp", "Encoder4Editing": "e4e"}


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
        discriminator=lambda images, c: d(images),
    )


def basicsr(checkout: Path, folder: Path) -> Twins:
    """BasicSR's StyleGAN2, whose fused activation exists on GPUs alone and is written out here."""
    enter(checkout)
    for name in ("basicsr", "basicsr.archs", "basicsr.utils"):  # their own starts import every network there is
        sys.modules[name] = package = types.ModuleType(name)
        package.__path__ = [str(checkout.joinpath(*name.split(".")))]
    fused = importlib.import_module("basicsr.ops.fused_act.fused_act")
    fused.fused_act_ext = types.SimpleNamespace(fused_bias_act=leaky)  # type: ignore[attr-defined]
    model = importlib.import_module("basicsr.archs.stylegan2_arch")
    for side, narrow, layers, width in ((32, 1 / 16, 2, 32), (64, 1 / 8, 3, 64), (128, 1 / 8, 8, 512)):
        torch.manual_seed(5)
        g = stirred(model.StyleGAN2Generator(side, width, layers, narrow=narrow), slow=(*SLOW, "style_mlp."))
        for strength in (tensor for tensor in g.parameters() if tensor.shape == (1,)):
            strength.fill_(0.2)  # of noise, which begins at zero
        torch.save({"params": g.state_dict(), "params_ema": g.state_dict()}, folder / "net_g.pth")
        average = load_generator(folder / "net_g.pth").w_avg[None]  # which such files lack
        yield Twin(
            kind="BasicSR StyleGAN2 `.pth`",
            path=folder / "net_g.pth",
            draw=partial(drawn_by_basicsr, g, input_is_latent=True),
            sample=partial(without_class, partial(drawn_by_basicsr, g, truncation=PSI, truncation_latent=average)),
        )


def drawn_by_basicsr(g: Net, codes: Tensor, **around: object) -> Tensor:
    images: Tensor = g([codes], randomize_noise=False, **around)[0]
    return images


def leaky(x: Tensor, bias: Tensor, _: Tensor, act: int, grad: int, slope: float, scale: float) -> Tensor:
    """What BasicSR's kernel for GPUs computes."""
    return F.leaky_relu(x + bias.reshape(1, -1, *[1] * (x.ndim - 2)), slope) * scale


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
        options = {"mean_style": average, "style_weight": PSI, "noise": noise, "step": step}
        yield Twin(
            kind="rosinality StyleGAN1 `.model`, without noise",
            path=path,
            sample=partial(without_class, partial(g, **options)),
        )


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
            options = types.SimpleNamespace(stylegan_size=side, input_nc=3)
            network = lively(getattr(encoders, name)(50, "ir_se", options))
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
