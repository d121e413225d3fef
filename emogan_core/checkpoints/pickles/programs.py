"""What a pickle seems to be that names something of another program, so that a refusal can say so."""

from __future__ import annotations

NEEDED = "needed a StyleGAN generator (.pkl, .pt, .pth or .safetensors)"
_SAVED_WHOLE = "an object of a program saved whole; save its state_dict() there instead"
_MODULES: tuple[tuple[str, str], ...] = (
    ("sklearn.", "a scikit-learn model"),
    ("joblib.", "a file of joblib, as scikit-learn models come"),
    ("xgboost.", "a model of XGBoost"),
    ("lightgbm.", "a model of LightGBM"),
    ("pandas.", "a table of pandas"),
    ("pytorch_lightning.", "a training state of PyTorch Lightning, such as a .ckpt of Stable Diffusion"),
    ("lightning.", "a training state of PyTorch Lightning"),
    ("omegaconf.", "a training state with settings of OmegaConf, such as a .ckpt of a diffusion model"),
    ("__torch__.", "a program of TorchScript"),
    ("ultralytics.", "a detector of Ultralytics (YOLO)"),
    ("transformers.", "a model of Transformers"),
    ("diffusers.", "a model of Diffusers"),
    ("keras.", "a model of Keras"),
    ("PIL.", "a picture"),
    ("torch.nn.", _SAVED_WHOLE),
    ("torchvision.", _SAVED_WHOLE),
    ("model.", _SAVED_WHOLE),
    ("models.", _SAVED_WHOLE),
    ("training.", _SAVED_WHOLE),
)


def kind_of_module(name: str) -> str | None:
    """What a pickle seems to be that names something of a program's module; None when nothing is known."""
    return next((what for start, what in _MODULES if name.startswith(start)), None)
