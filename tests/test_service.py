"""The service behind pages and endpoints: files are those of `translate`, refusals one line, masks exact."""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from many_files import differences
from PIL import Image
from small_services import CHROMA, DRAWING, HOLES, LARGER, MENDING, commanded, noise, save, service
from tiny_models import LABELS, save_tiny_model

from pix2pix.images import read_image
from pix2pix.ui.housekeeping import remove_old_files
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.masking import grown
from pix2pix.ui.offers import Offer, offers
from pix2pix.ui.previews import spread_map
from pix2pix.ui.service import Service, Wish
from pix2pix.ui.turns import Cancelled, Turns
from pix2pix.ui.uploads import check_files, sent_file
from pix2pix.ui.visitors import KEPT, Visitors

pytestmark = pytest.mark.usefixtures("one_thread")

# --- the same files as the command ---


@pytest.mark.parametrize("name", ["plan.png", "Straße 1.jpg", "x.y.webp", "deep.tif", "shot.bmp", "pic.avif"])
def test_a_download_is_what_translate_writes(tmp_path: Path, name: str) -> None:
    site = service(tmp_path, LABELS)
    image = noise(40, 70, most=65_536) if name == "deep.tif" else noise(40, 70)
    picture = save(tmp_path / "sent" / name, image)
    result = site.translate("tiny", picture, Wish(), "")
    (expected,) = commanded(tmp_path, str(picture)).iterdir()
    assert [output.name for output in result.outputs] == [expected.name]
    assert result.outputs[0].read_bytes() == expected.read_bytes()
    assert (result.width, result.height) == (70, 40)


@pytest.mark.parametrize(
    ("task", "wish", "flags"),
    [
        (CHROMA, Wish(saturation=1.5), ["--saturation", "1.5"]),
        (MENDING, Wish(strength=0.4), ["--strength", "0.4"]),
        (DRAWING, Wish(as_drawn=True), ["--as-drawn"]),
        (LABELS, Wish(samples=3, seed=5), ["--samples", "3", "--seed", "5"]),
        (LABELS, Wish(seed=7), ["--samples", "1", "--seed", "7"]),
        (LARGER, Wish(), []),
    ],
    ids=["saturation", "strength", "as drawn", "samples", "one sample", "scale"],
)
def test_wishes_are_the_flags_of_translate(tmp_path: Path, task: dict[str, Any], wish: Wish, flags: list[str]) -> None:
    site = service(tmp_path, task)
    picture = save(tmp_path / "sent" / "a.png", noise(33, 50))
    result = site.translate("tiny", picture, wish, "")
    expected = commanded(tmp_path, str(picture), *flags)
    assert differences(result.outputs[0].parent, expected) == []
    assert len(result.outputs) == wish.samples


def test_hints_are_those_of_translate(tmp_path: Path) -> None:
    site = service(tmp_path, CHROMA)
    picture = save(tmp_path / "sent" / "a.png", noise(64, 64))
    strokes = np.zeros((64, 64, 4), np.uint8)
    strokes[20:30, 20:40] = (255, 0, 0, 255)
    hints = save(tmp_path / "hints.png", strokes)
    result = site.translate("tiny", picture, Wish(hints=hints), "")
    assert differences(result.outputs[0].parent, commanded(tmp_path, str(picture), "--hints", str(hints))) == []
    assert result.outputs[0].read_bytes() != site.translate("tiny", picture, Wish(), "").outputs[0].read_bytes()


# --- masks ---


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "deep.tif", "grey.png", "clear.png"])
def test_outside_of_the_mask_every_pixel_stays(tmp_path: Path, name: str) -> None:
    site = service(tmp_path, HOLES)
    channels = {"grey.png": 1, "clear.png": 4}.get(name, 3)
    image = noise(60, 90, channels, most=65_536 if name == "deep.tif" else 256)
    picture = save(tmp_path / "sent" / name, image)
    mask = np.zeros((60, 90, 1), np.uint8)
    mask[20:40, 30:50] = 255
    result = site.translate("tiny", picture, Wish(mask=save(tmp_path / "mask.png", mask)), "")
    (output,) = result.outputs
    assert output.name == ("photo.png" if name == "photo.jpg" else name)
    before, after = read_image(picture), read_image(output)
    assert (before.dtype, before.shape) == (after.dtype, after.shape)
    outside = mask[:, :, 0] == 0
    assert (after[outside] == before[outside]).all()
    assert (after[~outside] != before[~outside]).any()
    if channels == 4:
        assert (after[~outside][:, 3] == 255).all()


