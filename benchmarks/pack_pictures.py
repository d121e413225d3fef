"""The pictures of the pack: thumbnails of the workflows, pictures of the help pages, icon and banner.

python benchmarks/pack_pictures.py [--only NAME ...]

Faces are the composites that come along, which are nobody's (Face Research Lab, CC BY 4.0), or drawn by the generator where
a workflow draws them. What is asked of a face is read from the workflow that the picture stands for.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emogan_core import (
    REGIONS,
    SHAPES,
    Edit,
    ExpressionAxes,
    Generator,
    Inversion,
    Latent,
    Photo,
    apply_expressions,
    builtin_path,
    builtin_presets,
    compare,
    contact_sheet,
    copy_expression,
    drive_expression,
    find_faces,
    fit_clip,
    fit_labelled,
    intensities_at,
    invert,
    label_latents,
    load_axes,
    load_generator,
    numbered_faces,
    open_photo,
    parse_intensities,
    parse_keyframes,
    photo_from_tensor,
    put_back,
    read_face_set,
    reading_of,
    reading_sheet,
    sampled,
    share_of_edit,
    silent,
    window_around,
)
from emogan_core.commands.draw import expressed

ROOT = Path(__file__).parents[1]
WORKFLOWS, HELP, DOCS = ROOT / "workflows", ROOT / "web/docs/pictures", ROOT / "docs"
HALF, QUARTER, TILE, EIGHTH, SMALL, LABEL = 320, 256, 200, 192, 170, 26  # px
ICON = 400
BANNER = (1260, 540)  # 21:9
PAPER, INK = (247, 246, 243), (80, 80, 84)
SMILE = {"happiness": 1.0}
CREDIT = "composite faces: Face Research Lab (DeBruine 2016), CC BY 4.0, edited"
QUALITY = 88


@cache
def generator() -> Generator:
    return load_generator("builtin")


@cache
def axes() -> ExpressionAxes:
    return load_axes("builtin")


@dataclass(frozen=True)
class Face:
    """A composite, inverted, and the part of it that is shown."""

    photo: Photo
    inversion: Inversion

    def edited(self, edit: Edit) -> Photo:
        return put_back(generator(), self.photo, self.inversion, edit).photo

    def with_expression(self, intensities: Mapping[str, float], *, neutral_first: bool = False) -> Photo:
        return self.edited(apply_expressions(self.inversion, axes(), intensities, neutral_first=neutral_first))

    def part(self, photo: Photo, side: int) -> Image.Image:
        """The part around the face of one of its pictures."""
        assert self.inversion.crops is not None
        height, width = photo.pixels.shape[:2]
        left, top, extent = window_around(self.inversion.crops[0], height=height, width=width)
        return scaled(photo.pixels[top : top + extent, left : left + extent], side)


@cache
def face(name: str) -> Face:
    """`woman` or `man`, as Example Photo calls them."""
    file = {"woman": "composite_f_multi", "man": "composite_m_african"}[name]
    return face_in(open_photo(builtin_path(f"examples/{file}.jpg")))


def face_in(photo: Photo) -> Face:
    return Face(photo, invert(generator(), photo, method="encode"))


def scaled(pixels: Any, side: int) -> Image.Image:
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)


def tiled(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Pictures side by side and below each other, without gaps."""
    return Image.fromarray(np.concatenate([np.concatenate([np.array(one) for one in row], axis=1) for row in rows]))


def values(workflow: str, kind: str, at: int = 0) -> list[Any]:
    """The settings of a workflow's node of a kind, the `at`-th of them."""
    nodes = json.loads((WORKFLOWS / f"{workflow}.json").read_text(encoding="utf-8"))["nodes"]
    return list([node["widgets_values"] for node in nodes if node["type"] == f"EmotionGAN_{kind}"][at])


def sliders(workflow: str, at: int = 0) -> dict[str, float]:
    """What Apply Expression is asked for in a workflow."""
    return dict(zip(axes().names, values(workflow, "ApplyExpression", at), strict=False))


