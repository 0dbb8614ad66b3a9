"""Checkpoints: what is written comes back, and no kill, full disk or damaged file costs more than the last minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pix2pix.checkpoint import (
    Facts,
    load_model,
    load_state,
    load_weights,
    previous,
    save_model,
    save_state,
    write_atomically,
)
from pix2pix.config import load_task

TASK = load_task("facades", "quick")
FACTS = Facts(
    images_seen=12, data="embedded facades", licence="MIT", history=[{"images": 4.0, "dev_l1": 0.25}], software="s"
)


def network(seed: int = 0, width: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 3, 3))


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    """A released model of `network(0)`."""
    path = tmp_path / "model.safetensors"
    save_model(path, network(0), TASK, FACTS)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def line(error: pytest.ExceptionInfo[ValueError], path: Path) -> str:
    """The message, checked to be one line that begins with the file, without it."""
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


# --- the released model ---


def test_a_model_comes_back_with_its_weights_in_16_bit(model_path: Path) -> None:
    loaded, other = load_model(model_path), network(1)
    load_weights(other, loaded)
    for name, tensor in network(0).state_dict().items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        assert torch.equal(other.state_dict()[name], expected)
        assert torch.equal(loaded.weights[name], expected)
        assert loaded.weights[name].dtype == tensor.dtype


def test_a_model_carries_its_task_and_facts(model_path: Path) -> None:
    loaded = load_model(model_path)
    assert (loaded.path, loaded.task, loaded.facts) == (model_path, TASK, FACTS)


def test_the_weights_take_two_bytes_each(model_path: Path) -> None:
    stored = load_file(model_path)
    assert {tensor.dtype for name, tensor in stored.items() if "num_batches" not in name} == {torch.float16}


def test_counters_do_not_go_through_16_bit(tmp_path: Path) -> None:
    """Batch norm counts its batches: 70,000 is infinite in 16 bit."""
    source, target = network(0), network(1)
    source.load_state_dict({**source.state_dict(), "1.num_batches_tracked": torch.tensor(70_000)})
    save_model(tmp_path / "m.safetensors", source, TASK, FACTS)
    load_weights(target, load_model(tmp_path / "m.safetensors"))
    assert int(target.state_dict()["1.num_batches_tracked"]) == 70_000


def test_saving_leaves_the_network_as_it_is(tmp_path: Path) -> None:
    generator = network(0)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    save_model(tmp_path / "m.safetensors", generator, TASK, FACTS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
    assert next(generator.parameters()).dtype == torch.float32


def test_the_model_can_be_read_by_others(model_path: Path) -> None:
    assert model_path.stat().st_mode & 0o777 == 0o644
    assert names(model_path.parent) == ["model.safetensors"]


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(ValueError, match="no such model file") as error:
            load_model(path)
        assert line(error, path) == "no such model file"


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_model_is_one_line(cut: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cut") / "model.safetensors"
    save_model(path, network(0), TASK, FACTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(ValueError, match="safetensors") as error:
        load_model(path)
    assert line(error, path).startswith("not a readable model.safetensors: ")


def test_a_training_state_given_as_a_model_says_what_to_give(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, {"seen": 1})
    with pytest.raises(ValueError, match="state") as error:
        load_model(path)
    assert line(error, path).startswith("not a readable model.safetensors (a training state: give its run folder): ")


def test_a_safetensors_file_of_another_kind_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bert.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"a": torch.zeros(2)}, path, metadata)
        with pytest.raises(ValueError, match="another kind") as error:
            load_model(path)
        assert line(error, path) == "a safetensors file of another kind, expected one that this product wrote"


def changed(path: Path, **metadata: str | None) -> Path:
    """The model at `path` with other metadata; None removes a key."""
    with safe_open(path, framework="pt") as file:
        merged = {**file.metadata(), **metadata}
    save_file(load_file(path), path, {key: value for key, value in merged.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"version": "2"}, "model format 2, this product reads 1; install a matching release"),
        ({"version": None}, "model format None, this product reads 1; install a matching release"),
        ({"bits": "4"}, "weights in 4 bits, this product reads 8 and 16; install a matching release"),
        ({"task": None}, "damaged metadata: "),
        ({"task": "{"}, "damaged metadata: "),
        ({"facts": None}, "damaged metadata: "),
        ({"facts": "{}"}, "damaged metadata: "),
        ({"facts": '{"images_seen": 1, "data": "", "colour": 3}'}, "damaged metadata: "),
        ({"task": '{"name": "a", "trian": {}}'}, "unknown field 'trian'; did you mean 'train'?"),
        ({"task": "[]"}, "got []; input should be"),
    ],
)
def test_metadata_of_another_time_or_damaged_is_one_line(
    metadata: dict[str, str | None], expected: str, model_path: Path
) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        load_model(changed(model_path, **metadata))
    assert line(error, model_path).startswith(expected)


def test_weights_of_other_networks_are_refused_by_name(model_path: Path) -> None:
    model = load_model(model_path)
    with pytest.raises(ValueError, match="shape") as error:
        load_weights(network(width=5), model)
    assert line(error, model_path) == "'0.weight' has shape (3, 3, 3, 3), this configuration needs (5, 3, 3, 3)"
    for other in (nn.Sequential(*network()[:2]), nn.Sequential(*network(), nn.Conv2d(3, 3, 1))):
        with pytest.raises(ValueError, match="other networks"):
            load_weights(other, model)


def test_refused_weights_leave_the_network_as_it_was(model_path: Path) -> None:
    other = nn.Sequential(*network(1), nn.Conv2d(3, 3, 1))
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(ValueError, match="other networks"):
        load_weights(other, load_model(model_path))
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())


# --- in 8 bits ---


@pytest.fixture
def small_path(tmp_path: Path) -> Path:
    """A released model of `wide_network(0)`, in 8 bits."""
    path = tmp_path / "small.safetensors"
    save_model(path, wide_network(0), TASK, FACTS, bits=8)
    return path


def wide_network(seed: int) -> nn.Sequential:
    """Of 36,864 weights in a large tensor, and a few hundred in small ones."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 64, 1), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 3, 1))


