"""What one file may cost: opcodes, and bytes turned into tensors."""

from __future__ import annotations

from ...errors import CheckpointError

MAX_OPCODES = 400_000  # the largest files in circulation, three networks of 1024 px, need about 65,000


class Budget:
    """What is left for one file, however many pickles it consists of."""

    def __init__(self, file_bytes: int) -> None:
        self.opcodes = MAX_OPCODES
        self.bytes = 4 * file_bytes + (1 << 16)  # storages count as bytes, and again as tensors

    def spend_bytes(self, count: int) -> None:
        """Raises: CheckpointError when no bytes are left."""
        self.bytes -= count
        if self.bytes < 0:
            raise CheckpointError("its tensors claim more bytes than the file holds; it is refused, get another file")

    def spend_opcodes(self, count: int = 1) -> None:
        """Raises: CheckpointError when no opcodes are left."""
        self.opcodes -= count
        if self.opcodes < 0:
            raise CheckpointError(f"it needs more than {MAX_OPCODES} opcodes, which no generator does; it is refused")
