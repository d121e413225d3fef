"""What the generator newly shows is added to the moved photo, and nothing else of its pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_faces import SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.move import move_face
from emogan_core.compose.paste import with_generator_detail
from emogan_core.compose.redrawing import Redrawing
from emogan_core.face_model import FaceFit, FaceModel
from emogan_core.faces import Crop, cut, frame_quad
from emogan_core.images import Photo

FIVE = (468, 473, 1, 61, 291)
DRAWN = 160  # px of a redrawn picture
OPEN = {"jawOpen": 1.0}


def crop_of_face(fit: FaceFit) -> Crop:
    landmarks = fit.landmarks[list(FIVE)]
    return Crop(quad=frame_quad(landmarks, "tight"), landmarks=landmarks, frame="tight")


def in_crop(fit: FaceFit, crop: Crop) -> FaceFit:
    """The fit in a picture of DRAWN px that fills an upright crop."""
    linear = crop.from_photo(DRAWN)
    scale, shift = float(linear[0, 0]), linear[:, 2]
    pose = replace(fit.pose, scale=fit.pose.scale * scale, translation=scale * fit.pose.translation + shift)
    return replace(fit, pose=pose, landmarks=scale * fit.landmarks + shift)


def spot(fit: FaceFit, landmark: int, ratio: float, radius: float = 12.0) -> torch.Tensor:
    """[1, 1, r, r]: 1, and `ratio` around a landmark of a fit in a redrawn picture."""
    x, y = fit.landmarks[landmark]
    rows, columns = np.mgrid[:DRAWN, :DRAWN] + 0.5
    soft = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * radius**2))
    return torch.from_numpy(1 + (ratio - 1) * soft).float()[None, None]


def picture_of(photo: Photo, crop: Crop) -> torch.Tensor:
    """A generator that redraws a photo perfectly."""
    return cut(photo, crop, DRAWN)


def times(picture: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
    return (picture + 1) * ratio - 1


def pasted(
    photo: Photo, model: FaceModel, fit: FaceFit, redrawing: Redrawing, **levels: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The photo moved, the same with the generator's part, and the mask."""
    after = coefficients_of(model, levels)
    moved, mask = move_face(photo, model, fit, after)
    result, whole = with_generator_detail(photo, moved, mask, model, fit, after, crop_of_face(fit), redrawing)
    return moved, result, whole


def test_golden_a_new_shadow_goes_where_it_lies_on_the_face() -> None:
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    redrawing = Redrawing(before, times(before, spot(small, 50, 0.8)), (small, small))
    moved, result, mask = pasted(photo, model, fit, redrawing)
    x, y = fit.landmarks[50].astype(int)
    ratio = (result[y - 2 : y + 3, x - 2 : x + 3] / moved[y - 2 : y + 3, x - 2 : x + 3].astype(float)).mean()
    assert ratio == pytest.approx(0.8, abs=0.05)
    x, y = fit.landmarks[280].astype(int)  # the other cheek
    np.testing.assert_array_equal(result[y - 3 : y + 4, x - 3 : x + 4], moved[y - 3 : y + 4, x - 3 : x + 4])
    np.testing.assert_array_equal(result[mask == 0], photo.pixels[mask == 0])


def test_golden_what_is_drawn_beside_lips_is_left_out_and_stains_are_faint() -> None:
    """Lips drawn a little elsewhere leave a yellow line under the lower one."""
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    greener = torch.tensor([0.0, 1.0, 1.0])[None, :, None, None]
    below = small.landmarks[17] + (0, 3.0)
    for points, most in ((np.vstack([small.landmarks[:17], below[None], small.landmarks[18:]]), 0.02), (None, 0.11)):
        at = small if points is None else replace(small, landmarks=points)
        stain = 1 + (spot(at, 50 if points is None else 17, 1.25, 3.0 if points is not None else 12.0) - 1) * greener
        moved, result, _ = pasted(photo, model, fit, Redrawing(before, times(before, stain), (small, small)))
        hue = np.log(result + 8.0) - np.log(moved + 8.0)
        assert np.abs(hue[..., 1] - hue[..., 0]).max() < most


@pytest.mark.parametrize("landmark", [105, 334, 52, 159])
def test_invariance_brows_and_lids_stay_as_they_were_moved(landmark: int) -> None:
    """Coarse pictures thicken brows that rise; the cheek beside takes a shadow all the same."""
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    thick = times(times(before, spot(small, landmark, 0.6)), spot(small, 50, 0.8))
    moved, result, _ = pasted(photo, model, fit, Redrawing(before, thick, (small, small)))
    shown = {}
    for at in (landmark, 50):
        x, y = fit.landmarks[at].astype(int)
        part = (slice(y - 1, y + 2), slice(x - 1, x + 2))
        shown[at] = (result[part] / moved[part].astype(float)).mean()
    assert shown[landmark] == pytest.approx(1.0, abs=0.01)
    assert shown[50] < 0.87


