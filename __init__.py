"""What ComfyUI loads; where there is no ComfyUI, importing this does nothing."""

import logging
from importlib.util import find_spec

WEB_DIRECTORY = "./web"

if find_spec("comfy_api") is not None:
    from .nodes.requirements import advice_on_missing

    if (_advice := advice_on_missing()) is None:
        from .nodes.extension import comfy_entrypoint as comfy_entrypoint
    else:
        from .nodes.absent import comfy_entrypoint as comfy_entrypoint

        logging.error(_advice)
