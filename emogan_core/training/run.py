"""One training run: networks, optimisers, step and augmentation, saved and restored as safetensors."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ..networks.build import Generator
from ..networks.discriminator import Discriminator
from ..networks.encoder import Encoder
from ..networks.layers import initialise
from ..networks.stylegan2 import Synthesis
from ..weights import read_tensors, write_tensors
from .codes import shift_w_origin
from .feature_extractor import load_feature_extractor
from .recipe import Preset, TrainConfig, ema_decay_at

_FORMER_NAMES = {
    "changed": "augment_share",
    "drawing": "generator_optimiser",
    "judging": "discriminator_optimiser",
}  # in states saved by earlier versions


class Run:
    """Networks, optimisers and step of one training run.

    Convention: training works on codes around 0; `origin` is what files add to them.
    """

    def __init__(self, preset: Preset, config: TrainConfig, *, device: torch.device | str = "cpu") -> None:
        rng = torch.Generator().manual_seed(config.seed)
        spec = preset.spec
        self.spec, self.config, self.step = spec, config, 0
        self.device = torch.device(device)
        encoder = Encoder(
            2 << len(preset.encoder),
            preset.encoder,
            w_dim=spec.w_dim,
            num_ws=spec.num_ws,
            features=preset.features,
        )
        discriminator = Discriminator(spec.resolution, preset.discriminator)
        self.live = Generator(spec, fingerprint="", encoder=encoder, discriminator=discriminator)
        initialise(self.live, rng)
        self.live.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name, parameter in self.live.synthesis.named_parameters():
            if name.endswith("noise_strength"):  # a fixed noise map would add the same grain to every picture
                parameter.requires_grad_(False)
        self.ema = copy.deepcopy(self.live).requires_grad_(False)
        synthesis, _, _ = self.parts()
        self.draw = torch.compile(synthesis, dynamic=False) if config.compiled else synthesis
        self.feature_extractor = load_feature_extractor().to(self.device) if config.perceptual else None
        self.origin = torch.zeros(spec.w_dim, device=self.device)
        self.augment_share = 0.0  # of the pictures that the discriminator sees
        # the mapping network is not trained: the adversarial loss moved its mean by 0.8 standard deviations
        encoder.linear.requires_grad_(config.projection_lr > 0)
        for index, side in enumerate(spec.resolutions):
            if side <= config.freeze_below:
                synthesis.block(index).requires_grad_(False)
        if config.trainable != "both":
            (encoder if config.trainable == "synthesis" else synthesis).requires_grad_(False)
        trained = [p for part in (synthesis, encoder) for p in part.parameters() if p.requires_grad]
        projection = {p for p in encoder.linear.parameters() if p.requires_grad}
        groups = [{"params": [p for p in trained if p not in projection], "share": 1.0}]
        if projection:
            groups.append({"params": list(encoder.linear.parameters()), "share": config.projection_lr})
        self.generator_optimiser = torch.optim.Adam(groups, lr=config.lr, betas=(0.5, 0.99), eps=1e-8)
        self.discriminator_optimiser = torch.optim.Adam(
            discriminator.parameters(), lr=config.discriminator_lr, betas=(0.0, 0.99), eps=1e-8
        )

    def parts(self) -> tuple[Synthesis, Encoder, Discriminator]:
        assert isinstance(self.live.synthesis, Synthesis)
        assert isinstance(self.live.encoder, Encoder)
        assert self.live.discriminator is not None
        return self.live.synthesis, self.live.encoder, self.live.discriminator

    def rng(self) -> torch.Generator:
        """This step's own randomness: the same after a restart."""
        return torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + self.step)

    def autocast(self) -> torch.autocast:
        """The context in which networks compute in bfloat16, where the configuration wants it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.half)

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "generator_optimiser": self.generator_optimiser,
            "discriminator_optimiser": self.discriminator_optimiser,
        }

    def save(self, path: Path) -> None:
        """Write everything needed to resume exactly here."""
        tensors = {f"live.{name}": tensor for name, tensor in self.live.state_dict().items()}
        tensors |= {f"ema.{name}": tensor for name, tensor in self.ema.state_dict().items()}
        tensors["origin"] = self.origin
        for title, optimiser in self._optimisers().items():
            for index, entry in optimiser.state_dict()["state"].items():
                tensors |= {f"{title}.{index}.{name}": torch.as_tensor(value) for name, value in entry.items()}
        tensors = {name: tensor.detach().cpu() for name, tensor in tensors.items()}
        notes = {
            "step": str(self.step),
            "augment_share": str(self.augment_share),
            "config": json.dumps(asdict(self.config)),
        }
        write_tensors(path, tensors, notes)

    def restore(self, path: Path) -> None:
        """Resume a saved run."""
        stored, metadata = read_tensors(path)
        metadata = {_FORMER_NAMES.get(name, name): text for name, text in metadata.items()}
        tensors = {}
        for name, tensor in stored.items():
            title, dot, rest = name.partition(".")
            tensors[_FORMER_NAMES.get(title, title) + dot + rest] = tensor
        self.step, self.augment_share = int(metadata["step"]), float(metadata["augment_share"])
        self.origin = tensors["origin"].to(self.device)
        self.live.load_state_dict({n[5:]: t for n, t in tensors.items() if n.startswith("live.")})
        self.ema.load_state_dict({n[4:]: t for n, t in tensors.items() if n.startswith("ema.")})
        for title, optimiser in self._optimisers().items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                if name.startswith(f"{title}."):
                    _, index, field = name.split(".")
                    state.setdefault(int(index), {})[field] = tensor
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})

    def codes(self, n: int, rng: torch.Generator, *, psi: float | Tensor) -> Tensor:
        """Random codes [n, num_ws, w_dim] around 0; `psi` is one or [n, 1]."""
        mapping = self.ema.mapping
        z = torch.randn(n, self.spec.z_dim, generator=rng, device=self.device)
        with torch.autocast(self.device.type, enabled=False):  # large units need full precision
            w = mapping.w_avg + psi * (mapping.to_w(z) - mapping.w_avg) - self.origin
        return w.unsqueeze(1).expand(-1, self.spec.num_ws, -1)

    def result(self) -> Generator:
        """The averaged networks as a file holds them, with the origin of W shifted to the mapping network's."""
        result = copy.deepcopy(self.ema)
        shift_w_origin(result, self.origin)
        return result.cpu()

    def update_ema(self) -> None:
        """Update the moving average of the networks."""
        keep = ema_decay_at(self.step, self.config)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.live.parameters()), 1 - keep)
            for averaged, buffer in zip(self.ema.buffers(), self.live.buffers(), strict=True):
                averaged.copy_(buffer)
