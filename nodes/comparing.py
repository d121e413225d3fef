"""The node that holds an edit against the photo before it."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import (
    Comparison,
    Photo,
    ShapeError,
    StepReport,
    compare,
    comparison_lines,
    contact_sheet,
    counted,
    window_around,
)
from . import host
from .finding import face_inputs
from .likeness import NONE, checked_files, identity_input, mark_of_files, recogniser_of
from .pictures import image_of_photo, masks_of, photos_of
from .sentences import in_one_sentence
from .sockets import CATEGORY

MOST_ROWS = 12
TILE_PX = 320


class CompareReport(io.ComfyNode):
    """The core's compare, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_CompareReport",
            display_name="Compare Edit (EmotionGAN)",
            category=CATEGORY,
            description="Holds an edit against the photo before it: both faces side by side, where and how much they differ, "
            "what each reads as, how far the face moved and, by a face recogniser of your own, whether it is still the person.",
            search_aliases=["before after", "difference", "compare faces", "side by side", "edit report"],
            is_output_node=True,
            inputs=[
                io.Image.Input("before", tooltip="The photos before the edit."),
                io.Image.Input("after", tooltip="The edited photos, as many and of the same size."),
                *face_inputs(of="each photo before the edit"),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="The edit's mask; with it the report says whether anything changed outside.",
                ),
                identity_input("the report tells how far the person is from who it was, which nothing else here says."),
            ],
            outputs=[
                io.String.Output("report", tooltip="Numbers as text: pixels, readings before and after, centimetres."),
                io.Image.Output("sheet", tooltip="One picture: before, after, their difference and the mask of each."),
            ],
        )

    @classmethod
    def validate_inputs(cls, identity: str = NONE) -> bool | str:
        return checked_files(identity)

    @classmethod
    def fingerprint_inputs(cls, identity: str = NONE, **others: object) -> str:
        return mark_of_files(identity)

    @classmethod
    @in_one_sentence
    def execute(
        cls, before: Tensor, after: Tensor, face: int, mask: Tensor | None = None, identity: str = NONE
    ) -> io.NodeOutput:
        old, new = photos_of(before), photos_of(after)
        masks = masks_of(mask, count=len(old), size=before.shape[1:3])
        if len(new) != len(old):
            raise ShapeError(
                f"{counted(len(new), 'picture')} after came for {len(old)} before; connect an edit and what it began with"
            )
        report, rows, lines, recogniser = host.progress(), [], [], recogniser_of(identity)
        for number, (one, two, where) in enumerate(zip(old, new, masks, strict=True), start=1):
            known = None if where is None else where.numpy()
            found = compare(one, two, mask=known, face=face, recogniser=recogniser)
            rows.append(_row(one, two, where, found))
            lines += [*([f"image {number}"] if len(old) > 1 else []), *comparison_lines(found)]
            report(StepReport(number, len(old), "comparing"))
        labels = ["before", "after", "difference x 3", *(["mask"] if mask is not None else [])]
        sheet = contact_sheet(rows[:MOST_ROWS], title="Before and after", column_labels=labels, tile_px=TILE_PX)
        shown = host.outgoing(image_of_photo(sheet))
        return io.NodeOutput("\n".join(lines), shown, ui=ui.PreviewImage(shown, cls=cls))


def _row(before: Photo, after: Photo, mask: Tensor | None, found: Comparison) -> list[Photo]:
    """The part around the face of each, or all of it where there is none."""
    shown = [before, after, found.difference]
    if mask is not None:
        gray = (255 * mask.clamp(0, 1)).round().to(torch.uint8).unsqueeze(-1).expand(-1, -1, 3)
        shown.append(Photo(gray.contiguous().numpy()))
    if found.crop is None:
        return shown
    height, width = before.pixels.shape[:2]
    left, top, side = window_around(found.crop, height=height, width=width)
    return [Photo(one.pixels[top : top + side, left : left + side].copy()) for one in shown]
