"""Fixtures shared by all rooms' tests."""

from __future__ import annotations

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
