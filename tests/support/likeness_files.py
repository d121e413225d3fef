"""Networks that compare pictures, tiny, as the programs that train them save them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from foreign_encoders import encoder_shapes, filled
from torch import Tensor, nn

VGG16, ALEXNET = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), (0, 3, 6, 8, 10)
DEPTHS = {VGG16: (4, 9, 16, 23, 30), ALEXNET: (2, 5, 8, 10, 12)}  # where each slice of the package lpips ends
WIDTH, DESCRIPTOR, STAGES = 6, 12, ((8, 1), (12, 1), (16, 2), (24, 1))


def classifier(numbers: Sequence[int], *, seed: int = 0) -> nn.Sequential:
    """torchvision's `features` of vgg16() or alexnet(), every layer WIDTH wide."""
    rng, layers, inner = torch.Generator().manual_seed(seed), list[nn.Module](), 3
    sizes = {0: (11, 4, 2), 3: (5, 1, 2)} if numbers == ALEXNET else {}
    for number in range(max(numbers) + 2):
        if number in numbers:
            kernel, stride, padding = sizes.get(number, (3, 1, 1))
            layers.append(nn.Conv2d(inner, WIDTH, kernel, stride, padding))
            inner = WIDTH
        elif number - 1 in numbers:
            layers.append(nn.ReLU())
        else:
            layers.append(nn.MaxPool2d(3 if numbers == ALEXNET else 2, 2))
    made = nn.Sequential(*layers)
    with torch.no_grad():
        for part in made.parameters():
            part.copy_(torch.randn(part.shape, generator=rng) * (0.3 if part.ndim > 1 else 0.1))
    return made


def torchvision_names(features: nn.Sequential) -> dict[str, Tensor]:
    """vgg16().state_dict()."""
    own = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    return own | {"classifier.0.weight": torch.zeros(2, WIDTH), "classifier.0.bias": torch.zeros(2)}


def linear_names(*, seed: int = 0) -> dict[str, Tensor]:
    """lpips/weights/v0.1/vgg.pth."""
    rng = torch.Generator().manual_seed(seed)
    return {f"lin{depth}.model.1.weight": torch.rand(1, WIDTH, 1, 1, generator=rng) for depth in range(5)}


def lpips_names(features: nn.Sequential, numbers: tuple[int, ...]) -> dict[str, Tensor]:
    """lpips.LPIPS(net="vgg").state_dict()."""
    linear = linear_names()
    named = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1), "scaling_layer.scale": torch.ones(1, 3, 1, 1)}
    for name, tensor in features.state_dict().items():
        number = int(name.partition(".")[0])
        depth = next(depth for depth, end in enumerate(DEPTHS[numbers], start=1) if number < end)
        named[f"net.slice{depth}.{name}"] = tensor
    again = {f"lins.{name[3]}.{name[5:]}": tensor for name, tensor in linear.items()}
    return named | linear | again


def recogniser_names(*, side: int = 2, seed: int = 1) -> dict[str, Tensor]:
    """Backbone(50, 0.6, "ir_se").state_dict() of InsightFace_Pytorch, of tiny widths, whose last map has a side."""
    shapes = encoder_shapes(w_dim=4, heads=(), pyramid=False, stages=STAGES)
    shapes = {name: shape for name, shape in shapes.items() if not name.startswith("linear.")}
    for number, width in ((0, STAGES[-1][0]), (4, DESCRIPTOR)):
        shapes |= {
            f"output_layer.{number}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")
        }
        shapes[f"output_layer.{number}.num_batches_tracked"] = ()
    shapes |= {"output_layer.3.weight": (DESCRIPTOR, STAGES[-1][0] * side**2), "output_layer.3.bias": (DESCRIPTOR,)}
    return filled(shapes, seed=seed)


def write_networks(folder: Path) -> tuple[Path, Path]:
    """A classifier as vgg16.pth, and a recogniser as arcface.pth."""
    torch.save(torchvision_names(classifier(VGG16)), folder / "vgg16.pth")
    torch.save(recogniser_names(), folder / "arcface.pth")
    return folder / "vgg16.pth", folder / "arcface.pth"
