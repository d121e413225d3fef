"""What tests of reports share: a name that is no name, curves, and a reader that sees a face in every picture."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch
from tiny_faces import coefficients_of, tiny_face, tiny_photo

from emogan_core.compose import FacePreview
from emogan_core.expressions.samples import PictureReading
from emogan_core.glm import Validation
from emogan_core.inversion import Inversion
from emogan_core.latents import Latent
from emogan_core.report.strips import Composite

SLY = "<script>alert('x')</script>&\"grin"
CURVES = Validation((0.0, 0.2, 1.0), (0.0, 0.9, 1.0), (0.1, 0.8), (0.2, 0.75), (30, 30))


def played_reading(image: torch.Tensor) -> PictureReading:
    """A face whose smile is how bright a picture is, and whose skin is its colours."""
    model, fit = neutral()
    smile = coefficients_of(model, {"mouthSmile": float(image.mean() + 1) / 2})
    return PictureReading(replace(fit, coefficients=smile), image.double().mean(dim=(1, 2)).numpy())


neutral = cache(tiny_face)


def played_composites() -> tuple[Composite, ...]:
    """One small photo, whose face is found already."""
    photo, (_, fit) = tiny_photo(), tiny_face()
    picture = torch.zeros(1, 3, 8, 8)
    inversion = Inversion(Latent(torch.zeros(1, 1, 1), ""), picture, picture, None, {}, (fit,))
    return (Composite(photo, inversion, FacePreview(photo, fit)),)
