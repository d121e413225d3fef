"""What each named expression and each shape of the face model does, in plain words."""

from __future__ import annotations

EXPRESSIONS = {
    "happiness": "a smile: mouth corners up, cheeks raised, eyes narrowed, and teeth where the typical smile shows them",
    "surprise": "brows up, eyes wide, mouth open",
    "anger": "brows down and together, a hard stare, lips pressed",
    "sadness": "inner brows up, mouth corners down, lower lip pushed up",
    "disgust": "nose wrinkled, upper lip raised, eyes narrowed",
    "fear": "brows up and together, eyes wide, lips drawn sideways",
    "contempt": "one mouth corner, the person's left, drawn in and up",
}
"""The named expressions that ship with the package."""

SHAPES = {
    "browDown": "lowers the brows",
    "browInnerUp": "raises the inner ends of the brows",
    "browOuterUp": "raises the outer ends of the brows",
    "eyeBlink": "closes the eyes",
    "eyeLookDown": "turns the gaze down, the lids follow",
    "eyeLookLeft": "turns the gaze to the person's left",
    "eyeLookRight": "turns the gaze to the person's right",
    "eyeLookUp": "turns the gaze up, the lids follow",
    "eyeSquint": "narrows the eyes from below",
    "eyeWide": "opens the eyes wide",
    "cheekPuff": "puffs the cheeks out",
    "cheekRaiser": "raises the cheeks towards the eyes",
    "cheekSquint": "raises the cheeks and the lower lids, as a true smile does",
    "noseSneer": "wrinkles the nose and raises its wings",
    "jawForward": "pushes the jaw forward",
    "jawLeft": "moves the jaw to the person's left",
    "jawOpen": "opens the mouth by the jaw",
    "jawRight": "moves the jaw to the person's right",
    "mouthClose": "brings the lips together while the jaw is open",
    "mouthDimple": "draws the mouth corners back into dimples",
    "mouthFrown": "draws the mouth corners down",
    "mouthFunnel": "opens the lips to a funnel, as for 'oh'",
    "mouthLeft": "moves the mouth to the person's left",
    "mouthLowerDown": "lowers the lower lip and shows the lower teeth",
    "mouthPress": "presses the lips together",
    "mouthPucker": "puckers the lips, as for a kiss",
    "mouthRight": "moves the mouth to the person's right",
    "mouthRollLower": "rolls the lower lip in over the teeth",
    "mouthRollUpper": "rolls the upper lip in over the teeth",
    "mouthShrugLower": "pushes the lower lip up, as the chin rises",
    "mouthShrugUpper": "pushes the upper lip up",
    "mouthSmile": "draws the mouth corners up",
    "mouthStretch": "stretches the mouth corners sideways",
    "mouthUpperUp": "raises the upper lip and shows the upper teeth",
}
"""The face model's shapes by region; those that are there once for each side stand without Left and Right.

A gaze to one side turns one eye in and one out; eyeLookIn and eyeLookOut turn both eyes in or out.
"""
