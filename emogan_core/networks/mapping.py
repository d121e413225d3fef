"""The mapping network of every StyleGAN: z, and a class where there are classes, to ws.

Source: Karras et al. 2019, 2020; conditional networks as in Karras et al. 2020, "Training GANs with Limited Data".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..wording import counted
from .layers import Dense
from .spec import GeneratorSpec


class Mapping(nn.Module):
    """z [n, z_dim] -> ws [n, num_ws, w_dim], truncated towards `w_avg` by psi.

    Convention: c [n, c_dim] holds a 1 in the column of each row's class; needed exactly when there are classes.
    Raises: ShapeError when a class is missing, or came without need.
    """

    w_avg: Tensor

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.num_ws, self.z_dim, self.c_dim = spec.num_ws, spec.z_dim, spec.c_dim
        self.num_layers = spec.mapping_layers
        self.concat = spec.conditioning == "concat"
        inputs = spec.z_dim
        if spec.c_dim:
            self.embed = Embedding(spec.c_dim, spec.z_dim) if self.concat else Dense(spec.c_dim, spec.w_dim)
            inputs += spec.z_dim if self.concat else spec.w_dim
        for index in range(spec.mapping_layers):
            layer = Dense(spec.w_dim if index else inputs, spec.w_dim, lr_multiplier=0.01, activate=True)
            self.add_module(f"fc{index}", layer)
        self.register_buffer("w_avg", torch.zeros(spec.w_dim))

    def forward(self, z: Tensor, psi: float = 1.0, *, c: Tensor | None = None) -> Tensor:
        w = self.w_avg.lerp(self.to_w(z, c=c), psi)
        return w.unsqueeze(1).expand(-1, self.num_ws, -1)  # [n, num_ws, w_dim]

    def to_w(self, z: Tensor, *, c: Tensor | None = None) -> Tensor:
        """[n, z_dim] -> [n, w_dim], without truncation; the input is first normalised to unit second moment."""
        return self._layers(self._input(z, c))

    def to_w_of(self, z: Tensor, index: Tensor) -> Tensor:
        """As `to_w`, with each row's class as an index [n]: one-hot rows of many classes would fill the memory."""
        rows = self.embed.weight if self.concat else self.embed.weight.T
        embedded = rows[index]  # [n, z_dim or w_dim]
        if isinstance(self.embed, Dense):
            embedded = embedded * self.embed.weight_gain + self.embed.bias * self.embed.bias_gain
        return self._layers(self._joined(z, embedded))

    def _layers(self, x: Tensor) -> Tensor:
        for index in range(self.num_layers):
            x = self.get_submodule(f"fc{index}")(x)
        return x

    def _input(self, z: Tensor, c: Tensor | None) -> Tensor:
        if not self.c_dim:
            if c is not None:
                raise ShapeError("a class came, but this generator has no classes; leave the class out")
            return normalised(z)
        if c is None or tuple(c.shape) != (len(z), self.c_dim):
            came = "no class" if c is None else f"classes of shape {tuple(c.shape)}"
            raise ShapeError(
                f"{came} came, but this generator draws by class; give one of {counted(self.c_dim, 'class', 'classes')}, 0 to {self.c_dim - 1}"
            )
        return self._joined(z, self.embed(c))

    def _joined(self, z: Tensor, embedded: Tensor) -> Tensor:
        if self.concat:
            return normalised(torch.cat([z, embedded], dim=1))
        return torch.cat([normalised(z), normalised(embedded)], dim=1)


class Embedding(nn.Module):
    """A row of weights per class: c [n, classes] -> [n, outputs]."""

    def __init__(self, classes: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, outputs))

    def forward(self, c: Tensor) -> Tensor:
        return c @ self.weight


def normalised(x: Tensor) -> Tensor:
    """Rows of unit second moment."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def class_rows(spec: GeneratorSpec, index: int | None, *, count: int) -> Tensor | None:
    """c [count, c_dim] for `Mapping`, all of one class; None for a generator without classes.

    Raises: ShapeError when a class is missing, came without need, or is none of the generator's.
    """
    if not spec.c_dim:
        if index is not None:
            raise ShapeError(f"class {index} came, but '{spec.name}' has no classes; leave the class out")
        return None
    if index is None or not 0 <= index < spec.c_dim:
        came = "no class" if index is None else f"class {index}"
        raise ShapeError(f"{came} came, but '{spec.name}' draws by class; give one of 0 to {spec.c_dim - 1}")
    rows = torch.zeros(count, spec.c_dim)
    rows[:, index] = 1
    return rows


def sampled_w(mapping: Mapping, *, count: int, seed: int) -> Tensor:
    """w [count, w_dim] of seeded samples, for statistics; classes are drawn uniformly where there are some."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(count, mapping.z_dim, generator=rng)
    with torch.no_grad():
        if not mapping.c_dim:
            return mapping.to_w(z)
        return mapping.to_w_of(z, torch.randint(mapping.c_dim, (count,), generator=rng))
