"""How torch writes the numbers of a tensor: the storage types it names, and the marks of its layout before 1.6."""

from __future__ import annotations

import torch

MAX_DIMENSIONS = 8
OLD_MARK = 0x1950A86A20F9469CFC6C  # the number at the start of torch.save's older layout
OLD_LAYOUT = 1001
DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}
"""The only storage types read, by the names that pickles give them."""
