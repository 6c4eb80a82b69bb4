"""The first process of the node's namespaces: it starts the others, and reaps."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from . import addresses, images, layout, systemd
from .api import Api
from .components import COMPONENTS, Component
from .namespaces import enter
from .wait import until

# What is ready when, in seconds from the start; the file is there when all is.
TIMES = layout.STATE / "times.json"


class Node:
    def __init__(self):
        self._start = time.monotonic()
        self._times: dict[str, float] = {}
        self._running: dict[int, Component] = {}
        # A process may end before it is known here.
        self._starting = threading.Lock()

    def run(self) -> None:
        enter()
        self._note("namespaces")
        for component in COMPONENTS:
            if not component.after_api:
                self._start_component(component)
        for work in (self._images, self._kubernetes, self._systemd):
            threading.Thread(target=work, daemon=True).start()
        while True:
            self._reap()

    def _note(self, what: str) -> None:
        self._times[what] = round(time.monotonic() - self._start, 2)

    def _start_component(self, component: Component) -> None:
        with self._starting, (layout.LOGS / f"{component.name}.log").open("ab") as log:
            process = subprocess.Popen(
                component.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            self._running[process.pid] = component
        (layout.STATE / f"{component.name}.pid").write_text(str(process.pid))

    def _reap(self) -> None:
        """Waits for one process. A component that ends is started again, as systemd does."""
        try:
            pid, _ = os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(0.1)
            return
        with self._starting:
            component = self._running.pop(pid, None)
        if component:
            time.sleep(0.2)
            self._start_component(component)

    def _systemd(self) -> None:
        systemd.serve(self._restart)

    def _restart(self, name: str) -> None:
        with self._starting:
            for pid, component in self._running.items():
                if component.name == name:
                    os.kill(pid, signal.SIGTERM)

    def _images(self) -> None:
        until("the registry answers", _registry_answers, seconds=60)
        images.push_all()
        self._note("images")

    def _kubernetes(self) -> None:
        api = Api()
        ready = lambda: api.request("GET", "/readyz")[0] == 200  # noqa: E731
        until("the API server is ready", ready, seconds=120)
        self._note("API server")
        for component in COMPONENTS:
            if component.after_api:
                self._start_component(component)
        threading.Thread(target=addresses.serve, daemon=True).start()
        until("the node is ready", lambda: _node_is_ready(api), seconds=120)
        self._note("node ready")
        # Before it is there, no pod can be made.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        until("the service account is there", lambda: api.get(account), seconds=60)
        until("the images are there", lambda: "images" in self._times, seconds=60)
        self._note("ready for pods")
        TIMES.with_suffix(".new").write_text(json.dumps(self._times))
        TIMES.with_suffix(".new").rename(TIMES)


def _registry_answers() -> bool:
    try:
        urllib.request.urlopen(f"http://{layout.IMAGES}/v2/", timeout=5).close()
    except OSError:
        return False
    return True


def _node_is_ready(api: Api) -> bool:
    node = api.get(f"/api/v1/nodes/{layout.NODE}") or {}
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _give_up(failure) -> None:
    """Ends the cluster, where `up` waits for it, when a thread cannot go on."""
    print(failure.exc_value, file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    # Who reads these ends with a stop of the cluster, not by a key press in a terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = _give_up
    Node().run()