def test_a_transparent_photo_brings_its_own_holes(tmp_path: Path) -> None:
    site = service(tmp_path, HOLES)
    image = noise(48, 48, 4)
    image[:, :, 3] = 255
    image[10:20, 10:20, 3] = 0
    picture = save(tmp_path / "sent" / "a.png", image)
    result = site.translate("tiny", picture, Wish(), "")
    assert differences(result.outputs[0].parent, commanded(tmp_path, str(picture))) == []


def test_a_mask_is_white_or_opaque(tmp_path: Path) -> None:
    site = service(tmp_path, HOLES)
    picture = save(tmp_path / "a.png", noise(40, 40))
    white, opaque = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 4), np.uint8)
    white[5:15, 5:15], opaque[5:15, 5:15, 3] = 255, 255  # black, but opaque
    made = [
        site.translate("tiny", picture, Wish(mask=save(tmp_path / f"{index}.png", mask)), "").outputs[0].read_bytes()
        for index, mask in enumerate((white, opaque))
    ]
    assert made[0] == made[1]


def test_a_mask_grows_by_a_disc() -> None:
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    rows = ["...#...", ".#####.", ".#####.", "#######", ".#####.", ".#####.", "...#..."]
    expected = np.zeros((9, 9), bool)
    expected[1:8, 1:8] = [[each == "#" for each in row] for row in rows]
    assert (grown(mask, 3) == expected).all()
    assert (grown(mask, 0) == mask).all()


@pytest.mark.parametrize(
    ("mask", "line"),
    [
        (np.zeros((30, 40, 1), np.uint8), "nothing to fill: the mask is empty"),
        (np.full((30, 40, 1), 255, np.uint8), "nothing to go on: all of the photo"),
        (np.full((30, 41, 1), 255, np.uint8), "mask: got 41x30, expected the photo's size, 40x30"),
        (None, "nothing to fill: the photo has no transparent part"),
    ],
)
def test_masks_that_say_nothing(tmp_path: Path, mask: np.ndarray | None, line: str) -> None:
    site = service(tmp_path, HOLES)
    picture = save(tmp_path / "a.png", noise(30, 40))
    where = None if mask is None else save(tmp_path / "mask.png", mask)
    with pytest.raises(ValueError, match=f"^{line}"):
        site.translate("tiny", picture, Wish(mask=where), "")


# --- what is seen on the page ---


def test_previews_are_small_and_of_one_size(tmp_path: Path) -> None:
    site = service(tmp_path, LARGER)
    result = site.translate("tiny", save(tmp_path / "a.png", noise(70, 500)), Wish(), "")
    assert (result.width, result.height) == (2000, 280)
    for preview in (result.before, *result.after):
        with Image.open(preview) as opened:
            assert (opened.size, opened.format, opened.mode) == ((1600, 224), "JPEG", "RGB")
    assert (result.spread, result.spread_levels) == (None, 0.0)


def test_where_samples_differ() -> None:
    samples = [np.zeros((2, 2, 3), np.uint8) for _ in range(4)]
    for sample, level in zip(samples, (10, 20, 30, 40), strict=True):
        sample[0, 0, 1], sample[1, 1, 0] = level, level // 5
    heat, levels = spread_map(samples)
    assert levels == pytest.approx(np.std([10, 20, 30, 40]))
    assert heat[0, 0].tolist() == [255, 255, 255]
    assert heat[0, 1].tolist() == [0, 0, 0]
    assert 0 < heat[1, 1].sum() < heat[0, 0].sum()


def test_samples_have_a_spread(tmp_path: Path) -> None:
    result = service(tmp_path, LABELS).translate("tiny", save(tmp_path / "a.png", noise(64, 64)), Wish(samples=2), "")
    assert result.spread is not None
    assert result.spread_levels > 0
    assert len(result.after) == 2


