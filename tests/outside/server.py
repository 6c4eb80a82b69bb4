"""A server in a separate process, for as long as a test needs it."""

import os
import queue
import re
import signal
import subprocess
import threading

START_SECONDS = 60
STOP_SECONDS = 10


class Server:
    """A server at `url`. `log` is its output since the start."""

    def __init__(self, name: str, command: list):
        """Returns when the server has printed its address: each server prints it as soon
        as it listens."""
        self.name = name
        self._lines: list[str] = []
        self._address: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # A new session, because jco serves from a child process, which must be stopped, too.
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            address = self._address.get(timeout=START_SECONDS)
        except queue.Empty:
            address = None
        if address is None:
            self.stop()
            raise RuntimeError(f"{name} did not print its address. Its output:\n{self.log}")
        self.url = f"http://{address}"

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read(self) -> None:
        """Collects the output to its end; reports the first address in it, or None."""
        for line in self._process.stdout:
            self._lines.append(line)
            if address := re.search(r"127\.0\.0\.1:\d+", line):
                self._address.put(address[0])
        self._address.put(None)
