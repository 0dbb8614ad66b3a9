"""Several processes as one run, as torchrun starts them: they meet first, and the first one decides for all."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

T = TypeVar("T")


def count() -> int:
    """Processes of this run, over all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Number of this process among them."""
    return int(os.environ.get("RANK", "0"))


def meet() -> None:
    """Connect with the other processes. Fabric finds the connection and takes it over."""
    if count() > 1 and not distributed.is_initialized():
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(leave)


def leave() -> None:
    """End the connection before the interpreter does: its threads, still running then, would abort the process."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def mean(value: Tensor) -> Tensor:
    """The mean of `value` over the processes, in all of them."""
    if count() == 1:
        return value
    total = value.clone()
    distributed.all_reduce(total)
    return total / count()


def decided_by_first(decide: Callable[[], T]) -> T:
    """What `decide` gives in the first process, in all of them.

    Its ValueError is raised in the first process; the others then leave without a word, so that one line is printed.
    """
    if count() == 1:
        return decide()
    answer: list[Any] = [None, None]
    if rank() == 0:
        try:
            answer[0] = decide()
        except ValueError as error:
            answer[1] = str(error)
    distributed.broadcast_object_list(answer, src=0, device=torch.device("cpu"))
    if answer[1] is not None:
        if rank() == 0:
            raise ValueError(answer[1])
        sys.exit(2)
    decided: T = answer[0]
    return decided


def after_first(make: Callable[[], T]) -> T:
    """`make` in every process, in the first one before the others: what it downloads is there for them."""
    made: list[T] = []
    decided_by_first(lambda: made.append(make()))
    return made[0] if made else make()
