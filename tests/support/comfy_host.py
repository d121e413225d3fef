"""A real ComfyUI for tests: found on this machine, started on loopback in a folder of its own, talked to over HTTP."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
RUN_SECONDS = 120


def find_host() -> Path | None:
    """ComfyUI's folder: what COMFYUI_DIR says, else the usual places."""
    named = os.environ.get("COMFYUI_DIR")
    places = [Path(named)] if named else [Path.home() / "ComfyUI", Path.home() / "comfy" / "ComfyUI"]
    return next((place for place in places if (place / "main.py").is_file()), None)


def find_python(host: Path) -> Path | None:
    """The host's own Python: what COMFYUI_PYTHON says, else that of a virtual environment in its folder."""
    named = os.environ.get("COMFYUI_PYTHON")
    inside = ("bin/python", "Scripts/python.exe")
    places = [Path(named)] if named else [host / venv / path for venv in (".venv", "venv") for path in inside]
    return next((place for place in places if place.exists()), None)


def missing_from(python: Path) -> list[str]:
    """Our requirements that the host's Python lacks."""
    script = (
        "from importlib.util import find_spec; import json; "
        "print(json.dumps([m for m in ('torch', 'skimage', 'sklearn', 'safetensors') if find_spec(m) is None]))"
    )
    done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True)
class Graph:
    """A prompt in API format, by node name."""

    nodes: dict[str, dict[str, Any]]

    def with_node(self, name: str, kind: str, /, **inputs: Any) -> Graph:
        """One node more, or another in the place of one; a link is [name, output]."""
        return replace(self, nodes=self.nodes | {name: {"class_type": kind, "inputs": inputs}})

    def with_inversion(self, name: str, *, of: str, method: str, steps: int) -> Graph:
        """The largest face of the node `of`, inverted with the node `generator`."""
        links: dict[str, Any] = {"image": [of, 0], "generator": ["generator", 0]}
        return self.with_node(name, "EmotionGAN_InvertFace", **links, face=0, method=method, steps=steps)

    def with_inputs(self, name: str, /, **inputs: Any) -> Graph:
        """The same graph with some inputs of one node changed."""
        node = json.loads(json.dumps(self.nodes[name]))
        node["inputs"] |= inputs
        return replace(self, nodes=self.nodes | {name: node})


@dataclass
class Run:
    """What came of one prompt: outputs by node, and which nodes ran or were taken from the cache."""

    outputs: Mapping[str, Any]
    status: str
    messages: Mapping[str, Any]
    ran: set[str] = field(default_factory=set)
    cached: set[str] = field(default_factory=set)
    progress: list[tuple[str, int, int]] = field(default_factory=list)
    previews: int = 0
    interrupted_after: float | None = None

    @property
    def told(self) -> dict[str, str]:
        """The texts that nodes show on themselves, as the page gets them."""
        return {node: out["emotiongan_told"][0] for node, out in self.outputs.items() if "emotiongan_told" in out}

    @property
    def error(self) -> str:
        return str(self.messages.get("execution_error", {}).get("exception_message", ""))


