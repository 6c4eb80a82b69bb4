"""Servers between a client and a registry."""

import socket
import threading


class Relay:
    """A server at `address` that forwards connections to `to`."""

    def __init__(self, to: str, host: str = "127.0.0.1"):
        to_host, port = to.split(":")
        self._to = to_host, int(port)
        self._server = socket.create_server((host, 0))
        self.address = "{}:{}".format(*self._server.getsockname())

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                self.handshake(client)
                upstream = socket.create_connection(self._to)
            except OSError:
                return
            for ends in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with source, target:
            try:
                while (data := source.recv(65536)) and self.forwards(data):
                    target.sendall(data)
                target.shutdown(socket.SHUT_RDWR)
                source.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other direction has ended the connection.
                pass

    def handshake(self, client: socket.socket) -> None:
        """Called before anything is forwarded."""

    def forwards(self, data: bytes) -> bool:  # noqa: ARG002
        """Whether `data` is forwarded; if not, the connection ends."""
        return True


class Proxy(Relay):
    """An HTTP proxy that connects to one server, whatever the client asks for."""

    def __init__(self, to: str):
        super().__init__(to)
        self.asked_for: set[str] = set()

    def handshake(self, client: socket.socket) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n") and (byte := client.recv(1)):
            request += byte
        # CONNECT gcr.io:443 HTTP/1.1
        self.asked_for.add(request.split()[1].decode())
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


class DisconnectingRelay(Relay):
    """A relay that disconnects at a request that starts with `request_line`."""

    def __init__(self, to: str, request_line: bytes):
        super().__init__(to)
        self._request_line = request_line
        self.disconnected = False

    def forwards(self, data: bytes) -> bool:
        if data.startswith(self._request_line):
            self.disconnected = True
            self._server.close()
        return not self.disconnected