def test_invariance_the_same_picture_adds_nothing() -> None:
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    moved, result, _ = pasted(photo, model, fit, Redrawing(before, before, (small, small)), mouthSmile=0.6)
    np.testing.assert_array_equal(result, moved)


def test_invariance_a_generator_that_moves_as_the_face_model_does_adds_little() -> None:
    """Only what looks different is added, not what stands elsewhere."""
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    levels = {"mouthSmile": 0.6, "browDown": 0.5}
    _, there = tiny_face(levels)
    moved = move_face(photo, model, fit, coefficients_of(model, levels))[0]
    redrawing = Redrawing(
        picture_of(photo, crop), picture_of(Photo(moved), crop), (in_crop(fit, crop), in_crop(there, crop))
    )
    _, result, _ = pasted(photo, model, fit, redrawing, **levels)
    assert np.abs(result.astype(float) - moved).mean() < 0.1 * np.abs(moved.astype(float) - photo.pixels).mean()


def test_invariance_mirrored() -> None:
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    results = []
    for landmark, turned in ((50, False), (280, True)):
        shown = before.flip(3) if turned else before
        own = Photo(np.ascontiguousarray(photo.pixels[:, ::-1])) if turned else photo
        after = times(shown, spot(small, landmark, 0.75))
        results.append(pasted(own, model, fit, Redrawing(shown, after, (small, small)), mouthSmile=0.5)[1])
    change = np.abs(results[0].astype(float) - photo.pixels).mean()
    assert np.abs(results[0] - results[1][:, ::-1].astype(float)).mean() < 0.1 * change


@pytest.mark.parametrize(("size", "taken"), [(1.0, True), (0.2, False)])
def test_golden_a_mouths_inside_comes_from_generators_that_resolve_it(size: float, taken: bool) -> None:
    """Green, which neither teeth nor gums are."""
    (model, fit), photo = tiny_face(), tiny_photo()
    _, there = tiny_face(OPEN)
    crop = crop_of_face(fit)
    before = picture_of(photo, crop)
    green = before.clone()
    lips = in_crop(there, crop).landmarks[[13, 14]]
    middle = lips.mean(0).astype(int)
    green[0, :, middle[1] - 20 : middle[1] + 20, middle[0] - 30 : middle[0] + 30] = torch.tensor([-0.6, 0.4, -0.6])[
        :, None, None
    ]
    side = round(DRAWN * size)
    pictures = [torch.nn.functional.interpolate(one, size=side, mode="area") for one in (before, green)]
    fits = []
    for one in (fit, there):
        drawn = in_crop(one, crop)
        pose = replace(
            drawn.pose, scale=drawn.pose.scale * side / DRAWN, translation=drawn.pose.translation * side / DRAWN
        )
        fits.append(replace(drawn, pose=pose, landmarks=drawn.landmarks * side / DRAWN))
    moved, result, _ = pasted(photo, model, fit, Redrawing(pictures[0], pictures[1], (fits[0], fits[1])), **OPEN)
    x, y = there.landmarks[[13, 14]].mean(0).astype(int)
    colour = result[y - 1 : y + 2, x - 3 : x + 4].reshape(-1, 3).astype(float).mean(0)
    assert (colour[1] > 1.5 * colour[0]) == taken
    assert np.array_equal(result[y, x], moved[y, x]) != taken


def test_shape_photos_are_not_changed_and_keep_their_kind() -> None:
    (model, fit), photo = tiny_face(), tiny_photo()
    crop = crop_of_face(fit)
    small, before = in_crop(fit, crop), picture_of(photo, crop)
    deep = Photo(photo.pixels.astype(np.float32) + np.float32(0.25))
    redrawing = Redrawing(before, times(before, spot(small, 50, 0.8)), (small, small))
    own = deep.pixels.copy()
    _, result, mask = pasted(deep, model, fit, redrawing)
    assert (result.dtype, mask.dtype, result.shape) == (np.float32, np.float32, (SIDE, SIDE, 3))
    np.testing.assert_array_equal(deep.pixels, own)


def test_invariance_a_shut_lid_is_not_lit_where_the_eye_was() -> None:
    (model, fit), photo = tiny_face(), tiny_photo()
    small, before = in_crop(fit, crop_of_face(fit)), picture_of(photo, crop_of_face(fit))
    lit = times(before, spot(small, 159, 1.6))
    moved, result, _ = pasted(photo, model, fit, Redrawing(before, lit, (small, small)), eyeBlink=1.0)
    x = int(fit.landmarks[159, 0])
    lid = (slice(*fit.landmarks[[52, 145], 1].astype(int)), slice(x - 1, x + 2))
    assert (result[lid] / np.maximum(moved[lid], 1).astype(float)).max() < 1.02
