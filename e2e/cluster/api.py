"""A client of the API server, as the administrator of the cluster."""

import http.client
import json
import ssl
from urllib.parse import urlsplit

from . import layout


class Api:
    def __init__(self):
        self._tls = ssl.create_default_context(cafile=layout.KEYS / "authority.crt")
        self._tls.load_cert_chain(layout.KEYS / "admin.crt", layout.KEYS / "admin.key")

    def request(self, method: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
        """Status and content; status 0 if the server does not answer."""
        connection = http.client.HTTPSConnection(
            urlsplit(layout.API).netloc, timeout=5, context=self._tls
        )
        headers = {"Content-Type": "application/merge-patch+json"} if body else {}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def get(self, path: str) -> dict | None:
        """An object, or None if it does not exist or the server does not answer."""
        status, content = self.request("GET", path)
        return json.loads(content) if status == 200 else None
