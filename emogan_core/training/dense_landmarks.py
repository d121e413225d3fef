"""How builtin/dense_landmarks.safetensors was made: `python -m emogan_core.training.dense_landmarks DATA OUT`."""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from ..checkpoints.known import sha256_of
from ..devices import gradients_allowed, gradients_off, rng_from_seed
from ..networks.dense_landmarks import FIVE, DenseLandmarkNet, Regressor
from ..weights import write_tensors
from .data import read_held_out
from .dense_views import (
    DenseTable,
    DenseViews,
    Draw,
    MeanFace,
    ViewConfig,
    draw_eyes,
    draw_faces,
    draw_lips,
    read_table,
    tight_frames,
)
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

FILES = (
    *("press_faces_128.zip", "press_faces.csv", "press_landmarks.npz"),
    *("congress_faces_384.zip", "congress_faces.csv", "congress_landmarks.npz"),
    *("studio_originals.zip", "studio_faces.csv", "studio_originals_landmarks.npz"),
)
EPSILON = 0.002  # eye distances: below it the loss is quadratic
ATTRIBUTION = (
    "Trained on: Face Research Lab London Set (DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666, CC BY 4.0); "
    "Canada set (doi 10.6084/m9.figshare.4220517, CC BY 4.0); muxspace/facial_expressions (repository Apache-2.0; "
    "news photographs of people who did not consent); official portraits of members of the US Congress "
    "(jforms/images, public domain or CC0; people who did not consent to this use). "
    "All points estimated by MediaPipe's face landmarker (Apache-2.0)."
)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run; `shares` are the numbers of press, Congress and studio faces in a batch."""

    steps: int = 2200
    shares: tuple[int, int, int] = (38, 14, 12)
    lr: float = 2e-3
    weight_decay: float = 2e-3
    ema: float = 0.998
    seed: int = 0
    save_every: int = 250


def read_faces(data: Path, held_out_list: Path, *, test: bool) -> tuple[DenseTable, DenseTable, DenseTable]:
    """Press, Congress and studio faces of the people to train on, or of those kept for testing."""
    out = read_held_out(held_out_list)
    press = read_table(
        data / "press_faces_128.zip", data / "press_landmarks.npz", _people(data / "press_faces.csv"), side=128
    )
    congress = read_table(
        data / "congress_faces_384.zip", data / "congress_landmarks.npz", _people(data / "congress_faces.csv"), side=192
    )
    studio = read_table(
        data / "studio_originals.zip",
        data / "studio_originals_landmarks.npz",
        _people(data / "studio_faces.csv"),
        side=288,
        context=1.7,
    )

    def kept(table: DenseTable) -> DenseTable:
        return table.rows(torch.tensor([(name in out or held_out(name)) == test for name in table.people]))

    return kept(press), kept(congress), kept(studio)


def _people(table: Path) -> dict[str, str]:
    with table.open(newline="", encoding="utf-8") as lines:
        return {row["file"]: row["person"] for row in csv.DictReader(lines)}


def mean_face(tables: Sequence[DenseTable]) -> MeanFace:
    """The symmetric mean face of all tables, and the order of its points in the mirror image.

    Raises: ValueError when matching the mean face with its mirror image pairs some points only one way.
    """
    places = []
    for table in tables:
        centre, edge = tight_frames(table.points[:, list(FIVE)])
        places.append((table.points - centre[:, None]) / edge[:, None])
    mean = torch.cat(places).mean(0).numpy()
    _, order = linear_sum_assignment(np.abs(-mean.conj()[:, None] - mean[None]) ** 2)
    if not (order[order] == np.arange(len(mean))).all():
        raise ValueError("the mean face of these faces is too asymmetric to pair its points; give more faces")
    mean = (mean - mean.conj()[order]) / 2 + complex(0.5, 0.5)
    shape = torch.from_numpy(np.stack([mean.real, mean.imag], axis=1).astype(np.float32))
    return MeanFace(shape, torch.from_numpy(order.astype(np.int64)))


def start_at_shapes(net: Regressor, points: torch.Tensor) -> None:
    """Set the last layer to the mean and the principal components of points [n, p, 2] in 0..1 of views."""
    flat = points.flatten(1)
    mean = flat.mean(0)
    _, strengths, basis = torch.linalg.svd(flat - mean, full_matrices=False)
    count = min(net.shape.in_features, len(strengths))
    with gradients_off():
        net.shape.bias.copy_(mean)
        net.shape.weight.zero_()
        net.shape.weight[:, :count] = (basis[:count] * strengths[:count, None] / math.sqrt(len(flat))).T


def loss_of(predicted: torch.Tensor, views: DenseViews) -> torch.Tensor:
    """Mean distance in units of the eye distance, quadratic near zero."""
    error = (predicted - views.points) / views.eye_distance[:, None, None]
    return (error.square().sum(-1) + EPSILON**2).sqrt().mean()


def draw_batch(
    draw: Draw, tables: Sequence[DenseTable], net: DenseLandmarkNet, *, shares: Sequence[int], rng: torch.Generator
) -> DenseViews:
    """One batch of one kind of view, with the share of every table."""
    parts = []
    for table, share in zip(tables, shares, strict=True):
        rows = torch.randint(len(table.people), (share,), generator=rng)
        parts.append(draw(table, rows, MeanFace(net.mean_shape, net.mirror_order), config=ViewConfig(), rng=rng))
    return DenseViews(
        torch.cat([part.images for part in parts]),
        torch.cat([part.points for part in parts]),
        torch.cat([part.eye_distance for part in parts]),
    )


def new_net(tables: Sequence[DenseTable], config: TrainConfig) -> DenseLandmarkNet:
    """A net initialised with the mean shapes and their principal components."""
    torch.manual_seed(config.seed)  # initial weights only: nn.Module offers no other way in
    net = DenseLandmarkNet()
    mean = mean_face(tables)
    net.mean_shape, net.mirror_order = mean.shape, mean.mirror_order
    rng = rng_from_seed(config.seed)
    shares = [16 * share for share in config.shares]
    for regressor, draw in _kinds(net):
        start_at_shapes(regressor, draw_batch(draw, tables, net, shares=shares, rng=rng).points)
    return net


def _kinds(net: DenseLandmarkNet) -> tuple[tuple[Regressor, Draw], ...]:
    return (net.face, draw_faces), (net.eye, draw_eyes), (net.lips, draw_lips)


def train(
    tables: Sequence[DenseTable], *, config: TrainConfig, state: Path, command: str = ""
) -> tuple[DenseLandmarkNet, str]:
    """Train, saving `state` regularly; a run that finds its state resumes from there and ends the same.

    The pictures of step s depend on (seed, s) alone. Returns the averaged net and the history of commands.
    """
    with gradients_allowed():
        net = new_net(tables, config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        averaged = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        optimiser = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        first, history = restore_state(state, net, optimiser, averaged=averaged)
        history = with_command(history, command, step=first)
        began, sums = time.monotonic(), torch.zeros(3)
        for step in range(first, config.steps):
            rng = step_rng(config.seed, step)
            for group in optimiser.param_groups:
                group["lr"] = lr_at(step, lr=config.lr, steps=config.steps)
            optimiser.zero_grad()
            for index, kind in enumerate(_kinds(net)):
                if index == 0 or step % 2 == index - 1:  # eyes and lips, which converge faster, alternate
                    loss = _loss(net, kind, tables, config, rng)
                    loss.backward()  # type: ignore[no-untyped-call]
                    sums[index] += loss.detach() * (1 if index == 0 else 2)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            _update_ema(averaged, net, min(config.ema, (step + 1) / (step + 10)))
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                save_state(state, net, optimiser, {"step": str(step + 1), "history": history}, averaged=averaged)
                count = step % config.save_every + 1
                shown = "  ".join(f"{100 * value / count:.2f}" for value in sums.tolist())
                print(f"step {step + 1}/{config.steps}  {time.monotonic() - began:.0f} s  percent {shown}", flush=True)
                sums.zero_()
        net.load_state_dict(averaged)
    return net.eval(), history


def _loss(
    net: DenseLandmarkNet,
    kind: tuple[Regressor, Draw],
    tables: Sequence[DenseTable],
    config: TrainConfig,
    rng: torch.Generator,
) -> torch.Tensor:
    regressor, draw = kind
    views = draw_batch(draw, tables, net, shares=config.shares, rng=rng)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predicted = regressor(views.images)
    return loss_of(predicted, views)


def _update_ema(averaged: dict[str, torch.Tensor], net: DenseLandmarkNet, decay: float) -> None:
    with gradients_off():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point():
                averaged[name].lerp_(tensor, 1 - decay)
            else:
                averaged[name].copy_(tensor)


def write_net(path: Path, net: DenseLandmarkNet, *, history: str, digest: str) -> None:
    """The file that ships: half precision, with its provenance."""
    metadata = {
        "what": "EmotionGAN dense landmark net: 478 points of a face from a coarse view and closer ones of eyes and lips",
        "licence": "Apache-2.0",
        "attribution": ATTRIBUTION,
        "command": history,
        "data_sha256": digest,
        "held_out": "benchmarks/held_out_people.txt, and people whose name's SHA-256 begins with a byte below 26",
    }
    write_tensors(path, in_half_precision(net), metadata)


def data_sha256(data: Path) -> str:
    """One line of the hashes of all files that were read."""
    return " ".join(f"{file}:{sha256_of(data / file)}" for file in FILES)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, and write the shipped file; the state of an interrupted run is beside OUT."""
    parser = argparse.ArgumentParser(prog="python -m emogan_core.training.dense_landmarks", description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the archives, tables and landmarks")
    parser.add_argument("out", type=Path, help="the .safetensors file to write")
    parser.add_argument("--held-out", type=Path, default=Path("benchmarks/held_out_people.txt"))
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=TrainConfig().seed)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    tables = read_faces(given.data, given.held_out, test=False)
    print("faces to train on:", *(len(table.people) for table in tables), flush=True)
    command = command_of("dense_landmarks", arguments or sys.argv[1:])
    config = TrainConfig(steps=given.steps, seed=given.seed)
    state = given.out.with_suffix(".state.safetensors")
    net, history = train(tables, config=config, state=state, command=command)
    write_net(given.out, net, history=history, digest=data_sha256(given.data))


if __name__ == "__main__":
    main()
