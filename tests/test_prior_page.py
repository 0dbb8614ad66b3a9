"""The page of priors in a real browser: every control, links, walks, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from page_visits import PHONE, Visit
from PIL import Image, ImageSequence
from prior_site import assert_same, decoded, library, serving_priors, ship

from pix2pix.priors.points import Point

TYPICAL = 0.7  # the truncation that the page begins with
QUIET = ".p2p-explore[aria-busy=false]"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two priors: 'castles', and 'moons' of one layer."""
    return ship(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def site(shipped: Path) -> Iterator[str]:
    with serving_priors(shipped) as address:
        yield address


def settled(visit: Visit, last: str | None = None) -> str:
    """Which answer is shown, another one than `last`, once the server has nothing to do for it."""
    script = """last => {
        const board = document.querySelector('.p2p-explore[aria-busy=false]');
        return board && board.dataset.settled === board.dataset.result && board.dataset.result !== last
            && board.dataset.result;
    }"""
    return str(visit.page.wait_for_function(script, arg=last).json_value())


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
    seed, share = int(told["seed"][0]), float(told.get("share", ["0"])[0])
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


@pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True)
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
