"""Train the built-in generator with its encoder and discriminator on aligned faces; resumable at any point.

python -m emogan_core.training.generator --faces press/ press.csv 1 --faces studio/ studio.csv 3 \
    --held-out benchmarks/held_out_people.txt --start emogan_core/builtin/generator.safetensors --work run/ --steps 6000

Growing: --size seed --start FILE draws 32 px only; then --size small (64 px) or grown (128 px) --start FILE SEED_FILE.
What ships came of training.prior --as-photos, small and then grown with --set learns=synthesis and --set seen=2 (which
wants the extra emotiongan[training]), --set learns=encoder, and training.prior again; its model card has every dial.
On a GPU, from nothing: --size large --start components --device cuda --set batch=64 --set samples=64 --set half=true
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
from ..inversion.objective import feature_l1, pyramid_l1
from ..weights import read_header
from .data import Faces, pick, read_faces, read_held_out, relatives, split, view
from .losses import augment, partner_missed, real_gradient_penalty, wear
from .recipe import ANATOMIES, LEARNERS, TrainConfig, share_at
from .run import Run
from .starts import settle, start_from_components, start_from_decoder, start_from_generators

SETTLE_EVERY = 200  # codes drift, by two standard deviations in 1,000 steps: too far for random faces to follow at once
TELL_EVERY = 100
LOOK_EVERY = 500
SEEN = 128


def train_step(run: Run, faces: Faces, rng: torch.Generator) -> dict[str, float]:
    """So many updates of the discriminator, and one of synthesis and encoder on the faces drawn for the last of them."""
    config = run.config
    ramp = min(1.0, max(0.0, (run.step / config.steps - config.alone) / 0.1))
    # a little ahead of those who listen to it
    judged = run.step / config.steps > config.alone * 0.5 and config.learns != "encoder"
    encoder = run.parts()[1]
    told: dict[str, float] = {}
    for last in [False] * (config.judge_steps - 1) * judged + [True]:
        index = pick(faces, config.batch, rng)
        large = view(faces, index, max(run.spec.resolution, encoder.resolution), rng, jitter=True)
        real = F.adaptive_avg_pool2d(large, run.spec.resolution)
        seen = real[: config.redrawn] if judged else real
        with run.lowered():
            ws = encoder(wear(large[: len(seen)], rng, share=config.worn))  # [n, num_ws, w_dim]
            codes = torch.cat([ws, _invented(run, ws.detach().float(), rng)]) if judged else ws
            drawn = run.draw(codes).float()
        if judged:
            told = judge_step(run, real, drawn.detach(), rng, penal=last and run.step % config.r1_every == 0)
    if config.kin and config.learns != "synthesis":
        others = view(faces, relatives(faces, index[: len(seen)], rng), encoder.resolution, rng, jitter=True)
        with run.lowered():
            kin = encoder(wear(others, rng, share=config.worn)).float()
    else:
        kin = None
    return told | draw_step(run, seen, ws.float(), drawn, rng, ramp=ramp, kin=kin)


def draw_step(
    run: Run, real: Tensor, ws: Tensor, drawn: Tensor, rng: torch.Generator, *, ramp: float, kin: Tensor | None
) -> dict[str, float]:
    """Update synthesis and encoder: the first of the drawn faces are those that ws redraw, the others are invented.

    Convention: real [r, 3, h, w], ws [r, num_ws, w_dim], drawn [r + invented, 3, h, w]; `ramp` in [0, 1] scales all that
    the discriminator has a say in; `kin` are codes of other pictures of the same people.
    """
    config, judge = run.config, run.parts()[2]
    redrawn, invented = drawn[: len(real)], drawn[len(real) :]
    centre = ws.mean(dim=1, keepdim=True)
    terms = {"pyramid": config.pyramid * pyramid_l1(redrawn, real).mean()}
    terms["row_spread"] = config.row_spread * (ws - centre).square().mean()
    terms["norm"] = config.norm * ((centre - run.live.w_avg + run.origin) / run.live.w_std).square().mean()
    if kin is not None:
        terms["kin"] = (
            config.kin * partner_missed(*((codes.mean(dim=1) / run.live.w_std) for codes in (ws, kin))).mean()
        )
    if run.sight is not None:
        with torch.no_grad():
            wanted = run.sight(real)
        terms["seen"] = config.seen * feature_l1(run.sight(redrawn), wanted).mean()
    if ramp > 0:
        judge.requires_grad_(False)
        with run.lowered():
            with torch.no_grad():
                wanted = [feature.float() for feature in judge.features(real)[:3]]
            found = [feature.float() for feature in judge.features(redrawn)[:3]]
            terms["features"] = ramp * config.features * feature_l1(found, wanted).mean()
            if len(invented):
                on_redrawn = judge(augment(redrawn, rng, share=run.changed)).float()
                on_invented = judge(augment(invented, rng, share=run.changed)).float()
                terms["adversarial"] = ramp * config.adversarial * F.softplus(-on_redrawn).mean()
                terms["sampled"] = ramp * config.sampled * F.softplus(-on_invented).mean()
        judge.requires_grad_(True)
    rate = config.lr * share_at(run.step, config)
    _update(run.drawing, torch.stack(list(terms.values())).sum(), rate, config.clip)
    mse = (redrawn.detach().clamp(-1, 1) - real).square().mean(dim=(1, 2, 3)) / 4
    return _numbers({"psnr": -10 * mse.log10().mean(), **terms})


def judge_step(run: Run, real: Tensor, fake: Tensor, rng: torch.Generator, *, penal: bool) -> dict[str, float]:
    """One update of the discriminator on real and drawn faces [n, 3, r, r], and of the share it sees changed.

    Convention: `penal` adds the gradient penalty, at a multiple of its weight as it comes once in `r1_every` steps.
    """
    config, judge = run.config, run.parts()[2]
    with run.lowered():
        on_fake = judge(augment(fake, rng, share=run.changed)).float()
        on_real = judge(augment(real, rng, share=run.changed)).float()
        loss = F.softplus(on_fake).mean() + F.softplus(-on_real).mean()
    terms = {"judge": loss.detach(), "sure": on_real.detach().sign().mean()}
    if penal:
        penalty = real_gradient_penalty(judge, real[: config.samples])
        loss = loss + penalty * (config.r1 / 2 * config.r1_every)
        terms["r1"] = penalty.detach()
    _update(run.judging, loss, config.judge_lr * share_at(run.step, config), config.clip)
    told = _numbers(terms)
    direction = 1 if told["sure"] > config.augment_target else -1
    share = run.changed + direction * config.batch / config.augment_pictures
    run.changed = min(config.augment_most, max(0.0, share))
    return told | {"changed": run.changed}


def _invented(run: Run, ws: Tensor, rng: torch.Generator) -> Tensor:
    """Codes of nobody [samples, num_ws, w_dim]: most are random, some lie between two real faces' codes ws."""
    config = run.config
    mixed = min(round(config.between * config.samples), len(ws))
    psi = 1 - 0.4 * torch.rand(config.samples - mixed, 1, generator=rng, device=ws.device)  # as people will sample
    others = ws[torch.randperm(len(ws), generator=rng, device=ws.device)[:mixed]]
    share = torch.rand(mixed, 1, 1, generator=rng, device=ws.device)
    return torch.cat([run.codes(len(psi), rng, psi=psi), ws[:mixed].lerp(others, share)])


