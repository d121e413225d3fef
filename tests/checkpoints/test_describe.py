"""What is expected about a generator file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from alias_free import make_alias_free
from foreign import rosinality_names
from nvidia_pickles import write_networks
from tiny import TINY, make_generator

from emogan_core.checkpoints import known, open_generator, write_generator
from emogan_core.checkpoints.describe import brief, described, summarised
from emogan_core.networks import Generator


def test_shape_every_fact_is_plain(tiny: Generator, tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    write_generator(path, tiny, half=True)
    facts = described(open_generator(path))
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["resolution"], facts["num_ws"], facts["w_dim"], facts["classes"]) == (32, 8, 16, 0)
    assert (facts["precision"], facts["w_avg"], facts["crop"]) == ("float16", "in the file", "tight")
    assert facts["parts"] == ["mapping", "synthesis", "encoder", "discriminator"]
    assert facts["sha256"] == known.sha256_of(path)
    assert facts["bytes"] == path.stat().st_size
    assert facts["notices"] == []
    assert facts["known_file"] is None


def test_shape_what_a_file_lacked_is_told(tiny: Generator, tmp_path: Path) -> None:
    torch.save({"g_ema": rosinality_names(tiny)}, tmp_path / "bare.pt")
    opened = open_generator(tmp_path / "bare.pt")
    facts = described(opened)
    assert facts["w_avg"] == "computed"
    assert facts["parts"] == ["mapping", "synthesis"]
    assert facts["precision"] == "read as float32"
    expected = "\n".join(summarised(opened, sha256="12ab"))
    assert "sha256: 12ab" in expected
    assert "note: the file lacks the average latent" in expected
    assert "no encoder: Invert Face optimises" in expected
    assert "licence: unknown" in expected
    assert f"fingerprint: {opened.generator.fingerprint}" in expected
    first = brief(opened, sha256="12ab")
    assert summarised(opened, sha256="12ab")[: len(first)] == first


def test_invariance_a_file_cannot_fake_a_line(tmp_path: Path) -> None:
    sly = make_generator(replace(TINY, name="mine\nlicence: Apache-2.0" + 999 * "x"), companions=False)
    write_generator(tmp_path / "sly.safetensors", sly, half=False)
    expected = brief(open_generator(tmp_path / "sly.safetensors"), sha256="")
    assert all(line.isprintable() and len(line) < 400 for line in expected)
    assert expected[1] == "licence: unknown"


def test_shape_clamp_of_a_pickle(tmp_path: Path) -> None:
    net = make_generator(replace(TINY, conv_clamp=256.0), companions=False)
    assert described(open_generator(write_networks(tmp_path / "net.pkl", net)))["conv_clamp"] == 256.0


def test_shape_known_files(tiny: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_networks(tmp_path / "net.pkl", tiny)
    one = known.KnownFile("Faces of 2020", "non-commercial")
    monkeypatch.setattr(known, "KNOWN", {known.sha256_of(path): one})
    facts = described(open_generator(path))
    assert (facts["known_file"], facts["licence"]) == ("Faces of 2020", "non-commercial")
    assert brief(open_generator(path), sha256=known.sha256_of(path))[0].startswith("Faces of 2020: stylegan2, 32 px")


def test_shape_classes(tmp_path: Path) -> None:
    write_generator(tmp_path / "net.safetensors", make_generator(replace(TINY, c_dim=3), companions=False), half=False)
    opened = open_generator(tmp_path / "net.safetensors")
    facts = described(opened)
    assert (facts["classes"], facts["conditioning"]) == (3, "embed")
    assert "classes: 0 to 2; Sample Faces needs one" in brief(opened, sha256="")


def test_shape_layers_of_stylegan3(tmp_path: Path) -> None:
    write_generator(tmp_path / "net.safetensors", make_alias_free(), half=False)
    facts = described(open_generator(tmp_path / "net.safetensors"))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["layout"]["num_layers"] == 6
    assert len(facts["layer_sides"]) == len(facts["layer_rates"]) == len(facts["layer_cutoffs"]) == 7
    assert (facts["layer_sides"][-1], facts["layer_rates"][-1], facts["layer_cutoffs"][-1]) == (32, 32, 16.0)
