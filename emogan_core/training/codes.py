"""The distribution of real faces' codes as a mapping network, and the origin of W."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.build import Generator
from ..networks.encoder import Encoder
from ..networks.layers import SQRT2, Dense, ModulatedConv, ToRGB
from ..networks.mapping import Mapping
from ..networks.stylegan2 import Synthesis

SAFE = 6.0  # standard deviations that lifted units and codes stay above zero


def start_as_gaussian(mapping: Mapping, mean: Tensor, root: Tensor) -> None:
    """Set the weights so that w = mean + root @ z, with a mean [w_dim] that keeps w positive; sets w_avg too.

    It holds for every z that occurs: biases lift all units onto the straight side of the leaky ReLU, where
    a layer is linear, and the next layer takes the lift off again; the last one needs codes that are positive (see
    `lift_codes`). Training against the discriminator then bends it. Convention: z_dim equals w_dim.
    """
    d = len(mean)
    lift, taken = torch.full((d,), SAFE, device=mean.device), torch.zeros(d, device=mean.device)
    with torch.no_grad():
        for index in range(mapping.num_layers):
            layer = mapping.get_submodule(f"fc{index}")
            assert isinstance(layer, Dense)
            last = index == mapping.num_layers - 1
            matrix = root if last else torch.eye(d, device=mean.device)
            offset = (mean if last else lift) - matrix @ taken
            layer.weight.copy_(matrix / (layer.weight_gain * SQRT2))
            layer.bias.copy_(offset / (layer.bias_gain * SQRT2))
            taken = lift
        mapping.w_avg.copy_(mean)


def origin_for(codes: Tensor) -> Tensor:
    """[w_dim]: what to add to codes so that all are positive, as the mapping network's last activation needs."""
    return SAFE * codes.std(0) - codes.mean(0)


def lift_codes(generator: Generator, origin: Tensor) -> None:
    """Move the origin of W in place: codes become w + origin, and every picture stays what it was.

    Training works on centred codes, which condition better; files hold lifted ones.
    """
    with torch.no_grad():
        for module in generator.synthesis.modules():
            if isinstance(module, (ModulatedConv, ToRGB)):
                affine = module.affine
                affine.bias.sub_(affine.weight_gain / affine.bias_gain * (affine.weight @ origin))
        if isinstance(generator.encoder, Encoder):
            generator.encoder.linear.bias.add_(origin)


def lift_rows(generator: Generator, offsets: Tensor) -> None:
    """Take offsets [num_ws, w_dim] that all rows of all faces' codes share into the layers they feed, in place.

    Redrawn faces stay what they were; faces of one w for all rows, as random ones are, become of their kind.
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


def shown_directions(root: Tensor, codes: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """([w_dim], [w_dim, w_dim]) rising: how much of pictures [n, d] a linear map explains from each direction of
    whitened codes, and the directions."""
    white = torch.linalg.solve(root.double(), (codes - codes.mean(0)).double().T)  # [w_dim, n]
    shown = white @ (pictures - pictures.mean(0)).double() / len(codes)  # [w_dim, d]
    values, vectors = torch.linalg.eigh(shown @ shown.T)
    return values, vectors


def tapered(root: Tensor, codes: Tensor, pictures: Tensor, *, taper: int) -> Tensor:
    """The root with less variance along directions that hardly show in the codes' pictures [n, d].

    A random face is hundreds of independent choices; those that each show little add up to a fog that no real face
    has. A direction that explains as much as number `taper` keeps half its variance, larger ones nearly all, smaller
    ones nearly none.
    """
    values, vectors = shown_directions(root, codes, pictures)
    middle = values[-min(taper, len(values))].clamp_min(1e-12)
    keep = (values / (values + middle)).clamp_min(0).sqrt()
    result: Tensor = root @ ((vectors * keep) @ vectors.T).float()
    return result
