"""From typed models to a command line, and from a user's mistake to one clear line and a non-zero exit."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import io
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tyro

T = TypeVar("T")

PLACES = {"--data": "DIR", "--data.path": "DIR", "--out": "RUN", "--init": "MODEL", "--train.init": "MODEL"}
"""Flags whose values are paths of the machine that trained, and what stands for them."""


def parse(model: type[T], arguments: Sequence[str], prog: str, default: T | None = None) -> T:
    """`arguments` as a `model`; `--help` says what the model's docstring says, and documents every field.

    Raises ValueError with one line for an unknown flag (nearest named), a wrong type or a missing value.
    """
    if {"-h", "--help"} & set(arguments):
        tyro.cli(model, prog=prog, description=inspect.getdoc(model), args=["--help"], **_default(default))
    with _mistakes_as_value_errors(arguments):
        parsed: T = tyro.cli(model, prog=prog, args=list(arguments), **_default(default))
    return parsed


def parse_known(model: type[T], arguments: Sequence[str]) -> tuple[T, list[str]]:
    """The fields of `model` taken from `arguments`, and all the other arguments, untouched. Raises as `parse` does."""
    with _mistakes_as_value_errors(arguments):
        return tyro.cli(model, args=list(arguments), add_help=False, return_unknown_args=True)


@contextlib.contextmanager
def _mistakes_as_value_errors(arguments: Sequence[str]) -> Iterator[None]:
    # tyro draws its frames in ASCII where standard output is no UTF-8; to be read, they must look the same everywhere.
    said, printed = io.StringIO(), io.BytesIO()
    shown = io.TextIOWrapper(printed, encoding="utf-8", write_through=True)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(shown):
            yield
    except SystemExit as leaving:
        if not leaving.code:  # it did as it was told, with --tyro-print-completion
            print(printed.getvalue().decode(), end="")
            raise
        raise ValueError(one_line(said.getvalue(), arguments)) from None


def _default(default: Any) -> dict[str, Any]:
    # A section that may be absent (`Source | None`) stays what the default has, rather than become a subcommand.
    return {} if default is None else {"default": default, "config": (tyro.conf.AvoidSubcommands,)}


def one_line(box: str, arguments: Sequence[str] = ()) -> str:
    """tyro's framed message about `arguments` as one line: the problem, and the flag that was probably meant."""
    lines = [re.sub(r"^[│|]\s?|\s*[│|]$", "", line).strip() for line in box.splitlines()]
    sections: list[list[str]] = [[]]
    for line in lines:
        if re.fullmatch(r"[─-]+", line):
            sections.append([])
        elif line and line[0] not in "╭╰":
            sections[-1].append(line)
    problem = " ".join(sections[0])
    for word in {word for word in arguments if len(word) > 40}:  # the frame has broken it, if it was at a line's end
        problem = re.sub(" ?".join(map(re.escape, word)), word.replace("\\", r"\\"), problem)
    problem = re.sub(r"\[type=\w+, input_value=(.*?), input_type=\w+\].*", r"(got \1)", problem)
    problem = re.sub(r"Error parsing \S+: \d+ validation errors? for (\w*Options|Arguments) (\w+)", _flag, problem)
    problem = re.sub(r"Error parsing \S+: \d+ validation errors? for (\w+) ", lambda m: f"{m[1].lower()}.", problem)
    problem = re.sub(r"(\w+\.)Value error, (.*) \(got .*\)$", r"\1\2", problem)
    problem = re.sub(r"^([\w.-]+) Input (.*) \(got (.*)\)$", r"\1: got \3; input \2", problem)
    meant = [
        line.split(" ")[0].rstrip(",")
        for part in sections[1:]
        if part and part[0].startswith("Perhaps")
        for line in part[1:]
    ]
    meant = [word for word in meant if word.startswith("--")]
    choice = re.match(r"invalid choice '(.*?)' for argument .* Expected one of \((.*)\)", problem)
    if choice:
        meant = difflib.get_close_matches(choice[1], re.findall(r"'(.*?)'", choice[2]), n=1)
        problem = problem.rstrip(".")
    return problem + (f"; did you mean {meant[0]}?" if meant else "")


def _flag(match: re.Match[str]) -> str:
    """A field of a verb's own options as it is typed; those of a task keep their section's name before them."""
    return "--" + match[2].rstrip("_").replace("_", "-")


def run(command: Callable[[Sequence[str]], int | None], prog: str, arguments: Sequence[str] | None = None) -> None:
    """Run a verb and leave the process: 0 when it went well, 2 with one line on standard error for a user's mistake."""
    try:
        status = command(sys.argv[1:] if arguments is None else arguments) or 0
    except SystemExit as leaving:  # after --help
        status = int(leaving.code or 0)
    except BrokenPipeError:
        status = 0
    except (ValueError, OSError) as error:  # OSError: a full disk, a folder that went away
        print(f"{prog}: {' '.join(str(error).splitlines())}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(_flush(prog) or status)


def _flush(prog: str) -> int:
    """Write out what standard output still holds: 2 and one line for a full disk, 0 for a reader that has left."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries, and complains, once more
        if not isinstance(error, BrokenPipeError):
            print(f"{prog}: standard output: {error.strerror}", file=sys.stderr)
            return 2
    return 0


def machine() -> str:
    """The processor in words, for logs and for telling whether a run moved to another machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def portable(words: Sequence[str]) -> str:
    """A command line as it is typed, without the paths of the machine it was typed on."""
    shown = []
    for before, word in zip(["", *words], words, strict=False):
        flag, equals, value = word.partition("=")
        if before in PLACES and word != "embedded":
            word = PLACES[before]
        elif equals and flag in PLACES and value != "embedded":
            word = f"{flag}={PLACES[flag]}"
        elif "/" in word:
            word = f"{flag}={Path(value).name}" if equals else Path(word).name
        shown.append(word)
    return shlex.join(shown)
