"""Write what is generated: pages of docs/, the inventory of parts, the tables of both READMEs.

python tools/write_docs.py            write what is old
python tools/write_docs.py --check    write nothing; exit 1 and name what is old
"""

import sys
from pathlib import Path

from pages import clauses, errors, inventory, security, systems

ROOT = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by tools/write_docs.py from the code; `make docs` writes it again. -->\n\n"
BEGIN, END = "<!-- systems: written by tools/write_docs.py -->", "<!-- end of systems -->"


def main(arguments: list[str]) -> int:
    """Write, or check; returns the exit code."""
    old = {path: text for path, text in wanted(ROOT).items() if _read(path) != text}
    for path, text in old.items():
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is old; run `make docs`")
        else:
            path.write_text(text, "utf-8")
            print(f"write_docs: {path.relative_to(ROOT)}")
    return 1 if old and "--check" in arguments else 0


def wanted(root: Path) -> dict[Path, str]:
    """What each generated file should say."""
    return {
        root / "docs" / "systems.md": NOTE + systems.page(),
        root / "docs" / "errors.md": NOTE + errors.page(),
        root / "docs" / "security.md": NOTE + security.page(),
        root / "docs" / "security" / "components.cdx.json": inventory.document(root),
        root / "README.md": between(_read(root / "README.md"), clauses.table("en")),
        root / "README.zh-CN.md": between(_read(root / "README.zh-CN.md"), clauses.table("zh")),
    }


def between(text: str, part: str) -> str:
    """The text with the part between its two marks replaced.

    Examples
    --------
    >>> between(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\\nnew\\n{END} b"
    True
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LookupError(f"the page has lost its marks; put back {BEGIN} and {END}")
    return f"{before}{begin}\n{part}\n{end}{after}"


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
