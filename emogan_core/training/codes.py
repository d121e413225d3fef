"""The distribution of real faces' codes as a mapping network, shifts of the W origin, and layer offsets."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.build import Generator
from ..networks.encoder import Encoder
from ..networks.layers import SQRT2, Dense, ModulatedConv, ToRGB
from ..networks.mapping import Mapping
from ..networks.stylegan2 import Synthesis

MARGIN = 6.0  # standard deviations between zero and the mean of units and codes that must stay positive


def start_as_gaussian(mapping: Mapping, mean: Tensor, root: Tensor) -> None:
    """Set the weights so that w = mean + root @ z, with a mean [w_dim] that keeps w positive; sets w_avg too.

    It holds for every z that occurs: biases keep all units positive, where a leaky ReLU is linear, and the next layer
    subtracts them again; the last layer needs codes that are positive (see `shift_w_origin`). Convention: z_dim equals
    w_dim.
    """
    d = len(mean)
    offset, previous = torch.full((d,), MARGIN, device=mean.device), torch.zeros(d, device=mean.device)
    with torch.no_grad():
        for index in range(mapping.num_layers):
            layer = mapping.get_submodule(f"fc{index}")
            assert isinstance(layer, Dense)
            last = index == mapping.num_layers - 1
            matrix = root if last else torch.eye(d, device=mean.device)
            bias = (mean if last else offset) - matrix @ previous
            layer.weight.copy_(matrix / (layer.weight_gain * SQRT2))
            layer.bias.copy_(bias / (layer.bias_gain * SQRT2))
            previous = offset
        mapping.w_avg.copy_(mean)


def positive_origin(codes: Tensor) -> Tensor:
    """[w_dim]: what to add to codes so that all are positive, as the mapping network's last activation needs."""
    return MARGIN * codes.std(0) - codes.mean(0)


def shift_w_origin(generator: Generator, origin: Tensor) -> None:
    """Shift the origin of W in place: codes become w + origin, and every picture stays what it was.

    Training works on centred codes, which are better conditioned; files hold shifted ones.
    """
    with torch.no_grad():
        for module in generator.synthesis.modules():
            if isinstance(module, (ModulatedConv, ToRGB)):
                affine = module.affine
                affine.bias.sub_(affine.weight_gain / affine.bias_gain * (affine.weight @ origin))
        if isinstance(generator.encoder, Encoder):
            generator.encoder.linear.bias.add_(origin)


def fold_layer_offsets(generator: Generator, offsets: Tensor) -> None:
    """Fold offsets [num_ws, w_dim], common to the codes of all faces, into the layers they feed, in place.

    Reconstructions stay what they were; random faces, which have one w for all rows, are then drawn with the same offsets.
    """
    synthesis, encoder = generator.synthesis, generator.encoder
    assert isinstance(synthesis, Synthesis)
    assert isinstance(encoder, Encoder)
    with torch.no_grad():
        for index in range(len(generator.spec.channels)):
            block = synthesis.block(index)
            fed = [layer for layer in block.children() if isinstance(layer, (ModulatedConv, ToRGB))]
            for layer, offset in zip(fed, synthesis.rows(offsets[None], index)[0], strict=True):
                layer.affine.bias.add_(
                    layer.affine.weight_gain / layer.affine.bias_gain * (layer.affine.weight @ offset)
                )
        encoder.to_rows.bias.sub_(offsets.flatten() / encoder.to_rows.bias_gain)


def root_of(codes: Tensor) -> Tensor:
    """A symmetric square root [w_dim, w_dim] of the codes' covariance."""
    values, vectors = torch.linalg.eigh(torch.cov(codes.T.double()))
    root: Tensor = ((vectors * values.clamp_min(1e-8).sqrt()) @ vectors.T).float()
    return root


def visible_directions(root: Tensor, codes: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """([w_dim], [w_dim, w_dim]): how much variance of pictures [n, d] a linear map explains from each direction of
    whitened codes, ascending, and the directions."""
    white = torch.linalg.solve(root.double(), (codes - codes.mean(0)).double().T)  # [w_dim, n]
    projection = white @ (pictures - pictures.mean(0)).double() / len(codes)  # [w_dim, d]
    values, vectors = torch.linalg.eigh(projection @ projection.T)
    return values, vectors


def shrink_spectrum(root: Tensor, codes: Tensor, pictures: Tensor, *, half_at: int) -> Tensor:
    """The root with less variance along directions that are hardly visible in the codes' pictures [n, d].

    A random face has hundreds of independent coordinates; those that are each hardly visible add up to a blur that no
    real face has. A direction that explains as much as number `half_at` keeps half its variance, larger ones nearly
    all, smaller ones nearly none.
    """
    values, vectors = visible_directions(root, codes, pictures)
    middle = values[-min(half_at, len(values))].clamp_min(1e-12)
    keep = (values / (values + middle)).clamp_min(0).sqrt()
    result: Tensor = root @ ((vectors * keep) @ vectors.T).float()
    return result
