"""Restoring in a real browser: a mask is painted, a search seen and stopped, and what is found is the command's own."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_visits import PHONE, WIDE, Visit, serving
from PIL import Image
from prior_site import SERVE, library, ship

from pix2pix.priors.points import Point
from pix2pix.restore import main

pytestmark = pytest.mark.usefixtures("one_thread")  # as the server has

FIRST = "import os\nos.environ['OMP_NUM_THREADS'] = '1'"
DONE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two priors: 'castles', and 'moons' of one layer."""
    return ship(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def site(shipped: Path) -> Iterator[str]:
    """The real server with these priors and every task, on one thread, as tiny networks want it."""
    with serving([sys.executable, "-c", FIRST + SERVE, str(shipped)]) as address:
        yield address


@pytest.fixture(scope="module")
def castle(shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of the prior's own, 64 x 64."""
    path = tmp_path_factory.mktemp("photos") / "My castle.png"
    Image.fromarray(library(shipped / "castles.safetensors", Point(5, 0.8))).save(path)
    return path


def opened(visit: Visit, where: str = "", photo: Path | None = None) -> Any:
    """The page, with a photo on it."""
    page = visit.open(f"restore{where}")
    page.locator(".restore-damage button").first.wait_for()
    if photo is not None:
        page.set_input_files("#photo-restore input[type=file]", photo)
        page.locator(".restore-trial").wait_for()
    return page


def paint(page: Any) -> None:
    """A stroke over the middle of the photo."""
    canvas = page.locator("#mask-restore canvas.canvas-surface")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=5)
    page.mouse.up()


def start(page: Any) -> None:
    page.get_by_role("button", name="Restore", exact=True).click()


def previews(page: Any, count: int) -> None:
    """Wait for so many different pictures of a search."""
    page.evaluate("window.seen = new Set()")
    script = """count => {
        const source = document.querySelector('.live-picture').src;
        if (source.startsWith('data:image/jpeg')) window.seen.add(source);
        return window.seen.size >= count;
    }"""
    page.wait_for_function(script, arg=count, timeout=DONE)


def ended(visit: Visit, last: str | None = None) -> str:
    """What is told of the result, once the search is over and a new one is shown."""
    script = """last => document.querySelector('.p2p-live').dataset.state === 'idle'
        && (document.querySelector('.p2p-result').dataset.result ?? null) !== last"""
    visit.page.wait_for_function(script, arg=last, timeout=DONE)
    return str(visit.page.locator(".result-facts").inner_text())


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def complaint(page: Any) -> str:
    line = page.locator(".live-error")
    line.wait_for(state="visible", timeout=DONE)
    return str(line.inner_text())


def test_the_gallery_leads_here(visit: Visit) -> None:
    page = visit.open()
    page.locator("a.p2p-card", has_text="Restore").click()
    page.locator(".restore-damage button").first.wait_for()
    titles = page.locator(".restore-prior button").all_inner_texts()
    assert titles == ["Any photo", "Castles", "Moons"]


def test_a_painted_hole_is_filled_as_the_command_fills_it(
    visit: Visit, castle: Path, shipped: Path, tmp_path: Path
) -> None:
    page = opened(visit, "#prior=moons&solver=w&seconds=120&seed=3", castle)
    paint(page)
    start(page)
    previews(page, 3)
    facts = ended(visit)
    assert facts.startswith("64 \u00d7 64 pixels")
    assert "all steps done; misfit" in facts
    assert "PSNR" not in facts  # nobody knows what was there
    name, content = visit.download()
    assert name == castle.name
    with page.expect_download() as saved:
        page.locator("#mask-restore .canvas-toolbar").get_by_role("button", name="Save").click()
    mask = tmp_path / "mask.png"
    saved.value.save_as(mask)
    holes = np.asarray(Image.open(mask).convert("L")) > 127
    assert 0.01 < holes.mean() < 0.3
    before, after = np.asarray(Image.open(castle)), decoded(content)
    np.testing.assert_array_equal(after[~holes], before[~holes])
    assert (after[holes] != before[holes]).any()
    page.locator(".result-command summary").click()
    command = page.locator(".result-command code").inner_text()
    expected = f"'{castle.name}' --degradation inpaint --mask mask.png --prior moons --solver w --seed 3 --seconds 120"
    assert command == f"pix2pix restore {expected}"
    flags = ["--mask", str(mask), "--prior", str(shipped / "moons.safetensors"), "--solver", "w", "--seed", "3"]
    assert main([str(castle), "--degradation", "inpaint", *flags, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / castle.name).read_bytes() == content


def test_any_photo_is_told_by_its_patches(visit: Visit, castle: Path, tmp_path: Path) -> None:
    page = opened(visit, "#solver=untrained&completions=2", castle)
    page.locator(".restore-prior button", has_text="Any photo").click()
    assert page.locator(".restore-solver").input_value() == ""
    assert page.locator(".restore-of-completions").is_visible()
    shown = page.locator(".restore-solver option")
    assert shown.all_inner_texts() == ["Automatic", "untrained", "patches"]
    page.wait_for_function("document.querySelector('.live-estimate').textContent.includes(': untrained, ')")
    page.locator(".restore-completions button", has_text="1").click()
    page.wait_for_function("document.querySelector('.live-estimate').textContent.includes('untrained where holes')")
    page.locator(".restore-solver").select_option("patches")
    page.wait_for_function("document.querySelector('.live-estimate').textContent.includes('patches, 3 steps')")
    assert page.locator(".restore-of-completions, .restore-of-seed").filter(visible=True).count() == 0
    page.locator(".restore-damage button", has_text="Blur").click()
    assert page.locator(".restore-of-solver").is_hidden()
    page.locator(".restore-damage button", has_text="Noise").click()
    assert page.locator(".restore-solver").input_value() == ""
    page.locator(".restore-solver").select_option("patches")
    start(page)
    assert "3 steps, all steps done" in ended(visit)
    _, content = visit.download()
    flags = ["--degradation", "denoise", "--solver", "patches", "--out", str(tmp_path)]
    assert main([str(castle), *flags]) == 0
    assert (tmp_path / castle.name).read_bytes() == content


def test_stop_keeps_the_picture_of_that_moment(visit: Visit, castle: Path) -> None:
    page = opened(visit, "#degradation=gray", castle)
    page.get_by_role("button", name="No limit").click()
    start(page)
    previews(page, 2)
    page.get_by_role("button", name="Stop, keep this").click()
    facts = ended(visit)
    assert "stopped" in facts
    steps = int(re.search(r"([\d,]+) steps", facts)[1].replace(",", ""))  # type: ignore[index]
    assert 0 < steps < 1500
    picture = decoded(visit.download()[1])
    assert picture.shape == (64, 64, 3)
    assert picture.std() > 5


def test_several_results_of_noise_and_a_limit_of_time(visit: Visit, castle: Path, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.png"
    rng = np.random.default_rng(0)
    values = np.asarray(Image.open(castle)).astype(float) + rng.normal(0, 20, (64, 64, 3))
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(noisy)
    page = opened(visit, "#degradation=denoise&prior=castles&solver=csgm&seconds=0.4", noisy)
    page.get_by_role("group", name="How many results").get_by_role("button", name="2").click()
    start(page)
    facts = ended(visit)
    level = re.search(r"noise level estimated: ([\d.]+)", facts)
    assert level is not None
    assert 10 < float(level[1]) < 24  # colours at the ends of the range have less
    page.locator(".result-samples button").nth(1).wait_for()
    first = visit.download()
    page.locator(".result-samples button").nth(1).click()
    page.wait_for_function("document.querySelector('.result-download').download.endsWith('-2.png')")
    second = visit.download()
    assert (first[0], second[0]) == ("noisy-1.png", "noisy-2.png")
    assert (decoded(first[1]) != decoded(second[1])).any()
    assert page.locator(".result-spread").is_visible()


def test_an_example_is_damaged_and_compared_with_its_original(visit: Visit) -> None:
    page = opened(visit, "#degradation=superres&prior=moons&solver=csgm&seconds=0.4&seed=2")
    page.get_by_role("button", name="Try an example").click()
    page.locator(".restore-link").wait_for()
    page.locator(".live-estimate", has_text="csgm").wait_for()
    start(page)
    facts = ended(visit)
    assert "64 \u00d7 64 pixels" in facts
    assert re.search(r"PSNR against the original \d+\.\d dB", facts), facts
    name, content = visit.download(".restore-link")
    assert re.fullmatch(r"moons-\d+-superres\.png", name)
    assert decoded(content).shape == (16, 16, 3)
    page.get_by_role("button", name="Original").click()
    page.get_by_role("button", name="Damage it").wait_for()
    page.get_by_role("group", name="What is wrong").get_by_role("button", name="Holes").click()
    page.get_by_role("button", name="Make holes in it").click()
    page.locator(".restore-link").wait_for()
    page.locator("#mask-restore .canvas-status", has_text="Loaded").wait_for()
    last = str(page.locator(".p2p-result").get_attribute("data-result"))
    start(page)
    assert re.search(r"PSNR against the original \d+\.\d dB, \d+\.\d before", ended(visit, last))


def test_what_cannot_be_is_told_in_one_line(visit: Visit, castle: Path, tmp_path: Path) -> None:
    page = opened(visit)
    start(page)
    assert complaint(page) == "Choose a photo first, or try an example."
    page.set_input_files("#photo-restore input[type=file]", castle)
    page.locator(".restore-trial").wait_for()
    start(page)
    page.locator(".live-error", has_text="which part is to be made? paint over it").wait_for()
    page.get_by_role("button", name="Too small").click()
    page.get_by_role("button", name="Castles").click()
    page.locator(".live-estimate", has_text="tuned").or_(page.locator(".live-estimate", has_text="w+")).wait_for()
    start(page)
    page.locator(".live-error", has_text="got a square of 64 pixels to enlarge").wait_for()
    assert "--" not in complaint(page)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.set_input_files("#photo-restore input[type=file]", broken)
    page.locator(".live-error", has_text="broken.png").wait_for()
    assert str(tmp_path) not in complaint(page)
    assert page.locator(".p2p-live").get_attribute("data-state") == "idle"


def test_a_second_visitor_waits_until_the_first_leaves(browser: Any, site: str, castle: Path) -> None:
    first, second = (Visit(browser, site, WIDE, "light") for _ in range(2))
    opened(first, "#degradation=gray&seconds=300", castle)
    start(first.page)
    previews(first.page, 2)
    page = opened(second, "#degradation=gray&seconds=300", castle)  # the site answers meanwhile
    waits = page.locator(".live-line", has_text="Another search is under way")
    start(page)
    waits.wait_for()
    page.get_by_role("button", name="Stop, keep this").click()
    page.locator(".p2p-live[data-state=idle]").wait_for()
    assert page.locator(".live-error").is_hidden()
    start(page)
    waits.wait_for()
    first.context.close()
    previews(page, 2)
    page.get_by_role("button", name="Stop, keep this").click()
    assert "stopped" in ended(second)
    second.context.close()
    assert first.wrong == second.wrong == []


def test_the_square_that_a_prior_searches_is_seen_and_chosen(visit: Visit, tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 120, 3), dtype=np.uint8)).save(wide)
    page = opened(visit, "#degradation=denoise&prior=moons&solver=csgm&seconds=0.4", wide)
    frame = page.locator(".restore-frame")
    assert frame.evaluate("frame => [frame.style.left, frame.style.width]") == ["25%", "50%"]
    page.locator(".restore-square summary").click()
    page.get_by_label("Left").fill("90")
    page.get_by_label("Left").press("Tab")
    assert "within the photo of 120 \u00d7 60" in complaint(page)
    page.get_by_label("Left").fill("6")
    page.get_by_label("Left").press("Tab")
    assert frame.evaluate("frame => [frame.style.left, frame.style.width]") == ["5%", "50%"]
    start(page)
    ended(visit)
    after, before = decoded(visit.download()[1]), np.asarray(Image.open(wide))
    np.testing.assert_array_equal(after[:, :6], before[:, :6])
    np.testing.assert_array_equal(after[:, 66:], before[:, 66:])
    assert (after[:, 10:60] != before[:, 10:60]).any()


def test_a_refused_request_leaves_the_page_ready(visit: Visit, castle: Path) -> None:
    page = opened(visit, "#degradation=denoise&prior=moons&seconds=0.4", castle)
    page.locator(".live-estimate", has_text="steps").wait_for()
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, body='{"detail": "busy"}'))
    start(page)
    assert "could not take this" in complaint(page)
    page.unroute("**/queue/join*")
    start(page)
    ended(visit)
    assert page.locator(".live-error").is_hidden()


@pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True)
def test_on_a_phone_all_fits_and_has_a_name(visit: Visit, castle: Path) -> None:
    page = opened(visit, "#prior=castles", castle)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    nodes = visit.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "slider", "checkbox", "textbox", "combobox", "image"}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert nameless == []
