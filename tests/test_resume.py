"""A run killed and started again ends in the bits of one that was not; several processes learn what one does."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from training_runs import (
    DRAWN,
    SMALL,
    assert_same_run,
    finish,
    read_log,
    read_state,
    start,
    train,
    wait_for,
    write_pairs,
)

SAMPLES = ("--train.sample-every", "8")
# Everything that keeps something between two steps: the average, dropout and noise, the lazy penalty, the schedule.
EVERYTHING = (
    *("--train.ema", "50", "--model.dropout", "0.5", "--train.r1", "0.5", "--train.r1-every", "3"),
    *("--train.feature-weight", "1", "--train.decay-from", "0.2"),
)


def kill_and_go_on(arguments: Sequence[str | Path], cwd: Path, kills: int, longest_wait: float, seed: int) -> list[int]:
    """Run the command until it has finished, killing it `kills` times, each a random time after it saved a state.

    Returns how many images the saved states had at the kills.
    """
    waits = random.Random(seed)
    state = cwd / "run" / "state.pt"
    seen: list[int] = []
    while True:
        before = state.stat().st_mtime_ns if state.exists() else 0
        process = start(arguments, cwd)
        if len(seen) == kills:
            status, error = finish(process)
            assert status == 0, error
            assert f"going on at {seen[-1]:,} images" in error
            return seen
        wait_for(state, process, newer_than=before)
        time.sleep(waits.random() * longest_wait)
        assert process.poll() is None, f"finished before kill {len(seen) + 1}; the run is too short for this machine"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        seen.append(read_state(cwd / "run")["seen"])


def assert_log_is_whole(run: Path, last: int) -> None:
    images = [line["images"] for line in read_log(run)]
    assert images == sorted(set(images))
    assert images[-1] == last


def test_two_kills_change_no_bit(tmp_path: Path) -> None:
    arguments = [*SMALL, *SAMPLES, *EVERYTHING, "--data", str(write_pairs(tmp_path / "pairs", 8)), "--save-every", "4"]
    arguments += ["--images", "160"]
    status, error = train([*arguments, "--out", "whole"], tmp_path)
    assert status == 0, error
    seen = kill_and_go_on([*arguments, "--out", "run"], tmp_path, kills=2, longest_wait=0.3, seed=0)
    assert 0 < seen[0] < seen[1] < 160
    assert_same_run(tmp_path / "whole", tmp_path / "run")
    assert_log_is_whole(tmp_path / "run", 160)


@pytest.mark.long
def test_twenty_kills_change_no_bit(tmp_path: Path) -> None:
    arguments = [*DRAWN, *SAMPLES, *EVERYTHING, "--save-every", "6", "--images", "1200"]
    status, error = train([*arguments, "--out", "whole"], tmp_path)
    assert status == 0, error
    seen = kill_and_go_on([*arguments, "--out", "run"], tmp_path, kills=20, longest_wait=0.6, seed=1)
    assert len(set(seen)) == 20  # every part of the run got further
    assert_same_run(tmp_path / "whole", tmp_path / "run")
    assert_log_is_whole(tmp_path / "run", 1200)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    # Without dropout and noise, which are drawn for each process, only rounding tells the two runs apart.
    networks = [*("--model.generator", "unet", "--model.width", "8", "--model.dropout", "0")]
    arguments = [*DRAWN, *networks, "--images", "12", "--batch", "4", "--train.ema", "20"]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
    status, error = train([*arguments, "--out", "one"], tmp_path)
    assert status == 0, error
    status, error = finish(start([*arguments, "--out", "two"], tmp_path, launcher))
    assert status == 0, error
    assert error.count("data: embedded facades") == 1
    assert error.count("the model is two/model.safetensors") == 1
    assert_log_is_whole(tmp_path / "two", 12)
    one, two = read_state(tmp_path / "one"), read_state(tmp_path / "two")
    assert two["choices"]["processes"] == 2
    for name in ("generator", "discriminator", "averaged"):
        a, b = (torch.cat([tensor.flatten() for tensor in state["networks"][name].values()]) for state in (one, two))
        assert float((a - b).norm() / a.norm()) < 1e-3, name

    status, error = finish(start([*arguments, "--images", "16", "--out", "two"], tmp_path, launcher))
    assert status == 0, error
    assert read_state(tmp_path / "two")["seen"] == 16


@pytest.mark.slow
def test_two_processes_with_every_loss_and_a_stop_request(tmp_path: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
    arguments = [*DRAWN, *EVERYTHING, "--images", "100000", "--train.sample-every", "100000"]
    process = start([*arguments, "--out", "run"], tmp_path, launcher)
    wait_for(tmp_path / "run" / "log.jsonl", process)
    process.send_signal(signal.SIGTERM)  # torchrun passes it on to its processes
    _, error = process.communicate(timeout=300)
    assert "stopped at" in error, error
    seen = read_state(tmp_path / "run")["seen"]
    assert f"stopped at {seen:,} of 100,000 images" in error

    status, error = train([*arguments, "--batch", "2", "--images", str(seen + 2), "--out", "run"], tmp_path)
    assert status == 0, error
    assert "processes was 2, is 1: goes on, but not bit for bit as before" in error


@pytest.mark.slow
def test_two_processes_agree_that_patience_is_over(tmp_path: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
    settings = ["--train.learning-rate", "1e-12", "--train.sample-every", "4", "--patience", "4", "--images", "1000"]
    command = [*DRAWN, *settings, "--out", "run"]
    status, error = finish(start(command, tmp_path, launcher))
    assert status == 0, error
    assert error.count("stopped early at 8 of 1,000 images: nothing better for 4 images") == 1
    assert read_state(tmp_path / "run")["seen"] == 8
    status, error = finish(start(command, tmp_path, launcher))
    assert status == 0, error
    assert error.count("run: stopped early at 8 images; raise --patience, or leave it out, to go on") == 1


def test_processes_end_their_connection_before_they_end(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "import atexit, os\n"
        "from torch import distributed\n"
        "from pix2pix.training import processes\n"
        # The first to come is the last to go; each says so in one write, which another process cannot come into.
        "atexit.register(lambda: os.write(1, b'connected ' if distributed.is_initialized() else b'parted '))\n"
        "processes.meet()\n"
        "assert processes.decided_by_first(lambda: 5) == 5\n"
    )
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    process = start([], tmp_path, launcher, module="one.py")
    output, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert sorted(output.split()) == ["parted", "parted"], output


@pytest.mark.slow
def test_a_mistake_under_several_processes_is_told_once(tmp_path: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
    for arguments, line in {
        ("--batch", "3"): "--batch: got 3, expected a multiple of the 2 processes",
        ("--data", "nowhere"): "nowhere: no such folder",
    }.items():
        process = start([*DRAWN, *arguments, "--images", "4", "--out", "run"], tmp_path, launcher)
        _, error = process.communicate(timeout=300)  # torchrun itself writes a report with a traceback of its own
        assert process.returncode != 0
        assert error.count(line) == 1, error
