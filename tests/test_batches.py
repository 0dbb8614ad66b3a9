"""Many pictures at once: archives in and out, whatever goes wrong on the way, and pages that are left."""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from many_files import differences
from PIL import Image
from small_services import HOLES, commanded, noise, save, service
from tiny_models import LABELS

from pix2pix.images import read_image
from pix2pix.ui import batches
from pix2pix.ui.archives import pack, unpack
from pix2pix.ui.limits import MIB, Limits
from pix2pix.ui.making import Maker
from pix2pix.ui.names import safe_name
from pix2pix.ui.service import Wish
from pix2pix.ui.turns import Turns

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_batch_is_what_translate_makes_of_the_folder(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS)
    sent = tmp_path / "sent"
    for index, name in enumerate(("a.png", "b.jpg", "deeper/a.png", "deeper/é 猫.png")):
        save(sent / name, noise(20 + index, 30, seed=index))
    (sent / "broken.png").write_bytes(b"this is no picture")
    archive = tmp_path / "many.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(sent.rglob("*.*")):
            packed.write(path, path.relative_to(sent))
        packed.writestr("__MACOSX/._a.png", b"junk")
        packed.writestr("notes.txt", b"no picture")
    told: list[tuple[int, int]] = []
    made = site.batch("tiny", [archive], Wish(), "", lambda *counts: told.append(counts), lambda: False)
    assert made.path.name == "many-tiny.zip"
    assert (made.done, len(made.failed)) == (4, 1)
    assert made.failed[0] == "broken.png: not an image of a known format"
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    with zipfile.ZipFile(made.path) as opened:
        opened.extractall(tmp_path / "opened")
        report = opened.read("report.json").decode()
    assert str(tmp_path) not in report
    (sent / "broken.png").unlink()
    assert differences(tmp_path / "opened", commanded(tmp_path, "--recursive", str(sent))) == []


def test_a_batch_that_is_cancelled_gives_what_was_made(tmp_path: Path) -> None:
    site = service(tmp_path, LABELS)
    files = [save(tmp_path / f"{index}.png", noise(16, 16, seed=index)) for index in range(4)]
    told: list[int] = []
    made = site.batch("tiny", files, Wish(), "", lambda done, count: told.append(done), lambda: len(told) > 2)
    assert made.done == 2
    with pytest.raises(ValueError, match="cancelled"):
        site.batch("tiny", files, Wish(), "", lambda done, count: None, lambda: True)


# --- trouble on the way ---


def made_by(monkeypatch: pytest.MonkeyPatch, before: Callable[[Any], None]) -> None:
    """Have `before(job)` called when a picture is about to be made."""
    make = Maker.make

    def changed(self: Maker, job: Any, folder: Path) -> tuple[int, int]:
        before(job)
        return make(self, job, folder)

    monkeypatch.setattr(Maker, "make", changed)


def pictures(folder: Path, count: int) -> list[Path]:
    return [save(folder / f"{index}.png", noise(16, 16, seed=index)) for index in range(count)]


def names_in(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return sorted(opened.namelist())


def test_a_page_that_is_left_does_not_wait_for_the_picture_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pix2pix.ui.pages.batch import Progress, steps

    site, begun, hold, made = service(tmp_path, LABELS), threading.Event(), threading.Event(), []

    def slow(job: Any) -> None:
        made.append(job)
        begun.set()
        assert hold.wait(20)

    made_by(monkeypatch, slow)
    progress = Progress()
    going = steps(site, site.offers[0], pictures(tmp_path / "sent", 3), Wish(), "10.0.0.1", progress)
    next(going)
    assert begun.wait(20)
    start = time.monotonic()
    going.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 10  # the picture in hand would take twenty
    assert progress.stop.is_set()
    hold.set()
    until(lambda: not site._batches.total())
    assert len(made) == 1


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_batch_that_waits_for_its_turn_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, cancel, ended = service(tmp_path, LABELS), threading.Event(), []
    files = pictures(tmp_path / "sent", 2)

    def work() -> None:
        try:
            site.batch("tiny", files, Wish(), "10.0.0.1", lambda *_: None, cancel.is_set)
        except ValueError as error:
            ended.append(str(error))

    monkeypatch.setattr(site, "_turns", Turns(1, 4))
    with site._turns.take(""):
        thread = threading.Thread(target=work)
        thread.start()
        until(lambda: site._turns.waiting == 1)
        cancel.set()
        thread.join(timeout=5)
        assert not thread.is_alive()
    assert ended == ["it was cancelled"]
    assert site._turns.waiting == 0
    with site._turns.take("10.0.0.1"):  # nothing of it is left behind
        pass


def test_what_is_done_before_a_wait_that_is_cancelled_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, cancel = service(tmp_path, LABELS), threading.Event()
    monkeypatch.setattr(site, "_turns", Turns(1, 4))
    taken = site._turns.take("")

    def told(done: int, count: int) -> None:
        if done == 1 and not cancel.is_set():
            taken.__enter__()
            threading.Timer(0.2, cancel.set).start()

    made = site.batch("tiny", pictures(tmp_path / "sent", 3), Wish(), "10.0.0.1", told, cancel.is_set)
    taken.__exit__(None, None, None)
    assert (made.done, made.failed) == (1, ())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("/srv/x"), cv2.error("bad")])
