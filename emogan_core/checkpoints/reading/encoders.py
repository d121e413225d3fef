"""The encoder beside the decoder in files of pSp, e4e and ReStyle, under our names.

What cannot stand for an encoder here is left out with a notice, and the generator is read all the same.
Source: the files' names and options; the mathematics is that of `networks.irse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.irse import RGB
from ...networks.irse import IrseLayout as EncoderLayout
from ...networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .residuals import COUNTERS, body_tensors, stages_in, stem_tensors
from .tables import StateDict, table_at
from .weights import ForeignWeights

_PREFIX = "encoder."
_ROWS_ALONE = ("GradualStyleEncoder", "BackboneEncoder")
_ROWS_ON_THE_FIRST = ("Encoder4Editing", "ProgressiveBackboneEncoder")
_ONE_ROW = ("SingleStyleCodeEncoder", "WEncoder", "BackboneEncoderUsingLastLayerIntoW")


def with_encoder(checkpoint: CanonicalCheckpoint, decoder: StateDict) -> CanonicalCheckpoint:
    """The checkpoint with the encoder that lies beside its decoder, or with a notice of why it is left out.

    Convention: the file's table may have `opts`; codes are the encoder's plus the average.
    """
    if decoder.key != "state_dict":
        return checkpoint
    if decoder.beside("hypernet"):
        return _left_out(checkpoint, "HyperStyle's network changes the generator's weights for each picture")
    entries = decoder.beside("encoder")
    if not entries:
        return checkpoint
    options = table_at(decoder.top, "opts") or {}
    try:
        tensors = _encoder(ForeignWeights(entries), options, checkpoint.spec)
    except CheckpointError as error:
        return _left_out(checkpoint, str(error))
    average = checkpoint.tensors["mapping.w_avg"]
    several_looks = tensors["stem.weight"].shape[1] > RGB  # such start at the average whatever the options say
    centred = several_looks or options.get("start_from_latent_avg") is not False
    tensors["average"] = average.clone() if centred else torch.zeros_like(average)
    encoder = {_PREFIX + name: tensor for name, tensor in tensors.items()}
    return replace(checkpoint, tensors={**checkpoint.tensors, **encoder})


def _left_out(checkpoint: CanonicalCheckpoint, reason: str) -> CanonicalCheckpoint:
    notice = f"the file's encoder is left out ({reason}); the generator works, inversion method 'encode' does not"
    return replace(checkpoint, notices=(*checkpoint.notices, notice))


def _encoder(weights: ForeignWeights, options: Mapping[str, object], spec: GeneratorSpec) -> dict[str, Tensor]:
    """Everything but the average.

    Raises: CheckpointError when it is of another kind, for another generator, or damaged.
    """
    lead = _lead(weights, options)
    layout = _layout(weights)
    if len(layout.heads) != (1 if lead is None else spec.num_ws) or layout.w_dim != spec.w_dim:
        raise CheckpointError(
            f"it answers with {len(layout.heads)} rows of {layout.w_dim}, its decoder takes "
            f"{spec.num_ws} of {spec.w_dim}; they are not of one training"
        )
    tensors = stem_tensors(weights, layout.stem, inputs=layout.inputs)
    tensors |= body_tensors(weights, layout.stem, layout.stages) | _heads(weights, layout)
    weights.expect_all_taken(ignored=COUNTERS)
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
    what = f"is a {kind[:60]!a}" if kind else "does not say in opts which encoder_type it is"
    known = ", ".join((*_ROWS_ALONE, *_ROWS_ON_THE_FIRST, *_ONE_ROW))
    raise CheckpointError(f"it {what}; needed one of {known}")


def _layout(weights: ForeignWeights) -> EncoderLayout:
    """The layout from the tensors' shapes.

    Raises: CheckpointError.
    """
    stem, inputs = weights.shape("input_layer.0.weight", dims=4)[:2]
    heads = weights.count("styles.{}.linear.weight")
    halvings = [
        sum(f"styles.{head}.convs.{2 * number}.weight" in weights for number in range(16)) for head in range(heads)
    ]
    return EncoderLayout(
        inputs=inputs,
        stem=stem,
        stages=stages_in(weights),
        laterals=weights.count("latlayer{}.weight", start=1),
        heads=tuple(halvings) or (0,),
        w_dim=weights.shape("styles.0.linear.weight" if heads else "linear.weight", dims=2)[0],
    )


def _heads(weights: ForeignWeights, layout: EncoderLayout) -> dict[str, Tensor]:
    top, w_dim = layout.stages[-1].width, layout.w_dim
    tensors: dict[str, Tensor] = {}
    for number in range(layout.laterals):
        width, there = layout.stages[-2 - number].width, f"latlayer{number + 1}"
        tensors[f"laterals.{number}.weight"] = weights.take(f"{there}.weight", top, width, 1, 1)
        tensors[f"laterals.{number}.bias"] = weights.take(f"{there}.bias", top)
    for head, halvings in enumerate(layout.heads):
        for number in range(halvings):
            here, there = f"heads.{head}.convs.{number}", f"styles.{head}.convs.{2 * number}"
            tensors[f"{here}.weight"] = weights.take(f"{there}.weight", w_dim, w_dim if number else top, 3, 3)
            tensors[f"{here}.bias"] = weights.take(f"{there}.bias", w_dim)
        here, there = f"heads.{head}.to_w", f"styles.{head}.linear" if halvings else "linear"
        tensors[f"{here}.weight"] = weights.take(f"{there}.weight", w_dim, w_dim if halvings else top)
        tensors[f"{here}.bias"] = weights.take(f"{there}.bias", w_dim)
    return tensors
