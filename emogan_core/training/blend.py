"""A generator between two trainings of one network: the weighted mean of their synthesis weights.

python -m emogan_core.training.blend BEFORE AFTER --share 0.5 -o OUT.safetensors

A short adversarial training both improves faces and adds artefacts. Half-way between the weights before and after it
most of the improvement and few of the artefacts are left (Wortsman et al. 2022, "Model soups"). Everything but the
synthesis is AFTER's.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

from ..checkpoints import read_generator, write_generator
from ..errors import SpaceMismatch
from ..networks import Generator
from ..weights import read_header

TRAINING_NOTES = ("data_sha256", "pictures", "training")


def blended(before: Generator, after: Generator, *, share: float) -> Generator:
    """The synthesis at `share` of the way from before (0) to after (1), with the rest of after.

    Raises: SpaceMismatch unless both draw the same pixels from codes around the same average.
    """
    if before.spec != after.spec or not before.w_avg.equal(after.w_avg):
        raise SpaceMismatch(
            f"{before.spec.name} and {after.spec.name} have other layers or other codes; give two files between which "
            "only the synthesis was trained (--set trainable=synthesis)"
        )
    result = copy.deepcopy(after)
    old, new = before.synthesis.state_dict(), after.synthesis.state_dict()
    result.synthesis.load_state_dict({name: old[name].lerp(tensor, share) for name, tensor in new.items()})
    return result


def notes_of(path: Path) -> dict[str, str]:
    """The metadata of a generator file about its training, for a file derived from it."""
    return {name: text for name, text in read_header(path)[1].items() if name in TRAINING_NOTES}


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
