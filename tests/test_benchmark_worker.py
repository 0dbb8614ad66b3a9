"""A process for each side of a benchmark: its own state, its mistakes in one line, nothing on standard output."""

from __future__ import annotations

import multiprocessing.connection
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pix2pix.timing import worker as workers
from pix2pix.timing.worker import Worker


class Echo:
    """Answers in its own process."""

    def __init__(self, start: int) -> None:
        if start < 0:
            raise ValueError("got a negative start")
        self.value = start

    def add(self, more: int) -> int:
        self.value += more
        print("noise on standard output")
        return self.value

    def process(self) -> int:
        return os.getpid()

    def fail(self, message: str) -> None:
        raise RuntimeError(message)

    def die(self) -> None:
        os._exit(9)

    def leave_later(self) -> None:
        threading.Timer(0.1, os._exit, (9,)).start()

    def sleep(self) -> None:
        time.sleep(100)


class Sleeper:
    """Is never built."""

    def __init__(self) -> None:
        time.sleep(100)


def test_a_worker_keeps_state_in_its_own_process(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker(Echo, 1, name="an echo") as worker:
        assert [worker.ask("add", 2), worker.ask("add", 3)] == [3, 6]
        assert worker.ask("process") != os.getpid()
    assert "noise" not in capfd.readouterr().out


def test_a_workers_mistakes_arrive() -> None:
    with pytest.raises(ValueError, match="got a negative start"), Worker(Echo, -1, name="an echo"):
        pass
    with pytest.raises(ValueError, match="more memory is needed"), Worker(Echo, 0, name="an echo") as worker:
        worker.ask("fail", "DefaultCPUAllocator: can't allocate memory")
    with pytest.raises(RuntimeError, match="something else"), Worker(Echo, 0, name="an echo") as worker:
        worker.ask("fail", "something else")
    with (
        pytest.raises(ValueError, match=r"an echo: .* died \(exit code 9\)"),
        Worker(Echo, 0, name="an echo") as worker,
    ):
        worker.ask("die")


def test_a_worker_that_has_died_between_two_questions_says_so() -> None:
    with Worker(Echo, 0, name="an echo") as worker:
        worker.ask("leave_later")
        multiprocessing.connection.wait([worker._process.sentinel], timeout=20)
        with pytest.raises(ValueError, match=r"an echo: .* died"):
            worker.ask("add", 1)


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with (
        pytest.raises(ValueError, match=r"an echo: .* gave no answer in 0 s"),
        Worker(Echo, 0, name="an echo") as worker,
    ):
        worker.ask("sleep", patience=0.1)
    monkeypatch.setattr(workers, "ANSWER_SECONDS", 0.1)
    with pytest.raises(ValueError, match=r"a sleeper: .* gave no answer"):
        Worker(Sleeper, name="a sleeper")
    assert not multiprocessing.active_children()
    assert time.monotonic() - started < 60


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a process group")
def test_ctrl_c_while_a_worker_is_built_ends_the_command() -> None:
    # A shell that runs tests in the background has them ignore the signal.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += (
        "from pix2pix.timing.worker import Worker; import test_benchmark_worker as t; print('here', flush=True); "
    )
    program += "__name__ == '__main__' and Worker(t.Sleeper, name='a sleeper')"
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "here\n"
        time.sleep(3)  # for the other process to be building
        asked = time.monotonic()
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: both processes get it
        running.communicate(timeout=30)
        assert time.monotonic() - asked < 20  # far from the hundred seconds it would sleep
