"""Each kind of app from end to end: real command, real browser, shipped models; the file is `translate`'s own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_maps import FACADES
from drawn_sketches import SHOES
from page_hand import Hand
from page_visits import Visit
from PIL import Image
from serve_clients import ROOT, Site, started

from pix2pix.images import read_image, write_image
from pix2pix.translate import main as translate
from pix2pix.ui.masking import grown
from pix2pix.ui.offers import example, offers

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
AWKWARD = "Zürich, 1. Mai (scan #2) 100%.png"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Every task."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    with started() as site:
        yield site
        assert [line for line in site.said if "Traceback" in line or "Warning" in line] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(site: Site, browser: Any) -> Iterator[Visit]:
    """A visitor whose requests all stay on this machine, and on whose pages nothing goes wrong."""
    made = Visit(browser, site.url, {"width": 1280, "height": 1100}, "light")
    yield made
    made.context.close()
    assert made.outside == []
    assert made.wrong == []


@pytest.fixture
def photo() -> np.ndarray:
    """(160, 120, 3) uint8."""
    offer = next(offer for offer in offers() if offer.name == "denoise")
    return np.ascontiguousarray(example(offer, 4)[:160, :120])


def translated(task: str, picture: Path, folder: Path, *flags: str) -> bytes:
    """What the command writes for the same picture."""
    assert translate([str(picture), "--task", task, "--out", str(folder), *flags]) == 0
    (output,) = folder.glob(f"{picture.stem}.*")
    return output.read_bytes()


def downloaded(visit: Visit) -> tuple[str, bytes]:
    """The file of the newest result, once the line between before and after was dragged from side to side."""
    visit.settled()
    frame = visit.page.locator(".result-frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.mouse.down()
    shown = []
    for share in (0.2, 0.8):
        visit.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=3)
        at = frame.evaluate("frame => parseFloat(frame.style.getPropertyValue('--at'))")
        assert at == pytest.approx(100 * share, abs=1.5)
        shown.append(frame.screenshot())
    visit.page.mouse.up()
    assert shown[0] != shown[1]
    return visit.download()


def slide(visit: Visit, name: str, value: float) -> None:
    """Move a setting's slider, and let it go."""
    slider = visit.page.get_by_role("slider", name=name).first
    slider.fill(str(value))
    slider.dispatch_event("pointerup")


def test_label_map(visit: Visit, tmp_path: Path) -> None:
    hand = Hand(visit.open("facades"), "labels-facades")
    for step in FACADES["cottage with a gable"][:9]:
        hand.do(step)
    hand.undo()
    name, content = downloaded(visit)
    (tmp_path / name).write_bytes(hand.save())
    assert read_image(tmp_path / name).shape == (256, 256, 3)
    command = [sys.executable, "-m", "pix2pix.translate", str(tmp_path / name), "--task", "facades"]
    subprocess.run([*command, "--out", str(tmp_path / "out")], cwd=ROOT, check=True, capture_output=True)
    assert content == (tmp_path / "out" / name).read_bytes()


def test_sketch_and_lines_as_drawn(visit: Visit, tmp_path: Path) -> None:
    hand = Hand(visit.open("edges2photo"), "sketch-edges2photo")
    hand.size(6)
    for step in SHOES["ballerina"]:
        hand.do(step)
    name, content = downloaded(visit)
    (tmp_path / name).write_bytes(hand.save())
    assert content == translated("edges2photo", tmp_path / name, tmp_path / "out")
    visit.page.get_by_label("Keep my lines exactly as drawn").first.check()
    _, exact = downloaded(visit)
    assert exact == translated("edges2photo", tmp_path / name, tmp_path / "exact", "--as-drawn")
    assert exact != content


def test_deep_grey_scan_coloured_by_saturation_and_hints(visit: Visit, photo: np.ndarray, tmp_path: Path) -> None:
    scan = tmp_path / AWKWARD
    write_image(scan, photo.sum(axis=2, keepdims=True).astype(np.uint16) * 85)
    page = visit.open("colorize")
    page.set_input_files("#photo-colorize input[type=file]", scan)
    name, content = downloaded(visit)
    assert name == AWKWARD
    assert content == translated("colorize", scan, tmp_path / "plain")
    (tmp_path / "deep.png").write_bytes(content)
    assert read_image(tmp_path / "deep.png").dtype == np.uint16
    slide(visit, "Saturation", 1.5)
    assert downloaded(visit)[1] == translated("colorize", scan, tmp_path / "rich", "--saturation", "1.5")
    page.get_by_role("button", name="Say what colour something is").click()
    hand = Hand(page, "hints-colorize")
    page.wait_for_function("document.querySelector('#hints-colorize .canvas-surface').clientWidth > 100")
    page.wait_for_timeout(400)  # until the accordion is open
    hand.colour("Red")
    hand.stroke([(60, 60), (120, 80), (180, 70)])
    _, hinted = downloaded(visit)
    (tmp_path / "hints.png").write_bytes(hand.save())
    flags = ("--saturation", "1.5", "--hints", str(tmp_path / "hints.png"))
    assert hinted == translated("colorize", scan, tmp_path / "hinted", *flags)


def test_photo_four_times_as_large(visit: Visit, photo: np.ndarray, tmp_path: Path) -> None:
    small = tmp_path / "small.jpeg"
    Image.fromarray(photo[:80, :60]).save(small, quality=90)
    visit.open("superres").set_input_files("#photo-superres input[type=file]", small)
    name, content = downloaded(visit)
    assert name == "small.jpeg"
    assert content == translated("superres", small, tmp_path / "out")
    (tmp_path / "large.jpeg").write_bytes(content)
    assert read_image(tmp_path / "large.jpeg").shape == (320, 240, 3)


