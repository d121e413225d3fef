"""What a user reads when something is wrong."""

from __future__ import annotations

import pytest


def test_error_ours_become_value_errors_without_a_chain(part) -> None:
    def execute() -> None:
        try:
            raise KeyError("deep inside")
        except KeyError as error:
            raise part("emogan_core.errors").FaceError("no face came; give a face") from error

    with pytest.raises(ValueError, match=r"^no face came; give a face$") as caught:
        part("nodes.sentences").in_one_sentence(execute)()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_error_others_pass_as_they_are(part) -> None:
    def execute() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        part("nodes.sentences").in_one_sentence(execute)()
