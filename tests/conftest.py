"""Fixtures that all tests share."""

from __future__ import annotations

import pytest
import torch
from tiny import make_generator

from emogan_core.networks import Generator

torch.set_num_threads(1)  # the networks here are tiny: threads would only wait for each other


@pytest.fixture(scope="session")
def tiny() -> Generator:
    return make_generator()


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(1234)
