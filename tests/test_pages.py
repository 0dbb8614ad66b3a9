"""The site in a real browser: every kind of page, from what is given to the file that is downloaded."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from page_visits import PHONE, RESULT, ROOT, WIDE, Visit, serving

from pix2pix.images import read_image, write_image
from pix2pix.ui.limits import Limits
from pix2pix.ui.offers import example, offers


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the real server, with every task."""
    with serving([sys.executable, str(ROOT / "apps" / "gallery.py"), "--port", "0"]) as address:
        yield address


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of 16 bits, named as people name theirs."""
    colorize = next(offer for offer in offers() if offer.name == "denoise")
    path = tmp_path_factory.mktemp("photos") / "My photo (1).png"
    deep = example(colorize, 1).astype(np.uint16) * 257
    write_image(path, deep[:96, :128] + np.arange(128, dtype=np.uint16)[None, :, None] % 5)
    return path


def translated(task: str, picture: Path, folder: Path, *flags: str) -> bytes:
    """What the command writes for the same picture."""
    from pix2pix.translate import main

    assert main([str(picture), "--task", task, "--out", str(folder), *flags]) == 0
    return (folder / picture.name).read_bytes()


def test_gallery_leads_to_every_task(visit: Visit) -> None:
    page = visit.open()
    tasks = page.locator("a.p2p-card:not([href^=explore], [href=restore])")
    links = tasks.evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert set(links) == {offer.name for offer in offers() if offer.model is not None}
    rest = page.locator(".p2p-rest").inner_text()
    for offer in offers():
        assert (offer.how_to_train in rest) == (offer.model is None)
    assert not page.locator("nav").is_visible()
    page.locator("a.p2p-card").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(RESULT)
    assert page.url == f"{visit.site}/{links[0]}"
    page.locator("a.p2p-back").click()
    page.wait_for_selector("a.p2p-card")


def test_task_without_a_model_says_how_to_train_one(visit: Visit) -> None:
    missing = next(offer for offer in offers() if offer.model is None)
    assert missing.how_to_train in visit.open(missing.name).locator(".p2p-train").inner_text()


def test_labels_example_result_history(visit: Visit) -> None:
    page = visit.open("facades")
    page.get_by_role("button", name="Example").first.click()
    first = visit.next_result()
    assert page.locator(".result-history").is_hidden()
    page.get_by_role("button", name="Example").first.click()
    second = visit.next_result(first)
    assert page.locator(".result-earlier button").count() == 2
    newest = visit.download()
    page.locator(".result-earlier button").last.click()
    assert visit.next_result(second) == first
    assert visit.download() != newest


def test_samples_and_where_they_differ(visit: Visit) -> None:
    page = visit.open("facades")
    page.get_by_role("button", name="Example").first.click()
    visit.settled()
    page.get_by_role("button", name="Several results of one picture").first.click()
    visit.slide("Samples", "ArrowRight", "3")
    page.locator(".result-samples button").nth(2).wait_for()
    samples = visit.settled()
    assert page.locator(".result-samples button").count() == 3
    page.locator(".result-spread img").wait_for()
    before = page.locator(".result-after").get_attribute("src")
    page.locator(".result-samples button").nth(2).click()
    page.wait_for_function("src => document.querySelector('.result-after').src !== src", arg=before)
    page.get_by_role("button", name="Another seed").first.click()
    visit.next_result(samples)


def test_photo_comes_back_as_the_command_makes_it(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit.open("denoise")
    page.set_input_files("#photo-denoise input[type=file]", photo)
    first = visit.next_result()
    assert visit.download() == (photo.name, translated("denoise", photo, tmp_path / "full"))
    assert page.locator(".result-facts").inner_text().startswith("128 \u00d7 96 pixels")
    visit.slide("Strength", "ArrowLeft", "0.5")
    visit.next_result(first)
    assert visit.download()[1] == translated("denoise", photo, tmp_path / "half", "--strength", "0.5")


def test_line_between_before_and_after_moves(visit: Visit, photo: Path) -> None:
    page = visit.open("denoise")
    page.set_input_files("#photo-denoise input[type=file]", photo)
    visit.next_result()
    clip = "getComputedStyle(document.querySelector('.result-before')).clipPath"
    start = page.evaluate(clip)
    page.get_by_role("slider", name="Line between before and after").press("ArrowRight")
    moved = page.evaluate(clip)
    assert moved != start
    frame = page.locator(".result-frame").bounding_box()
    page.mouse.click(frame["x"] + frame["width"] * 0.9, frame["y"] + frame["height"] / 2)
    at = "document.querySelector('.result-frame').style.getPropertyValue('--at')"
    assert float(page.evaluate(at).removesuffix("%")) == pytest.approx(90, abs=1)
    assert page.evaluate(clip) not in (start, moved)


def test_sketch_starts_from_a_photo(visit: Visit, photo: Path) -> None:
    page = visit.open("edges2photo")
    page.get_by_role("button", name="Start from a photo").click()
    page.set_input_files("#photo-edges2photo input[type=file]", photo)
    first = visit.next_result()
    detail = page.get_by_role("slider", name="Detail").first
    detail.focus()
    for _ in range(8):
        detail.press("ArrowRight")
    detail.dispatch_event("pointerup")
    second = visit.next_result(first)
    page.get_by_label("Keep my lines exactly as drawn").first.check()
    visit.next_result(second)


def test_mask_fills_and_nothing_else_changes(visit: Visit, photo: Path) -> None:
    page = visit.open("inpaint")
    page.set_input_files("#photo-inpaint input[type=file]", photo)
    canvas = page.locator("#mask-inpaint canvas").first
    page.wait_for_function("document.querySelector('#mask-inpaint canvas')?.clientWidth > 100")
    page.wait_for_timeout(500)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 20, middle[1], steps=4)
    page.mouse.up()
    visit.next_result()
    name, content = visit.download()
    assert name == photo.name
    (photo.parent / "filled").mkdir(exist_ok=True)
    path = photo.parent / "filled" / name
    path.write_bytes(content)
    output, source = read_image(path), read_image(photo)
    assert output.dtype == source.dtype
    changed = (output != source).any(axis=2)
    assert 0 < changed.mean() < 0.3
    assert not changed[:10].any()


def test_colour_hints_are_asked_for_again_with_a_new_photo(visit: Visit, photo: Path) -> None:
    page = visit.open("colorize")
    page.set_input_files("#photo-colorize input[type=file]", photo)
    first = visit.next_result()
    page.get_by_role("button", name="Say what colour something is").click()
    canvas = page.locator("#hints-colorize canvas").first
    page.wait_for_function("document.querySelector('#hints-colorize canvas')?.clientWidth > 100")
    page.wait_for_timeout(500)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()
    second = visit.next_result(first)
    other = photo.parent / "other.png"
    write_image(other, np.ascontiguousarray(read_image(photo)[:, :64]))
    page.set_input_files("#photo-colorize input[type=file]", other)
    visit.next_result(second)
    assert page.locator(".result-error").is_hidden()


def test_what_is_no_picture_is_told_of_in_one_line(visit: Visit, photo: Path) -> None:
    page = visit.open("denoise")
    page.set_input_files("#photo-denoise input[type=file]", photo)
    visit.next_result()
    broken = photo.parent / "broken.png"
    broken.write_bytes(b"no picture")
    page.set_input_files("#photo-denoise input[type=file]", broken)
    line = page.locator(".result-error")
    line.wait_for(state="visible")
    assert "broken.png" in line.inner_text()
    assert "/" not in line.inner_text()
    # The result of the photo before is not to be taken for one of this; it waits among the earlier ones.
    assert page.locator("a.result-download").is_hidden()
    page.get_by_role("button", name="Result 1").click()
    page.locator("a.result-download").wait_for()
    assert line.is_hidden()
    large = photo.parent / "large.png"
    with large.open("wb") as file:
        file.truncate(Limits().upload_bytes + 1)
    page.set_input_files("#photo-denoise input[type=file]", large)
    page.get_by_text("large.png has").wait_for()


def test_a_refused_request_leaves_the_panel_ready(visit: Visit, photo: Path) -> None:
    page = visit.open("denoise")
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, body='{"detail": "busy"}'))
    with page.expect_response("**/queue/join*"):
        page.set_input_files("#photo-denoise input[type=file]", photo)
    page.locator(".p2p-result[aria-busy=false]").wait_for()
    page.unroute("**/queue/join*")
    page.set_input_files("#photo-denoise input[type=file]", photo)
    visit.next_result()


def test_many_files_make_a_zip(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit.open("denoise")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_role("tab", name="Many files").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Choose some pictures, or a zip of them, first.").wait_for()
    page.set_input_files("#files-denoise input[type=file]", [photo, broken])
    page.get_by_role("button", name="Remove").first.wait_for()
    page.get_by_role("button", name="Start").click()
    page.locator("a.batch-download").wait_for()
    assert "1 picture done" in page.locator(".batch-count").inner_text()
    assert page.locator(".batch-failed li").count() == 1
    name, content = visit.download("a.batch-download")
    path = tmp_path / name
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [photo.name, "report.json"]
        assert archive.read(photo.name) == translated("denoise", photo, tmp_path / "out")


@pytest.mark.parametrize("visit", [(WIDE, "dark"), (WIDE, "light")], indirect=True, ids=["dark", "light"])
def test_light_and_dark_follow_the_system_until_chosen(visit: Visit, request: pytest.FixtureRequest) -> None:
    system = request.node.callspec.id
    is_dark = "document.body.classList.contains('dark')"
    page = visit.open()
    assert page.evaluate(is_dark) == (system == "dark")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(is_dark) == (system == "light")
    visit.open("denoise")
    assert page.evaluate(is_dark) == (system == "light")


@pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True)
@pytest.mark.parametrize("path", ["", "facades", "edges2photo", "colorize", "inpaint", "day2night"])
def test_phone_shows_all_of_the_width(visit: Visit, path: str) -> None:
    page = visit.open(path)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("path", ["", "facades", "edges2photo", "colorize", "inpaint"])
def test_every_control_has_a_name(visit: Visit, path: str) -> None:
    page = visit.open(path)
    page.wait_for_timeout(300)
    nodes = visit.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {*("button", "link", "slider", "spinbutton", "checkbox", "radio", "textbox", "combobox", "tab", "image")}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert nameless == []


def test_shortcuts_are_listed(visit: Visit) -> None:
    page = visit.open("denoise")
    page.keyboard.press("?")
    assert page.locator("dialog.p2p-shortcuts").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("dialog.p2p-shortcuts").is_hidden()


def test_endpoints_are_documented_on_the_site(visit: Visit) -> None:
    page = visit.open("denoise")
    page.locator("a.p2p-api").click()
    page.get_by_text("/translate").first.wait_for()
