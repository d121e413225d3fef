"""What `emogan train-encoder` asks about a training."""

from __future__ import annotations

from argparse import ArgumentParser

from .argument_types import place


def add_training_arguments(train: ArgumentParser) -> None:
    """How long, and on what beside the generator's samples."""
    train.description = (
        "Train an encoder for a generator on its own samples. Ctrl-C stops it; the same command goes on."
    )
    train.add_argument("--minutes", type=float, metavar="M", help="how long, all runs together (default 60)")
    train.add_argument("--steps", type=int, metavar="N", help="instead of minutes: how many steps, all runs together")
    train.add_argument("--photos", type=place, metavar="DIR", help="photos with faces, to learn how photos look")
    train.add_argument("--again", action="store_true", help="train another encoder where the generator has one already")
