"""What a device's table can be asked, and a tiny one drawn on the CPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.layers import initialise

SPEC = GeneratorSpec(resolution=16, w_dim=8, z_dim=8, channels=(8, 8, 4), mapping_layers=1)


@pytest.fixture(scope="module")
def on_device() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "on_device.py"
    spec = importlib.util.spec_from_file_location("on_device", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(side: int) -> torch.nn.Module:
    assert side == SPEC.resolution
    generator = Generator(SPEC, fingerprint="")
    initialise(generator, torch.Generator().manual_seed(1))
    return generator.requires_grad_(False).synthesis


def codes(side: int, batch: int) -> torch.Tensor:
    return torch.randn(batch, SPEC.num_ws, SPEC.w_dim, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_error_no_gpu_is_told_in_a_sentence(name: str, on_device: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match=f"--device {name} came, but PyTorch sees no such GPU"):
        on_device.device_of(name)


@pytest.mark.parametrize("name", ["gpu", "meta", "", "cuda:x"])
def test_error_other_devices_are_refused(name: str, on_device: ModuleType) -> None:
    with pytest.raises(SystemExit, match="needed cuda, cuda:1 or cpu"):
        on_device.device_of(name)


def test_shape_a_table_has_a_row_for_each_way(on_device: ModuleType) -> None:
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.benchmark
    rows = on_device.table([16], [1, 2], on_device.device_of("cpu"), codes=codes, ours=network, theirs=None)
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.benchmark = before
    cells = [row.split(" | ") for row in rows if row.startswith("| 16 |")]
    assert [(row[1], row[2]) for row in cells] == [(batch, "ours, float32") for batch in "12"]
    assert all(float(row[-1].removesuffix(" |")) < 5e-3 for row in cells)


def test_shape_a_gpu_has_compiled_and_captured_rows(on_device: ModuleType) -> None:
    names = [name for name, _, _ in on_device.ways_of_ours(network(16), torch.device("cuda"))]
    assert len(set(names)) == 3
    assert sum("torch.compile" in name for name in names) == sum("CUDA graph" in name for name in names) == 1