def _numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    """One transfer for all of them: each would make a GPU wait."""
    values = torch.stack([term.detach().float() for term in terms.values()]).tolist()
    return dict(zip(terms, values, strict=True))


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimiser.param_groups:
        group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(group["params"], clip)
    optimiser.step()


def look(run: Run, seen: Tensor, path: Path) -> float:
    """Save held-out faces [n, 3, 128, 128], their redrawings and samples at psi 0.7; the held-out PSNR in dB."""
    with torch.no_grad():
        encoder = run.ema.encoder
        assert encoder is not None
        redrawn = torch.cat([run.ema.synthesis(encoder(part)) for part in torch.split(seen, 32)]).clamp(-1, 1)
        seen = F.adaptive_avg_pool2d(seen, run.spec.resolution)
        codes = run.codes(2 * len(seen[:16]), torch.Generator(run.device).manual_seed(1), psi=0.7)
        sampled = run.ema.synthesis(codes).clamp(-1, 1)
    rows = [seen[:16], redrawn[:16], *torch.chunk(sampled, 2)]
    picture = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    return float(-10 * ((redrawn - seen).square().mean(dim=(1, 2, 3)) / 4).log10().mean())


def train(run: Run, training: Faces, seen: Tensor, work: Path, *, notes: dict[str, str]) -> None:
    """Run to the configured number of steps; every 100 steps a line and a saved state, every 500 a picture.

    Where both encoder and synthesis learn, mapping network and statistics follow the encoder every SETTLE_EVERY steps
    and at the end: it takes a look at every face. Where one rests, random faces stay where they are drawn best, until
    `training.prior` learns them anew.
    """
    begin, config = time.monotonic(), run.config
    while run.step < config.steps:
        if run.step % SETTLE_EVERY == 0 and config.learns == "both":
            settle(run, training)
        terms = train_step(run, training, run.rng())
        run.follow()
        run.step += 1
        if run.step % TELL_EVERY == 0 or run.step == config.steps:
            if run.step == config.steps and config.learns == "both":
                settle(run, training)
            run.save(work / "state.safetensors")
            picture = work / f"look_{run.step // LOOK_EVERY * LOOK_EVERY:06d}.png"
            terms["held_out_psnr"] = look(run, seen, picture)
            line = {"step": run.step, "seconds": round(time.monotonic() - begin), **terms}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            write_generator(work / "generator.safetensors", run.result(), half=True, notes=notes)


