"""Networks that compare pictures: the numbers of their authors' code, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hostile import Call
from likeness_files import (
    ALEXNET,
    DEPTHS,
    VGG16,
    classifier,
    linear_names,
    lpips_names,
    recogniser_names,
    torchvision_names,
    write_networks,
)
from safetensors.torch import save_file
from torch import Tensor, nn

from emogan_core.checkpoints.likeness import load_perceptual, load_recogniser
from emogan_core.errors import CheckpointError


def pictures(side: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(side)
    return torch.rand(2, 3, side, side, generator=rng) * 2 - 1, torch.rand(2, 3, side, side, generator=rng) * 2 - 1


def lpips(features: nn.Sequential, numbers: tuple[int, ...], weights: list[Tensor], a: Tensor, b: Tensor) -> Tensor:
    """The metric as its paper has it, equation 1, over torchvision's layers."""
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    both = (torch.cat([a, b]) / 2 + 0.5 - mean[:, None, None]) / deviation[:, None, None]
    total, depth = torch.zeros(len(a)), 0
    for number, layer in enumerate(features):
        both = layer(both)
        if number + 1 == DEPTHS[numbers][depth]:
            one, other = F.normalize(both, dim=1).chunk(2)
            total = total + (weights[depth].view(1, -1, 1, 1) * (one - other) ** 2).sum(1).mean((1, 2))
            depth += 1
            if depth == 5:
                break
    return total


