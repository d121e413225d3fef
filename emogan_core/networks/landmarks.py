"""The landmark net: a small crop around a face to five points, yaw and pitch, and whether it is a face at all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import ShapeError

INPUT_SIZE = 64
MIRROR_ORDER = (1, 0, 2, 4, 3)
"""Which landmark each one becomes when the picture is mirrored left to right."""

_DEGREES = 30.0  # unit of the angle outputs, so that they are of the size of the other losses


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkPrediction:
    """What the net predicts for n crops.

    Convention: landmarks [n, 5, 2] in crop pixels (0..64, origin at the corner), eyes, nose, mouth corners, each pair
    with the picture's left one first; yaw_deg [n], positive when the nose points to the picture's right; pitch_deg [n],
    in the labels' own sign; logit [n], above 0 for a face; heatmaps [n, 5, 32, 32] sum to one.
    """

    landmarks: torch.Tensor
    yaw_deg: torch.Tensor
    pitch_deg: torch.Tensor
    logit: torch.Tensor
    heatmaps: torch.Tensor


class LandmarkNet(nn.Module):
    """A narrow hourglass with one heatmap per landmark (their means are the points) and a linear head on its deepest level.

    Source: soft-argmax after Luvizon et al. 2017 and Sun et al. 2018 (integral regression).
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvBlock(3, 16, stride=2)
        self.down16 = nn.Sequential(ConvBlock(16, 32, stride=2), ConvBlock(32, 32))
        self.down8 = nn.Sequential(ConvBlock(32, 56, stride=2), ConvBlock(56, 56))
        self.down4 = nn.Sequential(ConvBlock(56, 88, stride=2), ConvBlock(88, 88))
        self.up8 = nn.Conv2d(88, 56, 1)
        self.mix8 = ConvBlock(56, 56)
        self.up16 = nn.Conv2d(56, 32, 1)
        self.mix16 = ConvBlock(32, 32)
        self.up32 = nn.Conv2d(32, 16, 1)
        self.mix32 = ConvBlock(16, 16)
        self.points = nn.Conv2d(16, 5, 1)
        self.judge = nn.Linear(88 * 4, 3)  # yaw, pitch, face or not; files hold its weights under this name

    def forward(self, images: torch.Tensor) -> LandmarkPrediction:
        """Read crops [n, 3, 64, 64] in [-1, 1].

        Raises: ShapeError.
        """
        if images.ndim != 4 or images.shape[1:] != (3, INPUT_SIZE, INPUT_SIZE):
            raise ShapeError(f"crops came as {tuple(images.shape)}; give [n, 3, {INPUT_SIZE}, {INPUT_SIZE}]")
        at32 = self.stem(images)  # [n, 16, 32, 32]
        at16 = self.down16(at32)
        at8 = self.down8(at16)
        at4 = self.down4(at8)
        x = self.mix8(at8 + _upsampled(self.up8(at4)))
        x = self.mix16(at16 + _upsampled(self.up16(x)))
        x = self.mix32(at32 + _upsampled(self.up32(x)))
        heatmaps = self.points(x).flatten(2).softmax(-1).unflatten(-1, at32.shape[2:])  # [n, 5, 32, 32]
        answers = self.judge(F.adaptive_avg_pool2d(at4, 2).flatten(1))
        return LandmarkPrediction(
            landmarks=_means(heatmaps),
            yaw_deg=answers[:, 0] * _DEGREES,
            pitch_deg=answers[:, 1] * _DEGREES,
            logit=answers[:, 2],
            heatmaps=heatmaps,
        )


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
        )


def _upsampled(features: torch.Tensor) -> torch.Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def _means(heatmaps: torch.Tensor) -> torch.Tensor:
    """Mean position of each heatmap, [n, 5, 2] in pixels of the input."""
    cells = heatmaps.shape[-1]
    centres = (torch.arange(cells, device=heatmaps.device, dtype=heatmaps.dtype) + 0.5) * (INPUT_SIZE / cells)
    return torch.stack([heatmaps.sum(2) @ centres, heatmaps.sum(3) @ centres], dim=-1)


def mirrored_average(plain: LandmarkPrediction, mirrored: LandmarkPrediction) -> LandmarkPrediction:
    """One prediction from those for crops and for the same crops mirrored left to right; its heatmaps are `plain`'s."""
    back = mirrored.landmarks[:, list(MIRROR_ORDER)]
    back = torch.stack([INPUT_SIZE - back[..., 0], back[..., 1]], dim=-1)
    return LandmarkPrediction(
        landmarks=(plain.landmarks + back) / 2,
        yaw_deg=(plain.yaw_deg - mirrored.yaw_deg) / 2,
        pitch_deg=(plain.pitch_deg + mirrored.pitch_deg) / 2,
        logit=(plain.logit + mirrored.logit) / 2,
        heatmaps=plain.heatmaps,
    )