def test_a_model_in_8_bits_gives_nearly_the_same_in_half_the_bytes(tmp_path: Path, small_path: Path) -> None:
    coarse, fine = wide_network(1), wide_network(1)
    save_model(tmp_path / "fine.safetensors", wide_network(0), TASK, FACTS)
    released = load_model(small_path), load_model(tmp_path / "fine.safetensors")
    load_weights(coarse, released[0])
    load_weights(fine, released[1])
    assert (released[0].bits, released[1].bits) == (8, 16)
    assert (released[0].task, released[0].facts) == (TASK, FACTS)
    with torch.no_grad():
        x = torch.rand(1, 3, 16, 16) * 2 - 1
        one, other = coarse.eval()(x), fine.eval()(x)
    assert 0 < float((one - other).square().mean() / other.var()) < 1e-4
    for name, tensor in fine.state_dict().items():
        assert coarse.state_dict()[name].dtype == tensor.dtype
        assert torch.equal(coarse.state_dict()[name], tensor) == (name != "2.weight")
    header = 1500 + len(FACTS.model_dump_json()) + len(TASK.model_dump_json())
    assert small_path.stat().st_size < 64 * 64 * 9 + 2 * 64 + 2 * 1200 + header
    assert (tmp_path / "fine.safetensors").stat().st_size > 2 * 64 * 64 * 9


def test_a_model_in_8_bits_is_written_anew_without_a_change(tmp_path: Path, small_path: Path) -> None:
    """What an evaluation scored is what a release with its figures holds."""
    generator = wide_network(1)
    load_weights(generator, load_model(small_path))
    save_model(tmp_path / "again.safetensors", generator, TASK, FACTS, bits=8)
    written, again = load_file(small_path), load_file(tmp_path / "again.safetensors")
    assert written["2.weight"].dtype == torch.int8
    assert written.keys() == again.keys()
    assert all(torch.equal(tensor, again[name]) for name, tensor in written.items())