def test_maps_are_snapped_lines_are_found_examples_are_drawn(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS)
    snapped = read_image(site.snapped("tiny", save(tmp_path / "a.jpg", noise(32, 32)), ""))
    assert {tuple(each) for each in snapped.reshape(-1, 3).tolist()} <= set(site.offers[0].palette.values())
    photo = np.full((600, 400, 3), 255, np.uint8)
    photo[200:400, 100:300] = 0
    lines = read_image(site.edges(save(tmp_path / "b.png", photo), 0.5, ""))
    assert lines.shape == (384, 256, 1)
    assert set(np.unique(lines)) == {0, 255}
    gallery = Service(offers(), Limits(), tmp_path)
    first, again, other = (gallery.example("facades", seed, "") for seed in (1, 1, 2))
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert first.parent != again.parent


@pytest.mark.parametrize("name", ["a.png", "turned.jpg"])
def test_a_photo_is_seen_upright(tmp_path: Path, name: str) -> None:
    site = service(tmp_path, LABELS)
    picture = tmp_path / "sent" / name
    picture.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6 if name == "turned.jpg" else 1  # to be turned by a quarter
    Image.fromarray(noise(600, 2000)).save(picture, exif=exif)
    shown, width, height = site.preview(picture, "")
    assert (width, height) == ((600, 2000) if name == "turned.jpg" else (2000, 600))
    with Image.open(shown) as opened:
        assert opened.size == ((480, 1600) if name == "turned.jpg" else (1600, 480))
    assert shown.parent.parent == site.folder


def test_a_large_map_is_snapped_as_in_one_piece(tmp_path: Path) -> None:
    from pix2pix.data.conditions import snap_to_palette

    site = service(tmp_path, LABELS)
    colours = np.array(list(site.offers[0].palette.values()), np.uint8)
    classes = np.random.default_rng(0).integers(0, len(colours), (60, 90)).repeat(25, 0).repeat(25, 1)
    Image.fromarray(colours[classes]).save(tmp_path / "map.jpg", quality=60)
    snapped = read_image(site.snapped("tiny", tmp_path / "map.jpg", ""))
    assert snapped.shape == (1500, 2250, 3)  # of four strips
    assert (snapped == snap_to_palette(read_image(tmp_path / "map.jpg"), site.offers[0].palette)).all()


# --- refusals ---


@pytest.mark.parametrize(
    ("task", "wish", "line"),
    [
        (LABELS, Wish(saturation=2), "saturation: means nothing to 'tiny', leave it out"),
        (LABELS, Wish(grow=3), "grow: means nothing"),
        (LABELS, Wish(samples=9), "samples: got 9, expected 1 to 8"),
        (LABELS, Wish(seed=-1), "seed: got -1"),
        (CHROMA, Wish(saturation=float("nan")), "saturation: got nan, expected 0"),
        (CHROMA, Wish(saturation=float("inf")), "saturation: got inf"),
        (MENDING, Wish(strength=1.01), "strength: got 1.01, expected 0"),
        (HOLES, Wish(grow=101), "grow: got 101, expected 0 to 100 pixels"),
        (DRAWING, Wish(hints=Path("x.png")), "hints: means nothing"),
    ],
)
def test_a_wish_is_refused_in_one_line(tmp_path: Path, task: dict[str, Any], wish: Wish, line: str) -> None:
    site = service(tmp_path, task)
    with pytest.raises(ValueError, match=f"^{line}"):
        site.translate("tiny", save(tmp_path / "a.png", noise(16, 16)), wish, "")


def test_messages_name_files_and_no_folders(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS, Limits(pixels=1000, files=2))
    bad = tmp_path / "sent folder" / "bad one.png"
    bad.parent.mkdir()
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and nothing more of it")
    large = save(tmp_path / "sent folder" / "large.png", noise(50, 50))
    for attempt, line in (
        (lambda: site.translate("tiny", bad, Wish(), ""), "bad one.png: "),
        (lambda: site.translate("tiny", large, Wish(), ""), "large.png: 50x50 pixels, more than the 0.001 million"),
        (lambda: site.edges(large, 0.5, ""), "large.png: 50x50 pixels"),
        (lambda: site.snapped("tiny", bad, ""), "bad one.png: "),
        (lambda: site.preview(bad, ""), "bad one.png: "),
        (lambda: site.preview(large, ""), "large.png: 50x50 pixels, more than the 0.001 million"),
        (lambda: site.batch("tiny", [bad], Wish(), "", lambda *_: None, lambda: False), "no picture was made; bad one"),
        (lambda: site.batch("tiny", [bad] * 3, Wish(), "", lambda *_: None, lambda: False), "3 pictures, more than"),
        (lambda: site.translate("tniy", large, Wish(), ""), "no task 'tniy'; did you mean 'tiny'"),
    ):
        with pytest.raises(ValueError, match=line) as caught:
            attempt()
        assert str(tmp_path) not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "--pixel-limit" not in str(caught.value)


