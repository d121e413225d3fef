"""An encoder for a generator that came without one, trained on what the generator itself draws."""

from .photos import TrainingPhotos, read_photos
from .train import TrainedEncoder, TrainingLength, train_encoder

__all__ = ["TrainedEncoder", "TrainingLength", "TrainingPhotos", "read_photos", "train_encoder"]