def test_a_model_from_before_files_said_their_bits_is_read(model_path: Path) -> None:
    expected = load_model(model_path).weights
    released = load_model(changed(model_path, bits=None))
    assert released.bits == 16
    assert all(torch.equal(released.weights[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda stored: stored.pop("2.weight:scales"), "'2.weight' is in 8 bits, and its scales"),
        (lambda stored: stored.pop("2.weight"), "'2.weight:scales' belongs to no weights in 8 bits"),
        (lambda stored: stored.update({"2.weight:scales": torch.ones(3)}), "'2.weight:scales' is (3,) of float32"),
        (lambda stored: stored["2.weight:scales"].fill_(torch.inf), "'2.weight:scales' is (64,) of bfloat16"),
    ],
)
def test_scales_that_do_not_fit_are_one_line(
    spoil: Callable[[dict[str, Tensor]], object], expected: str, small_path: Path
) -> None:
    with safe_open(small_path, framework="pt") as file:
        metadata = file.metadata()
    stored = load_file(small_path)
    spoil(stored)
    save_file(stored, small_path, metadata)
    with pytest.raises(ValueError, match="damaged") as error:
        load_model(small_path)
    assert line(error, small_path).startswith(f"damaged: {expected}")


def test_weights_that_are_no_numbers_are_not_written_in_8_bits(tmp_path: Path) -> None:
    generator = wide_network(0)
    generator.state_dict()["2.weight"][0, 0, 0, 0] = torch.nan
    path = tmp_path / "m.safetensors"
    with pytest.raises(ValueError, match="diverged") as error:
        save_model(path, generator, TASK, FACTS, bits=8)
    assert line(error, path).startswith("not written: '2.weight' holds weights that are infinite or no numbers")
    assert names(tmp_path) == []


# --- the training state ---


def state(seen: int, size: int = 1000) -> dict[str, Any]:
    """A state whose every number is `seen`."""
    return {
        "networks": {"generator": {"weight": torch.full((size,), float(seen))}},
        "optimizers": {},
        "seen": seen,
        "task": "{}",
    }


def weight(loaded: dict[str, Any]) -> Tensor:
    tensor = loaded["networks"]["generator"]["weight"]
    assert isinstance(tensor, Tensor)
    return tensor


