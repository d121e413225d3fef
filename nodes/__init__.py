"""The nodes of ComfyUI; `extension` gathers them, and only `host` knows the host's insides."""
