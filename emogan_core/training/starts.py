"""Initial weights of a run: the faces' principal components, a decoder of such codes, or generator files of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checkpoints import read_generator
from ..networks.encoder import LINEAR_SIDE, Encoder, start_from_projection
from ..networks.layers import Conv, Dense
from ..weights import read_tensors
from .codes import (
    fold_layer_offsets,
    positive_origin,
    root_of,
    shift_w_origin,
    shrink_spectrum,
    start_as_gaussian,
)
from .data import Faces, small_pictures
from .run import Run


def start_from_components(run: Run, faces: Faces) -> None:
    """The encoder's projection becomes the whitened principal components of the training faces and their mirrors.

    They reconstruct aligned faces well (24, 29 and 32 dB at 64 px with 64, 256 and 512 of them), so a synthesis that
    learns to decode them saves hours over one that starts with an untrained encoder.
    """
    small = small_pictures(faces, LINEAR_SIDE)
    small = torch.cat([small, small.flip(3)]).flatten(1)
    centre = small.mean(0)
    covariance = torch.zeros(small.shape[1], small.shape[1], dtype=torch.float64)
    for part in torch.split(small, 2048):
        centred = (part - centre).double()
        covariance.addmm_(centred.T, centred)
    values, vectors = torch.linalg.eigh(covariance / len(small))
    values, vectors = values[-run.spec.w_dim :].clamp_min(1e-9), vectors[:, -run.spec.w_dim :]
    projection = (vectors / values.sqrt()).T.float().contiguous()  # [w_dim, 3 * 32 * 32]
    _set_projection(run, projection, -projection @ centre)


def start_from_decoder(run: Run, path: Path, faces: Faces) -> None:
    """Begin from a decoder of linear codes: its synthesis tensors, and an encoder fitted to its projection.

    The file's projection reads 64 px pictures; ours reads 32 px, so it is refitted by ridge regression.
    """
    tensors, _ = read_tensors(path)
    run.live.synthesis.load_state_dict({n[10:]: t for n, t in tensors.items() if n.startswith("synthesis.")})
    full = small_pictures(faces, run.spec.resolution)
    codes = (full.flatten(1) - tensors["encoder.mean"]) @ tensors["encoder.projection"].T  # [n, w_dim]
    small = F.adaptive_avg_pool2d(full, LINEAR_SIDE).flatten(1)
    centre, code_centre = small.mean(0), codes.mean(0)
    x, y = (small - centre).double(), (codes - code_centre).double()
    gram = x.T @ x + 3.0 * torch.eye(x.shape[1], dtype=torch.float64)
    projection = torch.linalg.solve(gram, x.T @ y).T.float()
    _set_projection(run, projection, code_centre - projection @ centre)


def start_from_generators(run: Run, paths: Sequence[Path]) -> None:
    """Begin from generator files of ours, with new optimisers (their rate warms up).

    Later files override earlier ones. Files may have a lower or higher resolution: blocks that the last one lacks start
    with ToRGB weights of zero, and blocks that the run lacks are left out. An encoder that is narrower than the run's is
    widened, see `widen`.
    """
    given: dict[str, list[Tensor]] = {"weight": [], "bias": []}
    for path in paths:
        file = read_generator(path)
        run.origin = file.w_avg.clone()
        shift_w_origin(file, -run.origin)
        own, known = run.live.state_dict(), file.state_dict()
        for part, before in given.items():
            name = f"encoder.to_rows.{part}"
            rows = list(known[name].split(run.spec.w_dim))
            rows += before[len(rows) :]
            rows += [rows[-1]] * (run.spec.num_ws - len(rows))  # rows that no file has repeat the last one
            known[name] = torch.cat(rows[: run.spec.num_ws])
            given[part] = rows
        fitting = {name: tensor for name, tensor in known.items() if name in own and own[name].shape == tensor.shape}
        run.live.load_state_dict(own | fitting)
        _, encoder, _ = run.parts()
        widen(encoder, {name.removeprefix("encoder."): known[name] for name in known if name.startswith("encoder.")})
    synthesis, _, _ = run.parts()
    for index in range(len(file.spec.channels), len(run.spec.channels)):
        torgb = synthesis.block(index).torgb
        assert torgb is not None
        torch.nn.init.zeros_(torgb.weight)
    run.ema.load_state_dict(run.live.state_dict())


def widen(encoder: Encoder, narrow: Mapping[str, Tensor]) -> None:
    """Set the layers that have more channels than those of the tensors given, so that the encoder answers as theirs did.

    Channels that are new keep their random weights, but no former channel reads them yet. Layers of the same shape, and
    those of which the encoder has fewer channels, are left alone.
    """
    with torch.no_grad():
        for name, layer in encoder.named_modules():
            given = narrow.get(f"{name}.weight")
            if not isinstance(layer, (Conv, Dense)) or given is None or given.shape == layer.weight.shape:
                continue
            outputs, inputs = given.shape[:2]
            if outputs > layer.weight.shape[0] or inputs > layer.weight.shape[1]:
                continue
            layer.weight[:outputs] = 0
            layer.weight[:outputs, :inputs] = given * (layer.weight.shape[1] / inputs) ** 0.5  # gains are of the inputs
            if layer.bias is not None:
                layer.bias[:outputs] = narrow[f"{name}.bias"]


def refit_mapping(run: Run, faces: Faces) -> None:
    """Refit mapping network, origin and statistics to the averaged encoder's codes of the training faces.

    Offsets that all codes have in common per layer are folded into the synthesis, see `fold_layer_offsets`: left to the
    encoder, they made the synthesis draw photos differently from random faces, which have one w for all rows.
    Random faces vary less than codes in directions that are hardly visible, see `shrink_spectrum`.
    """
    encoder = run.ema.encoder
    assert encoder is not None
    with torch.no_grad(), run.autocast():
        parts = [encoder(part.float() / 127.5 - 1).float() for part in torch.split(faces.pixels, 256)]
    ws = torch.cat(parts)  # [n, num_ws, w_dim]
    codes = ws.mean(dim=1)
    offsets = ws.mean(dim=0) - codes.mean(dim=0)
    for network in (run.live, run.ema):
        fold_layer_offsets(network, offsets)
    with torch.no_grad():
        run.origin = positive_origin(codes)
        pictures = small_pictures(faces, LINEAR_SIDE).to(codes).flatten(1)
        root = shrink_spectrum(root_of(codes), codes, pictures, half_at=run.config.spectral_shrinkage)
        start_as_gaussian(run.ema.mapping, codes.mean(0) + run.origin, root)
        run.ema.w_std.copy_(codes.std(0))
        run.live.mapping.load_state_dict(run.ema.mapping.state_dict())
        run.live.w_std.copy_(run.ema.w_std)


def _set_projection(run: Run, projection: Tensor, bias: Tensor) -> None:
    _, encoder, _ = run.parts()
    start_from_projection(encoder, projection.to(run.device), bias.to(run.device))
    run.ema.load_state_dict(run.live.state_dict())
