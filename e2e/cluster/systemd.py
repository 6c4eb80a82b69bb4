"""Stands in for systemd, of which the node installer needs `systemctl restart containerd`,
from a container that has only the node's root file system."""

import os
from collections.abc import Callable
from pathlib import Path

# Only root on the node can write to it, as with systemd's own socket.
_REQUESTS = Path("/run/restart")

_SYSTEMCTL = f"""#!/bin/sh
if [ "$#" = 2 ] && [ "$1" = restart ]; then
  echo "$2" >{_REQUESTS}
else
  echo "this node's systemctl supports only: restart UNIT" >&2
  exit 1
fi
"""


def write() -> None:
    os.mkfifo(_REQUESTS, 0o600)
    systemctl = Path("/usr/bin/systemctl")
    # On many machines systemctl is a link.
    systemctl.unlink(missing_ok=True)
    systemctl.write_text(_SYSTEMCTL)
    systemctl.chmod(0o755)


def serve(restart: Callable[[str], None]) -> None:
    # Also open for writing, so that the file does not end when the first writer closes it.
    with os.fdopen(os.open(_REQUESTS, os.O_RDWR), "r") as requests:
        for unit in requests:
            restart(unit.strip().removesuffix(".service"))
