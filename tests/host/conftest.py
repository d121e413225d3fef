"""One ComfyUI for all tests of this folder; without one they skip and say why."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from alias_free import make_alias_free
from comfy_folders import edit_graph, filled_folder
from comfy_host import Graph, Host, find_host, find_python, missing_from, start, stop
from foreign import rosinality_names
from foreign_encoders import encoder_shapes, filled
from likeness_files import write_networks as write_likeness
from nvidia_pickles import write_networks
from tiny import TINY, make_generator
from tiny_models import portrait

from emogan_core.checkpoints import write_generator
from emogan_core.faces import choose_face, dense_landmarks


@pytest.fixture(scope="session")
def installed() -> tuple[Path, Path]:
    """ComfyUI's folder and its Python, or a skip that says what is missing."""
    pytest.importorskip("websocket", reason="these tests talk to ComfyUI through the package websocket-client")
    place = find_host()
    if place is None:
        named = os.environ.get("COMFYUI_DIR", "~/ComfyUI or ~/comfy/ComfyUI")
        pytest.skip(f"no ComfyUI in {named}; name its folder with COMFYUI_DIR")
    python = find_python(place)
    if python is None:
        pytest.skip(f"no .venv or venv in {place}; name the host's Python with COMFYUI_PYTHON")
    missing = missing_from(python)
    if missing:
        pytest.skip(f"the host's Python lacks {', '.join(missing)}: run {python} -m pip install -r requirements.txt")
    return place, python


@pytest.fixture(scope="session")
def host(installed: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A running host whose folders hold tiny models, generators of other programs and a portrait."""
    folder = filled_folder(tmp_path_factory.mktemp("comfy"))
    write_foreign(folder / "elsewhere" / "gans")
    write_landmarks(folder)
    (folder / "models/emotiongan_likeness").mkdir(parents=True)
    write_likeness(folder / "models/emotiongan_likeness")
    running = start(*installed, folder, extra={"stylegan": str(folder / "elsewhere" / "gans")})
    yield running
    stop(running)


@pytest.fixture(scope="session")
def half_host(installed: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One that keeps pictures in float16 between nodes."""
    folder = filled_folder(tmp_path_factory.mktemp("half"))
    running = start(*installed, folder, arguments=["--fp16-intermediates"])
    yield running
    stop(running)


def write_foreign(folder: Path) -> None:
    """Generators of other programs, in a folder that only extra_model_paths.yaml names."""
    (folder / "animals").mkdir(parents=True)
    torch.save({"g_ema": rosinality_names(make_generator(companions=False))}, folder / "faces.pt")
    breeds = make_generator(replace(TINY, c_dim=3, name="breeds"), companions=False)
    write_generator(folder / "animals" / "breeds.safetensors", breeds, half=False)
    for name in ("stylegan1", "stylegan2-resnet", "stylegan2-orig"):
        net = make_generator(replace(TINY, architecture=name, name=name), companions=False)
        write_generator(folder / f"{name}.safetensors", net, half=False)
    write_generator(folder / "stylegan3.safetensors", make_alias_free(), half=False)
    write_networks(folder / "ada.pkl", make_generator(companions=False))
    e4e = {f"decoder.{name}": tensor for name, tensor in rosinality_names(make_generator(companions=False)).items()}
    e4e |= {f"encoder.{name}": tensor for name, tensor in filled(encoder_shapes(w_dim=TINY.w_dim), seed=1).items()}
    average = make_generator().w_avg.repeat(TINY.num_ws, 1)
    opts = {"encoder_type": "Encoder4Editing", "start_from_latent_avg": True}
    torch.save({"state_dict": e4e, "latent_avg": average, "opts": opts}, folder / "e4e.pt")
    sly = make_generator(replace(TINY, name="![x](https://example.org/x.png)<img src=x onerror=alert(1)>"))
    write_generator(folder / "sly.safetensors", sly, half=False)
    (folder / "hostile.pkl").write_bytes(b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.")
    (folder / "readme.txt").write_text("no generator", encoding="utf-8")


TEST_NODES = """
import importlib
import json
import sys
import numpy as np
import torch
import folder_paths
from comfy_api.latest import ComfyExtension, io

class TestLandmarks(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        outputs = [io.Custom("FACE_LANDMARKS").Output("face_landmarks")]
        return io.Schema(node_id="TestLandmarks", inputs=[io.String.Input("name")], outputs=outputs)

    @classmethod
    def execute(cls, name):
        with open(folder_paths.get_annotated_filepath(name)) as file:
            content = json.load(file)
        for face in (face for faces in content["frames"] for face in faces):
            face["landmarks_xy"] = np.array(face["landmarks_xy"], dtype=np.float32)
        return io.NodeOutput(content)

class TestAnything(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="TestAnything", inputs=[], outputs=[io.AnyType.Output("anything")])

    @classmethod
    def execute(cls):
        return io.NodeOutput("a text")

class TestFullMemory(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        inputs = [io.Custom("EMOTIONGAN_GENERATOR").Input("generator"), io.Int.Input("times"), io.String.Input("error")]
        return io.Schema(node_id="TestFullMemory", inputs=inputs, outputs=[io.String.Output("tries")])

    @classmethod
    def execute(cls, generator, times, error):
        nodes = type(generator).__module__.rpartition(".")[0]
        host, sentences = (importlib.import_module(f"{nodes}.{name}") for name in ("host", "sentences"))
        loaded = []

        def work(network):
            import comfy.model_management
            loaded.append(len(comfy.model_management.current_loaded_models))
            if len(loaded) <= times:
                raise {"OutOfMemoryError": torch.OutOfMemoryError, "MemoryError": MemoryError,
                       "RuntimeError": RuntimeError, "ValueError": ValueError}[error.split(":")[0]](error)
            return network

        sentences.in_one_sentence(host.at_work)(generator, work, bytes_needed=300 * 2**20)
        return io.NodeOutput(str(loaded))

class TestNodes(ComfyExtension):
    async def get_node_list(self):
        return [TestLandmarks, TestAnything, TestFullMemory]

def comfy_entrypoint():
    return TestNodes()
"""
"""A node that gives FACE_LANDMARKS as the host's own does, which needs a model that is not here; one whose output may be
anything; and one whose work finds the memory full a number of times."""


def write_landmarks(folder: Path) -> None:
    """Those nodes, and files for the first: the portrait's own landmarks whole, without irises and moved, and none."""
    pack = folder / "custom_nodes" / "test_nodes"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text(TEST_NODES, encoding="utf-8")
    points = dense_landmarks(portrait(), choose_face(portrait()))
    cases = {"portrait": [points], "portrait_468": [points[:468]], "portrait_moved": [points + 6.0], "none": []}
    for name, faces in (cases | {"larger": [points]}).items():
        side = 512 if name == "larger" else 256
        content = {
            "frames": [[{"landmarks_xy": face.tolist()} for face in faces]],
            "image_size": [side, side],
            "connection_sets": {},
        }
        (folder / f"input/{name}.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def graph() -> Graph:
    """A photo edited with the tiny models, saved; its mask and its redrawn face shown."""
    return edit_graph()
