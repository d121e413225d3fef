"""Generators of stylegan2-ada-pytorch, and StyleGAN2 trained with the stylegan3 repository: records to our names.

Their tensor names are the canonical ones, so what is done here is to recover the spec, to hold what the records tell of
themselves against their tensors, and to refuse, by name, what these networks can be and ours cannot.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import MAX_RESOLUTION, GeneratorSpec
from ..pickles.pickle_files import Record, read_pickle
from ..reading.canonical import CanonicalCheckpoint
from ..reading.weights import completed, told_of_judge, told_of_silence
from ..tensorflow.networks import is_tensorflow, read_tensorflow
from .discriminator import judge_of
from .modules import clamp_of, expect_activation, modules_of, tensors_of_modules, told_word
from .stylegan2 import ARCHITECTURES, expect_no_variant, spec_of
from .stylegan3 import alias_free_of, is_alias_free

AVERAGED = ("G_ema", "g_ema", "generator_smooth")
TRAINING = ("G", "g", "generator")
_CLASSES = {
    "Discriminator": "a discriminator without its generator",
    "TriPlaneGenerator": "which is EG3D's and draws through three dimensions",
    "SuperresGenerator": "which is StyleGAN-XL's",
    "SynthesisNetwork": "a part of a generator without its mapping",
    "MappingNetwork": "a part of a generator without its synthesis",
    "AugmentPipe": "which trainings use to alter pictures",
}
_LIMITED = ("conv0", "conv1", "torgb")


def read_nvidia(path: Path) -> CanonicalCheckpoint:
    """The generator, and the discriminator where it is one of ours, of an NVIDIA PyTorch pickle.

    Raises: CheckpointError naming the file, and what is refused or not supported.
    """
    top = read_pickle(path)
    try:
        with torch.inference_mode(False), torch.no_grad():
            return canonical_of(top, name=path.stem)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    except Exception as error:  # records are a stranger's: any attribute may be of any type
        told = ascii(str(error))[:160]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {told}); get the file again") from error


def canonical_of(top: object, *, name: str) -> CanonicalCheckpoint:
    """The generator among a file's records, and its discriminator.

    Raises: CheckpointError, without the file's name.
    """
    if is_tensorflow(top):
        return read_tensorflow(top, name=name)
    network, notices = _generator(top)
    modules = dict(modules_of(network))
    expect_no_variant(f"{name}." for name in modules)
    if not {"mapping", "synthesis"} <= set(modules):
        raise CheckpointError("its generator has no mapping and synthesis networks; needed a StyleGAN2 generator")
    if is_alias_free(modules):
        spec, tensors = alias_free_of(modules, name=name)
        _expect_told(modules, spec)
    else:
        tensors, more = _generator_tensors(modules)
        notices += more
        spec = _spec(modules, tensors, name=name)
    judge = top.get("D") if isinstance(top, dict) else None
    if isinstance(judge, Record):
        try:
            found, told = judge_of(dict(modules_of(judge)), spec)
            tensors |= found
            spec = replace(spec, **told)
        except CheckpointError as error:
            notices.append(told_of_judge(error))
    return completed(spec, tensors, notices=notices)


def _generator(top: object) -> tuple[Record, list[str]]:
    """The averaged generator, else the one in training; with what has to be said about it."""
    notices: list[str] = []
    found = top
    if isinstance(top, dict):
        averaged = [top[key] for key in AVERAGED if isinstance(top.get(key), Record)]
        training = [top[key] for key in TRAINING if isinstance(top.get(key), Record)]
        found = next(iter(averaged + training), None)
        if not averaged:
            notices = ["the file holds no averaged generator G_ema; the one in training, G, is used"]
    if not isinstance(found, Record):
        raise CheckpointError(
            "it holds no generator (no G_ema and no G); give a network pickle of a StyleGAN2 training"
        )
    if found.class_name != "Generator":
        what = _CLASSES.get(found.class_name, "which is not known here")
        raise CheckpointError(f"it holds a {ascii(found.class_name)[:40]}, {what}; needed a 'Generator'")
    return found, notices


def _generator_tensors(modules: dict[str, Record]) -> tuple[dict[str, Tensor], list[str]]:
    """Canonical tensors; noise that a generator does without becomes noise of strength 0."""
    tensors = tensors_of_modules(modules)
    silent = 0
    for name, record in modules.items():
        expect_activation(name, record)
        if record.state.get("use_noise") is False:
            side = record.state.get("resolution")
            if (
                not isinstance(side, int)
                or side > MAX_RESOLUTION
                or side & (side - 1)  # or a small file could ask for maps of every side
                or name not in (f"synthesis.b{side}.conv0", f"synthesis.b{side}.conv1")
            ):
                raise CheckpointError(f"{name} does not tell its resolution; the file is damaged, get it again")
            tensors[f"{name}.noise_const"] = torch.zeros(side, side)
            tensors[f"{name}.noise_strength"] = torch.zeros(())
            silent += 1
    return tensors, told_of_silence(silent)


def _spec(modules: dict[str, Record], tensors: dict[str, Tensor], *, name: str) -> GeneratorSpec:
    """What tensors and attributes say alike; the clamp is in the attributes alone."""
    clamps = {
        clamp_of(record.state.get("conv_clamp"))
        for path, record in modules.items()
        if path.startswith("synthesis.b") and path.rpartition(".")[2] in _LIMITED
    }
    if len(clamps) > 1:
        raise CheckpointError("its layers have different activation limits, which is not supported; needed one for all")
    spec = spec_of(tensors, clamp=clamps.pop() if clamps else None, name=name)
    for path, record in modules.items():
        told = record.state.get("architecture", "skip")
        known = ARCHITECTURES.get(told) if isinstance(told, str) else None
        if path.startswith("synthesis.b") and "architecture" in record.state and known != spec.architecture:
            raise CheckpointError(
                f"{path} says that its architecture is {told_word(told)}, its tensors are those of {spec.architecture}; "
                "needed one known for all blocks"
            )
    _expect_told(modules, spec)
    return spec


def _expect_told(modules: dict[str, Record], spec: GeneratorSpec) -> None:
    """What the networks tell of themselves is what their tensors are."""
    shared: dict[str, Any] = {"w_dim": spec.w_dim, "num_ws": spec.num_ws}
    entering: dict[str, Any] = {"z_dim": spec.z_dim, "c_dim": spec.c_dim}
    drawn: dict[str, Any] = {"img_resolution": spec.resolution, "img_channels": 3}
    wanted = {"": shared | entering | drawn, "mapping": shared | entering, "synthesis": shared | drawn}
    for path, sizes in wanted.items():
        for key, size in sizes.items():
            told = modules[path].state.get(key, size)
            if not isinstance(told, int) or told != size:
                came = told if isinstance(told, int) and abs(told) < 1 << 31 else "no number"
                raise CheckpointError(
                    f"its {path or 'generator'} says that {key} is {came}, its tensors say {size}; "
                    "the file is damaged or a variant not supported"
                )
