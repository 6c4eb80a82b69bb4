"""docs/troubleshooting.md quotes what is printed, and docs/glossary.md has words in use."""

import re
from pathlib import Path

import pytest
from test_architecture import DOCUMENTS, FILES, read

TROUBLESHOOTING = "docs/troubleshooting.md"
GLOSSARY = "docs/glossary.md"
INSTALLER = "runtime-class/installer/src/"
# What prints the errors that the page lists.
PROGRAMS = (
    "arguments.sh",
    "chart/templates/",
    "chart/values.schema.json",
    "doctor.sh",
    "host/src/",
    "manifest/src/",
    "push/src/",
)
# Other programs print these, and nothing here can show it.
HELM = {
    "chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.20.0",
    "cannot reuse a name that is still in use",
    "cannot re-use",
    "spec.selector: Invalid value: ...: field is immutable",
    "conflict occurred while applying object ...: .spec.replicas",
    "context deadline exceeded",
}


def source(*folders: str) -> str:
    """The text of the files, with strings that continue on the next line in one line."""
    text = "".join(read(file) for file in sorted(FILES) if file.startswith(folders))
    return re.sub(r"\\\n\s*", "", text)


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading of the page, without the tables' headings."""
    _, found, rest = read(TROUBLESHOOTING).partition(f"\n## {heading}\n")
    assert found, f"{TROUBLESHOOTING} has no section `## {heading}`: correct this test"
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", rest.partition("\n## ")[0], re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    assert lines, f"`## {heading}` of {TROUBLESHOOTING} has no table: restore it"
    # The cells of this page have no escaped bars.
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(heading: str) -> list[str]:
    """The code in the first column, as one sees it on the screen."""
    return [code for cells in rows(heading) for code in re.findall(r"`([^`]+)`", cells[0])]


ERRORS = [*quoted("Helm refuses"), *quoted("`make up` and `make push`")]


@pytest.mark.parametrize("error", sorted({*ERRORS} - HELM))
def test_an_error_is_one_that_a_program_prints(error):
    parts = [part for part in error.split("...") if part]
    missing = [part for part in parts if part not in source(*PROGRAMS)]
    assert not missing, (
        f"{TROUBLESHOOTING} quotes `{error}`, but no program prints {missing}: quote the "
        "present words"
    )


def test_every_error_of_others_is_still_quoted():
    unused = HELM - {*ERRORS}
    assert not unused, f"{TROUBLESHOOTING} no longer quotes {unused}: remove them from this test"


def test_the_conditions_of_the_node_installer_are_all_explained():
    text = source(INSTALLER)
    reported = {*re.findall(r'reason: "(\w+)"', text), *re.findall(r'"(\w+Failed)"', text)}
    explained = {code for code in quoted("The node installer") if re.fullmatch(r"[A-Z]\w+", code)}
    assert explained == reported, (
        f"{TROUBLESHOOTING} explains {sorted(explained)}, and the installer reports "
        f"{sorted(reported)}"
    )


def words() -> list[str]:
    return re.findall(r"^\| \*\*(.+?)\*\* \|", read(GLOSSARY), re.MULTILINE)


def test_the_glossary_is_in_alphabetical_order():
    assert words() == sorted(words(), key=str.casefold)
    assert words()


def test_the_words_of_the_glossary_are_in_use():
    """In the documents, or in the sources."""
    others = [file for file in DOCUMENTS if file != GLOSSARY]
    sources = [file for file in FILES if Path(file).suffix in {".rs", ".py", ".yaml", ".wit"}]
    text = "\n".join(map(read, (*others, *sources)))
    unused = [
        word for word in words() if not re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE)
    ]
    assert not unused, f"{GLOSSARY} explains {unused}, which no file uses: remove them"
