"""Train the built-in generator with its encoder and discriminator on aligned faces; resumable at any point.

python -m emogan_core.training.generator --faces press/ press.csv 1 --faces studio/ studio.csv 3 \
    --held-out benchmarks/held_out_people.txt --start emogan_core/builtin/generator.safetensors --work run/ --steps 6000

Progressive growing: --size seed --start FILE has 32 px only; then --size small (64 px) or grown (128 px) --start FILE
SEED_FILE. The shipped generator was made by training.prior --as-photos, small and then grown with --set
trainable=synthesis and --set perceptual=2 (which needs the extra emotiongan[training]), --set trainable=encoder, and
training.prior again, and in later versions otherwise; its model card lists every stage.
On a GPU, from random weights: --size large --start components --device cuda --set batch=64 --set samples=64 --set half=true
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..checkpoints import write_generator
from ..devices import resolve_device
from ..encoder_training.degradations import degrade
from ..inversion.objective import feature_l1, pyramid_l1
from ..weights import read_header
from .data import Faces, favour_dark, pick, read_faces, read_held_out, split, view
from .losses import augmented_alike, gradient_penalty, regions_l1
from .recipe import PRESETS, TRAINABLE, TrainConfig, lr_factor_at
from .run import Run
from .starts import refit_mapping, start_from_components, start_from_decoder, start_from_generators

REFIT_EVERY = 400  # steps; codes drift by two standard deviations in 1,000
LOG_EVERY = 100
PREVIEW_EVERY = 500
PREVIEW_FACES = 128


def train_step(run: Run, faces: Faces, rng: torch.Generator) -> dict[str, float]:
    """Several updates of the discriminator, then one of synthesis and encoder on the faces drawn for the last of them."""
    config = run.config
    ramp = min(1.0, max(0.0, (run.step / config.steps - config.warm_up) / 0.1))
    # the discriminator starts halfway through the warm-up, before its losses count
    adversarial = run.step / config.steps > config.warm_up * 0.5 and config.trainable != "encoder"
    encoder = run.parts()[1]
    terms: dict[str, float] = {}
    for _ in range(config.discriminator_steps if adversarial else 1):
        index = pick(faces, config.reconstructed + config.samples if adversarial else config.batch, rng)
        large = view(faces, index, max(run.spec.resolution, encoder.resolution), rng, jitter=True)
        real = F.adaptive_avg_pool2d(large, run.spec.resolution)
        encoded = real[: config.reconstructed] if adversarial else real
        with run.autocast():
            ws = encoder(degrade(large[: len(encoded)], rng, share=config.degradation))  # [n, num_ws, w_dim]
            codes = torch.cat([ws, _sampled_codes(run, ws.detach().float(), rng)]) if adversarial else ws
            drawn = run.draw(codes).float()
        if adversarial:
            penal = run.step % config.penalty_every == 0
            terms = discriminator_step(run, real, drawn.detach(), rng, penal=penal)
    return terms | generator_step(run, real, ws.float(), drawn, rng, ramp=ramp)


def generator_step(
    run: Run, real: Tensor, ws: Tensor, drawn: Tensor, rng: torch.Generator, *, ramp: float
) -> dict[str, float]:
    """Update synthesis and encoder: the first of the drawn faces are reconstructions from ws, the others samples.

    Convention: ws [r, num_ws, w_dim], drawn [r + samples, 3, h, w]; real [n, 3, h, w] are the r reconstructed pictures
    and, with an adversarial loss, one for each sample; `ramp` in [0, 1] scales all losses that depend on the
    discriminator.
    """
    config, discriminator = run.config, run.parts()[2]
    reconstruction, pictures, real = drawn[: len(ws)], real, real[: len(ws)]
    mean_row = ws.mean(dim=1, keepdim=True)
    terms = {"pyramid": config.pyramid * pyramid_l1(reconstruction, real).mean()}
    if config.regions:
        terms["regions"] = config.regions * regions_l1(reconstruction, real).mean()
    terms["layer_spread"] = config.layer_spread * (ws - mean_row).square().mean()
    w_distance = ((mean_row - run.live.w_avg + run.origin) / run.live.w_std).square().mean()
    terms["w_distance"] = config.w_distance * w_distance
    if run.feature_extractor is not None:
        with torch.no_grad():
            target = run.feature_extractor(real)
        terms["perceptual"] = config.perceptual * feature_l1(run.feature_extractor(reconstruction), target).mean()
    if ramp > 0:
        discriminator.requires_grad_(False)
        with run.autocast():
            if config.features:
                with torch.no_grad():
                    target = [feature.float() for feature in discriminator.features(real)[:3]]
                features = [feature.float() for feature in discriminator.features(reconstruction)[:3]]
                terms["features"] = ramp * config.features * feature_l1(features, target).mean()
            seen, drawn_seen = augmented_alike(pictures, drawn, rng, share=run.augment_share)
            margin = (discriminator(drawn_seen) - discriminator(seen).detach()).float()
            terms["adversarial"] = ramp * config.adversarial * F.softplus(-margin[: len(ws)]).mean()
            if len(drawn) > len(ws):
                terms["adversarial_samples"] = ramp * config.adversarial_samples * F.softplus(-margin[len(ws) :]).mean()
        discriminator.requires_grad_(True)
    rate = config.lr * lr_factor_at(run.step, config)
    _update(run.generator_optimiser, torch.stack(list(terms.values())).sum(), rate, config.clip)
    mse = (reconstruction.detach().clamp(-1, 1) - real).square().mean(dim=(1, 2, 3)) / 4
    return _numbers({"psnr": -10 * mse.log10().mean(), **terms})


def discriminator_step(run: Run, real: Tensor, fake: Tensor, rng: torch.Generator, *, penal: bool) -> dict[str, float]:
    """One update of the discriminator on real and drawn faces [n, 3, r, r], each real one against the drawn one of its place.

    Relativistic pairing with gradient penalties on both (Huang et al. 2024, "The GAN is dead; long live the GAN!").
    Convention: `penal` adds the penalties, at `penalty_every` times their weight as they are added once in so many steps.
    """
    config, discriminator = run.config, run.parts()[2]
    with run.autocast():
        real, fake = augmented_alike(real, fake, rng, share=run.augment_share)
        on_fake, on_real = discriminator(fake).float(), discriminator(real).float()
        loss = F.softplus(on_fake - on_real).mean()
        terms = {"discriminator": loss.detach(), "real_sign": (on_real - on_fake).detach().sign().mean()}
        if penal:
            penalty = gradient_penalty(discriminator, fake, on_fake, rng)
            penalty = penalty + gradient_penalty(discriminator, real, on_real, rng)
            loss = loss + penalty * (config.gradient_penalty / 2 * config.penalty_every)
            terms["penalty"] = penalty.detach()
    _update(run.discriminator_optimiser, loss, config.discriminator_lr * lr_factor_at(run.step, config), config.clip)
    numbers = _numbers(terms)
    direction = 1 if numbers["real_sign"] > config.augment_target else -1
    share = run.augment_share + direction * config.batch / config.augment_pictures
    run.augment_share = min(config.augment_max, max(0.0, share))
    return numbers | {"augment_share": run.augment_share}


def _sampled_codes(run: Run, ws: Tensor, rng: torch.Generator) -> Tensor:
    """Codes [samples, num_ws, w_dim]: most are random, some are interpolated between two real faces' codes ws."""
    config = run.config
    mixed = min(round(config.interpolated * config.samples), len(ws))
    psi = 1 - 0.4 * torch.rand(config.samples - mixed, 1, generator=rng, device=ws.device)  # the usual truncations
    others = ws[torch.randperm(len(ws), generator=rng, device=ws.device)[:mixed]]
    share = torch.rand(mixed, 1, 1, generator=rng, device=ws.device)
    return torch.cat([run.codes(len(psi), rng, psi=psi), ws[:mixed].lerp(others, share)])


