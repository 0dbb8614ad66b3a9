"""A process for each side of a benchmark: its own state, its mistakes in one line, nothing on standard output."""

from __future__ import annotations

import os

import pytest

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


def test_a_worker_keeps_state_in_its_own_process(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker(Echo, 1) as worker:
        assert [worker.ask("add", 2), worker.ask("add", 3)] == [3, 6]
        assert worker.ask("process") != os.getpid()
    assert "noise" not in capfd.readouterr().out


def test_a_workers_mistakes_arrive() -> None:
    with pytest.raises(ValueError, match="got a negative start"), Worker(Echo, -1):
        pass
    with pytest.raises(ValueError, match="more memory is needed"), Worker(Echo, 0) as worker:
        worker.ask("fail", "DefaultCPUAllocator: can't allocate memory")
    with pytest.raises(RuntimeError, match="something else"), Worker(Echo, 0) as worker:
        worker.ask("fail", "something else")
    with pytest.raises(ValueError, match=r"died \(exit code 9\)"), Worker(Echo, 0) as worker:
        worker.ask("die")
