"""Which of a training's pickled networks is the generator to read, and what its modules say of themselves.

Source: tensor names of stylegan2-ada-pytorch and stylegan3, which are the canonical ones here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..pickles import TENSORFLOW, Record
from ..reading.architectures import expect_no_variant
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed, no_discriminator_notice
from ..reading.contents import Contents
from ..reading.tables import AVERAGED, TRAINING
from .discriminator import read_discriminator
from .modules import modules_of

_NOT_AVERAGED = "the file holds no averaged generator G_ema; the one in training, G, is used"
_CLASSES = {
    "Discriminator": "a discriminator without its generator",
    "TriPlaneGenerator": "which is EG3D's and draws through three dimensions",
    "SuperresGenerator": "which is StyleGAN-XL's",
    "SynthesisNetwork": "a part of a generator without its mapping",
    "MappingNetwork": "a part of a generator without its synthesis",
    "AugmentPipe": "which trainings use to alter pictures",
}


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A generator's modules by their dotted names, its discriminator, and what has to be said about the choice."""

    modules: dict[str, Record] = field(repr=False)
    discriminator: Record | None
    notices: tuple[str, ...]
    mapped: bool
    table: str = ""


def network_in(contents: Contents) -> Network | None:
    """The averaged generator among a file's networks, else the one in training; None where the file has no networks.

    Raises: CheckpointError when there is a network, but no generator of ours.
    """
    top = contents.top
    notices: tuple[str, ...] = ()
    found, discriminator = top, None
    if isinstance(top, dict):
        averaged = [top[key] for key in AVERAGED if isinstance(top.get(key), Record)]
        training = [top[key] for key in TRAINING if isinstance(top.get(key), Record)]
        found = next(iter(averaged + training), None)
        notices = () if averaged else (_NOT_AVERAGED,)
        discriminator = top["D"] if isinstance(top.get("D"), Record) else None
    if not isinstance(found, Record) or found.class_name == TENSORFLOW:
        return None
    if found.class_name != "Generator":
        what = _CLASSES.get(found.class_name, "which is not known here")
        raise CheckpointError(f"it holds a {ascii(found.class_name)[:40]}, {what}; needed a 'Generator'")
    modules = dict(modules_of(found))
    expect_no_variant(f"{name}." for name in modules)
    if not {"mapping", "synthesis"} <= set(modules):
        raise CheckpointError("its generator has no mapping and synthesis networks; needed a StyleGAN2 generator")
    return Network(modules, discriminator, notices, contents.mapped)


def completed_network(
    network: Network, spec: GeneratorSpec, tensors: dict[str, Tensor], *, notices: list[str]
) -> CanonicalCheckpoint:
    """The generator with its discriminator, or with a notice of why that is left out.

    Raises: CheckpointError when what the modules say of themselves is not what their tensors are.
    """
    expect_agreement(network.modules, spec)
    notices = [*network.notices, *notices]
    if network.discriminator is not None:
        try:
            modules = dict(modules_of(network.discriminator))
            found, facts = read_discriminator(modules, spec, copy=network.mapped)
            tensors, spec = tensors | found, replace(spec, **facts)
        except CheckpointError as error:
            notices.append(no_discriminator_notice(error))
    return completed(spec, tensors, notices=notices)


def expect_agreement(modules: dict[str, Record], spec: GeneratorSpec) -> None:
    """What the networks say of themselves must be what their tensors are.

    Raises: CheckpointError.
    """
    shared: dict[str, Any] = {"w_dim": spec.w_dim, "num_ws": spec.num_ws}
    entering: dict[str, Any] = {"z_dim": spec.z_dim, "c_dim": spec.c_dim}
    drawn: dict[str, Any] = {"img_resolution": spec.resolution, "img_channels": 3}
    wanted = {"": shared | entering | drawn, "mapping": shared | entering, "synthesis": shared | drawn}
    for path, sizes in wanted.items():
        for key, size in sizes.items():
            declared = modules[path].state.get(key, size)
            if not isinstance(declared, int) or declared != size:
                came = declared if isinstance(declared, int) and abs(declared) < 1 << 31 else "no number"
                raise CheckpointError(
                    f"its {path or 'generator'} says that {key} is {came}, its tensors say {size}; "
                    "the file is damaged or a variant not supported"
                )
