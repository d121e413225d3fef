"""Our nodes in a host that keeps pictures in float16 between nodes."""

from __future__ import annotations

import numpy as np
import pytest
from comfy_host import Host
from tiny_models import portrait

pytestmark = pytest.mark.slow


def test_invariance_photos_keep_their_place_and_their_bits(half_host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion")
    edited = half_host.run(graph.nodes)
    assert edited.status == "success", edited.error
    assert not np.array_equal(half_host.pictures(edited, "save")[0], portrait().pixels)
    still = half_host.run(graph.with_inputs("apply", happiness=0.0).nodes)
    shown = half_host.pictures(still, "save")[0].astype(int)
    assert np.abs(shown - portrait().pixels).max() <= 1  # what float16 itself costs


def test_shape_drawn_faces_are_known_again(half_host: Host, graph) -> None:
    graph = graph.with_node(
        "invert", "EmotionGAN_SampleFaces", generator=["generator", 0], seed=1, psi=0.5, count=2, size=128
    )
    run = half_host.run(graph.with_inputs("apply", image=["invert", 0], inversion=["invert", 1]).nodes)
    assert run.status == "success", run.error
