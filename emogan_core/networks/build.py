"""Networks from tensors: shapes are compared before anything is built, and every name must match both ways."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingOf

import torch
from torch import Tensor, nn

from ..devices import ordinary
from ..errors import CheckpointError
from ..weights import fingerprint_of, is_finite
from . import stylegan1, stylegan2, stylegan3
from .discriminator import Discriminator
from .encoder import FEATURES, Encoder
from .irse import IrseEncoder, layout_of
from .mapping import Mapping, sampled_w
from .spec import GeneratorSpec

STATISTICS_SAMPLES = 10_000
STATISTICS_SEED = 0
SYNTHESES: dict[str, Callable[[GeneratorSpec], nn.Module]] = {
    "stylegan1": stylegan1.Synthesis,
    "stylegan2": stylegan2.Synthesis,
    "stylegan2-resnet": stylegan2.Synthesis,
    "stylegan2-orig": stylegan2.Synthesis,
    "stylegan3": stylegan3.Synthesis,
}


class Generator(nn.Module):
    """A frozen generator with its spec, statistics and fingerprint, and with encoder and discriminator where the file holds them.

    Convention: mapping(z, psi=0.7) -> ws [n, num_ws, w_dim]; synthesis(ws) -> images [n, 3, r, r] in about [-1, 1];
    w_avg, w_std [w_dim]; encode(images) -> ws where there is an encoder; discriminator or None.
    """

    w_std: Tensor

    def __init__(
        self,
        spec: GeneratorSpec,
        *,
        fingerprint: str,
        encoder: Encoder | IrseEncoder | None = None,
        discriminator: Discriminator | None = None,
    ) -> None:
        super().__init__()
        self.spec, self.fingerprint = spec, fingerprint
        self.mapping, self.synthesis = Mapping(spec), SYNTHESES[spec.architecture](spec)
        self.encoder, self.discriminator = encoder, discriminator
        self.register_buffer("w_std", torch.ones(spec.w_dim))

    @property
    def w_avg(self) -> Tensor:
        """[w_dim]: the average w, which truncation draws towards."""
        return self.mapping.w_avg

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.w_std.device

    def encode(self, images: Tensor) -> Tensor:
        """ws of pictures [n, 3, r, r] by the encoder; ReStyle's also reads what the synthesis draws of its codes.

        Raises: CheckpointError when the generator came without an encoder.
        """
        if self.encoder is None:
            raise CheckpointError(
                f"the generator '{self.spec.name}' has no encoder, so method 'encode' cannot work; use 'optimise'"
            )
        if isinstance(self.encoder, IrseEncoder):
            found: Tensor = self.encoder(images, draw=self.synthesis)
            return found
        ws: Tensor = self.encoder(images)
        return ws


def build_generator(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> Generator:
    """A generator on the CPU, in evaluation mode and frozen, from canonical tensors.

    Convention: names `mapping.*`, `synthesis.*`, optional `encoder.*`, `discriminator.*` and `statistics.w_std`;
    missing statistics are taken from 10,000 seeded samples.
    Raises: CheckpointError when tensors are missing, unexpected, of another shape than the spec says, or not finite.
    """
    core = {name: tensor for name, tensor in tensors.items() if name.startswith(("mapping.", "synthesis."))}
    with torch.inference_mode(False), torch.no_grad():
        with torch.device("meta"):  # nothing is allocated until the shapes agree
            skeleton = Generator(
                spec, fingerprint="", encoder=_encoder(spec, tensors), discriminator=_discriminator(spec, tensors)
            )
        _expect_same_shapes(skeleton, tensors)
        large = skeleton.encoder if isinstance(skeleton.encoder, IrseEncoder) else None
        generator = Generator(
            spec,
            fingerprint=fingerprint_of(core, spec=spec.hash_key),
            encoder=None if large else _encoder(spec, tensors),
            discriminator=_discriminator(spec, tensors),
        )
        given = {name: tensor for name, tensor in tensors.items() if not (large and name.startswith("encoder."))}
        state = {_module_name(name): tensor for name, tensor in given.items()}
        if "w_std" not in state:
            state["w_std"] = torch.ones(spec.w_dim)
        generator.load_state_dict(state)
        if large is not None:
            generator.encoder = _adopted(large, tensors)
        if "statistics.w_std" not in tensors:
            sampled = sampled_w(generator.mapping, count=STATISTICS_SAMPLES, seed=STATISTICS_SEED)
            generator.w_std.copy_(sampled.std(0))
        _expect_finite(generator)
    return generator.eval().requires_grad_(False)


def tensors_of(generator: Generator) -> dict[str, Tensor]:
    """The canonical tensors of a generator, its encoder and discriminator: what `build_generator` takes."""
    return {"statistics.w_std" if name == "w_std" else name: tensor for name, tensor in generator.state_dict().items()}


def _module_name(name: str) -> str:
    return "w_std" if name == "statistics.w_std" else name


def expect_discriminator(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> None:
    """The tensors named `discriminator.*` must make one, so that a reader can leave an unsupported one out.

    Raises: CheckpointError listing what is missing, unexpected or of another shape.
    """
    with torch.device("meta"):
        discriminator = _discriminator(spec, tensors)
    found = {} if discriminator is None else discriminator.state_dict()
    _expect_shapes({f"discriminator.{name}": tuple(tensor.shape) for name, tensor in found.items()}, tensors)


def _expect_same_shapes(skeleton: Generator, tensors: MappingOf[str, Tensor]) -> None:
    _expect_shapes({name: tuple(tensor.shape) for name, tensor in tensors_of(skeleton).items()}, tensors)


def _expect_finite(generator: Generator) -> None:
    """Refuse also computed tensors that are not finite: large weights overflow."""
    for name, tensor in tensors_of(generator).items():
        if not is_finite(tensor):
            raise CheckpointError(f"'{name}' holds NaN or infinity; the file is damaged, get it again")


def _expect_shapes(wanted: MappingOf[str, tuple[int, ...]], tensors: MappingOf[str, Tensor]) -> None:
    optional = {"statistics.w_std"}
    problems = [f"missing {name}" for name in wanted if name not in tensors and name not in optional]
    problems += [f"unexpected {name[:100]}" for name in tensors if name not in wanted]
    problems += [
        f"{name} is {list(tensors[name].shape)} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CheckpointError(f"the tensors do not fit the generator described: {', '.join(problems[:5])}{more}")


def _widths(tensors: MappingOf[str, Tensor], pattern: str, resolution: int, axis: int) -> tuple[int, ...] | None:
    """Widths of blocks from 8 px to `resolution`, read off one axis of a weight per block; None when one is absent."""
    sides = [8 << index for index in range(max(resolution.bit_length() - 3, 0)) if 8 << index <= resolution]
    weights = [tensors.get(pattern.format(side)) for side in sides]
    if not sides or any(weight is None or weight.ndim != 4 or not weight.numel() for weight in weights):
        return None
    return tuple(int(weight.shape[axis]) for weight in weights if weight is not None)


def _adopted(skeleton: IrseEncoder, tensors: MappingOf[str, Tensor]) -> IrseEncoder:
    """The encoder around the given tensors themselves: they fill a gigabyte, which is not copied."""
    names = [name for name in tensors if name.startswith("encoder.")]
    own = {name.removeprefix("encoder."): ordinary(tensors[name].detach()).float() for name in names}
    skeleton.load_state_dict(own, assign=True)
    return skeleton


def _encoder(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> Encoder | IrseEncoder | None:
    if "encoder.stem.weight" in tensors:
        return _irse(spec, tensors)
    sides = (4 << index for index in range(9))  # it may read more or fewer pixels than are drawn
    side = max((side for side in sides if f"encoder.b{side}.weight" in tensors), default=spec.resolution)
    inner = _widths(tensors, "encoder.b{}.weight", side, 1)
    outer = _widths(tensors, "encoder.b{}.weight", side, 0)
    if inner is None or outer is None:
        return None
    last = tensors.get("encoder.to_w.weight")
    features = FEATURES if last is None or last.ndim != 2 else last.shape[1]
    return Encoder(side, (outer[0], *inner), w_dim=spec.w_dim, num_ws=spec.num_ws, features=features)


def _irse(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> IrseEncoder:
    """The encoder that other programs trained for such a generator.

    Raises: CheckpointError when it has no known layout, or its codes are not this generator's.
    """
    own = {name.removeprefix("encoder."): tensor for name, tensor in tensors.items() if name.startswith("encoder.")}
    layout = layout_of({name: tuple(tensor.shape) for name, tensor in own.items()})
    if len(layout.heads) not in (1, spec.num_ws) or layout.w_dim != spec.w_dim:
        raise CheckpointError(
            f"the encoder answers with {len(layout.heads)} rows of {layout.w_dim}, the generator takes "
            f"{spec.num_ws} of {spec.w_dim}; they are not of one training"
        )
    return IrseEncoder(layout, num_ws=spec.num_ws)


def _discriminator(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> Discriminator | None:
    inner = _widths(tensors, "discriminator.b{}.conv1.weight", spec.resolution, 1)
    outer = _widths(tensors, "discriminator.b{}.conv1.weight", spec.resolution, 0)
    if inner is None or outer is None:
        return None
    final = tensors.get("discriminator.b4.conv.weight")
    parts = int(final.shape[1] - final.shape[0]) if final is not None and final.ndim == 4 else 1
    if parts < 0 or (parts and outer[0] % parts):
        raise CheckpointError(
            f"a discriminator that compares {parts} parts of {outer[0]} channels; the file is damaged"
        )
    return Discriminator(
        spec.resolution,
        (outer[0], *inner),
        clamp=spec.discriminator_clamp,
        group=spec.discriminator_group,
        parts=parts,
        architecture=_discriminator_architecture(tensors, spec.resolution),
        classes=_discriminator_classes(tensors),
    )


def _discriminator_architecture(tensors: MappingOf[str, Tensor], resolution: int) -> str:
    """By what its blocks have: shortcuts, FromRGB down to 4 px, or neither."""
    if f"discriminator.b{resolution}.skip.weight" in tensors:
        return "resnet"
    return "skip" if "discriminator.b4.fromrgb.weight" in tensors else "orig"


def _discriminator_classes(tensors: MappingOf[str, Tensor]) -> tuple[int, int, int]:
    """How many classes there are, how wide each is mapped, by how many layers."""
    embed = tensors.get("discriminator.mapping.embed.weight")
    if embed is None or embed.ndim != 2 or not embed.numel():
        return 0, 1, 0
    layers = 0
    while f"discriminator.mapping.fc{layers}.weight" in tensors:
        layers += 1
    return int(embed.shape[1]), int(embed.shape[0]), layers
