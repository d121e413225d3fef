"""The frame of a generator whose file does not tell it: by where it draws the average face."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import make_generator

from emogan_core.faces import FRAMES, choose_face, crop_of, cut, frame_of
from emogan_core.images import open_photo
from emogan_core.networks import build_generator, tensors_of
from emogan_core.weights import builtin_path


def untold(**what):
    net = make_generator()
    return build_generator(replace(net.spec, crop="", **what), tensors_of(net))


@pytest.mark.parametrize("frame", FRAMES)
def test_golden_the_frame_is_found_from_the_average_face(frame, monkeypatch):
    photo = open_photo(builtin_path("examples") / "composite_f_multi.jpg")
    picture = cut(photo, crop_of(choose_face(photo), frame), 64)
    net = untold()
    monkeypatch.setattr(net.synthesis, "forward", lambda ws: picture)
    assert frame_of(net) == frame
    monkeypatch.setattr(net.synthesis, "forward", lambda ws: picture * float("nan"))
    assert frame_of(net) == frame  # looked for once


def test_golden_what_a_file_tells_is_taken_and_no_face_is_the_usual_frame():
    net = make_generator()
    assert frame_of(build_generator(replace(net.spec, crop="tight"), tensors_of(net))) == "tight"
    assert frame_of(untold()) == "ffhq"


def test_golden_numbers_that_are_none_are_the_usual_frame(monkeypatch):
    net = untold()
    monkeypatch.setattr(net.synthesis, "forward", lambda ws: torch.full((1, 3, 32, 32), float("nan")))
    assert frame_of(net) == "ffhq"
