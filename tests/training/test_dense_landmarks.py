"""The dense landmark net's recipe on made-up faces: views keep their points, runs go on, the mirror order is found."""

import csv
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.networks.dense_landmarks import EYE_POINTS, FIVE, LIPS_POINTS, POINTS
from emogan_core.training import dense_landmarks as recipe
from emogan_core.training import dense_views as views
from emogan_core.training.landmark_runs import held_out
from emogan_core.weights import read_header

CLEAN = views.ViewConfig(
    inset=0.0, faded=0.0, gray=0.0, gamma=0.0, dim=0.0, sloped=0.0, soft=0.0, noisy=0.0, jpeg=0.0, covered=0.0
)
DOT = EYE_POINTS[0]


def made_points():
    """478 points in 0..1, in symmetric pairs but for two; one eye's lie around its iris."""
    rng = np.random.default_rng(5)
    points = np.zeros((POINTS, 2))
    points[list(FIVE)] = [[0.3, 0.36], [0.7, 0.36], [0.5, 0.5], [0.36, 0.75], [0.64, 0.75]]
    eye = [i for i in EYE_POINTS if i not in FIVE]
    rest = [i for i in range(POINTS) if i not in FIVE and i not in EYE_POINTS]
    points[rest.pop()] = (0.5, 0.1)
    pairs = [(one, rest.pop()) for one in eye]
    pairs += list(zip(rest[::2], rest[1::2], strict=True))
    for place, (one, other) in enumerate(pairs):
        low, high = ((0.21, 0.27), (0.39, 0.45)) if place < len(eye) else ((0.05, 0.1), (0.45, 0.9))
        near = rng.uniform(low, high)
        points[one], points[other] = near, near * [-1, 1] + [1, 0]
    return points


def dotted_faces(n=6, side=128):
    """Gray squares with a white dot at one lid."""
    points = made_points()
    points[DOT] = (0.27, 0.40)
    images = torch.full((n, 3, side, side), 60, dtype=torch.uint8)
    x, y = (points[DOT] * side).astype(int)
    images[:, :, y - 2 : y + 3, x - 2 : x + 3] = 255
    places = torch.view_as_complex(torch.from_numpy(points.astype(np.float32)))
    return views.DenseTable(images, places.expand(n, -1), tuple(f"person {i}" for i in range(n)))


def shape_of(table):
    """A mean face to frame by, and an order in which every point is its own mirror image."""
    return views.MeanFace(torch.view_as_real(table.points[0]).contiguous(), torch.arange(POINTS))


def brightness_at(image, point):
    x, y = (point * image.shape[-1]).int().clamp(0, image.shape[-1] - 1).tolist()
    return float(image[0, y, x])


@pytest.mark.parametrize("draw", [views.draw_faces, views.draw_eyes])
def test_golden_points_land_on_what_they_mark(draw, rng):
    table = dotted_faces()
    seen = draw(table, torch.arange(6).repeat(5), shape_of(table), config=CLEAN, rng=rng)
    row = DOT if draw is views.draw_faces else EYE_POINTS.index(DOT)
    inside = [
        brightness_at(image, points[row])
        for image, points in zip(seen.images, seen.points, strict=True)
        if ((points[row] > 0.02) & (points[row] < 0.98)).all()
    ]
    assert len(inside) > 10
    assert min(inside) > 0.3


def test_shape_of_lips_and_of_distances(rng):
    table = dotted_faces()
    seen = views.draw_lips(table, torch.arange(6), shape_of(table), config=views.ViewConfig(), rng=rng)
    assert seen.images.shape == (6, 3, 80, 80)
    assert seen.points.shape == (6, len(LIPS_POINTS), 2)
    assert seen.images.abs().max() <= 1
    assert (seen.eye_distance > 0).all()


def test_golden_frames_agree_with_the_face_finder():
    five = np.array([[40.0, 50.0], [80.0, 53.0], [62.0, 70.0], [45.0, 95.0], [75.0, 99.0]])
    quad = views.frame_quad(five, "tight")
    centre, edge = views.tight_frames(torch.view_as_complex(torch.from_numpy(five))[None])
    np.testing.assert_allclose(torch.view_as_real(centre[0]).numpy(), quad.mean(0))
    np.testing.assert_allclose(torch.view_as_real(edge[0]).numpy(), quad[1] - quad[0])


def test_golden_fitted_frame_undoes_a_similarity():
    shape = torch.from_numpy(made_points().astype(np.float32))
    moved = torch.view_as_complex(shape) * complex(2.0, 0.5) + complex(3, -1)
    centre, edge = views.fitted_frames(moved[None], shape)
    assert complex(edge[0]) == pytest.approx(complex(2.0, 0.5), abs=1e-4)
    assert complex(centre[0]) == pytest.approx(complex(0.5, 0.5) * complex(2.0, 0.5) + complex(3, -1), abs=1e-4)


