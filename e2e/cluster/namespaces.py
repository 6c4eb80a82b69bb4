"""A node's view of the machine: mounts, network, cgroups."""

import subprocess
from pathlib import Path

from . import configuration, layout, systemd
from .cgroups import make
from .configuration import RESOLVER

# The kubelet exits if it cannot set these. The machine keeps its own values.
SYSCTLS = {"vm/overcommit_memory": 1, "kernel/panic": 10, "kernel/panic_on_oops": 1}


def enter() -> None:
    """Turns the new namespaces of this process into those of a node."""
    Path("/proc/sys/kernel/hostname").write_text(layout.NODE.name)
    _mounts()
    _run("ip link set lo up")
    if layout.NODE == layout.FIRST:
        _client()
    else:
        _link()
    for network in ("ipv4/ip_forward", "bridge/bridge-nf-call-iptables"):
        setting = Path("/proc/sys/net") / network
        if setting.exists():
            setting.write_text("1")
    make()


def _run(command: str) -> None:
    subprocess.run(command.split(), check=True)


def _mounts() -> None:
    # The kubelet's mounts must propagate to the containers.
    _run("mount --make-rshared /")
    # For this node's sockets and network namespaces, which the machine must not see.
    _run("mount -t tmpfs -o mode=755 tmpfs /run")
    Path("/run/lock").mkdir()
    # Folders whose paths are fixed in the kubelet, containerd or the node installer.
    for folder in ("/etc", "/usr/bin", "/var/lib", "/var/log"):
        _overlay(folder)
    _home()
    configuration.write_node()
    systemd.write()
    containerd = Path("/usr/bin/containerd")
    containerd.unlink(missing_ok=True)
    containerd.symlink_to(layout.FORKY / "usr/bin/containerd")
    for name, value in SYSCTLS.items():
        file = Path("/run") / f"sysctl.{name.replace('/', '.')}"
        file.write_text(f"{value}\n")
        _run(f"mount --bind {file} /proc/sys/{name}")
    _run(f"mount --bind {RESOLVER} /etc/resolv.conf")


def _overlay(folder: str) -> None:
    """Lets the node write to `folder` without a change on the machine."""
    upper, work = (layout.NODE.folder / f"overlay{folder}-{part}" for part in ("upper", "work"))
    upper.mkdir(parents=True)
    work.mkdir()
    options = f"lowerdir={folder},upperdir={upper},workdir={work}"
    _run(f"mount -t overlay -o {options} overlay {folder}")


def _home() -> None:
    """Adds /home/kubernetes/bin, as Google's nodes have it, to the machine's /home. Uses no
    overlay: STATE may be in /home, and an overlay must not contain its own folders."""
    machine = Path("/run/machine/home")
    machine.mkdir(parents=True)
    _run(f"mount --rbind /home {machine}")
    _run("mount -t tmpfs -o mode=755 tmpfs /home")
    for folder in machine.iterdir():
        there = Path("/home") / folder.name
        if not folder.is_dir() or folder.name == "kubernetes":
            continue
        there.mkdir()
        _run(f"mount --rbind {folder} {there}")
    Path("/home/kubernetes/bin").mkdir(parents=True)


def _client() -> None:
    """Creates the client outside the cluster, which sends requests to the first node."""
    client = f"ip -n {layout.CLIENT}"
    _run(f"ip netns add {layout.CLIENT}")
    _run(f"ip link add outside type veth peer name inside netns {layout.CLIENT}")
    _run(f"ip address add {layout.NODE.address}/30 dev outside")
    _run("ip link set outside up")
    _run(f"{client} address add {layout.CLIENT_ADDRESS}/30 dev inside")
    _run(f"{client} link set inside up")
    _run(f"{client} link set lo up")
    # One client sends the requests of many. With the default range it reuses a port
    # within the two minutes for which the node's conntrack keeps a connection, and the
    # new connection goes to the pod of the old one.
    ports = Path("/proc/sys/net/ipv4/ip_local_port_range")
    enter = f"nsenter --net=/run/netns/{layout.CLIENT} tee {ports}"
    wide = f"{layout.EPHEMERAL_PORTS.start} {layout.EPHEMERAL_PORTS.stop - 1}"
    subprocess.run(enter.split(), input=wide.encode(), stdout=subprocess.DEVNULL, check=True)
    for network in (layout.LOAD_BALANCERS, layout.SERVICES, layout.PODS):
        _run(f"{client} route add {network} via {layout.NODE.address}")


def _link() -> None:
    """Links the second node to the first, whose network namespace is that of process 1."""
    first = "nsenter --net=/proc/1/ns/net ip"
    _run("ip link add wire type veth peer name second netns 1")
    _run(f"ip address add {layout.NODE.address}/30 dev wire")
    _run("ip link set wire up")
    _run(f"{first} address add {layout.GATEWAY_OF_SECOND}/30 dev second")
    _run(f"{first} link set second up")
    _run(f"{first} route add {layout.NODE.pods} via {layout.NODE.address}")
    _run(f"ip route add default via {layout.GATEWAY_OF_SECOND}")


def inside(process: int) -> list[str]:
    """The prefix that runs a command in the namespaces of a process."""
    working_directory = ["env", "-C", str(Path.cwd())]
    flags = ("--mount", "--pid", "--net", "--uts")
    return ["nsenter", f"--target={process}", *flags, "--", *working_directory]