def test_an_error_that_nobody_expects_costs_one_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    site = service(tmp_path, LABELS)

    def fail(job: Any) -> None:
        if job.source.name == "1.png":
            raise error

    made_by(monkeypatch, fail)
    made = site.batch("tiny", pictures(tmp_path / "sent", 3), Wish(), "", lambda *_: None, lambda: False)
    assert (made.done, made.failed) == (2, ("1.png: something went wrong here",))
    assert names_in(made.path) == ["0.png", "2.png", "report.json"]
    assert str(error) in caplog.text  # whoever runs the server learns of it


def test_reasons_name_no_folder_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = service(tmp_path, LABELS)

    def fail(job: Any) -> None:
        if job.source.name == "a.png":
            raise ValueError(f"{job.outputs[0]}: cannot be written")
        if job.source.name == "b.png":
            raise ValueError(f"{job.source}: is odd; {site.folder}/{'s' * 64}/mask.png is, too")

    made_by(monkeypatch, fail)
    files = [save(tmp_path / "sent" / name, noise(8, 8)) for name in ("a.png", "b.png", "c.png")]
    archive = tmp_path / "sent" / "in.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(files[0], "deep/a.png")
    made = site.batch("tiny", [*files, archive], Wish(), "", lambda *_: None, lambda: False)
    assert made.failed == (
        "a.png: cannot be written",
        "b.png: is odd; mask.png is, too",
        "in/deep/a.png: cannot be written",
    )
    with zipfile.ZipFile(made.path) as opened:
        assert str(tmp_path) not in opened.read("report.json").decode()


def test_files_keep_their_names_and_may_go_while_the_batch_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = service(tmp_path, HOLES)
    files = [save(site.folder / (str(n) * 64) / "photo.png", noise(16, 16, seed=n)) for n in range(3)]
    hole = np.zeros((16, 16, 1), np.uint8)
    hole[4:8, 4:8] = 255
    mask = save(site.folder / ("m" * 64) / "mask.png", hole)

    def remove(job: Any) -> None:
        for file in (*files, mask):
            shutil.rmtree(file.parent, ignore_errors=True)

    made_by(monkeypatch, remove)
    pixels = [read_image(file) for file in files]
    made = site.batch("tiny", files, Wish(mask=mask), "", lambda *_: None, lambda: False)
    assert (made.done, made.failed) == (3, ())
    assert names_in(made.path) == ["photo-2.png", "photo-3.png", "photo.png", "report.json"]
    with zipfile.ZipFile(made.path) as opened:
        opened.extractall(tmp_path / "opened")
        assert '"mask": "mask.png"' in opened.read("report.json").decode()
    for name, before in zip(("photo", "photo-2", "photo-3"), pixels, strict=True):
        after = read_image(tmp_path / "opened" / f"{name}.png")
        assert (after[hole[:, :, 0] == 0] == before[hole[:, :, 0] == 0]).all()
    assert list(made.path.parent.iterdir()) == [made.path]  # copies and outputs are spent


def test_the_folder_of_a_batch_counts_as_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, ages = service(tmp_path, LABELS), []

    def told(done: int, count: int) -> None:
        (folder,) = site.folder.iterdir()
        os.utime(folder, (1000, 1000))

    record = batches.record

    def look(*given: Any) -> Any:
        (folder,) = site.folder.iterdir()
        ages.append(time.time() - folder.stat().st_mtime)
        return record(*given)

    monkeypatch.setattr(batches, "record", look)
    site.batch("tiny", pictures(tmp_path / "sent", 2), Wish(), "", told, lambda: False)
    assert len(ages) == 2
    assert max(ages) < 60


def test_a_full_disk_ends_a_batch_with_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, used = service(tmp_path, LABELS), shutil.disk_usage(tmp_path)
    rooms = iter((MIB * 501, MIB * 500, MIB * 499))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: used._replace(free=next(rooms)))
    made = site.batch("tiny", pictures(tmp_path / "sent", 4), Wish(), "", lambda *_: None, lambda: False)
    assert (made.done, made.failed) == (2, ("no room for more, 2 done",))
    rooms = iter((0,))
    with pytest.raises(ValueError, match=r"^no picture was made; no room for more, 0 done"):
        site.batch("tiny", pictures(tmp_path / "sent", 4), Wish(), "", lambda *_: None, lambda: False)


