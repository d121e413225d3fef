"""Prompts one after the other in a real ComfyUI: queued, out of order, with a model gone between two, out of memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from comfy_host import Graph, Host
from tiny_models import portrait

pytestmark = pytest.mark.slow


def asking(graph: Graph, anger: float) -> Graph:
    """The photo edited by a move of its own pixels; the portrait smiles as it is, so it is the brows that come down."""
    return graph.with_inputs("apply", mode="motion", happiness=0.0, anger=anger)


def test_invariance_prompts_queued_and_out_of_order_give_what_they_give_alone(host: Host, graph) -> None:
    strengths = (0.3, 0.6, 0.9)
    alone = [host.pictures(host.run(asking(graph, one).nodes), "save")[0] for one in strengths]
    assert not any(np.array_equal(alone[0], other) for other in alone[1:])
    long = graph.with_inputs("invert", method="optimise", steps=25).with_inputs("save", filename_prefix="long")
    first = host.queue(long.nodes)
    second, third = (
        host.queue(asking(graph, one).with_inputs("save", filename_prefix="queued").nodes) for one in strengths[:2]
    )
    hurried = host.queue(asking(graph, 0.9).with_inputs("save", filename_prefix="queued").nodes, front=True)
    runs = [host.ended(number) for number in (first, second, third, hurried)]
    assert [run.status for run in runs] == ["success"] * 4
    begun = [run.messages["execution_start"]["timestamp"] for run in runs]
    assert begun[0] < begun[3] < begun[1] < begun[2]
    for run, expected in zip(runs[1:], alone, strict=True):
        assert np.array_equal(host.pictures(run, "save")[0], expected)


def test_error_a_generator_that_is_gone_is_named_and_found_again(host: Host, graph) -> None:
    folder = host.folder / "models/stylegan"
    doomed = folder / "doomed.safetensors"
    shutil.copy(folder / "generator.safetensors", doomed)
    graph = asking(graph.with_inputs("generator", name=doomed.name), 0.5)
    before = host.run(graph.nodes)
    assert before.status == "success", before.error
    doomed.unlink()
    with pytest.raises(AssertionError, match=r"there is no file 'doomed\.safetensors' in .*stylegan; put it there"):
        host.run(graph.with_inputs("apply", anger=0.6).nodes)
    shutil.copy(folder / "generator.safetensors", doomed)
    again = host.run(graph.nodes)
    doomed.unlink()
    assert np.array_equal(host.pictures(again, "save")[0], host.pictures(before, "save")[0])


def full(times: int, error: str = "OutOfMemoryError: no") -> Graph:
    """Work that finds the memory full a number of times."""
    return (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node("work", "TestFullMemory", generator=["generator", 0], times=times, error=error)
        .with_node("tries", "PreviewAny", source=["work", 0])
    )


@pytest.mark.parametrize(
    "error", ["OutOfMemoryError: no", "MemoryError: no", "RuntimeError: MPS backend out of memory (used: 8 GB)"]
)
def test_invariance_full_memory_is_emptied_and_work_tried_once_more(host: Host, error: str) -> None:
    run = host.run(full(1, error).nodes)
    assert run.status == "success", run.error
    first, second = (int(part) for part in run.outputs["tries"]["text"][0].strip("[]").split(","))
    assert first >= second == 1  # the others had left


def test_error_memory_that_stays_full_is_one_sentence(host: Host, graph) -> None:
    run = host.run(full(2).nodes)
    assert run.error.startswith(
        "the memory of the computer was full, twice and with every other model put away; about 300 MiB"
    )
    assert "give fewer or smaller pictures at once" in run.error
    assert len(run.error.strip().splitlines()) == 1
    assert run.messages["execution_error"]["exception_type"] == "ValueError"
    assert host.run(full(1, "ValueError: another").nodes).error.strip() == "ValueError: another"
    later = host.run(asking(graph, 0.5).nodes)
    assert later.status == "success", later.error
    assert not np.array_equal(host.pictures(later, "save")[0], portrait().pixels)
