"""What tests of data files share: an empty folder for downloads, and a host of their own."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oldschool.data import source
from tests.data.hosts import Host


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder for downloads, and nothing remembered of earlier ones."""
    monkeypatch.setattr(source.pooch, "os_cache", lambda _: tmp_path / "cache")
    monkeypatch.setattr(source, "_silent", {})
    source._from_cache_or_host.cache_clear()
    yield tmp_path / "cache"
    source._from_cache_or_host.cache_clear()


@pytest.fixture
def host(tmp_path, cache):
    folder, asked = tmp_path / "host", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Host(folder, f"127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()