def _numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    """All as floats, in one transfer from the device."""
    values = torch.stack([term.detach().float() for term in terms.values()]).tolist()
    return dict(zip(terms, values, strict=True))


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
        torch.nn.utils.clip_grad_norm_(group["params"], clip)
    optimiser.step()


def save_preview(run: Run, held_out: Tensor, path: Path) -> float:
    """Save held-out faces [n, 3, 128, 128], their reconstructions and samples at psi 0.7; returns the held-out PSNR in dB."""
    with torch.no_grad():
        encoder = run.ema.encoder
        assert encoder is not None
        parts = [run.ema.synthesis(encoder(part)) for part in torch.split(held_out, 32)]
        reconstruction = torch.cat(parts).clamp(-1, 1)
        real = F.adaptive_avg_pool2d(held_out, run.spec.resolution)
        codes = run.codes(2 * len(real[:16]), torch.Generator(run.device).manual_seed(1), psi=0.7)
        sampled = run.ema.synthesis(codes).clamp(-1, 1)
    rows = [real[:16], reconstruction[:16], *torch.chunk(sampled, 2)]
    picture = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    return float(-10 * ((reconstruction - real).square().mean(dim=(1, 2, 3)) / 4).log10().mean())


def train(run: Run, training: Faces, preview: Tensor, work: Path, *, notes: dict[str, str]) -> None:
    """Run to the configured number of steps; every 100 steps a log line and a saved state, every 500 a preview.

    While both encoder and synthesis are trained, mapping network and statistics are refitted to the encoder's codes of
    all faces every REFIT_EVERY steps and at the end. While one is frozen, so is the distribution of random codes, until
    `training.prior` fits it again.
    """
    begin, config = time.monotonic(), run.config
    while run.step < config.steps:
        if run.step % REFIT_EVERY == 0 and config.trainable == "both":
            refit_mapping(run, training)
        terms = train_step(run, training, run.rng())
        run.update_ema()
        run.step += 1
        if run.step % LOG_EVERY == 0 or run.step == config.steps:
            if run.step == config.steps and config.trainable == "both":
                refit_mapping(run, training)
            run.save(work / "state.safetensors")
            picture = work / f"preview_{run.step // PREVIEW_EVERY * PREVIEW_EVERY:06d}.png"
            terms["held_out_psnr"] = save_preview(run, preview, picture)
            line = {"step": run.step, "seconds": round(time.monotonic() - begin), **terms}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            write_generator(work / "generator.safetensors", run.result(), half=True, notes=notes)


