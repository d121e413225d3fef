"""Simulated latents with known truth: people, one expression, a confound, and what each moves in latent space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emogan_core.glm import Array, Index


@dataclass(frozen=True, slots=True)
class Toy:
    """Latents of people seen neutral and with an expression, and the directions that made them.

    Convention: X [n, d]; labels [n] of 'neutral' and 'smile'; people [n]; covariate [n, 1] (a pose);
    `truth` [d] is the smile's step, `pose` [d] the pose's, `trait` [d] the lasting trait that smilers share.
    """

    X: Array
    labels: tuple[str, ...]
    people: Index
    covariate: Array
    truth: Array
    pose: Array
    trait: Array


def toy(
    rng: np.random.Generator,
    *,
    people: int = 300,
    pictures: int = 2,
    dims: int = 12,
    noise: float = 0.4,
    trait_pull: float = 1.5,
    pose_pull: float = 1.0,
) -> Toy:
    """Simulate latents in which smiling goes with a trait of the person and with the pose, so naive means are wrong."""
    axes = np.linalg.qr(rng.normal(size=(dims, 3)))[0]  # [d, 3]
    truth, pose, trait = 2.0 * axes[:, 0], axes[:, 1], 1.5 * axes[:, 2]
    has_trait = rng.normal(size=people)
    person_part = rng.normal(size=(people, dims)) + has_trait[:, None] * trait
    index = np.repeat(np.arange(people), pictures)
    smiles = rng.random(len(index)) < 1.0 / (1.0 + np.exp(-trait_pull * has_trait[index]))
    covariate = rng.normal(size=len(index)) + pose_pull * smiles
    X = person_part[index] + smiles[:, None] * truth + covariate[:, None] * pose
    X = X + noise * rng.normal(size=X.shape)
    labels = tuple("smile" if flag else "neutral" for flag in smiles)
    return Toy(X=X, labels=labels, people=index, covariate=covariate[:, None], truth=truth, pose=pose, trait=trait)
