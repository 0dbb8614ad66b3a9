"""The two pages: everything in them, nothing fetched, users' words escaped, and at work in a real browser."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pix2pix.images import write_image
from pix2pix.metrics.names import REFERENCE, as_number, higher_is_better, metric_title, value_text
from pix2pix.reporting.evaluation_report import Case, table, write_evaluation_report
from pix2pix.reporting.page import data_uri, duration_text, render
from pix2pix.reporting.plots import POINTS, curve, evenly, running_mean
from pix2pix.reporting.run_files import read_log
from pix2pix.reporting.run_report import SAMPLES, write_run_report

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
EVIL = "<script>alert('&')</script>"
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Tags with their attributes, in order, and the text in each `script`; complains about tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: dict[str, str] = {}
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open:
            return
        if self.open[-1] == "script":
            identity = self.tags[-1][1].get("id") or f"script-{len(self.scripts)}"
            self.scripts[identity] = self.scripts.get(identity, "") + data
        else:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def plots(self) -> dict[str, dict[str, Any]]:
        """Title of the plot -> what it is drawn from."""
        titles = [str(each["aria-label"]).removeprefix("Plot: ") for each in self.all("div") if "data-plot" in each]
        names = [str(each["data-plot"]) for each in self.all("div") if "data-plot" in each]
        return {
            title: json.loads(self.scripts[name], parse_constant=_no_constant)
            for title, name in zip(titles, names, strict=True)
        }


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def parse(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def picture(seed: int, size: int = 32) -> np.ndarray:
    """Coarse blocks, which lossy compression keeps nearly as they are."""
    blocks = np.random.default_rng(seed).integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


def log_lines(count: int = 80) -> list[dict[str, float]]:
    generator = np.random.default_rng(0)
    lines = []
    for number in range(1, count + 1):
        names = ("discriminator", "generator", "l1", "features", "score_real", "score_fake")
        line: dict[str, float] = {"images": 10 * number, "seconds": number, "images_per_second": 10.0}
        line |= {name: round(float(generator.uniform(0.1, 1)), 6) for name in names}
        if number % 20 == 0:
            line |= {"dev_l1": 0.3 - number / 1000, "train_l1": 0.2, "dev_distance": abs(number - 60) + 0.5}
            line |= {"probe_swapped_inputs": number / 100}
        lines.append(line)
    return lines


SUMMARY = {
    "images": 800,
    "total": 1000,
    "seconds": 4000.0,
    "images_per_second": 0.2,
    "finished": True,
    "stopped_early": False,
    "machine": "a machine",
    "choices": "cpu, fp32",
    "data": EVIL,
    "software": "torch",
    "seed": 0,
    "task": "a task",
    "parameters": {"generator": 1250000, "discriminator": 7},
    "scoring_share": 0.021,
    "best": {"images": 600, "dev_distance": 0.5},
    "findings": [],
    "of a later version": [1],
}


def run_folder(folder: Path, samples: int = 5) -> Path:
    (folder / "samples").mkdir(parents=True)
    (folder / "config.yaml").write_text(f'title: "Labels to {EVIL}"\nname: any\n', encoding="utf-8")
    text = "".join(json.dumps(line) + "\n" for line in log_lines())
    (folder / "log.jsonl").write_text(text + '{"images": 810, "l1": 0.', encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    for number in range(samples):
        write_image(folder / "samples" / f"{10 * number:07d}.jpg", picture(number))
    return folder


METRICS = {"l1": 0.2, "psnr": 14.0, "fid[efficientnet_lite0]": 150.0, "colourfulness": 20.0}


def evaluation() -> dict[str, Any]:
    return {
        "model": "a model",
        "model_id": "abc",
        "task": "any",
        "data": EVIL,
        "split": "val",
        "n": 3,
        "seed": None,
        "dropout": False,
        "images_seen": 1000,
        "judges": {"perceptual": "SqueezeNet"},
        "notes": [EVIL],
        "metrics": METRICS,
        "intervals": {"l1": [0.1, 0.3]},
        "trivial": {
            "mean target": {"l1": 0.15, "psnr": 13.0, "fid[efficientnet_lite0]": None, "colourfulness": 90.0},
            REFERENCE: {"l1": 0.0, "psnr": None, "fid[efficientnet_lite0]": 0.0, "colourfulness": 30.0},
            "input unchanged": {"l1": 0.4, "psnr": 14.001, "fid[efficientnet_lite0]": 300.0},
        },
        "pictures": [
            {"stem": EVIL, "l1": 0.3, "psnr": 12.0},
            {"stem": "b", "l1": 0.1, "psnr": None},
            {"stem": "c", "l1": 0.2, "psnr": 15.0},
        ],
        "ranked_by": "l1",
        "machine": "a machine",
        "software": "torch",
        "date": "2025-01-01",
    }


def cases() -> list[Case]:
    of = {"l1": 0.3, "psnr": math.inf}
    return [
        Case(EVIL, "worst", of, picture(1)[:, :, :1], picture(2), picture(3)),
        Case("b", "best", of, picture(4), picture(5), picture(6)),
    ]


@pytest.fixture
def both(tmp_path: Path) -> list[Path]:
    """A run's page and an evaluation's."""
    page = tmp_path / "evaluation.html"
    write_evaluation_report(page, evaluation(), cases())
    return [write_run_report(run_folder(tmp_path / "run")), page]


# --- both pages ---


def test_pages_fetch_nothing(both: list[Path]) -> None:
    for path in both:
        page = parse(path)
        for tag, attributes in page.tags:
            assert tag not in {"iframe", "object", "embed", "base"}
            for name in ("src", "href", "srcset", "data", "poster", "action"):
                assert (attributes.get(name) or "data:").startswith("data:"), (tag, name)
        style = "".join(page.texts["style"])
        assert "url(" not in style
        assert "@import" not in style
        policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv"))
        assert policy is not None
        assert policy.startswith("default-src 'none'")
        assert "connect-src" not in policy


def test_words_of_users_are_escaped(both: list[Path]) -> None:
    for path in both:
        html = path.read_text(encoding="utf-8")
        assert EVIL not in html
        page = parse(path)
        assert not any(script.startswith("alert") for script in page.scripts.values())
        assert any(EVIL in text for texts in page.texts.values() for text in texts)


def test_every_picture_has_a_text(both: list[Path]) -> None:
    for path in both:
        pictures = [each for each in parse(path).all("img") if each["src"] != "data:,"]
        assert pictures
        assert all(each["alt"] for each in pictures)
        assert len({each["alt"] for each in pictures}) == len(pictures)


def test_the_plotting_library_is_in_once_and_only_where_it_is_needed(both: list[Path], tmp_path: Path) -> None:
    for path in both:
        assert sum(len(script) > 10**6 for script in parse(path).scripts.values()) == 1
    young = tmp_path / "young"
    young.mkdir()
    (young / "config.yaml").write_text("name: any\n")
    assert write_run_report(young).stat().st_size < 30_000


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        render("run.html", {})


# --- the run's page ---


def test_every_sample_is_embedded_in_order(tmp_path: Path) -> None:
    page = parse(write_run_report(run_folder(tmp_path / "run", samples=6)))
    samples = [each for each in page.all("img") if each.get("class") == "sample"]
    assert [each["data-images"] for each in samples] == ["0", "10", "20", "30", "40", "50"]
    assert [("hidden" in each) for each in samples] == [True] * 5 + [False]
    for number, each in enumerate(samples):
        kind, content = str(each["src"]).split(",")
        assert kind == "data:image/webp;base64"
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))), np.float64)
        on_disk = np.asarray(Image.open(tmp_path / "run" / "samples" / f"{10 * number:07d}.jpg"), np.float64)
        others = np.asarray(Image.open(tmp_path / "run" / "samples" / f"{10 * ((number + 1) % 6):07d}.jpg"), np.float64)
        assert np.abs(shown - on_disk).mean() < np.abs(shown - others).mean() / 2


def test_many_samples_are_chosen_evenly_and_damaged_ones_named(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", samples=60)
    (folder / "samples" / "0000000.jpg").write_bytes(b"no picture")
    path = write_run_report(folder)
    seen = [int(str(each["data-images"])) for each in parse(path).all("img") if each.get("class") == "sample"]
    assert len(seen) == SAMPLES - 1
    assert seen[-1] == 590
    assert {b - a for a, b in pairwise(seen)} == {20, 30}
    assert "1 samples could not be read" in path.read_text(encoding="utf-8")


def test_curves_are_the_log(tmp_path: Path) -> None:
    plots = parse(write_run_report(run_folder(tmp_path / "run"))).plots()
    lines = log_lines()
    drawn = {
        ("L1 of training batches", 0): "l1",
        ("Generator against discriminator", 0): "generator",
        ("Generator against discriminator", 2): "discriminator",
        ("Feature matching", 0): "features",
        ("Scores of the discriminator", 0): "score_real",
        ("Scores of the discriminator", 2): "score_fake",
        ("L1 on dev and on train", 0): "dev_l1",
        ("L1 on dev and on train", 1): "train_l1",
        ("Distance on dev", 0): "dev_distance",
        ("swapped inputs", 0): "probe_swapped_inputs",
        ("Images per second", 0): "images_per_second",
    }
    assert {title for title, _ in drawn} == set(plots)  # no penalty in the log, so no plot of it
    for (title, number), name in drawn.items():
        trace = plots[title]["data"][number]
        assert trace["x"] == [line["images"] for line in lines if name in line], title
        assert trace["y"] == [line[name] for line in lines if name in line], title
    best = plots["Distance on dev"]["data"][1]
    assert (best["x"], best["y"], best["marker"]["symbol"]) == ([600], [0.5], "star")


def test_headline_and_diagnosis(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    html = write_run_report(folder).read_text(encoding="utf-8")
    for text in (
        "800",
        "of 1,000",
        "1 h 06 min",
        "0.20",
        "a machine",
        "at 600 images",
        "1,250,000",
        "2.1 %",
        "finished",
    ):
        assert text in html
    assert "Nothing found" in html
    finding = {"name": "a_failure", "images": 1234, "sentence": "It fails.", "advice": EVIL}
    (folder / "summary.json").write_text(json.dumps({**SUMMARY, "findings": [finding, finding], "best": None}))
    path = write_run_report(folder)
    html = path.read_text(encoding="utf-8")
    assert "Nothing found" not in html
    assert html.count("It fails.") == 2
    assert "a failure · at 1,234 images" in html
    star = parse(path).plots()["Distance on dev"]["data"][1]
    assert (star["x"], star["y"]) == ([600], [0.5])  # without a best in the summary, the lowest of the log


def test_a_young_run_has_a_page(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", samples=0)
    (folder / "summary.json").unlink()
    (folder / "config.yaml").write_text("a: b: c", encoding="utf-8")  # no YAML at all
    html = write_run_report(folder).read_text(encoding="utf-8")
    assert "No diagnosis yet" in html
    assert '<input type="range"' not in html
    assert "1 min 20 s" in html  # from the log's last whole line


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no run folder, it holds no config\.yaml"):
        write_run_report(tmp_path)
    folder = run_folder(tmp_path / "run")
    (folder / "summary.json").write_text('{"images": "many"}')
    with pytest.raises(ValueError, match=r"summary\.json: damaged: images"):
        write_run_report(folder)


def test_odd_lines_of_the_log_are_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    odd = [
        '{"images": 20, "l1": NaN, "note": "text", "on": true}',
        "[]",
        "",
        '{"l1": 1}',
        '{"images": 10, "l1": 1}',
        '{"im',
    ]
    log.write_text("\n".join(odd))
    records = read_log(log)
    assert [set(record) for record in records] == [{"images", "l1"}] * 2
    assert [record["images"] for record in records] == [10, 20]
    (trace,) = curve("l1", [10, 20], [record["l1"] for record in records], 0)
    assert trace["y"] == [1, None]


def test_a_log_of_nothing_but_nan_draws_nothing(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", samples=0)
    (folder / "log.jsonl").write_text('{"images": 10, "l1": NaN, "seconds": Infinity, "images_per_second": NaN}\n')
    (folder / "summary.json").unlink()
    assert parse(write_run_report(folder)).plots() == {}


# --- the evaluation's page ---


def test_the_best_of_a_column_is_bold() -> None:
    rows = dict(table(evaluation()))
    assert list(rows) == ["a model", "mean target", "input unchanged", REFERENCE]
    best = {row: [cell.best for cell in cells] for row, cells in rows.items()}
    assert best["a model"] == [False, True, True, False]  # 14.00 against 14.001: equal as far as it is written
    assert best["mean target"] == [True, False, False, False]
    assert best["input unchanged"] == [False, True, False, False]
    assert best[REFERENCE] == [False] * 4
    assert [cell.text for cell in rows[REFERENCE]] == ["0.0000", "∞", "0.00", "30.00"]
    assert [cell.text for cell in rows["input unchanged"]] == ["0.4000", "14.00", "300.00", "—"]
    assert rows["mean target"][2].text == "—"
    assert [cell.interval for cell in rows["a model"]] == ["0.1000 to 0.3000", "", "", ""]


def test_the_table_is_on_the_page(both: list[Path]) -> None:
    page = parse(both[1])
    assert page.texts["strong"] == ["14.00", "150.00", "0.1500", "14.00"]
    assert sum(text.strip() == "3" for text in page.texts["td"]) == 4  # n in every row
    assert [each["title"] for each in page.all("abbr")] == ["lower is better", "higher is better", "lower is better"]


def test_an_equal_picture_wins_psnr() -> None:
    record = evaluation()
    record["trivial"]["input unchanged"]["psnr"] = None
    best = {row: cells[1].best for row, cells in table(record)}
    assert best == {"a model": False, "mean target": False, "input unchanged": True, REFERENCE: False}


def test_pictures_are_drawn_from_worst_to_best(both: list[Path]) -> None:
    plots = parse(both[1]).plots()
    assert set(plots) == {"L1", "PSNR (dB)"}
    assert plots["L1"]["data"][0]["y"] == [0.3, 0.2, 0.1]
    assert plots["PSNR (dB)"]["data"][0]["y"] == [12.0, 15.0]  # the infinite one cannot be placed
    marked = plots["L1"]["data"][1]
    assert (marked["x"], marked["y"]) == ([1, 3], [0.3, 0.1])
    assert "<" not in "".join(plots["L1"]["data"][0]["text"])  # plotly reads tags in its texts


def test_a_record_without_extras_has_a_page(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_evaluation_report(path, {"model": "m", "n": 1, "metrics": {"l1": 0.5}}, [])
    assert parse(path).texts["td"] == ["0.5000", "1"]


# --- parts ---


@pytest.mark.parametrize(
    ("name", "title", "higher"),
    [
        ("l1", "L1", False),
        ("psnr", "PSNR (dB)", True),
        ("lpips[squeeze]", "LPIPS (squeeze)", False),
        ("fid[efficientnet_lite0]", "FID (efficientnet_lite0)", False),
        ("kid_x1000[a]", "KID x1000 (a)", False),
        ("precision[a]", "Precision (a)", True),
        ("fcn_pixel_accuracy[espnet]", "FCN pixel accuracy (espnet)", True),
        ("pixel_accuracy", "Pixel accuracy", True),
        ("overlap_a", "Overlap of a", True),
        ("colourfulness", "Colourfulness", None),
        ("something_new", "Something new", None),
    ],
)
def test_names_of_metrics(name: str, title: str, higher: bool | None) -> None:
    assert metric_title(name) == title
    assert higher_is_better(name) is higher


def test_values_as_text() -> None:
    assert value_text("psnr", None) == "∞"
    assert value_text("l1", None) == value_text("l1", math.nan) == "—"
    assert value_text("fid[a]", 123.456) == "123.46"
    assert value_text("ssim", 0.5) == "0.5000"
    assert as_number("psnr", None) == math.inf
    assert as_number("l1", None) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 00 s"),
        (1249.2, "20 min 49 s"),
        (7500, "2 h 05 min"),
        (3600 * 76, "3 d 4 h"),
        (math.nan, "—"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))


def test_pictures_in_a_page() -> None:
    assert decoded(data_uri(picture(0, 96), longest=40)).shape == (40, 40, 3)
    assert decoded(data_uri(np.zeros((400, 100, 1), np.uint8), longest=200)).shape == (200, 50, 3)
    labels = np.zeros((30, 30, 3), np.uint8)
    labels[::2, 10:20] = (255, 0, 17)
    np.testing.assert_array_equal(decoded(data_uri(labels)), labels)  # few colours: exact
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.abs(decoded(data_uri(noise)).astype(int) - noise).max() > 0  # many: lossy


def test_running_mean() -> None:
    assert running_mean([1, 2, 3, 4, 5], 3) == [1.5, 2, 3, 4, 4.5]
    assert running_mean([1, None, 3], 3) == [1, None, 3]
    generator = np.random.default_rng(0)
    for count in (1, 2, 3, 10, 61):
        values = generator.normal(size=count).tolist()
        for window in (1, 2, 5, 100):
            half = min(window // 2, (count - 1) // 2)
            expected = [np.mean(values[max(0, i - half) : i + half + 1]) for i in range(count)]
            np.testing.assert_allclose(np.array(running_mean(values, window), float), expected, rtol=1e-4)


def test_long_curves_are_thinned_to_the_ends() -> None:
    x = list(range(5 * POINTS))
    for trace in curve("l1", x, [float(value) for value in x], 0):
        assert len(trace["x"]) == len(trace["y"]) == POINTS
        assert (trace["x"][0], trace["x"][-1]) == (0, x[-1])
    assert evenly(0, 5) == []
    assert evenly(1, 5) == [0]
    assert evenly(5, 3) == [0, 2, 4]


# --- in a browser ---


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Opens a page; at the end, complains about anything it said on the console or asked of a network."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")

    def asked(request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            complaints.append(request.url)

    def go(path: Path) -> Any:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        page.goto(path.as_uri())
        return page

    yield go
    context.close()
    assert complaints == []


SEEN = "[...document.querySelectorAll('img.sample')].filter((e) => e.offsetParent).map((e) => e.dataset.images)"
WIDTH = "document.documentElement.scrollWidth"
LINE = "getComputedStyle(document.querySelector('.plot .js-line')).stroke"


def until(true: Callable[[], bool]) -> None:
    """Wait for something to come about; playwright's own way would need `eval`, which the page forbids."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_run_page_in_a_browser(visit: Any, both: list[Path]) -> None:
    page = visit(both[0])
    assert page.evaluate(WIDTH) <= 390
    assert page.locator("[data-plot]").count() == 8
    assert page.evaluate(
        "[...document.querySelectorAll('[data-plot]')].every((e) => e.querySelector('.main-svg path'))"
    )
    assert page.evaluate(SEEN) == ["40"]

    slider = page.locator("#time")
    slider.fill("1")
    assert page.evaluate(SEEN) == ["10"]
    assert page.locator("#seen").inner_text() == "10 images"
    page.locator("h1").click()  # takes the focus off the slider
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SEEN) == ["20"]
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SEEN) == ["10"]  # one step, not one of the slider's and one of the page's

    slider.fill("4")
    page.locator("#play").click()
    until(lambda: page.evaluate(SEEN) == ["10"])
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    page.locator("#play").click()
    assert page.locator("#play").get_attribute("aria-label") == "Play"

    page.locator("button.zoom").click()
    assert page.evaluate("document.querySelector('dialog img').naturalWidth") == 32
    page.keyboard.press("Escape")

    dark = page.evaluate(LINE)
    page.emulate_media(color_scheme="light")
    until(lambda: page.evaluate(LINE) != dark)


def test_the_evaluation_page_in_a_browser(visit: Any, both: list[Path]) -> None:
    page = visit(both[1])
    assert page.evaluate(WIDTH) <= 390
    assert page.locator("[data-plot] .main-svg .points path").count() == 3 + 2 + 2 + 1
    assert page.evaluate("[...document.querySelectorAll('.triple img')].every((each) => each.naturalWidth === 32)")
    assert page.locator("dialog").is_hidden()
    page.locator("button.zoom").nth(4).click()
    assert page.locator("dialog img").get_attribute("alt") == "Output of b"
    page.locator("dialog img").click()
    assert page.locator("dialog").is_hidden()
