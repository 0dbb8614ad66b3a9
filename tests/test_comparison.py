"""Comparisons of restorations: one damage for all, figures as the libraries give them, nothing computed twice."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tiny_priors import save_tiny_prior

from pix2pix.config import Data
from pix2pix.data.inputs import derived_pair
from pix2pix.images import read_image, write_image
from pix2pix.priors.families import load_prior, prior_of
from pix2pix.representations import build_representation
from pix2pix.restoration import comparing
from pix2pix.restoration.cases import CASES, Case
from pix2pix.restoration.comparison import SHOWN, Plan, compare, picture_file
from pix2pix.restoration.curves import Curve, draw, trace
from pix2pix.restoration.ledger import FILE, Figures, Ledger, Setting
from pix2pix.restoration.methods import Method, Problem, Restored, by_solver, chosen_methods, methods_for
from pix2pix.restoration.searching import Settings
from pix2pix.restoration.sheets import write_sheets
from pix2pix.restoration.solvers import DeepImagePrior, Projector
from pix2pix.restoration.tables import markdown, means
from pix2pix.restoration.truths import Truth, read_truths

SIDE = 32
PSNR: Any = peak_signal_noise_ratio  # scikit-image has no types
SSIM: Any = structural_similarity
SETTING = Setting(data="d", split="train", size=SIDE, prior="none", seed=0, lpips="none")

pytestmark = pytest.mark.usefixtures("one_thread")


def picture(seed: int, side: int = SIDE) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] / side
    waves = [np.sin(6 * rows * (seed + 1) + phase) + np.cos(5 * columns + phase) for phase in range(3)]
    return np.asarray(np.rint(np.stack(waves, axis=2) * 50 + 125), np.uint8)


def truths(count: int) -> list[Truth]:
    return [Truth(f"folder/{number}", picture(number)) for number in range(count)]


class Counting:
    """A method that gives grey, or anything else, and remembers the problems that it saw."""

    def __init__(self, level: int = 128) -> None:
        self.level, self.problems = level, list[Problem]()

    def __call__(self, problem: Problem, seed: int) -> Restored:
        self.problems.append(problem)
        return Restored(np.full((SIDE, SIDE, 3), self.level, np.uint8), 7, "steps")


def run(plan: Plan, folder: Path) -> Ledger:
    ledger = Ledger(folder, SETTING)
    compare(plan, ledger, folder, lambda number: None)
    return ledger


@pytest.mark.parametrize("name", CASES)
def test_damage_is_the_same_for_a_stem_and_as_the_operator_says(name: str) -> None:
    case, truth = CASES[name], picture(0, 64)
    damaged, again, other = (case.damaged(truth, stem) for stem in ("a", "a", "b"))
    np.testing.assert_array_equal(damaged.picture, again.picture)
    if name not in ("whole", "box-25", "smaller-4"):  # where nothing is drawn
        assert not np.array_equal(damaged.picture, other.picture)
    forward = damaged.operator.forward(build_representation("rgb").encode(truth)[None])
    values = build_representation("rgb").encode(np.ascontiguousarray(damaged.picture[:, :, :3]))[None]
    difference = forward - values
    if damaged.operator.known is not None:
        difference = difference * damaged.operator.known
        lost = 1 - float(damaged.operator.known.mean())
        wanted = {"text": 0.2}.get(name, int(name[-2:]) / 100 if name != "text" else 0)
        assert lost == pytest.approx(wanted, abs=0.12 if name == "text" else 0.006)
    if damaged.sigma:
        assert float(difference.std()) * 127.5 == pytest.approx(damaged.sigma, rel=0.2)  # some of it is clipped
    else:
        assert float(difference.abs().max()) <= 0.51 / 127.5 + (0.05 if case.factor > 1 else 0)


@pytest.mark.parametrize(
    ("name", "step"), [("noise-25", "noise: {sigma: [25, 25]}"), ("strokes-40", "mask: {area: [0.4, 0.4]}")]
)
def test_damage_is_that_of_an_evaluation(name: str, step: str) -> None:
    data = Data.model_validate({"layout": "photos", "derive": (step,)})
    source, _ = derived_pair(picture(1), data, "folder/stem")
    np.testing.assert_array_equal(CASES[name].damaged(picture(1), "folder/stem").picture, source)


def test_every_method_sees_the_same_and_is_judged_as_the_library_judges(tmp_path: Path) -> None:
    first, second = Counting(), Counting(200)
    methods = [Method("one", "solvers", first), Method("other", "solvers", second)]
    case = CASES["box-25"]
    ledger = run(Plan(truths(2), [(case, methods)], None, 0), tmp_path)
    for one, other in zip(first.problems, second.problems, strict=True):
        np.testing.assert_array_equal(one.damaged.picture, other.damaged.picture)
    assert len(ledger.figures) == 4
    truth = picture(1)
    made = read_image(picture_file(tmp_path, case, methods[1], truths(2)[1]))
    inside = np.s_[8:24, 8:24]
    assert (made[inside] == 200).all()
    outside = np.ones((SIDE, SIDE), np.bool_)
    outside[inside] = False
    np.testing.assert_array_equal(made[outside], truth[outside])
    found = ledger.figures["box-25", "other", "folder/1"]
    assert found.psnr == pytest.approx(PSNR(truth, made, data_range=255))
    expected = SSIM(
        truth, made, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert found.ssim == pytest.approx(expected, abs=1e-4)
    assert (found.lpips, found.steps, found.ending) == (None, 7, "steps")
    assert found.seconds > 0


def test_what_is_there_is_not_computed_again_and_half_a_line_is(tmp_path: Path) -> None:
    case, method = CASES["noise-25"], Counting()
    plan = Plan(truths(SHOWN + 1), [(case, [Method("one", "solvers", method)])], None, 0)
    before = run(plan, tmp_path)
    assert len(method.problems) == SHOWN + 1
    assert run(plan, tmp_path).figures == before.figures
    assert len(method.problems) == SHOWN + 1
    more = replace(plan, truths=truths(SHOWN + 2))
    assert len(run(more, tmp_path).figures) == SHOWN + 2
    assert len(method.problems) == SHOWN + 2
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-9])  # killed as it wrote
    assert len(run(more, tmp_path).figures) == SHOWN + 2
    assert len(method.problems) == SHOWN + 3
    assert len(path.read_text().splitlines()) == 1 + SHOWN + 2
    assert len(list(tmp_path.rglob("*.png"))) == SHOWN


def test_another_setting_and_other_files_are_refused(tmp_path: Path) -> None:
    Ledger(tmp_path, SETTING)
    with pytest.raises(ValueError, match="with seed 0, not 1; give another --out"):
        Ledger(tmp_path, SETTING.model_copy(update={"seed": 1}))
    (tmp_path / FILE).write_text("nonsense\n")
    with pytest.raises(ValueError, match="no figures of a comparison"):
        Ledger(tmp_path, SETTING)


def test_means_by_hand_and_the_best_is_bold(tmp_path: Path) -> None:
    def figures(method: str, stem: str, psnr: float | None, lpips: float | None) -> Figures:
        return Figures(case="text", method=method, stem=stem, psnr=psnr, ssim=0.5, lpips=lpips, seconds=2.0)

    some = [figures("a", "folder/0", 20.0, 0.2), figures("a", "folder/1", 23.0, 0.4)]
    assert means(some) == {"psnr": 21.5, "ssim": 0.5, "lpips": pytest.approx(0.3), "seconds": 2.0}
    assert means([figures("a", "s", None, None)])["psnr"] == np.inf
    ledger = Ledger(tmp_path, SETTING)
    for each in (*some, figures("b", "folder/0", 25.0, 0.5), figures("b", "elsewhere", 99.0, 0.0)):
        ledger.add(each)
    methods = [Method(name, "solvers", Counting()) for name in "ab"]
    text = markdown(Plan(truths(2), [(CASES["text"], methods)], None, 0), ledger)
    assert "| a | 21.50 | **0.5000** | **0.3000** | 2 | 2 |" in text
    assert "| b | **25.00** | **0.5000** | 0.5000 | 2 | 1 |" in text


def test_a_missing_package_is_a_row_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "bm3d" else find(name))
    case = CASES["noise-50"]
    methods = chosen_methods("bm3d,median", methods_for(case, None))
    plan = Plan(truths(1), [(case, methods)], None, 0)
    ledger = run(plan, tmp_path)
    assert [key[1] for key in ledger.figures] == ["median"]
    assert "| BM3D | the package bm3d is not installed: pip install 'pix2pix[bm3d]'" in markdown(plan, ledger)
    (sheet,) = write_sheets(plan, tmp_path)
    assert read_image(sheet).shape[1] == 4 + 3 * 132  # truth, damaged, median


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_a_trivial_row_classics_a_model_and_solvers(name: str, tmp_path: Path) -> None:
    prior = prior_of(load_prior(save_tiny_prior(tmp_path / "p.safetensors")))
    methods = methods_for(CASES[name], prior)
    groups = [each.group for each in methods]
    with_prior, without = ["csgm", "pgd", "w", "w+", "tuned"], ["untrained"]
    if name not in ("whole", "smaller-4"):  # of which patches know nothing
        without.append("patches")
    assert [each.name for each in methods if each.group == "solvers"] == with_prior + without
    has_rivals = name != "whole"  # an inversion has none
    assert groups.count("models") == has_rivals
    assert (groups.count("classics") >= 2) == has_rivals
    assert groups.count("nothing") == (name not in ("whole", "smaller-4"))
    assert [each.name for each in methods_for(CASES[name], None) if each.group == "solvers"] == without


def test_a_model_mends_what_it_was_trained_for() -> None:
    truth = picture(0, 64)
    for name in ("pixels-50", "noise-50", "smaller-4"):
        case = CASES[name]
        problem = Problem(case, case.damaged(truth, "stem"))
        (model,) = chosen_methods("models", methods_for(case, None))
        restored = problem.with_known(model.restore(problem, 0).picture)
        assert restored.shape == truth.shape
        assert PSNR(truth, restored, data_range=255) > 24, name


def test_a_curve_goes_on_past_the_end_that_it_shows() -> None:
    case: Case = CASES["noise-50"]
    observation = Problem(case, case.damaged(picture(0), "stem")).observation()
    truth = build_representation("rgb").encode(picture(0))[None]
    patient = DeepImagePrior(Settings(steps=31, rate=0.02, every=10))
    generous = replace(observation, sigma=100.0)  # which all but the first pictures fit
    curve = trace("untrained", patient, None, generous, truth, 0)
    assert curve.steps == tuple(range(0, 31, 10))
    assert curve.ending == "discrepancy"
    assert 0 < curve.end < 31
    assert curve.fit[-1] > curve.fit[0]
    assert curve.truth[-1] > curve.truth[0]


@pytest.mark.slow  # matplotlib looks for fonts first
def test_curves_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curve = Curve("untrained", (0, 10, 20), (10.0, 20.0, 15.0), (10.0, 21.0, 30.0), 12, "variance")
    assert draw({"noise-50": [curve], "text": [curve, curve]}, tmp_path / "curves.webp")
    assert read_image(tmp_path / "curves.webp").shape[2] == 3


def test_a_seed_decides_a_search(tmp_path: Path) -> None:
    prior = prior_of(load_prior(save_tiny_prior(tmp_path / "p.safetensors")))
    case = CASES["box-25"]
    problem = Problem(case, case.damaged(picture(0, 64), "stem"))
    restore = by_solver(Projector(Settings(steps=3, rate=0.1), by_layer=False), prior)
    first, again, other = (restore(problem, seed).picture for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8


def test_a_larger_count_has_the_pictures_of_a_smaller_one_first(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    for number in range(6):
        write_image(tmp_path / "val" / f"{number}.png", picture(number, 80))
    few, many = (read_truths(tmp_path, "val", count, 64, print) for count in (2, 9))
    assert [each.stem for each in few] == [each.stem for each in many[:2]]
    assert sorted(each.stem for each in many) == [str(number) for number in range(6)]
    assert all(each.picture.shape == (64, 64, 3) for each in many)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "faces" / "val").mkdir(parents=True)
    for number in range(2):
        write_image(tmp_path / "faces" / "val" / f"{number}.png", picture(number, 48))
    save_tiny_prior(tmp_path / "p.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "give --data DIR"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--data", "faces", "--split", "train"], "no split 'train'"),
        (["--data", "faces", "--cases", "nois-25"], "no case 'nois-25'; .*noise-25"),
        (["--data", "faces", "--methods", "medain"], "no method 'medain'; .*median"),
        (["--data", "faces", "--methods", "tuned"], "'tuned' needs a prior"),
        (["--data", "faces", "--methods", "median", "--cases", "text"], "none of them is for the cases"),
        (["--data", "faces", "--prior", "p.safetensors", "--size", "128"], "the prior makes pictures of 64"),
        (["--data", "faces", "--prior", "nobody"], "no prior 'nobody'"),
        (["--data", "faces", "--lpips", "auto", "--lpips-backbone", "x.pth"], "needs the name of its network"),
    ],
)
def test_a_mistake_is_one_line(folder: Path, flags: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        comparing.compare([*flags, "--count", "1"])
    assert "\n" not in str(caught.value)
    assert not Path("comparison").exists()


def test_the_command_writes_table_figures_and_sheet(folder: Path) -> None:
    code = "import sys; from pix2pix.restoration.comparing import compare; sys.exit(compare(sys.argv[1:]))"
    flags = ["--data", "faces", "--count", "2", "--size", "64", "--cases", "noise-25,smaller-4", "--out", "there"]
    flags += ["--methods", "median,classics,models", "--lpips", "none"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *flags], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    before = (Path("there") / FILE).read_text()
    assert comparing.compare(flags) == 0
    assert (Path("there") / FILE).read_text() == before
    written = sorted(path.name for path in Path("there").iterdir())
    assert written == ["comparison.json", "comparison.md", FILE, "noise-25.png", "pictures", "smaller-4.png"]
    record = json.loads(Path("there/comparison.json").read_text())
    assert record["cases"]["smaller-4"]["feed-forward"]["n"] == 2
    rows = [each for each in record["pictures"] if (each["case"], each["method"]) == ("noise-25", "median")]
    mean = sum(each["psnr"] for each in rows) / 2
    assert record["cases"]["noise-25"]["median"]["psnr"] == pytest.approx(mean)
    assert f"| median | {mean:.2f} |" in Path("there/comparison.md").read_text()


def test_help_names_every_case() -> None:
    described = comparing.CompareOptions.model_fields["cases"].description
    assert described == ", ".join(CASES)
