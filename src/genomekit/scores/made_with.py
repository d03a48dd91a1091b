"""How scores were made, compared: quantiles of a background are for scores that were made as its own were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALE = {
    "weights_sha256": "use one checkpoint",
    "organism": "read the heads of one organism",
    "parity": "use the same parity=",
    "window_length": "use the same window=",
}
"""What scores that are compared must share, and how."""
SHIFTS = {"window_step": "use the same step=", "annotation_hash": "use one annotation"}
"""What moves single scores, and leaves their scale."""
NAMES = ("model", "annotation", "annotation_release")
"""What is noted beside, for the reader."""
_SHOWN = 16  # characters of a value; of a hash these are enough


def made_with(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Take from what scores say of themselves how they were made; "" where they do not say.

    Raises:
        ValueError: They were made in several ways.
    """
    for fact, how in {**SCALE, **SHIFTS}.items():
        if "; " in (value := str(facts.get(fact, ""))):  # sets that were put together list what differs
            listed = ", ".join(one[:_SHOWN] for one in value.split("; "))
            raise ValueError(f"The background was made in several ways, with {fact} {listed}: {how} for all of it.")
    return {fact: facts.get(fact, "") for fact in (*NAMES, *SCALE, *SHIFTS)}


def compare(about: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Say how scores were made otherwise than their background, as far as both tell, where their scale is the same.

    Args:
        about: What is known of the background.
        facts: What the scores say of themselves.

    Raises:
        ValueError: They differ in what makes the scale.

    Example:
        >>> compare({"window_step": 1, "parity": 0}, {"window_step": 4096, "parity": 0})
        'Quantiles compare scores made in different ways: window_step 1 in the background and 4096 in these scores'
    """
    notes = []
    for fact in (*SCALE, *SHIFTS):
        ours, theirs = str(about.get(fact, "")), str(facts.get(fact, ""))
        if ours == theirs or not ours or not theirs:
            continue
        ours, theirs = (text if "; " in text else text[:_SHOWN] for text in (ours, theirs))
        if fact in SCALE:
            raise ValueError(
                f"The background {about['background']!r} was made with {fact} {ours} and these scores with {theirs}, "
                f"so they do not compare. Score one of them again, and {SCALE[fact]}."
            )
        notes.append(f"{fact} {ours} in the background and {theirs} in these scores")
    return f"Quantiles compare scores made in different ways: {', '.join(notes)}" if notes else ""
