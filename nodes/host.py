"""The only file that knows ComfyUI's insides: its folders, its memory manager, its progress bar and its stop button."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import comfy.model_management
import comfy.model_patcher
import comfy.utils
import folder_paths
import torch
from aiohttp import web
from comfy_api.latest import ui
from comfy_execution.utils import get_executing_context
from PIL import Image
from server import PromptServer
from torch import Tensor, nn

from ..emogan_core import (
    EmoganError,
    Generator,
    Progress,
    StepReport,
    builtin_presets,
    gradients_off,
    ordinary,
)
from .sockets import HeldGenerator

T = TypeVar("T")

GENERATORS = "stylegan"  # the folder that other packs use too, so that users' files are found
AXES = "emotiongan_axes"
EXPRESSIONS = "emotiongan_expressions"
INVERSIONS = "emotiongan_inversions"
LIKENESS = "emotiongan_likeness"
SUFFIX = ".safetensors"
SUFFIXES = {
    GENERATORS: (SUFFIX, ".pkl", ".pt", ".pth", ".model"),
    AXES: (SUFFIX,),
    EXPRESSIONS: (".json",),
    INVERSIONS: (SUFFIX,),
    LIKENESS: (SUFFIX, ".pt", ".pth"),
}
BUILTIN = "builtin"
TOLD, SEEN = "emotiongan_told", "emotiongan_seen"
"""What web/js/kept.js looks for in a node's UI output: a text, and a picture that is shown as live previews are."""
TOLD_LINES = 3
"""What fits on a node before the page's text box overflows."""
MARKUP = frozenset("<>&\"'`*_[]()!#|~\\")


def register_folders() -> None:
    """Make our folders known to the host; what others registered under these names stays."""
    for name in SUFFIXES:
        is_new = name not in folder_paths.folder_names_and_paths
        folder_paths.add_model_folder_path(name, str(_models(name)))
        paths, suffixes = folder_paths.folder_names_and_paths[name]
        if is_new or suffixes:  # an empty set lists every file, which somebody wanted
            folder_paths.folder_names_and_paths[name] = (paths, {*suffixes, *SUFFIXES[name]})
        folder_paths.add_model_folder_path(name, str(_saved(name)))


def choices(folder: str) -> list[str]:
    """What a user can choose from: the built-in one, then files."""
    return [BUILTIN, *files_in(folder)]


def expressions() -> list[str]:
    """The expressions a user can choose from: those that come with the pack, then files."""
    return [*builtin_presets(), *files_in(EXPRESSIONS)]


def inversions() -> list[str]:
    """The kept inversions a user can choose from."""
    return files_in(INVERSIONS)


def files_in(folder: str) -> list[str]:
    """The files of one of our folders; hidden ones, such as a write that was cut off leaves, are no models."""
    found = folder_paths.get_filename_list(folder)
    return [name for name in found if name.lower().endswith(SUFFIXES[folder]) and not Path(name).name.startswith(".")]


def chosen_path(folder: str, name: str) -> Path:
    """The file a user chose, inside the host's folders.

    Raises: EmoganError when it is not there.
    """
    path = folder_paths.get_full_path(folder, name) if name in files_in(folder) else None
    if path is None:
        raise EmoganError(absence(folder, name))
    return Path(path)


def absence(folder: str, name: str) -> str:
    """The sentence about a choice that is no file."""
    return (
        f"there is no file '{name}' in {_models(folder)}; put it there (or into a folder that extra_model_paths.yaml names "
        f"for '{folder}') and refresh, or choose one that is listed"
    )


def checked(folder: str, name: str) -> bool | str:
    """For `validate_inputs`: True, or the sentence about a choice that is no file."""
    return True if name in choices(folder) else absence(folder, name)


def advice(folder: str) -> list[str]:
    """Where files go, when there are none to choose from."""
    if len(choices(folder)) > 1:
        return []
    kinds = ", ".join(SUFFIXES[folder])
    return [f"no other files yet: put {kinds} into {_models(folder)} and refresh; Node Info says where to get them"]


def mark_of(path: Path) -> str:
    """A text that changes when the file does; for `fingerprint_inputs`."""
    try:
        status = path.stat()
    except OSError:
        return f"{path} is missing"
    return f"{path} {status.st_mtime_ns} {status.st_size}"


def input_folder() -> Path:
    """Where a user puts pictures."""
    return Path(folder_paths.get_input_directory())


def samples_folder() -> Path:
    """Where what generators' own samples show is kept, so that a fit that was stopped goes on."""
    return Path(folder_paths.get_output_directory()) / "emotiongan_samples"


