"""A small labelled world in W+ for all tests of this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from toy import Toy, toy

from emogan_core.expressions import ExpressionAxes, fit_expressions
from emogan_core.latents import Latent

FINGERPRINT = "f" * 64
NUM_WS = 4


@dataclass(frozen=True)
class World:
    """Latents with labels, people, a pose, and the truth they were made from."""

    toy: Toy
    latents: Latent
    labels: tuple[str, ...]
    people: tuple[str, ...]
    covariates: dict[str, tuple[float, ...]]


def world_from(made: Toy) -> World:
    ws = torch.from_numpy(made.X).unsqueeze(1).expand(-1, NUM_WS, -1)  # [n, num_ws, w_dim]
    return World(
        toy=made,
        latents=Latent(ws, FINGERPRINT),
        labels=made.labels,
        people=tuple(f"person {index}" for index in made.people),
        covariates={"yaw_deg": tuple(made.covariate[:, 0])},
    )


@pytest.fixture(scope="session")
def world() -> World:
    return world_from(toy(np.random.default_rng(7), people=200, pictures=3, dims=8))


@pytest.fixture(scope="session")
def axes(world: World) -> ExpressionAxes:
    return fit_expressions(world.latents, world.labels, people=world.people, covariates=world.covariates)
