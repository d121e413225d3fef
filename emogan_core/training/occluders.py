"""What people hold before their mouths, drawn: fingers, fists, microphones, cups, scarves and masks, and pieces of anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What occluders are made of: a face's own skin [s, s, 3] in 0..255, other people's skins, and any pictures."""

    skin: Array
    skins: Sequence[Array]
    textures: Sequence[Array]


def covered(patch: Array, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A patch [s, s, 3] with something drawn before it, and where that lies, [s, s] in 0..1.

    Convention: `unit` is the distance between the eyes in px of the patch.
    """
    kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    colour, mask = kind(patch.shape[0], unit, around, rng)
    soft = ndimage.gaussian_filter(mask, rng.uniform(0.4, 1.3))
    shift = rng.normal(0, 0.06 * unit, 2)
    shadow = ndimage.shift(ndimage.gaussian_filter(mask, rng.uniform(0.03, 0.12) * unit), shift, order=1)
    dark = patch * (1 - rng.uniform(0, 0.5) * shadow[..., None])
    return np.clip(dark + (colour - dark) * soft[..., None], 0, 255), soft


def _fingers(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """One to four fingers side by side, round in the light, with creases, nails and dark gaps."""
    count = int(rng.integers(1, 5))
    width = unit * rng.uniform(0.22, 0.36)
    u, v = _turned(size, rng.uniform(0, 2 * np.pi), rng.normal(0, 0.22 * unit, 2))
    light, depth, gap = rng.uniform(-0.8, 0.8), rng.uniform(0.25, 0.75), rng.uniform(0.92, 1.12)
    mask, shade = np.zeros((size, size)), np.ones((size, size))
    pink = np.zeros((size, size))
    tip_at = -rng.uniform(0.3, 1.0) * unit
    for finger in range(count):
        middle = (finger - (count - 1) / 2 + rng.normal(0, 0.04)) * width * gap
        tip, bend = tip_at + rng.normal(0, 0.15) * unit, rng.normal(0, 0.12)
        half = width / 2 * (1 + 0.08 * np.sin(u / unit * 7 + rng.uniform(0, 6)))
        aside = (v - middle - bend * u**2 / unit / 2) / half
        before = np.clip(tip + half - u, 0, None) / half
        radius = np.hypot(aside, before)
        own = radius < 1
        lit = np.sqrt(np.clip(1 - radius**2, 0, 1))
        tone = 1 - depth * (1 - np.clip(lit * np.cos(light) + aside * np.sin(light), 0, 1))
        for joint in rng.uniform(0.4, 1.6, 2):
            crease = np.abs(u - tip - joint * unit * 0.7 + aside**2 * 2) < rng.uniform(0.4, 1.0)
            tone = tone * np.where(crease, rng.uniform(0.75, 0.95), 1)
        shade = np.where(own, tone, shade)
        mask = np.maximum(mask, own)
        if rng.random() < 0.4:
            nail = np.hypot(aside / 0.6, (u - tip - 0.55 * half * 2) / (0.75 * half)) < 1
            pink = np.where(nail & own, rng.uniform(0.05, 0.25), pink)
    colour = _skin(size, around, rng) * shade[..., None]
    return colour * (1 + pink[..., None] * (1.0, 0.7, 0.75)), mask


def _fist(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A fist or the back of a hand: a large round, or several knuckles in a row."""
    mask, height = np.zeros((size, size)), np.zeros((size, size))
    centre, along = rng.normal(0, 0.18 * unit, 2), rng.uniform(0, 2 * np.pi)
    count = int(rng.integers(1, 5))
    for knuckle in range(count):
        place = centre + (knuckle - (count - 1) / 2) * 0.33 * unit * np.array([np.cos(along), np.sin(along)])
        radius = unit * (rng.uniform(0.5, 0.95) if count == 1 else rng.uniform(0.22, 0.4))
        u, v = _turned(size, rng.uniform(0, np.pi), place)
        away = np.hypot(u / radius, v / radius / rng.uniform(0.6, 1.2))
        height = np.maximum(height, np.sqrt(np.clip(1 - away**2, 0, 1)))
        mask = np.maximum(mask, away < 1)
    u, v = _turned(size, rng.uniform(0, 2 * np.pi), centre)
    if rng.random() < 0.6:  # the arm or the rest of the hand
        arm = (np.abs(v) < unit * rng.uniform(0.4, 0.8)) & (u > 0)
        mask, height = np.maximum(mask, arm), np.maximum(height, arm * rng.uniform(0.4, 0.9))
    tone = 1 - rng.uniform(0.2, 0.7) * (1 - height)
    folds = 1 - rng.uniform(0, 0.12) * np.clip(np.sin(u / unit * rng.uniform(6, 25) + rng.uniform(0, 6)), 0, 1) ** 4
    return _skin(size, around, rng) * (tone * folds)[..., None], mask


def _microphone(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A round or oval head of foam or mesh, mostly dark, and its handle."""
    u, v = _turned(size, np.pi / 2 + rng.normal(0, 0.7), rng.normal(0, 0.2 * unit, 2))
    wide, tall = unit * rng.uniform(0.3, 0.6), unit * rng.uniform(0.35, 0.8)
    away = np.hypot(v / wide, u / tall)
    head, handle = away < 1, (u > 0) & (np.abs(v) < wide * rng.uniform(0.35, 0.9))
    tint = rng.uniform(10, 90) * np.ones(3) if rng.random() < 0.75 else rng.uniform(20, 230, 3)
    grain = rng.normal(0, rng.uniform(0.02, 0.35), (size, size))
    grain = ndimage.gaussian_filter(grain, rng.uniform(0.3, 0.9))
    lit = 1 + rng.uniform(0, 1.2) * np.exp(-((u + 0.3 * tall) ** 2 + (v - 0.3 * wide) ** 2) / (0.3 * unit) ** 2)
    colour = tint * np.clip((1 - 0.4 * np.clip(away, 0, 1) ** 2) * lit * (1 + grain), 0, 4)[..., None]
    return colour, (head | handle).astype(np.float64)


def _cup(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A cup, bottle or telephone: straight sides, one colour or a print, and a rim."""
    u, v = _turned(size, np.pi / 2 + rng.normal(0, 0.35), rng.normal(0, 0.25 * unit, 2))
    half, top = unit * rng.uniform(0.35, 0.9), -unit * rng.uniform(0.1, 0.6)
    rim = rng.uniform(0, 0.25) * half
    inside = (np.abs(v) < half) & (u > top - rim * np.sqrt(np.clip(1 - (v / half) ** 2, 0, 1)))
    tint = rng.uniform(15, 245, 3) if rng.random() < 0.5 else rng.uniform(15, 245) * np.ones(3)
    shade = 1 - rng.uniform(0, 0.5) * np.clip(v / half * rng.choice((-1, 1)), -0.3, 1)
    colour = tint * shade[..., None]
    if rng.random() < 0.5:
        band = (u > top + rng.uniform(0.1, 0.4) * unit) & (u < top + rng.uniform(0.5, 0.9) * unit)
        colour = np.where(band[..., None], rng.uniform(15, 245, 3) * shade[..., None], colour)
    edge = np.abs(u - top) < rng.uniform(0.5, 2.5)
    return np.where(edge[..., None], colour * rng.uniform(0.5, 1.4), colour), inside.astype(np.float64)


def _scarf(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A scarf or mask over everything below a line: plain, pleated, striped or of anything."""
    u, v = _turned(size, np.pi / 2 + rng.normal(0, 0.15), np.zeros(2))
    top = -unit * rng.uniform(0.15, 0.6) + rng.uniform(-0.3, 0.3) * v**2 / unit
    tint = rng.uniform(10, 250, 3) if rng.random() < 0.6 else rng.uniform(10, 250) * np.ones(3)
    waves = u * rng.uniform(-1, 1) + v * rng.uniform(-1, 1) + rng.uniform(0, 0.3) * v**2 / unit
    folds = 1 + rng.uniform(0, 0.35) * np.sin(waves / unit * rng.uniform(4, 30))
    colour = tint * folds[..., None]
    if rng.random() < 0.35:
        stripes = np.sin((u * rng.normal() + v * rng.normal()) / unit * rng.uniform(5, 25)) > 0
        colour = np.where(stripes[..., None], colour, rng.uniform(10, 250, 3) * folds[..., None])
    shade = 1 - rng.uniform(0, 0.5) * np.abs(v) / unit
    return colour * np.clip(shade, 0.2, 1)[..., None], (u > top).astype(np.float64)


def _anything(size: int, unit: float, around: Around, rng: Rng) -> tuple[Array, Array]:
    """A round or straight piece of any picture."""
    texture = around.textures[int(rng.integers(len(around.textures)))]
    side = int(rng.integers(size // 3, min(texture.shape[:2])))
    top, left = (int(rng.integers(0, limit - side + 1)) for limit in texture.shape[:2])
    rows = np.linspace(0, side - 1, size).astype(int)
    colour = texture[top : top + side, left : left + side][rows][:, rows]
    u, v = _turned(size, rng.uniform(0, 2 * np.pi), rng.normal(0, 0.25 * unit, 2))
    wide, tall = unit * rng.uniform(0.3, 1.0, 2)
    mask = (np.hypot(u / wide, v / tall) < 1) if rng.random() < 0.6 else (np.abs(v) < tall) & (u > -wide)
    return colour, mask.astype(np.float64)


KINDS: tuple[Callable[[int, float, Around, Rng], tuple[Array, Array]], ...] = (
    *(_fingers, _fist, _microphone, _cup, _scarf, _anything),
)
SHARES = (0.34, 0.22, 0.13, 0.1, 0.09, 0.12)


def _turned(size: int, turn: float, centre: Array) -> tuple[Array, Array]:
    """Coordinates [size, size] along a direction and across it, around the patch's middle moved by `centre`."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    x, y = columns - centre[0], rows - centre[1]
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)


def _skin(size: int, around: Around, rng: Rng) -> Array:
    """Skin [size, size, 3]: mostly the face's own, lit otherwise; else somebody's."""
    own = rng.random() < 0.7
    skin = around.skin if own else around.skins[int(rng.integers(len(around.skins)))]
    side = skin.shape[0]
    mirrored = np.concatenate([np.arange(side), np.arange(side)[::-1]])
    rows, columns = (mirrored[(np.arange(size) + int(rng.integers(2 * side))) % (2 * side)] for _ in range(2))
    texture = skin[rows][:, columns]
    flat = skin.mean((0, 1))
    strength = rng.uniform(0.2, 1.0)
    lit = rng.uniform(0.75, 1.25) * (1 + rng.normal(0, 0.03, 3))
    return np.asarray((flat + (texture - flat) * strength) * lit)