def configured(settings: Sequence[str], *, steps: int, seed: int) -> TrainConfig:
    """The recipe with some settings changed, each as NAME=VALUE.

    Raises: SystemExit for an unknown setting, or a value of another type.
    """
    config = TrainConfig(steps=steps, seed=seed)
    kinds = {field.name: type(getattr(config, field.name)) for field in fields(config)}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in kinds:
            raise SystemExit(f"--set {setting}: needed one of {', '.join(kinds)}")
        try:
            value: Any = text == "true" if kinds[name] is bool else kinds[name](text)
        except ValueError:
            raise SystemExit(f"--set {setting}: needed a value of the same type as {getattr(config, name)}") from None
        config = replace(config, **{name: value})
    if config.trainable not in TRAINABLE:
        raise SystemExit(f"--set trainable={config.trainable}: needed one of {', '.join(TRAINABLE)}")
    return config


def from_generators(starts: Sequence[str]) -> bool:
    """Whether a run starts from generator files of ours, rather than from nothing or a decoder of linear codes."""
    return bool(starts) and starts != ["components"] and "spec" in read_header(Path(starts[0]))[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", nargs=3, action="append", required=True, metavar=("DIR", "CSV", "WEIGHT"))
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument(
        "--start", nargs="+", default=[], help="'components', a decoder of linear codes, or generator files of ours"
    )
    parser.add_argument("--size", choices=list(PRESETS), default="small")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another setting of the recipe"
    )
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    config = configured(arguments.set, steps=arguments.steps, seed=arguments.seed)
    run = Run(PRESETS[arguments.size], config, device=resolve_device(arguments.device))
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    training, held_out = split(faces, read_held_out(arguments.held_out))
    training = favour_dark(training, config.dark)
    shown = held_out.pixels[:: max(1, len(held_out) // PREVIEW_FACES)][:PREVIEW_FACES]
    preview = (shown.float() / 127.5 - 1).to(run.device)
    state = arguments.work / "state.safetensors"
    if config.trainable != "both" and not (state.exists() or from_generators(arguments.start)):
        raise SystemExit(f"--set trainable={config.trainable} needs a trained generator file; name one with --start")
    if state.exists():
        run.restore(state)
    elif arguments.start == ["components"]:
        start_from_components(run, training)
    elif from_generators(arguments.start):
        start_from_generators(run, [Path(start) for start in arguments.start])
    elif arguments.start:
        start_from_decoder(run, Path(arguments.start[0]), training)
    notes = {"data_sha256": faces.sha256, "training": json.dumps(asdict(config)), "pictures": str(len(training))}
    train(run, training.to(run.device), preview, arguments.work, notes=notes)


if __name__ == "__main__":
    main()