def swept(one: Face, text: str, frames: Sequence[int]) -> list[Photo]:
    keyframes = parse_keyframes(text)
    return [one.with_expression(intensities_at(keyframes, frame, easing="smooth")) for frame in frames]


def edit_a_photo() -> Image.Image:
    woman = face("woman")
    shown = [woman.photo, woman.with_expression(sliders("edit_a_photo"))]
    return tiled([[woman.part(one, HALF) for one in shown]])


def all_expressions() -> Image.Image:
    woman = face("woman")
    shown = [woman.part(woman.with_expression({name: 1.0}), EIGHTH) for name in axes().names]
    shown.insert(0, woman.part(woman.photo, EIGHTH))
    return tiled([shown[:4], shown[4:]])


def one_side_and_gaze() -> Image.Image:
    woman = face("woman")
    name, strength = values("one_side_and_gaze", "LoadExpression")
    asked = {key: strength * value for key, value in builtin_presets()[name].items()}
    *numbers, more, _, _, _ = values("one_side_and_gaze", "FaceShapes")
    shapes = [shape for region in REGIONS for shape in SHAPES if shape.startswith(region)]
    asked |= {shape: number for shape, number in zip(shapes, numbers, strict=True) if number}
    asked |= parse_intensities(more, where="more")
    return tiled([[woman.part(one, HALF) for one in (woman.photo, woman.with_expression(asked))]])


def neutralise_then_edit() -> Image.Image:
    woman = face("woman")
    smiling = face_in(woman.with_expression(sliders("neutralise_then_edit")))
    after = smiling.with_expression(sliders("neutralise_then_edit", 1), neutral_first=True)
    return tiled([[woman.part(one, HALF) for one in (smiling.photo, after)]])


def copy_an_expression() -> Image.Image:
    woman, man = face("woman"), face("man")
    smiling = face_in(man.with_expression(sliders("copy_an_expression")))
    assert smiling.inversion.faces is not None
    copied = copy_expression(woman.inversion, smiling.inversion.faces[0], axes())
    strength = values("copy_an_expression", "CopyExpression")[3]
    after = woman.edited(share_of_edit(woman.inversion, copied, strength))
    return tiled([[man.part(smiling.photo, HALF), woman.part(after, HALF)]])


