"""The tables of docs/differences.md, which the tests compare with the servers."""

from conftest import REPOSITORY


def rows(section: str) -> list[list[str]]:
    """The cells of each row of the table in the section with this heading."""
    page = (REPOSITORY / "docs/differences.md").read_text()
    _, found, rest = page.partition(f"\n## {section}\n")
    assert found, f"docs/differences.md has no section `{section}`"
    text, _, _ = rest.partition("\n## ")
    table = [line for line in text.splitlines() if line.startswith("|")]
    _header, _rule, *body = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table
    ]
    assert body, f"the section `{section}` of docs/differences.md has no table"
    return body
