"""Has the generator memorised people? Samples beside their nearest training faces.

python -m emogan_core.training.neighbours --faces press/ press.csv 1 --generator FILE -o SHEET.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..checkpoints import load_generator
from ..networks.sampling import sampled
from .data import read_faces

SIDE = 32  # similarity is measured on small, contrast-normalised pictures, regardless of light and grain


def signature(images: Tensor) -> Tensor:
    """[n, d] of unit length: small pictures without their mean and contrast."""
    small = F.adaptive_avg_pool2d(images, SIDE).flatten(1)
    return F.normalize(small - small.mean(1, keepdim=True), dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", nargs=3, action="append", required=True, metavar=("DIR", "CSV", "WEIGHT"))
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--class", type=int, dest="label", help="for a generator with classes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    faces = read_faces([(Path(folder), Path(table), float(weight)) for folder, table, weight in arguments.faces])
    generator = load_generator(arguments.generator)
    side = generator.spec.resolution
    latent = sampled(generator, 16, psi=0.7, seed=arguments.seed, label=arguments.label)
    drawn = generator.synthesis(latent.ws).clamp(-1, 1)
    real = F.adaptive_avg_pool2d(faces.pixels.float() / 127.5 - 1, side)
    training = signature(real)
    similarity = signature(drawn) @ training.T  # [16, n]
    nearest = similarity.topk(4, dim=1)
    among = torch.topk(training[:: max(1, len(training) // 500)] @ training.T, 2, dim=1).values[:, 1]
    print(
        f"similarity of samples to their nearest face: mean {nearest.values[:, 0].mean():.3f}, max {nearest.values.max():.3f}"
    )
    print(f"similarity of training faces to their nearest other face: mean {among.mean():.3f}, max {among.max():.3f}")
    rows = [torch.cat([drawn[i], *real[nearest.indices[i]]], dim=2) for i in range(16)]
    sheet = torch.cat([torch.cat(rows[:8], dim=1), torch.cat(rows[8:], dim=1)], dim=2)
    pixels = ((sheet + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(arguments.out)


if __name__ == "__main__":
    main()
