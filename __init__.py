"""The door ComfyUI opens; where there is no ComfyUI, importing this does nothing."""

from importlib.util import find_spec

WEB_DIRECTORY = "./web"

if find_spec("comfy_api") is not None:
    from .nodes.requirements import advice_on_missing

    _ADVICE = advice_on_missing()
    if _ADVICE is None:
        from .nodes.extension import comfy_entrypoint as comfy_entrypoint
    else:

        def comfy_entrypoint() -> None:
            """Tell the host, which logs it as one line, what is missing; no node is registered then.

            Raises: ImportError.
            """
            raise ImportError(_ADVICE)
