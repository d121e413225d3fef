"""Fixtures that all tests share."""

from __future__ import annotations

import os

# The networks here are tiny: threads would only wait for each other, and for those of the other worker. Set before torch
# reads it, and for every process that a test starts.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
from tiny import make_generator

from emogan_core.networks import Generator


@pytest.fixture(scope="session")
def tiny() -> Generator:
    return make_generator()


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(1234)