def new_path(folder: str, name: str) -> Path:
    """A file that does not exist yet, in that folder of the output folder.

    Raises: EmoganError when the name leads out of that folder.
    """
    prefix = f"{folder}/{_inside(folder, name).as_posix()}"
    output = folder_paths.get_output_directory()
    place, stem, counter, _, _ = folder_paths.get_save_image_path(prefix, output)
    return Path(place) / f"{stem}_{counter:05}_{SUFFIXES[folder][0]}"


def free_generator_path(name: str, *, may_be: Callable[[Path], bool]) -> Path:
    """A file in the output folder's `stylegan` that no other generator of that name hides, numbered where one does.

    Convention: a file that is there already is given back only when `may_be` accepts it.
    Raises: EmoganError when the name leads out of that folder.
    """
    inside = _inside(GENERATORS, name.strip().removesuffix(SUFFIX))
    names = (inside.with_name(f"{inside.name}{f'_{number}' if number > 1 else ''}{SUFFIX}") for number in count(1))
    try:
        target = next(_saved(GENERATORS) / tried for tried in names if _is_free(tried, may_be))
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # too long a name, a file where a folder should be, a disk that may not be written to
        told = f"cannot write '{name[:80]}' in {_saved(GENERATORS)}: {error.strerror or error}"
        raise EmoganError(f"{told}; give another name, or check the folder") from error
    return target


def _is_free(name: Path, may_be: Callable[[Path], bool]) -> bool:
    found = folder_paths.get_full_path(GENERATORS, str(name))
    target = _saved(GENERATORS) / name
    if found is None:
        return not target.exists()  # what is there though not found is a folder, say
    return Path(found) == target and may_be(target)


def _inside(folder: str, name: str) -> Path:
    """A user's name as a path relative to our folder of the output folder.

    Raises: EmoganError when it leads out of there, or is no name.
    """
    root = _saved(folder).resolve()
    try:
        target = (root / name).resolve()
        inside = target.relative_to(root)
    except (ValueError, OSError, RuntimeError):  # a NUL byte, a loop of links, or another place
        inside = Path()
    if not inside.name or not name.strip() or not name.isprintable():
        raise EmoganError(
            f"the name {name[:80]!r} is none or leads out of {root}; give a plain one such as my_{folder.split('_')[-1]}"
        )
    return inside


def _models(folder: str) -> Path:
    return Path(folder_paths.models_dir) / folder


def _saved(folder: str) -> Path:
    return Path(folder_paths.get_output_directory()) / folder


def told(lines: Sequence[str], *, rest: str = "more in report") -> dict[str, list[str]]:
    """The first lines of a report, as a node's UI output that web/js/kept.js shows on the node itself; `rest` tells of others.

    A node that is taken from the cache gives its UI output again; no lines take the former ones away.
    The page takes the text for HTML or Markdown, and parts of it come from strangers' files, so every mark of those two is
    spelled as a number; the two blanks make Markdown keep a line.
    """
    shown = [*lines[: TOLD_LINES - 1], rest] if len(lines) > TOLD_LINES else lines
    text = "  \n".join(shown)
    return {TOLD: ["".join(f"&#{ord(sign)};" if sign in MARKUP else sign for sign in text)]}


def saved(path: Path) -> dict[str, object]:
    """The UI output of a node that wrote a file: which one, as the job's text and on the node."""
    line = f"saved {path.name}"
    return {**ui.PreviewText(line).as_dict(), **told([line])}


class _Held(nn.Module):
    """The host's manager writes notes onto the module it manages; this takes them, the generator stays as it was."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator


def hold(generator: Generator) -> HeldGenerator:
    """Hand a generator to the host's memory manager."""
    held = _Held(generator)
    handle = comfy.model_patcher.CoreModelPatcher(
        held,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
        size=comfy.model_management.module_size(held),
    )
    return HeldGenerator(generator, handle)


def device_of(held: HeldGenerator) -> str:
    """The kind of device on which a generator works, wherever it waits now: "cuda", "cpu", "mps"."""
    return str(held.handle.load_device.type)


