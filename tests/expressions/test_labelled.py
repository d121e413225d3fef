"""Labelled latents: pictures become rows, those without a face are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.errors import Cancelled, ExpressionError, OutputError
from emogan_core.expressions import FaceSet, code_file, label_latents, label_photos, readable
from emogan_core.face_model import load_face_model
from emogan_core.faces import choose_face, crop_of, cut
from emogan_core.images import open_photo, photo_from_tensor, save_photo, tensor_from_photo
from emogan_core.inversion import CODE_METHODS, invert_images
from emogan_core.latents import Latent, save_latent
from emogan_core.weights import builtin_path

EXAMPLE = builtin_path("examples/composite_f_multi.jpg")


@pytest.fixture
def faces(tmp_path, tiny) -> FaceSet:
    rng = np.random.default_rng(0)
    side = tiny.spec.resolution
    paths = [tmp_path / f"{index}.png" for index in range(35)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    return FaceSet(
        files=tuple(paths),
        expressions=tuple("neutral" if index % 2 else "smile" for index in range(35)),
        people=tuple(f"person {index // 2}" for index in range(35)),
        covariates={"yaw": tuple(float(index) for index in range(35))},
    )


def test_golden_rows_are_the_pictures_codes(tiny, faces):
    steps = []
    labelled = label_latents(tiny, faces, aligned=True, progress=lambda report: steps.append(report.step))
    one = invert_images(tiny, tensor_from_photo(open_photo(faces.files[33])), method="encode")
    torch.testing.assert_close(labelled.latents.ws[33:34], one.latent.ws, rtol=1e-3, atol=1e-3)
    assert labelled.latents.fingerprint == tiny.fingerprint
    assert (labelled.labels, labelled.people, labelled.covariates) == (
        faces.expressions,
        faces.people,
        faces.covariates,
    )
    assert labelled.skipped == ()
    assert steps == list(range(1, 36))


def test_golden_aligned_pictures_of_any_size(tiny, faces, tmp_path):
    big = tmp_path / "big.png"
    Image.new("RGB", (90, 70), (200, 120, 80)).save(big)
    labelled = label_latents(tiny, replace(faces, files=(big, *faces.files[1:])), aligned=True)
    assert len(labelled.latents) == 35


def test_golden_mirror_images_have_codes_of_their_own(tiny, faces):
    labelled = label_latents(tiny, faces, aligned=True, mirrored=True)
    turned = tensor_from_photo(open_photo(faces.files[2])).flip(3)
    one = invert_images(tiny, turned, method="encode")
    assert labelled.mirrored is not None
    torch.testing.assert_close(labelled.mirrored.ws[2:3], one.latent.ws, rtol=1e-3, atol=1e-3)
    assert label_latents(tiny, faces, aligned=True).mirrored is None


@pytest.mark.slow
def test_error_no_usable_face(tiny, faces):
    few = FaceSet(faces.files[:2], faces.expressions[:2], None, {})
    for path in few.files:
        Image.new("RGB", (32, 32)).save(path)
    with pytest.raises(ExpressionError, match=r"none of the pictures \(2 in all\)"):
        label_latents(tiny, few)


def test_shape_pictures_that_cannot_be_used_are_left_out_and_named(tiny, faces, tmp_path):
    text, cut_short = tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("hello")
    cut_short.write_bytes(faces.files[0].read_bytes()[:900])
    odd = replace(faces, files=(faces.files[0], text, cut_short, *faces.files[3:]))
    labelled = label_latents(tiny, odd, aligned=True)
    assert [(one.name, one.why.split(" ")[0]) for one in labelled.skipped] == [
        (str(text), "text.png"),
        (str(cut_short), "cut.png"),
    ]
    rows = [0, *range(3, 35)]
    assert labelled.labels == tuple(faces.expressions[row] for row in rows)
    assert labelled.covariates == {"yaw": tuple(float(row) for row in rows)}
    first, skipped = readable(odd)
    assert len(first) == 34  # what is cut short begins well
    assert (first.people, [one.name for one in skipped]) == ((faces.people[0], *faces.people[2:]), [str(text)])


def test_golden_pictures_in_memory_as_files(tiny, faces):
    photos = [open_photo(path) for path in faces.files[:5]]
    people = faces.people[:5]
    of_photos = label_photos(tiny, photos, faces.expressions[:5], people=people, aligned=True)
    of_files = label_latents(tiny, FaceSet(faces.files[:5], faces.expressions[:5], people, {}), aligned=True)
    torch.testing.assert_close(of_photos.latents.ws, of_files.latents.ws)
    np.testing.assert_array_equal(of_photos.coefficients, of_files.coefficients)
    np.testing.assert_array_equal(of_photos.brightness, of_files.brightness)
    assert (of_photos.labels, of_photos.people) == (of_files.labels, of_files.people)
    with pytest.raises(ExpressionError, match="3 people came for 5 pictures"):
        label_photos(tiny, photos, faces.expressions[:5], people=people[:3], aligned=True)


@pytest.fixture
def counted(monkeypatch):
    """How many pictures are really inverted."""
    seen = []
    real = CODE_METHODS["encode"]

    def encode(generator, images, **options):
        seen.append(len(images))
        return real(generator, images, **options)

    monkeypatch.setitem(CODE_METHODS, "encode", encode)
    return seen


def kept(path, tiny, *, aligned=True):
    return code_file(path, tiny, aligned=aligned, method="encode")


def test_golden_codes_are_kept_for_the_next_time(tiny, faces, tmp_path, counted):
    text = tmp_path / "text.png"
    text.write_text("hello")
    odd = replace(faces, files=(text, *faces.files[1:]))
    first = label_latents(tiny, odd, aligned=True, codes=kept(tmp_path / "a.codes", tiny))
    assert sum(counted) == 34
    again = label_latents(tiny, odd, aligned=True, codes=kept(tmp_path / "a.codes", tiny))
    assert sum(counted) == 34
    torch.testing.assert_close(again.latents.ws, first.latents.ws, rtol=0, atol=0)
    np.testing.assert_array_equal(again.coefficients, first.coefficients)
    np.testing.assert_array_equal(again.brightness, first.brightness)
    assert (again.skipped, again.labels) == (first.skipped, first.labels)
    Image.new("RGB", (32, 32)).save(faces.files[7])
    label_latents(tiny, odd, aligned=True, codes=kept(tmp_path / "a.codes", tiny))
    assert sum(counted) == 35
    assert len(kept(tmp_path / "a.codes", tiny)) == 36
    assert len(kept(tmp_path / "a.codes", tiny, aligned=False)) == 0


def test_golden_codes_found_before_a_stop_are_kept(tiny, faces, tmp_path, counted):
    def stop(report):
        if report.step == 33:
            raise Cancelled

    with pytest.raises(Cancelled):
        label_latents(tiny, faces, aligned=True, codes=kept(tmp_path / "a.codes", tiny), progress=stop)
    label_latents(tiny, faces, aligned=True, codes=kept(tmp_path / "a.codes", tiny))
    assert counted == [32, 3]


def test_error_something_else_where_codes_would_be_kept(tiny, tmp_path):
    for name, data in (("text.codes", b"precious"), ("empty.codes", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(OutputError, match="something else is there"):
            kept(tmp_path / name, tiny)
    save_latent(tmp_path / "latent.codes", Latent(tiny.w_avg.expand(1, 8, -1), tiny.fingerprint))
    with pytest.raises(OutputError, match="something else is there"):
        kept(tmp_path / "latent.codes", tiny)


def test_error_cancelled(tiny, faces):
    def stop(report):
        raise Cancelled

    with pytest.raises(Cancelled):
        label_latents(tiny, faces, aligned=True, progress=stop)


def test_error_unknown_method(tiny, faces):
    with pytest.raises(ExpressionError, match="'guess' is not known"):
        label_latents(tiny, faces, aligned=True, method="guess")


def test_golden_pictures_without_a_face_have_a_latent_and_no_coefficients(tiny, faces):
    labelled = label_latents(tiny, replace(faces, files=faces.files), aligned=True)
    assert labelled.coefficients is not None
    assert labelled.coefficients.shape == (35, len(load_face_model().names))
    assert np.isnan(labelled.coefficients).all(1).sum() > 30  # noise shows nobody
    assert (np.isnan(labelled.brightness).all(1) == np.isnan(labelled.coefficients).all(1)).all()
    assert label_latents(tiny, faces, aligned=True, coefficients=False).coefficients is None


def test_golden_a_face_of_nobody_is_fitted_in_its_photo_and_in_its_crop(tiny, tmp_path):
    photo = open_photo(EXAMPLE)
    crop = cut(photo, crop_of(choose_face(photo), "tight"), 256)
    save_photo(tmp_path / "crop.png", photo_from_tensor(crop))
    seen = {}
    for aligned, path in ((False, EXAMPLE), (True, tmp_path / "crop.png")):
        faces = FaceSet((path,), ("neutral",), None, {})
        coefficients = label_latents(tiny, faces, aligned=aligned).coefficients
        assert coefficients is not None
        seen[aligned] = coefficients[0]
    smile = [load_face_model().index(f"mouthSmile{side}") for side in ("Left", "Right")]
    np.testing.assert_allclose(seen[True][smile], seen[False][smile], atol=0.15)
