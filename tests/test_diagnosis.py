"""The diagnosis: each rule on figures made by hand, and on runs of the real command that are made to fail."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel
from training_runs import NETWORKS, train

from pix2pix.config import Task
from pix2pix.training.diagnosis import (
    FADED,
    GREY,
    LASTING,
    MEMORISED,
    PEAK,
    RULES,
    SURE,
    UNCHANGED,
    WARM_UP,
    WORSE,
    diagnose,
)

Record = dict[str, float]

HEALTHY = Record(
    {"real_right": 0.8, "fake_right": 0.7, "score_real": 1.0, "score_fake": -1.0, "gradient_discriminator": 2.0}
    | {"dev_l1": 0.15, "train_l1": 0.14, "dev_distance": 0.2}
    | {"probe_swapped_inputs": 0.7, "probe_chroma": 0.7, "probe_checkerboard": 1.0}
)

WON, IGNORES, BY_HEART, COLOURS, CHECKERBOARD = (
    "the discriminator has won",
    "the generator ignores its input",
    "it learns the training pairs by heart",
    "the colours have collapsed",
    "a checkerboard shows",
)


def course(*last: Record, count: int = 10) -> list[Record]:
    """`count` healthy evaluations every 100 images, the last ones changed by `last`."""
    changes = [Record() for _ in range(count - len(last))] + list(last)
    return [HEALTHY | {"images": 100 * (place + 1)} | change for place, change in enumerate(changes)]


def names(records: list[Record], total: int = 1000) -> list[str]:
    return [finding.name for finding in diagnose(records, total, RULES)]


# What just shows each fault, and the same figures just on the other side of one threshold.
FAULTS: list[tuple[str, Record, list[Record]]] = [
    (
        WON,
        {"real_right": SURE + 0.01, "fake_right": SURE + 0.01, "gradient_discriminator": 2 * FADED - 0.01},
        [{"real_right": SURE - 0.01}, {"fake_right": SURE - 0.01}, {"gradient_discriminator": 2 * FADED + 0.01}],
    ),
    (IGNORES, {"probe_swapped_inputs": UNCHANGED - 0.01}, [{"probe_swapped_inputs": UNCHANGED + 0.01}]),
    (
        BY_HEART,
        {"dev_l1": 0.15 * WORSE + 0.001, "train_l1": 0.15 * WORSE / MEMORISED},
        [{"dev_l1": 0.15 * WORSE - 0.001}, {"train_l1": 0.15 * WORSE / MEMORISED + 0.001}],
    ),
    (COLOURS, {"probe_chroma": GREY - 0.01}, [{"probe_chroma": GREY + 0.01}]),
    (CHECKERBOARD, {"probe_checkerboard": PEAK + 0.1}, [{"probe_checkerboard": PEAK - 0.1}]),
]


def test_nothing_is_found_where_all_is_well() -> None:
    assert names(course()) == []
    assert names([]) == []


@pytest.mark.parametrize(("name", "fault", "others"), FAULTS)
def test_a_fault_is_found_alone_and_only_beyond_its_thresholds(name: str, fault: Record, others: list[Record]) -> None:
    (finding,) = diagnose(course(*[fault] * LASTING), 1000, RULES)
    assert (finding.name, finding.images) == (name, 1000)
    for other in others:
        assert names(course(*[fault] * (LASTING - 1), fault | other)) == [], other


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, fault, _ in FAULTS])
def test_what_does_not_last_is_not_found(name: str, fault: Record) -> None:
    assert names(course(*[fault] * (LASTING - 1))) == []
    assert names(course(*[fault] * LASTING, {})) == []


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, fault, _ in FAULTS])
def test_nothing_is_said_too_early(name: str, fault: Record) -> None:
    records = course(*[fault] * LASTING, count=LASTING + 1)
    assert names(records, total=round(200 / WARM_UP)) == [name]  # from the second on, at 200 images, it counts
    assert names(records, total=round(200 / WARM_UP) + 1) == []


def test_figures_that_are_not_there_say_nothing() -> None:
    for name in HEALTHY.keys() - {"dev_l1", "train_l1", "dev_distance"}:
        records = [{key: value for key, value in record.items() if key != name} for record in course()]
        assert names(records) == []
    fault = {"real_right": 1.0, "fake_right": 1.0, "gradient_discriminator": 0.0}
    assert names([record | fault for record in course()]) == []  # it never had a gradient


def test_a_picture_without_any_structure_has_not_lost_its_colour_alone() -> None:
    assert names(course(*[{"probe_swapped_inputs": 0.0, "probe_chroma": 0.0}] * LASTING)) == [IGNORES]


def test_a_best_evaluation_among_the_last_is_no_overfitting() -> None:
    records = course(*[{"dev_l1": 0.14, "train_l1": 0.01}] + [{"dev_l1": 0.2, "train_l1": 0.01}] * (LASTING - 1))
    assert names(records) == []


def flags(model: type[BaseModel], prefix: str = "--") -> set[str]:
    """Every flag of the command: dotted ones of the fields, and their short names."""
    found = set()
    for name, field in model.model_fields.items():
        own = prefix + name.replace("_", "-")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= flags(field.annotation, own + ".")
        found |= {own, *(alias for meta in field.metadata for alias in getattr(meta, "aliases", None) or ())}
    return found


def test_advice_names_flags_that_there_are() -> None:
    named = 0
    for _, fault, _ in FAULTS:
        (finding,) = diagnose(course(*[fault] * LASTING), 1000, RULES)
        for flag in re.findall(r"--[a-z0-9.-]*[a-z0-9]", finding.advice):
            assert flag in flags(Task), flag
            named += 1
    assert named >= 7
    assert "--train.no-such-flag" not in flags(Task)


def clouds(rng: np.random.Generator, cells: int = 6, side: int = 72, channels: int = 3) -> np.ndarray:
    small = rng.uniform(0, 255, (cells, cells, channels)).astype(np.float32)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, channels).clip(0, 255)


def unrelated(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(0, 255, (72, 72, 3)), clouds(rng)


def noisy(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The negative, beside as much again of what the input does not tell."""
    source = clouds(rng, side=64)
    return source, 0.6 * (255 - source) + 0.4 * clouds(rng, 12, 64)


