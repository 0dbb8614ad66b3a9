"""Restoring on the site without a browser: what may be asked, damage for trying, previews, turns, the endpoint."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from page_visits import serving
from PIL import Image
from prior_site import SERVE, ship
from serve_clients import call, download, file_data, request, upload

from pix2pix.command_line import parse
from pix2pix.images import read_image
from pix2pix.restoration.diagnosing import damaged
from pix2pix.restoration.inverting import psnr
from pix2pix.restoration.options import TOLD_BY_PATCHES, RestoreOptions
from pix2pix.restoration.pipeline import Look
from pix2pix.restoration.wanted import FLAGS, Degradation, Fault, saved_quality
from pix2pix.restore import main
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.offers import offers
from pix2pix.ui.priors.offers import prior_offers
from pix2pix.ui.restoring.asking import MOST_SECONDS, asked_of, command_of
from pix2pix.ui.restoring.choices import DAMAGE, SOLVERS, choices
from pix2pix.ui.restoring.damaging import damage_for_trying, mask_of, truth_of
from pix2pix.ui.restoring.paces import GUESSES, Paces
from pix2pix.ui.restoring.previewing import SIDE, Preview
from pix2pix.ui.restoring.progress import Going, Progress
from pix2pix.ui.restoring.searcher import WAITING, Searcher
from pix2pix.ui.restoring.watching import Watch
from pix2pix.ui.service import Service

pytestmark = pytest.mark.usefixtures("one_thread")

PICTURE = Path("a photo.png")
NOISE = {"degradation": "denoise", "prior": "moons", "solver": "csgm", "seconds": 0.3}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two priors: 'castles', and 'moons' of one layer."""
    return ship(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smooth picture of 40 x 48 pixels."""
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    coarse = np.random.default_rng(0).integers(60, 200, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((48, 40), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def searcher(shipped: Path, tmp_path: Path, photo: Path) -> Searcher:
    """With the prior 'moons', for visitors from elsewhere."""
    folder = tmp_path / "made"
    folder.mkdir()
    limits = Limits(rate=0)
    return Service((), limits, folder, "cpu", False, prior_offers(str(shipped / "moons.safetensors"))).searcher


# --- what is asked ---


def asked(given: dict[str, Any], mask: Path | None = None) -> Any:
    return asked_of(given, PICTURE, mask, {"faces": Path("there/faces.safetensors")})


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (None, "expected a JSON object of settings"),
        ({}, "what happened to the picture? give --degradation"),
        ({"degradation": "noise"}, "degradation: got 'noise'; "),
        ({"degradation": "denoise", "sead": 3}, "no setting 'sead'; did you mean 'seed'?"),
        ({"degradation": "denoise", "mask": "/etc/passwd"}, "no setting 'mask'"),
        ({"degradation": "denoise", "pixel_limit": 10**12}, "no setting 'pixel_limit'"),
        ({"degradation": "denoise", "sigma": "much"}, "sigma: got 'much'; "),
        ({"degradation": "denoise", "factor": 2}, "--factor says nothing about --degradation denoise"),
        ({"degradation": "deblur"}, "how blurred is it?"),
        ({"degradation": "denoise", "prior": "there/faces.safetensors"}, "no prior 'there/faces.safetensors'"),
        ({"degradation": "denoise", "prior": ["faces"]}, "no prior"),
        ({"degradation": "denoise", "solver": "w"}, "--solver w needs a prior"),
        ({"degradation": "denoise", "completions": 5}, "completions: got 5, expected 1 to 4"),
        ({"degradation": "denoise", "seconds": 601}, "seconds: got 601, expected at most 600"),
        ({"degradation": "denoise", "seconds": float("nan")}, "seconds: "),
        ({"degradation": "denoise", "seed": -1}, "seed: got -1; "),
    ],
)
def test_what_cannot_be_asked(given: Any, line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)) as told:
        asked(given)
    assert "\n" not in str(told.value)


def test_the_time_of_all_results_is_limited() -> None:
    assert asked({"degradation": "gray"}).seconds == MOST_SECONDS
    assert asked({"degradation": "gray", "completions": 4}).seconds == MOST_SECONDS / 4
    assert asked({"degradation": "gray", "completions": 4, "seconds": 20}).seconds == 20


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, no file is looked for."""
    monkeypatch.setattr("pix2pix.restoration.options.prior_file", Path)


@pytest.mark.parametrize(
    "given",
    [
        {"degradation": "denoise"},
        {"degradation": "denoise", "sigma": 12.5, "seed": 7, "seconds": 15, "completions": 3},
        {"degradation": "superres", "factor": 2, "prior": "faces", "solver": "w+", "box": "1,2,30"},
        {"degradation": "deblur", "blur": 1.5},
        {"degradation": "jpeg", "quality": 30},
    ],
)
@pytest.mark.usefixtures("faces")
def test_the_command_shown_asks_for_the_same(given: dict[str, Any]) -> None:
    words = shlex.split(command_of(asked(given)))
    assert words[:2] == ["pix2pix", "restore"]
    options = parse(RestoreOptions, words[2:], "prog")
    assert options == RestoreOptions(**{"inputs": (PICTURE.name,), **given})


def test_a_file_is_no_flag_in_the_command() -> None:
    strange = asked_of({"degradation": "inpaint"}, Path("-v.png"), Path("in/mask.png"), {})
    assert command_of(strange) == "pix2pix restore ./-v.png --degradation inpaint --mask mask.png"


def test_the_page_knows_all_that_the_command_does() -> None:
    assert list(DAMAGE) == list(FLAGS)
    from pix2pix.restoration import solvers

    assert set(SOLVERS) == set(GUESSES) == set(solvers.SOLVERS)
    offered = choices([])
    found = {each["name"]: each for each in offered["solvers"]}
    assert found[offered["automatic"]]["prior"]
    assert offered["unnamed"].keys() == TOLD_BY_PATCHES
    assert found["patches"]["damage"] == ["denoise", "inpaint"]
    assert set(found["untrained"]["damage"]) == set(FLAGS)


# --- damage for trying ---


@pytest.mark.parametrize("degradation", FLAGS)
def test_damage_for_trying_can_be_restored_and_compared(degradation: Degradation, photo: Path, tmp_path: Path) -> None:
    pixels, fault = read_image(photo), Fault(degradation, factor=2)
    folders = [tmp_path / name for name in ("one", "same", "other")]
    files = []
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        files.append(damage_for_trying(pixels, "photo", fault, seed, folder))
    one, same, other = (read_image(path) for path in files)
    np.testing.assert_array_equal(one, same)
    is_drawn = degradation in ("inpaint", "denoise", "salt_and_pepper")
    assert is_drawn == bool(one.shape == other.shape and (one != other).any())
    truth, mask = truth_of(files[0]), mask_of(files[0])
    assert truth is not None
    np.testing.assert_array_equal(read_image(truth), pixels)
    assert (mask is None) == (degradation != "inpaint")
    blur = 1.5 if degradation == "deblur" else None
    quality = saved_quality(files[0]) if degradation == "jpeg" else None
    found = damaged(one, Fault(degradation, None, 2, blur, quality), None if mask is None else read_image(mask))
    assert found.colours.shape == ((20, 24, 3) if degradation == "superres" else (40, 48, 3))
    if found.holes is not None and degradation == "inpaint":
        assert found.holes.mean() == pytest.approx(0.2, abs=0.01)
        np.testing.assert_array_equal(one[~found.holes], pixels[~found.holes])
        assert (one[found.holes] == 128).all()
    if quality is not None:
        assert quality == 20


def test_what_a_visitor_sends_has_no_original(photo: Path) -> None:
    assert truth_of(photo) is None
    assert mask_of(photo) is None


def test_too_small_to_be_made_smaller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got a picture of 9x3, expected at least 4"):
        damage_for_trying(np.zeros((3, 9, 3), np.uint8), "x", Fault("superres", factor=4), 0, tmp_path)


# --- previews and limits ---


def look(picture: np.ndarray, step: int = 5, part: int = 0, parts: int = 1) -> Look:
    """At a search of ten steps whose picture is (H, W, 3) in levels."""
    tensor = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    return Look(step, 10, part, parts, tensor)


def test_a_preview_shows_what_is_made_where_it_is_made() -> None:
    pixels, holes = np.full((32, 48, 3), 200, np.uint8), np.zeros((32, 48, 1), np.uint8)
    holes[4:12, 30:40] = 255
    preview = Preview(damaged(pixels, Fault("inpaint"), holes), [(slice(0, 32), slice(16, 48))])
    shown = preview.of(look(np.full((64, 64, 3), 50)))
    assert shown.shape == (32, 48, 3)
    assert (shown[holes[:, :, 0] > 0] == 50).all()
    assert (shown[holes[:, :, 0] == 0] == 200).all()


def test_a_preview_keeps_the_parts_before_and_is_small() -> None:
    pixels = np.full((600, 1200, 3), 90, np.uint8)
    places = [(slice(0, 600), slice(0, 640)), (slice(0, 600), slice(560, 1200))]
    preview = Preview(damaged(pixels, Fault("denoise", 5.0)), places)
    preview.of(look(np.full((8, 8, 3), 10), part=0, parts=2))
    shown = preview.of(look(np.full((8, 8, 3), 250), part=1, parts=2))
    assert shown.shape == (SIDE // 2, SIDE, 3)
    assert (shown[:, : SIDE * 560 // 1200 - 1] == 10).all()
    assert (shown[:, SIDE * 560 // 1200 + 1 :] == 250).all()


def test_a_watch_ends_a_search_in_time_and_when_nobody_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = 100.0
    os.utime(tmp_path, (0, 0))
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    pixels, progress = np.full((16, 16, 3), 90, np.uint8), Progress()
    preview = Preview(damaged(pixels, Fault("denoise", 5.0)), [(slice(0, 16), slice(0, 16))] * 2)
    watch = Watch(asked({"degradation": "denoise", "seconds": 20, "completions": 3}), 2, preview, progress, tmp_path)
    assert watch(look(pixels, 0, 0, 2))
    assert progress.going is not None
    assert progress.going.left is None
    assert tmp_path.stat().st_mtime > 1e9  # in use, and so kept
    now += 4
    assert watch(look(pixels, 5, 0, 2))  # a quarter: 16 s would be left, and 16 more of this and the last
    assert progress.going == Going(5, 20, 2, 3, 4.0, 12.0 + 16.0, None, progress.going.preview)
    now += 6.5
    assert not watch(look(pixels, 9, 0, 2))  # half of the time is for the first part
    assert watch(look(pixels, 1, 1, 2))
    progress.stop.set()
    assert not watch(look(pixels, 2, 1, 2))
    assert watch.is_stopped


def test_what_is_slow_is_learned() -> None:
    paces = Paces()
    guessed = paces.seconds("w", 128 * 128, 100)
    paces.learn("w", 128 * 128, 50, 10.0)
    assert paces.seconds("w", 128 * 128, 100) == pytest.approx(20)
    assert paces.seconds("w", 256 * 256, 100) == pytest.approx(80)
    paces.learn("w", 16 * 16, 10, 1.0)
    assert paces.seconds("w", 8 * 8, 20) == pytest.approx(2)  # a step takes as long, however small
    assert paces.seconds("csgm", 128 * 128, 100) != guessed


# --- turns ---


def test_searches_wait_for_each_other_and_no_longer_queue_than_people_wait_in(searcher: Searcher, photo: Path) -> None:
    progresses = [Progress() for _ in range(1 + WAITING)]
    outcomes: list[str] = []

    def search(progress: Progress, visitor: str) -> None:
        try:
            searcher.search(photo, None, {**NOISE, "seconds": 60}, visitor, progress)
            outcomes.append("found")
        except ValueError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=search, args=(each, f"10.0.0.{n}")) for n, each in enumerate(progresses)]
    threads[0].start()
    while progresses[0].going is None:
        time.sleep(0.02)
    for thread in threads[1:]:
        thread.start()
    while searcher.waiting < WAITING:
        time.sleep(0.02)
    assert [each.has_begun for each in progresses] == [True] + WAITING * [False]
    with pytest.raises(Busy, match="the server is busy, 4 requests are waiting"):
        searcher.search(photo, None, NOISE, "10.0.0.99", Progress())
    with pytest.raises(Busy, match="1 of your requests is not done yet"):
        searcher.search(photo, None, NOISE, "10.0.0.1", Progress())
    for progress in reversed(progresses):
        progress.stop.set()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["found", *WAITING * ["it was cancelled"]]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"degradation": "inpaint"}, "which part is to be made? paint over it, or send a picture with clear holes"),
        ({"degradation": "jpeg"}, "photo.png: no JPEG file, so it does not tell its quality; say which"),
        (
            {"degradation": "denoise", "prior": "moons", "box": "0,0,60"},
            "box 0,0,60: reaches beyond the picture of 48x40",
        ),
        ({"degradation": "superres", "factor": 2, "prior": "moons", "box": "x"}, "box x: expected X,Y,SIDE"),
    ],
)
def test_lines_for_people_who_type_no_command(
    searcher: Searcher, photo: Path, given: dict[str, Any], line: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(line)) as told:
        searcher.search(photo, None, given, "", Progress())
    assert "--" not in str(told.value)
    assert str(photo.parent) not in str(told.value)


