"""Priors on the site without its page: the endpoints, what they refuse, and what is offered."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from prior_site import assert_same, decoded, library, serving_priors, ship
from serve_clients import call, download, request
from tiny_models import save_tiny_model
from tiny_priors import save_tiny_prior

from pix2pix import model_files
from pix2pix.priors.exploring import looks_of
from pix2pix.priors.opened import open_directions, open_prior
from pix2pix.priors.points import Point, w_of
from pix2pix.serve import everything, listening, main
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.priors.explorer import PICTURES_A_REQUEST, Explorer, point_of, way
from pix2pix.ui.priors.offers import PriorOffer, prior_offers
from pix2pix.ui.service import Service


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two priors: 'castles', and 'moons' of one layer."""
    return ship(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def site(shipped: Path) -> Iterator[str]:
    with serving_priors(shipped) as address:
        yield address


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
    assert way([7, 9], np.array([0, 0.5, 0.123456, 1]), plain) == [
        Point(7, 0.5),
        Point(7, 0.5, toward=9, share=0.5),
        Point(7, 0.5, toward=9, share=0.12346),
        Point(9, 0.5),
    ]
    loop = way([1, 2, 3], np.array([2, 2.75, 3]), moved)
    assert [(point.seed, point.toward, point.share) for point in loop] == [(3, None, 0), (3, 1, 0.75), (1, None, 0)]
    assert all(point.shifts == (1.0,) for point in loop)


def test_a_leg_is_a_strip_of_pictures_that_look_equally_far_apart(shipped: Path, tmp_path: Path) -> None:
    path = shipped / "castles.safetensors"
    point = Point(7, 0.8, shifts=(1.0,))
    content, shares = explorer_of(path, tmp_path).leg("castles", (7, 9), point, "")
    assert shares[0] == 0
    assert all(0 < after - before < 1 for before, after in pairwise([*shares, 1]))
    strip = np.split(decoded(content), len(shares))
    for number in (0, 5, 23):
        toward = 9 if number else None
        expected = library(path, replace(point, toward=toward, share=shares[number]))
        assert np.abs(strip[number].astype(int) - expected.astype(int)).mean() < 4  # JPEG
    prior, _ = open_prior(path)
    directions = open_directions(path)
    ws = [w_of(prior, replace(point, toward=9, share=share), directions) for share in [*shares, 1]]
    steps = np.linalg.norm(np.diff(looks_of(prior, torch.cat(ws)), axis=0), axis=1)
    assert len(steps) == 24
    assert steps.max() < 1.1 * steps.mean()


def test_a_prior_that_goes_away_is_told_of_without_its_path(tmp_path: Path) -> None:
    path = save_tiny_prior(tmp_path / "gone.safetensors")
    explorer = explorer_of(path, tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=r"^'gone' cannot be loaded on this server$"):
        explorer.picture("gone", Point(), "")


def test_offers(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = save_tiny_prior(tmp_path / "my-towers" / "model.safetensors")
    (found,) = prior_offers(str(run.parent))
    assert found == PriorOffer("my-towers", "My towers", run, "nothing", "unknown", 7)
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
