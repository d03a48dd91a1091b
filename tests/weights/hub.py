"""A stand-in for the Hugging Face hub on 127.0.0.1: one repository, and the ways a download can fail."""

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """What the server serves, how it behaves, and what it was asked."""

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        self.repository, self.files = repository, files
        self.mode = "ok"
        """ok, 401 (not logged in), 403 (terms not accepted), 404, 500; "once": every file breaks off half-way at the
        first attempt; "cut": the largest file breaks off at every attempt."""
        self.requests: list[tuple[str, str, str | None]] = []
        """Method, path and Range header of each request."""
        self.url = ""

    def ranges(self) -> list[str]:
        """The Range headers that came."""
        return [asked for _, _, asked in self.requests if asked]


@contextmanager
def serving(hub: Hub):
    """Run the server while the block runs."""

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *arguments: object) -> None:
        """Keep the test output clean."""

    def _answer(self, *, body: bool) -> None:
        hub, path = self.served, unquote(urlsplit(self.path).path)
        hub.requests.append((self.command, path, self.headers.get("Range")))
        if path.startswith("/api/"):
            # A gated repository's card and listing are public; its files are not.
            status = {"404": 404, "500": 500}.get(hub.mode, 200)
            return self._json(status, self._listing(path), body) if status == 200 else self._refuse(status)
        found = re.fullmatch(rf"/{hub.repository}/resolve/[^/]+/(.+)", path)
        if hub.mode in ("401", "403"):
            return self._refuse(int(hub.mode), "GatedRepo")
        if not found or found[1] not in hub.files:
            return self._refuse(404, "EntryNotFound")
        return self._file(hub.files[found[1]], body)

    def _listing(self, path: str) -> object:
        hub = self.served
        if "/tree/" in path:
            return [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in hub.files.items()
            ]
        siblings = [{"rfilename": name} for name in hub.files]
        return {"id": hub.repository, "modelId": hub.repository, "sha": COMMIT, "siblings": siblings, "private": False}

    def _json(self, status: int, value: object, body: bool) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, data: bytes, body: bool) -> None:
        start = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            start = int(asked[1])
        part = data[start:]
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if not body:
            return
        hub = self.served
        largest = len(data) == max(map(len, hub.files.values()))
        if (hub.mode == "once" and not start) or (hub.mode == "cut" and largest):
            self.wfile.write(part[: len(part) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(part)