def test_large_pictures_are_refused_before_any_search(searcher: Searcher, tmp_path: Path) -> None:
    for name, size, given, line in (
        ("many", (1400, 1400), {"degradation": "denoise"}, "in 9 tiles of at most 4"),
        ("huge", (4100, 4000), {"degradation": "denoise", "prior": "moons"}, "4100x4000"),
        ("grown", (1100, 1000), {"degradation": "superres", "prior": "moons"}, "4400x4000 pixels once restored"),
    ):
        path = tmp_path / f"{name}.png"
        Image.new("RGB", size).save(path)
        for ask in (searcher.estimate, lambda *rest: searcher.search(rest[0], None, rest[1], rest[2], Progress())):
            with pytest.raises(ValueError, match=line):
                ask(path, given, "")


def test_an_estimate_knows_the_solver_and_the_limit(searcher: Searcher, photo: Path) -> None:
    from pix2pix.restoration import solvers

    long = searcher.estimate(photo, {"degradation": "gray"}, "")
    assert (long.solver, long.steps) == ("untrained", solvers.SOLVERS["untrained"].steps)
    for more in ({"solver": "patches"}, {}):
        quick = searcher.estimate(photo, {"degradation": "denoise", **more}, "")
        assert (quick.solver, quick.steps) == ("patches", solvers.SOLVERS["patches"].steps)
    assert searcher.estimate(photo, {"degradation": "denoise", "completions": 2}, "").solver == "untrained"
    assert searcher.estimate(photo, {"degradation": "inpaint"}, "").solver == "untrained"  # its holes may be wide
    short = searcher.estimate(photo, {"degradation": "gray", "seconds": 1, "completions": 3}, "")
    assert short.seconds == 3 < long.seconds
    assert searcher.estimate(photo, {"degradation": "denoise", "prior": "moons"}, "").steps < long.steps


