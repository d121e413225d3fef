"""The recipe of the built-in generator: a stopped run goes on exactly, and codes may move without changing pictures."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import make_generator

from emogan_core.checkpoints import load_generator, write_generator
from emogan_core.encoder_training.degradations import compressed, degrade, occluded
from emogan_core.networks import Generator
from emogan_core.networks.layers import upsample
from emogan_core.training.codes import (
    fold_layer_offsets,
    positive_origin,
    root_of,
    shift_w_origin,
    shrink_spectrum,
    start_as_gaussian,
)
from emogan_core.training.data import favour_dark, pick, read_faces, read_held_out, split, view
from emogan_core.training.generator import configured, main, train_step
from emogan_core.training.losses import REGIONS, augment, regions_l1
from emogan_core.training.recipe import PRESETS, TrainConfig, ema_decay_at, lr_factor_at
from emogan_core.training.run import Run
from emogan_core.training.starts import refit_mapping, start_from_components, start_from_generators
from emogan_core.weights import read_tensors, write_tensors

SMALL = PRESETS["small"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six noise pictures of three people, as a face set."""
    path = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    lines = ["file,person,expression"]
    for index in range(6):
        pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"{index}.png")
        lines.append(f"{index}.png,person{index // 2},neutral")
    (path / "labels.csv").write_text("\n".join(lines))
    return path


def test_shape_faces_are_read_hashed_and_split(folder: Path, tmp_path: Path) -> None:
    faces = read_faces([(folder, folder / "labels.csv", 2.0)])
    assert faces.pixels.shape == (6, 3, 128, 128)
    assert len(faces.sha256) == 64
    names = tmp_path / "out.txt"
    names.write_text("# held out\nperson1\n")
    training, held_out = split(faces, read_held_out(names))
    assert set(training.people) == {"person0", "person2"}
    assert set(held_out.people) == {"person1"}
    rng = torch.Generator().manual_seed(0)
    batch = view(training, pick(training, 5, rng), 64, rng, jitter=True)
    assert batch.shape == (5, 3, 64, 64)
    assert batch.abs().max() <= 1.001


@pytest.mark.slow
def test_golden_dark_faces_are_drawn_more_often(folder: Path) -> None:
    """By the cheeks: what stands around the face does not count."""
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])
    pixels = torch.full_like(faces.pixels, 200)
    pixels[1, :, 60:90, 20:110] = 40
    pixels[4] = 90
    pixels[5, :, :40] = 0
    weights = favour_dark(replace(faces, pixels=pixels), 1.5).weights
    assert weights.tolist() == [1.0, 1.5, 1.0, 1.0, 1.5, 1.0]


def test_invariance_the_projection_moves_by_its_share_of_the_rate(folder: Path) -> None:
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])
    config = TrainConfig(steps=10, batch=4, warm_up=2, lr=0.1, projection_lr=0.01)
    run = Run(SMALL, config)
    _, encoder, _ = run.parts()
    before = {name: tensor.detach().clone() for name, tensor in encoder.named_parameters()}
    train_step(run, faces, run.rng())
    moved = {name: float((tensor.detach() - before[name]).abs().max()) for name, tensor in encoder.named_parameters()}
    rate = config.lr * lr_factor_at(0, config)
    assert (
        0 < moved["linear.weight"] <= 0.011 * rate
    )  # the first step of Adam is the rate, wherever there is a gradient
    assert 0.9 * rate < moved["to_w.weight"] <= 1.1 * rate


def test_invariance_a_stopped_run_goes_on_exactly(folder: Path, tmp_path: Path) -> None:
    config = TrainConfig(steps=10, batch=4, reconstructed=4, samples=4, warm_up=-0.1, penalty_every=1)
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])

    def step(run: Run) -> None:
        assert {"discriminator", "adversarial_samples", "psnr"} <= train_step(run, faces, run.rng()).keys()
        run.update_ema()
        run.step += 1

    first = Run(SMALL, config)
    step(first)
    first.save(tmp_path / "state.safetensors")
    second = Run(SMALL, config)
    second.restore(tmp_path / "state.safetensors")
    assert second.step == 1
    step(first)
    step(second)
    trained = {name for name, p in first.live.synthesis.named_parameters() if p.requires_grad}
    assert not any(name.endswith("noise_strength") for name in trained)  # else fixed grain
    for network in ("live", "ema"):
        for name, tensor in getattr(first, network).state_dict().items():
            torch.testing.assert_close(
                getattr(second, network).state_dict()[name], tensor, atol=1e-6, rtol=1e-5, msg=name
            )


