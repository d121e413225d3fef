"""A generator between two of one lineage, whose codes mean the same: the mean of two trainings' synthesis weights.

python -m emogan_core.training.blend BEFORE AFTER --share 0.5 -o OUT.safetensors

What a short adversarial training adds is partly better faces and partly its own artefacts. Half-way between the weights
before and after it most of the first and little of the second is left (Wortsman et al. 2022, "Model soups"). All but
the synthesis is AFTER's.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

from ..checkpoints import read_generator, write_generator
from ..errors import SpaceMismatch
from ..networks import Generator
from ..weights import read_header

NOTES = ("data_sha256", "pictures", "training")


def blended(before: Generator, after: Generator, *, share: float) -> Generator:
    """The synthesis at `share` of the way from before (0) to after (1), with the rest of after.

    Raises: SpaceMismatch unless both draw the same pixels from codes around the same average.
    """
    if before.spec != after.spec or not before.w_avg.equal(after.w_avg):
        raise SpaceMismatch(
            f"{before.spec.name} and {after.spec.name} have other layers or other codes; give two files between which "
            "only the synthesis was trained (--set learns=synthesis)"
        )
    result = copy.deepcopy(after)
    old, new = before.synthesis.state_dict(), after.synthesis.state_dict()
    result.synthesis.load_state_dict({name: old[name].lerp(tensor, share) for name, tensor in new.items()})
    return result


def notes_of(path: Path) -> dict[str, str]:
    """What a generator file says of its training, for a file made from it."""
    return {name: text for name, text in read_header(path)[1].items() if name in NOTES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    before, after = read_generator(arguments.before), read_generator(arguments.after)
    notes = notes_of(arguments.after)
    notes["blended"] = f"{arguments.share:g} of the way from {before.fingerprint} to {after.fingerprint}"
    write_generator(arguments.out, blended(before, after, share=arguments.share), half=True, notes=notes)


if __name__ == "__main__":
    main()
