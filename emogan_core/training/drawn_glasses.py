"""Glasses, drawn on pictures of eyes: full, half and no rims, of metal and plastic, clear, tinted and dark lenses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon, polygon2mask

Array = NDArray[np.float64]
Rng = np.random.Generator

FAINT = 0.22  # a rim that covers less than this share of what is behind it counts as none


@dataclass(frozen=True, slots=True, eq=False)
class Glasses:
    """Where a pair of glasses lies in a picture.

    Convention: rim [h, w] and lens [h, w] are shares of each pixel; across [h, w] is the place across the rim, -1 outside
    to 1 inside.
    """

    rim: Array
    lens: Array
    across: Array


def with_glasses(picture: Array, unit: float, rng: Rng) -> tuple[Array, Array]:
    """A picture [h, w, 3] in 0..255 of eyes with glasses drawn on it, and which pixels stay where they are when the face
    moves, [h, w] in 0..1: rims, or all of dark glasses.

    Convention: the eyes are level, the middle between them is the picture's; `unit` is their distance in px.
    """
    full = rng.random()
    glasses, edge = _placed(picture.shape[:2], unit, full < 0.62, full > 0.84, rng)
    lens, rim = glasses.lens[..., None], ndimage.gaussian_filter(glasses.rim, rng.uniform(0.3, 0.9))
    seen = _bent(picture, glasses.lens, rng) if rng.random() < 0.5 else picture
    shift = (rng.uniform(0, 0.08) * unit, rng.normal(0, 0.03) * unit)
    cast = ndimage.shift(ndimage.gaussian_filter(glasses.rim, rng.uniform(0.01, 0.05) * unit), shift, order=1)
    seen = seen * (1 - rng.uniform(0, 0.45) * cast[..., None])
    tint, share = rng.uniform(30, 200, 3), rng.uniform(0, 0.25) * (rng.random() < 0.4)
    dark = rng.random() < 0.09
    if dark:
        tint, share = rng.uniform(5, 60) * np.ones(3) + rng.uniform(0, 25, 3), rng.uniform(0.75, 1)
    seen = seen + (tint - seen) * share * lens
    if rng.random() < 0.35:
        seen = seen + (rng.uniform(150, 255, 3) - seen) * _reflection(glasses.lens, unit, rng)[..., None]
    colour = _material(glasses.across, unit, rng)
    opaque = rng.uniform(0.15, 0.6) if edge else rng.uniform(0.75, 1) if rng.random() < 0.9 else rng.uniform(0.35, 0.75)
    cover = rim * np.where(
        glasses.across > 1.5, max(opaque, 0.8), opaque
    )  # bridge and temples of rimless ones are seen
    result = seen + (colour - seen) * cover[..., None]
    rigid = np.clip(1.4 * glasses.rim * ((cover > FAINT * rim) | (glasses.across > 1.5)), 0, 1)
    return np.clip(result, 0, 255), np.maximum(rigid, glasses.lens) if dark else rigid


def _placed(shape: tuple[int, ...], unit: float, whole: bool, rimless: bool, rng: Rng) -> tuple[Glasses, bool]:
    """Two lenses of one outline, mirrored, with what holds them together; and whether their edges are bare."""
    height, width = shape
    half_width, half_height = rng.uniform(0.3, 0.47), rng.uniform(0.17, 0.4)
    apart = max(rng.uniform(0.45, 0.58), half_width + rng.uniform(0.05, 0.13))
    low = rng.uniform(-0.05, 0.17)
    thick = 0.008 * rng.uniform(0.9, 2) if rimless else float(np.exp(rng.uniform(np.log(0.014), np.log(0.1))))
    thin_below = not whole and not rimless
    outline = _outline(half_width, half_height, rng)
    turn, yaw = rng.normal(0, 0.035), rng.normal(0, 0.08)
    centre = np.array([width / 2, height / 2]) + rng.normal(0, 0.03, 2) * unit

    def at(points: Array) -> Array:
        x = points[:, 0] * (1 + yaw * np.sign(points[:, 0]) * np.minimum(np.abs(points[:, 0]), 1))
        y = points[:, 1] + low
        cos, sin = np.cos(turn), np.sin(turn)
        return np.stack([x * cos - y * sin, x * sin + y * cos], -1) * unit + centre

    rim, lens, across = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for side in (-1, 1):
        own = at((outline + np.array([apart, 0])) * (side, 1))
        inside = polygon2mask(shape, own[:, ::-1])  # type: ignore[no-untyped-call]
        distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        middle_y = at(np.array([[side * apart, 0.0]]))[0, 1]
        rows = (np.mgrid[:height, :width][0] - middle_y) / (half_height * unit)
        half = thick / 2 * unit * (1 + rng.uniform(-0.2, 0.6) * np.clip(-rows, -1, 1))
        if thin_below:
            half = np.where(rows > rng.uniform(-0.2, 0.4), 0.003 * unit, half)
        share = np.clip(half + 0.5 - np.abs(distance), 0, 1) * np.clip(2 * half, 0, 1)
        lens = np.maximum(lens, np.clip(distance - half + 0.5, 0, 1))
        across = np.where(share > rim, np.clip(distance / np.maximum(half, 0.5), -1, 1), across)
        rim = np.maximum(rim, share)
    for line, wide in _holders(outline, apart, half_height, max(thick, 0.016), rimless, rng):
        for side in (-1, 1):
            stroke, place = _stroke(shape, at(line * (side, 1)), wide * unit)
            across = np.where(stroke > rim, place + (3 if rimless else 0), across)
            rim = np.maximum(rim, stroke)
    return Glasses(rim, lens, across), rimless


def _outline(half_width: float, half_height: float, rng: Rng) -> Array:
    """[n, 2]: a lens around the origin, its outer side at positive x: between round and rectangular, tapered, turned."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    top, bottom = rng.uniform(1.9, 5.5), rng.uniform(1.9, 4)
    power = np.where(np.sin(angle) < 0, top, bottom)
    x, y = (np.sign(part) * np.abs(part) ** (2 / power) for part in (np.cos(angle), np.sin(angle)))
    taper, skew, lift = rng.uniform(-0.02, 0.2), rng.normal(0, 0.1), rng.normal(0, 0.08)
    x = x * (1 - taper * y) + skew * y
    deeper = rng.uniform(0.8, 1.3)
    y = np.where(y > 0, y * deeper, y) - lift * x
    return np.stack([half_width * x, half_height * y], -1)


