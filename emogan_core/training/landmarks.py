"""How builtin/landmarks.safetensors was made: `python -m emogan_core.training.landmarks --faces DIR ... --labels CSV ...`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from PIL import Image

from ..devices import gradients_allowed, gradients_off, rng_from_seed
from ..networks.landmarks import INPUT_SIZE, LandmarkNet, LandmarkPrediction, mirrored_average
from ..weights import read_tensors, write_tensors
from .landmark_runs import (
    command_of,
    held_out,
    in_half_precision,
    lr_at,
    restore_state,
    save_state,
    step_rng,
    with_command,
)
from .landmark_views import FaceTable, ViewConfig, Views, draw_views

STORED = 64  # px; faces are 32 to 61 px wide in the views
TEXTURES = ("brick", "chelsea", "coffee", "coins", "grass", "gravel", "hubble_deep_field", "page", "rocket", "text")
NAMES = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
ATTRIBUTION = (
    "Trained on: Face Research Lab London Set (DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666, CC BY 4.0); "
    "Canada set (doi 10.6084/m9.figshare.4220517, CC BY 4.0); muxspace/facial_expressions (repository Apache-2.0; "
    "news photographs of people who did not consent), landmarks and angles estimated by MediaPipe; "
    "backgrounds from scikit-image's sample pictures (public domain or CC0)."
)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run; `repeat_small` weights faces of the smaller sets against those of the largest."""

    steps: int = 3600
    batch: int = 64
    lr: float = 2e-3
    weight_decay: float = 1e-3
    repeat_small: int = 6
    seed: int = 0
    save_every: int = 300


def read_faces(folder: Path, labels: Path, *, test: bool) -> tuple[FaceTable, str]:
    """The training or test people of one face set, and a hash of its table and of every picture."""
    digest = hashlib.sha256(labels.read_bytes())
    images, points, angles = [], [], []
    with labels.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            content = (folder / row["file"]).read_bytes()
            digest.update(content)
            if held_out(row["person"]) != test:
                continue
            with Image.open(folder / row["file"]) as image:
                side = image.width
                images.append(np.array(image.convert("RGB").resize((STORED, STORED), Image.Resampling.BOX)))
            points.append([[float(row[f"{name}_{axis}"]) / side for axis in "xy"] for name in NAMES])
            angles.append([float(row["yaw_deg"]), float(row["pitch_deg"])])
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return FaceTable(stacked, torch.tensor(points), torch.tensor(angles)), digest.hexdigest()


def read_textures(*, rng: torch.Generator, count: int = 600) -> torch.Tensor:
    """Squares [count, 3, 64, 64] uint8 that hold no human face: from scikit-image's own pictures, and clouds."""
    pictures = [np.asarray(Image.fromarray(getattr(skimage.data, name)()).convert("RGB")) for name in TEXTURES]
    squares = []
    for index in range(count):
        if index % 3 == 2:
            waves = torch.zeros(3, STORED, STORED)
            for cells in (2, 3, 6, 12, 24, 48):
                rough = torch.randn(1, 3, cells, cells, generator=rng) / cells ** float(torch.rand(1, generator=rng))
                waves += F.interpolate(rough, size=(STORED, STORED), mode="bicubic")[0]
            squares.append(((waves - waves.mean()) / waves.std() * 55 + 128).clamp(0, 255).byte())
            continue
        picture = pictures[int(torch.randint(len(pictures), (1,), generator=rng))]
        limit = min(picture.shape[:2])
        side = int(40 + (limit - 40) * float(torch.rand(1, generator=rng)))
        top = int(torch.randint(picture.shape[0] - side + 1, (1,), generator=rng))
        left = int(torch.randint(picture.shape[1] - side + 1, (1,), generator=rng))
        square = Image.fromarray(picture[top : top + side, left : left + side]).resize((STORED, STORED))
        squares.append(torch.from_numpy(np.array(square)).permute(2, 0, 1))
    return torch.stack(squares)


def loss_of(prediction: LandmarkPrediction, views: Views) -> tuple[torch.Tensor, dict[str, float]]:
    """Training loss, and its terms; points and angles count on faces only."""
    real = views.is_face
    error = (prediction.landmarks[real] - views.landmarks[real]) / views.face_px[real, None, None]
    points = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.01)
    target = torch.stack([views.angles_deg[real, 0], views.angles_deg[real, 1]], dim=-1)
    angles = torch.stack([prediction.yaw_deg[real], prediction.pitch_deg[real]], dim=-1)
    pose = F.smooth_l1_loss(angles / 30, target / 30, beta=0.1)
    cells = prediction.heatmaps.shape[-1]
    centres = (torch.arange(cells) + 0.5) * (INPUT_SIZE / cells)
    squared = (centres - views.landmarks[real][..., None]) ** 2  # [f, 5, 2, cells]
    gaussians = torch.exp(-(squared[:, :, 0, None, :] + squared[:, :, 1, :, None]) / (2 * 2.0**2))
    gaussians = gaussians / gaussians.sum((2, 3), keepdim=True).clamp(min=1e-6)
    heatmaps = -(gaussians * prediction.heatmaps[real].clamp(min=1e-9).log()).sum((2, 3)).mean()
    faceness = F.binary_cross_entropy_with_logits(prediction.logit, real.float())
    loss = 10 * points + pose + 0.02 * heatmaps + 0.5 * faceness
    return loss, {
        "points": points.item(),
        "pose": pose.item(),
        "heatmaps": heatmaps.item(),
        "faceness": faceness.item(),
    }


