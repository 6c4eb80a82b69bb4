"""A value of the chart, and the place where it has to turn up."""

import functools
from dataclasses import dataclass, field

import yaml

from helm import CHART, Manifest, manifests, merged, nested

SAME = object()
ABSENT = object()


@dataclass(frozen=True)
class Case:
    # As in `--set`, without lists: "service.port".
    value: str
    given: object
    kind: str
    # A JSON pointer (RFC 6901) into the object of that kind.
    pointer: str
    expected: object = SAME
    # Values without which this one has no effect.
    along: dict = field(default_factory=dict)
    # Contradicts other cases.
    alone: bool = False

    def __str__(self) -> str:
        return f"{self.value} in {self.kind}"

    def check(self, cases: list) -> None:
        """Renders the value, together with those of the other cases to save time."""
        expected = self.given if self.expected is SAME else self.expected
        without = find(manifests(self.along), self.kind, self.pointer)
        assert without != expected, "the default would pass too"
        others = [c for c in cases if not (c.alone or self.alone) and c.along == self.along]
        values = [nested(case.value, case.given) for case in [*others, self]]
        rendered = manifests(merged(self.along, *values))
        assert find(rendered, self.kind, self.pointer) == expected


def find(documents: list[Manifest], kind: str, pointer: str) -> object:
    """What a pointer leads to in the one object of a kind, or ABSENT."""
    found: object = next((d for d in documents if d["kind"] == kind), ABSENT)
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return found


@functools.cache
def leaves() -> frozenset[str]:
    """Every value of values.yaml, maps and lists that are empty or hold what the
    Kubernetes API defines among them."""

    def walk(prefix: str, value: object):
        if isinstance(value, dict) and value and prefix not in PASSED_ON:
            for key, inner in value.items():
                yield from walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            yield prefix

    return frozenset(walk("", yaml.safe_load((CHART / "values.yaml").read_text())))


# Copied into the object as they are, so one case each is enough.
PASSED_ON = {"livenessProbe", "readinessProbe", "lifecycle", "resources", "strategy"}