def test_packing_takes_no_room_twice(tmp_path: Path) -> None:
    files = [(path, f"in/{path.name}") for path in pictures(tmp_path / "made", 3)]
    contents = [path.read_bytes() for path, _ in files]
    seen = []

    def each() -> Iterator[tuple[Path, str]]:
        for file in files:
            seen.append(len(list((tmp_path / "made").iterdir())))
            yield file

    pack(tmp_path / "out.zip", each())
    assert seen == [3, 2, 1]
    with zipfile.ZipFile(tmp_path / "out.zip") as opened:
        assert [opened.read(name) for _, name in files] == contents


# --- archives and names ---


def zipped(path: Path, members: dict[str, bytes], **changes: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in changes.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    return path


PNG = io.BytesIO()
Image.new("RGB", (4, 4), "red").save(PNG, "PNG")


@pytest.mark.parametrize(
    ("members", "changes", "line"),
    [
        ({"../a.png": b""}, {}, "names a file outside of itself"),
        ({"/etc/a.png": b""}, {}, "names a file outside of itself"),
        ({"a/../../b.png": b""}, {}, "names a file outside of itself"),
        ({"C:\\a.png": b""}, {}, "names a file outside of itself"),
        ({"a.png": b"/etc/passwd"}, {"external_attr": 0o120777 << 16}, "holds a link"),
        ({"a.txt": b"text"}, {}, "holds no pictures"),
        ({"inner.zip": b"PK"}, {}, "holds no pictures"),
        ({f"{index}.png": b"" for index in range(6)}, {}, "holds 6 pictures, more than the 5"),
        ({"/".join("a" * 20) + ".png": b""}, {}, "more than 16 folders deep"),
        ({"bomb.bmp": bytes(20 * MIB)}, {}, "unpacks to 20 MB, more than the 16"),
    ],
    ids=["up", "root", "up in between", "drive", "link", "text", "nested", "many", "deep", "bomb"],
)
def test_archives_with_tricks(tmp_path: Path, members: dict[str, bytes], changes: dict[str, Any], line: str) -> None:
    archive = zipped(tmp_path / "sent.zip", members, **changes)
    with pytest.raises(ValueError, match=f"^sent.zip: {line}"):
        unpack(archive, tmp_path / "out", Limits(files=5))
    assert not list(tmp_path.rglob("passwd"))


def test_archives_that_lie(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "sent.zip", {"a.png": bytes(1000)})
    content = bytearray(archive.read_bytes())
    for damaged in (
        content[:-30],
        content[:40],
        b"PK\x03\x04" + bytes(100),
        bytes(content).replace(b"\xe8\x03", b"\1\0"),
    ):
        archive.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"^sent\.zip: damaged, or no zip archive"):
            unpack(archive, tmp_path / "out", Limits())
    end = content.rfind(b"PK\x05\x06")
    content[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="holds too many files"):
        unpack(archive, tmp_path / "out", Limits())


def test_archives_of_the_usual_kind(tmp_path: Path) -> None:
    png = PNG.getvalue()
    archive = tmp_path / "sent.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in (
            "a.png",
            "ein Ordner/Straße.PNG",
            "__MACOSX/a.png",
            ".hidden.png",
            "b/.x/c.png",
            "n.txt",
            "in.zip",
        ):
            packed.writestr(name, png)
        packed.mkdir("empty.png")
        packed.writestr("win\\dows.png", png)
        with pytest.warns(UserWarning, match="Duplicate name"):
            packed.writestr("a.png", png)
    files, nested = unpack(archive, tmp_path / "out", Limits())
    names = [path.relative_to(tmp_path / "out").as_posix() for path in files]
    assert names == ["a.png", "ein Ordner/Straße.PNG", "win/dows.png", "a-2.png"]
    assert nested == ["in.zip: an archive within an archive, which is not opened"]
    assert all(path.read_bytes() == png for path in files)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("photo.png", "photo.png"),
        ("Straße 猫.jpeg", "Straße 猫.jpeg"),
        ("../../etc/passwd", "etcpasswd"),
        ("a\nb\x00c\u202e.png", "abc.png"),
        (".hidden", "hidden"),
        ("   ", "file"),
        ("x" * 4000 + ".png", "x" * 120 + ".png"),
        ("猫" * 100 + ".tif", "猫" * 40 + ".tif"),
        ('<img src="x">.png', "img src=x.png"),
        ("name." + "y" * 300, "name." + "y" * 115),
    ],
)
def test_names_are_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe
    assert safe_name(safe) == safe
