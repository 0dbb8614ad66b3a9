"""The command line: a user's mistake is one line on standard error and a non-zero exit, never a traceback."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pix2pix import __main__ as verbs
from pix2pix import train
from pix2pix.command_line import one_line, parse, parse_known, portable, run
from pix2pix.config import Task, load_task, task_names


def refused(*arguments: str) -> str:
    """The one line that `arguments`, laid over a shipped task, are refused with."""
    with pytest.raises(ValueError, match=r".+") as caught:
        parse(Task, arguments, "test", default=load_task("facades"))
    message = str(caught.value)
    assert "\n" not in message
    assert not re.search(r"[│╭╰─]|https?:|\x1b", message), f"the frame is left in {message!r}"
    return message


# --- from tyro's box to one line ---


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--train.imags", "5"], "Unrecognized options: --train.imags, 5; did you mean --images?"),
        (["--bach", "5"], "Unrecognized options: --bach, 5; did you mean --batch?"),
        (["--train.l1-wait", "5"], "Unrecognized options: --train.l1-wait, 5; did you mean --train.l1-weight?"),
        (["--xyzzy"], "Unrecognized options: --xyzzy"),
        (["facades"], "Unrecognized options: facades"),
        (["--images", "many"], "Error parsing --images/--train.images: invalid literal for int() with base 10: 'many'"),
        (["--images"], "Missing value for argument '--images/--train.images'. Expected 1 values."),
        (["--train.betas", "0.5"], "Missing value for argument '--train.betas'. Expected 2 values."),
        (["--images", "-5"], "train.images: got -5; input should be greater than 0"),
        (["--size", "2048"], "data.size: got 2048; input should be less than or equal to 1024"),
        (["--seed", str(2**64)], f"train.seed: got {2**64}; input should be less than {2**63}"),
        (["--size", "100"], "data.size: got 100, expected a power of two from 64 to 1024"),
        (["--data.load-size", "100"], "data.load_size: got 100, expected at least the crop's 256"),
        (["--images", "-5", "--batch", "-5"], "train.images: got -5; input should be greater than 0"),
        (
            ["--train.gan-weight", "0", "--train.l1-weight", "0"],
            "train.gan_weight and l1_weight are both 0: nothing to learn from; set one of them",
        ),
    ],
)
def test_a_mistake_becomes_one_line(arguments: list[str], expected: str) -> None:
    assert refused(*arguments) == expected


@pytest.mark.parametrize(
    ("flag", "value", "choice"), [("--train.adversarial", "hing", "hinge"), ("--model.receptive-field", "71", "70")]
)
def test_a_wrong_choice_names_the_field_and_the_choices(flag: str, value: str, choice: str) -> None:
    message = refused(flag, value)
    assert flag in message
    assert f"'{value}'" in message
    assert f"'{choice}'" in message


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_line_does_not_depend_on_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert refused("--size", "100") == "data.size: got 100, expected a power of two from 64 to 1024"
    assert refused("--imags", "5") == "Unrecognized options: --imags, 5; did you mean --images?"


@pytest.mark.parametrize("before", [[], ["--xyzzy"], ["--images"]])
def test_a_long_path_stays_in_one_piece(before: list[str]) -> None:
    path = "/data/" + "a_long_name.with+signs(1)" * 5 + "/a b/c.yaml"
    assert path in refused(*before, path)


def test_a_box_of_other_sections_keeps_its_problem() -> None:
    assert one_line("╭─ Error ──╮\n│ went    │\n│ wrong   │\n│ ─────── │\n│ For help │\n╰─────────╯") == "went wrong"
    assert one_line("") == ""


# --- what is understood ---


def test_flags_are_laid_over_the_default() -> None:
    base = load_task("facades")
    parsed = parse(Task, ["--images", "8", "--train.learning-rate=0.001", "--data.no-flip"], "test", default=base)
    assert (parsed.train.images, parsed.train.learning_rate, parsed.data.flip) == (8, 0.001, False)
    changed = {"images": 8, "learning_rate": 0.001}
    assert parsed.train == base.train.model_copy(update=changed)
    assert parsed.data == base.data.model_copy(update={"flip": False})


def test_short_names_and_dotted_names_are_the_same() -> None:
    base = load_task("facades")
    short = ["--images", "8", "--batch", "2", "--seed", "3", "--size", "64", "--data", "embedded", "--init", "m"]
    dotted = ["--train.images", "8", "--train.batch", "2", "--train.seed", "3", "--data.size", "64"]
    dotted += ["--data.path", "embedded", "--train.init", "m"]
    assert parse(Task, short, "test", default=base) == parse(Task, dotted, "test", default=base)


def test_unknown_flags_are_left_for_the_next_parser_in_their_order() -> None:
    selection, rest = parse_known(
        train.Selection, ["--images", "-3", "--task", "facades", "--data.path", "x", "--preset", "quick"]
    )
    assert (selection.task, selection.preset) == ("facades", "quick")
    assert rest == ["--images", "-3", "--data.path", "x"]


def test_a_wrong_choice_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"argument '--model.generator'.*; did you mean unet\?$"):
        parse(Task, ["--model.generator", "unt"], "test", default=load_task("facades"))


def test_the_line_is_whole_where_the_terminal_knows_ascii_only(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "pix2pix.train", "--task", "facades", "--sise", "3"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "pix2pix train: Unrecognized options: --sise, 3; did you mean --size?\n"


def test_a_wrong_preset_is_refused_with_the_choices() -> None:
    with pytest.raises(
        ValueError, match=r"^invalid choice 'slow' for argument '--preset'.*'paper', 'standard', 'quick'"
    ):
        parse_known(train.Selection, ["--preset", "slow"])


# --- leaving the process ---


def failing(error: BaseException) -> Callable[[Sequence[str]], int]:
    def command(arguments: Sequence[str]) -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("no such thing"), 2, "verb: no such thing\n"),
        (ValueError("two\nlines"), 2, "verb: two lines\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/there"),
            2,
            "verb: [Errno 28] No space left on device: '/there'\n",
        ),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (SystemExit(0), 0, ""),
    ],
)
def test_errors_of_users_become_exit_codes(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        run(failing(error), "verb", [])
    assert leaving.value.code == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (143, 143)])
def test_what_a_verb_returns_is_the_exit_code(returned: int | None, status: int) -> None:
    with pytest.raises(SystemExit) as leaving:
        run(lambda arguments: returned, "verb", [])
    assert leaving.value.code == status


def test_a_programmers_mistake_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda arguments: 1 // 0, "verb", [])


# --- the verbs, in this process ---


def outcome(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    """The exit code of `pix2pix ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["pix2pix", *arguments])
    try:
        verbs.main()
    except SystemExit as leaving:
        return leaving.code
    return 0


@pytest.mark.parametrize(("verb", "meant"), [("trian", "train"), ("translte", "translate"), ("Evaluate", "evaluate")])
def test_an_unknown_verb_names_the_nearest(
    verb: str, meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome([verb], monkeypatch) == 2
    assert capsys.readouterr().err == f"pix2pix: unknown verb '{verb}'; did you mean '{meant}'?\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_without_a_verb_all_are_listed(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(arguments, monkeypatch) == 0
    listed = capsys.readouterr().out
    for verb in verbs.VERBS:
        assert re.search(rf"^  {verb} +\S", listed, re.MULTILINE)


@pytest.mark.parametrize("verb", sorted(verbs.VERBS))
def test_every_verb_has_help(verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome([verb, "--help"], monkeypatch) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: pix2pix {verb}")
    assert said.err == ""


def test_help_of_train_documents_every_field(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert outcome(["train", "--help"], monkeypatch) == 0
    listed = capsys.readouterr().out
    task = load_task(task_names()[0])
    for section in ("data", "model", "train"):
        for field in type(getattr(task, section)).model_fields:
            assert f"--{section}.{field.replace('_', '-')}" in listed
    for flag in ("--task", "--preset", "--config", "--out", "--dry-run"):
        assert flag in listed


# --- the verbs, as processes ---


def process(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--task", "facade"], "unknown task 'facade'; did you mean 'facades'?"),
        ([], "--task is missing; expected one of: "),
        (["--task", "facades", "--imags", "5"], "Unrecognized options: --imags, 5; did you mean --images?"),
        (["--task", "facades", "--preset", "slow"], "invalid choice 'slow' for argument '--preset'."),
        (["--task", "facades", "--images", "0"], "train.images: got 0; input should be greater than 0"),
        (["--task", "broken.yaml"], "broken.yaml: unknown field 'trian'; did you mean 'train'?"),
        (["--task", "facades", "--config", "absent.yaml"], "absent.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_in_a_training_ends_at_once_with_one_line(
    arguments: list[str], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("trian: {}")
    ended = process("pix2pix.train", *arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"pix2pix train: {expected}")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == [tmp_path / "broken.yaml"]  # nothing was begun


def test_a_dry_run_prints_what_a_run_would_be_made_with(tmp_path: Path) -> None:
    ended = process(
        "pix2pix", "train", "--task", "facades", "--preset", "quick", "--images", "12", "--dry-run", folder=tmp_path
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    printed = tmp_path / "printed.yaml"
    printed.write_text(ended.stdout)
    expected = load_task("facades", "quick")
    expected = expected.model_copy(update={"train": expected.train.model_copy(update={"images": 12})})
    assert load_task(str(printed), "paper") == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_standard_output_is_one_line(unbuffered: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m pix2pix.train --task facades --dry-run > /dev/full"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ended = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 2
    assert re.fullmatch(r"pix2pix train: .*No space left on device\n", ended.stderr)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("arguments", ["--task facades --dry-run", "--help"])
def test_a_reader_that_leaves_early_is_no_mistake(arguments: str, tmp_path: Path) -> None:
    command = f"({sys.executable} -m pix2pix.train {arguments}; echo $? >&2) | true"
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stderr == "0\n"


def test_a_flag_out_of_range_is_named_as_it_is_typed() -> None:
    from pix2pix import benchmark, translate

    for main, arguments, flag in (
        (benchmark.main, ["train", "--steps", "0"], "--steps: got 0"),
        (translate.main, ["--pixel-limit", "0", "a.png"], "--pixel-limit: got 0"),
    ):
        with pytest.raises(ValueError, match=flag):
            main(arguments)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("pix2pix train --task facades --data /a/b --out runs/x", "pix2pix train --task facades --data DIR --out RUN"),
        ("pix2pix train --data=embedded --task=../my/own.yaml", "pix2pix train --data=embedded --task=own.yaml"),
        ("pix2pix train --task my/own.yaml --init=/m/x.safetensors", "pix2pix train --task own.yaml --init=MODEL"),
    ],
)
def test_a_command_is_shown_without_local_paths(typed: str, shown: str) -> None:
    assert portable(typed.split()) == shown
