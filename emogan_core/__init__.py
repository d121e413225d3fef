"""Change the expression of a real face in a photo and keep the person.

The names below are the public interface: what a program, the ComfyUI nodes included, needs is imported from here and from
nowhere deeper. Each is loaded when first used, so that importing the package costs nothing. docs/api.md lists them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .checkpoints import LoadedCheckpoint, load_generator, open_generator
    from .checkpoints.convert import Conversion, ConversionOptions, convert_generator, is_conversion, write_with_encoder
    from .checkpoints.describe import brief, described, summarised
    from .checkpoints.known import sha256_of
    from .comparing import Comparison, compare, comparison_lines
    from .compose import MODES, Composite, FacePreview, PasteConfig, need_to_put_back, put_back
    from .deltas import Delta
    from .devices import gradients_off, ordinary, resolve_device, rng_from_seed
    from .encoder_training import TrainedEncoder, TrainingLength, TrainingPhotos, read_photos, train_encoder
    from .errors import (
        Cancelled,
        CheckpointError,
        DeviceError,
        EmoganError,
        ExpressionError,
        FaceError,
        OutputError,
        PhotoError,
        ShapeError,
        SpaceMismatch,
    )
    from .expressions import (
        EASINGS,
        LIMIT,
        REFERENCE,
        ExpressionAxes,
        ExpressionAxis,
        FaceSet,
        FitConfig,
        Keyframe,
        LabelledLatents,
        Mirror,
        Origin,
        Reading,
        SampleConfig,
        SampleFit,
        SampleFolder,
        SampleShare,
        SampleTable,
        StepConfig,
        add_intensities,
        apply_expressions,
        builtin_presets,
        checked_intensity,
        copy_expression,
        drive_expression,
        fit_expressions,
        fit_labelled,
        fit_samples,
        intensities_at,
        inversion_after,
        join_edits,
        label_latents,
        label_photos,
        load_axes,
        load_preset,
        most_neutral,
        move_latent,
        parse_intensities,
        parse_keyframes,
        read_eta,
        read_expression,
        read_face_set,
        read_samples,
        reading_lines,
        reading_of,
        sample_folder,
        sample_lines,
        sample_report,
        save_axes,
        save_preset,
        scale_intensities,
        share_of_edit,
        spelled_as_known,
    )
    from .expressions.meanings import EXPRESSIONS, SHAPES
    from .expressions.summary import axes_lines
    from .expressions.tables import choose_expressions
    from .face_model import REGIONS, FaceFit, FaceModel, Pose, load_face_model, sides_of
    from .faces import (
        FRAMES,
        SMOOTHING,
        ClipFaces,
        Crop,
        Face,
        choose_among,
        choose_face,
        crop_of,
        cut,
        drawn_face,
        face_from,
        face_under,
        find_faces,
        fit_clip,
        fit_to_photo,
        place_drawn,
        same_face,
        window_around,
    )
    from .free_memory import expect_room
    from .images import (
        MAX_PIXELS,
        Photo,
        check_photo_target,
        frames_in,
        open_photo,
        photo_from_tensor,
        read_record,
        save_photo,
        tensor_from_photo,
    )
    from .inversion import (
        CODE_METHODS,
        METHODS,
        Edit,
        Inversion,
        OptimiseConfig,
        Weights,
        cut_mask,
        expect_method,
        invert,
        invert_images,
        load_inversion,
        need_of,
        save_inversion,
    )
    from .latents import Latent, expect_same_space, load_latent, save_latent
    from .networks import Generator, GeneratorSpec
    from .networks.memory import Need, need_to_draw
    from .networks.sampling import SHOWN_BYTES, drawn_in_groups, sampled
    from .networks.spec import MAX_CLASSES
    from .networks.tuned import with_delta
    from .progress import Progress, StepReport, in_parts, silent
    from .provenance import edit_record
    from .sheets import contact_sheet, reading_sheet
    from .weights import builtin_path

__all__ = [
    "CODE_METHODS",
    "EASINGS",
    "EXPRESSIONS",
    "FRAMES",
    "LIMIT",
    "MAX_CLASSES",
    "MAX_PIXELS",
    "METHODS",
    "MODES",
    "REFERENCE",
    "REGIONS",
    "SHAPES",
    "SHOWN_BYTES",
    "SMOOTHING",
    "Cancelled",
    "CheckpointError",
    "ClipFaces",
    "Comparison",
    "Composite",
    "Conversion",
    "ConversionOptions",
    "Crop",
    "Delta",
    "DeviceError",
    "Edit",
    "EmoganError",
    "ExpressionAxes",
    "ExpressionAxis",
    "ExpressionError",
    "Face",
    "FaceError",
    "FaceFit",
    "FaceModel",
    "FacePreview",
    "FaceSet",
    "FitConfig",
    "Generator",
    "GeneratorSpec",
    "Inversion",
    "Keyframe",
    "LabelledLatents",
    "Latent",
    "LoadedCheckpoint",
    "Mirror",
    "Need",
    "OptimiseConfig",
    "Origin",
    "OutputError",
    "PasteConfig",
    "Photo",
    "PhotoError",
    "Pose",
    "Progress",
    "Reading",
    "SampleConfig",
    "SampleFit",
    "SampleFolder",
    "SampleShare",
    "SampleTable",
    "ShapeError",
    "SpaceMismatch",
    "StepConfig",
    "StepReport",
    "TrainedEncoder",
    "TrainingLength",
    "TrainingPhotos",
    "Weights",
    "add_intensities",
    "apply_expressions",
    "axes_lines",
    "brief",
    "builtin_path",
    "builtin_presets",
    "check_photo_target",
    "checked_intensity",
    "choose_among",
    "choose_expressions",
    "choose_face",
    "compare",
    "comparison_lines",
    "contact_sheet",
    "convert_generator",
    "copy_expression",
    "crop_of",
    "cut",
    "cut_mask",
    "described",
    "drawn_face",
    "drawn_in_groups",
    "drive_expression",
    "edit_record",
    "expect_method",
    "expect_room",
    "expect_same_space",
    "face_from",
    "face_under",
    "find_faces",
    "fit_clip",
    "fit_expressions",
    "fit_labelled",
    "fit_samples",
    "fit_to_photo",
    "frames_in",
    "gradients_off",
    "in_parts",
    "intensities_at",
    "inversion_after",
    "invert",
    "invert_images",
    "is_conversion",
    "join_edits",
    "label_latents",
    "label_photos",
    "load_axes",
    "load_face_model",
    "load_generator",
    "load_inversion",
    "load_latent",
    "load_preset",
    "most_neutral",
    "move_latent",
    "need_of",
    "need_to_draw",
    "need_to_put_back",
    "open_generator",
    "open_photo",
    "ordinary",
    "parse_intensities",
    "parse_keyframes",
    "photo_from_tensor",
    "place_drawn",
    "put_back",
    "read_eta",
    "read_expression",
    "read_face_set",
    "read_photos",
    "read_record",
    "read_samples",
    "reading_lines",
    "reading_of",
    "reading_sheet",
    "resolve_device",
    "rng_from_seed",
    "same_face",
    "sample_folder",
    "sample_lines",
    "sample_report",
    "sampled",
    "save_axes",
    "save_inversion",
    "save_latent",
    "save_photo",
    "save_preset",
    "scale_intensities",
    "sha256_of",
    "share_of_edit",
    "sides_of",
    "silent",
    "spelled_as_known",
    "summarised",
    "tensor_from_photo",
    "train_encoder",
    "window_around",
    "with_delta",
    "write_with_encoder",
]

_PUBLIC = {
    "checkpoints": "LoadedCheckpoint load_generator open_generator",
    "checkpoints.convert": "Conversion ConversionOptions convert_generator is_conversion write_with_encoder",
    "checkpoints.describe": "brief described summarised",
    "checkpoints.known": "sha256_of",
    "comparing": "Comparison compare comparison_lines",
    "compose": "MODES Composite FacePreview PasteConfig need_to_put_back put_back",
    "deltas": "Delta",
    "devices": "gradients_off ordinary resolve_device rng_from_seed",
    "encoder_training": "TrainedEncoder TrainingLength TrainingPhotos read_photos train_encoder",
    "errors": (
        "Cancelled CheckpointError DeviceError EmoganError ExpressionError FaceError OutputError PhotoError "
        "ShapeError SpaceMismatch"
    ),
    "expressions": (
        "LIMIT ExpressionAxes ExpressionAxis FaceSet FitConfig LabelledLatents Mirror Origin Reading "
        "StepConfig apply_expressions checked_intensity copy_expression fit_expressions fit_labelled "
        "label_latents load_axes move_latent read_eta read_expression read_face_set "
        "reading_of save_axes inversion_after join_edits share_of_edit label_photos builtin_presets "
        "add_intensities load_preset save_preset scale_intensities parse_intensities reading_lines "
        "EASINGS REFERENCE Keyframe intensities_at parse_keyframes spelled_as_known SampleConfig SampleFit SampleFolder "
        "SampleTable SampleShare fit_samples read_samples sample_lines sample_report sample_folder "
        "drive_expression most_neutral"
    ),
    "expressions.meanings": "EXPRESSIONS SHAPES",
    "expressions.summary": "axes_lines",
    "expressions.tables": "choose_expressions",
    "face_model": "REGIONS FaceFit FaceModel Pose load_face_model sides_of",
    "faces": (
        "FRAMES Crop Face choose_among choose_face crop_of cut drawn_face find_faces fit_to_photo place_drawn "
        "window_around face_from face_under SMOOTHING ClipFaces fit_clip same_face"
    ),
    "free_memory": "expect_room",
    "images": (
        "MAX_PIXELS Photo check_photo_target frames_in open_photo photo_from_tensor read_record save_photo tensor_from_photo"
    ),
    "inversion": (
        "CODE_METHODS METHODS Edit Inversion OptimiseConfig Weights cut_mask expect_method invert invert_images need_of "
        "load_inversion save_inversion"
    ),
    "latents": "Latent load_latent save_latent expect_same_space",
    "networks": "Generator GeneratorSpec",
    "networks.memory": "Need need_to_draw",
    "networks.sampling": "SHOWN_BYTES drawn_in_groups sampled",
    "networks.spec": "MAX_CLASSES",
    "networks.tuned": "with_delta",
    "progress": "Progress StepReport in_parts silent",
    "provenance": "edit_record",
    "sheets": "contact_sheet reading_sheet",
    "weights": "builtin_path",
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value  # the next use finds it without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
