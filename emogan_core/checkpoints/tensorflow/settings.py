"""What TensorFlow's networks say of themselves, held against what is drawn here and against their tensors."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..reading.architectures import ARCHITECTURES
from ..reading.settings import MAPPING_RATE, shown, word

FIXED: Mapping[str, object] = {  # settings that leave no trace in tensors, the same in every network drawn here
    "normalize_latents": True,
    "mapping_nonlinearity": "lrelu",
    "nonlinearity": "lrelu",
    "resample_kernel": [1, 3, 3, 1],
    "use_styles": True,
    "const_input_layer": True,
    "use_wscale": True,
    "use_pixel_norm": False,
    "use_instance_norm": True,
    "blur_filter": [1, 2, 1],
}
_HELD_AGAINST_TENSORS = (
    *("resolution", "latent_size", "dlatent_size", "label_size", "mapping_layers", "architecture", "num_channels"),
    *("fmap_base", "fmap_decay", "fmap_min", "fmap_max", "fmap_const", "mapping_fmaps", "label_fmaps", "use_noise"),
)
_USED = ("conv_clamp", "fused_scale", "mapping_lrmul")
_HARMLESS = (  # of training and truncation, or of how the same is computed
    *("truncation_psi", "truncation_cutoff", "truncation_psi_val", "truncation_cutoff_val", "style_mixing_prob"),
    *("dlatent_avg_beta", "w_avg_beta", "structure", "randomize_noise", "fused_modconv", "dtype", "num_fp16_res"),
    *("dlatent_broadcast", "mapping_func", "synthesis_func", "is_template_graph"),
)


def mapping_gain(settings: Mapping[str, object], *, usual: float = MAPPING_RATE) -> float:
    """What weights and biases of a mapping network that learns at another rate are times ours.

    Raises: CheckpointError.
    """
    rate = settings.get("mapping_lrmul", usual)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1e-6 <= rate <= 1e6:
        raise CheckpointError(f"its setting mapping_lrmul is {shown(rate)}; needed a positive number")
    return rate / MAPPING_RATE


def unknown_settings_notices(settings: Mapping[str, object]) -> list[str]:
    """A notice about settings that no program of NVIDIA's has."""
    known = {*FIXED, *_HELD_AGAINST_TENSORS, *_USED, *_HARMLESS}
    unknown = [word(key) for key in settings if key not in known]
    said = f"it has settings not known here, which are left aside: {', '.join(unknown[:3])}"
    return [said] if unknown else []


def expect_agreement(settings: Mapping[str, object], spec: GeneratorSpec, *, full: int, named: bool) -> None:
    """What the settings say of sizes must be what the tensors show; `named` where they name the architecture.

    Convention: `full` is the side that a network still growing is to have.
    Raises: CheckpointError.
    """
    seen: dict[str, object] = {
        "resolution": full,
        "latent_size": spec.z_dim,
        "dlatent_size": spec.w_dim,
        "label_size": spec.c_dim,
        "mapping_layers": spec.mapping_layers,
        "num_channels": 3,
    }
    if named:
        kinds = {ours: theirs for theirs, ours in ARCHITECTURES.items()}
        seen["architecture"] = kinds[spec.architecture]
    if "fmap_base" in settings:
        seen["widths by fmap_base"] = list(spec.channels)
        settings = {**settings, "widths by fmap_base": _widths(settings, len(spec.channels))}
    for key, value in seen.items():
        if settings.get(key, value) != value:
            raise CheckpointError(
                f"its settings say {key} {shown(settings[key])}, its tensors {value}; get the file again"
            )


def _widths(settings: Mapping[str, object], blocks: int) -> list[int]:
    """Channels from 4 px up: halved with each doubling, between limits."""
    names = ("fmap_base", "fmap_decay", "fmap_min", "fmap_max")
    found = [settings.get(name, usual) for name, usual in zip(names, (0, 1.0, 1, 512), strict=True)]
    if not all(isinstance(value, int | float) for value in found):
        raise CheckpointError("its settings of widths are no numbers; the file is damaged, get it again")
    base, decay, least, most = (float(value) for value in found)  # type: ignore[arg-type]
    return [int(min(max(int(base / 2.0 ** ((block + 1) * decay)), least), most)) for block in range(blocks)]
