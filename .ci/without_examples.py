#!/usr/bin/env python3
"""Lists the public items whose documentation has no example.

`.ci/without_examples.py [CRATE ..]`; without a name, of the crates that a user sees. An item has one if its own documentation or
that of its `impl` block has a block of code, or if one in its file names it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "crates"
ITEM = re.compile(r"pub (?:const |unsafe )?(?:fn|struct|enum|trait|type|const) (\w+)")


def shown(lines):
    """The words in blocks of code of documentation."""
    words, code = set(), False
    for line in lines:
        text = line.strip()
        if text.startswith(("///", "//!")):
            if text[3:].strip().startswith("```"):
                code = not code
            elif code:
                words.update(re.findall(r"\w+", text))
    return words


def items(path):
    """All documented public items of a file, each with whether it has an example."""
    lines = path.read_text().split("#[cfg(test)]")[0].splitlines()
    words = shown(lines)
    block, docs, hidden = False, "", False
    for line in lines:
        text = line.strip()
        if text.startswith("///"):
            docs += text
        elif text.startswith("#["):
            hidden |= "doc(hidden)" in text
        elif text:
            if re.match(r"(unsafe )?impl\b|pub trait", line):
                block = "```" in docs
            found = ITEM.match(text)
            if found and not hidden:
                inner = block and line.startswith(" ")
                yield found[1], "```" in docs or inner or found[1] in words
            docs, hidden = "", False


for crate in sys.argv[1:] or ["wengert", "wengert-solve"]:
    count, without = 0, []
    for path in sorted((ROOT / crate / "src").rglob("*.rs")):
        found = list(items(path))
        count += len(found)
        names = " ".join(name for name, has in found if not has)
        if names:
            without.append(f"  {path.relative_to(ROOT / crate / 'src')}: {names}")
    print(f"{crate}: {count} items; without an example:", *without, sep="\n")
