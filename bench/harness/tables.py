"""The report's tables, in Markdown."""

from statistics import median

from . import goals
from .results import Results
from .stats import Range, number

# A peer is near the ceiling from this part of it on.
NEAR = 0.7


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdicts(results: Results) -> str:
    rows = [
        [
            str(v.row),
            v.metric,
            v.goal,
            v.found,
            f"**{v.verdict}**" if v.verdict != goals.MET else v.verdict,
        ]
        for v in goals.verdicts(results)
    ]
    return table(["", "Metric", "Goal", "Found", ""], rows)


def serving(results: Results) -> str:
    """Throughput, latency and ratios of each peer."""
    rows = []
    for peer in results.peers:
        to_flask = results.rounds("peak_rps", peer, "flask")
        rows.append([
            results.labels[peer],
            number(results.median("peak_rps", peer)),
            str(to_flask),
            *(number(results.median(f"p{p}_ms", peer)) for p in ("50", "99", "99.9")),
            number(results.median("alone_p50_ms", peer)),
        ])  # fmt: skip
    rate = number(results.found["rate"])
    head = ["Server, on one core", "Peak, requests/s", "x Flask (gthread)"]
    latencies = [f"p{p} at {rate}/s, ms" for p in ("50", "99", "99.9")]
    return table([*head, *latencies, "p50 alone, ms"], rows)


def ceiling(results: Results) -> str:
    """What the load generator can measure, and which peers come near it."""
    if "ceiling" not in results.peers:
        return "What wrk can measure at most was not measured in that run."
    peers = [peer for peer in results.peers if peer != "ceiling"]
    ratios = {peer: results.rounds("peak_rps", peer, "ceiling") for peer in peers}
    near = [f"{results.labels[p]}, {ratio}" for p, ratio in ratios.items() if ratio.median >= NEAR]
    measured = (
        f"A server that does nothing answers {results.range('peak_rps', 'ceiling')} requests a "
        "second: wrk and the kernel allow no more. "
    )
    if not near:
        return f"{measured}No peer reaches {NEAR} of that."
    return (
        f"{measured}A peer near that may be faster than its figure. These reach {NEAR} of it or "
        f"more: {'; '.join(near)}."
    )


def processes(results: Results) -> str:
    """Start and memory of each peer."""
    rows = []
    for peer in results.found["start"]:
        cold = results.starts(peer, "cold_ms")
        memory = ("first_mib", "replica_mib", "loaded_growth_mib")
        rows.append([
            results.labels[peer],
            number(median(cold)) if cold else "",
            number(median(results.starts(peer, "warm_ms"))),
            *(str(Range.of(results.memories(name, peer))) for name in memory),
            _calls(results, peer),
        ])  # fmt: skip
    head = ["Server", "Start cold, ms", "warm, ms", "Memory of the first, MiB"]
    return table([*head, "of one more, MiB", "growth under load, MiB", "System calls"], rows)


def _calls(results: Results, peer: str) -> str:
    calls = results.found["work"].get(peer, {}).get("system_calls")
    return number(sum(calls.values())) if calls else "not measured"


def components(results: Results) -> str:
    """The metrics that depend on the component alone."""
    names = {"swiss": "swiss", "stock": "stock Spin template", "floor": "by hand (yardstick)"}
    rows = []
    for name, label in names.items():
        size, work = results.found["size"][name], results.found["work"][name]
        rows.append([
            label,
            *(f"{size[kind]:,}" for kind in ("bytes", "gzip_bytes", "pulled_bytes")),
            f"{results.compiled(name):,}",
            *(number(median(results.probes(kind, name)))
              for kind in ("compile_ms", "instantiate_us", "instantiate_call_us")),
            *(f"{work[kind]:,}" for kind in
              ("instructions", "instructions_reused", "host_calls", "guest_instructions")),
        ])  # fmt: skip
    head = ["Component", "Bytes", "gzip", "pulled", "compiled", "Compiling, ms", "Instance, us"]
    head += ["with a call, us", "Host instructions", "reused", "Host calls", "Guest instructions"]
    return table(head, rows)


def before_after(found: dict) -> str:
    """Two builds of the component side by side. A run on a noisy machine has no times."""
    names = {
        "bytes": "Bytes",
        "gzip_bytes": "gzip",
        "compiled_bytes": "Compiled code, bytes",
        "host_calls": "Host calls for a request",
        "guest_instructions": "Guest instructions",
        "instructions": "Host instructions, fresh instance",
        "instructions_reused": "Host instructions, reused",
        "compile_ms": "Compiling, ms",
        "instantiate_us": "Instance, us",
    }
    rows = []
    for kind, name in names.items():
        if kind not in found["before"]:
            continue
        before, after = found["before"][kind], found["after"][kind]
        rows.append([name, f"{before:,}", f"{after:,}", number(after / before)])
    return table(["", "Before", "After", "Ratio"], rows)


def machine(results: Results) -> str:
    facts = results.found["machine"]
    kind = "virtual machine" if facts["virtual"] else "machine"
    noise = facts["noise_before"]
    pace, seed = results.pace(), results.found["seed"]
    order = "was not recorded" if seed is None else f"is that of `SEED={seed}`"
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, {kind}, "
        f"Linux {facts['kernel']}; {facts['time'][:10]}, commit {facts['commit']}; {versions}. "
        f"Before the run other work took {noise['busy']:.0%} of a core and the hypervisor "
        f"{noise['stolen']:.0%}, and the middle half of the times of one and the same loop lay "
        f"within {noise['spread']:.0%}. The machine's pace, the median time of that loop before "
        f"each round, went from {number(pace.low)} to {number(pace.high)} ms, which is "
        f"{pace.width:.0%} of its median. The order of the peers {order}."
    )