def test_invariance_states_of_earlier_versions_are_read(tmp_path: Path) -> None:
    run = Run(SMALL, TrainConfig(batch=4))
    run.augment_share = 0.25
    loss = torch.stack([p.square().sum() for p in run.live.discriminator.parameters()]).sum()  # type: ignore[union-attr]
    loss.backward()
    run.discriminator_optimiser.step()
    run.save(tmp_path / "state.safetensors")
    tensors, metadata = read_tensors(tmp_path / "state.safetensors")
    former = {name.replace("discriminator_optimiser.", "judging."): tensor for name, tensor in tensors.items()}
    assert former.keys() != tensors.keys()
    write_tensors(tmp_path / "former.safetensors", former, {"step": metadata["step"], "changed": "0.25"})
    again = Run(SMALL, TrainConfig(batch=4))
    again.restore(tmp_path / "former.safetensors")
    assert again.augment_share == 0.25
    state = run.discriminator_optimiser.state_dict()["state"]
    torch.testing.assert_close(again.discriminator_optimiser.state_dict()["state"], state)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "trained", "frozen"),
    [
        (
            {"trainable": "both"},
            {"synthesis.b4.conv1.weight", "encoder.to_w.weight", "discriminator.b4.out.weight"},
            set(),
        ),
        ({"trainable": "synthesis"}, {"synthesis.b4.conv1.weight", "discriminator.b4.out.weight"}, {"encoder."}),
        (
            {"trainable": "synthesis", "freeze_below": 32},
            {"synthesis.b64.conv1.weight"},
            {"encoder.", "synthesis.b32.", "synthesis.b4."},
        ),
        ({"trainable": "synthesis", "perceptual": 1.0}, {"synthesis.b4.conv1.weight"}, {"encoder."}),
        ({"trainable": "encoder"}, {"encoder.to_w.weight"}, {"synthesis.", "discriminator.", "encoder.linear."}),
        ({"trainable": "encoder", "projection_lr": 0.1}, {"encoder.linear.weight"}, {"synthesis."}),
        ({"trainable": "synthesis", "projection_lr": 0.1}, {"synthesis.b4.conv1.weight"}, {"encoder."}),
    ],
    ids=lambda value: "-".join(f"{name}={what}" for name, what in value.items()) if isinstance(value, dict) else "",
)
def test_invariance_what_is_frozen_does_not_change(
    folder: Path, settings: dict[str, str | int | float], trained: set[str], frozen: set[str]
) -> None:
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])
    config = TrainConfig(steps=10, batch=4, reconstructed=4, samples=4, warm_up=-0.1)
    run = Run(SMALL, replace(config, **settings))  # type: ignore[arg-type]
    before = {name: tensor.clone() for name, tensor in run.live.state_dict().items()}
    terms = train_step(run, faces, run.rng())
    assert ("perceptual" in terms) == ("perceptual" in settings)
    after = run.live.state_dict()
    moved = {name for name, tensor in before.items() if not torch.equal(after[name], tensor)}
    assert trained <= moved
    assert not any(name.startswith(part) for name in moved for part in frozen)


def test_error_an_unknown_part() -> None:
    with pytest.raises(SystemExit, match="trainable=everything: needed one of both, synthesis, encoder"):
        configured(["trainable=everything"], steps=1, seed=0)


