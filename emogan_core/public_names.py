"""Where each name of the public interface is defined."""

from __future__ import annotations

NAMES_OF = {
    "checkpoints": "LoadedCheckpoint load_generator open_generator",
    "checkpoints.convert": "Conversion ConversionOptions convert_generator is_conversion write_with_encoder",
    "checkpoints.describe": "brief described summarised",
    "checkpoints.known": "sha256_of",
    "checkpoints.likeness": "load_perceptual load_recogniser",
    "comparing": "Comparison compare comparison_lines",
    "compose": "MODES Composite FacePreview need_to_put_back put_back",
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
        "pictures_by_label label_latents load_axes move_latent read_eta read_expression read_face_set read_labels "
        "reading_of save_axes inversion_after join_edits share_of_edit label_photos builtin_presets "
        "add_intensities load_preset save_preset scale_intensities parse_intensities reading_lines "
        "EASINGS REFERENCE Keyframe intensities_at parse_keyframes spelled_as_known SampleConfig SampleFit SampleFolder "
        "SampleTable SampleShare fit_samples read_samples sample_lines sample_report sample_folder "
        "drive_expression most_neutral FIT_COVARIANCES FIT_FAMILIES expect_fittable expect_held expect_unlabelled fit_config"
    ),
    "expressions.meanings": "EXPRESSIONS SHAPES",
    "expressions.summary": "axes_lines",
    "expressions.tables": "choose_expressions",
    "face_model": "REGIONS FaceFit FaceModel Pose load_face_model sides_of",
    "faces": (
        "FRAMES Crop Face choose_among choose_face crop_of cut drawn_face find_faces fit_to_photo frame_of "
        "drawn_frame place_drawn window_around face_from face_under SMOOTHING ClipFaces fit_clip same_face as_mediapipe mediapipe_connections "
        "obstacle_of"
    ),
    "free_memory": "expect_room",
    "images": (
        "MAX_PIXELS Photo check_photo_target frames_in open_photo photo_from_tensor read_record save_photo tensor_from_photo"
    ),
    "inversion": (
        "CODE_METHODS LIKENESS_DISTANCES METHODS Edit Inversion Likeness OptimiseConfig Weights cut_mask expect_method ignored_note invert invert_images need_of "
        "load_inversion save_inversion"
    ),
    "latents": "Latent load_latent save_latent expect_same_space",
    "networks": "Generator GeneratorSpec",
    "networks.memory": "Need need_to_draw",
    "networks.recogniser": "FaceRecogniser",
    "networks.sampling": "SHOWN_BYTES drawn_in_groups sampled",
    "networks.spec": "MAX_CLASSES",
    "networks.tuned": "with_delta",
    "progress": "Progress StepReport in_parts silent",
    "provenance": "edit_record with_earlier",
    "report": "REPORT_FACES AxesReport AxisReport report_axes report_facts report_page report_picture report_pictures",
    "sheets": "numbered_faces contact_sheet reading_sheet",
    "weights": "builtin_path",
    "wording": "counted numbered",
}
"""The public names of each module, between blanks."""

MODULE_OF = {name: module for module, names in NAMES_OF.items() for name in names.split()}
