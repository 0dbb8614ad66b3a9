"""The training stream: a position decides everything, both sides move together, and any resume gives the same tail."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2pix.config import Data
from pix2pix.data.stream import Batch, TrainingStream, batches, fixed_examples
from pix2pix.representations import build_representation

LABELS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
RGB, GRAY, ONEHOT = (build_representation(name, LABELS) for name in ("rgb", "gray", "labels_onehot"))


class Pictures:
    """Pairs in memory: pixel (y, x) of both sides holds (y, x, number of the pair)."""

    description, licence, derives = "pictures", "none", False

    def __init__(self, count: int, side: int = 70) -> None:
        rows, columns = np.mgrid[:side, :side].astype(np.uint8)
        self.pictures = [np.dstack([rows, columns, np.full_like(rows, index)]) for index in range(count)]

    def __len__(self) -> int:
        return len(self.pictures)

    def stem(self, index: int) -> str:
        return str(index)

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        picture = self.pictures[index] if side is None else self.pictures[index][:side, :side]
        return picture, picture.copy()

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.read(index)


class Broken(Pictures):
    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        raise ValueError("the disk is gone")


def make_stream(count: int = 5, seed: int = 0, flip: bool = True) -> TrainingStream:
    return TrainingStream(Pictures(count), Data(size=64, flip=flip), RGB, RGB, seed)


def geometry(example: torch.Tensor) -> tuple[int, int, bool, int]:
    """Top, left, mirrored, number of the pair: read off the picture."""
    pixels = RGB.decode(example).astype(int)
    mirrored = pixels[0, 0, 1] > pixels[0, -1, 1]
    left = int(pixels[0, -1 if mirrored else 0, 1])
    return int(pixels[0, 0, 0]), left, bool(mirrored), int(pixels[0, 0, 2])


def test_both_sides_get_the_same_geometry_and_it_is_a_crop() -> None:
    stream = make_stream()
    for position in range(40):
        source, target = stream.example(position)
        assert source.shape == (3, 64, 64)
        assert torch.equal(source, target)
        top, left, mirrored, index = geometry(source)
        crop = stream._pairs.read(index)[0][top : top + 64, left : left + 64]
        np.testing.assert_array_equal(RGB.decode(source), crop[:, ::-1] if mirrored else crop)


def test_crops_and_mirroring_are_uniform_and_independent() -> None:
    stream = make_stream()
    drawn = np.array([geometry(stream.example(position)[0]) for position in range(2000)])
    tops, lefts, mirrored = drawn[:, 0], drawn[:, 1], drawn[:, 2]
    assert set(tops) == set(lefts) == set(range(7))  # 70 - 64 + 1 places
    assert abs(mirrored.mean() - 0.5) < 0.05
    correlations = np.corrcoef([tops, lefts, mirrored, drawn[:, 3]])
    assert np.abs(correlations - np.eye(4)).max() < 0.1


def test_without_flip_nothing_is_mirrored() -> None:
    stream = make_stream(flip=False)
    assert not any(geometry(stream.example(position)[0])[2] for position in range(30))


def test_every_epoch_shows_every_pair_once_in_a_new_order() -> None:
    stream = make_stream(count=30)
    epochs = [[stream.index(epoch * 30 + place) for place in range(30)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(30)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert [stream.index(place) for place in range(30)] == epochs[0]  # also when one goes back


def test_the_seed_decides_order_and_augmentation() -> None:
    for seed in (0, 1):
        assert torch.equal(make_stream(seed=seed).example(7)[0], make_stream(seed=seed).example(7)[0])
    orders = [[make_stream(30, seed).index(place) for place in range(30)] for seed in (0, 1)]
    assert orders[0] != orders[1]
    places = [[geometry(make_stream(1, seed).example(position)[0]) for position in range(10)] for seed in (0, 1)]
    assert places[0] != places[1]


def test_label_maps_keep_their_classes_and_move_with_the_picture() -> None:
    classes = np.random.default_rng(0).integers(0, 3, (70, 70))
    pairs = Pictures(1)
    pairs.pictures = [np.array(list(LABELS.values()), np.uint8)[classes]]
    stream = TrainingStream(pairs, Data(size=64, palette=LABELS, input="labels_onehot"), ONEHOT, RGB, 0)
    for position in range(10):
        source, target = stream.example(position)
        assert source.shape == (3, 64, 64)
        assert torch.equal(source, target)  # the colours of LABELS are the classes' corners of the RGB cube
        assert set(np.unique(source).tolist()) == {-1.0, 1.0}
        assert (source.sum(0) == -1).all()  # one class a pixel


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_of_one_channel_and_of_16_bits_pass(dtype: type) -> None:
    pairs = Pictures(1)
    pairs.pictures = [pairs.pictures[0][:, :, :1].astype(dtype)]
    source, target = TrainingStream(pairs, Data(size=64), GRAY, RGB, 0).example(1)
    assert (source.shape, target.shape) == ((1, 64, 64), (3, 64, 64))
    assert torch.equal(source.expand(3, -1, -1), target)


def concatenated(parts: list[Batch]) -> tuple[list[int], torch.Tensor, torch.Tensor]:
    order = [position for part in parts for position in part.positions]
    return order, torch.cat([part.source for part in parts]), torch.cat([part.target for part in parts])


@settings(max_examples=15, deadline=None)
@given(start=st.integers(0, 23), batch=st.integers(1, 6), prefetch=st.integers(0, 3))
def test_a_resumed_stream_is_the_tail_of_the_whole(start: int, batch: int, prefetch: int) -> None:
    _, inputs, targets = concatenated(list(batches(make_stream(), 0, 23, 4)))
    tail = list(batches(make_stream(), start, 23, batch, prefetch=prefetch))
    assert [len(part.positions) for part in tail[:-1]] == [batch] * (len(tail) - 1)
    if start == 23:
        assert tail == []
        return
    order, some, others = concatenated(tail)
    assert order == list(range(start, 23))
    assert torch.equal(some, inputs[start:])
    assert torch.equal(others, targets[start:])


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("batch", [3, 4])
@pytest.mark.parametrize("start", [0, 5])
def test_the_ranks_together_are_the_single_process(world: int, batch: int, start: int) -> None:
    whole = list(batches(make_stream(), start, 21, batch))
    ranks = [list(batches(make_stream(), start, 21, batch, rank, world)) for rank in range(world)]
    assert {len(rank) for rank in ranks} == {len(whole)}  # or a process would wait for the others for ever
    for step, parts in zip(whole, zip(*ranks, strict=True), strict=True):
        order, inputs, targets = concatenated(list(parts))
        arranged = sorted(range(len(order)), key=lambda row: order[row])
        assert tuple(sorted(order)) == step.positions
        assert torch.equal(inputs[arranged], step.source)
        assert torch.equal(targets[arranged], step.target)
        assert all(position % world == rank for rank, part in enumerate(parts) for position in part.positions)


def test_a_batch_smaller_than_the_processes_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="batch: got 1, expected at least one image for each of the 2 processes"):
        batches(make_stream(), 0, 10, 1, 0, 2)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_the_threads_end_with_the_iterator() -> None:
    iterator = batches(make_stream(), 0, 10_000_000, 4)
    next(iterator)
    assert workers()
    iterator.close()  # type: ignore[attr-defined]
    assert not workers()


def test_what_goes_wrong_in_the_background_is_raised() -> None:
    stream = TrainingStream(Broken(3), Data(size=64), RGB, RGB, 0)
    with pytest.raises(ValueError, match="the disk is gone"):
        list(batches(stream, 0, 10, 2))
    assert not workers()


def test_fixed_examples_are_whole_spread_and_always_the_same() -> None:
    pairs, data = Pictures(10), Data(size=64)
    first, again = (fixed_examples(pairs, data, RGB, GRAY, 4) for _ in range(2))
    assert first.positions == (0, 2, 5, 7)
    assert (first.source.shape, first.target.shape) == ((4, 3, 64, 64), (4, 1, 64, 64))
    assert torch.equal(first.source, again.source)
    assert [geometry(image) for image in first.source] == [(0, 0, False, index) for index in first.positions]
    assert fixed_examples(pairs, data, RGB, RGB, 99).positions == tuple(range(10))