def test_a_task_without_a_model_says_how_to_get_one(tmp_path: Path) -> None:
    offer = offers(model=str(save_tiny_model(tmp_path / "m.safetensors", **LABELS)))[0]
    site = Service([Offer(offer.name, offer.task, offer.app, None)], Limits(), tmp_path)
    with pytest.raises(ValueError, match="'tiny' has no model yet; train one: pix2pix train --task tiny"):
        site.translate("tiny", save(tmp_path / "a.png", noise(16, 16)), Wish(), "")


def test_a_model_that_cannot_be_loaded_is_not_told_of_by_its_path(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = service(tmp_path, LABELS)
    picture, model = save(tmp_path / "a.png", noise(16, 16)), tmp_path / "run" / "model.safetensors"
    for spoil in (lambda: model.write_bytes(b"nothing"), model.unlink):
        spoil()
        with pytest.raises(ValueError, match=r"^'tiny' cannot be loaded on this server$"):
            site.translate("tiny", picture, Wish(), "")
        assert str(model) in caplog.text
        caplog.clear()


def test_nobody_forgets_who_asks() -> None:
    for name in ("translate", "preview", "edges", "snapped", "example", "batch"):
        assert inspect.signature(getattr(Service, name)).parameters["visitor"].default is inspect.Parameter.empty


def test_a_map_that_takes_minutes_to_snap_is_refused(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS)
    large = tmp_path / "large.png"
    Image.new("1", (4001, 4000)).save(large)
    with pytest.raises(
        ValueError, match=r"^large\.png: 4001x4000 pixels, more than the 16 million that are taken here"
    ):
        site.snapped("tiny", large, "")


def test_a_confined_service_reads_only_what_was_sent(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS, confined=True)
    outside = save(tmp_path / "a.png", noise(16, 16))
    inside = save(site.folder / "sha" / "a.png", noise(16, 16))
    assert site.translate("tiny", inside, Wish(), "").width == 16
    link = site.folder / "sha" / "link.png"
    link.symlink_to(outside)
    for path in (outside, link, site.folder / "sha" / ".." / ".." / "a.png"):
        with pytest.raises(ValueError, match="a file is none that was sent to this server"):
            site.translate("tiny", path, Wish(), "")
        with pytest.raises(ValueError, match="a file is none that was sent"):
            site.preview(path, "")
        with pytest.raises(ValueError, match="a file is none that was sent"):
            site.batch("tiny", [path], Wish(), "", lambda *_: None, lambda: False)


def test_files_in_calls_are_ones_that_were_sent(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    sent = save(folder / "sha" / "a.png", noise(4, 4))
    content = {"data": [[{"path": str(sent), "url": "http://elsewhere/a.png", "meta": {}}], "text", None, 3]}
    assert check_files(content, folder) == {"data": [[{"path": str(sent), "meta": {}}], "text", None, 3]}
    stray = save(folder / "stray.png", noise(4, 4))
    for path in (
        *("http://127.0.0.1:1/a.png", "//host/a", "/etc/passwd", "../../etc/passwd", "", ".", "a\0b", "x" * 5000),
        *(str(stray), str(folder), str(sent.parent), f"{sent}/../../../etc/passwd", 5, ["a"]),
    ):
        with pytest.raises(ValueError, match="a file is"):
            check_files({"data": [{"path": path}]}, folder)
    old = time.time() - 1000
    os.utime(sent.parent, (old, old))
    sent_file(sent, folder)
    assert sent.parent.stat().st_mtime > old + 900  # in use, and so kept


# --- limits ---


def test_visitors_are_counted_each_for_itself() -> None:
    clock = [0.0]
    visitors = Visitors(6, lambda: clock[0])
    for _ in range(6):
        visitors.admit("10.0.0.1")
    with pytest.raises(Busy, match="6 a minute are served; try again in 10 s"):
        visitors.admit("10.0.0.1")
    visitors.admit("10.0.0.2")
    for _ in range(100):
        visitors.admit("127.0.0.1")
    clock[0] = 10.1
    visitors.admit("10.0.0.1")
    with pytest.raises(Busy):
        visitors.admit("10.0.0.1")
    for number in range(KEPT + 100):
        visitors.admit(f"visitor {number}")
    assert len(visitors._buckets) == KEPT


def test_turns_come_in_order_and_no_longer_a_queue_than_said() -> None:
    turns, order, started = Turns(1, 2), [], threading.Semaphore(0)
    hold = threading.Event()

    def take(name: str, wait: Callable[[], object]) -> None:
        with turns.take(""):
            order.append(name)
            started.release()
            wait()

    threads = []
    for name in ("first", "second", "third"):
        threads.append(threading.Thread(target=take, args=(name, hold.wait if name == "first" else lambda: None)))
        threads[-1].start()
        if name == "first":
            assert started.acquire(timeout=10)
        else:
            while turns.waiting < len(threads) - 1:
                time.sleep(0.001)
    with pytest.raises(Busy, match="2 requests are waiting; try again"), turns.take(""):
        pass
    hold.set()
    for thread in threads:
        thread.join(timeout=10)
    assert order == ["first", "second", "third"]
    assert turns.waiting == 0
    with turns.take(""):  # a turn that ended in an error is given back, too
        pass


def looks(site: Service, picture: Path) -> dict[str, Callable[[str], object]]:
    """What is done with pictures without any model."""
    return {
        "preview": lambda visitor: site.preview(picture, visitor),
        "edges": lambda visitor: site.edges(picture, 0.5, visitor),
        "snapped": lambda visitor: site.snapped("tiny", picture, visitor),
    }


@pytest.mark.parametrize("name", ["preview", "edges", "snapped"])
def test_looking_at_a_picture_waits_for_a_turn_and_for_memory(tmp_path: Path, name: str) -> None:
    site = service(tmp_path, LABELS, Limits(rate=2))
    look = looks(site, save(tmp_path / "a.png", noise(64, 64)))[name]
    look("10.0.0.1")  # which imports what it needs
    for held in (site._memory.take(2**60), site._turns.take("")):
        site._turns._at_once = 1
        with held:
            thread = threading.Thread(target=look, args=("10.0.0.2",))
            thread.start()
            thread.join(timeout=0.2)
            assert thread.is_alive()
        thread.join(timeout=20)
        assert not thread.is_alive()
    with pytest.raises(Busy, match="2 a minute are served"):
        look("10.0.0.2")


def test_one_visitor_leaves_room_for_others() -> None:
    turns, hold = Turns(2, 20), threading.Event()
    refused: list[str] = []

    def ask(visitor: str) -> None:
        try:
            with turns.take(visitor):
                hold.wait(20)
        except Busy as busy:
            refused.append(f"{visitor}: {busy}")

    askers = ["10.0.0.1"] * 10 + ["10.0.0.2"] * 3 + ["127.0.0.1"] * 8
    threads = [threading.Thread(target=ask, args=(visitor,)) for visitor in askers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while len(refused) < 6 or turns.waiting < 4 + 3 + 8 - 2:
        assert time.monotonic() < end
        time.sleep(0.005)
    assert refused == ["10.0.0.1: 4 of your requests are not done yet; wait for one of them"] * 6
    with pytest.raises(Cancelled), turns.take("10.0.0.1", is_patient=True, is_cancelled=lambda: True):
        pass  # a batch, which nobody needs to ask for again
    hold.set()
    for thread in threads:
        thread.join(timeout=20)
    with turns.take("10.0.0.1"):
        pass
    assert not turns._of_visitor


def test_old_files_go_and_used_ones_stay(tmp_path: Path) -> None:
    limits, now = Limits(keep_seconds=100), time.time()
    for name, age in (("old", 101), ("new", 99)):
        save(tmp_path / name / "a.png", noise(2, 2))
        os.utime(tmp_path / name, (now - age, now - age))
    (tmp_path / "unfinished").write_bytes(b"half")
    os.utime(tmp_path / "unfinished", (now - 1000, now - 1000))
    (tmp_path / "arriving").write_bytes(b"half")
    assert remove_old_files(tmp_path, limits, now) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arriving", "new"]
