"""Priors on the site: the page in a real browser, the endpoints, and what both refuse."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from page_visits import Visit
from PIL import Image, ImageSequence
from serve_clients import call, download, request
from tiny_models import save_tiny_model
from tiny_priors import save_tiny_prior

from pix2pix import model_files
from pix2pix.priors.exploring import pictures
from pix2pix.priors.opened import open_directions, open_prior
from pix2pix.priors.points import Point, w_of
from pix2pix.serve import everything, listening, main
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.priors.explorer import PICTURES_A_REQUEST, Explorer, point_of, way
from pix2pix.ui.priors.offers import PriorOffer, prior_offers
from pix2pix.ui.service import Service

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
WIDE, PHONE = {"width": 1280, "height": 1100}, {"width": 390, "height": 844}
# The site as it is with other priors in place of those that ship, and without tasks, which other tests are about.
SERVE = """
import sys
from pathlib import Path
from pix2pix import model_files, serve
model_files.PRIORS = Path(sys.argv[1])
sys.exit(serve.main(["--port", "0", *sys.argv[2:]]))
"""
TYPICAL = 0.7  # the truncation that the page begins with
QUIET = ".p2p-explore[aria-busy=false]"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two priors: 'castles', and 'moons' of one layer."""
    folder = tmp_path_factory.mktemp("shipped")
    save_tiny_prior(folder / "castles.safetensors")
    save_tiny_prior(folder / "moons.safetensors", "dcgan")
    return folder