def _holders(
    outline: Array, apart: float, tall: float, thick: float, rimless: bool, rng: Rng
) -> list[tuple[Array, float]]:
    """Lines [n, 2] and widths, of one side: half of the bridge, nose pad, end piece and temple."""
    lens = outline + np.array([apart, 0])
    parts = []
    for _ in range(2 if rng.random() < 0.12 else 1):
        height = rng.uniform(-0.9, 0.3) * tall
        inner = lens[np.argmin(np.abs(lens[:, 1] - height) + 10 * (lens[:, 0] > apart))]
        rise = rng.uniform(-0.1, 0.14)
        t = np.linspace(0, 1, 7)[:, None]
        middle = np.array([0, inner[1] - rise])
        parts.append(
            (
                inner * (1 - t) ** 2 + 2 * t * (1 - t) * np.array([inner[0] * 0.4, middle[1]]) + middle * t**2,
                thick * rng.uniform(0.7, 1.6),
            )
        )
    if rng.random() < 0.5:
        inner = lens[np.argmin(np.abs(lens[:, 1] - rng.uniform(0, 0.6) * tall) + 10 * (lens[:, 0] > apart))]
        parts.append((inner + np.array([[0, 0], [-0.05, 0.08], [-0.07, 0.16]]), rng.uniform(0.012, 0.035)))
    outer = lens[np.argmin(np.abs(lens[:, 1] - rng.uniform(-0.9, 0) * tall) + 10 * (lens[:, 0] < apart))]
    if rng.random() < 0.85:
        hinge = outer + rng.uniform((0.02, -0.02), (0.1, 0.03))
        end = hinge + np.array([1.0, rng.normal(0, 0.12)])
        parts.append((np.stack([outer, hinge]), thick * rng.uniform(1, 2.5)))
        if rng.random() < 0.85:
            parts.append((np.stack([hinge, end]), min(thick, 0.06) * rng.uniform(0.7, 2.2)))
    return parts