@pytest.mark.slow
def test_shape_the_whole_command_leaves_a_generator(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps on a handful of faces: a state to go on from, a line of figures, a picture, and weights that load."""
    (tmp_path / "out.txt").write_text("person1\n")
    sets = ["--faces", str(folder), str(folder / "labels.csv"), "1", "--held-out", str(tmp_path / "out.txt")]
    arguments = ["--work", str(tmp_path / "run"), "--steps", "2", "--set", "batch=4", "--set", "samples=4"]
    monkeypatch.setattr("sys.argv", ["generator", *sets, *arguments, "--set", "warm_up=0"])
    main()
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert made == {"state.safetensors", "log.jsonl", "preview_000000.png", "generator.safetensors"}
    assert load_generator(tmp_path / "run" / "generator.safetensors").spec.resolution == 64


def test_invariance_growing_keeps_what_the_larger_file_says_of_further_rows(tmp_path: Path) -> None:
    """A 64 px file, then one of its 32 px blocks: the last two rows of the encoder are still the first file's."""
    paths = {}
    for size, seed in (("small", 1), ("seed", 2)):
        run = Run(PRESETS[size], TrainConfig(seed=seed))
        run.ema.encoder.to_rows.bias.data.normal_(generator=torch.Generator().manual_seed(seed))  # type: ignore[union-attr]
        paths[size] = tmp_path / f"{size}.safetensors"
        write_generator(paths[size], run.result(), half=False)
    biases = {}
    for name, starts in {"small": ["small"], "seed": ["seed"], "both": ["small", "seed"]}.items():
        again = Run(SMALL, TrainConfig(seed=5))
        start_from_generators(again, [paths[start] for start in starts])
        biases[name] = again.parts()[1].to_rows.bias.view(10, 256)
    torch.testing.assert_close(biases["both"][:8], biases["seed"][:8])
    torch.testing.assert_close(biases["both"][8:], biases["small"][8:])
    torch.testing.assert_close(biases["seed"][8:], biases["seed"][7:8].expand(2, -1))


def test_invariance_starting_from_a_file_keeps_its_pictures(tmp_path: Path) -> None:
    run = Run(SMALL, TrainConfig())
    run.origin = torch.full_like(run.origin, 2.0)
    run.ema.mapping.w_avg.fill_(2.0)
    path = tmp_path / "generator.safetensors"
    write_generator(path, run.result(), half=False)
    again = Run(SMALL, TrainConfig(seed=5))
    start_from_generators(again, [path])
    ws = torch.randn(2, 10, 256, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(again.ema.synthesis(ws), run.ema.synthesis(ws), atol=1e-3, rtol=0)
    torch.testing.assert_close(again.origin, run.origin)


def test_invariance_shifting_the_w_origin_changes_no_picture(tiny: Generator, rng: torch.Generator) -> None:
    shifted = copy.deepcopy(tiny)
    origin = torch.randn(16, generator=rng)
    shift_w_origin(shifted, origin)
    ws = torch.randn(2, 8, 16, generator=rng)
    torch.testing.assert_close(shifted.synthesis(ws + origin), tiny.synthesis(ws), atol=1e-4, rtol=1e-4)
    assert shifted.encoder is not None
    assert tiny.encoder is not None
    images = torch.rand(1, 3, 32, 32, generator=rng)
    torch.testing.assert_close(shifted.encoder(images), tiny.encoder(images) + origin, atol=1e-4, rtol=1e-4)


def test_invariance_folded_layer_offsets_change_no_reconstruction(rng: torch.Generator) -> None:
    """And rows without what they had in common draw it all the same."""
    run = Run(SMALL, TrainConfig())
    generator = run.live
    images = torch.rand(3, 3, 64, 64, generator=rng) * 2 - 1
    offsets = torch.randn(SMALL.spec.num_ws, SMALL.spec.w_dim, generator=rng)
    with torch.no_grad():
        ws = generator.encode(images)
        drawn = generator.synthesis(ws)
        fold_layer_offsets(generator, offsets)
        torch.testing.assert_close(generator.encode(images), ws - offsets, atol=1e-5, rtol=0)
        torch.testing.assert_close(generator.synthesis(ws - offsets), drawn, atol=1e-4, rtol=1e-5)  # up to 50
        assert (generator.synthesis(ws) - drawn).abs().max() > 0.01


def test_invariance_refitting_leaves_no_common_layer_offsets(folder: Path) -> None:
    """Random faces have one w for all rows: what all rows of all photos add to theirs must be part of the synthesis."""
    run = Run(SMALL, TrainConfig())
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])
    images = faces.pixels.float() / 127.5 - 1
    with torch.no_grad():
        for network in (run.live, run.ema):
            network.encoder.to_rows.bias.normal_(generator=torch.Generator().manual_seed(0))  # type: ignore[union-attr]
        drawn = run.live.synthesis(run.live.encode(images))
        refit_mapping(run, faces)
        ws = run.live.encode(images)
        torch.testing.assert_close(run.live.synthesis(ws), drawn, atol=1e-4, rtol=1e-5)
    offsets = ws.mean(dim=0) - ws.mean(dim=(0, 1))
    assert offsets.abs().max() < 1e-5


def test_golden_mapping_starts_with_the_codes_own_moments(rng: torch.Generator) -> None:
    mixing = torch.randn(16, 16, generator=rng)
    codes = torch.randn(4000, 16, generator=rng) @ mixing + 3
    origin = positive_origin(codes)
    mapping = copy.deepcopy(make_generator().mapping)
    start_as_gaussian(mapping, codes.mean(0) + origin, root_of(codes))
    sampled = mapping.to_w(torch.randn(20_000, 16, generator=rng)) - origin
    torch.testing.assert_close(sampled.mean(0), codes.mean(0), atol=0.15, rtol=0)
    wanted = torch.cov(codes.T)
    assert (torch.cov(sampled.T) - wanted).norm() / wanted.norm() < 0.12


