"""The loop: what it chooses, what it writes and when, and that it ends cleanly whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from training_runs import DRAWN, finish, read_log, read_state, start, wait_for

from pix2pix import train as train_command
from pix2pix.checkpoint import Facts, load_model, load_state
from pix2pix.config import Task, Train, load_task
from pix2pix.data.stream import Batch
from pix2pix.signals import StopRequest
from pix2pix.training import choices as choices_module
from pix2pix.training.choices import Choices, choose, choose_device, has_compiler
from pix2pix.training.course import Course
from pix2pix.training.engine import Diverged, Loop, Outcome, fit, prepare, round_up, seed_step
from pix2pix.training.objectives import Backward, Progress
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder

CHOICES = Choices("cpu", "fp32", False, 1, 1, "any", "any")


class Line:
    """A stub objective: one weight that goes up by 1 a step, and a loss and a distance that the test decides."""

    def __init__(
        self, loss_at: Callable[[int], float] = lambda seen: 1.0, distance_at: Callable[[int], float] = lambda seen: 0.5
    ) -> None:
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        self.networks: dict[str, nn.Module] = {"generator": self.network}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.SGD(self.network.parameters(), 1.0)
        }
        self.loss_at, self.distance_at = loss_at, distance_at
        self.steps, self.draws = list[Progress](), list[float]()

    def step(self, batch: Batch, progress: Progress, backward: Backward) -> dict[str, Tensor]:
        self.steps.append(progress)
        self.draws.append(float(torch.rand(())))
        self.optimizers["generator"].zero_grad()
        loss = -self.networks["generator"](torch.ones(1, 1)).sum()
        backward(loss, inputs=list(self.network.parameters()), retain_graph=False)
        self.optimizers["generator"].step()
        return {"loss": torch.tensor(self.loss_at(progress.seen))}

    def preview(self, source: Tensor) -> Tensor:
        return source

    def score(self, examples: Examples, train_output: Tensor, dev_output: Tensor) -> dict[str, float]:
        assert torch.equal(dev_output, examples.dev.source)
        seen = 2 * int(self.network.weight.nan_to_num().item())
        return {"train_l1": 0.25, "dev_l1": 0.25, "dev_distance": self.distance_at(seen)}

    def released(self) -> nn.Module:
        return self.network


def make_loop(folder: Path, objective: Line, **settings: object) -> Loop:
    task = Task(name="line", train=Train.model_validate({"batch": 2, "sample_every": 2, **settings}))
    run = RunFolder(folder)
    run.create(task)
    total = round_up(task.train.images, 2)
    course = Course(run, "task", total, task.train.patience, {"task": "line"}, lambda line: None)
    return Loop(objective, prepare(objective, CHOICES), CHOICES, run, task, Facts(images_seen=0, data="none"), course)


def run_loop(loop: Loop, said: list[str] | None = None) -> Outcome:
    empty = torch.zeros(2, 3, 4, 4)

    def batches(start: int, stop: int) -> Iterator[Batch]:
        for first in range(start, stop, 2):
            yield Batch(empty, empty, (first, first + 1))

    say = (said if said is not None else []).append
    examples = Examples(*(Batch(torch.zeros(count, 3, 4, 4), torch.zeros(count, 3, 4, 4), ()) for count in (2, 6)))
    return fit(loop, batches, examples, lambda dev, output: np.zeros((8, 8, 3), np.uint8), say)


def test_a_run_folder_holds_what_the_documentation_says(tmp_path: Path) -> None:
    loop = make_loop(tmp_path / "run", Line(), images=10, sample_every=4, save_every=4)
    outcome = run_loop(loop)
    loop.run.close()
    assert (outcome.images, outcome.finished, outcome.signal) == (10, True, None)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        *("config.yaml", "log.jsonl", "samples", "tensorboard"),
        *("state.pt", "state.previous.pt", "model.safetensors", "best.safetensors"),
        *("summary.json", "report.html"),
    }
    samples = sorted(path.name for path in (tmp_path / "run" / "samples").iterdir())
    assert samples == ["0000000.jpg", "0000004.jpg", "0000008.jpg", "0000010.jpg"]
    assert RunFolder(tmp_path / "run").stored(Task) == loop.configuration
    assert next((tmp_path / "run" / "tensorboard").iterdir()).stat().st_size > 500
    facts = load_model(loop.run.model).facts
    assert facts.images_seen == 10
    assert facts.history == [{"images": float(seen), "dev_l1": 0.25, "dev_distance": 0.5} for seen in (4, 8, 10)]


def test_progress_counts_images_and_the_last_batch_is_whole(tmp_path: Path) -> None:
    objective = Line()
    outcome = run_loop(make_loop(tmp_path / "run", objective, images=5))
    assert [progress.seen for progress in objective.steps] == [0, 2, 4]
    assert {progress.total for progress in objective.steps} == {6}
    assert outcome.images == 6
    assert objective.network.weight.item() == 3.0
    assert [line["images"] for line in read_log(tmp_path / "run")] == [2, 4, 6]


def test_draws_of_a_step_depend_on_seed_rank_and_place_alone() -> None:
    def draw(seed: int, rank: int, seen: int) -> float:
        seed_step(seed, rank, seen)
        return float(torch.rand(()))

    assert draw(1, 0, 100) == draw(1, 0, 100)
    assert len({draw(seed, rank, seen) for seed in range(3) for rank in range(3) for seen in range(3)}) == 27


def test_going_on_draws_what_an_uninterrupted_run_draws_and_writes_no_line_twice(tmp_path: Path) -> None:
    whole = Line()
    run_loop(make_loop(tmp_path / "whole", whole, images=12, sample_every=4, save_every=4))

    first = Line(
        lambda seen: 1.0 if seen < 6 else float("nan")
    )  # the state of 4 images is there, lines to 6 are logged
    with pytest.raises(Diverged):
        run_loop(make_loop(tmp_path / "run", first, images=12, sample_every=2, save_every=4))
    assert read_log(tmp_path / "run")[-1]["images"] == 6
    second = Line()
    loop = make_loop(tmp_path / "run", second, images=12, sample_every=2, save_every=4)
    assert loop.restore() == []
    assert loop.seen == 4
    assert run_loop(loop).finished
    assert second.draws == whole.draws[2:]
    images = [line["images"] for line in read_log(tmp_path / "run")]
    assert images == [2, 4, 6, 8, 10, 12]
    assert second.network.weight.item() == whole.network.weight.item() == 6.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_stops_the_run_and_the_saved_state_stays(tmp_path: Path, bad: float) -> None:
    loop = make_loop(tmp_path / "run", Line(lambda seen: bad if seen >= 6 else 1.0), images=20, save_every=4)
    with pytest.raises(
        Diverged, match=r"stopped at 8 images: the loss 'loss' is not a number; .* is good; try a lower"
    ):
        run_loop(loop)
    state = load_state(loop.run.state)
    assert state["seen"] == 4
    assert state["networks"]["generator"]["weight"].item() == 2.0
    assert load_model(loop.run.model).weights["weight"].item() == 2.0
    assert read_log(tmp_path / "run")[-1]["images"] == 6


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    objective = Line()
    loop = make_loop(tmp_path / "run", objective, images=4, sample_every=100)
    with torch.no_grad():
        objective.network.weight.fill_(float("nan"))
    with pytest.raises(Diverged, match="a weight of the generator is not a number; nothing was saved yet"):
        run_loop(loop)
    assert not loop.run.state.exists()
    assert not loop.run.model.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_request_ends_the_loop_after_the_step_with_everything_saved(tmp_path: Path, number: int) -> None:
    def loss_at(seen: int) -> float:
        if seen == 4:
            os.kill(os.getpid(), number)
        return 1.0

    said: list[str] = []
    loop = make_loop(tmp_path / "run", Line(loss_at), images=20)
    outcome = run_loop(loop, said)
    assert (outcome.images, outcome.finished, outcome.signal) == (6, False, number)
    assert load_state(loop.run.state)["seen"] == 6
    assert said == ["stopped at 6 of 20 images; run the same command again to go on"]


def test_a_second_interrupt_does_not_wait() -> None:
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell passes on "ignored"
    try:
        interrupt_twice()
    finally:
        signal.signal(signal.SIGINT, inherited)


def interrupt_twice() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_rewinding_forgets_later_lines_and_one_that_a_kill_cut_off(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(load_task("facades"))
    run.rewind(2)  # nothing logged yet
    line = '{"images": 2, "dev_l1": 0.5, "dev_distance": 0.25}\n'
    run.log.write_text(line + '{"images": 4}\n{"ima')
    assert run.history() == [{"images": 2.0, "dev_l1": 0.5, "dev_distance": 0.25}]
    run.rewind(2)
    assert run.log.read_text() == line


def test_choices_follow_the_configuration_and_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    speedup = {"cpu": 2.0}
    monkeypatch.setattr(choices_module, "bf16_speedup", speedup.__getitem__)
    monkeypatch.setattr(choices_module, "has_compiler", lambda device: False)
    assert choose(Train(device="cpu")).precision == "bf16"
    assert choose(Train(device="cpu", precision="fp32")).precision == "fp32"
    speedup["cpu"] = 1.1
    assert choose(Train(device="cpu")).precision == "fp32"
    chosen = choose(Train(device="cpu", precision="bf16", compile=True))
    assert (chosen.precision, chosen.compile) == ("bf16", False)
    assert chosen.threads == torch.get_num_threads()
    assert "eager" in chosen.sentence()
    monkeypatch.setattr(choices_module, "has_compiler", lambda device: True)
    assert choose(Train(device="cpu", compile=True)).compile
    assert not choose(Train(device="cpu")).compile


def test_no_compiler_on_the_path_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert not has_compiler("cpu")
    (tmp_path / "g++").touch(0o755)
    assert has_compiler("cpu")


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(ValueError, match=r"--train\.device cuda: not available .* expected one of: cpu"):
        choose_device("cuda")


def test_bf16_trains(tmp_path: Path) -> None:
    precision = ["--train.precision", "bf16"]
    assert train_command.main([*DRAWN, *precision, "--images", "4", "--out", str(tmp_path / "run")]) == 0
    state = read_state(tmp_path / "run")
    assert state["choices"]["precision"] == "bf16"
    assert {tensor.dtype for tensor in state["networks"]["generator"].values()} == {torch.float32}
    assert all(np.isfinite(line["l1"]) for line in read_log(tmp_path / "run"))


def test_a_finished_run_says_so_and_goes_on_when_images_are_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*DRAWN, "--out", str(tmp_path / "run"), "--images"]
    assert train_command.main([*command, "4"]) == 0
    said = capsys.readouterr().err
    assert f"the model is {tmp_path}/run/model.safetensors" in said
    before = (tmp_path / "run" / "state.pt").read_bytes()

    assert train_command.main([*command, "4"]) == 0
    assert f"{tmp_path}/run: finished at 4 images; raise --images to go on" in capsys.readouterr().err
    assert (tmp_path / "run" / "state.pt").read_bytes() == before

    assert train_command.main([*command, "7"]) == 0
    said = capsys.readouterr().err
    assert "length changed from 4 to 7 images" in said
    assert "going on at 4 images" in said
    assert read_state(tmp_path / "run")["seen"] == 8
    assert [line["images"] for line in read_log(tmp_path / "run")] == [2, 4, 6, 8]


def test_a_run_killed_between_its_last_state_and_its_model_writes_the_model(tmp_path: Path) -> None:
    command = [*DRAWN, "--images", "4", "--out", str(tmp_path / "run")]
    assert train_command.main(command) == 0
    model = tmp_path / "run" / "model.safetensors"
    weights = load_model(model).weights
    model.unlink()
    assert train_command.main(command) == 0
    assert load_model(model).facts.images_seen == 4
    assert all(torch.equal(load_model(model).weights[name], weights[name]) for name in weights)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_real_command_saves_and_the_same_command_goes_on(
    tmp_path: Path, number: int, status: int
) -> None:
    arguments = [*DRAWN, "--images", "100000", "--train.sample-every", "100000", "--save-every", "40", "--out", "run"]
    process = start(arguments, tmp_path)
    wait_for(tmp_path / "run" / "state.pt", process)
    process.send_signal(number)
    returned, error = finish(process)
    assert returned == status, error
    last = error.splitlines()[-1]
    seen = read_state(tmp_path / "run")["seen"]
    assert last == f"stopped at {seen:,} of 100,000 images; run the same command again to go on"
    assert load_model(tmp_path / "run" / "model.safetensors").facts.images_seen == seen

    arguments[arguments.index("--images") + 1] = str(seen + 4)
    assert train_command.main([*arguments[:-1], str(tmp_path / "run")]) == 0
    images = [line["images"] for line in read_log(tmp_path / "run")]
    assert images == sorted(set(images))
    assert images[-1] == seen + 4


def test_a_full_disk_ends_in_one_line_and_the_state_before_it_is_good(tmp_path: Path) -> None:
    command = [*DRAWN, "--train.sample-every", "100", "--out", str(tmp_path / "run"), "--images"]
    assert train_command.main([*command, "4"]) == 0
    run = tmp_path / "run"
    before = (run / "state.pt").read_bytes()
    room = len(before) // 2
    process = start([*command, "8"], tmp_path, largest_file=room)
    status, error = finish(process)
    assert status == 2
    assert f"{run}/state.pt: cannot be written: " in error.splitlines()[-1]
    assert error.splitlines()[-1].endswith("what was there before is kept")
    assert (run / "state.pt").read_bytes() == before
    assert load_model(run / "model.safetensors").facts.images_seen == 4
    assert not list(run.glob(".*.part"))
    assert train_command.main([*command, "8"]) == 0


def test_a_learning_rate_beyond_reason_stops_the_real_command_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*DRAWN, "--images", "40", "--save-every", "20", "--out", str(tmp_path / "run")]
    with pytest.raises(Diverged, match=r"is not a number; nothing was saved yet; try a lower --train\.learning-rate"):
        train_command.main([*command, "--train.learning-rate", "1e38"])
    assert not (tmp_path / "run" / "state.pt").exists()
    assert train_command.main(command) == 0  # a run without a state may start anew under another configuration
    assert [line["images"] for line in read_log(tmp_path / "run")] == list(range(2, 42, 2))
