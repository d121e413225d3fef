"""`emogan read`: which expression a face in a photo shows, how its head is turned, and which number each face has."""

from __future__ import annotations

from argparse import Namespace

from ..expressions import Reading, reading_lines, reading_of
from ..faces import find_faces, fit_to_photo
from ..images import open_photo
from ..progress import Progress
from ..sheets import numbered_faces
from .arguments import Outcome, chosen_face, clear_notes, notes_of
from .outputs import Outputs


def read_photo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """The expression of one face of a photo; all faces with their numbers as a picture, where one was asked for."""
    photo = open_photo(arguments.photo)
    if arguments.faces is not None:
        outputs.expect_photos([arguments.faces], inputs=[arguments.photo])
        outputs.save_photo(arguments.faces, numbered_faces(photo, find_faces(photo)), record=None)
    face, notes = chosen_face(photo, arguments.face)
    reading = reading_of(fit_to_photo(photo, face))
    lines = reading_lines(reading)
    turned = (round(angle) for angle in (reading.yaw_deg, reading.pitch_deg, reading.roll_deg))  # -0.3 is 0, not -0
    head = "head: yaw {:+d}, pitch {:+d}, roll {:+d} degrees".format(*turned)
    fitted = f"the face model lies {reading.error_cm:.2f} cm from the face's points on average"
    notes += [*clear_notes(photo, face.landmarks, arguments.photo.name), *notes_of(photo)]
    wrote = [f"wrote {path}" for path in outputs.written]
    return reading_report(reading), [*lines, head, fitted, *notes, *wrote]


def reading_report(reading: Reading) -> dict[str, object]:
    """A reading as JSON."""
    return {
        "coefficients": {name: round(float(value), 3) for name, value in reading.coefficients.items()},
        "probabilities": {name: round(float(value), 4) for name, value in reading.probabilities.items()},
        "yaw_deg": round(float(reading.yaw_deg), 1),
        "pitch_deg": round(float(reading.pitch_deg), 1),
        "roll_deg": round(float(reading.roll_deg), 1),
        "error_cm": round(float(reading.error_cm), 3),
    }
