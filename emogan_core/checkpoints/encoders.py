"""The encoder beside the decoder in files of pSp, e4e and ReStyle, under our names.

What cannot stand for an encoder here is left out with a notice, and the generator is read all the same.
Source: the files' names and options; the mathematics is that of `networks.irse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..networks.irse import RGB, IrseLayout, stages_of
from ..networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .foreign import ForeignWeights

_PREFIX = "encoder."
_COUNTERS = (".num_batches_tracked",)  # how many batches the norms saw in training
_EPSILON = 1e-5  # of every batch norm
_ROWS_ALONE = ("GradualStyleEncoder", "BackboneEncoder")
_ROWS_ON_THE_FIRST = ("Encoder4Editing", "ProgressiveBackboneEncoder")
_ONE_ROW = ("SingleStyleCodeEncoder", "WEncoder", "BackboneEncoderUsingLastLayerIntoW")


def with_encoder(found: CanonicalCheckpoint, top: Mapping[str, object], *, place: str) -> CanonicalCheckpoint:
    """The checkpoint with the encoder that lies beside its decoder, or with a notice of why it is left out.

    Convention: `top` is the file's table with `state_dict` and `opts`; codes are the encoder's plus the average.
    """
    whole, options = _table(top.get("state_dict")), _table(top.get("opts"))
    entries = {name.removeprefix(_PREFIX): value for name, value in whole.items() if name.startswith(_PREFIX)}
    if any(name.startswith("hypernet.") for name in whole):
        return _left_out(found, "HyperStyle's network changes the generator's weights for each picture")
    if not entries:
        return found
    try:
        tensors = _encoder(ForeignWeights(entries, place=f"{place} (encoder)"), options, found.spec)
    except CheckpointError as error:
        return _left_out(found, str(error))
    average = found.tensors["mapping.w_avg"]
    looks = tensors["stem.weight"].shape[1] > RGB  # such encoders start at the average whatever the options say
    centred = looks or options.get("start_from_latent_avg") is not False
    tensors["average"] = average.clone() if centred else torch.zeros_like(average)
    return replace(found, tensors={**found.tensors, **{_PREFIX + name: tensor for name, tensor in tensors.items()}})


def _left_out(found: CanonicalCheckpoint, reason: str) -> CanonicalCheckpoint:
    notice = f"the file's encoder is left out ({reason}); the generator works, inversion method 'encode' does not"
    return replace(found, notices=(*found.notices, notice))


def _encoder(weights: ForeignWeights, options: Mapping[str, object], spec: GeneratorSpec) -> dict[str, Tensor]:
    """Everything but the average.

    Raises: CheckpointError when it is of another kind, for another generator, or damaged.
    """
    lead = _lead(weights, options)
    anatomy = _anatomy(weights)
    if len(anatomy.heads) != (1 if lead is None else spec.num_ws) or anatomy.w_dim != spec.w_dim:
        raise CheckpointError(
            f"{weights.place} answers with {len(anatomy.heads)} rows of {anatomy.w_dim}, its decoder takes "
            f"{spec.num_ws} of {spec.w_dim}; they are not of one training"
        )
    tensors = _stem(weights, anatomy) | _body(weights, anatomy) | _heads(weights, anatomy)
    weights.expect_all_taken(ignored=_COUNTERS)
    return {**tensors, "lead": torch.tensor(lead or 0.0)}


def _lead(weights: ForeignWeights, options: Mapping[str, object]) -> float | None:
    """How much of the first row every other row is built on, which only the options tell; None for one single row.

    Raises: CheckpointError for kinds of encoder not read here.
    """
    kind = options.get("encoder_type")
    kind = kind if isinstance(kind, str) else None
    if kind in _ROWS_ALONE or kind in _ROWS_ON_THE_FIRST:
        return float(kind in _ROWS_ON_THE_FIRST)
    if kind in _ONE_ROW or (kind is None and "linear.weight" in weights and "styles.0.linear.weight" not in weights):
        return None
    told = f"is a {kind[:60]!a}" if kind else "does not say in opts which encoder_type it is"
    known = ", ".join((*_ROWS_ALONE, *_ROWS_ON_THE_FIRST, *_ONE_ROW))
    raise CheckpointError(f"{weights.place} {told}; needed one of {known}")


def _anatomy(weights: ForeignWeights) -> IrseLayout:
    """The layout from the tensors' shapes.

    Raises: CheckpointError.
    """
    stem, inputs = weights.shape("input_layer.0.weight", dims=4)[:2]
    blocks = []
    for index in range(weights.count("body.{}.res_layer.1.weight")):
        there = f"body.{index}"
        width = weights.shape(f"{there}.res_layer.1.weight", dims=4)[0]
        squeezed = weights.shape(f"{there}.res_layer.5.fc1.weight", dims=4)[0]
        blocks.append((width, squeezed, f"{there}.shortcut_layer.0.weight" in weights))
    heads = weights.count("styles.{}.linear.weight")
    halvings = [
        sum(f"styles.{head}.convs.{2 * number}.weight" in weights for number in range(16)) for head in range(heads)
    ]
    return IrseLayout(
        inputs=inputs,
        stem=stem,
        stages=stages_of(blocks),
        laterals=weights.count("latlayer{}.weight", start=1),
        heads=tuple(halvings) or (0,),
        w_dim=weights.shape("styles.0.linear.weight" if heads else "linear.weight", dims=2)[0],
    )


def _stem(weights: ForeignWeights, anatomy: IrseLayout) -> dict[str, Tensor]:
    shape = (anatomy.stem, anatomy.inputs, 3, 3)
    tensors = _normed(weights, "stem", "input_layer.0", shape, norm="input_layer.1")
    return {**tensors, "stem.slope": weights.take("input_layer.2.weight", anatomy.stem)}


def _body(weights: ForeignWeights, anatomy: IrseLayout) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for index, (inner, stage, _) in enumerate(anatomy.widths()):
        here, there, outer = f"body.{index}", f"body.{index}.res_layer", stage.width
        scale, shift = _norm(weights, f"{there}.0", inner)
        tensors[f"{here}.scale"], tensors[f"{here}.shift"] = scale.float(), shift.float()
        tensors[f"{here}.conv0.weight"] = weights.take(f"{there}.1.weight", outer, inner, 3, 3)
        tensors[f"{here}.conv0.slope"] = weights.take(f"{there}.2.weight", outer)
        tensors |= _normed(weights, f"{here}.conv1", f"{there}.3", (outer, outer, 3, 3), norm=f"{there}.4")
        tensors[f"{here}.squeeze.weight"] = weights.take(f"{there}.5.fc1.weight", stage.squeezed, outer, 1, 1)
        tensors[f"{here}.excite.weight"] = weights.take(f"{there}.5.fc2.weight", outer, stage.squeezed, 1, 1)
        if inner != outer:
            there = f"body.{index}.shortcut_layer"
            tensors |= _normed(weights, f"{here}.shortcut", f"{there}.0", (outer, inner, 1, 1), norm=f"{there}.1")
    return tensors


def _heads(weights: ForeignWeights, anatomy: IrseLayout) -> dict[str, Tensor]:
    top, w_dim = anatomy.stages[-1].width, anatomy.w_dim
    tensors: dict[str, Tensor] = {}
    for number in range(anatomy.laterals):
        width, there = anatomy.stages[-2 - number].width, f"latlayer{number + 1}"
        tensors[f"laterals.{number}.weight"] = weights.take(f"{there}.weight", top, width, 1, 1)
        tensors[f"laterals.{number}.bias"] = weights.take(f"{there}.bias", top)
    for head, halvings in enumerate(anatomy.heads):
        for number in range(halvings):
            here, there = f"heads.{head}.convs.{number}", f"styles.{head}.convs.{2 * number}"
            tensors[f"{here}.weight"] = weights.take(f"{there}.weight", w_dim, w_dim if number else top, 3, 3)
            tensors[f"{here}.bias"] = weights.take(f"{there}.bias", w_dim)
        here, there = f"heads.{head}.to_w", f"styles.{head}.linear" if halvings else "linear"
        tensors[f"{here}.weight"] = weights.take(f"{there}.weight", w_dim, w_dim if halvings else top)
        tensors[f"{here}.bias"] = weights.take(f"{there}.bias", w_dim)
    return tensors


def _norm(weights: ForeignWeights, name: str, width: int) -> tuple[Tensor, Tensor]:
    """A batch norm in use as scale and shift, in float64.

    Raises: CheckpointError.
    """
    gain, bias, mean, variance = (
        weights.take(f"{name}.{part}", width).double() for part in ("weight", "bias", "running_mean", "running_var")
    )
    if float(variance.min()) < 0:
        raise CheckpointError(f"{weights.place}: '{name}' has negative variances; the file is damaged, get it again")
    scale = gain * (variance + _EPSILON).rsqrt()
    return scale, bias - mean * scale


def _normed(weights: ForeignWeights, ours: str, theirs: str, shape: tuple[int, ...], *, norm: str) -> dict[str, Tensor]:
    """A convolution without bias and the batch norm after it as one convolution."""
    scale, shift = _norm(weights, norm, shape[0])
    kernel = weights.take(f"{theirs}.weight", *shape).double() * scale[:, None, None, None]
    return {f"{ours}.weight": kernel.float(), f"{ours}.bias": shift.float()}


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) and all(isinstance(name, str) for name in value) else {}
