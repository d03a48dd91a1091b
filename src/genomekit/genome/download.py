"""Fetch a file over HTTP into a folder: progress, continued after an interruption, verified, whole or not at all."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pooch
import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from genomekit.errors import GenomekitWarning
from genomekit.genome import cache

_ATTEMPTS = 3
_TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
# Transport compression would make byte ranges and checksums those of another file.
_HEADERS = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file at a provider.

    Args:
        url: Where it lies.
        checksums: Name of the MD5 file beside it, as md5sum writes it; None where the provider serves none.
    """

    url: str
    checksums: str | None = None

    @property
    def name(self) -> str:
        """File name."""
        return self.url.rsplit("/", 1)[-1]


def fetch(source: Source, folder: Path, *, advice: str) -> Path:
    """Return the file in `folder`, downloading it where it is not there.

    What an interrupted download has brought stays as `<name>.part` and is continued by the next call.

    Args:
        source: What to fetch.
        folder: Where it goes; exists.
        advice: What to do with a copy fetched by hand, e.g. "set the environment variable X to its path".

    Raises:
        ValueError: The content does not have the checksum that the provider serves; nothing is kept.
        FileNotFoundError: The provider does not have the file.
        ConnectionError: No network, or it broke off repeatedly.
        OSError: The folder cannot be written.
    """
    target = folder / source.name
    if target.exists():
        return target
    by_hand = f"Or fetch {source.url} on a machine with network and {advice}."
    digest = _checksum(source, by_hand)
    part = folder / f"{source.name}.part"
    resumed = part.exists()

    def stream(url: str, output: str, _: object) -> None:
        _download(url, part, by_hand)
        os.replace(part, output)

    for again in (resumed, False):
        try:
            with cache.explained(folder):
                pooch.retrieve(source.url, digest, fname=source.name, path=folder, downloader=stream)  # pyright: ignore[reportArgumentType]
        except ValueError as error:
            # The provider may have changed the file since the first part came.
            if again:
                continue
            raise ValueError(
                f"{source.url} does not have the checksum that {source.checksums} beside it says ({error}). "
                f"The download was dropped. Try again later. {by_hand}"
            ) from error
        break
    return target


def _checksum(source: Source, by_hand: str) -> str | None:
    if source.checksums is None:
        _unverified(source, "the provider serves no MD5 sums beside it")
        return None
    url = urljoin(source.url, source.checksums)
    try:
        response = requests.get(url, timeout=_TIMEOUT, headers=_HEADERS)
    except requests.RequestException as error:
        raise _no_network(url, by_hand) from error
    if response.status_code == 404:
        _unverified(source, f"{url} does not exist")
        return None
    if not response.ok:
        raise ConnectionError(f"{url} answered {response.status_code} {response.reason}. Try again later. {by_hand}")
    for line in response.text.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*").rsplit("/", 1)[-1] == source.name:
            return f"md5:{digest.lower()}"
    _unverified(source, f"{url} does not list it")
    return None


def _unverified(source: Source, reason: str) -> None:
    warnings.warn(f"{source.name} is downloaded without verification: {reason}.", GenomekitWarning, stacklevel=4)


def _no_network(url: str, by_hand: str) -> ConnectionError:
    return ConnectionError(
        f"No answer from {url}: there is no network, or the server is down. Check the connection (proxies are read "
        f"from HTTPS_PROXY) and try again: what has been downloaded so far is kept. {by_hand}"
    )


def _download(url: str, part: Path, by_hand: str) -> None:
    """Bring `part` to its full length, going on where it ends."""
    for attempt in range(_ATTEMPTS):
        try:
            return _transfer(url, part, by_hand)
        except (requests.RequestException, HTTPError) as error:
            if attempt == _ATTEMPTS - 1:
                raise _no_network(url, by_hand) from error


def _transfer(url: str, part: Path, by_hand: str) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = _HEADERS | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, stream=True, timeout=_TIMEOUT, headers=headers) as response:
        if response.status_code == 416:
            # The range starts at the end or past it: the part is whole, or of another file.
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return None
            part.unlink()
            return _transfer(url, part, by_hand)
        if response.status_code in (404, 410):
            raise FileNotFoundError(
                f"{url} does not exist any more (the server answered {response.status_code}). "
                f"Fetch the file from elsewhere: {by_hand}"
            )
        if not response.ok:
            raise ConnectionError(f"{url} answered {response.status_code} {response.reason}. {by_hand}")
        # A server that ignores Range answers 200 and sends everything from the start.
        have = have if response.status_code == 206 else 0
        total = have + int(response.headers.get("Content-Length", 0))
        bar = tqdm(total=total or None, initial=have, unit="B", unit_scale=True, desc=f"Downloading {part.stem}")
        with part.open("ab" if have else "wb") as output, bar:
            for chunk in response.raw.stream(1 << 20, decode_content=False):
                output.write(chunk)
                bar.update(len(chunk))
    if total > have and part.stat().st_size < total:
        raise requests.ConnectionError(f"{url} broke off after {part.stat().st_size:,} of {total:,} bytes")
    return None
