"""Files of other kinds: each is called what it is, and what was needed instead is said."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import pytest
import torch
from tiny import make_generator
from torch import nn

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.kinds import kind_of_names, kind_of_start
from emogan_core.checkpoints.pickles import kind_of_module
from emogan_core.errors import CheckpointError
from emogan_core.weights import write_tensors

NAMES: dict[str, tuple[list[str], str]] = {
    "lora": (["lora_unet_down_blocks_0.lora_up.weight", "lora_unet_down_blocks_0.alpha"], "a LoRA"),
    "lora of diffusers": (["transformer.blocks.0.attn.lora_A.weight"], "a LoRA"),
    "checkpoint": (
        ["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.x"],
        "such as Stable Diffusion",
    ),
    "unet": (["down_blocks.0.x.weight", "mid_block.x.weight", "time_embedding.linear_1.weight"], "U-Net"),
    "flux": (["double_blocks.0.img_attn.qkv.weight"], "Flux"),
    "vae": (["encoder.conv_in.weight", "decoder.conv_in.weight", "decoder.conv_out.weight"], "autoencoder (VAE)"),
    "controlnet": (["control_model.time_embed.0.weight"], "a ControlNet"),
    "clip": (["text_model.encoder.layers.0.mlp.fc1.weight"], "CLIP"),
    "inversion": (["emb_params"], "textual inversion"),
    "face parser": (["cp.resnet.conv1.weight", "ffm.convblk.conv.weight"], "a face parser"),
    "gfpgan": (["stylegan_decoder.style_mlp.1.weight"], "GFPGAN"),
    "esrgan": (["body.0.rdb1.conv1.weight"], "an ESRGAN"),
    "lpips": (["lin0.model.1.weight"], "LPIPS"),
    "discriminator of nvidia": (["b4.fc.weight", "b4.out.weight", "b64.conv0.weight"], "a discriminator"),
    "discriminator of rosinality": (["convs.0.0.weight", "final_linear.1.weight"], "a discriminator"),
    "discriminator of genforce": (["input0.weight", "layer0.weight"], "a discriminator"),
    "progressive": (["layer0.weight", "output0.weight", "lod"], "a Progressive GAN"),
    "optimiser": (["state", "param_groups"], "the state of an optimiser"),
    "arcface": (["input_layer.0.weight", "body.0.res_layer.1.weight", "output_layer.3.weight"], "a face recogniser"),
    "mapper": (["mapper.course_mapping.0.weight"], "StyleCLIP"),
    "stylegan3": (["decoder.synthesis.input.affine.weight", "encoder.body.0.x"], "a StyleGAN3 without the settings"),
}


@pytest.mark.parametrize("case", sorted(NAMES))
def test_error_weights_of_other_kinds_are_named(case: str, tmp_path: Path) -> None:
    names, expected = NAMES[case]
    tensors = {name: torch.zeros(2) for name in names}
    files = {"bare.pt": tensors, "inside.pth": {"state_dict": tensors}, "raw.safetensors": tensors}
    for name, content in files.items():
        path = tmp_path / name
        if path.suffix == ".safetensors":
            write_tensors(path, tensors, {"format": "pt"})
        else:
            torch.save(content, path)
        with pytest.raises(CheckpointError) as caught:
            load_generator(path)
        assert str(caught.value).startswith(name)
        assert expected in str(caught.value)
        assert "needed" in str(caught.value)


def test_error_encoders_without_their_generator(tmp_path: Path) -> None:
    path = tmp_path / "encoder.pt"
    names = ("input_layer.0.weight", "body.0.res_layer.1.weight", "styles.0.linear.weight")
    torch.save({"state_dict": {f"encoder.{name}": torch.zeros(2) for name in names}, "opts": {}}, path)
    with pytest.raises(CheckpointError, match=r"an encoder \(pSp, e4e\) without its generator"):
        load_generator(path)


def test_error_files_of_our_own_kinds(tmp_path: Path) -> None:
    for form, expected in (("emogan-axes", "expression axes; give it as axes"), ("emotiongan-latent-1", "a latent")):
        path = tmp_path / "ours.safetensors"
        write_tensors(path, {"x": torch.zeros(2)}, {"format": form})
        with pytest.raises(CheckpointError, match=f"is not a generator but .*{expected}"):
            load_generator(path)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"\xff\xd8\xff\xe0", "is a picture"),
        (b"<!DOCTYPE html><title>Quota exceeded</title>", "is a web page, so the download did not work"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d", "a pointer of git-lfs"),
        (b"\x1f\x8b\x08\x00", "a packed archive"),
        (b"\x93NUMPY\x01\x00v\x00", "a numpy array"),
        (b"\x08\x07\x12\x07pytorch\x1a\x051.9.0", "an ONNX network"),
        (b"GGUF\x03\x00\x00\x00", "GGUF"),
        (b'{"latent": [1, 2]}', "a text file with settings"),
        (b"0123456789", "no generator file known here (it starts with b'0123')"),
    ],
)
def test_error_other_files_by_their_first_bytes(start: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(start)
    with pytest.raises(CheckpointError) as caught:
        load_generator(path)
    assert str(caught.value).startswith("ffhq.pkl ")
    assert expected in str(caught.value)
    assert "needed a StyleGAN generator" in str(caught.value)


def object_of(module: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """An instance of a class of a module that is not there when the file is read."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    kind = type("Thing", (), {"__module__": module})
    monkeypatch.setattr(sys.modules[module], "Thing", kind, raising=False)
    return kind()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sklearn.svm._classes", "a scikit-learn model"),
        ("joblib.numpy_pickle", "a file of joblib"),
        ("pytorch_lightning.callbacks", "PyTorch Lightning, such as a .ckpt of Stable Diffusion"),
        ("omegaconf.listconfig", "OmegaConf"),
        ("model.stylegan", "save its state_dict() there instead"),
    ],
)
@pytest.mark.parametrize("write", ["pickle", "torch"])
def test_error_objects_of_programs_are_named(
    module: str, expected: str, write: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pkl"
    with monkeypatch.context() as patched:
        content = {"state_dict": {}, "callbacks": [object_of(module, patched)]}
        path.write_bytes(pickle.dumps(content)) if write == "pickle" else torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"^model\.pkl: ") as caught:
        load_generator(path)
    assert f"refused '{module}.Thing' at byte" in str(caught.value)
    assert expected in str(caught.value)


def test_error_a_module_saved_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(CheckpointError, match=r"refused 'torch\.nn.*save its state_dict\(\) there instead"):
        load_generator(path)


def test_invariance_generators_are_nothing_else() -> None:
    names = make_generator().state_dict()
    assert kind_of_names(name for name in names if not name.startswith("discriminator")) is None
    assert kind_of_start(b"\x80\x04\x95") is None
    assert kind_of_start(b"PK\x03\x04") is None
    assert kind_of_module("os.system") is None
