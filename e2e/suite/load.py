"""load.py ADDRESS LEAST PORT: asks /will until a line comes in and LEAST requests were
sent over new connections and over open ones each; prints what became of them.

Open connections come from the ports from PORT on. Where a pod that ends resets one,
the node's kernel remembers for ten seconds where its port led, and would send a new
connection from that port to the dead pod."""

import asyncio
import errno
import json
import sys
import time
from collections import Counter

WORKERS = 16
SECONDS = 5
CONTENT = b'"Hello World"\n'


class Kind:
    """Requests of one kind: a connection each, or many on one."""

    def __init__(self, address: str, port: int | None):
        """Kept open, and from `port` on, where there is one."""
        self.address = address
        self.port = port
        self.keep = port is not None
        self.start = time.monotonic()
        self.sent = 0
        # A client may ask once more, on a new connection, where an open one ended
        # before the first byte of a response (RFC 9110, section 9.2.2).
        self.asked_again = 0
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
            where = Where()
            try:
                async with asyncio.timeout(SECONDS):
                    connection = await self._ask(connection, where)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.lost[f"{type(error).__name__} {where.step}"] += 1
                self.lost_at.append(time.monotonic())
                connection = None
            self.seconds.append(time.monotonic() - start)

    async def _ask(self, connection, where):
        if connection:
            try:
                return await self._exchange(*connection)
            except (ConnectionError, Unanswered):
                self.asked_again += 1
        connection = await self._connect()
        where.step = "connected"
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
        # The server has to close first. Where the client does, the node's kernel
        # remembers for two minutes to which pod the client's port led, and sends
        # the next connection from that port there, dead or alive.
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
            "asked_again": self.asked_again,
            "median_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
            "slowest_ms": round(ordered[-1] * 1000, 1),
        }


class Where:
    """How far a request came."""

    step = "while connecting"


class Unanswered(EOFError):
    """The connection ended before the first byte of a response."""


async def main(address: str, least: int, port: int) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, told.set)
    kinds = {"new": Kind(address, None), "open": Kind(address, port)}

    def done() -> bool:
        return told.is_set() and all(kind.sent >= least for kind in kinds.values())

    await asyncio.gather(*(kind.work(done) for kind in kinds.values() for _ in range(WORKERS)))
    print(json.dumps({name: kind.results() for name, kind in kinds.items()}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
