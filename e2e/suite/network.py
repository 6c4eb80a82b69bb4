"""Connections in another network namespace than the tests': a pod's, or the client's."""

import ctypes
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

from . import node

_CLONE_NEWNET = 0x40000000
_TIMEOUT_SECONDS = 1


def inside(namespace: Path, work):
    """The result of `work` in a thread in the network namespace. A socket that `work`
    returns stays in that namespace."""
    result: list = []

    def enter_and_work() -> None:
        try:
            with namespace.open() as file:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(file.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(work())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=enter_and_work)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def of_pod(pod: dict) -> Path:
    """The network namespace of a pod on the first node."""
    return Path(f"/proc/{node.process(pod)}/ns/net")


def address(pod: dict) -> str:
    return pod["status"]["podIP"]


def connects(source: Path, target: str, port: int) -> bool:
    """Whether a TCP connection from the namespace to the target can be opened."""

    def connect() -> None:
        socket.create_connection((target, port), _TIMEOUT_SECONDS).close()

    try:
        inside(source, connect)
    except OSError:
        return False
    return True


@contextmanager
def listening(target: Path, kind: socket.SocketKind, port: int = 0):
    """A socket in the namespace that listens, by default on a port that the kernel chooses."""

    def listen() -> socket.socket:
        listener = socket.socket(type=kind)
        listener.settimeout(_TIMEOUT_SECONDS)
        listener.bind(("", port))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        return listener

    with inside(target, listen) as listener:
        yield listener


def delivers(source: Path, target: str, listener: socket.socket) -> bool:
    """Whether a datagram from the namespace arrives at the listener of the target."""

    def send() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"question", (target, listener.getsockname()[1]))

    try:
        inside(source, send)
        return bool(listener.recv(512))
    except OSError:
        return False