def test_a_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    path, generator = tmp_path / "state.pt", network(0)
    optimizer = torch.optim.Adam(generator.parameters())
    generator(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    save_state(
        path, {"networks": generator.state_dict(), "optimizers": optimizer.state_dict(), "seen": 3, "seconds": 1.5}
    )
    loaded = load_state(path)
    assert (loaded["seen"], loaded["seconds"], loaded["damaged"]) == (3, 1.5, [])
    for name, tensor in generator.state_dict().items():
        assert torch.equal(loaded["networks"][name], tensor)
    for index, moments in optimizer.state_dict()["state"].items():
        for name, tensor in moments.items():
            assert torch.equal(loaded["optimizers"]["state"][index][name], tensor)


def test_the_state_before_the_last_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    for seen in (1, 2, 3):
        save_state(path, state(seen))
    assert names(tmp_path) == ["state.previous.pt", "state.pt"]
    assert load_state(path)["seen"] == 3
    assert load_state(previous(path))["seen"] == 2


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "bit":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif how == "zeros":
        path.write_bytes(bytes(len(content)))
    else:
        path.write_bytes(content[: {"empty": 0, "half": len(content) // 2, "end": len(content) - 1}[how]])


@pytest.mark.parametrize("how", ["empty", "half", "end", "bit", "zeros"])
def test_a_damaged_state_gives_way_to_the_one_before(how: str, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, state(1, size=100_000))
    save_state(path, state(2, size=100_000))
    damage(path, how)
    loaded = load_state(path)
    assert (loaded["seen"], float(weight(loaded).sum())) == (1, 100_000)
    assert len(loaded["damaged"]) == 1
    assert loaded["damaged"][0].startswith(f"{path}: damaged (")

    damage(previous(path), how)
    with pytest.raises(ValueError, match="damaged") as error:
        load_state(path)
    assert line(error, path).endswith("; start a new run with another --out")
    assert str(previous(path)) in str(error.value)


def test_a_state_that_is_gone_gives_way_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, state(1))
    save_state(path, state(2))
    path.unlink()
    assert load_state(path)["seen"] == 1
    previous(path).unlink()
    with pytest.raises(ValueError, match="no such file") as error:
        load_state(path)
    assert line(error, path) == "no such file"


@pytest.mark.parametrize("how", ["empty", "half", "end"])
def test_a_damaged_state_never_takes_the_place_of_a_good_one(how: str, tmp_path: Path) -> None:
    """A run that went on from the state before, and saves, has two good states: its own and where it came from."""
    path = tmp_path / "state.pt"
    save_state(path, state(1))
    save_state(path, state(2))
    damage(path, how)
    save_state(path, state(3))
    assert load_state(path)["seen"] == 3
    assert load_state(previous(path))["seen"] == 1


@pytest.mark.parametrize("content", [{"version": 2, "seen": 1}, {"seen": 1}, [1, 2]])
def test_a_state_of_another_version_is_one_line(content: object, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match="version") as error:
        load_state(path)
    found = content.get("version") if isinstance(content, dict) else None
    assert line(error, path) == f"training state of version {found}, expected 1; resume with its own release"


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save({"version": 1, "seen": Path("x")}, path)
    with pytest.raises(ValueError, match="damaged"):
        load_state(path)


# --- writes that fail ---


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def fill(temporary: Path) -> None:
        temporary.write_text("half of")
        raise OSError(28, "No space left on device")

    with pytest.raises(ValueError, match="No space") as error:
        write_atomically(path, fill)
    assert line(error, path) == "cannot be written: [Errno 28] No space left on device; what was there before is kept"
    assert names(tmp_path) == ["file"]
    assert path.read_text() == "before"


@pytest.mark.parametrize("failing", ["os.fsync", "os.link", "pathlib.Path.replace"])
def test_a_state_survives_whichever_step_fails(failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.pt"
    save_state(path, state(1))
    save_state(path, state(2))

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(failing, fail)
        if failing == "os.link":  # a file system without hard links: the copy does the same
            save_state(path, state(3))
        else:
            with pytest.raises(ValueError, match="No space left on device; what was there before is kept"):
                save_state(path, state(3))
    expected = 3 if failing == "os.link" else 2
    assert load_state(path)["seen"] == expected
    assert load_state(previous(path))["seen"] == expected - 1
    save_state(path, state(4))
    assert names(tmp_path) == ["state.previous.pt", "state.pt"]
    assert load_state(previous(path))["seen"] == expected


def test_an_interrupt_leaves_no_temporary_file(tmp_path: Path) -> None:
    def fill(temporary: Path) -> None:
        temporary.write_text("half of")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", fill)
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "model.safetensors"
    with pytest.raises(ValueError, match="No such file") as error:
        save_model(path, network(), TASK, FACTS)
    assert line(error, path).startswith("cannot be written: ")


LIMITED = """
import resource, sys, torch
from pathlib import Path
from pix2pix.checkpoint import Facts, save_model, save_state
from pix2pix.config import load_task

folder, task, facts = Path(sys.argv[1]), load_task("facades"), Facts(images_seen=1, data="")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for number, write in enumerate([
    lambda: save_state(folder / "state.pt", {"a": torch.zeros(1_000_000)}),
    lambda: save_model(folder / "model.safetensors", torch.nn.Linear(1_000_000, 1), task, facts),
]):
    try:
        write()
    except ValueError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on file sizes")
def test_a_disk_that_is_really_full_is_one_line_and_keeps_both_files(tmp_path: Path) -> None:
    save_state(tmp_path / "state.pt", state(1))
    save_state(tmp_path / "state.pt", state(2))
    save_model(tmp_path / "model.safetensors", network(), TASK, FACTS)
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    lines = ended.stdout.splitlines()
    assert len(lines) == 2
    assert all("cannot be written: " in line and "File too large" in line for line in lines)
    assert names(tmp_path) == ["model.safetensors", "state.previous.pt", "state.pt"]
    assert load_state(tmp_path / "state.pt")["seen"] == 2
    assert load_model(tmp_path / "model.safetensors").facts == FACTS


# --- kills ---

KILLED = """
import os, random, signal, sys, time, torch
from pathlib import Path
from pix2pix.checkpoint import load_state, save_state

torch.set_num_threads(1)
path, rng, seen = Path(sys.argv[1]), random.Random(0), 0
save_state(path, {"seen": 0, "weight": torch.zeros(200_000)})
for _ in range(12):
    writer = os.fork()
    while writer == 0:
        seen += 1
        save_state(path, {"seen": seen, "weight": torch.full((200_000,), float(seen))})
    time.sleep(0.02 + 0.15 * rng.random())
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    state = load_state(path)
    assert path.exists() and state["damaged"] == [], state["damaged"]
    assert state["seen"] >= seen and bool((state["weight"] == state["seen"]).all())
    seen = state["seen"]
print(seen)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_kill_at_any_moment_leaves_a_state_to_go_on_from(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    command = [sys.executable, "-c", KILLED, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 0
    save_state(path, state(1))
    assert names(tmp_path) == ["state.previous.pt", "state.pt"]  # whatever the killed processes left is gone


class Killed(BaseException):
    """Stands for a kill: nothing of the save runs after it, not even its tidying up."""


def test_between_any_two_steps_of_a_save_there_are_two_good_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop before each system call of a save in turn: the last state and one before it stand; the next save tidies."""
    finished, allowed = False, -1
    while not finished:
        allowed += 1
        finished = stopped_after(allowed, tmp_path / f"{allowed}", monkeypatch)
    assert allowed >= 5  # flush, link, two renames and the tidying were all stopped at


def stopped_after(allowed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Check a save that is killed after `allowed` system calls; True when it needed no more than that."""
    folder.mkdir()
    path, calls, finished = folder / "state.pt", 0, True
    save_state(path, state(1))
    save_state(path, state(2))

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **settings: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > allowed:
                raise Killed
            return real(*arguments, **settings)

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((os, "fsync"), (os, "link"), (Path, "replace"), (Path, "chmod"), (Path, "unlink")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        try:
            save_state(path, state(3))
        except Killed:
            finished = False

    last, before = load_state(path), load_state(previous(path))
    assert last["damaged"] == []
    assert last["seen"] in ((3,) if finished else (2, 3))
    assert before["seen"] in (1, 2)
    save_state(path, state(4))
    assert load_state(previous(path))["seen"] == last["seen"]
    assert names(folder) == ["state.previous.pt", "state.pt"]
    return finished


def test_leftovers_of_ended_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for name in (
            f".state.pt.{ended.pid}.part",
            f".state.pt.{alive.pid}.part",
            ".other.pt.1.part",
            ".state.pt.x.part",
        ):
            (tmp_path / name).touch()
        save_state(tmp_path / "state.pt", state(1))
    finally:
        alive.communicate(b"\n")
    assert names(tmp_path) == [".other.pt.1.part", f".state.pt.{alive.pid}.part", ".state.pt.x.part", "state.pt"]


def test_metadata_is_plain_json(model_path: Path) -> None:
    """Other programs can read what a model says of itself from the header alone."""
    content = model_path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header["__metadata__"]
    assert (metadata["format"], metadata["version"]) == ("pix2pix-model", "1")
    assert json.loads(metadata["task"])["name"] == "facades"
    assert json.loads(metadata["facts"])["licence"] == "MIT"
