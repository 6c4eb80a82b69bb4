"""load.py ADDRESS MINIMUM PORT: sends requests to /will until a line arrives on stdin and at
least MINIMUM requests of each kind were sent, on new and on open connections. Prints a line
when requests of each kind have ended, and the results at the end.

Open connections use the source ports from PORT on. When a pod that ends resets one, the
node's conntrack keeps it for ten seconds, and would send a new connection from the same
port to the dead pod."""

import asyncio
import errno
import json
import sys
import time
from collections import Counter

WORKERS = 16
TIMEOUT_SECONDS = 5
CONTENT = b'"Hello World"\n'


class Kind:
    """Requests of one kind: each on a new connection, or many on an open one."""

    def __init__(self, address: str, port: int | None):
        """With a `port`, connections stay open and use the source ports from `port` on."""
        self.address = address
        self.port = port
        self.keep = port is not None
        self.start = time.monotonic()
        self.sent = 0
        # A client may retry once, on a new connection, if an open one ended before the
        # first byte of a response (RFC 9110, section 9.2.2).
        self.retried = 0
        self.lost: Counter[str] = Counter()
        self.lost_at: list[float] = []
        self.seconds: list[float] = []
        header = "" if self.keep else "Connection: close\r\n"
        self.request = f"GET /will HTTP/1.1\r\nHost: {address}\r\n{header}\r\n".encode()

    async def work(self, done) -> None:
        connection = None
        while not done():
            start = time.monotonic()
            self.sent += 1
            progress = Progress()
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    connection = await self._send(connection, progress)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.lost[f"{type(error).__name__} {progress.step}"] += 1
                self.lost_at.append(time.monotonic())
                connection = None
            self.seconds.append(time.monotonic() - start)

    async def _send(self, connection, progress):
        if connection:
            try:
                return await self._exchange(*connection)
            except (ConnectionError, Unanswered):
                self.retried += 1
        connection = await self._connect()
        progress.step = "after connecting"
        return await self._exchange(*connection)

    async def _connect(self):
        if self.port is None:
            return await asyncio.open_connection(self.address, 80)
        while True:
            here = ("0.0.0.0", self.port)
            self.port += 1
            try:
                return await asyncio.open_connection(self.address, 80, local_addr=here)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise

    async def _exchange(self, reader, writer):
        writer.write(self.request)
        first = await reader.read(1)
        if not first:
            writer.close()
            raise Unanswered
        head = first + await reader.readuntil(b"\r\n\r\n")
        content = await reader.readexactly(len(CONTENT))
        if not head.startswith(b"HTTP/1.1 200 ") or content != CONTENT:
            writer.close()
            raise ValueError(head)
        if self.keep:
            return reader, writer
        # The server must close first. If the client does, the node's conntrack keeps
        # the connection for two minutes, and sends the next connection from that port
        # to the same pod, even if the pod is dead.
        await reader.read()
        writer.close()
        return None

    def results(self) -> dict:
        ordered = sorted(self.seconds)
        lost_at = self.lost_at
        return {
            "sent": self.sent,
            "lost": sum(self.lost.values()),
            "lost_by": dict(self.lost),
            "lost_at_seconds": [round(each - self.start, 1) for each in lost_at[:10]],
            "lost_over_seconds": round(max(lost_at) - min(lost_at), 2) if lost_at else 0,
            "retried": self.retried,
            "median_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
            "slowest_ms": round(ordered[-1] * 1000, 1),
        }


class Progress:
    """How far a request got."""

    step = "while connecting"


class Unanswered(EOFError):
    """The connection ended before the first byte of a response."""


async def main(address: str, minimum: int, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    kinds = {"new": Kind(address, None), "open": Kind(address, port)}

    def done() -> bool:
        return stop.is_set() and all(kind.sent >= minimum for kind in kinds.values())

    async def announce() -> None:
        while not all(kind.seconds for kind in kinds.values()):
            await asyncio.sleep(0.01)
        print("under way", flush=True)

    workers = [kind.work(done) for kind in kinds.values() for _ in range(WORKERS)]
    await asyncio.gather(announce(), *workers)
    print(json.dumps({name: kind.results() for name, kind in kinds.items()}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