def test_golden_spectral_shrinkage_keeps_visible_directions(rng: torch.Generator) -> None:
    """Eight directions of codes show in the pictures, eight do not: the first stay as they are, the others go."""
    codes = torch.randn(4000, 16, generator=rng) @ torch.randn(16, 16, generator=rng)
    mixing = torch.randn(16, 16, generator=rng)
    showing = torch.tensor([1.0] * 8 + [0.01] * 8)
    white = torch.linalg.solve(root_of(codes), (codes - codes.mean(0)).T).T
    basis = torch.linalg.qr(mixing).Q
    pictures = (white @ basis * showing) @ torch.randn(16, 100, generator=rng)
    root = shrink_spectrum(root_of(codes), codes, pictures, half_at=12)
    kept = (torch.linalg.solve(root_of(codes), root) @ root.T @ torch.linalg.inv(root_of(codes))) @ basis
    variance = (basis * kept).sum(0)
    assert variance[:8].min() > 0.9
    assert variance[8:].max() < 0.9
    assert variance[8:].mean() < 0.6


def test_invariance_a_grown_generator_draws_its_picture_enlarged(folder: Path, tmp_path: Path) -> None:
    """And its encoder, which goes on looking at as many pixels as before, comes back from a file."""
    small = Run(SMALL, TrainConfig())
    refit_mapping(small, read_faces([(folder, folder / "labels.csv", 1.0)]))
    path = tmp_path / "generator.safetensors"
    write_generator(path, small.result(), half=False)
    grown = Run(PRESETS["grown"], TrainConfig(seed=5))
    start_from_generators(grown, [path])
    before = load_generator(path)
    write_generator(path, grown.result(), half=False)
    after = load_generator(path)
    ws = before.w_avg + torch.randn(1, 12, 256, generator=torch.Generator().manual_seed(0))
    wanted = upsample(before.synthesis(ws[:, :10]))
    torch.testing.assert_close(after.synthesis(ws), wanted, atol=1e-3 * float(wanted.abs().max()), rtol=0)
    images = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    codes, known = after.encode(images), before.encode(torch.nn.functional.avg_pool2d(images, 2))
    assert codes.shape == (1, 12, 256)
    torch.testing.assert_close(codes[:, :10], known, atol=1e-3 * float(known.abs().max()), rtol=0)


def test_invariance_a_widened_encoder_answers_as_before(tmp_path: Path) -> None:
    """And what is new in it gets a gradient."""
    path = tmp_path / "generator.safetensors"
    preset = replace(SMALL, encoder=(32, 32, 16, 16, 16), features=24)
    write_generator(path, Run(preset, TrainConfig()).result(), half=False)
    before = load_generator(path)
    wide = Run(replace(preset, encoder=(48, 40, 24, 16, 20), features=40), TrainConfig(seed=5))
    start_from_generators(wide, [path])
    _, encoder, _ = wide.parts()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    codes = encoder(images)
    torch.testing.assert_close(codes + wide.origin, before.encode(images), atol=1e-3, rtol=1e-4)
    codes.square().sum().backward()
    new = encoder.to_w.weight.grad
    assert new is not None
    assert bool((new[:, 24:].abs().sum(0) > 0).any())


def test_invariance_a_seed_draws_the_lower_blocks_picture(tmp_path: Path) -> None:
    """And goes on seeing more pixels than it draws, in a file as well."""
    path = tmp_path / "generator.safetensors"
    write_generator(path, Run(SMALL, TrainConfig()).result(), half=False)
    before = load_generator(path)
    seed = Run(PRESETS["seed"], TrainConfig(seed=5))
    start_from_generators(seed, [path])
    write_generator(path, seed.result(), half=False)
    after = load_generator(path)
    ws = torch.randn(1, 8, 256, generator=torch.Generator().manual_seed(0))
    x = wanted = None
    for index in range(4):
        x, wanted = before.synthesis.block(index)(x, wanted, before.synthesis.rows(ws, index), clamp=None)
    assert wanted is not None
    torch.testing.assert_close(after.synthesis(ws), wanted, atol=1e-4 * float(wanted.abs().max()), rtol=0)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(after.encode(images), before.encode(images)[:, :8])


def test_invariance_rate_warms_up_and_ends_at_zero() -> None:
    config = TrainConfig(steps=1000)
    assert lr_factor_at(0, config) < 0.02
    assert lr_factor_at(500, config) == 1
    assert lr_factor_at(999, config) < 0.01
    assert lr_factor_at(500, replace(config, decay=1.0)) == pytest.approx(0.5)


