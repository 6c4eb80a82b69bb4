"""A server that answers as a test says, and remembers the requests."""

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The status, the headers and the content of an answer.
Answer = tuple[int, dict[str, str], bytes]


class Scripted:
    """Answers each request with `answer(method, path)`, over TLS if `tls` is a context."""

    def __init__(self, answer: Callable[[str, str], Answer], tls: ssl.SSLContext | None = None):
        requests = self.requests = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                requests.append(
                    (self.command, self.path, self.headers, content.decode(errors="replace"))
                )
                status, headers, body = answer(self.command, self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "{}:{}".format(*self._server.server_address)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def sent(self) -> str:
        """Everything that clients have sent."""
        return "".join(f"{path}\n{headers}{content}" for _, path, headers, content in self.requests)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
