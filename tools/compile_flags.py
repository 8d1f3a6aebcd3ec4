"""The include paths and definitions of every unit, for tools that call clang themselves."""

import json
import pathlib
import shlex

ROOT = pathlib.Path(__file__).resolve().parent.parent


def include_flags(build):
    """Returns {source file: its -I, -isystem and -D flags} of the build directory."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        kept = []
        for n, word in enumerate(words):
            if word == "-isystem":
                kept += [word, words[n + 1]]
            elif word.startswith(("-I", "-D", "-isystem/")):
                kept.append(word)
        flags.setdefault(pathlib.Path(entry["file"]), kept)
    return flags


def flags_for(file, flags):
    """The file's own flags, or those of the neighbour that sees most."""
    if file in flags:
        return flags[file]
    beside = [f for path, f in flags.items() if path.parent == file.parent]
    return max(beside, key=len, default=[f"-I{ROOT}"])
