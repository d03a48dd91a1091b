"""Where a published checkpoint is: named folder, caches, and the network last.

Order: the environment variable GENOMEKIT_WEIGHTS, the cache of this library, the cache of Hugging Face, download.
Nothing asks the network as long as an earlier place has the checkpoint.
"""

from __future__ import annotations

import os
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from genomekit.errors import WeightsNotFound
from genomekit.genome.cache import explained, location
from genomekit.weights import native, official
from genomekit.weights.registry import Entry

VARIABLE = "GENOMEKIT_WEIGHTS"


def locate(entry: Entry, *, cache_dir: str | Path | None = None) -> Path:
    """Return the folder or file of a published checkpoint, downloading it if it is nowhere on this machine.

    Args:
        entry: What is wanted.
        cache_dir: Cache of Hugging Face; default is its usual place.

    Raises:
        WeightsNotFound: It is not here and cannot be fetched; the text says why and what to do.
        OSError: The cache cannot be written.
    """
    cache_dir = cache_dir or os.environ.get("HF_HUB_CACHE")
    found = _from_variable(entry) or _below(location() / "weights", entry) or _cached(entry, cache_dir)
    return found or _fetch(entry, cache_dir)


def _from_variable(entry: Entry) -> Path | None:
    """Look into the folder that the environment variable names: for a child of that name, or itself."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    folder = Path(text).expanduser().absolute()
    if not folder.is_dir():
        raise WeightsNotFound(
            f"{VARIABLE} is {text!r}, which is no folder; it should be the folder that holds {entry.name}/. "
            "Correct it or unset it."
        )
    return _below(folder, entry) or (folder if folder.name == entry.name and holds_checkpoint(folder) else None)


def _below(folder: Path, entry: Entry) -> Path | None:
    """The checkpoint as a folder or file of its name."""
    for candidate in (folder / entry.name, folder / f"{entry.name}.safetensors"):
        if candidate.is_file() or holds_checkpoint(candidate):
            return candidate
    return None


def holds_checkpoint(folder: Path) -> bool:
    """Tell whether a folder holds a checkpoint of a layout we read."""
    if not folder.is_dir():
        return False
    return native.is_native(folder) or official.find(folder) is not None or len(list(folder.glob("*.safetensors"))) == 1


def _cached(entry: Entry, cache_dir: str | Path | None) -> Path | None:
    """Ask the cache of Hugging Face, without the network; half a download does not count."""
    try:
        folder = Path(huggingface_hub.snapshot_download(entry.repository, cache_dir=cache_dir, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    # Older versions of huggingface_hub return a snapshot whose download was interrupted: a part without its whole.
    blobs = folder.parents[1] / "blobs"
    interrupted = any(not (blobs / part.name.split(".")[0]).exists() for part in blobs.glob("*.incomplete"))
    return folder if holds_checkpoint(folder) and not interrupted else None


def _fetch(entry: Entry, cache_dir: str | Path | None) -> Path:
    """Download with progress, resuming what an earlier call left."""
    endpoint = os.environ.get("HF_ENDPOINT") or None
    try:
        with explained(Path(cache_dir or constants.HF_HUB_CACHE)):
            folder = huggingface_hub.snapshot_download(entry.repository, cache_dir=cache_dir, endpoint=endpoint)
    except Exception as error:
        reason = _reason(error, entry)
        if reason is None:
            raise
        places = f"{VARIABLE}, {location() / 'weights'}, the cache of Hugging Face"
        raise WeightsNotFound(
            f"{entry.name!r} could not be downloaded: {reason} It is in none of the usual places either: {places}."
        ) from error
    return Path(folder)


def _reason(error: BaseException, entry: Entry) -> str | None:
    """Say in words why a download failed; None where it is none of the known ways."""
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in chain:
        chain.append(step)
        step = step.__cause__ or step.__context__
    for one in chain:
        if isinstance(one, OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set, so nothing is fetched. Unset it, or copy the checkpoint here by hand."
        response = getattr(one, "response", None) if isinstance(one, HfHubHTTPError) else None
        status = getattr(response, "status_code", None)
        if status == 401:
            return (
                "Hugging Face does not know you (401). Log in: run `hf auth login`, or set HF_TOKEN to a token of "
                f"your account; if you have not yet, accept the terms at {entry.page}."
            )
        if status == 403:
            return (
                f"your account has not accepted the terms of use (403). Open {entry.page} while logged in, accept "
                "them, and call again; a fine-grained token must also be allowed to read gated repositories."
            )
        if status == 404:
            return f"{entry.page} does not exist (404). Update genomekit: the repository may have moved."
        if status is not None and status >= 500:
            return f"the server failed ({status}). Files that arrived whole are kept: call again later to go on."
    known = ("ConnectionError", "ConnectError", "ConnectTimeout", "ReadTimeout", "ReadError", "RemoteProtocolError",
             "ProtocolError", "ChunkedEncodingError", "TimeoutException", "NetworkError")  # fmt: skip
    # By name: huggingface_hub has changed its HTTP library more than once.
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    if kinds & {"ReadError", "RemoteProtocolError", "ProtocolError", "ChunkedEncodingError", "IncompleteRead"} or any(
        "Consistency check failed" in str(one) for one in chain
    ):
        return "the connection broke off again and again. Files that arrived whole are kept: call again to go on."
    if kinds & set(known) or isinstance(error, LocalEntryNotFoundError):
        return (
            "Hugging Face cannot be reached; this machine seems to be offline. Files that arrived whole are kept: call "
            f"again when online, or copy the checkpoint to a folder and set {VARIABLE} to its parent."
        )
    return None