def _stroke(shape: tuple[int, ...], points: Array, wide: float) -> tuple[Array, Array]:
    """A line of some px: its share of each pixel and the place across it."""
    share, place = np.zeros(shape), np.zeros(shape)
    low = np.clip(np.floor(points.min(0) - wide - 1), 0, (shape[1], shape[0])).astype(int)
    high = np.clip(np.ceil(points.max(0) + wide + 1), 0, (shape[1], shape[0])).astype(int)
    box = (slice(low[1], high[1]), slice(low[0], high[0]))
    rows, columns = np.mgrid[box] + 0.5
    best, signed = np.full(rows.shape, np.inf), np.zeros(rows.shape)
    for first, last in pairwise(points):
        along = last - first
        length = max(float(np.hypot(*along)), 1e-6)
        u = ((columns - first[0]) * along[0] + (rows - first[1]) * along[1]) / length**2
        near = first + np.clip(u, 0, 1)[..., None] * along
        away = np.hypot(columns - near[..., 0], rows - near[..., 1])
        aside = ((columns - first[0]) * along[1] - (rows - first[1]) * along[0]) / length
        signed = np.where(away < best, aside, signed)
        best = np.minimum(best, away)
    half = wide / 2
    share[box] = np.clip(half + 0.5 - best, 0, 1) * min(1.0, wide)
    place[box] = np.clip(signed / max(half, 0.5), -1, 1)
    return share, place


def _material(across: Array, unit: float, rng: Rng) -> Array:
    """Colours [h, w, 3] of a rim: metal with a bright and a dark edge, plain or spotted plastic."""
    shape, kind = across.shape, rng.random()
    place = np.where(np.abs(across) > 1.5, across - 3, across)
    waves = ndimage.gaussian_filter(rng.normal(0, 1, shape), rng.uniform(0.05, 0.3) * unit)
    waves = waves / max(float(waves.std()), 1e-6)
    if kind < 0.45:
        base = np.array(
            [(205, 170, 110), (190, 190, 195), (110, 105, 105), (70, 60, 55)][int(rng.integers(4))], dtype=float
        )
        light = 1 + rng.uniform(0, 0.7) * np.cos((place - rng.uniform(-0.6, 0.6)) * 2.5) + rng.uniform(0, 0.45) * waves
        return np.asarray(np.clip(base * rng.uniform(0.4, 1.1) * np.clip(light, 0.15, 2)[..., None], 0, 255))
    base = rng.uniform(5, 60) * np.ones(3) + rng.uniform(0, 20, 3)
    if kind > 0.75:
        base = rng.uniform(10, 190, 3) if rng.random() < 0.5 else np.array([120, 60, 30]) * rng.uniform(0.4, 1.2)
    if rng.random() < 0.25:
        spots = ndimage.gaussian_filter(rng.normal(0, 1, shape), 0.04 * unit)
        base = base * (1 + np.clip(2 * spots / max(float(spots.std()), 1e-6), -0.8, 1.2))[..., None]
    shine = rng.uniform(0, 110) * np.exp(-(((place - rng.uniform(-0.5, 0.5)) / 0.35) ** 2)) * np.clip(waves, 0, 2)
    return np.asarray(np.clip(base + shine[..., None], 0, 255))


def _bent(picture: Array, lens: Array, rng: Rng) -> Array:
    """What is seen through lenses that make things larger or smaller."""
    height, width = lens.shape
    rows, columns = np.mgrid[:height, :width].astype(float)
    scale, result = rng.uniform(0.93, 1.07), picture.copy()
    for side in (slice(0, width // 2), slice(width // 2, width)):
        own = lens[:, side]
        if own.sum() < 10:
            continue
        y, x = (float((own * part[:, side]).sum() / own.sum()) for part in (rows, columns))
        at = (y + (rows[:, side] - y) * scale, x + (columns[:, side] - x) * scale)
        seen = np.stack([ndimage.map_coordinates(picture[..., c], at, order=1, mode="nearest") for c in range(3)], -1)
        result[:, side] += (seen - picture[:, side]) * own[..., None]
    return result


def _reflection(lens: Array, unit: float, rng: Rng) -> Array:
    """[h, w]: light that lenses throw back, in 0..1."""
    found = np.zeros(lens.shape)
    for _ in range(int(rng.integers(1, 4))):
        middle = rng.uniform((0, 0), lens.shape)
        around = middle + rng.normal(0, rng.uniform(0.05, 0.3) * unit, (5, 2))
        rows, columns = polygon(around[:, 0], around[:, 1], lens.shape)  # type: ignore[no-untyped-call]
        found[rows, columns] = rng.uniform(0.1, 0.7)
    return np.asarray(ndimage.gaussian_filter(found, rng.uniform(0.5, 0.04 * unit)) * lens)
