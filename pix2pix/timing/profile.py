"""Where the time of a step goes, by kind of work, from torch's profiler; a pass of its own, after the timing."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# The first pattern that is found in an operator's name says its kind. Self times: no work counts twice.
KINDS: dict[str, str] = {
    "optimiser": r"adam|_foreach_|optimizer|lerp",
    "convolution backward": r"conv.*backward|mkldnn_.*backward",
    "convolution forward": r"conv|addmm|\bmm\b|gemm",
    "norms": r"norm|var_mean",
    "activations": r"relu|tanh|sigmoid|softplus|threshold|silu|gelu|dropout|bernoulli",
    "copies and casts": r"copy|clone|cat$|::to$|contiguous|slice_backward|select_backward|zero_|fill_|constant_pad",
}
REST = "rest"


def kind_of(operator: str) -> str:
    """The kind of work that an operator of that name does."""
    name = operator.lower()
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), REST)


def shares(times: Iterable[tuple[str, float]]) -> dict[str, float]:
    """(operator, time) pairs as the share of each kind, all kinds named, 1 in all."""
    sums = dict.fromkeys([*KINDS, REST], 0.0)
    for operator, spent in times:
        sums[kind_of(operator)] += spent
    whole = sum(sums.values())
    return {kind: spent / whole if whole else 0.0 for kind, spent in sums.items()}


def where_time_goes(step: Callable[[], Any], steps: int, device: str) -> dict[str, float]:
    """Shares of the time of `steps` calls, by kind of work.

    What a compiled network does is one operator to the profiler, and counts as the rest.
    """
    from torch.profiler import ProfilerActivity, profile

    on_gpu = device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what this processor does not let it count
        with _quiet(), profile(activities=activities) as profiled:
            for _ in range(steps):
                step()
        events = profiled.key_averages()
    return shares((e.key, float(e.self_device_time_total if on_gpu else e.self_cpu_time_total)) for e in events)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the profiler's library says of GPUs that are not there off standard error; not for several threads."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