def at_work(held: HeldGenerator, work: Callable[[Generator], T], *, bytes_needed: int) -> T:
    """What `work` makes with the generator on the host's device, outside of the inference mode in which nodes run.

    `bytes_needed` beside the weights is what other models make room for. Where that was not enough, every model leaves the
    device and the work is done once more, from its beginning.
    Raises: EmoganError when the memory is full then, too; as `work`.
    """
    try:
        return _worked(held, work, bytes_needed)
    except Exception as error:
        if not _says_full(error):
            raise
    # Only here, behind the error, are the tensors of the first try let go: its traceback held them.
    comfy.model_management.unload_all_models()
    comfy.model_management.soft_empty_cache()
    try:
        return _worked(held, work, bytes_needed)
    except Exception as error:
        if not _says_full(error):
            raise
    cpu = device_of(held) == "cpu"
    raise EmoganError(
        f"the memory of {'the computer' if cpu else held.handle.load_device} was full, twice and with every other model put "
        f"away; about {bytes_needed / 2**20:.0f} MiB were needed beside the generator: give fewer or smaller pictures at once "
        f"or a smaller generator, or close what else fills it{'' if cpu else ', or start ComfyUI with --cpu'}"
    )


def _worked(held: HeldGenerator, work: Callable[[Generator], T], bytes_needed: int) -> T:
    """One try. Moving a module within inference mode would leave it weights that no backward pass may use, so the mode is
    left before the host moves anything.
    """
    with gradients_off():
        device = held.handle.load_device
        comfy.model_management.load_models_gpu([held.handle], memory_required=bytes_needed, force_full_load=True)
        if any(part.device != device for part in (*held.generator.parameters(), *held.generator.buffers())):
            held.generator.to(device)  # a host that streams weights leaves modules of plain layers where they were
        for module in held.generator.modules():
            _make_ordinary(module)
        return work(held.generator)


def _says_full(error: Exception) -> bool:
    """Whether an error says that a device's memory, or the computer's, is full; MPS and the CPU say so in words only."""
    said = str(error)
    return (
        isinstance(error, MemoryError)
        or comfy.model_management.is_oom(error)
        or (isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said))
    )


def _make_ordinary(module: nn.Module) -> None:
    """Replace weights that another pack's or an older host's loading made under inference mode."""
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.is_inference():
            setattr(module, name, nn.Parameter(ordinary(parameter.detach()), requires_grad=False))
    for name, buffer in module.named_buffers(recurse=False):
        if buffer.is_inference():
            setattr(module, name, ordinary(buffer))


def progress(preview: Callable[[Tensor, int], Image.Image] | None = None) -> Progress:
    """A callback that moves the node's bar, shows previews, and stops when the user cancels.

    Convention: `preview` makes a small picture of what was drawn and the number of the first of it in the batch.
    Raises (from the callback): the host's own InterruptProcessingException, within one step.
    """
    bar = comfy.utils.ProgressBar(1)

    def report(step: StepReport) -> None:
        stop_if_cancelled()
        shown = None
        if preview is not None and step.preview is not None:
            shown = ("JPEG", preview(step.preview, step.first), None)
        bar.update_absolute(step.step, step.steps, shown)

    return report


def stop_if_cancelled() -> None:
    """Raise the host's InterruptProcessingException when the user pressed cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def outgoing(image: Tensor, *, dtype: torch.dtype | None = None) -> Tensor:
    """An IMAGE or MASK on the device, and by default in the type, that the host keeps between nodes."""
    return image.to(
        device=comfy.model_management.intermediate_device(),
        dtype=comfy.model_management.intermediate_dtype() if dtype is None else dtype,
    )


def node_at_work() -> str:
    """The host's name of the node that runs now; empty outside of a run."""
    context = get_executing_context()
    return "" if context is None else str(context.node_id)


def is_busy() -> bool:
    """Whether a workflow runs or waits."""
    return PromptServer.instance is not None and PromptServer.instance.prompt_queue.get_tasks_remaining() > 0


def shown_for_now(stem: str, jpeg: bytes) -> dict[str, str]:
    """A picture in the host's temporary folder, as the page's nodes name the pictures they show.

    Two files take turns, so that none is written while the page reads it.
    """
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    older = min(
        (folder / f"{stem}_{turn}.jpg" for turn in "ab"),
        key=lambda path: path.stat().st_mtime_ns if path.exists() else 0,
    )
    older.write_bytes(jpeg)
    return {"filename": older.name, "subfolder": "", "type": "temp"}


def serve(
    path: str, answer: Callable[[bytes], Awaitable[tuple[int, Mapping[str, object]]]], *, most_bytes: int
) -> None:
    """Answer JSON that the page posts; what the host does for its own routes about who may ask holds here too."""
    if PromptServer.instance is None:
        return

    @PromptServer.instance.routes.post(path)
    async def handle(request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # which no other site may send without being asked
            return web.json_response({"error": "needed Content-Type application/json"}, status=415)
        if request.content_length is None or request.content_length > most_bytes:
            return web.json_response({"error": f"needed a body of {most_bytes} bytes or less"}, status=413)
        status, said = await answer(await request.read())
        return web.json_response(dict(said), status=status)
