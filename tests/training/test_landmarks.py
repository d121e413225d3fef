"""The landmark net's recipe on made-up faces: views keep their points, and an interrupted run ends like a whole one."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.training import landmarks as recipe
from emogan_core.training.landmark_views import FaceTable, ViewConfig, draw_views

CLEAN = ViewConfig(negatives=0.0, gray=0.0, jpeg=0.0, photographed=False)


def dotted_faces(n=6):
    """Gray squares with one white dot at the 'left eye', so that points can be checked in the drawn views."""
    images = torch.full((n, 3, 64, 64), 60, dtype=torch.uint8)
    images[:, :, 20:24, 20:24] = 255
    points = torch.tensor([[22.0, 22.0], [44.0, 22.0], [32.0, 36.0], [24.0, 48.0], [40.0, 48.0]]) / 64
    return FaceTable(images, points.expand(n, 5, 2), torch.tensor([[20.0, 5.0]]).expand(n, 2))


def test_golden_points_land_on_what_they_mark(rng):
    faces = dotted_faces(64)
    black = torch.zeros(4, 3, 64, 64, dtype=torch.uint8)
    config = replace(CLEAN, shift=0.05, side=(1.0, 1.3), inset=0.01)
    views = draw_views(faces, black, torch.arange(64), config=config, rng=rng)
    assert views.is_face.all()
    mirrored = views.angles_deg[:, 0] < 0
    assert 10 < mirrored.sum() < 54
    torch.testing.assert_close(views.angles_deg.abs(), faces.angles_deg)
    for image, points, swapped in zip(views.images, views.landmarks, mirrored, strict=True):
        x, y = points[1 if swapped else 0].tolist()  # the dot is the other eye once the picture is mirrored
        assert image[0, int(y), int(x)] > 0.5
        assert points[0, 0] < points[1, 0] or abs(points[0, 1] - points[1, 1]) > 5


def test_invariance_views_follow_their_seed():
    def one(seed):
        rng = torch.Generator().manual_seed(seed)
        return draw_views(
            dotted_faces(), recipe.read_textures(rng=rng, count=6), torch.arange(6), config=ViewConfig(), rng=rng
        )

    torch.testing.assert_close(one(3).images, one(3).images)
    assert not torch.equal(one(3).images, one(4).images)


@pytest.mark.slow
def test_invariance_interrupted_run_ends_the_same(tmp_path, monkeypatch):
    config = recipe.TrainConfig(steps=4, batch=4, save_every=2)
    whole, _ = recipe.train([dotted_faces()], config=config, state=tmp_path / "whole.safetensors")

    real = recipe.lr_at

    def interrupting(step, **settings):
        if step == 3:
            raise KeyboardInterrupt
        return real(step, **settings)

    monkeypatch.setattr(recipe, "lr_at", interrupting)
    with pytest.raises(KeyboardInterrupt):
        recipe.train([dotted_faces()], config=config, state=tmp_path / "cut.safetensors", command="begin")
    monkeypatch.setattr(recipe, "lr_at", real)
    resumed, history = recipe.train(
        [dotted_faces()], config=config, state=tmp_path / "cut.safetensors", command="finish"
    )
    assert history == "from step 0: begin, then from step 2: finish"
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, msg=name)


@pytest.mark.slow
def test_golden_command_writes_weights_that_name_their_data(tmp_path, capsys):
    (tmp_path / "faces").mkdir()
    rng = np.random.default_rng(0)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        columns = [f"{name}_{axis}" for name in recipe.NAMES for axis in "xy"]
        writer = csv.writer(file)
        writer.writerow(["file", "person", *columns, "yaw_deg", "pitch_deg"])
        for index in range(40):
            Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "faces" / f"{index}.png")
            writer.writerow([f"{index}.png", f"person {index}", 28, 28, 55, 28, 40, 45, 30, 60, 50, 60, 0, 0])
    held_out = [recipe.held_out(f"person {index}") for index in range(40)]
    assert 0 < sum(held_out) < 15
    output = tmp_path / "net.safetensors"
    state = tmp_path / "state.safetensors"
    where = ["--faces", str(tmp_path / "faces"), "--labels", str(tmp_path / "labels.csv")]
    written = ["--output", str(output), "--state", str(state)]
    recipe.main([*where, *written, "--steps", "2", "--threads", str(torch.get_num_threads())])
    tensors, metadata = recipe.read_tensors(output)
    recipe.LandmarkNet().load_state_dict(tensors)
    assert "labels.csv" in metadata["data_sha256"]
    assert "points_percent" in metadata["held_out"]
    assert str(tmp_path) not in " ".join(metadata.values())
    assert "step 2/2" in capsys.readouterr().out
