"""The frame in which a generator draws faces: what its file tells, else where it draws the average face."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from ..devices import gradients_off
from ..errors import FaceError
from ..images import photo_from_tensor
from ..networks.build import Generator
from ..networks.sampling import sampled
from .align import FRAMES, frame_quad
from .drawn import drawn_face
from .find import MIN_SCORE

USUAL = "ffhq"  # of nearly all published networks of faces
NEAR = 0.12  # of a side: how far corners may lie from the frame's; the frames differ by .25 and more
_FOUND: WeakKeyDictionary[Generator, str | None] = WeakKeyDictionary()


def frame_of(generator: Generator) -> str:
    """ "tight" or "ffhq": the frame that its file tells, else the one in which its average face lies, else "ffhq"."""
    return generator.spec.crop or drawn_frame(generator) or USUAL


def drawn_frame(generator: Generator) -> str | None:
    """The frame in which a generator's average face lies, None where that is no face or lies in neither.

    Looked for once for each generator, by drawing one picture.
    """
    if generator not in _FOUND:
        _FOUND[generator] = _looked_for(generator)
    return _FOUND[generator]


def _looked_for(generator: Generator) -> str | None:
    average = sampled(generator, 1, psi=0.0, seed=0, label=0 if generator.spec.c_dim else None)
    with gradients_off():
        drawn = generator.synthesis(average.ws.to(generator.device)).float().cpu()
    if not np.isfinite(drawn.numpy()).all():  # refused in words where pictures are wanted
        return None
    face = drawn_face(photo_from_tensor(drawn.clamp(-1, 1)))
    side = drawn.shape[-1]
    whole = side * np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    try:
        off = {frame: np.abs(frame_quad(face.landmarks, frame) - whole).max() / side for frame in FRAMES}
    except FaceError:
        return None
    nearest = min(off, key=lambda frame: off[frame])
    return nearest if face.score >= MIN_SCORE and off[nearest] < NEAR else None
