"""Stands for a notebook server, which the hub starts: answers, until it is stopped or NOTEBOOK_WHILE is gone."""

from __future__ import annotations

import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

FORGOTTEN_S = 280


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Be there."""
        self.send_response(200)
        self.end_headers()

    def do_HEAD(self) -> None:
        """Be there."""
        self.do_GET()


if __name__ == "__main__":
    place = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    wanted = Path(os.environ["NOTEBOOK_WHILE"])
    end = time.monotonic() + FORGOTTEN_S
    with HTTPServer((place.hostname or "127.0.0.1", place.port or 0), Answer) as server:
        server.timeout = 0.5
        while wanted.exists() and time.monotonic() < end:
            server.handle_request()
