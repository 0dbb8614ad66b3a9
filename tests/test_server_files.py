"""What a server leaves on the disk: nothing, however it ends; and how files are told of."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serve_clients import Site, call, download, file_data, request, started, upload
from tiny_models import LABELS, save_tiny_model

from pix2pix.ui.folders import LOCK, remove_left_behind, temporary_folder
from pix2pix.ui.housekeeping import remove_old_files
from pix2pix.ui.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def picture(side: int = 16) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def sent(site: Site, name: str = "a.png", content: bytes | None = None) -> dict[str, object]:
    status, answer = upload(site.url, name, content or picture())
    assert status == 200
    return file_data(json.loads(answer)[0])


def test_what_a_killed_server_left_goes_with_the_next(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "run" / "model.safetensors", **LABELS)
    where = {"TMPDIR": str(tmp_path)}
    strange = tmp_path / "pix2pix-results"
    strange.mkdir()
    with started("--model", str(model), environment=where) as running:
        kept = Path(str(sent(running)["path"]))
        with started("--model", str(model), environment=where) as killed:
            left = Path(str(sent(killed)["path"]))
            killed.process.kill()
            killed.process.wait(timeout=30)
        assert left.exists()
        with started("--model", str(model), environment=where) as following:
            assert not left.parents[1].exists()
            assert kept.exists()
            assert following.end(signal.SIGTERM) == 143
        assert call(running.url, "tiny", image=file_data(str(kept)))[0] == "complete"
        assert running.end(signal.SIGTERM) == 143
    assert [path.name for path in tmp_path.iterdir() if "pix2pix-" in path.name] == [strange.name]


def test_only_folders_that_nobody_holds_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "pix2pix-other").mkdir()
    (tmp_path / "pix2pix-left").mkdir()
    (tmp_path / "pix2pix-left" / LOCK).touch()
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / LOCK).touch()
    (tmp_path / "pix2pix-link").symlink_to(tmp_path / "away")
    with temporary_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("pix2pix-")
        assert not (tmp_path / "pix2pix-left").exists()
        assert remove_left_behind(tmp_path) == 0
        assert folder.exists()
        os.utime(folder / LOCK, (0, 0))
        remove_old_files(folder, Limits())
        assert (folder / LOCK).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away", "pix2pix-link", "pix2pix-other"]


def test_a_file_that_goes_meanwhile_stops_no_cleaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old").mkdir()
    os.utime(tmp_path / "old", (0, 0))

    class Gone:
        name = path = "gone"

        def stat(self, follow_symlinks: bool) -> os.stat_result:
            raise FileNotFoundError(self.name)

    found: list[Any] = [Gone(), *os.scandir(tmp_path)]
    scan = os.scandir
    monkeypatch.setattr("os.scandir", lambda folder: found if folder == tmp_path else scan(folder))
    assert remove_old_files(tmp_path, Limits()) == 1
    assert not (tmp_path / "old").exists()


def test_the_end_comes_soon_in_the_middle_of_a_batch(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    with started("--task", "denoise", environment={"TMPDIR": str(tmp_path / "temporary")}) as site:
        files = [sent(site, f"{number}.png", picture(1600)) for number in range(6)]

        def ask() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):  # cut off
                call(site.url, "batch", task="denoise", files=files)

        threading.Thread(target=ask, daemon=True).start()
        until = time.monotonic() + 60
        while time.monotonic() < until and not list((tmp_path / "temporary").rglob("made/0.png")):
            time.sleep(0.1)
        start = time.monotonic()
        assert site.end(signal.SIGTERM) == 143
        assert time.monotonic() - start < 6
    assert list((tmp_path / "temporary").iterdir()) == []
    assert len(site.said) == 1, site.said


def test_files_are_told_of_with_address_and_size_and_batches_take_settings(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "run" / "model.safetensors", data={"input": "gray", "target": "lab_chroma"})
    with started("--model", str(model), "--root-path", "/", environment={"TMPDIR": str(tmp_path)}) as site:
        url = site.url.rstrip("/")
        site.url = url
        outcome, made = call(url, "tiny", image=sent(site), saturation=0)
        assert outcome == "complete", made
        assert isinstance(made, list)
        proxied = {"X-Forwarded-Host": "pix.example", "X-Forwarded-Proto": "https"}
        _, single = call(url, "edges", proxied, image=sent(site))
        assert isinstance(single, list)
        _, several = call(url, "tiny", proxied, image=sent(site))
        assert isinstance(several, list)
        for file, root in (
            (made[0][0], url),
            (single[0], "https://pix.example"),
            (several[0][0], "https://pix.example"),
        ):
            assert file["url"].startswith(f"{root}/gradio_api/file=/"), file
            status, _, content = request(file["url"].replace(root, url))
            assert status == 200
            assert file["size"] == len(content)
        _, _, alone = download(url, made[0][0]["path"])
        outcome, archive = call(url, "batch", task="tiny", files=[sent(site)], saturation=0)
        assert outcome == "complete", archive
        assert isinstance(archive, list)
        _, _, content = download(url, archive[0]["path"])
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            assert opened.read("a.png") == alone
        for values, line in (
            ({"as_drawn": True}, "as_drawn: means nothing to 'tiny'"),
            ({"saturation": 9}, "saturation: got 9"),
        ):
            outcome, said = call(url, "batch", task="tiny", files=[sent(site)], **values)
            assert outcome == "error"
            assert str(said).startswith(line)
