"""A value of the chart, and where the rendered objects must contain it."""

import functools
from dataclasses import dataclass, field

import yaml

from helm import CHART, Manifest, manifests, merged, nested

SAME = object()
ABSENT = object()


@dataclass(frozen=True)
class Case:
    # The path as in `--set`, without list indices: "service.port".
    value: str
    given: object
    kind: str
    # A JSON pointer (RFC 6901) into the object of that kind.
    pointer: str
    expected: object = SAME
    # Other values that this one needs to have an effect.
    requires: dict = field(default_factory=dict)
    # Conflicts with other cases.
    alone: bool = False

    def __str__(self) -> str:
        return f"{self.value} in {self.kind}"

    def check(self, cases: list) -> None:
        """Renders the value together with those of other cases, to run Helm less often."""
        expected = self.given if self.expected is SAME else self.expected
        default = find(manifests(self.requires), self.kind, self.pointer)
        assert default != expected, "the default renders the expected value too"
        others = [c for c in cases if not (c.alone or self.alone) and c.requires == self.requires]
        values = [nested(case.value, case.given) for case in [*others, self]]
        rendered = manifests(merged(self.requires, *values))
        assert find(rendered, self.kind, self.pointer) == expected


def find(documents: list[Manifest], kind: str, pointer: str) -> object:
    """The value at a pointer in the first object of a kind, or ABSENT."""
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
    """The path of every value in values.yaml. Lists, empty maps and the maps in
    PASSED_ON count as one value."""

    def walk(prefix: str, value: object):
        if isinstance(value, dict) and value and prefix not in PASSED_ON:
            for key, inner in value.items():
                yield from walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            yield prefix

    return frozenset(walk("", yaml.safe_load((CHART / "values.yaml").read_text())))


# The chart copies these maps unchanged, so one case for each is enough.
PASSED_ON = {"livenessProbe", "readinessProbe", "lifecycle", "resources", "strategy"}
PASSED_ON |= {"helmTest.annotations"}