def fit_my_expression() -> Image.Image:
    """Some of the example pictures, and a photo with what all of them taught."""
    folder = builtin_path("examples/wink")
    faces = read_face_set(folder, folder / "faces.csv")
    learned = fit_labelled(label_latents(generator(), faces))
    woman, tiles = face("woman"), [scaled(open_photo(path).pixels, HALF // 4) for path in faces.files[:16]]
    asked = parse_intensities(values("fit_my_expression", "ApplyExpression")[8], where="more")
    after = woman.edited(apply_expressions(woman.inversion, learned, asked))
    left = tiled([tiles[start : start + 4] for start in range(0, 16, 4)])
    return tiled([[left, woman.part(after, HALF)]])


def two_people() -> Image.Image:
    """The two of the workflow side by side, as they were and as they are; the man's face is the larger one, number 0."""
    people = [("woman", sliders("two_people", 1)), ("man", sliders("two_people"))]
    before = [face(name).part(face(name).photo, QUARTER) for name, _ in people]
    after = [face(name).part(face(name).with_expression(moved), QUARTER) for name, moved in people]
    return tiled([before, after])


def sweep_to_frames() -> Image.Image:
    woman = face("woman")
    shown = swept(woman, values("sweep_to_frames", "ExpressionSweep")[0], (0, 2, 4, 7))
    tiles = [woman.part(one, QUARTER) for one in shown]
    return tiled([tiles[:2], tiles[2:]])


@cache
def driving_clip() -> list[Photo]:
    """The clip that drives in `drive_a_photo`."""
    text = values("drive_a_photo", "ExpressionSweep")[0]
    return swept(face("man"), text, range(parse_keyframes(text)[-1].frame + 1))


@cache
def driving_coefficients() -> NDArray[np.float64]:
    return fit_clip(driving_clip()).coefficients()


def driven(frames: Sequence[int]) -> Image.Image:
    """Frames of the clip that drives, and below them the photo that is driven."""
    man, woman = face("man"), face("woman")
    edits = drive_expression(woman.inversion, driving_coefficients(), axes(), frames=list(frames))
    above = [man.part(driving_clip()[frame], TILE) for frame in frames]
    return tiled([above, [woman.part(woman.edited(edit), TILE) for edit in edits]])


def example() -> Image.Image:
    return tiled([[scaled(face(name).photo.pixels, HALF) for name in ("woman", "man")]])


def inverted() -> Image.Image:
    """What Invert Face shows in most workflows."""
    inversion = face("woman").inversion
    assert inversion.target is not None
    shown = (inversion.target, inversion.reconstruction)
    return tiled([[scaled(photo_from_tensor(one).pixels, HALF) for one in shown]])


def sheet(one: Face, asked: Mapping[str, Mapping[str, float]], *, columns: int) -> Image.Image:
    """A face with expressions by name, each with its name below."""
    tiles = []
    for name, what in asked.items():
        tile = Image.new("RGB", (SMALL, SMALL + LABEL), PAPER)
        tile.paste(one.part(one.with_expression(what), SMALL))
        centre = (SMALL // 2, SMALL + LABEL // 2)
        ImageDraw.Draw(tile).text(centre, name, font=ImageFont.load_default(16), fill=INK, anchor="mm")
        tiles.append(tile)
    return tiled([tiles[start : start + columns] for start in range(0, len(tiles), columns)])


def presets() -> Image.Image:
    return sheet(face("woman"), {"the photo": {}} | dict(builtin_presets()), columns=4)


def expression_axes() -> Image.Image:
    return sheet(face("man"), {"the photo": {}} | {name: {name: 1.0} for name in axes().names}, columns=4)


def compared() -> Image.Image:
    woman = face("woman")
    result = put_back(generator(), woman.photo, woman.inversion, apply_expressions(woman.inversion, axes(), SMILE))
    found = compare(woman.photo, result.photo, mask=result.mask)
    gray = np.repeat((255 * result.mask).round().astype(np.uint8)[..., None], 3, axis=-1)
    shown = [woman.photo, result.photo, found.difference, Photo(gray)]
    row = [Photo(np.array(woman.part(one, TILE))) for one in shown]
    labels = ["before", "after", "difference x 3", "mask"]
    return Image.fromarray(contact_sheet([row], title="Before and after", column_labels=labels, tile_px=TILE).pixels)


def read() -> Image.Image:
    smiling = face_in(face("woman").with_expression(SMILE))
    assert smiling.inversion.faces is not None
    (fit,) = smiling.inversion.faces
    return Image.fromarray(reading_sheet(smiling.photo, fit, reading_of(fit)).pixels)


def numbered() -> Image.Image:
    """Three faces in one photo, one of them too small to be edited."""
    group = Image.new("RGB", (2 * HALF, HALF), (222, 224, 226))
    for name, side, left in (("woman", HALF, 0), ("man", 256, HALF - 10), ("woman", 100, 2 * HALF - 100)):
        group.paste(scaled(face(name).photo.pixels, side), (left, HALF - side))
    photo = Photo(np.array(group))
    return Image.fromarray(numbered_faces(photo, find_faces(photo)).pixels)


def codes(workflow: str) -> Latent:
    """The random codes of a workflow's Sample Faces node."""
    seed, _, psi, count = values(workflow, "SampleFaces")[:4]
    return sampled(generator(), count, psi=psi, seed=seed)


def drawn(latent: Latent) -> Image.Image:
    pictures = generator().synthesis(latent.ws[:2])
    return tiled([[scaled(photo_from_tensor(one[None]).pixels, HALF) for one in pictures]])


def sample_and_edit() -> Image.Image:
    latent = codes("sample_and_edit")
    photo = photo_from_tensor(generator().synthesis(latent.ws))
    edited, _ = expressed(generator(), latent, [photo], axes(), SMILE, neutral_first=False, progress=silent)
    return tiled([[scaled(one.pixels, HALF) for one in (photo, *edited)]])


def half_smiling(one: Face, side: int) -> Image.Image:
    """A face that is neutral in one half of the picture and smiles in the other."""
    neutral, smiling = (np.array(one.part(shown, side)) for shown in (one.photo, one.with_expression(SMILE)))
    return Image.fromarray(np.concatenate([neutral[:, : side // 2], smiling[:, side // 2 :]], axis=1))


def icon() -> Image.Image:
    picture = half_smiling(face("woman"), ICON)
    ImageDraw.Draw(picture).line([(ICON // 2, 0), (ICON // 2, ICON)], fill="white", width=4)
    return picture


def banner() -> Image.Image:
    """Both faces, half neutral and half smiling, with the pack's name between them."""
    width, height = BANNER
    picture = Image.new("RGB", BANNER, PAPER)
    side = height * 4 // 5
    for name, left in (("woman", 0), ("man", width - side)):
        picture.paste(half_smiling(face(name), side), (left, (height - side) // 2))
        ImageDraw.Draw(picture).line(
            [(left + side // 2, (height - side) // 2), (left + side // 2, (height + side) // 2)], fill="white", width=4
        )
    pen = ImageDraw.Draw(picture)
    for text, size, y, gray in (
        ("EmotionGAN", 62, 235, 38),
        ("change a face's expression,", 26, 295, 80),
        ("keep the person", 26, 330, 80),
    ):
        pen.text((width // 2, y), text, font=ImageFont.load_default(size), fill=(gray,) * 3, anchor="mm")
    pen.text((width // 2, height - 22), CREDIT, font=ImageFont.load_default(16), fill=(118,) * 3, anchor="mm")
    return picture


PICTURES: dict[Path, Callable[[], Image.Image]] = {
    WORKFLOWS / "all_expressions.jpg": all_expressions,
    WORKFLOWS / "bring_your_own_generator.jpg": lambda: drawn(codes("bring_your_own_generator")),
    WORKFLOWS / "copy_an_expression.jpg": copy_an_expression,
    WORKFLOWS / "drive_a_photo.jpg": lambda: driven((4, 12)),
    WORKFLOWS / "edit_a_photo.jpg": edit_a_photo,
    WORKFLOWS / "fit_my_expression.jpg": fit_my_expression,
    WORKFLOWS / "neutralise_then_edit.jpg": neutralise_then_edit,
    WORKFLOWS / "one_side_and_gaze.jpg": one_side_and_gaze,
    WORKFLOWS / "sample_and_edit.jpg": sample_and_edit,
    WORKFLOWS / "sweep_to_frames.jpg": sweep_to_frames,
    WORKFLOWS / "two_people.jpg": two_people,
    HELP / "apply.jpg": edit_a_photo,
    HELP / "axes.jpg": expression_axes,
    HELP / "compare.jpg": compared,
    HELP / "copy.jpg": copy_an_expression,
    HELP / "drive.jpg": lambda: driven((0, 4, 6, 12)),
    HELP / "example.jpg": example,
    HELP / "faces.jpg": numbered,
    HELP / "invert.jpg": inverted,
    HELP / "presets.jpg": presets,
    HELP / "read.jpg": read,
    HELP / "shapes.jpg": one_side_and_gaze,
    HELP / "sweep.jpg": sweep_to_frames,
    DOCS / "icon.png": icon,
    DOCS / "banner.jpg": banner,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=(), help="names of pictures, without their endings"
    )
    arguments = parser.parse_args()
    with torch.inference_mode():
        for path, make in PICTURES.items():
            if not arguments.only or path.stem in arguments.only:
                options = {} if path.suffix == ".png" else {"quality": QUALITY}
                make().save(path, optimize=True, **options)


if __name__ == "__main__":
    main()
