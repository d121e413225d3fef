"""The mapping network, with classes and without, against numbers of the published references."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator, normal

from emogan_core.errors import ShapeError
from emogan_core.networks import GeneratorSpec
from emogan_core.networks.layers import initialise
from emogan_core.networks.mapping import Mapping, class_rows, sampled_w

GOLDEN = GeneratorSpec(
    resolution=32, w_dim=16, z_dim=16, channels=(32, 32, 16, 8), mapping_layers=2, c_dim=10, conv_clamp=256.0
)


def seeded(spec: GeneratorSpec) -> Mapping:
    mapping, rng = Mapping(spec), torch.Generator().manual_seed(7)
    initialise(mapping, rng)
    with torch.no_grad():
        for name, parameter in mapping.named_parameters():
            if name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
        mapping.w_avg.normal_(generator=rng)
    return mapping.requires_grad_(False)


def classes(*chosen: int, count: int) -> torch.Tensor:
    return torch.eye(count)[list(chosen)]


@pytest.mark.parametrize(
    ("change", "chosen", "rows"),
    [
        ({}, (9, 3), [[1.4557, -0.0927, 0.20907, 2.28488], [0.21409, -0.11805, 1.36107, -0.14893]]),
        (
            {"c_dim": 1, "mapping_layers": 8},
            (0, 0),
            [[0.09259, 2.20198, 0.03025, 0.08606], [0.28534, -0.08597, 0.39061, 0.22706]],
        ),
        (
            {"c_dim": 3, "z_dim": 24},
            (2, 0),
            [[0.00986, 0.93669, -0.18105, 0.61407], [-0.23896, -0.0983, -0.24617, -0.29334]],
        ),
        (
            {"c_dim": 0, "z_dim": 24, "mapping_layers": 3},
            (),
            [[0.9591, 1.75541, -0.52388, -0.03417], [0.27166, 0.30633, -0.82639, -0.31655]],
        ),
    ],
)
def test_golden_matches_the_reference(change: dict[str, int], chosen: tuple[int, ...], rows: list[list[float]]) -> None:
    """Expected: stylegan2-ada-pytorch (d72cc7d), networks.MappingNetwork on the CPU with these very weights loaded,
    called with z, one-hot c and truncation_psi=0.7; no difference seen.
    """
    spec = replace(GOLDEN, **change)
    c = classes(*chosen, count=spec.c_dim) if chosen else None
    ws = seeded(spec)(normal(2, spec.z_dim, seed=3), 0.7, c=c)
    assert ws.shape == (2, 8, 16)
    torch.testing.assert_close(ws[:, 5, :4], torch.tensor(rows), atol=1e-5, rtol=0)


def test_golden_concatenated_labels_match_the_reference() -> None:
    """Expected: genforce (197feee), StyleGAN2Generator(32, z_space_dim=24, w_space_dim=16, label_size=10,
    mapping_layers=3, mapping_fmaps=16), whose mapping has TensorFlow's LabelConcat, then truncation(w, 0.7, 99);
    largest difference seen 5e-7.
    """
    spec = replace(GOLDEN, conditioning="concat", mapping_layers=3, z_dim=24)
    ws = seeded(spec)(normal(2, 24, seed=3), 0.7, c=classes(9, 3, count=10))
    rows = [[-0.2138, 0.09656, 0.9556, -0.15036], [0.21069, 0.05203, 0.11981, -0.1853]]
    torch.testing.assert_close(ws[:, 5, :4], torch.tensor(rows), atol=1e-5, rtol=0)


def test_shape_class_rows() -> None:
    rows = class_rows(GOLDEN, 9, count=2)
    assert rows is not None
    assert rows.tolist() == [[0.0] * 9 + [1.0]] * 2
    assert class_rows(replace(GOLDEN, c_dim=0), None, count=2) is None


@pytest.mark.parametrize(
    ("classes_of_net", "index", "words"),
    [
        (10, None, "no class came"),
        (10, 10, "class 10 came"),
        (10, -1, "class -1 came"),
        (0, 3, "class 3 came, but 'mine' has no classes"),
    ],
)
def test_error_class_rows(classes_of_net: int, index: int | None, words: str) -> None:
    with pytest.raises(ShapeError, match=words) as caught:
        class_rows(replace(GOLDEN, c_dim=classes_of_net, name="mine"), index, count=1)
    assert ("leave the class out" if not classes_of_net else "0 to 9") in str(caught.value)


def test_error_class_missing_misshapen_or_without_need() -> None:
    mapping, z = seeded(GOLDEN), normal(2, 16, seed=3)
    with pytest.raises(ShapeError, match="no class came, but this generator draws by class; give one of 10 classes"):
        mapping(z)
    for shape in ((1, 10), (2, 9), (10,)):
        with pytest.raises(ShapeError, match="classes of shape"):
            mapping(z, c=torch.zeros(shape))
    with pytest.raises(ShapeError, match="has no classes"):
        seeded(replace(GOLDEN, c_dim=0))(z, c=torch.zeros(2, 10))


def test_invariance_samples_repeat_and_cover_the_classes() -> None:
    mapping = seeded(GOLDEN)
    once, again = (sampled_w(mapping, count=4000, seed=0) for _ in range(2))
    assert torch.equal(once, again)
    assert not torch.equal(once, sampled_w(mapping, count=4000, seed=1))
    z = normal(4000, 16, seed=5)
    each = torch.stack([mapping.to_w(z, c=classes(*[index] * 4000, count=10)).mean(0) for index in range(10)])
    assert (each - each[0]).abs().max() > 0.3  # classes differ, so an average over too few of them would show
    torch.testing.assert_close(once.mean(0), each.mean(0), atol=0.1, rtol=0)


@pytest.mark.parametrize("conditioning", ["embed", "concat"])
def test_invariance_classes_by_number(conditioning: str) -> None:
    mapping, z = seeded(replace(GOLDEN, conditioning=conditioning)), normal(3, 16, seed=3)
    with torch.no_grad():
        by_rows, by_number = mapping.to_w(z, c=classes(7, 0, 9, count=10)), mapping.to_w_of(z, torch.tensor([7, 0, 9]))
    torch.testing.assert_close(by_number, by_rows, atol=1e-5, rtol=0)


def test_invariance_statistics_of_classes_are_deterministic() -> None:
    spec = replace(TINY, c_dim=5, conditioning="concat")
    one, two = (make_generator(spec, companions=False) for _ in range(2))
    assert torch.equal(one.w_std, two.w_std)
    assert (one.w_std > 0).all()


@pytest.mark.parametrize("conditioning", ["embed", "concat"])
def test_invariance_each_class_is_felt(conditioning: str) -> None:
    mapping, z = seeded(replace(GOLDEN, conditioning=conditioning)), normal(1, 16, seed=3)
    drawn = torch.cat([mapping.to_w(z, c=classes(index, count=10)) for index in range(10)])
    assert torch.pdist(drawn).min() > 1e-2


def test_gradient_reaches_z() -> None:
    z = normal(2, 16, seed=3).requires_grad_(True)
    seeded(GOLDEN).to_w(z, c=classes(0, 1, count=10)).square().mean().backward()
    assert z.grad is not None
    assert (z.grad.abs().amax(dim=1) > 0).all()