class Host:
    """A running ComfyUI."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.address = f"127.0.0.1:{port}"
        self.log_at_start = ""

    @property
    def log(self) -> str:
        return (self.folder / "host.log").read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, **query: str) -> bytes:
        with urlopen(f"http://{self.address}{path}?{urlencode(query)}", timeout=60) as answer:
            return bytes(answer.read())

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        request = Request(
            f"http://{self.address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=60) as answer:
                text = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{path} was refused: {error.read().decode()[:2000]}") from error
        return json.loads(text) if text else None

    def queue(self, prompt: Mapping[str, Any], *, front: bool = False) -> str:
        """Queue a prompt, at the end or in front of all that wait, and give its number back at once."""
        said = self.post("/prompt", {"prompt": prompt, "front": front})
        assert not said["node_errors"], said
        return str(said["prompt_id"])

    def ended(self, number: str) -> Run:
        """The run of a queued prompt, waited for."""
        deadline = time.monotonic() + RUN_SECONDS
        while number not in self.get_json(f"/history/{number}"):
            assert time.monotonic() < deadline, f"prompt {number} did not end within {RUN_SECONDS} s"
            time.sleep(0.05)
        run = Run(outputs={}, status="", messages={})
        self._complete(run, number)
        return run

    def memory_bytes(self) -> int:
        """The resident memory of the host's process, on Linux."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def run(self, prompt: Mapping[str, Any], *, interrupt_when: Callable[[Run], bool] | None = None) -> Run:
        """Queue a prompt in API format and wait until it is done, or cancel it at a chosen moment."""
        from websocket import WebSocket  # the package websocket-client

        run = Run(outputs={}, status="", messages={})
        client = uuid.uuid4().hex
        with closing(WebSocket()) as ws:
            ws.connect(f"ws://{self.address}/ws?clientId={client}", timeout=RUN_SECONDS)
            said = self.post("/prompt", {"prompt": prompt, "client_id": client})
            assert not said["node_errors"], said  # which the host answers where a part of the prompt can run
            number = said["prompt_id"]
            asked_at: float | None = None
            while not self._note(run, ws.recv(), number):
                if interrupt_when is not None and asked_at is None and interrupt_when(run):
                    self.post("/interrupt", {})
                    asked_at = time.monotonic()
            if asked_at is not None:
                run.interrupted_after = time.monotonic() - asked_at
        self._complete(run, number)
        return run

    def _complete(self, run: Run, number: str) -> None:
        """What the host's history says of a prompt that has ended."""
        entry = self._history(number)
        run.outputs, run.status = entry["outputs"], entry["status"]["status_str"]
        run.messages = {name: content for name, content in entry["status"]["messages"]}

    @staticmethod
    def _note(run: Run, message: str | bytes, number: str) -> bool:
        """Write one message down; True when the prompt has ended."""
        if isinstance(message, bytes):
            run.previews += 1
            return False
        content = json.loads(message)
        kind, data = content["type"], content["data"]
        if data.get("prompt_id") != number:
            return False
        if kind == "execution_cached":
            run.cached |= set(data["nodes"])
        elif kind == "executing" and data["node"] is not None:
            run.ran.add(data["node"])
        elif kind == "progress":
            run.progress.append((data["node"], data["value"], data["max"]))
        ended = kind in ("execution_error", "execution_interrupted", "execution_success")
        return ended or (kind == "executing" and data["node"] is None)

    def _history(self, number: str) -> Any:
        for _ in range(100):
            history = self.get_json(f"/history/{number}")
            if number in history and "status" in history[number]:
                return history[number]
            time.sleep(0.1)
        raise AssertionError(f"prompt {number} never came into the history")

    def pictures(self, run: Run, node: str) -> list[NDArray[np.uint8]]:
        """The pictures that a node shows or saved."""
        found = []
        for image in run.outputs[node]["images"]:
            place = {name: image[name] for name in ("filename", "subfolder", "type")}
            found.append(np.array(Image.open(io.BytesIO(self.get("/view", **place)))))
        return found


def workflow_prompt(host: Host, name: str, *, switched_on: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """A shipped workflow as ComfyUI's page would send it, and its nodes' numbers by title or type.

    Convention: nodes of the type `switched_on` are switched on.
    """
    converter = pytest.importorskip(
        "comfy_cli.workflow_to_api", reason="converting workflows needs the package comfy-cli"
    )
    workflow = json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    for node in workflow["nodes"]:
        if node["type"] == switched_on:
            node["mode"] = 0
    prompt: dict[str, Any] = converter.convert_ui_to_api(workflow, host.get_json("/object_info"))
    return prompt, {node.get("title", node["type"]): str(node["id"]) for node in workflow["nodes"]}


def start(
    host: Path,
    python: Path,
    folder: Path,
    *,
    extra: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Host:
    """Start ComfyUI with nothing but this pack, linked into a base folder of its own.

    `extra` goes into its extra_model_paths.yaml: folders by kind of model; `arguments` onto its command line.
    """
    for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if not (folder / "custom_nodes" / "emotiongan").exists():  # a host was here before
        (folder / "custom_nodes" / "emotiongan").symlink_to(ROOT, target_is_directory=True)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(python), str(host / "main.py"), "--cpu", "--listen", "127.0.0.1", "--port", str(port)]
    command += ["--base-directory", str(folder), "--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
    command += ["--disable-auto-launch", *arguments]
    if extra:
        (folder / "extra_model_paths.yaml").write_text(json.dumps({"elsewhere": dict(extra)}), encoding="utf-8")
        command += ["--extra-model-paths-config", str(folder / "extra_model_paths.yaml")]
    with (folder / "host.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    running = Host(process, port, folder)
    for _ in range(START_SECONDS * 2):
        if process.poll() is not None:
            raise AssertionError(f"ComfyUI ended while starting:\n{running.log[-4000:]}")
        try:
            running.get("/system_stats")
            running.log_at_start = running.log
            return running
        except (URLError, OSError):
            time.sleep(0.5)
    stop(running)
    raise AssertionError(f"ComfyUI did not answer within {START_SECONDS} s:\n{running.log[-4000:]}")


def stop(host: Host) -> None:
    """End the ComfyUI that `start` started."""
    host.process.terminate()
    try:
        host.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        host.process.kill()
        host.process.wait()
