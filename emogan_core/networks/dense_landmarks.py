"""The dense landmark net: 478 points from a view of the face, then lids, iris, brows and lips from closer views."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from ..errors import ShapeError
from .landmarks import ConvBlock

POINTS = 478
FACE_SIZE, EYE_SIZE, LIPS_SIZE = 96, 64, 80  # px of the three views
IRISES = (468, 473)
"""Centres of the irises, the one on the picture's left first."""
FIVE = (*IRISES, 1, 61, 291)
"""The points that `faces.Face.landmarks` holds, in its order."""
# fmt: off
LID_POINTS = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
"""Edges of the lids on the picture's left."""
IRIS_POINTS = (468, 469, 470, 471, 472)
"""Centre and rim of the iris on the picture's left."""
BROW_POINTS = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
"""The brow on the picture's left."""
EYE_POINTS = (
    *LID_POINTS, 130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,  # and the fold around them
    *IRIS_POINTS, *BROW_POINTS,
)
"""What the view of the eye on the picture's left predicts; the other eye is mirrored."""
LIPS_POINTS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,  # outer edge
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,  # inner edge
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)
"""What the view of the lips predicts."""
# fmt: on


class DenseLandmarkNet(nn.Module):
    """Three regressors, the mean face, and the order of the points in a mirrored picture.

    Convention: points are numbered as MediaPipe's face landmarker numbers them. mean_shape [478, 2] lies in the tight
    frame, 0..1 from its top left corner, and is symmetric; mirror_order [478] says which point each one becomes.
    """

    mean_shape: torch.Tensor
    mirror_order: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.face = Regressor(FACE_SIZE, POINTS, widths=(16, 32, 64, 128), depth=2, hidden=64)
        self.eye = Regressor(EYE_SIZE, len(EYE_POINTS), widths=(16, 32, 64, 96), hidden=48)
        self.lips = Regressor(LIPS_SIZE, len(LIPS_POINTS), widths=(16, 32, 64, 96), hidden=48)
        self.register_buffer("mean_shape", torch.zeros(POINTS, 2))
        self.register_buffer("mirror_order", torch.arange(POINTS))


class Regressor(nn.Module):
    """Convolutions, then a linear layer from the last map to the coefficients of a linear shape model."""

    def __init__(self, size: int, points: int, *, widths: tuple[int, ...], hidden: int, depth: int = 1) -> None:
        super().__init__()
        self.size = size
        stages: list[nn.Module] = [ConvBlock(3, widths[0], stride=2)]
        for narrow, wide in itertools.pairwise(widths):
            # `depth` is worth its cost only at the level of 64 channels, 12 cells wide for the face
            blocks = [Residual(wide) for _ in range(depth if wide == 64 else 1)]
            stages += [ConvBlock(narrow, wide, stride=2), *blocks]
        self.features = nn.Sequential(*stages)
        self.coefficients = nn.Linear(widths[-1] * (size >> len(widths)) ** 2, hidden)
        self.shape = nn.Linear(hidden, 2 * points)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Points [n, points, 2] in 0..1 of crops [n, 3, size, size] of any brightness and contrast.

        Raises: ShapeError.
        """
        if images.ndim != 4 or images.shape[1:] != (3, self.size, self.size):
            raise ShapeError(f"crops came as {tuple(images.shape)}; give [n, 3, {self.size}, {self.size}]")
        spread, middle = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
        features = self.features((images - middle) / (spread + 0.02))
        with torch.autocast(images.device.type, enabled=False):  # bfloat16 would round to a third of a pixel
            points = self.shape(self.coefficients(features.float().flatten(1)))
        return points.unflatten(1, (-1, 2))  # type: ignore[no-any-return]


class Residual(ConvBlock):
    """A convolution block with a residual connection."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Same shape out as in."""
        return features + super().forward(features)  # type: ignore[no-any-return, no-untyped-call]
