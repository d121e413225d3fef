"""What the host is given when our requirements are missing: an extension without nodes, so that nothing fails halfway."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io


class NoNodes(ComfyExtension):
    """An extension that offers nothing; the log says why."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return []


def comfy_entrypoint() -> NoNodes:
    """Called once by the host."""
    return NoNodes()
