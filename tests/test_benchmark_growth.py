"""`pix2pix benchmark growth`: parts that add up to one page, points that need too much memory, and the plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_benchmark import command

from pix2pix.config import load_task
from pix2pix.timing import growth
from pix2pix.timing.document import document
from pix2pix.timing.growth import Plan, expected_memory, grow, name_of, read_figures, read_results
from pix2pix.timing.plots import round_values, short

TRAINED: dict[str, Any] = {
    "what": "train",
    "task": "facades",
    "generator": "unet",
    "size": 256,
    "batch": 4,
    "seed": 0,
    "precision": "bf16",
    "compile": False,
    "threads": 2,
    "machine": "a machine",
    "software": "pix2pix 0",
    "steps": 10,
    "images_per_second": 8.0,
    "seconds_a_step": 0.5,
    "peak_memory_bytes": 3 * 2**30,
    "flops_per_second": 1e12,
    "peak_flops_per_second": 4e12,
    "peak_share": 0.25,
    "least_bytes_a_step": 2e9,
    "copy_bytes_per_second": 1e10,
    "bandwidth_share": 0.4,
    "where_time_goes": {"norms": 0.25, "rest": 0.75},
    "plain_images_per_second": 2.0,
    "plain_peak_memory_bytes": 2 * 2**30,
    "ratio": 4.0,
    "largest_difference": 1e-3,
    "command": "python -m pix2pix.benchmark train --against plain --json",
}


def test_the_command_writes_a_table_of_data_sets(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps(TRAINED))
    arguments = ["growth", "--out", "page", "--only", "data", "--include", "train.json"]
    ended = command(*arguments, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    page = (tmp_path / "page" / "performance.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(("| 400 ", "| 4,000 ", "| 40,000 ", "| 100,000 "))]
    assert len(rows) == 4
    assert f"`python -m pix2pix.benchmark {' '.join(arguments)}`" in page
    assert "8.00 images/s, peak memory 3.00 GiB" in page
    assert "ratio 4.00" in page
    measured = json.loads((tmp_path / "page" / "performance.json").read_text())["parts"]["data"]["rows"]
    memory = [row["peak_memory_bytes"] for row in measured]
    assert max(memory) < 1.1 * min(memory), "memory at the start does not grow with the data set"
    picture = tmp_path / "page" / "performance.webp"
    assert picture.stat().st_size < 150_000
    with Image.open(picture) as opened:
        assert opened.width > 200


def fake_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training points without training: memory is a GiB and as much for each 256 x 256 picture."""

    def time_sides(task: Any, steps: int, against_plain: bool, profiled: bool) -> dict[str, Any]:
        pictures = task.train.batch * task.data.size**2 / 256**2
        return {
            "seconds": {"ours": pictures},
            "memory": {"ours": int((1 + pictures) * 2**30)},
            "choices": None,
        }

    monkeypatch.setattr(growth, "time_sides", time_sides)
    monkeypatch.setattr(growth, "described", lambda task, choices: {"precision": "fp32"})
    monkeypatch.setattr(growth, "memory_limit", lambda: 20 * 2**30)


def test_parts_are_added_and_what_needs_too_much_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)
    task, said = load_task("facades"), list[str]()
    plan = Plan(generators=("unet",), steps=1)
    grow(task, plan, ["train"], tmp_path, [], "first", said.append)
    results = grow(task, plan, ["batch"], tmp_path, [], "second", said.append)
    assert results == read_results(tmp_path / "performance.json")
    assert {part: measured["command"] for part, measured in results["parts"].items()} == {
        "train": "first",
        "batch": "second",
    }
    sizes, batches = (results["parts"][part]["rows"] for part in ("train", "batch"))
    assert [row.get("images_per_second") for row in sizes] == [4.0, 1.0, 0.25, None]
    assert sizes[3]["skipped"] == "would need about 65 GiB"  # 1 + 4 pictures of 16 times the area
    assert [("skipped" in row) for row in batches] == [False, False, False, False, False, True]
    assert len(said) == 10
    page = (tmp_path / "performance.md").read_text()
    assert "n = 4 steps, median of every 4 together, after warming up" in page
    assert "skipped: would need about 65 GiB" in page
    assert "| U-Net | 256 | 4 | fp32 | 1.00 | 4.000 | 5.00 |" in page


def test_expected_memory_by_hand() -> None:
    assert expected_memory([], 100) == 0
    assert expected_memory([(1, 10)], 100) == 0
    assert expected_memory([(1, 10), (4, 16)], 16) == 40
    assert expected_memory([(1, 10), (2, 20), (4, 22)], 8) == 62  # the steepest stretch: 10 a pixel


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "performance.json").write_text('{"parts": 3}')
    with pytest.raises(ValueError, match="no results of this command"):
        read_results(tmp_path / "performance.json")
    for content, message in (
        ("[1]", "no JSON object"),
        ("{", "no JSON object"),
        ('{"what": "growth"}', "no figures of benchmark"),
    ):
        (tmp_path / "figures.json").write_text(content)
        with pytest.raises(ValueError, match=message):
            read_figures(tmp_path / "figures.json")


def test_a_page_of_nothing_yet() -> None:
    page = document({"included": {}, "parts": {}}, with_plot=False)
    assert page.startswith("# Performance\n")
    assert "on CUDA that of torch's tensors" in page
    assert "##" not in page


def test_ticks() -> None:
    assert round_values(3, 40) == [2, 5, 10, 20, 50]
    assert round_values(1, 10) == [1, 2, 5, 10]
    assert [short(number) for number in (400, 1024, 4000, 100_000)] == ["400", "1024", "4k", "100k"]


@pytest.mark.slow
def test_every_part_at_small_sizes(tmp_path: Path) -> None:
    task = load_task("facades")
    small = task.model_copy(
        update={
            "data": task.data.model_copy(update={"size": 64, "load_size": 64}),
            "train": task.train.model_copy(update={"batch": 1}),
        }
    )
    plan = Plan(sizes=(64, 128), batches=(1, 2), pairs=(40, 80), generators=("compact_unet",), steps=1)
    results = grow(small, plan, ["train", "batch", "translate", "data"], tmp_path, [], "command", lambda line: None)
    page = (tmp_path / "performance.md").read_text()
    assert page.count("| compact |") >= 8
    train = results["parts"]["train"]["rows"]
    assert [(row["generator"], row["size"]) for row in train] == [("compact_unet", 64), ("compact_unet", 128)]
    assert all(row["seconds_a_step"] > 0 for row in train)
    assert {row["backend"] for row in results["parts"]["translate"]["rows"]} >= {"plain", "torch-bf16"}
    assert [row["pairs"] for row in results["parts"]["data"]["rows"]] == [40, 80]


def test_figures_of_another_network_do_not_take_the_place_of_earlier_ones() -> None:
    first = {"what": "train", "generator": "unet", "size": 256, "batch": 4, "precision": "bf16", "steps": 8}
    assert name_of(first) == name_of(first | {"steps": 16})
    for change in ({"generator": "compact_unet"}, {"batch": 1}, {"size": 128}, {"what": "translate"}):
        assert name_of(first) != name_of(first | change)
