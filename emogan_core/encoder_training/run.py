"""An encoder in training: weights, their average, optimiser and step, saved and restored to the bit."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from .. import __version__
from ..devices import gradients_allowed, gradients_off
from ..errors import CheckpointError, SpaceMismatch
from ..inversion.objective import Weights, editability, unlikeness
from ..networks.build import Generator
from ..networks.encoder import Encoder, start_from_projection
from ..networks.layers import initialise
from ..weights import plain_json, read_header, read_tensors, write_tensors
from .degradations import degrade
from .memory import BATCHES
from .samples import drawn, moved, random_codes, reduced, seen_px, step_rng, varied

FORMAT = "emotiongan-encoder-training-1"
WIDTHS = (128, 96, 64, 48, 32, 24)
"""Of the encoder's layers, from 4 px up."""
MOST_PX, USUAL_PX = 128, 64
RATE, WARM_UP = 2e-3, 100  # of Adam; steps
CLIP = 10.0
DAMAGED = "is no whole state of an encoder's training; give another --out, or --force to begin anew"
DEGRADED = 0.15  # share of pictures that suffer each degradation
EMA_PICTURES = 4000  # half-life of the average
PRIOR = Weights(features=0.0)
"""Pictures are compared as inversion compares them, without the discriminator, which would take half of the time."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """What a training depends on beside its generator and photos.

    Convention: of `batch` samples per step, whose codes are known, half are also redrawn from the encoder's codes; as
    many pictures whose codes nobody knows join them.
    """

    seed: int = 0
    batch: int = 8


def encoder_for(generator: Generator) -> Encoder:
    """An encoder with weights of zero that reads pictures of a side that suits the generator's."""
    spec = generator.spec
    side = min(spec.resolution, MOST_PX, max(USUAL_PX, spec.resolution // 2))
    return Encoder(side, WIDTHS[: side.bit_length() - 2], w_dim=spec.w_dim, num_ws=spec.num_ws)


class EncoderRun:
    """One training of an encoder for a frozen generator.

    Convention: in training the encoder answers in units of w_std around w_avg, which `result` folds into its weights;
    photos uint8 [n, 3, s, s], or None. The rate stays what it is and the averaged weights are the result, so a training
    may end at any step and go on from there.
    """

    def __init__(self, generator: Generator, config: EncoderConfig, photos: Tensor | None = None) -> None:
        self.generator, self.config, self.photos = generator, config, photos
        self.step, self.seconds = 0, 0.0
        self._photos_sha256 = "none" if photos is None else hashlib.sha256(photos.numpy().tobytes()).hexdigest()
        with gradients_off():
            self.live = encoder_for(generator)
            initialise(self.live, torch.Generator().manual_seed(config.seed))
            self.live.to(generator.device)
            self.averaged = copy.deepcopy(self.live).requires_grad_(False)
        # the projection stays as fitted: one step on its 3,072 inputs at once moves the codes too far
        self.live.linear.requires_grad_(False)
        trained = [parameter for parameter in self.live.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=RATE, betas=(0.9, 0.99))

    def begin(self, weight: Tensor, bias: Tensor) -> None:
        """Set the encoder to a projection of small pictures; all else begins at zero effect."""
        device = self.generator.device
        for encoder in (self.live, self.averaged):
            start_from_projection(encoder, weight.to(device), bias.to(device))

    def train_step(self) -> float:
        """One step; its loss."""
        loss = self._loss(step_rng(self.generator.device, self.config.seed, self.step))
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (self.step + 1) / WARM_UP)
        self.optimiser.zero_grad(set_to_none=True)
        with gradients_allowed():
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], CLIP)
        self.optimiser.step()
        self._average()
        self.step += 1
        return float(loss.detach())

    def _loss(self, rng: torch.Generator) -> Tensor:
        generator, batch = self.generator, self.config.batch
        half = batch // 2
        with gradients_off():
            ws = random_codes(generator, batch, rng)
            samples = drawn(generator, ws)
            wanted = (ws - generator.w_avg) / self._unit
            pictures = torch.cat([samples, self._unlabelled(samples[:half], rng)])
            seen = degrade(reduced(pictures, self.live.resolution), rng, share=DEGRADED)
        with gradients_allowed():
            codes: Tensor = self.live(seen)
            of_codes = (codes[:batch] - wanted).square().mean()
            found = generator.w_avg + codes[half:] * self._unit  # of the second half of the samples, and of the others
            redrawn = reduced(generator.synthesis(found), seen_px(generator))
            of_pictures = unlikeness(generator, redrawn, pictures[half:], [], PRIOR).mean()
            distance, spread = editability(generator, found[half:])
            prior = (PRIOR.w_distance * distance + PRIOR.layer_spread * spread).mean()
            loss: Tensor = of_codes + of_pictures + prior
            return loss

    def _unlabelled(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures of no known code: the user's photos, or samples as they would look in a photo."""
        if self.photos is None:
            return varied(samples, rng)
        rows = torch.randint(len(self.photos), (len(samples),), generator=rng, device=samples.device)
        return moved(self.photos[rows.to(self.photos.device)].to(samples) / 127.5 - 1, rng)

    def _average(self) -> None:
        pictures = (self.step + 1) * self.config.batch
        half_life = min(EMA_PICTURES, 0.1 * pictures + self.config.batch)  # short at first, to forget the start
        with gradients_off():
            share = 1 - 0.5 ** (self.config.batch / half_life)
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.live.parameters()), share)

    @property
    def _unit(self) -> Tensor:
        return self.generator.w_std.clamp_min(1e-6)

    def result(self) -> Encoder:
        """The averaged encoder as files hold it: its codes are the generator's own."""
        encoder, unit = copy.deepcopy(self.averaged), self._unit
        rows = unit.repeat(self.generator.spec.num_ws)
        with gradients_off():
            for layer, scale in ((encoder.linear, unit), (encoder.to_w, unit), (encoder.to_rows, rows)):
                layer.weight.mul_(scale[:, None])
                layer.bias.mul_(scale)
            encoder.linear.bias.add_(self.generator.w_avg)
        return encoder.eval()

    def described(self) -> dict[str, str]:
        """What the training depends on; a state goes on only with the same."""
        told = {"format": FORMAT, "program": __version__, "generator": self.generator.fingerprint}
        told["photos"] = self._photos_sha256
        return told | {name: str(value) for name, value in asdict(self.config).items()}

    def save(self, path: Path) -> None:
        """Write all that is needed to go on exactly here.

        Raises: OutputError.
        """
        tensors = {f"live.{name}": tensor for name, tensor in self.live.state_dict().items()}
        tensors |= {f"averaged.{name}": tensor for name, tensor in self.averaged.state_dict().items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in entry.items()}
        notes = {"step": str(self.step), "seconds": repr(self.seconds), "how": json.dumps(self.described())}
        write_tensors(path, tensors, {"format": FORMAT, **notes})

    def restore(self, path: Path) -> None:
        """Go on where `save` was called.

        Raises: SpaceMismatch when the state is of another training, saying which; CheckpointError when it is damaged.
        """
        tensors, metadata = read_tensors(path)
        expect_same(path, _how(path, metadata), self.described())
        try:
            with gradients_off():
                for title, encoder in (("live", self.live), ("averaged", self.averaged)):
                    encoder.load_state_dict(_below(tensors, title))
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _below(tensors, "optimiser").items():
                index, _, field = name.partition(".")
                state.setdefault(int(index), {})[field] = tensor
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})
            self.step, self.seconds = int(metadata["step"]), float(metadata["seconds"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path} {DAMAGED}") from error


def _below(tensors: dict[str, Tensor], title: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{title}."): tensor for name, tensor in tensors.items() if name.startswith(f"{title}.")}


def stored_batch(path: Path) -> int:
    """The batch of a saved training.

    Raises: CheckpointError.
    """
    told = _how(path, read_header(path)[1]).get("batch", "")
    if not told.isdecimal() or int(told) not in BATCHES:
        raise CheckpointError(f"{path} {DAMAGED}")
    return int(told)


def _how(path: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """What a saved training depended on.

    Raises: CheckpointError.
    """
    try:
        told = plain_json(metadata["how"])
        return {str(name): str(value) for name, value in told.items()}
    except (KeyError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} {DAMAGED}") from error


def expect_same(path: Path, was: dict[str, str], now: dict[str, str]) -> None:
    """Refuse to go on with another training.

    Raises: SpaceMismatch.
    """
    other = [
        f"{name} {str(was.get(name))[:12]} instead of {now[name][:12]}" for name in now if was.get(name) != now[name]
    ]
    if other:
        raise SpaceMismatch(
            f"{path} is the state of another training ({', '.join(other)}); give another --out, or --force to begin anew"
        )
