"""The recipe of the net that finds the rims of glasses.

    python -m emogan_core.training.rims DATA HELD_OUT GLASSES OUT [STEPS]

It learns from glasses drawn on training people who wear none (GLASSES lists those who do). From what probability on pixels
are taken for rims stands in `compose/glasses.py`.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..compose.glasses import FORMAT, WIDE, eyes_picture, standardised
from ..images import Photo
from ..networks.rims import RIM_HEIGHT, RIM_WIDTH, RimNet
from ..weights import write_tensors
from .data import read_held_out
from .drawn_glasses import with_glasses
from .labelled_fits import LANDMARK_STEPS
from .landmark_runs import held_out, lr_at
from .mouth_look import LANDMARKS, SETS, people_of

Array = NDArray[np.float64]
Rng = np.random.Generator

READ = {"press": 288, "studio": 121, "congress": 517}  # of which GLASSES says who wears some
TIMES = {"press": 2, "studio": 4, "congress": 3}  # pictures with glasses drawn on each
PLAIN = 1  # pictures without, likewise
BATCH, RATE = 16, 2e-3
RIM_WEIGHT = 2.0  # of a rim's pixel in the loss, against one of skin
LICENCE = "Apache-2.0 as part of this project; fitted on the press, studio and Congress faces (see MODEL_CARD.md)"


def read_eyes(data: Path, held_out_list: Path, glasses: Path, *, test: bool = False) -> dict[str, list[Array]]:
    """Pictures of the eyes of people without glasses, [RIM_HEIGHT, RIM_WIDTH, 3] in 0..255, by set: those to train on, or
    of those kept for testing."""
    names, found = read_held_out(held_out_list), {}
    with glasses.open(newline="", encoding="utf-8") as lines:
        left_out = {row["file"] for row in csv.DictReader(line for line in lines if not line.startswith("#"))}
    for kind, archive in SETS.items():
        stored = np.load(data / LANDMARKS[kind])
        files, landmarks = stored["files"].tolist(), stored["landmarks"]
        people = people_of(data / f"{kind}_faces.csv")
        order = np.random.default_rng(0).permutation(len(files))
        own = [row for row in order if (people[files[row]] in names or held_out(people[files[row]])) == test]
        with zipfile.ZipFile(data / archive) as pictures:
            where = {Path(name).name: name for name in pictures.namelist()}
            found[kind] = [
                eyes_picture(Photo(_pixels(pictures.read(where[files[row]]))), landmarks[row, :, :2] / LANDMARK_STEPS)
                for row in own[: READ[kind]]
                if files[row] not in left_out
            ]
    return found


def _pixels(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def drawn(eyes: dict[str, list[Array]], rng: Rng) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures [n, h, w, 3] with and without glasses, in 0..255, and what of them are rims, [n, h, w] in 0..255."""
    pictures, rims = [], []
    for kind, own in eyes.items():
        for picture in own:
            for turn in range(PLAIN + TIMES[kind]):
                moved = _moved(picture, rng)
                seen, rim = with_glasses(moved, RIM_WIDTH / WIDE, rng) if turn >= PLAIN else (moved, 0 * moved[..., 0])
                pictures.append(_photographed(seen, rng))
                rims.append((rim * 255).astype(np.uint8))
    return np.stack(pictures), np.stack(rims)


def _moved(picture: Array, rng: Rng) -> Array:
    """Somebody's eyes a little smaller, larger, turned and elsewhere, as landmarks err."""
    size, turn = rng.normal(1, 0.04), rng.normal(0, 0.03)
    rows, columns = np.mgrid[:RIM_HEIGHT, :RIM_WIDTH].astype(np.float64)
    y, x = (rows - RIM_HEIGHT / 2) * size, (columns - RIM_WIDTH / 2) * size * rng.choice((-1, 1))
    at = (
        y * np.cos(turn) + x * np.sin(turn) + RIM_HEIGHT / 2 + rng.normal(0, 1.5),
        x * np.cos(turn) - y * np.sin(turn) + RIM_WIDTH / 2 + rng.normal(0, 1.5),
    )
    return np.stack([ndimage.map_coordinates(picture[..., c], at, order=1, mode="reflect") for c in range(3)], -1)


def _photographed(picture: Array, rng: Rng) -> NDArray[np.uint8]:
    """A picture in another light and quality."""
    result = ndimage.gaussian_filter(picture, (*[max(rng.normal(0.2, 0.6), 0.0)] * 2, 0))
    if rng.random() < 0.3:
        result = result.mean(2, keepdims=True) * (1 + rng.normal(0, 0.05, 3) * (rng.random() < 0.5))
    slope = np.linspace(-1, 1, RIM_WIDTH)[:, None] * rng.normal(0, 0.15)
    result = 255 * (np.clip(result, 0, 255) / 255) ** rng.uniform(0.7, 1.5) * rng.uniform(0.4, 1.15) * (1 + slope)
    result = np.clip(result * (1 + rng.normal(0, 0.04, 3)) + rng.normal(0, rng.uniform(0, 5), result.shape), 0, 255)
    if rng.random() < 0.4:
        held = io.BytesIO()
        Image.fromarray(result.astype(np.uint8)).save(held, "JPEG", quality=int(rng.integers(40, 96)))
        result = np.asarray(Image.open(held), dtype=np.float64)
    return np.asarray(result.round(), dtype=np.uint8)


def trained(
    pictures: NDArray[np.uint8],
    rims: NDArray[np.uint8],
    *,
    steps: int,
    rng: torch.Generator,
    each: Callable[[int, float, RimNet], None] = lambda *_: None,
) -> RimNet:
    """A net after so many steps; `each` is told the step, its loss and the net."""
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(1 << 31, (1,), generator=rng)))
        net = RimNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-3)
    for step in range(steps):
        which = torch.randint(len(pictures), (BATCH,), generator=rng).numpy()
        seen = standardised(pictures[which].astype(np.float64))
        wanted = torch.from_numpy(rims[which]).float() / 255
        if torch.rand((), generator=rng) < 0.5:
            seen, wanted = seen.flip(-1), wanted.flip(-1)
        with torch.autocast("cpu", torch.bfloat16):
            said = net(seen)
        said = said.float()
        loss = F.binary_cross_entropy_with_logits(said, wanted, weight=1 + (RIM_WEIGHT - 1) * wanted)
        share = torch.sigmoid(said)
        loss = loss + 0.2 * (1 - (2 * (share * wanted).sum() + 1) / ((share + wanted).sum() + 1))
        for group in optimiser.param_groups:
            group["lr"] = lr_at(step, lr=RATE, steps=steps)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        each(step, loss.item(), net)
    return net.eval()


def _tell(step: int, loss: float, net: RimNet) -> None:
    if step % 50 == 0:
        print(f"step {step}: {loss:.4f}", flush=True)


def main(arguments: Sequence[str]) -> None:
    data, held_out_list, glasses, out = (Path(word) for word in arguments[:4])
    steps = int(arguments[4]) if len(arguments) > 4 else 1000
    eyes = read_eyes(data, held_out_list, glasses)
    pictures, rims = drawn(eyes, np.random.default_rng(0))
    print(f"{len(pictures)} pictures of {sum(map(len, eyes.values()))} faces", flush=True)
    net = trained(pictures, rims, steps=steps, rng=torch.Generator().manual_seed(0), each=_tell)
    tensors = {name: value.half() for name, value in net.state_dict().items() if value.is_floating_point()}
    write_tensors(out, tensors, {"format": FORMAT, "licence": LICENCE})


if __name__ == "__main__":
    main(sys.argv[1:])
