"""What a file that is no generator seems to be, so that a refusal can say so: from its first bytes, or from names in it.

Guesses for sentences only; nothing is ever read because of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

MAX_NAMES = 20_000
MAX_NAME = 200
_PICTURE = "a picture"
_PACKED = "a packed archive; unpack it first"
_PAGE = "a web page, so the download did not work; download it again and look at its size"
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"RIFF", "a picture or a sound"),
    (b"\x1f\x8b", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"BZh", _PACKED),
    (b"<!", _PAGE),
    (b"<h", _PAGE),
    (b"<H", _PAGE),
    (b"<?xml", _PAGE),
    (b"version https://git-lfs", "a pointer of git-lfs instead of the file; get the file itself with 'git lfs pull'"),
    (b"\x93NUMPY", "a numpy array, such as a latent code or a boundary of InterFaceGAN"),
    (b"GGUF", "a model in GGUF, for language or diffusion programs"),
    (b"\x89HDF", "an HDF5 file, such as Keras writes"),
    (b"%PDF", "a document"),
    (b"MZ", "a program for Windows"),
    (b"\x7fELF", "a program for Linux"),
    (b"{", "a text file with settings (JSON)"),
    (b"[", "a text file"),
)
_ONNX_FIELDS = (0x12, 0x3A, 0x42)  # producer's name, graph, list of operator sets: what follows the version
_NAMES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("synthesis.input.affine.weight\n",), "a StyleGAN3 without the settings of its layers; give its .pkl"),
    (("lora_",), "a LoRA, an addition to a diffusion or language model"),
    ((".lora_A.",), "a LoRA, an addition to a diffusion or language model"),
    (("\ncontrol_model.",), "a ControlNet of a diffusion model"),
    (("model.diffusion_model.",), "a diffusion model, such as Stable Diffusion"),
    (("\ninput_blocks.", "\nmiddle_block."), "a diffusion model's U-Net"),
    (("\ndown_blocks.", "\nmid_block.", "\ntime_embedding."), "a diffusion model's U-Net"),
    (("double_blocks.",), "a diffusion transformer, such as Flux"),
    (("transformer_blocks.",), "a diffusion transformer"),
    (("joint_blocks.",), "a diffusion transformer, such as Stable Diffusion 3"),
    (("decoder.conv_in.", "decoder.conv_out."), "the autoencoder (VAE) of a diffusion model"),
    (("\ntext_model.",), "a text encoder (CLIP)"),
    (("transformer.resblocks.",), "a text and image encoder (CLIP)"),
    (("\nstring_to_param\n",), "a textual inversion of a diffusion model"),
    (("\nemb_params\n",), "a textual inversion of a diffusion model"),
    (("stylegan_decoder.",), "GFPGAN, which restores faces"),
    (("\nquantize.embedding", "fuse_convs_dict."), "CodeFormer, which restores faces"),
    ((".rdb1.conv1",), "an ESRGAN, which enlarges pictures"),
    ((".RDB1.conv1",), "an ESRGAN, which enlarges pictures"),
    (("\ncp.resnet.", "\nffm.convblk"), "a face parser (BiSeNet)"),
    (("\nlin0.model.",), "a measure of similarity (LPIPS), which goes to --perceptual"),
    (
        ("\nfeatures.0.weight\n", "\nfeatures.10.weight\n"),
        "an image classifier, of which VGG16 and AlexNet go to --perceptual",
    ),
    (("\ne4e\n", "\ngenerator_smooth\n"), "StyleRes, whose generator is of a kind not known here"),
    (("input_layer.0.weight\n", "body.0.", "styles.0."), "an encoder (pSp, e4e) without its generator"),
    (("input_layer.0.weight\n", "body.0."), "a face recogniser (ArcFace), which goes to --identity"),
    (("mapper.",), "a mapper of StyleCLIP, which edits codes and draws nothing"),
    (("\nb4.fc.weight\n", "\nb4.out.weight\n"), "a discriminator without its generator"),
    (("\nfinal_linear.1.weight\n",), "a discriminator without its generator"),
    (("\ninput0.weight\n", "\nlayer0.weight\n"), "a discriminator without its generator"),
    (("\ninput0.conv.weight\n",), "a discriminator without its generator"),
    (("\noutput0.weight\n", "\nlayer0.weight\n"), "a Progressive GAN, which has no W space to edit in"),
    (("\noutput0.conv.weight\n", "\nlayer0.conv.weight\n"), "a Progressive GAN, which has no W space to edit in"),
    (("\npytorch-lightning_version\n",), "a training state of PyTorch Lightning"),
    (("\nparam_groups\n", "\nstate\n"), "the state of an optimiser"),
)


def kind_of_start(start: bytes) -> str | None:
    """What a file seems to be that starts so; None when nothing is known."""
    if not start:
        return "empty; get the file again"
    if start[:1] == b"\x08" and len(start) > 2 and start[1] < 32 and start[2] in _ONNX_FIELDS:
        return "an ONNX network"
    return next((what for mark, what in _STARTS if start.startswith(mark)), None)


def kind_of_names(names: Iterable[str]) -> str | None:
    """What weights under such names seem to be; every mark of a kind must be found."""
    few = (name[:MAX_NAME] for name in islice(names, MAX_NAMES))  # a small file may have one long name many times
    text = "\n".join(("", *few, ""))
    return next((what for marks, what in _NAMES if all(mark in text for mark in marks)), None)


def names_in(table: Mapping[str, object]) -> Iterable[str]:
    """The names of a table and of the tables in it, without their keys before them; each table once."""
    yield from table
    seen: set[int] = set()
    for value in table.values():
        if isinstance(value, dict) and id(value) not in seen:
            seen.add(id(value))
            yield from (name for name in value if isinstance(name, str))