@pytest.fixture(scope="module")
def site(shipped: Path) -> Iterator[str]:
    """The address of the real server: the gallery, and the page of priors."""
    command = [sys.executable, "-c", SERVE, str(shipped)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        try:
            assert found is not None, f"the server said: {line}"
            yield found[0].rstrip("/")
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, site: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visitor whose requests all stay on this machine, and on whose pages nothing goes wrong."""
    made = Visit(browser, site, getattr(request, "param", WIDE), "light")
    yield made
    made.context.close()
    assert made.outside == []
    assert made.wrong == []


def library(path: Path, point: Point) -> np.ndarray:
    """(64, 64, 3) uint8: what Python makes of the same point."""
    prior, _ = open_prior(path)
    directions = open_directions(path) if point.is_shifted else None
    found: np.ndarray = pictures(prior, w_of(prior, point, directions))[0]
    return found


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def assert_same(content: bytes, expected: np.ndarray) -> None:
    """Other numbers of threads may round another way; another point is another picture altogether."""
    difference = np.abs(decoded(content).astype(int) - expected.astype(int))
    assert difference.shape == expected.shape
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def settled(visit: Visit, last: str | None = None) -> str:
    """Which answer is shown, another one than `last`, once the server has nothing to do for it."""
    script = """last => {
        const board = document.querySelector('.p2p-explore[aria-busy=false]');
        return board && board.dataset.settled === board.dataset.result && board.dataset.result !== last
            && board.dataset.result;
    }"""
    return str(visit.page.wait_for_function(script, arg=last, timeout=30_000).json_value())


def opened(visit: Visit, where: str = "") -> str:
    visit.open(f"explore{where}")
    return settled(visit)


def saved(visit: Visit) -> tuple[str, bytes]:
    return visit.download(".explore-save")


def slide(visit: Visit, name: str, value: float) -> None:
    visit.page.get_by_role("slider", name=name, exact=True).fill(str(value))


def shown(visit: Visit) -> bytes:
    """The large picture as it is seen."""
    canvas = visit.page.locator(".explore-picture")
    content = canvas.evaluate("canvas => canvas.toDataURL('image/png')")
    return base64.b64decode(content.split(",", 1)[1])


# --- the page ---


def test_gallery_leads_to_each_prior(visit: Visit) -> None:
    page = visit.open()
    links = page.locator("a.p2p-card").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert [link for link in links if link.startswith("explore")] == ["explore#prior=castles", "explore#prior=moons"]
    page.locator("a.p2p-card", has_text="Moons").click()
    settled(visit)
    assert page.get_by_role("button", name="Moons").get_attribute("aria-pressed") == "true"
    # Of one layer: nothing to mix, no ranges of layers.
    assert page.locator(".explore-mixing").is_hidden()
    assert page.locator(".explore-layers").is_hidden()
    page.locator("a.p2p-back").click()
    page.wait_for_selector("a.p2p-card")


def test_sliders_move_the_picture_as_the_library_does(visit: Visit, shipped: Path) -> None:
    path = shipped / "castles.safetensors"
    first = opened(visit)
    name, content = saved(visit)
    assert name == "castles-0.png"
    assert_same(content, library(path, Point(0, TYPICAL)))
    before = shown(visit)
    slide(visit, "Direction 2", 2.5)
    second = settled(visit, first)
    assert shown(visit) != before
    shifts = (0.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert_same(saved(visit)[1], library(path, Point(0, TYPICAL, shifts=shifts)))
    visit.page.get_by_role("button", name="Coarse").click()
    third = settled(visit, second)
    coarse = library(path, Point(0, TYPICAL, shifts=shifts, layers="coarse"))
    assert_same(saved(visit)[1], coarse)
    assert np.abs(coarse.astype(int) - library(path, Point(0, TYPICAL, shifts=shifts))).max() > 2
    slide(visit, "Truncation: from the mean picture to all that was learned", 0.25)
    fourth = settled(visit, third)
    assert_same(saved(visit)[1], library(path, Point(0, 0.25, shifts=shifts, layers="coarse")))
    visit.page.get_by_role("button", name="Reset").click()
    settled(visit, fourth)
    assert saved(visit)[1] == content


def test_small_pictures_are_what_the_ends_give(visit: Visit, shipped: Path) -> None:
    last = opened(visit)
    before = decoded(saved(visit)[1])
    visit.page.get_by_role("button", name="Direction 3, to the other end").click()
    settled(visit, last)
    shifts = (0.0, 0.0, 3.0)
    expected = library(shipped / "castles.safetensors", Point(0, TYPICAL, shifts=shifts))
    assert_same(saved(visit)[1], expected)
    small = visit.page.locator(".explore-direction").nth(2).locator("canvas").nth(1)
    content = small.evaluate("canvas => canvas.toDataURL('image/png')")
    seen = Image.fromarray(decoded(base64.b64decode(content.split(",", 1)[1]))).resize((64, 64), Image.Resampling.BOX)
    nearness = [np.abs(np.asarray(seen).astype(int) - each.astype(int)).mean() for each in (expected, before)]
    assert nearness[0] < nearness[1] / 2


def test_another_seed_and_the_way_back(visit: Visit, shipped: Path) -> None:
    page, last = visit.page, opened(visit)
    page.get_by_role("button", name="Another", exact=True).first.click()
    last = settled(visit, last)
    seed = int(page.locator(".explore-seed").input_value())
    assert_same(saved(visit)[1], library(shipped / "castles.safetensors", Point(seed, TYPICAL)))
    assert page.locator(".explore-where").inner_text() == f"Seed {seed}"
    page.locator(".explore-seed").fill("41")
    page.locator(".explore-seed").press("Enter")
    last = settled(visit, last)
    name, content = saved(visit)
    assert name == "castles-41.png"
    page.get_by_role("button", name="Seed 5", exact=True).click()
    last = settled(visit, last)
    assert_same(saved(visit)[1], library(shipped / "castles.safetensors", Point(5, TYPICAL)))
    page.go_back()
    settled(visit, last)
    assert saved(visit) == (name, content)
    page.locator(".explore-seed").fill("many")
    page.locator(".explore-seed").press("Enter")
    assert page.locator(".explore-error").inner_text() == "A seed is a whole number from 0 on."
    assert page.locator(".explore-seed").input_value() == "41"


def test_more_pictures_to_choose_from(visit: Visit) -> None:
    opened(visit)
    page = visit.page
    page.get_by_role("button", name="Seed 11", exact=True).wait_for()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Seed 23", exact=True).wait_for()
    assert page.locator(".explore-others button").count() == 12


def test_layers_of_another_picture(visit: Visit, shipped: Path) -> None:
    last = opened(visit)
    visit.page.get_by_label("Seed of the other picture").fill("9")
    visit.page.get_by_label("Seed of the other picture").press("Enter")
    last = settled(visit, last)
    slide(visit, "Layers taken from the other picture", 4)
    settled(visit, last)
    assert visit.page.locator(".explore-taken-shown").inner_text() == "4 of 10 layers"
    path = shipped / "castles.safetensors"
    assert_same(saved(visit)[1], library(path, Point(0, TYPICAL, mixed=9, crossing=6)))


def test_a_link_leads_to_the_same_picture(visit: Visit, shipped: Path) -> None:
    where = "#prior=castles&seed=3&truncation=0.9&toward=4&share=0.25&mixed=8&taken=3&shifts=0+-1.5&layers=fine"
    opened(visit, where)
    point = Point(3, 0.9, toward=4, share=0.25, mixed=8, crossing=7, shifts=(0.0, -1.5), layers="fine")
    content = saved(visit)[1]
    assert_same(content, library(shipped / "castles.safetensors", point))
    assert visit.page.evaluate("location.pathname") == "/explore"
    told = parse_qs(visit.page.evaluate("location.hash").removeprefix("#"))
    assert told["shifts"] == ["0 -1.5 0 0 0 0 0 0"]
    assert {name: told[name] for name in ("seed", "toward", "taken", "layers")} == {
        "seed": ["3"],
        "toward": ["4"],
        "taken": ["3"],
        "layers": ["fine"],
    }
    visit.page.reload()
    settled(visit)
    assert saved(visit)[1] == content


@pytest.mark.parametrize(
    "where", ["#seed=-3&truncation=7&layers=thick&shifts=9&prior=none&taken=x", "#%%%", "#seed=1e400"]
)
def test_a_link_that_means_nothing_leads_to_the_start(visit: Visit, shipped: Path, where: str) -> None:
    opened(visit, where)
    assert_same(saved(visit)[1], library(shipped / "castles.safetensors", Point(0, TYPICAL)))
    assert visit.page.locator(".explore-error").is_hidden()


def test_a_walk_is_seen_and_stops_where_it_is(visit: Visit, shipped: Path) -> None:
    page, last = visit.page, opened(visit)
    page.keyboard.press("w")
    where = page.locator(".explore-where")
    page.wait_for_function("document.querySelector('.explore-where').innerText.startsWith('Between seed 1 and 2')")
    frames = {shown(visit) for _ in range(3) if page.wait_for_timeout(150) is None}
    assert len(frames) == 3
    page.get_by_role("button", name="Stop").click()
    settled(visit, last)
    told = parse_qs(page.evaluate("location.hash").removeprefix("#"))
    seed, share = int(told["seed"][0]), round(float(told.get("share", ["0"])[0]) * 24) / 24
    toward = int(told["toward"][0]) if "toward" in told else None
    point = Point(seed, TYPICAL, toward=toward, share=share)
    assert_same(saved(visit)[1], library(shipped / "castles.safetensors", point))
    assert where.inner_text().startswith("Between" if toward is not None else "Seed")


def test_a_walk_to_take_along(visit: Visit, shipped: Path) -> None:
    opened(visit, "#seed=6")
    with visit.page.expect_download() as started:
        visit.page.get_by_role("button", name="Save GIF").click()
    assert started.value.suggested_filename == "castles-walk-6.gif"
    with Image.open(started.value.path()) as film:
        assert film.size == (256, 256)
        assert len(list(ImageSequence.Iterator(film))) == 80
        film.seek(0)
        first = np.asarray(film.convert("RGB").resize((64, 64), Image.Resampling.BOX)).astype(int)
    near, far = (library(shipped / "castles.safetensors", Point(seed, TYPICAL)) for seed in (6, 7))
    assert np.abs(first - near).mean() < np.abs(first - far).mean() / 2  # not equal: of 256 colours


def test_a_refused_question_leaves_the_page_ready(visit: Visit) -> None:
    page, last = visit.page, opened(visit)
    page.route("**/run/predict*", lambda route: route.fulfill(status=503, body='{"detail": "busy"}'))
    slide(visit, "Direction 1", 1)
    page.locator(".explore-error").wait_for(state="visible")
    page.wait_for_selector(QUIET)
    page.wait_for_timeout(400)  # the small pictures are refused, too
    page.unroute("**/run/predict*")
    slide(visit, "Direction 1", 2)
    settled(visit, last)
    assert page.locator(".explore-error").is_hidden()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_on_a_phone_the_picture_stays_in_view(visit: Visit) -> None:
    opened(visit)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate("scrollTo(0, 900)")
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") > 500
    box = page.locator(".explore-picture").bounding_box()
    assert 0 <= box["y"] < 40
    assert box["height"] > 200
    tops = page.locator(".explore-buttons > *").evaluate_all("all => all.map(each => each.offsetTop)")
    assert len(set(tops)) == 1


def test_every_control_has_a_name(visit: Visit) -> None:
    opened(visit)
    nodes = visit.context.new_cdp_session(visit.page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "slider", "textbox", "image"}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    visit.page.keyboard.press("?")
    assert "another picture" in visit.page.locator("dialog.p2p-shortcuts").inner_text()


# --- the endpoints ---


def fetched(site: str, outcome: tuple[str, object]) -> bytes:
    kind, answer = outcome
    assert kind == "complete", answer
    assert isinstance(answer, list)
    status, _, content = download(site, answer[0]["path"])
    assert status == 200
    return content


def test_endpoints(site: str, shipped: Path) -> None:
    outcome, listed = call(site, "priors")
    assert outcome == "complete"
    assert isinstance(listed, list)
    assert [each["name"] for each in listed[0]] == ["castles", "moons"]
    assert listed[0][0] == {"name": "castles", "title": "Castles", "data": "nothing", "licence": "unknown"}
    settings: dict[str, Any] = {"truncation": 0.8, "shifts": [1, -2.5], "layers": "middle", "mixed": 4, "crossing": 2}
    content = fetched(site, call(site, "explore", prior="castles", seed=12, toward=13, share=0.5, **settings))
    point = Point(12, 0.8, 13, 0.5, 4, 2, (1.0, -2.5), "middle")
    assert_same(content, library(shipped / "castles.safetensors", point))
    assert_same(fetched(site, call(site, "explore", prior="moons")), library(shipped / "moons.safetensors", Point()))
    film = fetched(site, call(site, "walk", prior="moons", seeds=[1, 2, 3], steps=5, loop=False))
    with Image.open(io.BytesIO(film)) as image:
        assert len(list(ImageSequence.Iterator(image))) == 11
    _, _, answer = request(f"{site}/gradio_api/info")
    endpoints = json.loads(answer)["named_endpoints"]
    assert {"/explore", "/walk", "/priors", "/translate"} <= set(endpoints)
    assert [each["parameter_name"] for each in endpoints["/explore"]["parameters"]] == [
        *("prior", "seed", "truncation", "shifts", "layers", "mixed", "crossing", "toward", "share")
    ]


@pytest.mark.parametrize(
    ("endpoint", "values", "line"),
    [
        ("explore", {"prior": "castle"}, "no prior 'castle'; did you mean 'castles'"),
        ("explore", {"prior": 3}, "prior: expected text, got 3"),
        ("explore", {"prior": "castles", "seed": -1}, "seed: got -1, expected a number from 0 to 2**63 - 1"),
        ("explore", {"prior": "castles", "seed": 1.5}, "seed: expected a whole number, got 1.5"),
        ("explore", {"prior": "castles", "truncation": 2}, "truncation: got 2, expected 0 to 1"),
        ("explore", {"prior": "castles", "shifts": 3}, "shifts: expected a list, got 3"),
        ("explore", {"prior": "castles", "shifts": ["far"]}, "shifts: expected a number, got 'far'"),
        ("explore", {"prior": "castles", "shifts": [1] * 9}, "shifts: got 9, expected at most 8"),
        ("explore", {"prior": "castles", "mixed": 3}, "mixed and crossing:"),
        ("explore", {"prior": "moons", "layers": "fine"}, "layers: got 'fine', expected all"),
        ("walk", {"prior": "castles", "seeds": [1]}, "seeds: got 1, expected 2 to 12"),
        ("walk", {"prior": "castles", "seeds": [1, 2], "steps": 0}, "steps: got 0, expected 1 to 60"),
        ("walk", {"prior": "castles", "seeds": list(range(12)), "steps": 60}, "got 720 frames, expected at most 300"),
    ],
)
def test_what_cannot_be_is_told_of_in_one_line(site: str, endpoint: str, values: dict[str, Any], line: str) -> None:
    outcome, said = call(site, endpoint, **values)
    assert outcome == "error"
    assert isinstance(said, str)
    assert said.startswith(line)
    assert "\n" not in said


def test_questions_of_a_page_that_is_none(shipped: Path, tmp_path: Path) -> None:
    from pix2pix.ui.priors.page import picture, strip

    explorer = explorer_of(shipped / "castles.safetensors", tmp_path)
    for answer, asked, line in (
        (picture, {}, "prior: expected text, got None"),
        (picture, {"prior": "castles"}, "point: expected a JSON object"),
        (picture, {"prior": "castles", "point": {"sead": 1}}, "no 'sead' of a point; did you mean 'seed'"),
        (picture, {"prior": "castles", "point": {"toward": "x"}}, "toward: expected a number"),
        (strip, {"prior": "castles", "points": [{}] * 33}, "points: got 33, expected at most 32"),
    ):
        with pytest.raises(ValueError, match=re.escape(line)):
            answer(explorer, asked, "")


# --- without a server ---


def explorer_of(path: Path, folder: Path, rate: int = 0) -> Explorer:
    return Service((), Limits(rate=rate), folder, "cpu", True, prior_offers(str(path))).explorer


def test_pictures_count_for_who_asks(shipped: Path, tmp_path: Path) -> None:
    explorer = explorer_of(shipped / "castles.safetensors", tmp_path, rate=1)
    for _ in range(PICTURES_A_REQUEST):
        explorer.picture("castles", Point(), "10.0.0.1")
    with pytest.raises(Busy, match="10 a minute"):
        explorer.picture("castles", Point(), "10.0.0.1")
    explorer.picture("castles", Point(), "10.0.0.2")


def test_a_strip_is_the_pictures_one_below_the_other(shipped: Path, tmp_path: Path) -> None:
    path = shipped / "castles.safetensors"
    points = [Point(1), Point(2, 0.5), Point(3, shifts=(2.0,))]
    strip = decoded(explorer_of(path, tmp_path).strip("castles", points, ""))
    assert strip.shape == (3 * 64, 64, 3)
    for part, point in zip(np.split(strip, 3), points, strict=True):
        assert np.abs(part.astype(int) - library(path, point).astype(int)).mean() < 4  # JPEG


def test_the_way_of_a_walk() -> None:
    plain, moved = Point(truncation=0.5), Point(shifts=(1.0,))
    assert way([7, 9], 2, False, plain) == [
        Point(7, 0.5, toward=9, share=0.0),
        Point(7, 0.5, toward=9, share=0.5),
        Point(9, 0.5),
    ]
    loop = way([1, 2, 3], 4, True, moved)
    assert len(loop) == 12
    assert loop[-1] == Point(3, toward=1, share=0.75, shifts=(1.0,))


def test_a_prior_that_goes_away_is_told_of_without_its_path(tmp_path: Path) -> None:
    path = save_tiny_prior(tmp_path / "gone.safetensors")
    explorer = explorer_of(path, tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=r"^'gone' cannot be loaded on this server$"):
        explorer.picture("gone", Point(), "")


def test_offers(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = save_tiny_prior(tmp_path / "my-towers" / "model.safetensors")
    (found,) = prior_offers(str(run.parent))
    assert found == PriorOffer("my-towers", "My towers", run, "nothing", "unknown")
    (tmp_path / "folder").mkdir()
    for path in shipped.iterdir():
        (tmp_path / "folder" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "folder" / "broken.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(model_files, "PRIORS", tmp_path / "folder")
    said: list[str] = []
    assert [offer.name for offer in prior_offers(None, said.append)] == ["castles", "moons"]
    assert len(said) == 1
    assert "broken.safetensors" in said[0]


def test_what_serve_offers(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "PRIORS", shipped)
    tasks, priors = everything(None, None, None)
    assert tasks
    assert [offer.name for offer in priors] == ["castles", "moons"]
    assert everything("facades", None, None)[1] == ()
    assert everything(None, None, "moons") == ((), priors[1:])
    monkeypatch.setattr(model_files, "PRIORS", tmp_path)
    assert everything(None, None, None)[1] == ()  # and the gallery has no card for it
    model = save_tiny_model(tmp_path / "model.safetensors")
    for flags, line in (
        (("--prior", "castles", "--task", "facades"), "--prior beside --task or --model"),
        (("--prior", "castles"), "no prior 'castles'"),
        (("--prior", str(model)), "expected a prior"),
        (("--model", str(shipped / "moons.safetensors")), "a prior, which makes pictures from nothing"),
    ):
        with pytest.raises(ValueError, match=re.escape(line)):
            main(["--port", "0", *flags])


def test_no_answer_waits_for_an_acknowledgement() -> None:
    with listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_points_of_json() -> None:
    given = {"seed": 7.0, "toward": None, "shifts": [1, 0.5], "layers": "fine", "truncation": 1}
    assert point_of(given) == Point(7, 1.0, shifts=(1.0, 0.5), layers="fine")
    assert point_of({}) == Point()
