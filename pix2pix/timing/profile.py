"""Where the time of a step goes, by kind of work, from torch's profiler; a pass of its own, after the timing."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# The first pattern that is found in an operator's name says its kind. Self times: no work counts twice. Convolutions
# that are computed as matrix products are both called the same.
CONVOLUTION, FORWARD, BACKWARD = "convolution", "convolution forward", "convolution backward"
PATTERNS: dict[str, str] = {
    "optimiser": r"adam|_foreach_|optimizer|lerp",
    CONVOLUTION: r"conv|addmm|\bb?mm\b|gemm",
    "norms": r"norm|var_mean",
    "activations": r"relu|tanh|sigmoid|softplus|threshold|silu|gelu|dropout|bernoulli",
    "copies and casts": r"copy|clone|cat$|::to$|contiguous|slice_backward|select_backward|zero_|fill_|constant_pad",
}
REST = "rest"
KINDS = (FORWARD, BACKWARD, *(kind for kind in PATTERNS if kind != CONVOLUTION), REST)
NODE = "autograd::engine::evaluate_function"  # what the profiler calls whatever a backward pass runs


def kind_of(operator: str, in_backward: bool = False) -> str:
    """The kind of work that an operator of that name does; `in_backward`, run by autograd."""
    name = operator.lower()
    kind = next((kind for kind, pattern in PATTERNS.items() if re.search(pattern, name)), REST)
    return kind if kind != CONVOLUTION else BACKWARD if in_backward else FORWARD


def shares(times: Iterable[tuple[str, bool, float]]) -> dict[str, float]:
    """(operator, whether autograd ran it, time) triples as the share of each kind, all kinds named, 1 in all."""
    sums = dict.fromkeys(KINDS, 0.0)
    for operator, in_backward, spent in times:
        sums[kind_of(operator, in_backward)] += spent
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
        events = profiled.events() or []
    return shares(
        (e.name, in_backward(e), float(e.self_device_time_total if on_gpu else e.self_cpu_time_total))
        for e in events
        if e.device_type.name == "CPU"  # a GPU's kernels are listed once more, beside the operators they belong to
    )


def in_backward(event: Any) -> bool:
    """Whether autograd's backward pass ran an event of torch's profiler."""
    while event is not None and not event.name.startswith(NODE):
        event = event.cpu_parent
    return event is not None


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
