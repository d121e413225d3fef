"""The residual backbone of face recognisers (IR-SE), which encoders are built on as well, under our names.

Source: the names in files of InsightFace_Pytorch, pSp and e4e; the mathematics is that of `networks.irse`.
"""

from __future__ import annotations

from torch import Tensor

from ...errors import CheckpointError
from ...networks.irse import Stage, stages_of, widths_of
from .weights import ForeignWeights

COUNTERS = (".num_batches_tracked",)  # how many batches the norms saw in training
EPSILON = 1e-5  # of every batch norm


def stages_in(weights: ForeignWeights) -> tuple[Stage, ...]:
    """Widths and numbers of blocks, from the tensors' shapes.

    Raises: CheckpointError.
    """
    blocks = []
    for index in range(weights.count("body.{}.res_layer.1.weight")):
        there = f"body.{index}"
        width = weights.shape(f"{there}.res_layer.1.weight", dims=4)[0]
        squeezed = weights.shape(f"{there}.res_layer.5.fc1.weight", dims=4)[0]
        blocks.append((width, squeezed, f"{there}.shortcut_layer.0.weight" in weights))
    return stages_of(blocks)


def stem_tensors(weights: ForeignWeights, stem: int, *, inputs: int) -> dict[str, Tensor]:
    """The first convolution with its norm and slopes.

    Raises: CheckpointError.
    """
    tensors = normed(weights, "stem", "input_layer.0", (stem, inputs, 3, 3), norm="input_layer.1")
    return {**tensors, "stem.slope": weights.take("input_layer.2.weight", stem)}


def body_tensors(weights: ForeignWeights, stem: int, stages: tuple[Stage, ...]) -> dict[str, Tensor]:
    """All residual blocks.

    Raises: CheckpointError.
    """
    tensors: dict[str, Tensor] = {}
    for index, (inner, stage, _) in enumerate(widths_of(stem, stages)):
        here, there, outer = f"body.{index}", f"body.{index}.res_layer", stage.width
        scale, shift = norm_of(weights, f"{there}.0", inner)
        tensors[f"{here}.scale"], tensors[f"{here}.shift"] = scale.float(), shift.float()
        tensors[f"{here}.conv0.weight"] = weights.take(f"{there}.1.weight", outer, inner, 3, 3)
        tensors[f"{here}.conv0.slope"] = weights.take(f"{there}.2.weight", outer)
        tensors |= normed(weights, f"{here}.conv1", f"{there}.3", (outer, outer, 3, 3), norm=f"{there}.4")
        tensors[f"{here}.squeeze.weight"] = weights.take(f"{there}.5.fc1.weight", stage.squeezed, outer, 1, 1)
        tensors[f"{here}.excite.weight"] = weights.take(f"{there}.5.fc2.weight", outer, stage.squeezed, 1, 1)
        if inner != outer:
            there = f"body.{index}.shortcut_layer"
            tensors |= normed(weights, f"{here}.shortcut", f"{there}.0", (outer, inner, 1, 1), norm=f"{there}.1")
    return tensors


def norm_of(weights: ForeignWeights, name: str, width: int) -> tuple[Tensor, Tensor]:
    """A batch norm in use as scale and shift, in float64.

    Raises: CheckpointError.
    """
    gain, bias, mean, variance = (
        weights.take(f"{name}.{part}", width).double() for part in ("weight", "bias", "running_mean", "running_var")
    )
    if float(variance.min()) < 0:
        raise CheckpointError(f"'{name}' has negative variances; the file is damaged, get it again")
    scale = gain * (variance + EPSILON).rsqrt()
    return scale, bias - mean * scale


def normed(weights: ForeignWeights, ours: str, theirs: str, shape: tuple[int, ...], *, norm: str) -> dict[str, Tensor]:
    """A convolution without bias and the batch norm after it as one convolution.

    Raises: CheckpointError.
    """
    scale, shift = norm_of(weights, norm, shape[0])
    kernel = weights.take(f"{theirs}.weight", *shape).double() * scale[:, None, None, None]
    return {f"{ours}.weight": kernel.float(), f"{ours}.bias": shift.float()}