def test_shape_augmenting_keeps_its_share_untouched(rng: torch.Generator) -> None:
    images = torch.rand(256, 3, 16, 16, generator=rng) * 2 - 1
    assert torch.equal(augment(images, rng, share=0.0), images)
    kept = [
        float(((augment(images, rng, share=share) - images).abs().amax(dim=(1, 2, 3)) < 1e-4).float().mean())
        for share in (0.05, 0.5)
    ]
    assert 0.6 < kept[0] < 0.9  # six changes, each by its own coin: .95 ** 6
    assert kept[1] < 0.1


def test_gradient_passes_the_augmentation(rng: torch.Generator) -> None:
    images = (torch.rand(8, 3, 16, 16, generator=rng) * 2 - 1).requires_grad_(True)
    augment(images, rng, share=0.8).square().mean().backward()
    assert images.grad is not None
    assert (images.grad.abs().amax(dim=(1, 2, 3)) > 0).all()


def test_invariance_degraded_pictures_are_the_same_faces(rng: torch.Generator) -> None:
    images = torch.nn.functional.interpolate(torch.rand(32, 3, 4, 4, generator=rng), size=32, mode="bicubic")
    change = (degrade(images, rng, share=0.3) - images).abs().mean(dim=(1, 2, 3))
    assert 12 < int((change > 0).sum()) < 31  # three kinds, each by its own coin: 1 - .7 ** 3
    assert change.max() < 0.4
    assert 0 < (compressed(images, rng) - images).abs().mean() < 0.1
    flat = (occluded(images, rng) - images).abs().amax(dim=1) > 0
    assert ((flat.float().mean(dim=(1, 2)) > 0.01) & (flat.float().mean(dim=(1, 2)) < 0.17)).all()


def test_golden_compression_of_single_waves(rng: torch.Generator) -> None:
    """A flat picture keeps its gray within one step of the first coefficient, which is 8 times the gray."""
    images = torch.rand(6, 1, 1, 1, generator=rng).expand(6, 3, 16, 16)
    assert (compressed(images, rng) - images).abs().max() <= 0.08 / 8 / 2 + 1e-6
    wave = torch.cos(math.pi * 7 * (2 * torch.arange(8) + 1) / 16).repeat(2).expand(1, 3, 16, 16) * 0.01
    assert compressed(wave, rng).abs().max() < 1e-6  # too fine and too weak to survive


@pytest.mark.slow
def test_golden_components_reconstruct_pictures_of_few_dimensions(folder: Path) -> None:
    """Six pictures and their mirrors span twelve dimensions, so 256 components tell all of them apart."""
    run = Run(SMALL, TrainConfig())
    faces = read_faces([(folder, folder / "labels.csv", 1.0)])
    start_from_components(run, faces)
    _, encoder, _ = run.parts()
    small = torch.nn.functional.adaptive_avg_pool2d(faces.pixels.float() / 127.5 - 1, 32)
    codes = torch.cat([encoder.linear(x.flatten(1)) for x in (small, small.flip(3))])
    kept = codes[:, -11:]  # the components that hold anything
    torch.testing.assert_close(kept.mean(0), torch.zeros(11), atol=1e-2, rtol=0)
    torch.testing.assert_close(kept.square().mean(0), torch.ones(11), atol=2e-2, rtol=0)


def test_invariance_the_average_forgets_the_start_and_then_holds() -> None:
    config = TrainConfig(batch=16)
    assert ema_decay_at(0, config) < 0.6
    assert 0.5 ** (16 / config.ema_pictures) == pytest.approx(ema_decay_at(100_000, config))


def test_error_unknown_settings() -> None:
    assert configured(["lr=0.01", "half=true", "batch=4"], steps=5, seed=1) == TrainConfig(
        steps=5, seed=1, lr=0.01, half=True, batch=4
    )
    for wrong in ("speed=3", "batch=many"):
        with pytest.raises(SystemExit, match=f"--set {wrong}"):
            configured([wrong], steps=5, seed=1)


def test_golden_regions_weigh_mouth_and_eyes_only() -> None:
    a = torch.zeros(1, 3, 64, 64)
    for place, weighs in (((50, 32), True), ((20, 20), True), ((36, 5), False), ((36, 32), False)):
        b = a.clone()
        b[:, :, place[0], place[1]] = 1.0
        assert bool(regions_l1(a, b) > 0) == weighs
    assert regions_l1(a, a).item() == 0
    assert all(0 <= low < high <= 1 for box in REGIONS for low, high in (box[:2], box[2:]))
