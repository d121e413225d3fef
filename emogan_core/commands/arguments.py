"""What several commands ask of their arguments; everything that can be refused early is refused here."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..checkpoints import load_generator
from ..errors import ExpressionError, OutputError, SpaceMismatch
from ..expressions import ExpressionAxes, apply_expressions, load_axes
from ..files import refuse_overwrite
from ..latents import Latent
from ..networks.build import Generator

Outcome = tuple[dict[str, object], list[str]]
"""What a command has to say: as one JSON object, and as lines for people."""


def intensities_of(arguments: Namespace) -> dict[str, float]:
    """Expressions with their intensities, paired in order; 1 where no intensity was given at all."""
    names: list[str] = arguments.expression
    texts: list[str] = arguments.intensity or ["1"] * len(names)
    if len(names) != len(texts):
        raise ExpressionError(
            f"{len(names)} --expression came with {len(texts)} --intensity; give one intensity for each expression"
        )
    if len(set(names)) < len(names):
        raise ExpressionError(f"an expression came twice ({', '.join(names)}); name each once")
    return {name: _number(name, text) for name, text in zip(names, texts, strict=True)}


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ExpressionError(f"the intensity of '{name}' is '{text}'; give a finite number from -3 to 3")
    return value


def input_files(arguments: Namespace, *files: Path) -> list[Path]:
    """Every file that is read and must not be written over."""
    models = (getattr(arguments, name, "builtin") for name in ("generator", "axes"))
    return [*files, *(Path(model) for model in models if model != "builtin")]


def expect_distinct(targets: Sequence[Path]) -> None:
    """Two outputs need two names.

    Raises: OutputError.
    """
    if len({target.absolute() for target in targets}) < len(targets):
        raise OutputError(f"two outputs would be written to {targets[0]}; give each its own name")


def expect_safetensors(target: Path, *, inputs: Iterable[Path]) -> None:
    if target.suffix.lower() != ".safetensors":
        raise OutputError(f"the output {target.name} is not named as what it will be; use a name in .safetensors")
    refuse_overwrite(target, inputs)


def load_models(arguments: Namespace) -> tuple[Generator, ExpressionAxes]:
    return load_generator(arguments.generator, device=arguments.device), load_axes(arguments.axes)


def rehearse(generator: Generator, axes: ExpressionAxes, intensities: Mapping[str, float]) -> None:
    """Meet unknown expressions, wild intensities and foreign axes before the long work, on the average face.

    Raises: SpaceMismatch when the axes were fitted for another generator; as `apply_expressions`.
    """
    if axes.fingerprint != generator.fingerprint:
        raise SpaceMismatch(
            f"the axes were fitted for generator {axes.fingerprint[:12]}, but '{generator.spec.name}' is "
            f"{generator.fingerprint[:12]}; use that generator, or fit axes for this one with 'emogan fit'"
        )
    ws = generator.w_avg.expand(1, generator.spec.num_ws, -1)
    apply_expressions(Latent(ws, generator.fingerprint), axes, intensities)


def first_of(metrics: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(float(values[0]), 4) for name, values in metrics.items()}


def spelled(intensities: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:+g}" for name, value in intensities.items())