@pytest.mark.parametrize("numbers", [VGG16, ALEXNET], ids=["vgg16", "alexnet"])
@pytest.mark.parametrize("side", [64, 96])
def test_golden_lpips(tmp_path: Path, numbers: tuple[int, ...], side: int) -> None:
    """Of tiny widths. At full size, with random weights and the published linear layers, both nets agree with
    richzhang/PerceptualSimilarity at 082bb24 on torchvision 0.26 within 2e-7 of the distance at 64, 128 and 256 px.
    """
    features = classifier(numbers)
    whole, net, linear = (tmp_path / name for name in ("lpips.pth", "net.pth", "linear.pth"))
    torch.save(lpips_names(features, numbers), whole)
    torch.save(torchvision_names(features), net)
    torch.save(linear_names(), linear, _use_new_zipfile_serialization=False)
    save_file(torchvision_names(features), tmp_path / "net.safetensors")
    bare, sliced = (tmp_path / name for name in ("features.pth", "sliced.pth"))
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in features.state_dict().items()}}, bare)
    own = {
        name.removeprefix("net."): tensor for name, tensor in lpips_names(features, numbers).items() if "net." in name
    }
    torch.save(own, sliced)
    a, b = pictures(side)
    weights = [tensor.flatten() for tensor in linear_names().values()]
    with torch.no_grad():
        expected = lpips(features, numbers, weights, a, b)
        alike = lpips(features, numbers, [torch.full((6,), 0.1)] * 5, a, b)
    for loaded, wanted in (
        (load_perceptual(whole), expected),
        (load_perceptual(net, linear), expected),
        (load_perceptual(net), alike),
        (load_perceptual(tmp_path / "net.safetensors"), alike),
        (load_perceptual(bare), alike),
        (load_perceptual(bare, linear), expected),
        (load_perceptual(sliced), alike),
    ):
        torch.testing.assert_close(loaded.distance(a, loaded(b)), wanted, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(loaded.distance(a, loaded(a)), torch.zeros(2), atol=0, rtol=0)
        assert not any(part.requires_grad for part in loaded.parameters())


def test_shape_large_pictures_are_averaged_and_small_ones_enlarged(tmp_path: Path) -> None:
    net = load_perceptual(write_networks(tmp_path)[0])
    a, _ = pictures(256)
    torch.testing.assert_close(net(a.repeat_interleave(2, 2).repeat_interleave(2, 3))[4], net(a)[4])
    assert net(pictures(16)[0])[4].shape == (2, 6, 4, 4)


class Gated(nn.Module):
    """`bottleneck_IR_SE` of InsightFace_Pytorch, by the paper: built of PyTorch's own layers."""

    def __init__(self, names: dict[str, Tensor], index: int, *, halved: bool) -> None:
        super().__init__()
        self.own = {name.removeprefix(f"body.{index}."): tensor for name, tensor in names.items()}
        self.stride = 2 if halved else 1

    def forward(self, x: Tensor) -> Tensor:
        own, here = self.own, "res_layer"
        y = normalised(own, f"{here}.0", x)
        y = F.prelu(F.conv2d(y, own[f"{here}.1.weight"], padding=1), own[f"{here}.2.weight"])
        y = normalised(own, f"{here}.4", F.conv2d(y, own[f"{here}.3.weight"], padding=1, stride=self.stride))
        gate = F.relu(F.conv2d(F.adaptive_avg_pool2d(y, 1), own[f"{here}.5.fc1.weight"]))
        y = y * torch.sigmoid(F.conv2d(gate, own[f"{here}.5.fc2.weight"]))
        if "shortcut_layer.0.weight" not in own:
            return y + F.max_pool2d(x, 1, self.stride)
        return y + normalised(own, "shortcut_layer.1", F.conv2d(x, own["shortcut_layer.0.weight"], stride=self.stride))


def normalised(names: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    mean, variance, weight, bias = (
        names[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, weight, bias)


def test_golden_recogniser(tmp_path: Path) -> None:
    """Of tiny widths. IR-SE50 at full size with random weights and statistics agrees with model.py of
    TreB1eN/InsightFace_Pytorch at 350ff7a within 1.4e-7 on three pictures of 112 px.
    """
    names = recogniser_names()
    torch.save(names, tmp_path / "arcface.pth")
    net = load_recogniser(tmp_path / "arcface.pth")
    assert net.side == 32
    faces, _ = pictures(32)
    x = F.prelu(
        normalised(names, "input_layer.1", F.conv2d(faces, names["input_layer.0.weight"], padding=1)),
        names["input_layer.2.weight"],
    )
    for index, halved in enumerate((True, True, True, False, True)):
        x = Gated(names, index, halved=halved)(x)
    x = normalised(names, "output_layer.0", x).flatten(1)
    x = normalised(names, "output_layer.4", F.linear(x, names["output_layer.3.weight"], names["output_layer.3.bias"]))
    torch.testing.assert_close(net(faces), F.normalize(x), atol=1e-5, rtol=0)


def test_gradient_reaches_the_picture(tmp_path: Path) -> None:
    perceptual, recogniser = write_networks(tmp_path)
    a, b = pictures(64)
    net = load_perceptual(perceptual)
    shown = a.clone().requires_grad_()
    net.distance(shown, net(b)).sum().backward()
    same = b.clone().requires_grad_()
    net.distance(same, net(b)).sum().backward()  # 0 over 0 at features that are nothing
    faces = pictures(32)[0].requires_grad_()
    load_recogniser(recogniser)(faces)[:, 0].sum().backward()
    for picture in (shown, same, faces):
        assert picture.grad is not None
        assert torch.isfinite(picture.grad).all()
    assert shown.grad is not None
    assert shown.grad.abs().sum() > 0


def program(path: Path) -> Path:
    """A file of torch.jit.save, as far as it matters: weights with code beside them."""
    torch.save(VGG, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("mine/code/__torch__/torch/nn/modules/container.py", "raise SystemExit")
    return path


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def text(path: Path) -> Path:
    path.write_text("<!DOCTYPE html>")
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


VGG = torchvision_names(classifier(VGG16))
BAD: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "a program": (program, "a program of TorchScript, and no code", "a program of TorchScript, and no code"),
    "no file": (lambda path: path, "there is no file at .*vgg16-397923af", "there is no file at .*model_ir_se50"),
    "a web page": (text, "a web page.*vgg16-397923af", "a web page.*model_ir_se50"),
    "a call": (
        lambda path: saved(path, Call(print, "x")),
        r"refused '__builtin__.print'",
        r"refused '__builtin__.print'",
    ),
    "a list": (lambda path: saved(path, [1]), "instead of a table", "instead of a table"),
    "the other": (
        lambda path: saved(path, recogniser_names()),
        "seems to be a face recogniser .ArcFace.*needed torchvision's VGG16",
        "",
    ),
    "its other": (lambda path: saved(path, VGG), "", "seems to be an image classifier.*needed ArcFace"),
    "linear layers alone": (lambda path: saved(path, linear_names()), "linear layers alone, which come second", ""),
    "VGG19": (
        lambda path: saved(path, VGG | {"features.30.weight": torch.zeros(6, 6, 3, 3)}),
        r"another classifier \(14 convolutions\)",
        "",
    ),
    "VGG16 with norms": (
        lambda path: saved(path, VGG | {"features.1.weight": torch.ones(6), "features.1.bias": torch.zeros(6)}),
        r"another classifier \(13 convolutions\)",
        "",
    ),
    "a folder": (folder, "is a folder; give the file in it; needed torchvision's", "is a folder; give the file in it"),
    "negative": (
        lambda path: saved(path, VGG | {name: -tensor for name, tensor in linear_names().items()}),
        "weights below 0",
        "",
    ),
    "NaN": (lambda path: saved(path, VGG | {"features.0.bias": torch.full((6,), torch.nan)}), "holds NaN", ""),
    "an encoder": (
        lambda path: saved(path, {n: t for n, t in recogniser_names().items() if "output_layer" not in n}),
        "",
        "without its last layer",
    ),
    "another size": (
        lambda path: saved(path, recogniser_names() | {"output_layer.3.weight": torch.zeros(12, 50)}),
        "",
        "takes 50 numbers, which are no map of 24 channels",
    ),
    "more": (lambda path: saved(path, recogniser_names() | {"more": torch.zeros(1)}), "", "cannot use 'more'"),
}


@pytest.mark.parametrize("name", BAD)
def test_error_in_one_sentence(tmp_path: Path, name: str) -> None:
    make, *sentences = BAD[name]
    path = make(tmp_path / "mine.pth")
    for load, sentence in zip((load_perceptual, load_recogniser), sentences, strict=True):
        if sentence:
            with pytest.raises(CheckpointError, match=sentence) as caught:
                load(path)
            assert "mine.pth" in str(caught.value)
            assert "StyleGAN" not in str(caught.value)
            assert len(str(caught.value)) < 400
