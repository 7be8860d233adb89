"""What the check scripts share: files, comments, and how they show they can fail.

A script defines check(root), which returns a list of problems ("file:line:
what; what to do"), a small sound tree, and faults to plant in it. Called
without arguments it checks the repository; with --self-test it proves that it
accepts the sound tree and objects to each planted fault.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = (".hpp", ".cpp")

_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<string>R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"
                 |"(?:\\.|[^"\\\n])*"
                 |(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE)


def files(root, suffixes=None):
    """Paths below root that git tracks or would track, sorted, with '/'."""
    if (root / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z",
             "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
        found = [name for name in listing.split("\0")
                 if name and (root / name).is_file()]
    else:
        found = [path.relative_to(root).as_posix()
                 for path in root.rglob("*") if path.is_file()]
    return sorted({name for name in found
                   if suffixes is None or name.endswith(tuple(suffixes))})


def read(root, name):
    return (root / name).read_text(encoding="utf-8")


def _blank(text):
    """Nothing but the line ends of text, so that line numbers stay."""
    return "\n" * text.count("\n")


def code_only(text):
    """C++ without comments; string literals, #include apart, are emptied."""
    def replace(match):
        if match["comment"] is not None:
            return " " + _blank(match["comment"])
        begin = text.rfind("\n", 0, match.start()) + 1
        if re.match(r"\s*#\s*include\b", text[begin:match.start()]):
            return match.group()
        return '""' + _blank(match.group())
    return _TOKENS.sub(replace, text)


def comments(text):
    """(line number, comment) for each comment line of C++."""
    for match in _TOKENS.finditer(text):
        if match["comment"] is not None:
            first = text.count("\n", 0, match.start()) + 1
            yield from enumerate(match["comment"].split("\n"), first)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def _plant(root, tree):
    for name, content in tree.items():
        path = root / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")


def _self_test(check, sound, faults):
    """faults: (what, overlay on the sound tree, text the problem contains)."""
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "sound"
        _plant(root, sound)
        missed += [f"objects to a sound tree: {x}" for x in check(root)]
        for number, (what, overlay, expected) in enumerate(faults):
            root = Path(scratch) / str(number)
            _plant(root, sound)
            _plant(root, overlay)
            problems = check(root)
            if not any(expected in x for x in problems):
                missed.append(f"{what}: expected '{expected}', got {problems}")
    return missed


def main(check, sound, faults):
    """Runs the script; its exit status is 0 if there was nothing to say."""
    name = Path(sys.argv[0]).name
    if sys.argv[1:] == ["--self-test"]:
        problems = _self_test(check, sound, faults)
        good = f"self-test: finds {len(faults)} of {len(faults)} planted faults"
    elif not sys.argv[1:]:
        problems = check(ROOT)
        good = "ok"
    else:
        sys.exit(f"usage: tools/{name} [--self-test]")
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problems" if problems
          else f"{name}: {good}")
    sys.exit(1 if problems else 0)