def tinted(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A gray picture in any one tint."""
    gray = clouds(rng, channels=1)
    hue, saturation = np.full_like(gray, rng.uniform(0, 180)), np.full_like(gray, 200)
    target = cv2.cvtColor(np.concatenate([hue, saturation, gray], axis=2).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return gray.repeat(3, axis=2), target


def grainy(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The negative with a grain that a discriminator sees at once."""
    source = clouds(rng)
    return source, 255 - source + rng.normal(0, 40, source.shape)


DRAWERS = {"unrelated": (unrelated, 40), "noisy": (noisy, 5), "tinted": (tinted, 300), "grainy": (grainy, 40)}


def write_data(folder: Path, kind: str) -> list[str]:
    """Side-by-side pairs of a kind and a task for them; the flags that choose both."""
    draw, count = DRAWERS[kind]
    rng = np.random.default_rng(0)
    (folder / "pairs" / "train").mkdir(parents=True)
    for number in range(count):
        pair = np.concatenate(draw(rng), axis=1).clip(0, 255).astype(np.uint8)
        Image.fromarray(pair).save(folder / "pairs" / "train" / f"{number:03d}.png")
    (folder / "plain.yaml").write_text("title: Plain pairs\n")
    return ["--task", "plain.yaml", "--data", "pairs"]


FACADES = ["--task", "facades", "--data", "embedded"]
L1_ALONE = ["--train.gan-weight", "0"]
RUNS = {
    "won": (
        "grainy",
        [
            *("--images", "480", "--train.learning-rate", "1e-4", "--train.discriminator-rate", "20"),
            *("--train.l1-weight", "100", "--train.feature-weight", "0"),
        ],
        [WON],
    ),
    "ignores": ("unrelated", [*L1_ALONE, "--images", "600", "--train.learning-rate", "1e-3"], [IGNORES]),
    "by heart": (
        "noisy",
        [*L1_ALONE, "--images", "1200", "--train.learning-rate", "2e-3", "--data.load-size", "64", "--data.no-flip"],
        [BY_HEART],
    ),
    "colours": ("tinted", [*L1_ALONE, "--images", "600", "--train.learning-rate", "5e-4"], [COLOURS]),
    "checkerboard": (
        "facades",
        [
            *("--model.generator", "unet", "--model.upsampling", "transposed"),
            *("--images", "400", "--train.learning-rate", "2e-3"),
        ],
        [CHECKERBOARD],
    ),
    "healthy": (
        "facades",
        ["--preset", "quick", "--images", "800", "--model.width", "16", "--model.discriminator-width", "16"],
        [],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_made_to_fail_is_told_what_is_wrong(tmp_path: Path, name: str) -> None:
    data, settings, expected = RUNS[name]
    chosen = FACADES if data == "facades" else write_data(tmp_path, data)
    images = int(settings[settings.index("--images") + 1])
    fixed = ["--size", "64", "--batch", "4", "--train.precision", "fp32", "--out", "run"]
    often = ["--train.sample-every", str(images // 20)]  # a short run is looked at less often by itself
    status, error = train([*chosen, *fixed, *NETWORKS, *settings, *often], tmp_path)
    assert status == 0, error
    found = json.loads((tmp_path / "run" / "summary.json").read_text())["findings"]
    assert [finding["name"] for finding in found] == expected, error
    for finding in found:
        assert f"diagnosis: {finding['name']}. {finding['sentence']} {finding['advice']}" in error
    assert ("diagnosis: nothing found" in error) == (not expected)
