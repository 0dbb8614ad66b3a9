"""`pix2pix benchmark quality`: minutes from images and a rate, one page with growth, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from pix2pix import benchmark
from pix2pix.command_line import machine
from pix2pix.config import load_task
from pix2pix.timing import growth
from pix2pix.timing.growth import Plan, grow, read_results
from pix2pix.timing.plots import labels_apart
from pix2pix.timing.quality import measure, minutes

KID = "kid_x1000[efficientnet_lite0]"
Change = dict[str, Any]


def evaluation(images_seen: int, lpips: float = 0.4, kid: float = 100.0) -> dict[str, Any]:
    """What `evaluate --out` writes, as far as it matters here, with one field that does not."""
    return {
        "task": "facades",
        "split": "dev",
        "n": 40,
        "seed": None,
        "images_seen": images_seen,
        "date": "2020-01-01",
        "judges": {"lpips": "squeeze, weights 1", "fid, kid, precision, recall": "efficientnet_lite0, weights 2"},
        "metrics": {"l1": 0.25, "psnr": None, "lpips[squeeze]": lpips, KID: kid},
        "intervals": {KID: [kid - 10, kid + 20]},
        "trivial": {
            "mean target": {"l1": 0.2, "lpips[squeeze]": 0.7, KID: 600.0},
            "mean colour of each class": {"l1": 0.3, "lpips[squeeze]": 0.45, KID: 400.0},
            "target itself": {"l1": 0.0, "lpips[squeeze]": 0.0, KID: -17.0},
        },
    }


def curve(name: str, *files: str, **changes: object) -> dict[str, Any]:
    return {"name": name, "images_per_second": 10, "measured_by": "a clock", "evaluations": list(files), **changes}


def written(folder: Path, curves: list[dict[str, Any]], **evaluations: dict[str, Any]) -> Path:
    """The YAML file of `curves`, in a folder of its own with the evaluations."""
    inputs = folder / "inputs"
    inputs.mkdir(exist_ok=True)
    for name, content in evaluations.items():
        (inputs / f"{name}.json").write_text(json.dumps(content))
    (inputs / "curves.yaml").write_text(yaml.safe_dump({"curves": curves}))
    return inputs / "curves.yaml"


def two_curves(folder: Path) -> Path:
    return written(
        folder,
        [curve("compact", "b.json", "a.json"), curve("paper's", "c.json", images_per_second=2.5, measured_by="ours")],
        a=evaluation(3600, 0.44, 164.0),
        b=evaluation(14_400, 0.36, 60.0),
        c=evaluation(3600, 0.5, 200.0),
    )


def test_minutes_by_hand() -> None:
    assert minutes(3600, 10) == 6
    assert minutes(7140, 11.9) == pytest.approx(10)


def test_the_command_writes_the_table_and_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = two_curves(tmp_path), tmp_path / "page"
    assert benchmark.main(["quality", "--curves", str(path), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"written to {out / 'performance.md'}\n"
    page = (out / "performance.md").read_text()
    assert "## Time to quality\n" in page
    assert [line for line in page.splitlines() if line.endswith("| 40 |")] == [  # by images, not as the YAML has them
        "| compact | 6.0 | 3,600 | 0.2500 | 0.4400 | 164.0 (154.0 to 184.0) | 40 |",
        "| compact | 24.0 | 14,400 | 0.2500 | 0.3600 | 60.0 (50.0 to 80.0) | 40 |",
        "| paper's | 24.0 | 3,600 | 0.2500 | 0.5000 | 200.0 (190.0 to 220.0) | 40 |",
    ]
    for said in (
        "split dev, n = 40; seed none, dropout off",
        "lpips: squeeze, weights 1; fid, kid, precision, recall: efficientnet_lite0, weights 2",
        "- compact: 10 images/s, a clock",
        "- paper's: 2.5 images/s, ours",
        "- L1: 0.2000, mean target",
        "- LPIPS (squeeze): 0.4500, mean colour of each class",
        "- KID x1000 (efficientnet_lite0): 400.0, mean colour of each class",
        "(quality.webp)",
        machine(),
    ):
        assert said in page
    picture = out / "quality.webp"
    assert picture.stat().st_size < 120_000
    with Image.open(picture) as opened:
        assert opened.width > 1.5 * opened.height, "two panels beside each other"


def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["quality", "--curves", str(two_curves(tmp_path)), "--out", str(tmp_path), "--json"]
    assert benchmark.main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == read_results(tmp_path / "performance.json")["quality"]
    assert printed["trivial"]["l1"] == {"name": "mean target", "value": 0.2}
    assert [row["minutes"] for row in printed["rows"]] == [6, 24, 24]


def test_growth_and_quality_keep_what_the_other_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = {"pairs": 400, "kept_for_training": 360, "start_seconds": 0.5, "peak_memory_bytes": 2**30}
    monkeypatch.setattr(growth, "MEASURES", {"data": lambda task, plan: iter([point])})

    def run_growth() -> None:
        grow(load_task("facades"), Plan(steps=1), ["data"], tmp_path, [], "growth command", lambda line: None)

    def run_quality() -> None:
        assert benchmark.main(["quality", "--curves", str(two_curves(tmp_path)), "--out", str(tmp_path)]) == 0

    for run in (run_growth, run_quality, run_growth):
        run()
        page = (tmp_path / "performance.md").read_text()
        assert "| 400 | 360 | 0.50 | 1.00 |" in page
        assert ("| compact | 6.0 |" in page) == ("(quality.webp)" in page) == (tmp_path / "quality.webp").exists()
    assert "| compact | 6.0 |" in page, "growth, the last to run, has kept it"
    assert set(read_results(tmp_path / "performance.json")) == {"parts", "included", "quality"}


def test_an_unbiased_kid_below_zero_and_a_single_point_are_drawn(tmp_path: Path) -> None:
    lone = {**evaluation(3600, 0.01, -2.0), "trivial": {}}
    path = written(tmp_path, [curve("only", "a.json")], a=lone)
    assert benchmark.main(["quality", "--curves", str(path), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "performance.md").read_text()
    assert "-2.0 (-12.0 to 18.0)" in page
    assert "best guess" not in page
    assert (tmp_path / "quality.webp").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images_per_second": 0}, "curves.yaml: curves.0.images_per_second: got 0; input should be greater than 0"),
        ({"images_per_secnd": 1}, "unknown field 'curves.0.images_per_secnd'; did you mean 'images_per_second'?"),
        ({"measured_by": ""}, "curves.yaml: curves.0.measured_by: got ''"),
        ({"evaluations": []}, r"curves.yaml: curves.0.evaluations: got \[\]"),
        ({"evaluations": ["none.json"]}, "none.json: cannot be read: No such file"),
        ({"name": "a|b"}, r"curves.yaml: curves.0.name: got 'a\|b', expected one line without"),
        ({"name": "_hidden"}, "curves.0.name: got '_hidden', expected"),
        ({"name": "second"}, "curves.yaml: got two curves named 'second'"),
    ],
)
def test_mistakes_in_the_list_of_curves(tmp_path: Path, change: Change, message: str) -> None:
    curves = [{**curve("first", "a.json"), **change}, curve("second", "a.json")]
    path = written(tmp_path, curves, a=evaluation(3600))
    with pytest.raises(ValueError, match=message) as caught:
        measure(path, "command")
    assert "\n" not in str(caught.value)


def test_mistakes_at_the_top_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "curves.yaml"
    for content, message in (
        ("", "curves.yaml: curves: missing, expected a value"),
        ("curves: []", r"curves.yaml: curves: got \[\]"),
        ("curves: [3]", "curves.yaml: curves.0: got 3"),
        (yaml.safe_dump({"curves": [curve("one", "a.json")], "curve": 1}), "unknown field 'curve'; did you mean 'curv"),
        ("[1]", "curves.yaml: got a list"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            measure(path, "command")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 41}, "b.json: n: got 41, expected 40 as in .*a.json"),
        ({"split": "val"}, "b.json: split: got 'val', expected 'dev' as in .*a.json"),
        ({"task": "maps"}, "b.json: task: got 'maps', expected 'facades'"),
        ({"judges": {"lpips": "alex, weights 3"}}, "b.json: judges: got {'lpips': 'alex, weights 3'}, expected"),
        ({"images_seen": 0}, "b.json: images_seen: got 0; input should be greater than 0"),
        ({"images_seen": 3600}, "b.json: images_seen: got 3600 again, expected one evaluation each in 'one'"),
        ({"metrics": {"l1": 0.1}}, "b.json: metrics: got no LPIPS, expected it; evaluate with --lpips"),
        ({"metrics": {"l1": 0.1, "lpips[squeeze]": 0.4, KID: None}}, "b.json: metrics: got no KID"),
        ({"intervals": {}}, "b.json: intervals: got none of KID"),
    ],
)
def test_mistakes_in_an_evaluation(tmp_path: Path, change: Change, message: str) -> None:
    path = written(tmp_path, [curve("one", "a.json", "b.json")], a=evaluation(3600), b={**evaluation(7200), **change})
    with pytest.raises(ValueError, match=message) as caught:
        measure(path, "command")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_file_that_no_evaluation_wrote(tmp_path: Path, content: str) -> None:
    path = written(tmp_path, [curve("one", "a.json")])
    (path.parent / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"a\.json: got no JSON object, expected a file that evaluate --out wrote"):
        measure(path, "command")


def test_labels_stay_apart() -> None:
    assert labels_apart([6]) == ["6"]
    assert labels_apart([5.04, 10.08, 10.4, 161.3]) == ["5", "10", "", "161"]
    assert labels_apart([1.26, 2.52]) == ["1.3", "2.5"]
