"""LPIPS: parity with the authors' program on all three backbones, its properties, and which network judges."""

from __future__ import annotations

import os
import sys
import types
import urllib.error
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision import models

from pix2pix.metrics.judges import Unavailable, fingerprint
from pix2pix.metrics.perceptual import Lpips, Network, load_lpips

REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))
SQUEEZE = REAL / "weights" / "lpips_squeeze" / "squeeze.backbone.pth"
FUNCTIONS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
NETWORKS: tuple[Network, ...] = ("alex", "vgg", "squeeze")


def silent(line: str) -> None:
    raise AssertionError(f"nothing to say here: {line}")


def pictures(seed: int, height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A smooth scene and a noisy copy."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    phases = generator.uniform(0, 6, 3)
    scene = 127 + 90 * np.sin(rows[..., None] / 7 + phases) * np.cos(columns[..., None] / 5 + phases)
    noisy = np.clip(scene + generator.normal(0, 30, scene.shape), 0, 255)
    return scene.astype(np.uint8), noisy.astype(np.uint8)


def random_features(name: Network) -> nn.Sequential:
    """A backbone whose untrained layers keep the size of what passes through."""
    with torch.device("meta"):  # nothing to initialise in the classifier that is not used
        features: nn.Sequential = getattr(models, FUNCTIONS[name])().features
    features.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(1)
    for parameter in features.parameters():
        spread = 0.1 if parameter.ndim == 1 else (2 / parameter[0].numel()) ** 0.5
        nn.init.normal_(parameter.data, 0, spread, generator)
    return features.eval()


def authors_program(name: Network, features: nn.Sequential, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    import lpips

    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = types.SimpleNamespace(features=features)
        patch.setattr(models, FUNCTIONS[name], lambda pretrained: whole)
        oracle: nn.Module = lpips.LPIPS(net=name, pnet_rand=True, verbose=False)
    return oracle


def expected_distance(oracle: nn.Module, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    a, b = (torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1 for image in (one, other))
    with torch.no_grad():
        return float(oracle(a, b))


def check_parity(judge: Lpips, oracle: nn.Module) -> None:
    generator = np.random.default_rng(5)
    for seed in range(4):
        height, width = (int(side) for side in generator.integers(33, 130, 2))
        one, other = pictures(seed, height, width)
        expected = expected_distance(oracle, one, other)
        assert expected > 0.01
        assert judge(one, other) == pytest.approx(expected, abs=1e-5)
        assert judge.distance(judge.embed(other), judge.embed(one)) == judge(one, other)
        assert judge(one, one) == 0.0


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No network and an empty cache, whose folder is given."""

    def refuse(request: Any, timeout: float) -> Any:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("prefix", ["", "features."])
def test_every_backbone_agrees_with_the_authors_program(
    name: Network, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    features = random_features(name)
    state = {f"{prefix}{key}": value for key, value in features.state_dict().items()}
    torch.save({**state, "classifier.1.weight": torch.zeros(2)}, tmp_path / "backbone.pth")
    judge = load_lpips(name, tmp_path / "backbone.pth", "cpu", silent)
    assert judge.name == name
    backbone, heads = judge.weights.split("+")
    assert backbone == fingerprint(tmp_path / "backbone.pth")
    assert len(heads) == 12
    check_parity(judge, authors_program(name, features, monkeypatch))


@pytest.mark.skipif(not SQUEEZE.is_file(), reason="no real weights; set PIX2PIX_TEST_DATA")
def test_the_real_squeeze_network_agrees_with_the_authors_program(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = load_lpips("squeeze", SQUEEZE, "cpu", silent)
    features = random_features("squeeze")
    features.load_state_dict(torch.load(SQUEEZE, map_location="cpu", weights_only=True))
    check_parity(judge, authors_program("squeeze", features, monkeypatch))

    scene, noisy = pictures(1, 64, 64)
    slightly = (0.8 * scene + 0.2 * noisy).astype(np.uint8)
    assert 0 < judge(slightly, scene) < judge(noisy, scene)


@pytest.fixture(scope="module")
def squeeze(tmp_path_factory: pytest.TempPathFactory) -> Lpips:
    path = tmp_path_factory.mktemp("weights") / "squeeze.pth"
    torch.save(random_features("squeeze").state_dict(), path)
    return load_lpips("squeeze", path, "cpu", silent)


def test_an_embedding_depends_on_its_picture_only(squeeze: Lpips) -> None:
    one, other = pictures(1, 50, 60)
    alone = squeeze.embed(one)
    squeeze.embed(other)
    for again in (squeeze.embed(one), squeeze.embed(np.asfortranarray(one))):
        for layer, expected in zip(again, alone, strict=True):
            assert torch.equal(layer, expected)
    assert [layer.shape[1] for layer in alone] == [64, 128, 256, 384, 384, 512, 512]


@pytest.mark.parametrize(("name", "least"), [("alex", 31), ("vgg", 16), ("squeeze", 17)])
def test_the_least_size_is_the_least_that_works(name: Network, least: int, tmp_path: Path) -> None:
    torch.save(random_features(name).state_dict(), tmp_path / "backbone.pth")
    judge = load_lpips(name, tmp_path / "backbone.pth", "cpu", silent)
    assert judge(*pictures(1, least, least)) > 0
    with pytest.raises(ValueError, match=rf"got a picture of 90x{least - 1}, expected at least {least}x{least}"):
        judge.embed(pictures(1, least - 1, 90)[0])


def test_pictures_of_two_sizes_are_refused(squeeze: Lpips) -> None:
    one, other = pictures(1, 40, 50)[0], pictures(1, 50, 40)[0]
    with pytest.raises(ValueError, match=r"\(40, 50, 3\) and \(50, 40, 3\)"):
        squeeze(one, other)
    with pytest.raises(ValueError, match="two sizes"):
        squeeze.distance(squeeze.embed(one), squeeze.embed(other))


def test_weights_are_made_neither_of_memory_nor_of_chance(tmp_path: Path) -> None:
    torch.save(random_features("alex").half().state_dict(), tmp_path / "half.pth")
    before = torch.get_rng_state()
    judge = load_lpips("alex", tmp_path / "half.pth", "cpu", silent)
    assert torch.equal(torch.get_rng_state(), before)
    assert {layer.dtype for layer in judge.embed(pictures(1, 40, 40)[0])} == {torch.float32}


# --- which network ---


def test_auto_takes_alex_from_torchs_cache(offline: Path) -> None:
    offline.mkdir(parents=True)
    torch.save(random_features("alex").state_dict(), offline / "alexnet-owt-7be5be79.pth")
    torch.save(random_features("squeeze").state_dict(), offline / "squeezenet1_1-b8a52dc0.pth")
    assert load_lpips("auto", None, "cpu", silent).name == "alex"
    (offline / "alexnet-owt-7be5be79.pth").unlink()
    said: list[str] = []
    assert load_lpips("auto", None, "cpu", said.append).name == "squeeze"
    assert len(said) == 1
    assert "squeeze, not with the standard alex (the backbone of LPIPS with alex" in said[0]
    assert "no route to host" in said[0]


def test_what_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"LPIPS with vgg: .*vgg16-397923af\.pth .*no route to host"):
        load_lpips("vgg", None, "cpu", silent)
    with pytest.raises(Unavailable, match=r"alexnet.*no route to host.*pass the file"):
        load_lpips("auto", None, "cpu", silent)
    with pytest.raises(ValueError, match="name it: alex, vgg or squeeze"):
        load_lpips("auto", tmp_path / "backbone.pth", "cpu", silent)
    torch.save(random_features("squeeze").state_dict(), tmp_path / "backbone.pth")
    with pytest.raises(ValueError, match=r"backbone\.pth: not the weights of AlexNet: .* '0\.weight'"):
        load_lpips("alex", tmp_path / "backbone.pth", "cpu", silent)
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(Unavailable, match=r"pip install 'pix2pix\[eval\]'$"):
        load_lpips("squeeze", tmp_path / "backbone.pth", "cpu", silent)
