"""StyleGAN2's discriminator: trains generators, and its features compare pictures during inversion.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 4.1; the clamp on
activations is that of the trainings with adaptive augmentation, which keeps float16 finite.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..wording import counted
from .layers import RESIDUAL_GAIN, Conv, Dense, fir
from .mapping import normalised


class DiscriminatorBlock(nn.Module):
    """Halves the side; with `from_rgb` it also reads the picture at its own side, which the first block must."""

    def __init__(
        self, inputs: int, outputs: int, *, from_rgb: bool, residual: bool = True, clamp: float | None = None
    ) -> None:
        super().__init__()
        self.clamp = clamp
        self.fromrgb = Conv(3, inputs, kernel=1) if from_rgb else None
        self.conv0 = Conv(inputs, inputs, kernel=3)
        self.conv1 = Conv(inputs, outputs, kernel=3, down=True)
        self.skip = Conv(inputs, outputs, kernel=1, down=True, bias=False, activate=False) if residual else None

    def forward(self, x: Tensor | None, images: Tensor) -> Tensor:
        if self.fromrgb is not None:
            from_rgb = clamped(self.fromrgb(images), self.clamp)
            x = from_rgb if x is None else x + from_rgb
        assert x is not None
        if self.skip is None:
            return clamped(self.conv1(clamped(self.conv0(x), self.clamp)), self.clamp)
        shortcut: Tensor = self.skip(x, gain=RESIDUAL_GAIN)
        x = clamped(self.conv0(x), self.clamp)
        return shortcut + clamped(self.conv1(x, gain=RESIDUAL_GAIN), self.clamp, gain=RESIDUAL_GAIN)


class Epilogue(nn.Module):
    """4 px features -> logits, after `parts` channels of minibatch standard deviations are appended."""

    def __init__(
        self,
        channels: int,
        *,
        group: int | None = 4,
        parts: int = 1,
        clamp: float | None = None,
        from_rgb: bool = False,
        logits: int = 1,
    ) -> None:
        super().__init__()
        self.group, self.parts, self.clamp = group, parts, clamp
        self.fromrgb = Conv(3, channels, kernel=1) if from_rgb else None
        self.conv = Conv(channels + parts, channels, kernel=3)
        self.fc = Dense(channels * 16, channels, activate=True)
        self.out = Dense(channels, logits)

    def forward(self, x: Tensor, images: Tensor) -> Tensor:
        """`images` are the pictures at 4 px, read only in the skip architecture, there without a clamp."""
        if self.fromrgb is not None:
            x = x + self.fromrgb(images)
        if self.parts:
            x = torch.cat([x, self.minibatch_std(x)], dim=1)
        x = clamped(self.conv(x), self.clamp)
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits

    def minibatch_std(self, x: Tensor) -> Tensor:
        """[n, parts, 4, 4]: standard deviation over the pictures of a group, averaged over each part of the channels."""
        n, c, h, w = x.shape
        group = n if self.group is None else math.gcd(n, min(n, self.group))
        y = x.float().view(group, -1, self.parts, c // self.parts, h, w)
        y = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(2, 3, 4))  # [n / group, parts]
        return y[:, :, None, None].repeat(group, 1, h, w).to(x.dtype)


class ClassMapping(nn.Module):
    """c [n, classes] -> [n, width]: the vector onto which a class projects the last layer's output."""

    def __init__(self, classes: int, width: int, layers: int) -> None:
        super().__init__()
        self.embed, self.num_layers = Dense(classes, width), layers
        for index in range(layers):
            self.add_module(f"fc{index}", Dense(width, width, lr_multiplier=0.01, activate=True))

    def forward(self, c: Tensor) -> Tensor:
        x = normalised(self.embed(c))
        for index in range(self.num_layers):
            x = self.get_submodule(f"fc{index}")(x)
        return x


class Discriminator(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> logits [n, 1]; `channels` from 4 px up to r.

    Convention: `clamp` bounds activations; pictures are compared in groups of `group` (None: all of them) over `parts`
    parts of the channels. A group never exceeds the batch, and is a divisor of it. `architecture` is "resnet", "skip"
    (every block reads the picture) or "orig"; `classes` are how many there are, the width each is mapped to, and the
    layers of that mapping: (0, 1, 0) for none.
    Raises: ShapeError when a class is missing, or came without need.
    """

    def __init__(
        self,
        resolution: int,
        channels: tuple[int, ...],
        *,
        clamp: float | None = None,
        group: int | None = 4,
        parts: int = 1,
        architecture: str = "resnet",
        classes: tuple[int, int, int] = (0, 1, 0),
    ) -> None:
        super().__init__()
        self.resolution, self.channels, self.c_dim = resolution, channels, classes[0]
        self.architecture, self.skip = architecture, architecture == "skip"
        for index in range(len(channels) - 1, 0, -1):
            side = 4 << index
            block = DiscriminatorBlock(
                channels[index],
                channels[index - 1],
                from_rgb=side == resolution or self.skip,
                residual=architecture == "resnet",
                clamp=clamp,
            )
            self.add_module(f"b{side}", block)
        if self.c_dim:
            self.mapping = ClassMapping(*classes)
        self.b4 = Epilogue(channels[0], group=group, parts=parts, clamp=clamp, from_rgb=self.skip, logits=classes[1])

    def forward(self, images: Tensor, c: Tensor | None = None) -> Tensor:
        if (c is None) == bool(self.c_dim):
            came = "no class" if c is None else "a class"
            raise ShapeError(
                f"{came} came, but this discriminator is conditioned on {counted(self.c_dim, 'class', 'classes')}; give a class exactly when there are some"
            )
        small = images
        for _ in self.channels[1:] if self.skip else ():
            small = downsampled(small)
        logits: Tensor = self.b4(self.features(images)[-1], small)
        if c is None:
            return logits
        projection: Tensor = self.mapping(c)
        return (logits * projection).sum(dim=1, keepdim=True) / math.sqrt(projection.shape[1])

    def features(self, images: Tensor) -> list[Tensor]:
        """The output of each block, fine to coarse; they do not depend on the class."""
        x: Tensor | None = None
        features = []
        for index in range(len(self.channels) - 1, 0, -1):
            x = self.get_submodule(f"b{4 << index}")(x, images)
            features.append(x)
            images = downsampled(images) if self.skip else images
        return features


def downsampled(images: Tensor) -> Tensor:
    """Half the side, by the binomial filter."""
    return fir(images, gain=1.0, pad=1)[..., ::2, ::2]


def clamped(x: Tensor, clamp: float | None, *, gain: float = 1.0) -> Tensor:
    """Activations within the clamp, which scales with the layer's own gain."""
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)
