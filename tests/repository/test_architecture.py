"""ARCHITECTURE.md matches the tracked files, and the links of all Markdown files resolve."""

import re
import subprocess
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MAP = "ARCHITECTURE.md"

LINK = re.compile(r"\]\(<?([^()<>\s]+)>?(?:\s+\"[^\"]*\")?\)")
URL = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
CODE = re.compile(r"`([^`\n]+)`")
# tests/reuse.rs::name_of_the_test
TEST = re.compile(r"([^:\s]+)::(\w+)")


def tracked_files() -> frozenset[str]:
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert listed.returncode == 0, f"`git ls-files` failed: run this in a clone. {listed.stderr}"
    # A file that is deleted and not yet committed is still listed.
    return frozenset(
        file for file in listed.stdout.split("\0") if file and (REPOSITORY / file).exists()
    )


FILES = tracked_files()
FOLDERS = frozenset(
    str(folder) for file in FILES for folder in PurePosixPath(file).parents if folder.name
)
DOCUMENTS = sorted(file for file in FILES if file.endswith(".md"))


def read(file: str) -> str:
    return (REPOSITORY / file).read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text between a heading of the map and the next heading of its level."""
    _, found, rest = read(MAP).partition(f"\n## {heading}\n")
    assert found, f"{MAP} has no section `## {heading}`: add it, or change its name in this test"
    return rest.partition("\n## ")[0]


def tree() -> dict[str, list[str]]:
    """The paths in the block under `Folders`: the subfolders that each entry of depth 1 lists.

    An entry of depth 2 is indented by two spaces, and a folder ends with a slash.
    """
    entries: dict[str, list[str]] = {}
    current = ""
    _, found, block = section("Folders").partition("\n```\n")
    assert found, f"{MAP} has no code block under `## Folders`: restore it"
    for line in filter(str.strip, block.partition("\n```\n")[0].splitlines()):
        indent = len(line) - len(line.lstrip())
        path = line.split()[0]
        assert indent in (0, 2), f"{MAP} indents `{path}` by {indent} spaces: use none or two"
        if indent == 0:
            assert path not in entries, f"{MAP} lists `{path}` twice: delete one of the lines"
            current = path
            entries[path] = []
        else:
            entries[current].append(f"{current}{path}")
    return entries


def promises() -> dict[str, list[str]]:
    """The tests that the last column of the promises names, by row."""
    lines = section("Promises across folders").splitlines()
    # The first two lines are the table's heading.
    rows = [line for line in lines if line.startswith("|")][2:]
    return {row: CODE.findall(row.rstrip("| ").rpartition("|")[2]) for row in rows}


def promised_tests() -> list[str]:
    return sorted({test for tests in promises().values() for test in tests})


def outside_code(text: str) -> str:
    """`text` without code blocks, which hold neither links nor headings."""
    return re.sub(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(document: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", outside_code(read(document)), re.MULTILINE):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 0
        while (unique := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(unique)
    return found


def links(document: str) -> list[str]:
    """The targets of the links and images of a document that stay in the repository."""
    text = CODE.sub("code", outside_code(read(document)))
    return [target for target in LINK.findall(text) if not URL.match(target)]


def test_every_path_in_the_tree_exists():
    wrong = []
    for entry, subfolders in tree().items():
        for path in (entry, *subfolders):
            known, kind = (FOLDERS, "folder") if path.endswith("/") else (FILES, "file")
            if path.rstrip("/") not in known:
                wrong.append(f"`{path}` is not a tracked {kind}: correct the line or delete it")
    assert not wrong, f"{MAP}, `## Folders`:\n" + "\n".join(wrong)


def test_every_folder_of_depth_1_is_in_the_tree():
    listed = {entry.rstrip("/") for entry in tree()}
    missing = sorted(folder for folder in FOLDERS if "/" not in folder and folder not in listed)
    assert not missing, (
        f"{MAP} does not name {', '.join(missing)}: add a line with the job of each "
        "to the block under `## Folders`"
    )


def test_a_folder_lists_all_of_its_subfolders_or_none():
    wrong = []
    for entry, subfolders in tree().items():
        tracked = {f"{folder}/" for folder in FOLDERS if str(Path(folder).parent) + "/" == entry}
        if subfolders and (missing := sorted(tracked - set(subfolders))):
            wrong.append(f"`{entry}` lists subfolders, but not {', '.join(missing)}")
    assert not wrong, f"{MAP} lists only some subfolders: add the others.\n" + "\n".join(wrong)


def test_every_promise_names_a_test():
    assert promises(), f"{MAP} has no table under `## Promises across folders`: restore it"
    without = [row for row, tests in promises().items() if not tests]
    assert not without, (
        f"{MAP}: these promises name no test. Write `file::name` of the test that keeps each "
        "into its last column:\n" + "\n".join(without)
    )


@pytest.mark.parametrize("test", promised_tests())
def test_a_test_that_keeps_a_promise_exists(test):
    parts = TEST.fullmatch(test)
    assert parts, f"{MAP} names `{test}` as a test: write it as `file::name`"
    file, name = parts.groups()
    assert file in FILES, f"{MAP} names the file {file}, which is not tracked: correct the path"
    definition = rf"^\s*(?:async )?(?:def|fn) {name}\("
    assert re.search(definition, read(file), re.MULTILINE), (
        f"{file} has no test `{name}`: write the new name into {MAP}, or the name of "
        "another test that keeps the promise"
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_resolve(document):
    wrong = []
    for link in links(document):
        path, _, anchor = unquote(link).partition("#")
        target = resolved(document, path)
        if target not in FILES and target not in FOLDERS and target != ".":
            wrong.append(f"({link}) leads to no tracked file or folder: correct the path")
        elif anchor and target.endswith(".md") and anchor not in anchors(target):
            known = ", ".join(sorted(anchors(target)))
            wrong.append(f"({link}) leads to no heading of {target}, which has {known}")
    assert not wrong, f"{document} has broken links. Correct them:\n" + "\n".join(wrong)


def resolved(document: str, path: str) -> str:
    """The path of a link's target in the repository."""
    if not path:
        return document
    parts: list[str] = []
    start = PurePosixPath() if path.startswith("/") else PurePosixPath(document).parent
    for part in (start / path.lstrip("/")).parts:
        if part == "..":
            if not parts:
                return f"outside of the repository: {path}"
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts) or "."
