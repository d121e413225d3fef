"""A real browser on a real ComfyUI; without either, tests of this folder skip and say why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from comfy_host import Host, find_host, find_python, missing_from, start, stop

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="these tests drive a browser through the package playwright"
    )
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed; name one with CHROMIUM")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def host(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A running host with nothing but the pack."""
    place = find_host()
    python = None if place is None else find_python(place)
    if place is None or python is None:
        pytest.skip("no ComfyUI with a Python of its own; name them with COMFYUI_DIR and COMFYUI_PYTHON")
    missing = missing_from(python)
    if missing:
        pytest.skip(f"the host's Python lacks {', '.join(missing)}: run {python} -m pip install -r requirements.txt")
    running = start(place, python, tmp_path_factory.mktemp("comfy"))
    yield running
    stop(running)
