"""The course of a run: its best model, when patience is over, and what its summary and its report hold."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest
import torch
from test_engine import Line, make_loop, run_loop
from torch import Tensor
from training_runs import DRAWN, assert_same_tensors, read_log, read_state

from pix2pix import train as train_command
from pix2pix.checkpoint import load_model
from pix2pix.reporting.run_files import read_summary
from pix2pix.training.course import Best, Course
from pix2pix.training.engine import Diverged
from pix2pix.training.tracking import RunFolder

Capture = pytest.CaptureFixture[str]


def read_summary_file(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "summary.json").read_text())
    return content


def test_the_best_model_is_that_of_the_smallest_distance_in_the_log(tmp_path: Path) -> None:
    distances = {0: 0.1, 2: 0.5, 4: 0.3, 6: 0.4, 8: 0.3, 10: 0.35}  # before the first step nothing is learned
    loop = make_loop(tmp_path / "run", Line(distance_at=distances.__getitem__), images=10, sample_every=2)
    run_loop(loop)
    best = load_model(loop.run.best)
    assert best.weights["weight"].item() == 2.0  # of the first of the two equal ones
    assert best.facts.images_seen == 4
    assert [record["dev_distance"] for record in best.facts.history] == [0.5, 0.3]
    assert min(read_log(tmp_path / "run"), key=lambda record: record["dev_distance"])["images"] == 4
    assert read_summary_file(tmp_path / "run")["best"] == {"images": 4, "dev_distance": 0.3}
    words = loop.course.closing_words(10)
    assert words[0] == f"the best on dev was at 4 images (distance 0.3000, now 0.3500): {loop.run.best}"
    assert words[1:] == ["diagnosis: nothing found", f"the report is {loop.run.report}"]


def test_a_distance_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    course = Course(RunFolder(tmp_path), "task", 10, None, {}, lambda line: None)
    assert not course.is_better(2, {"dev_distance": math.nan})
    assert course.is_better(4, {"dev_distance": 0.5})
    assert not course.is_better(6, {"dev_distance": math.nan})
    assert course.best == Best(4, 0.5)


def test_a_model_of_no_numbers_is_never_the_best(tmp_path: Path) -> None:
    objective = Line()
    objective.optimizers["generator"].param_groups[0]["lr"] = math.inf  # the loss before the step is still a number
    loop = make_loop(tmp_path / "run", objective, images=4, sample_every=2)
    with pytest.raises(Diverged, match="a weight of the generator is not a number; nothing was saved yet"):
        run_loop(loop)
    assert not loop.run.best.exists()


def test_patience_ends_a_run_and_a_larger_one_goes_on(tmp_path: Path, capsys: Capture) -> None:
    # At this rate no evaluation differs from the first in the digits of the log.
    settings = ["--train.learning-rate", "1e-12", "--train.sample-every", "2", "--images", "16"]
    command = [*DRAWN, *settings, "--out", str(tmp_path / "run")]

    def call(*patience: str) -> str:
        assert train_command.main([*command, *patience]) == 0
        return capsys.readouterr().err

    said = call("--patience", "4")
    assert "stopped early at 6 of 16 images: nothing better for 4 images" in said
    assert f"the model is {tmp_path}/run/model.safetensors" in said
    assert read_state(tmp_path / "run")["seen"] == 6
    summary = read_summary_file(tmp_path / "run")
    assert (summary["finished"], summary["stopped_early"], summary["images"]) == (True, True, 6)

    before = (tmp_path / "run" / "state.pt").read_bytes()
    said = call("--patience", "4")
    assert f"{tmp_path}/run: stopped early at 6 images; raise --patience, or leave it out, to go on" in said
    assert (tmp_path / "run" / "state.pt").read_bytes() == before

    assert "stopped early at 10 of 16 images: nothing better for 8 images" in call("--patience", "8")
    assert "going on at 10 images" in call()
    assert [line["images"] for line in read_log(tmp_path / "run")] == list(range(2, 18, 2))
    summary = read_summary_file(tmp_path / "run")
    assert (summary["finished"], summary["stopped_early"], summary["images"]) == (True, False, 16)


def test_a_run_killed_between_two_evaluations_is_not_taken_for_one_that_ended_early(
    tmp_path: Path, capsys: Capture
) -> None:
    settings = ["--train.learning-rate", "1e-12", "--train.sample-every", "6", "--images", "24"]
    command = [*DRAWN, *settings, "--out", str(tmp_path / "run"), "--patience"]
    assert train_command.main([*DRAWN, *settings, "--out", str(tmp_path / "run"), "--images", "10"]) == 0
    log = tmp_path / "run" / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(line for line in lines if json.loads(line)["images"] < 10))  # as a save at 10 images leaves
    capsys.readouterr()
    assert train_command.main([*command, "3"]) == 0
    said = capsys.readouterr().err
    assert "going on at 10 images" in said
    assert "stopped early at 12 of 24 images" in said


def test_a_best_model_from_after_the_saved_state_is_dropped_and_comes_again(tmp_path: Path) -> None:
    def falling(seen: int) -> float:
        return 1 / (1 + seen)

    settings = {"images": 12, "sample_every": 2, "save_every": 4}
    whole = make_loop(tmp_path / "whole", Line(distance_at=falling), **settings)
    run_loop(whole)
    first = make_loop(tmp_path / "run", Line(lambda seen: 1.0 if seen < 6 else math.nan, falling), **settings)
    with pytest.raises(Diverged):
        run_loop(first)
    assert load_model(first.run.best).facts.images_seen == 6

    second = make_loop(tmp_path / "run", Line(distance_at=falling), **settings)
    second.restore()
    assert second.seen == 4
    assert second.course.best is None
    assert not second.run.best.exists()
    run_loop(second)
    best, expected = (load_model(loop.run.best) for loop in (second, whole))
    assert_same_tensors(best.weights, expected.weights)
    assert best.facts == expected.facts


def test_a_best_model_from_before_the_saved_state_stays(tmp_path: Path) -> None:
    settings = {"images": 12, "sample_every": 2, "save_every": 4}
    first = make_loop(tmp_path / "run", Line(lambda seen: 1.0 if seen < 8 else math.nan, lambda seen: seen), **settings)
    with pytest.raises(Diverged):
        run_loop(first)
    second = make_loop(tmp_path / "run", Line(distance_at=lambda seen: seen), **settings)
    second.restore()
    assert second.course.best == Best(2, 2.0)
    run_loop(second)
    assert load_model(second.run.best).facts.images_seen == 2


def test_the_summary_and_the_report(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert train_command.main([*DRAWN, "--images", "4", "--seed", "3", "--out", str(run)]) == 0
    summary = read_summary_file(run)
    assert summary.keys() == {
        *("task", "machine", "choices", "data", "software", "seed", "parameters", "images", "total", "seconds"),
        *("finished", "stopped_early", "scoring_share", "best", "findings", "diagnosed"),
    }
    assert summary["diagnosed"] is False  # two evaluations cannot tell
    assert (summary["task"], summary["seed"], summary["images"], summary["total"]) == ("facades", 3, 4, 4)
    assert str(summary["choices"]).startswith("cpu (")
    assert str(summary["data"]).startswith("embedded facades")
    state = read_state(run)
    for name in ("generator", "discriminator"):
        learned = load_model(run / "model.safetensors").weights if name == "generator" else state["networks"][name]
        assert summary["parameters"][name] == sum(weight.numel() for weight in learned.values())  # type: ignore[index]
    read = read_summary(run / "summary.json")
    assert read is not None
    assert read.best is not None
    assert read.best.dev_distance == min(line["dev_distance"] for line in read_log(run))
    report = (run / "report.html").read_text()
    assert "Labels to facades" in report
    assert "Distance on dev" in report


class Slow(Line):
    """Takes its time over previews."""

    def preview(self, source: Tensor) -> Tensor:
        time.sleep(0.05)
        return source


def test_the_share_of_the_time_that_evaluations_took_is_told(tmp_path: Path) -> None:
    loop = make_loop(tmp_path / "run", Slow(), images=4, sample_every=2)
    run_loop(loop)
    previews = 3 * (1 + 2)  # at the start and twice: 2 training pairs at once, 6 of dev in two parts
    assert previews * 0.05 <= loop.scoring < loop.clock.seconds()
    share = read_summary_file(tmp_path / "run")["scoring_share"]
    assert isinstance(share, float)
    assert 0.3 < share < 1


@pytest.mark.usefixtures("one_thread")
def test_evaluations_do_not_disturb_the_training(tmp_path: Path) -> None:
    everything = ["--train.ema", "50", "--model.dropout", "0.5", "--train.r1", "0.5", "--train.r1-every", "3"]
    states = []
    for every in ("2", "1000"):
        run = tmp_path / every
        command = [*DRAWN, *everything, "--images", "12", "--train.sample-every", every, "--out", str(run)]
        assert train_command.main(command) == 0
        states.append(read_state(run))
    assert len(read_log(tmp_path / "2")) == 6
    assert torch.is_tensor(states[0]["networks"]["generator"]["output.weight"])
    for part in ("networks", "optimizers"):
        assert assert_same_tensors(states[0][part], states[1][part], part) > 20


def test_a_damaged_best_model_is_said_and_the_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*DRAWN, "--out", str(tmp_path / "run"), "--images"]
    assert train_command.main([*command, "4"]) == 0
    best = tmp_path / "run" / "best.safetensors"
    best.write_bytes(best.read_bytes()[:100])
    capsys.readouterr()
    assert train_command.main([*command, "8"]) == 0
    assert "best.safetensors: not a readable model.safetensors" in capsys.readouterr().err
    assert load_model(best).facts.images_seen in (6, 8)


@pytest.mark.parametrize("lost", ["report.html", "model.safetensors"])
def test_what_a_kill_at_the_very_end_left_out_is_written_by_the_same_command(tmp_path: Path, lost: str) -> None:
    command = [*DRAWN, "--out", str(tmp_path / "run"), "--images", "4"]
    assert train_command.main(command) == 0
    for name in (lost, "report.html", "summary.json"):
        (tmp_path / "run" / name).unlink(missing_ok=True)
    assert train_command.main(command) == 0
    assert (tmp_path / "run" / "report.html").exists()
    assert read_summary_file(tmp_path / "run")["finished"] is True
    assert load_model(tmp_path / "run" / "model.safetensors").facts.images_seen == 4
