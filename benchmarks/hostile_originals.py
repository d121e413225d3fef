"""A tiny file of every kind that is read, and what reads it: what `hostile_files.py` damages."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms
from safetensors.torch import save_file

from emogan_core import cli
from emogan_core.checkpoints import load_generator
from emogan_core.depth import png_of, tiff_of
from emogan_core.errors import EmoganError
from emogan_core.expressions import read_face_set
from emogan_core.expressions.presets import load_preset, save_preset
from emogan_core.images import open_photo, save_photo
from emogan_core.inversion import invert, load_inversion, save_inversion

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))  # where the tests make such files

from alias_free import make_alias_free
from alias_free_pickles import write_alias_free
from foreign import basicsr_names, genforce_names, rosinality_names
from nvidia_pickles import write_networks
from tensorflow_pickles import write_tensorflow
from tiny import TINY, make_generator
from tiny_models import portrait, write_models

Reading = Callable[[Path, Path], int]
"""Reads a file, with a folder for what it writes; as a command: 0 read, 2 refused."""

PEOPLE = [f"p{number}" for number in range(40)]  # as many as a fit needs


@dataclass(frozen=True)
class Original:
    """A whole file, its kind for the table, and what reads it.

    Convention: `packed` says how it is damaged under right checksums; one in `every` rounds is read, as some take long.
    """

    kind: str
    path: Path
    readings: tuple[Reading, ...]
    packed: str = ""
    every: int = 1


def originals(folder: Path) -> list[Original]:
    """All of them, made in `folder`."""
    write_models(folder)
    save_photo(folder / "portrait.png", portrait())
    return [*_generators(folder), *_ours(folder), *_photos(folder), *_texts(folder)]


def command(*words: str | Path) -> Reading:
    """A command of `emogan`, with FILE, OUT and OUT.safetensors for what is read and written."""

    def read(path: Path, scratch: Path) -> int:
        told = {"FILE": str(path), "OUT": str(scratch / "out.png"), "OUT.safetensors": str(scratch / "out.safetensors")}
        return cli.main([*(told.get(str(word), str(word)) for word in words), "--json"])  # without progress

    return read


def call(function: Callable[[Path], object]) -> Reading:
    """A function of `emogan_core` that no command calls, answering as a command does."""

    def read(path: Path, _: Path) -> int:
        try:
            function(path)
        except EmoganError as error:
            print(f"emogan: {' '.join(str(error).split())}", file=sys.stderr)
            return 2
        return 0

    return read


def _generators(folder: Path) -> list[Original]:
    readings = (command("info", "FILE"), command("sample", "-o", "OUT", "--count", "1", "--generator", "FILE"))
    net = make_generator(replace(TINY, w_dim=24, z_dim=24), companions=False)
    rosinality, genforce = rosinality_names(net), genforce_names(net)
    torch.save({"g_ema": rosinality, "latent_avg": net.w_avg}, folder / "rosinality.pt")
    torch.save({"g_ema": rosinality}, folder / "rosinality_old.pt", _use_new_zipfile_serialization=False)
    torch.save({"params_ema": basicsr_names(rosinality)}, folder / "basicsr.pth")
    torch.save({"generator_smooth": genforce}, folder / "genforce.pth")
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in rosinality.items()}, folder / "foreign.safetensors"
    )
    write_networks(folder / "stylegan2.pkl", net)
    write_alias_free(folder / "stylegan3.pkl", make_alias_free())
    write_tensorflow(folder / "tensorflow.pkl", net)
    packed = {".pkl": "", ".pt": "zip", ".pth": "zip", ".safetensors": "safetensors"}
    names = ["rosinality.pt", "rosinality_old.pt", "basicsr.pth", "genforce.pth", "foreign.safetensors"]
    names += ["stylegan2.pkl", "stylegan3.pkl", "tensorflow.pkl", "generator.safetensors"]
    return [
        Original(f"generator, {name}", folder / name, readings, "" if "old" in name else packed[Path(name).suffix])
        for name in names
    ]


def _ours(folder: Path) -> list[Original]:
    generator = folder / "generator.safetensors"
    tiny = ("--generator", generator, "--device", "cpu")
    asked = ("--expression", "happiness", "-o", "OUT", *tiny)
    applied = command("apply", "FILE", *asked, "--axes", folder / "axes.safetensors")
    other = command("apply", folder / "latent.safetensors", *asked, "--axes", "FILE")
    inversion = invert(load_generator(generator), open_photo(folder / "portrait.png"), method="encode")
    save_inversion(folder / "kept.safetensors", inversion)
    return [
        Original("latent", folder / "latent.safetensors", (command("info", "FILE"), applied), "safetensors"),
        Original("axes", folder / "axes.safetensors", (command("info", "FILE"), other), "safetensors"),
        Original("inversion", folder / "kept.safetensors", (call(load_inversion),), "safetensors"),
    ]


def _photos(folder: Path) -> list[Original]:
    pixels = portrait().pixels
    image, small = Image.fromarray(pixels), Image.fromarray(pixels).resize((96, 96))
    exif = Image.Exif()
    exif[0x010E], exif[0x0112], exif[0x8298] = "a portrait", 6, "nobody"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b'<x:xmpmeta><rdf:Description><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">mine</rdf:li></rdf:Alt></dc:rights>'
    told = {"exif": exif.tobytes(), "icc_profile": profile}
    frames = {"save_all": True, "append_images": [small.rotate(turn) for turn in (5, 10)]}
    deep = pixels.astype(np.uint16) * 257
    made: dict[str, bytes] = {
        "told.jpg": _packed(image, "JPEG", **told, xmp=xmp),
        "cmyk.jpg": _packed(image.convert("CMYK"), "JPEG"),
        "told.png": _packed(small, "PNG", **told),
        "palette.png": _packed(small.quantize(16), "PNG", transparency=3),
        "one_bit.png": _packed(small.convert("1"), "PNG"),
        "animated.png": _packed(small, "PNG", **frames),
        "deep.png": png_of(deep, told),
        "told.webp": _packed(image, "WEBP", **told, xmp=xmp),
        "animated.webp": _packed(small, "WEBP", **frames),
        "animated.gif": _packed(small, "GIF", **frames),
        "pages.tif": _packed(small, "TIFF", **frames, compression="tiff_lzw"),
        "deep.tif": tiff_of(deep, told),
        "floats.tif": tiff_of(pixels.astype(np.float32) / 255, told),
        "plain.bmp": _packed(small, "BMP"),
    }
    image.save(folder / "frames.webp", save_all=True, append_images=[image.rotate(3), image.rotate(-3)])  # large enough
    if "AVIF" in Image.SAVE:
        made["told.avif"] = _packed(small, "AVIF", **told)
    reading = (command("info", "FILE"), call(open_photo))  # info reads the header alone
    found = []
    for name, content in made.items():
        (folder / name).write_bytes(content)
        found.append(Original(f"photo, {name}", folder / name, reading, "png" if name.endswith(".png") else ""))
    faces = replace(found[0], kind="photo with its face, told.jpg", readings=(command("read", "FILE"),), every=4)
    return [*found, faces]


def _packed(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _texts(folder: Path) -> list[Original]:
    generator = folder / "generator.safetensors"
    (folder / "faces").mkdir()
    net = load_generator(generator)
    codes = torch.randn(len(PEOPLE) * 2, net.spec.z_dim, generator=torch.Generator().manual_seed(0))
    rows = ["file,expression,person,age"]
    for row, image in enumerate(net.synthesis(net.mapping(codes, psi=0.7)).clamp(-1, 1)):
        name, label = f"faces/{row}.png", ("neutral", "happiness")[row % 2]
        array = ((image.permute(1, 2, 0) + 1) * 127.5).byte().numpy()
        Image.fromarray(np.ascontiguousarray(array)).save(folder / name)
        rows.append(f"{name},{label},{PEOPLE[row // 2]},{20 + row}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    save_preset(folder / "preset.json", {"happiness": 1.0, "browInnerUp": -0.5})
    prompt = {
        "1": {
            "class_type": "EmotionGAN_ApplyExpression",
            "inputs": {"happiness": 1.0, "mode": "motion", "image": ["2", 0]},
        },
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
    }
    (folder / "workflow.json").write_text(json.dumps(prompt))
    fit = ("-o", "OUT.safetensors", "--generator", generator, "--device", "cpu", "--aligned", "--force")
    labelled = call(lambda path: read_face_set(folder, path, covariates=["age"]))
    again = command("fit", folder, "--labels", folder / "labels.csv", *fit)
    with contextlib.redirect_stdout(io.StringIO()):
        again(folder / "labels.csv", folder)  # which writes the codes
    return [
        Original("labels (CSV)", folder / "labels.csv", (labelled,)),
        Original("codes of a fit", folder / "out.codes", (_beside(again),), "safetensors", every=8),
        Original("preset (JSON)", folder / "preset.json", (call(load_preset),)),
        Original("workflow (JSON) in a picture", folder / "workflow.json", (_in_a_picture,)),
    ]


def _beside(fit: Reading) -> Reading:
    def read(path: Path, scratch: Path) -> int:
        shutil.copy(path, scratch / "out.codes")
        return fit(path, scratch)

    return read


def _in_a_picture(path: Path, scratch: Path) -> int:
    """As ComfyUI saves it: a workflow in a text of a PNG."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("prompt", path.read_bytes().decode("latin-1"))
    picture = path.with_suffix(".png")
    Image.new("RGB", (16, 16)).save(picture, pnginfo=texts)
    return cli.main(["info", str(picture)])
