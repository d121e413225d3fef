"""What importing the pack costs a host that has its own modules already, and that it does nothing but import."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from comfy_host import ROOT

pytestmark = pytest.mark.slow

MOST_SECONDS = 1.0  # of the processor, which other work on the machine does not lengthen much

SCRIPT = """
import importlib.util, json, os, sys, time
sys.argv = ["main.py", "--cpu"]
sys.path.insert(0, os.getcwd())
import comfy.options
comfy.options.enable_args_parsing()
import comfy.model_management, comfy.model_patcher, comfy.utils, folder_paths, server, torch, numpy, scipy, PIL, safetensors
from comfy_api.latest import ComfyExtension, io
seen = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING and not str(args[0]).startswith("/dev/"):
        seen.append([event, str(args[0])])
    elif event in ("os.mkdir", "os.remove", "os.rename", "socket.connect", "subprocess.Popen", "os.system"):
        seen.append([event, str(args[0])])
spec = importlib.util.spec_from_file_location("pack", sys.argv_pack + "/__init__.py", submodule_search_locations=[sys.argv_pack])
pack = importlib.util.module_from_spec(spec)
sys.modules["pack"] = pack
sys.dont_write_bytecode = True
sys.addaudithook(watch)
began = time.process_time()
spec.loader.exec_module(pack)
spent = time.process_time() - began
print(json.dumps({"spent": spent, "seen": seen, "cuda": torch.cuda.is_initialized()}))
"""


def test_invariance_importing_is_quick_and_does_nothing_else(installed: tuple[Path, Path]) -> None:
    place, python = installed
    script = SCRIPT.replace("sys.argv_pack", repr(str(ROOT)))
    told = []
    for _ in range(2):  # the first may have to compile what a later one reads
        done = subprocess.run([str(python), "-c", script], cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        told.append(json.loads(done.stdout.splitlines()[-1]))
    assert [(one["seen"], one["cuda"]) for one in told] == [([], False)] * 2
    assert min(one["spent"] for one in told) < MOST_SECONDS