def test_golden_mirror_order_pairs_left_and_right():
    points = made_points()
    table = views.DenseTable(
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        torch.view_as_complex(torch.from_numpy(points.astype(np.float32)))[None],
        ("somebody",),
    )
    mean = recipe.mean_face([table])
    shape, order = mean.shape, mean.mirror_order
    assert order[FIVE[0]] == FIVE[1]
    assert order[FIVE[3]] == FIVE[4]
    assert order[FIVE[2]] == FIVE[2]
    torch.testing.assert_close(shape[order] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0]), shape)


def test_invariance_views_follow_their_seed():
    table = dotted_faces()

    def one(seed):
        rng = torch.Generator().manual_seed(seed)
        return views.draw_faces(table, torch.arange(6), shape_of(table), config=views.ViewConfig(), rng=rng).images

    torch.testing.assert_close(one(3), one(3))
    assert not torch.equal(one(3), one(4))


@pytest.mark.parametrize("field", ["gray", "gamma", "dim", "sloped", "soft", "noisy", "jpeg", "covered"])
def test_gradient_every_share_is_felt(field):
    image = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def one(config):
        return views.photographed(image, config, torch.Generator().manual_seed(7))

    assert not torch.equal(one(CLEAN), one(replace(CLEAN, **{field: 1.0})))


@pytest.mark.slow
def test_invariance_interrupted_run_ends_the_same(tmp_path, monkeypatch):
    config = recipe.TrainConfig(steps=3, shares=(2, 2, 2), save_every=1)
    tables = [dotted_faces()] * 3
    monkeypatch.setattr(recipe, "mean_face", lambda tables: shape_of(tables[0]))
    whole, _ = recipe.train(tables, config=config, state=tmp_path / "whole.safetensors", command="once")
    real = recipe.lr_at

    def interrupting(step, **settings):
        if step == 2:
            raise KeyboardInterrupt
        return real(step, **settings)

    monkeypatch.setattr(recipe, "lr_at", interrupting)
    with pytest.raises(KeyboardInterrupt):
        recipe.train(tables, config=config, state=tmp_path / "part.safetensors", command="first")
    monkeypatch.setattr(recipe, "lr_at", real)
    rest, history = recipe.train(tables, config=config, state=tmp_path / "part.safetensors", command="second")
    assert history == "from step 0: first, then from step 2: second"
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(rest.state_dict()[name], tensor, msg=name)


def test_golden_written_file_says_where_it_comes_from(tmp_path):
    recipe.write_net(tmp_path / "net.safetensors", recipe.DenseLandmarkNet(), history="by a test", digest="none")
    shapes, metadata = read_header(tmp_path / "net.safetensors")
    assert shapes["mirror_order"] == (POINTS,)
    assert metadata["command"] == "by a test"
    assert "CC BY 4.0" in metadata["attribution"]
    assert (tmp_path / "net.safetensors").stat().st_size < 3_000_000


@pytest.mark.slow
def test_golden_people_kept_for_testing_are_not_trained_on(tmp_path):
    people = [f"person_{i}" for i in range(40)]
    write_sets(tmp_path, people)
    (tmp_path / "held_out.txt").write_text("person_1\n")
    for test in (False, True):
        for table in recipe.read_faces(tmp_path, tmp_path / "held_out.txt", test=test):
            assert set(table.people) == {p for p in people if (p == "person_1" or held_out(p)) == test}
            assert table.points.real.min() > 0


def write_sets(folder, people):
    """Three sets in the shared folder's files: one gray picture a person, all with the same points."""
    sides = {"press_faces_128": 128, "congress_faces_384": 384, "studio_originals": 300}
    for archive, side in sides.items():
        stem = archive.split("_")[0]
        stream = io.BytesIO()
        Image.new("RGB", (side, side), (90, 90, 90)).save(stream, "PNG")
        with zipfile.ZipFile(folder / f"{archive}.zip", "w") as pictures:
            for person in people:
                pictures.writestr(f"{person}.png", stream.getvalue())
        points = np.concatenate([made_points() * side * 8, np.zeros((POINTS, 1))], axis=1).astype(np.int16)
        labels = f"{stem}_originals_landmarks.npz" if stem == "studio" else f"{stem}_landmarks.npz"
        np.savez(
            folder / labels, files=np.array([f"{p}.png" for p in people]), landmarks=np.stack([points] * len(people))
        )
        with (folder / f"{stem}_faces.csv").open("w", newline="") as lines:
            writer = csv.DictWriter(lines, ["file", "person"])
            writer.writeheader()
            writer.writerows({"file": f"{p}.png", "person": p} for p in people)
