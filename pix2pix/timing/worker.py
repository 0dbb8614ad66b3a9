"""A process of its own for each side of a measurement: its memory and its allocator's settings are nobody else's.

The process is spawned, not forked, builds what it measures, and answers one question at a time through a pipe.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

LEAVING_SECONDS = 10.0
ANSWER_SECONDS = 600.0  # far above what compiling a network or a few steps of the largest take


class Worker:
    """An object in another process. To be used in a `with`; the process ends with it.

    `build(*arguments)` makes the object there: a function at the top of a module, and arguments that can be pickled.
    """

    def __init__(self, build: Callable[..., Any], *arguments: Any, name: str) -> None:
        """`name` is what is measured, for messages.

        Raises ValueError where `build` refuses, where the process dies, most likely of too little memory, and where it
        gives no answer for ten minutes.
        """
        context = multiprocessing.get_context("spawn")
        self._name = name
        self._connection, theirs = context.Pipe()
        # A daemon: should anything go past `__exit__`, Python ends it rather than wait for it.
        self._process = context.Process(target=_serve, args=(theirs, build, arguments), daemon=True)
        self._process.start()
        try:
            theirs.close()
            self._answer(ANSWER_SECONDS)
        except BaseException:  # Ctrl-C too: there is no `with` yet that would end the process
            self._end(at_once=True)
            raise

    def ask(self, method: str, *arguments: Any, patience: float = ANSWER_SECONDS) -> Any:
        """What `method(*arguments)` of the object returns, in `patience` seconds. Raises as the constructor does."""
        with contextlib.suppress(BrokenPipeError):  # of a process that has died, which `_answer` tells
            self._connection.send((method, arguments))
        return self._answer(patience)

    def _answer(self, patience: float) -> Any:
        try:
            if not self._connection.poll(patience):
                raise ValueError(
                    f"{self._name}: the measuring process gave no answer in {patience:.0f} s, and was ended; "
                    "try a smaller --size or --batch"
                )
            kind, value = self._connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(LEAVING_SECONDS)
            raise ValueError(
                f"{self._name}: the measuring process died (exit code {self._process.exitcode}), most likely for want "
                "of memory; try a smaller --size or --batch"
            ) from None
        if kind == "mistake":
            raise ValueError(value)
        if kind == "failure":
            raise RuntimeError(value)
        return value

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._end(at_once=kind is not None)

    def _end(self, at_once: bool) -> None:
        self._connection.close()  # which the process takes as its end
        if at_once:
            self._process.terminate()  # it may be in the middle of a long step
        self._process.join(LEAVING_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, build: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the parent says what is to be done
    os.dup2(2, 1)  # libraries greet on standard output, which belongs to the parent's figures
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # each process would announce its precision
    try:
        served = build(*arguments)
        connection.send(("ready", None))
        while True:
            try:
                method, rest = connection.recv()
            except EOFError:
                return
            connection.send(("value", getattr(served, method)(*rest)))
    except BrokenPipeError:
        return  # the parent has left
    except Exception as error:
        if "memory" in str(error) and isinstance(error, RuntimeError):  # torch has no class of its own for it
            connection.send(("mistake", "more memory is needed than there is; try a smaller --size or --batch"))
        elif isinstance(error, ValueError):
            connection.send(("mistake", str(error)))
        else:
            connection.send(("failure", traceback.format_exc()))
