"""`emogan convert`: every bit kept, origin told, nothing written over or half written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import genforce_names, rosinality_names
from tiny import TINY, make_generator

from emogan_core import cli
from emogan_core.checkpoints import known, load_generator, write_generator
from emogan_core.networks import Generator, build_generator, tensors_of
from emogan_core.weights import read_header


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(replace(TINY, name="unnamed"), companions=False)


@pytest.fixture
def checkpoint(net: Generator, tmp_path: Path) -> Path:
    path = tmp_path / "faces.pt"
    torch.save({"g_ema": rosinality_names(net), "latent_avg": net.w_avg}, path)
    return path


def test_invariance_a_converted_file_draws_the_same(checkpoint: Path, net: Generator, tmp_path: Path, capsys) -> None:
    out = tmp_path / "faces.safetensors"
    assert cli.main(["convert", str(checkpoint), str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    again, first = load_generator(out), load_generator(checkpoint)
    assert again.fingerprint == first.fingerprint == said["fingerprint"] == net_fingerprint(net)
    assert said["same_fingerprint"] is True
    for name, tensor in tensors_of(first).items():
        assert torch.equal(tensors_of(again)[name], tensor), name
    _, notes = read_header(out)
    assert notes["source_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert (notes["architecture"], notes["crop"], notes["precision"]) == ("stylegan2", "not told", "float32")
    assert (notes["resolution"], notes["w_dim"], notes["num_ws"], notes["classes"]) == ("32", "16", "8", "0")
    assert notes["conv_clamp"] == "none"
    assert "ask whoever" in notes["licence"]
    assert again.spec.name == "faces"


def test_golden_info_says_which_crop_is_taken_where_a_file_tells_none(checkpoint: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "faces.safetensors"
    assert cli.main(["convert", str(checkpoint), str(out), "--crop", "tight"]) == 0
    capsys.readouterr()
    for path, crop in ((checkpoint, "ffhq"), (out, "tight")):
        assert cli.main(["info", str(path), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["crop"] == crop
        assert any("does not tell the crop; 'ffhq' is taken" in note for note in said["notices"]) == (
            path == checkpoint
        )


def net_fingerprint(net: Generator) -> str:
    core = {name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("statistics")}
    return build_generator(replace(net.spec, crop="ffhq"), core).fingerprint


def test_shape_half_is_half_as_large_and_says_so(net: Generator, tmp_path: Path, capsys) -> None:
    source, out = tmp_path / "faces.pth", tmp_path / "half.safetensors"
    torch.save({"generator_smooth": genforce_names(net)}, source)
    assert cli.main(["convert", str(source), str(out), "--fp16"]) == 0
    assert "rounding changed the fingerprint" in capsys.readouterr().out
    assert out.stat().st_size < 0.6 * source.stat().st_size
    again = load_generator(out)
    ws = net.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(again.synthesis(ws), net.synthesis(ws), atol=0.05, rtol=0)


def test_shape_our_own_notes_are_kept(net: Generator, tmp_path: Path) -> None:
    source, out = tmp_path / "ours.safetensors", tmp_path / "again.safetensors"
    write_generator(source, net, half=False, notes={"data": "faces of nobody"})
    assert cli.main(["convert", str(source), str(out)]) == 0
    assert read_header(out)[1]["data"] == "faces of nobody"
    assert load_generator(out).fingerprint == net.fingerprint


def test_shape_frame_and_terms_can_be_told(checkpoint: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "told.safetensors"
    assert cli.main(["convert", str(checkpoint), str(out), "--crop", "tight", "--licence", "CC0", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["crop"], said["licence"]) == ("tight", "CC0")
    assert load_generator(out).spec.crop == "tight"


def test_shape_the_first_source_is_remembered(checkpoint: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    assert cli.main(["convert", str(checkpoint), str(first)]) == 0
    assert cli.main(["convert", str(first), str(second), "--fp16"]) == 0
    notes = read_header(second)[1]
    assert notes["original_sha256"] == known.sha256_of(checkpoint)
    assert notes["source_sha256"] == known.sha256_of(first)


def test_shape_what_the_source_lacked_is_said_and_kept(net: Generator, tmp_path: Path, capsys) -> None:
    source, out = tmp_path / "bare.pt", tmp_path / "bare.safetensors"
    torch.save({"g_ema": rosinality_names(net)}, source)
    assert cli.main(["convert", str(source), str(out), "--json"]) == 0
    printed = capsys.readouterr()
    assert "lacks the average latent" in json.loads(printed.out)["notices"][0]
    assert printed.err == ""
    assert "lacks the average latent" in read_header(out)[1]["source_notices"]


def test_shape_known_files_get_their_name_and_terms(checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    sha256 = known.sha256_of(checkpoint)
    monkeypatch.setattr(known, "KNOWN", {sha256: known.KnownFile("Faces of 2020", "non-commercial")})
    out = tmp_path / "out.safetensors"
    assert cli.main(["convert", str(checkpoint), str(out)]) == 0
    spec = load_generator(out).spec
    assert (spec.name, spec.licence) == ("Faces of 2020", "non-commercial")


def test_error_every_refusal_is_one_sentence_and_writes_nothing(checkpoint: Path, tmp_path: Path, capsys) -> None:
    text = tmp_path / "text.pt"
    text.write_text("no weights")
    big = torch.load(checkpoint, weights_only=True)
    big["g_ema"]["style.1.weight"] = big["g_ema"]["style.1.weight"] * 1e6
    torch.save(big, tmp_path / "big.pt")
    ours = tmp_path / "ours.safetensors"
    assert cli.main(["convert", str(checkpoint), str(ours)]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    for words, reason in (
        ((checkpoint, tmp_path / "out.pt"), "use a name in .safetensors"),
        ((ours, ours), "the input itself"),
        ((checkpoint, tmp_path / "no" / "out.safetensors"), "does not exist"),
        ((text, tmp_path / "out.safetensors"), "text.pt"),
        ((tmp_path / "none.pt", tmp_path / "out.safetensors"), "none.pt"),
        ((tmp_path, tmp_path / "out.safetensors"), str(tmp_path)),
        ((tmp_path / "big.pt", tmp_path / "out.safetensors", "--fp16"), "leave fp16 away"),
        ((checkpoint,), "OUT.safetensors"),
        ((checkpoint, tmp_path / "out.safetensors", "--crop", "square"), "ffhq"),
    ):
        assert cli.main(["convert", *map(str, words)]) == 2
        printed = capsys.readouterr()
        assert reason in printed.err
        assert printed.err.count("\n") == 1
        assert printed.out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_shape_known_hashes_are_hashes() -> None:
    for sha256, file in known.KNOWN.items():
        assert len(bytes.fromhex(sha256)) == 32
        assert file.name
        assert file.licence
        assert known.recognise(sha256) is file
    assert known.recognise("0" * 64) is None
