"""`pix2pix prior train` and `evaluate`: the real commands, going on exactly, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import training_runs
from PIL import Image
from tiny_priors import save_tiny_prior
from training_runs import assert_same_tensors, finish, read_log, read_state, wait_for

from pix2pix import model_files
from pix2pix.checkpoint import load_state, save_state
from pix2pix.priors.configuration import PriorConfiguration, family_names, load_configuration
from pix2pix.priors.diagnosis import RULES
from pix2pix.priors.families import critic_of, load_prior, prior_of
from pix2pix.priors.judging import features_of, judge, pictures_of, samples
from pix2pix.training.diagnosis import diagnose

TINY = {
    "stylegan2": [
        *("--model.width", "64", "--model.channel-most", "8", "--model.z-dim", "8"),
        *("--model.w-dim", "8", "--model.mapping-depth", "2"),
    ],
    "dcgan": ["--model.width", "4", "--model.z-dim", "8"],
}


def start(arguments: Sequence[str | Path], cwd: Path) -> subprocess.Popen[str]:
    return training_runs.start(arguments, cwd, module="pix2pix.prior")


def train(cwd: Path, out: str, *more: str | Path, family: str = "stylegan2") -> tuple[int, str]:
    return finish(start(["train", "--out", out, *small(family), *more], cwd))


def small(family: str) -> list[str]:
    """Flags of a training of seconds; penalties fall into it, and a batch that the images are no multiple of."""
    return [
        *("--prior", family, "--data", "pictures", "--batch", "4", "--train.precision", "fp32"),
        *("--train.judged", "0", "--train.sample-every", "12", *TINY[family]),
        *(("--train.r1-every", "3", "--train.path-every", "2") if family == "stylegan2" else ()),
    ]


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        colour = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(colour).resize((64, 64)).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("family", family_names())
def test_a_run_that_was_stopped_goes_on_bit_for_bit(cwd: Path, family: str) -> None:
    status, said = train(cwd, "whole", "--images", "46", family=family)
    assert status == 0, said
    assert train(cwd, "parts", "--images", "24", family=family)[0] == 0
    status, said = train(cwd, "parts", "--images", "46", family=family)
    assert status == 0, said
    assert "going on at 24 images" in said

    whole, parts = cwd / "whole", cwd / "parts"
    assert read_state(whole)["seen"] == 48
    for part in ("networks", "optimizers"):
        assert assert_same_tensors(read_state(whole)[part], read_state(parts)[part]) > 20
    models = [load_prior(run / "model.safetensors") for run in (whole, parts)]
    assert_same_tensors(models[0].weights, models[1].weights)
    assert models[0].facts.images_seen == 48
    assert [step["images"] for step in models[0].facts.history][-1] == 48
    assert "18 pictures in train" in models[0].facts.data
    assert str(cwd) not in models[0].facts.command
    looks = [[line for line in read_log(run) if "dev_distance" in line] for run in (whole, parts)]
    assert [line["dev_distance"] for line in looks[0]] == [
        line["dev_distance"] for line in looks[1] if line["images"] != 24 or line in looks[1]
    ][: len(looks[0])]


def test_a_run_that_is_asked_to_stop_leaves_a_prior_and_goes_on(cwd: Path) -> None:
    arguments = ["train", "--out", "run", *small("stylegan2"), "--images", "100000"]
    process = start(arguments, cwd)
    wait_for(cwd / "run" / "samples" / "0000012.jpg", process)
    os.kill(process.pid, signal.SIGTERM)
    status, said = finish(process)
    assert status == 128 + signal.SIGTERM, said
    assert "run the same command again to go on" in said
    seen = load_prior(cwd / "run" / "model.safetensors").facts.images_seen
    assert seen == read_state(cwd / "run")["seen"] >= 12
    assert (cwd / "run" / "report.html").stat().st_size > 10_000

    status, said = train(cwd, "run", "--images", str(seen + 4))
    assert status == 0, said
    assert f"going on at {seen:,} images" in said
    status, said = train(cwd, "run", "--images", str(seen + 4))
    assert "finished" in said
    status, said = train(cwd, "run", "--images", str(seen + 4), "--train.r1", "3")
    assert status == 2
    assert "train.r1" in said


def test_init_takes_the_networks_and_weights_of_a_prior(cwd: Path) -> None:
    save_tiny_prior(cwd / "tiny.safetensors")
    flags = [*("--prior", "stylegan2", "--data", "pictures", "--batch", "4", "--train.precision", "fp32")]
    flags += ["--train.judged", "0", "--init", "tiny.safetensors", "--images", "4", "--train.learning-rate", "1e-9"]
    status, said = finish(start(["train", "--out", "run", *flags], cwd))
    assert status == 0, said
    assert "starts from tiny.safetensors (7 images)" in said
    before, after = (load_prior(cwd / name) for name in ("tiny.safetensors", "run/model.safetensors"))
    assert after.configuration.model.z_dim == 8  # its networks, not the family's
    compared = 0
    for name, weight in before.weights.items():
        if name != "mean_w":
            torch.testing.assert_close(after.weights[name], weight, rtol=0, atol=2e-3)  # 16 bit, twice
            compared += 1
    assert compared > 20


def test_evaluate_gives_what_the_library_gives(cwd: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    from pix2pix.metrics.features import load_extractor
    from pix2pix.priors.configuration import Pictures
    from pix2pix.priors.pictures import open_pictures

    assert train(cwd, "run", "--images", "4")[0] == 0
    flags = ["--data", "pictures", "--split", "train", "--samples", "6", "--json", "f.json"]
    process = start(["evaluate", "--prior", "run", *flags, "--features", "efficientnet_lite0"], cwd)
    printed, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    extractor = load_extractor("efficientnet_lite0", None, "cpu", print)
    pictures = open_pictures(Pictures(path=str(cwd / "pictures")), "train", print)
    real = features_of((pictures.picture(index) for index in range(18)), extractor)
    prior = prior_of(load_prior(cwd / "run" / "model.safetensors"))
    expected = judge(real, features_of(samples(prior, 6, 0), extractor), extractor.name)
    record = json.loads((cwd / "f.json").read_text())
    assert record["fid"] == pytest.approx(expected.fid, rel=1e-3)
    assert record["kid"]["value"] == pytest.approx(expected.kid.value, rel=1e-3)
    assert (record["samples"], record["pictures"], record["split"]) == (6, 18, "train")
    assert f"FID             {expected.fid:.1f}" in printed


def test_a_released_prior_has_its_terms_and_no_paths(cwd: Path) -> None:
    assert train(cwd, "run", "--images", "4", "--train.judged", "4")[0] == 0
    release = ["release", "--prior", "run", "--out", "given/tiny.safetensors", "--bits", "8"]
    status, said = finish(start(release, cwd))
    assert status == 2
    assert "--licence" in said
    process = start([*release, "--licence", "CC0", "--data", "twenty pictures", "--title", "Colours"], cwd)
    assert process.communicate(timeout=200)[0].startswith("written to given/tiny.safetensors")
    given, own = (load_prior(cwd / name) for name in ("given/tiny.safetensors", "run/model.safetensors"))
    assert (given.facts.licence, given.facts.data, given.configuration.name) == ("CC0", "twenty pictures", "tiny")
    assert given.configuration.data.path is None
    assert given.bits == 8
    assert_close_weights(given.weights, own.weights)
    process = start(["show", "--prior", "given/tiny.safetensors"], cwd)
    shown, _ = process.communicate(timeout=200)
    for words in ("Colours", "stylegan2, 64x64", "in 8 bits", "twenty pictures; terms: CC0", "4 images", "--data DIR"):
        assert words in shown, shown


def test_a_discriminator_is_released_with_its_prior_and_trained_on(cwd: Path) -> None:
    assert train(cwd, "run", "--images", "4")[0] == 0
    release = ["release", "--licence", "CC0", "--with-discriminator"]
    status, said = finish(start([*release, "--prior", "run", "--out", "both.safetensors"], cwd))
    assert status == 0, said
    both, own = load_prior(cwd / "both.safetensors"), load_prior(cwd / "run" / "model.safetensors")
    assert both.weights.keys() == own.weights.keys()
    known = load_state(cwd / "run" / "state.pt")["networks"]["discriminator"]
    assert both.critic.keys() == known.keys()
    for name, weight in known.items():
        torch.testing.assert_close(both.critic[name], weight, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(critic_of(own), dict(known), rtol=0, atol=0)
    status, said = train(cwd, "on", "--images", "4", "--init", "both.safetensors", "--train.learning-rate", "1e-9")
    assert status == 0, said
    assert "its discriminator is there, too" in said
    after = load_state(cwd / "on" / "state.pt")["networks"]["discriminator"]
    torch.testing.assert_close(dict(after), both.critic, rtol=1e-3, atol=1e-3)
    save_tiny_prior(cwd / "alone.safetensors")
    status, said = finish(start([*release, "--prior", "alone.safetensors", "--out", "no.safetensors"], cwd))
    assert status == 2
    assert "its discriminator is not here; give the run folder" in said


def assert_close_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Within what 8 bits leave of each row: half a 127th of its largest weight, and the rounding of the scales."""
    for name, weight in other.items():
        worst = (one[name] - weight).abs().max()
        assert worst <= 0.008 * weight.abs().max() + 1e-6, name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "--prior is missing; expected one of: dcgan, stylegan2"),
        (["train", "--prior", "stylegan"], "did you mean 'stylegan2'"),
        (["train", "--prior", "stylegan2"], "give --data DIR"),
        (["train", "--prior", "stylegan2", "--data", "nowhere"], "nowhere: no such folder"),
        (["train", "--prior", "stylegan2", "--data", "pictures", "--size", "96"], "expected 64, 128 or 256"),
        (["train", "--prior", "dcgan", "--data", "pictures", "--model.w-dim", "8"], "a dcgan has none"),
        (["train", "--prior", "stylegan2", "--data", "pictures", "--init", "facade"], "did you mean 'facades'"),
        (["evaluate", "--data", "pictures"], "which prior"),
        (["release"], "which prior"),
        (["show", "--prior", "nobody"], "no prior 'nobody'"),
        (["evaluate", "--prior", "nothing-here", "--data", "pictures"], "no prior 'nothing-here'"),
        (["evaluate", "--prior", "faces", "--data", "pictures", "--json", "."], "a folder, expected a file to write"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(cwd: Path, arguments: list[str], message: str) -> None:
    status, said = finish(start(arguments, cwd))
    assert status == 2
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert [path.name for path in cwd.iterdir()] == ["pictures"]


def test_a_run_of_an_earlier_version_is_told_in_a_line_and_kept(cwd: Path) -> None:
    assert train(cwd, "run", "--images", "8")[0] == 0
    state = load_state(cwd / "run" / "state.pt")
    del state["damaged"], state["networks"]["adaptive"]
    save_state(cwd / "run" / "state.pt", state)
    before = {path: path.read_bytes() for path in (cwd / "run").rglob("*") if path.is_file()}
    status, said = train(cwd, "run", "--images", "16")
    assert status == 2
    line = "its state has no 'adaptive'; use --init run with another --out"
    assert line in said.splitlines()[-1]
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert changed <= {"config.yaml"}  # which holds how long it was to be
    assert train(cwd, "on", "--images", "8", "--train.init", "run")[0] == 0


def test_a_run_of_a_task_is_not_gone_on_with_as_a_prior(cwd: Path) -> None:
    model = model_files.shipped_models()["maps"]
    (cwd / "model.safetensors").write_bytes(model.read_bytes())
    status, said = finish(start(["evaluate", "--prior", "model.safetensors", "--data", "pictures"], cwd))
    assert status == 2
    assert "a model that translates, expected a prior" in said


def test_configurations_say_what_they_are() -> None:
    assert family_names() == ["dcgan", "stylegan2"]
    for name in family_names():
        configuration = load_configuration(name)
        assert configuration.model.family == name
        assert isinstance(configuration, PriorConfiguration)
    assert load_configuration("dcgan").train.betas == (0.5, 0.999)


def test_pictures_of_outputs_by_hand() -> None:
    output = torch.tensor([-1.0, 0.0, 1.0, 2.0]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    assert pictures_of(output)[0, :, :, 0].tolist() == [[0, 128], [255, 255]]


def test_samples_are_the_same_for_a_seed_however_many(cwd: Path) -> None:
    prior = prior_of(load_prior(save_tiny_prior(cwd / "tiny.safetensors")))
    many, few = list(samples(prior, 20, 3)), list(samples(prior, 16, 3))
    assert len(many) == 20
    assert not np.array_equal(many[0], next(samples(prior, 1, 4)))
    assert np.array_equal(many[5], list(samples(prior, 20, 3))[5])
    assert few[0].shape == (64, 64, 3)


HEALTHY = {
    "dev_distance": 0.1,
    "real_right": 0.7,
    "fake_right": 0.7,
    "gradient_discriminator": 1.0,
    "probe_spread": 0.9,
    "probe_chroma": 0.9,
}


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"real_right": 0.99, "fake_right": 0.99, "gradient_discriminator": 0.2}, "the discriminator has won"),
        ({"probe_spread": 0.4}, "the samples are all alike"),
        ({"probe_chroma": 0.2}, "the colours have collapsed"),
    ],
)
def test_a_fault_of_a_prior_is_found_alone(fault: dict[str, float], name: str) -> None:
    records = [HEALTHY | {"images": 100.0 * place} for place in range(1, 11)]
    assert diagnose(records, 1000, RULES) == []
    faulty = [*records[:-3], *(record | fault for record in records[-3:])]
    assert [finding.name for finding in diagnose(faulty, 1000, RULES)] == [name]
    assert diagnose([*records[:-1], records[-1] | fault], 1000, RULES) == []  # one figure says nothing
