"""Expression axes: what each expression changes in the latent, in the face model's coefficients and in shading."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch

from ..errors import ExpressionError
from ..face_model import both_sides, load_face_model, sides_of
from ..glm import Validation
from ..weights import fingerprint_of

REFERENCE = "neutral"
"""The label every expression is compared with; the origin of every axis."""


NO_SHAPE = "tongueOut"
"""The one of ARKit's shapes that the face model lacks."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionAxis:
    """What one expression changes, in three parts, and all that is known about it.

    Convention: direction [num_ws, w_dim] float32 is the latent's step of intensity 1, layer weights included, [0, 0]
    where there is none; coefficients [k] float32 is the step of the face model's coefficients, [0] where there is none;
    shading [f] float32 is the log ratio of brightness on the model's face vertices, [0] where there is none. `source`
    says where the last two come from; `level_gain` makes up for what a fit to one picture counts to the person instead
    of the expression, so that a typical example reads as level 1. The readout
    eta = mean row of ws @ readout + intercept is the log odds of the expression against neutral (with link "identity" the
    label itself), and rises by eta_per_unit along the tied direction (before layer weights). `family` says what kind of
    label it was fitted on. `auc` is cross-validated over people; `auc_low` and `auc_high` bound it at 95 %. Had other
    people been labelled, the step would have a cosine of `cosine_low` or more to this one, and move the readout
    `unit_low` to `unit_high` times as far, at 95 % confidence. `validation` has the curves behind `auc`;
    `covariate_drift` says by how many of its standard deviations the readout of each covariate moves along the step, as
    far as it is known. `notes` say what is wrong with the fit. `designed` axes were fitted on faces that the face model
    moved by their coefficients, so the direction is the mean of what an encoder reads of one moved face.
    """

    name: str
    direction: torch.Tensor
    readout: torch.Tensor
    intercept: float
    eta_per_unit: float
    layer_weights: tuple[float, ...]
    model: str
    covariance: str
    covariates: tuple[str, ...]
    n_expression: int
    n_neutral: int
    n_people: int
    n_people_both: int
    auc: float
    auc_low: float
    auc_high: float
    converged: bool
    separated: bool
    condition_number: float
    experimental: bool
    label_source: str = ""
    licence: str = ""
    link: str = "logit"
    source: str = ""
    level_gain: float = 1.0
    family: str = "binary"
    cosine_low: float = 1.0
    unit_low: float = 1.0
    unit_high: float = 1.0
    notes: tuple[str, ...] = ()
    validation: Validation = field(default_factory=Validation)
    covariate_drift: tuple[float, ...] = ()
    designed: bool = False
    coefficients: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    shading: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    @property
    def has_direction(self) -> bool:
        """Whether the latent has a part in it."""
        return self.direction.numel() > 0

    @property
    def has_coefficients(self) -> bool:
        """Whether the face model has a part in it."""
        return self.coefficients.numel() > 0


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionAxes:
    """A named set of axes of one generator.

    Convention: `fingerprint` is the generator's; `left_out` says which labels were seen too rarely to fit, and how
    often.
    """

    axes: tuple[ExpressionAxis, ...]
    fingerprint: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The expressions in the order they were fitted."""
        return tuple(axis.name for axis in self.axes)

    @property
    def content_fingerprint(self) -> str:
        """Hash of the axes themselves: generator, names and every direction."""
        tensors = {axis.name: axis.direction for axis in self.axes}
        tensors |= {f"{axis.name}.coefficients": axis.coefficients for axis in self.axes if axis.has_coefficients}
        tensors |= {f"{axis.name}.shading": axis.shading for axis in self.axes if axis.shading.numel()}
        return fingerprint_of(tensors, spec=f"emogan-axes {self.fingerprint}")

    def __len__(self) -> int:
        return len(self.axes)

    def __iter__(self) -> Iterator[ExpressionAxis]:
        return iter(self.axes)

    def __contains__(self, name: object) -> bool:
        return name in self.names or (isinstance(name, str) and is_shape(name))

    def __getitem__(self, name: str) -> ExpressionAxis:
        """The axis of one expression, or of a shape of the face model (`browInnerUp`, `mouthSmileLeft`).

        Raises: ExpressionError naming the nearest ones.
        """
        for axis in self.axes:
            if axis.name == name:
                return axis
        if is_shape(name):
            return shape_axis(name)
        shapes = load_face_model().names
        known = dict.fromkeys([*self.names, *shapes, *both_sides(shapes)])
        if name.casefold() == NO_SHAPE.casefold():
            raise ExpressionError(
                f"the face model has no shape '{NO_SHAPE}': its tongue shows behind open lips (jawOpen) and does not come "
                "out; `emogan expressions` lists what there is"
            )
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        raise ExpressionError(
            f"expression '{name}' is not known; "
            + (f"did you mean {' or '.join(near)}? " if near else "")
            + f"choose from {', '.join(self.names)}, or a shape that `emogan expressions` lists"
        )


def is_shape(name: str) -> bool:
    """Whether the face model has a shape of this name, or a left and a right one."""
    return bool(sides_of(name, load_face_model().names))


def is_of_shape(axis: ExpressionAxis) -> bool:
    """Whether an axis moves the shape of its name and no other, as those fitted on a generator's own samples do."""
    return is_shape(axis.name) and torch.equal(axis.coefficients.cpu(), shape_axis(axis.name).coefficients)


def shape_axis(name: str) -> ExpressionAxis:
    """The axis of one shape of the face model, or of its left and right one together; it has no part in the latent."""
    model = load_face_model()
    coefficients = torch.zeros(len(model.names))
    for side in sides_of(name, model.names):
        coefficients[model.index(side)] = 1.0
    return moving_axis(name, coefficients, source="a shape of the face model")


def moving_only(axis: ExpressionAxis) -> ExpressionAxis:
    """An axis without its part in the latent, which belongs to one generator."""
    return moving_axis(
        axis.name, axis.coefficients, shading=axis.shading, source=axis.source, level_gain=axis.level_gain
    )


def moving_axis(
    name: str,
    coefficients: torch.Tensor,
    *,
    shading: torch.Tensor | None = None,
    source: str,
    level_gain: float = 1.0,
) -> ExpressionAxis:
    """An axis that only the face model has a part in: nothing was fitted on latents, so its statistics are empty."""
    return ExpressionAxis(
        name=name,
        direction=torch.zeros(0, 0),
        readout=torch.zeros(0),
        intercept=0.0,
        eta_per_unit=0.0,
        layer_weights=(),
        model="",
        covariance="",
        covariates=(),
        n_expression=0,
        n_neutral=0,
        n_people=0,
        n_people_both=0,
        auc=0.5,
        auc_low=0.5,
        auc_high=0.5,
        converged=True,
        separated=False,
        condition_number=1.0,
        experimental=False,
        source=source,
        level_gain=level_gain,
        coefficients=coefficients,
        shading=torch.zeros(0) if shading is None else shading,
    )