def configured(settings: Sequence[str], *, steps: int, seed: int) -> TrainConfig:
    """The recipe with some dials set, each as NAME=VALUE.

    Raises: SystemExit for a dial that is none, or another kind of value.
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
            raise SystemExit(f"--set {setting}: needed a value of the kind of {getattr(config, name)}") from None
        config = replace(config, **{name: value})
    if config.learns not in LEARNERS:
        raise SystemExit(f"--set learns={config.learns}: needed one of {', '.join(LEARNERS)}")
    return config


def from_generators(starts: Sequence[str]) -> bool:
    """Whether a run begins with generator files of ours, neither with nothing nor with linear codes."""
    return bool(starts) and starts != ["components"] and "spec" in read_header(Path(starts[0]))[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", nargs=3, action="append", required=True, metavar=("DIR", "CSV", "WEIGHT"))
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument(
        "--start", nargs="+", default=[], help="'components', a decoder of linear codes, or generator files of ours"
    )
    parser.add_argument("--size", choices=list(ANATOMIES), default="small")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another dial of the recipe")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    config = configured(arguments.set, steps=arguments.steps, seed=arguments.seed)
    run = Run(ANATOMIES[arguments.size], config, device=resolve_device(arguments.device))
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    training, held_out = split(faces, read_held_out(arguments.held_out))
    shown = held_out.pixels[:: max(1, len(held_out) // SEEN)][:SEEN]
    seen = (shown.float() / 127.5 - 1).to(run.device)
    state = arguments.work / "state.safetensors"
    if config.learns != "both" and not (state.exists() or from_generators(arguments.start)):
        raise SystemExit(f"--set learns={config.learns} rests on what a generator file knows; name one with --start")
    if state.exists():
        run.restore(state)
    elif arguments.start == ["components"]:
        start_from_components(run, training)
    elif from_generators(arguments.start):
        start_from_generators(run, [Path(start) for start in arguments.start])
    elif arguments.start:
        start_from_decoder(run, Path(arguments.start[0]), training)
    notes = {"data_sha256": faces.sha256, "training": json.dumps(asdict(config)), "pictures": str(len(training))}
    train(run, training.to(run.device), seen, arguments.work, notes=notes)


if __name__ == "__main__":
    main()
