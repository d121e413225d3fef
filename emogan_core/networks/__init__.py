"""Networks in plain PyTorch; nothing here opens a file."""

from .build import Generator, build_generator, tensors_of
from .spec import GeneratorSpec

__all__ = ["Generator", "GeneratorSpec", "build_generator", "tensors_of"]