def test_examples_are_damaged_as_is_asked(searcher: Searcher, tmp_path: Path) -> None:
    made = searcher.example({"degradation": "denoise", "prior": "moons", "sigma": 20}, "")
    truth = truth_of(made)
    assert truth is not None
    assert psnr(read_image(made), read_image(truth)) == pytest.approx(22.1, abs=1.5)
    inpaint = next(offer for offer in offers() if offer.kind == "mask")
    drawn = Service((inpaint,), Limits(), tmp_path / "made", "cpu").searcher.example({"degradation": "gray"}, "")
    assert read_image(drawn).shape == (128, 128, 1)


# --- the endpoint ---


@pytest.fixture(scope="module")
def site(shipped: Path) -> Iterator[str]:
    """The real server with one prior, on one thread."""
    first = "import os\nos.environ['OMP_NUM_THREADS'] = '1'"
    with serving([sys.executable, "-c", first + SERVE, str(shipped), "--prior", "moons"]) as address:
        yield address


def sent(site: str, path: Path) -> dict[str, object]:
    status, answer = upload(site, path.name, path.read_bytes())
    assert status == 200, answer
    return file_data(json.loads(answer)[0])


def test_the_endpoint_gives_what_the_command_makes(site: str, photo: Path, shipped: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    holes = np.zeros((40, 48), np.uint8)
    holes[10:20, 12:30] = 255
    Image.fromarray(holes).save(mask)
    settings: dict[str, Any] = {"prior": "moons", "solver": "w", "completions": 2, "seed": 4}
    picture = sent(site, photo)
    outcome, answer = call(site, "restore", image=picture, degradation="inpaint", mask=sent(site, mask), **settings)
    assert outcome == "complete", answer
    files, lines, command = cast(list[Any], answer)
    assert [Path(each["path"]).name for each in files] == ["photo-1.png", "photo-2.png"]
    assert len(lines) == 2
    assert all("all steps done; misfit" in line for line in lines)
    assert command.endswith("--prior moons --solver w --seed 4 --completions 2")
    flags = ["--prior", str(shipped / "moons.safetensors"), "--solver", "w", "--seed", "5"]
    out, damage = tmp_path / "out", ["--degradation", "inpaint", "--mask", str(mask)]
    assert main([str(photo), *damage, *flags, "--out", str(out)]) == 0
    first, second = (download(site, each["path"])[2] for each in files)
    assert second == (out / photo.name).read_bytes()  # of the seed that follows
    assert first != second
    assert np.asarray(Image.open(io.BytesIO(first))).shape == (40, 48, 3)


def test_the_endpoint_refuses_in_one_line(site: str, photo: Path) -> None:
    picture = sent(site, photo)
    for values, line in (
        ({"image": picture, "degradation": "denoise", "prior": "suns"}, "no prior 'suns'"),
        ({"image": picture, "degradation": "denoise", "mask": picture}, "mask says nothing about degradation denoise"),
        ({"image": picture, "degradation": "denoise", "sigma": 300}, "sigma: got 300; "),
        ({"image": "photo.png", "degradation": "denoise"}, "image: expected a file"),
    ):
        outcome, said = call(site, "restore", **values)
        assert outcome == "error"
        assert isinstance(said, str)
        assert said.startswith(line)
        assert "\n" not in said


def test_the_site_of_one_prior_has_both_of_its_pages(site: str) -> None:
    _, _, page = request(site)
    links = re.findall(r'href=\\"(explore[^"\\]*|restore)\\"', page.decode())
    assert set(links) == {"explore#prior=moons", "restore"}
    assert request(f"{site}/restore")[0] == 200