def train(
    faces: Sequence[FaceTable],
    *,
    config: TrainConfig,
    state: Path,
    start: dict[str, torch.Tensor] | None = None,
    command: str = "",
) -> tuple[LandmarkNet, str]:
    """Train, saving `state` regularly; a run that finds its state resumes from there and ends the same.

    The pictures of step s depend on (seed, s) alone. Returns the net and the history of commands.
    """
    with gradients_allowed():
        torch.manual_seed(config.seed)  # initial weights only: nn.Module offers no other way in
        net: LandmarkNet = LandmarkNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            net.load_state_dict(start)
        optimiser = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        first, history = restore_state(state, net, optimiser)
        history = with_command(history, command, step=first)
        textures = read_textures(rng=rng_from_seed(config.seed))
        merged = FaceTable(
            torch.cat([t.images for t in faces]),
            torch.cat([t.landmarks for t in faces]),
            torch.cat([t.angles_deg for t in faces]),
        )
        largest = max(len(table.images) for table in faces)
        shares = [1.0 if len(t.images) == largest else float(config.repeat_small) for t in faces]
        odds = torch.cat([torch.full((len(t.images),), share) for t, share in zip(faces, shares, strict=True)])
        began = time.monotonic()
        for step in range(first, config.steps):
            rng = step_rng(config.seed, step)
            rows = torch.multinomial(odds, config.batch, replacement=True, generator=rng)
            views = draw_views(merged, textures, rows, config=ViewConfig(), rng=rng)
            for group in optimiser.param_groups:
                group["lr"] = lr_at(step, lr=config.lr, steps=config.steps)
            loss, parts = loss_of(net(views.images.contiguous(memory_format=torch.channels_last)), views)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                save_state(state, net, optimiser, {"step": str(step + 1), "history": history})
                shown = "  ".join(f"{name} {value:.4f}" for name, value in parts.items())
                print(f"step {step + 1}/{config.steps}  {time.monotonic() - began:.0f} s  {shown}", flush=True)
    return net.eval(), history


def held_out_figures(net: LandmarkNet, faces: FaceTable, *, rounds: int = 8) -> dict[str, float]:
    """Errors on faces framed as in the net's second pass: points in percent of the eye distance, angles in degrees."""
    config = ViewConfig(side=(1.25, 1.35), shift=0.03, rotated_far=0.0, gray=0.0, jpeg=0.0, photographed=False)
    sums = dict.fromkeys(("points_percent", "eyes_percent", "yaw_deg", "pitch_deg", "wrong_percent"), 0.0)
    with gradients_off():
        textures = read_textures(rng=rng_from_seed(1), count=200)
        for turn in range(rounds):
            views = draw_views(faces, textures, torch.arange(len(faces.images)), config=config, rng=rng_from_seed(turn))
            predicted = mirrored_average(net(views.images), net(views.images.flip(3)))
            real = views.is_face
            eye_distance = (views.landmarks[real, 1] - views.landmarks[real, 0]).norm(dim=-1, keepdim=True)
            error = 100 * (predicted.landmarks[real] - views.landmarks[real]).norm(dim=-1) / eye_distance  # [f, 5]
            sums["points_percent"] += error.mean().item()
            sums["eyes_percent"] += error[:, :2].mean().item()
            sums["yaw_deg"] += (predicted.yaw_deg[real] - views.angles_deg[real, 0]).abs().mean().item()
            sums["pitch_deg"] += (predicted.pitch_deg[real] - views.angles_deg[real, 1]).abs().mean().item()
            sums["wrong_percent"] += 100 * ((predicted.logit > 0) != real).float().mean().item()
    return {name: round(total / rounds, 3) for name, total in sums.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, and write the shipped file."""
    parser = argparse.ArgumentParser(prog="python -m emogan_core.training.landmarks", description=__doc__)
    parser.add_argument("--faces", type=Path, nargs="+", required=True, help="folders of tight square crops")
    parser.add_argument("--labels", type=Path, nargs="+", required=True, help="one table per folder")
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--state", type=Path, required=True, help="where to keep, and find, an unfinished run")
    parser.add_argument("--start", type=Path, help="weights to start from, e.g. the shipped ones")
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=TrainConfig().seed)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    tables, hashes = zip(
        *(read_faces(f, l, test=False) for f, l in zip(given.faces, given.labels, strict=True)), strict=True
    )
    for labels, digest in zip(given.labels, hashes, strict=True):
        print(f"{labels.name}  sha256 of table and pictures {digest}")
    start = read_tensors(given.start)[0] if given.start else None
    command = command_of("landmarks", arguments or sys.argv[1:])
    config = TrainConfig(steps=given.steps, seed=given.seed)
    net, history = train(tables, config=config, state=given.state, start=start, command=command)
    figures = []
    for folder, labels in zip(given.faces, given.labels, strict=True):
        errors = held_out_figures(net, read_faces(folder, labels, test=True)[0])
        figures.append(f"{labels.name}: " + ", ".join(f"{name} {value}" for name, value in errors.items()))
        print(figures[-1])
    metadata = {
        "what": "EmotionGAN landmark net: 64 px face crop to five landmarks, yaw, pitch, face or not",
        "licence": "Apache-2.0",
        "attribution": ATTRIBUTION,
        "command": history,
        "data_sha256": " ".join(f"{l.name}:{h}" for l, h in zip(given.labels, hashes, strict=True)),
        "held_out": "people whose name's SHA-256 begins with a byte below 26; " + "; ".join(figures),
    }
    write_tensors(given.output, in_half_precision(net), metadata)


if __name__ == "__main__":
    main()