def filled(photo: Path, mask: np.ndarray, folder: Path) -> np.ndarray:
    """What the command makes of a photo whose holes are transparent, the way it takes a mask."""
    folder.mkdir()
    holes = folder / "holes.png"
    alpha = np.where(mask, 0, 255).astype(np.uint8)[:, :, None]
    write_image(holes, np.concatenate([read_image(photo), alpha], axis=2))
    translated("inpaint", holes, folder / "out")
    return read_image(folder / "out" / holes.name)


def test_mask_over_a_jpeg(visit: Visit, photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    Image.fromarray(photo).save(path, quality=88)
    page = visit.open("inpaint")
    page.set_input_files("#photo-inpaint input[type=file]", path)
    hand = Hand(page, "mask-inpaint")
    page.get_by_text("Paint over what is to be filled.").wait_for()
    hand.size(14)
    hand.stroke([(90, 90), (150, 120), (140, 170)])
    name, content = downloaded(visit)
    assert name == "holiday.png"  # JPEG would change what was not marked
    (tmp_path / "mask.png").write_bytes(hand.save())
    mask = read_image(tmp_path / "mask.png")[:, :, 0] == 255
    assert 0 < mask.mean() < 0.4
    (tmp_path / name).write_bytes(content)
    output, before = read_image(tmp_path / name), read_image(path)
    assert np.array_equal(output[~mask], before[~mask])
    assert np.array_equal(output, filled(path, mask, tmp_path / "plain"))
    slide(visit, "Grow the mask", 9)
    (tmp_path / name).write_bytes(downloaded(visit)[1])
    wide, output = grown(mask, 9), read_image(tmp_path / name)
    assert wide.sum() > mask.sum()
    assert np.array_equal(output[~wide], before[~wide])
    assert np.array_equal(output, filled(path, wide, tmp_path / "grown"))


@pytest.mark.slow
def test_samples_are_those_of_the_seed(visit: Visit, tmp_path: Path) -> None:
    page = visit.open("facades")
    hand = Hand(page, "labels-facades")
    for step in FACADES["arches"]:
        hand.do(step)
    page.get_by_role("button", name="Several results of one picture").first.click()
    slide(visit, "Samples", 3)
    page.get_by_role("spinbutton", name="Seed").first.fill("7")
    visit.settled()
    assert page.locator(".result-samples button").count() == 3
    (tmp_path / "labels.png").write_bytes(hand.save())
    flags = ("--samples", "3", "--seed", "7")
    assert translate([str(tmp_path / "labels.png"), "--task", "facades", "--out", str(tmp_path / "out"), *flags]) == 0
    for number in (1, 2, 3):
        page.locator(".result-samples button").nth(number - 1).click()
        page.wait_for_timeout(300)
        name, content = visit.download()
        assert content == (tmp_path / "out" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.35, 0.0])
def test_strength_of_what_is_mended(visit: Visit, photo: np.ndarray, tmp_path: Path, strength: float) -> None:
    small = tmp_path / "small.png"
    write_image(small, photo[:64, :64])
    task = next(offer.name for offer in offers() if offer.task.takes_strength and offer.task.data.scale > 1)
    visit.open(task).set_input_files(f"#photo-{task} input[type=file]", small)
    visit.settled()
    slide(visit, "Strength", strength)
    expected = translated(task, small, tmp_path / "out", "--strength", str(strength))
    assert downloaded(visit)[1] == expected


@pytest.mark.slow
def test_no_page_asks_another_host(visit: Visit, photo: np.ndarray, tmp_path: Path) -> None:
    """All pages, each with a result, its tab of many files, and the list of endpoints: `visit` notes every request."""
    picture = tmp_path / "photo.png"
    write_image(picture, photo[:64, :64])
    visit.page.on("websocket", lambda socket: visit.outside.append(socket.url))
    for offer in offers():
        page = visit.open(offer.name)
        assert page.locator("link[rel=preconnect], link[rel=dns-prefetch]").count() == 0
        if offer.model is None:
            continue
        if offer.kind in ("labels", "sketch"):
            page.get_by_role("button", name="Example").first.click()
        else:
            page.set_input_files(f"#photo-{offer.name} input[type=file]", picture)
        if offer.kind == "mask":
            page.get_by_text("Paint over what is to be filled.").wait_for()
            Hand(page, f"mask-{offer.name}").stroke([(90, 90), (120, 110)])
        visit.next_result()
    page = visit.open("denoise")
    page.get_by_role("tab", name="Many files").click()
    page.set_input_files("#files-denoise input[type=file]", [picture])
    page.locator("#files-denoise").get_by_text("photo", exact=False).first.wait_for()
    page.get_by_role("button", name="Start").click()
    page.locator("a.batch-download").wait_for()
    page.locator("a.p2p-api").click()
    page.get_by_text("/translate").first.wait_for()
    page.wait_for_timeout(500)


@pytest.mark.slow
def test_the_end_is_quiet_while_a_page_is_open(browser: Any) -> None:
    with started("--task", "facades") as site:
        made = Visit(browser, site.url, {"width": 1280, "height": 900}, "light")
        made.open().get_by_role("button", name="Example").first.click()
        made.next_result()
        assert site.end(signal.SIGTERM) == 143
        made.context.close()
    assert site.said[1:] == []
