"""What does not fit into memory is refused before it is begun."""

from __future__ import annotations

import pytest

from emogan_core.errors import EmoganError
from emogan_core.free_memory import expect_room, free_memory


def test_error_more_than_is_free() -> None:
    if free_memory() is None:
        pytest.skip("this system does not tell how much memory is free")
    expect_room(1_000_000, what="3 frames of 100 x 100 px")
    with pytest.raises(EmoganError, match=r"^9 frames of 4 x 4 px need 1000000\.0 GB of memory and .* take fewer"):
        expect_room(10**15, what="9 frames of 4 x 4 px")
