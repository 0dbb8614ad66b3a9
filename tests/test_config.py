"""Configuration: what lies over what, every shipped file, and a user's mistakes as one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pix2pix.command_line import parse
from pix2pix.config import Data, Preset, Task, configs_folder, load_task, task_names, validate
from pix2pix.schema import differences, dump, merge, nearest, read_yaml

PRESETS: tuple[Preset, ...] = get_args(Preset)


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def mistake(tmp_path: Path, content: Any, preset: Preset = "paper") -> str:
    """The error of a task file, checked to be one line that names the file, without the file's path."""
    path = write(tmp_path / "mine.yaml", content)
    with pytest.raises(ValueError, match=r"mine\.yaml") as caught:
        load_task(str(path), preset)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), "FILE")


# --- precedence ---


def test_each_layer_lies_over_the_ones_before_it(tmp_path: Path) -> None:
    """One more field set in each layer: every field ends with the value of the last layer that sets it."""
    own = {"train": {"images": 14, "batch": 24, "seed": 34}}
    layers: dict[str, Any] = {"title": "mine", "train": {"images": 11, "batch": 21, "seed": 31, "r1_every": 41}}
    task = write(tmp_path / "mine.yaml", {**layers, "presets": {"quick": own}})
    config = write(tmp_path / "over.yaml", {"train": {"images": 15, "batch": 25}})

    loaded = load_task(str(task), "quick", config)
    loaded = parse(Task, ["--train.images", "16"], "test", default=loaded)

    assert loaded.train.images == 16  # flag
    assert loaded.train.batch == 25  # --config
    assert loaded.train.seed == 34  # the task's own lines for the preset
    assert loaded.model.generator == "compact_unet"  # the preset
    assert loaded.train.r1_every == 41  # task file
    assert loaded.train.decay_from == 0.5  # default
    assert loaded.name == "mine"


def test_a_preset_lies_over_the_task_file(tmp_path: Path) -> None:
    task = write(tmp_path / "mine.yaml", {"train": {"batch": 9}, "data": {"size": 512}})
    assert load_task(str(task), "paper").train.batch == 9
    assert load_task(str(task), "standard").train.batch == 4
    assert load_task(str(task), "quick").data.size == 128


def test_own_lines_count_for_their_preset_alone(tmp_path: Path) -> None:
    task = write(tmp_path / "mine.yaml", {"presets": {"standard": {"train": {"batch": 7}}, "quick": None}})
    assert [load_task(str(task), preset).train.batch for preset in PRESETS] == [1, 7, 4]


def test_a_layer_changes_only_the_fields_it_names(tmp_path: Path) -> None:
    base = load_task("facades")
    config = write(tmp_path / "over.yaml", {"train": {"seed": 5}})
    assert differences(base, load_task("facades", config=config)) == {"train.seed": (0, 5)}


def test_a_palette_is_replaced_whole(tmp_path: Path) -> None:
    palette = {"sky": [0, 0, 255], "window": [1, 2, 3]}
    config = write(tmp_path / "over.yaml", {"data": {"palette": palette}})
    loaded = load_task("facades", config=config)
    assert loaded.data.palette == {"sky": (0, 0, 255), "window": (1, 2, 3)}
    assert list(loaded.data.palette) == ["sky", "window"]


# --- what comes with the product ---


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", task_names())
def test_every_shipped_task_loads_under_every_preset(name: str, preset: Preset) -> None:
    task = load_task(name, preset)
    assert task.name == name
    assert task.title


def test_there_is_one_file_for_every_preset() -> None:
    assert sorted(path.stem for path in (configs_folder() / "presets").glob("*")) == sorted(PRESETS)


@pytest.mark.parametrize("name", task_names())
def test_a_shipped_file_states_only_differences(name: str) -> None:
    """A line that repeats a default is noise, and goes stale when the default changes."""
    content = read_yaml(configs_folder() / f"{name}.yaml")
    content.pop("presets", None)
    defaults = Task(name="defaults").model_dump(mode="json")

    def repeated(lines: dict[str, Any], default: dict[str, Any], prefix: str) -> list[str]:
        found = []
        for key, value in lines.items():
            beside = default.get(key)
            if isinstance(value, dict) and isinstance(beside, dict):
                found += repeated(value, beside, f"{prefix}{key}.")
            elif value == beside and key != "work":  # each task says how it treats large pictures
                found.append(prefix + key)
        return found

    assert repeated(content, defaults, "") == []


def test_the_defaults_are_the_papers() -> None:
    """Isola et al. 2017, sections 3 and 6.1 and 6.2: what `paper` promises."""
    task = load_task("facades", "paper")
    train, model, data = task.train, task.model, task.data
    assert (train.batch, train.learning_rate, train.betas) == (1, 2e-4, (0.5, 0.999))
    assert (train.gan_weight, train.l1_weight, train.adversarial) == (1, 100, "non_saturating")
    assert (train.images, train.decay_from) == (
        80_000,
        0.5,
    )  # 200 epochs of 400 pictures, the rate falls in the last 100
    assert (data.resize_to, data.size, data.flip) == (286, 256, True)
    assert (model.generator, model.receptive_field, model.discriminator_width, model.conditional) == (
        "unet",
        70,
        64,
        True,
    )
    assert model.width is None  # the generator's own, 64
    assert (data.input, data.target) == ("rgb", "rgb")
    extras = (train.feature_weight, train.r1, train.ema, model.spectral, model.norm, model.dropout, model.upsampling)
    assert extras == (0, 0, 0, False, "instance", None, None)


def test_the_presets_mean_what_they_say() -> None:
    paper, standard, quick = (load_task("facades", preset) for preset in PRESETS)
    assert (standard.model, standard.data.size, standard.train.images) == (
        paper.model,
        paper.data.size,
        paper.train.images,
    )
    assert standard.train.batch > 1
    assert standard.data.input == "labels_onehot"
    assert quick.train.images < standard.train.images / 10
    assert quick.data.size < standard.data.size


@pytest.mark.parametrize(("size", "expected"), [(64, 72), (128, 143), (256, 286), (512, 572), (1024, 1144)])
def test_pairs_are_resized_to_286_parts_of_256_before_the_crop(size: int, expected: int) -> None:
    assert Data(size=size).resize_to == expected
    assert Data(size=size, load_size=2 * size).resize_to == 2 * size


# --- there and back ---


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", task_names())
def test_a_dump_loads_as_the_same_task(name: str, preset: Preset, tmp_path: Path) -> None:
    task = load_task(name, preset)
    task = task.model_copy(
        update={"title": "Grüße: “été” # 1", "train": task.train.model_copy(update={"learning_rate": 1e-5})}
    )
    path = write(tmp_path / "dumped.yaml", dump(task))
    assert load_task(str(path), "paper") == task
    assert load_task(name, "standard", config=path) == task
    assert list(load_task(str(path), "paper").data.palette) == list(task.data.palette)


def test_no_difference_between_a_task_and_itself() -> None:
    assert differences(load_task("facades"), load_task("facades")) == {}


def test_differences_name_each_field_with_both_values() -> None:
    old = Task(name="a", data=Data(palette={"x": (0, 0, 0), "y": (1, 1, 1)}))
    new = validate(
        merge(old.model_dump(), {"name": "b", "data": {"palette": {"x": (0, 0, 0), "z": (1, 1, 1)}, "size": 64}}), ""
    )
    assert differences(old, new) == {
        "name": ("a", "b"),
        "data.palette.y": ((1, 1, 1), None),
        "data.palette.z": (None, (1, 1, 1)),
        "data.size": (256, 64),
    }


def test_a_palette_in_another_order_is_a_difference() -> None:
    """The classes are the network's input channels: a run that goes on with them swapped is broken without a word."""
    old = Task(name="a", data=Data(palette={"x": (0, 0, 0), "y": (1, 1, 1)}))
    new = Task(name="a", data=Data(palette={"y": (1, 1, 1), "x": (0, 0, 0)}))
    assert list(differences(old, new)) == ["data.palette"]


def test_a_section_that_comes_or_goes_is_one_difference() -> None:
    old = load_task("facades")
    new = old.model_copy(update={"data": old.data.model_copy(update={"source": None})})
    assert old.data.source is not None
    assert differences(old, new) == {"data.source": (old.data.source.model_dump(), None)}


# --- mistakes ---


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"trian": {}}, "FILE: unknown field 'trian'; did you mean 'train'?"),
        ({"train": {"imags": 5}}, "FILE: unknown field 'train.imags'; did you mean 'images'?"),
        (
            {"data": {"source": {"url": "u", "sha": "x"}}},
            "FILE: unknown field 'data.source.sha'; did you mean 'sha256'?",
        ),
        ({"data": {"source": {"bytes": 1}}}, "FILE: data.source.url: missing, expected a value"),
        ({"train": {"images": "many"}}, "FILE: train.images: got 'many'; input should be a valid integer"),
        ({"train": {"images": -1}}, "FILE: train.images: got -1; input should be greater than 0"),
        ({"train": {"images": 1.5}}, "FILE: train.images: got 1.5; input should be a valid integer"),
        (
            {"train": {"learning_rate": float("inf")}},
            "FILE: train.learning_rate: got inf; input should be a finite number",
        ),
        ({"train": {"betas": [0.5]}}, "FILE: train.betas.1: missing, expected a value"),
        ({"train": {"adversarial": "hing"}}, "FILE: train.adversarial: got 'hing'; did you mean 'hinge'?"),
        ({"train": {"precision": "fp8"}}, "FILE: train.precision: got 'fp8'; did you mean 'fp32'?"),
        ({"train": {"device": "?"}}, "FILE: train.device: got '?'; expected one of: auto, cpu, cuda, mps"),
        ({"train": {"gan_weight": 0, "l1_weight": 0}}, "FILE: train.gan_weight and l1_weight are both 0"),
        ({"train": 5}, "FILE: train: got 5; input should be a valid dictionary"),
        ({"model": {"receptive_field": 71}}, "FILE: model.receptive_field: got 71; input should be 1, 16, 70 or 286"),
        ({"data": {"size": 100}}, "FILE: data.size: got 100, expected a power of two from 64 to 1024"),
        ({"data": {"load_size": 100}}, "FILE: data.load_size: got 100, expected at least the crop's 256"),
        ({"data": {"input": "labels_onehot"}}, "FILE: data.palette: empty, but label maps need one colour a class"),
        (
            {"data": {"palette": {"a": [0, 0, 256]}}},
            "FILE: data.palette.a.2: got 256; input should be less than or equal to 255",
        ),
        (
            {"data": {"palette": {"a": [0, 0, 1], "b": [0, 0, 1]}}},
            "FILE: data.palette: two classes have the same colour",
        ),
        ({1: 2}, "FILE: 1: got 1; keys should be strings"),
        ({"presets": {"papr": {}}}, "FILE: unknown preset 'papr'; did you mean 'paper'?"),
        ({"presets": ["paper"]}, "FILE: presets: got ['paper'], expected a section for each preset it changes"),
        ({"presets": {"quick": 3}}, "FILE: presets.quick: got 3, expected the fields it changes"),
        ({"presets": {"paper": {"dta": {}}}}, "FILE with preset paper: unknown field 'dta'; did you mean 'data'?"),
        (["a"], "FILE: got a list, expected 'field: value' lines"),
        ("data: [", "FILE: not valid YAML: "),
        ("train: {images: 2024-13-45}", "FILE: not valid YAML: month must be in 1..12"),
        ("a: !!python/object:os.system x", "FILE: not valid YAML: could not determine a constructor"),
    ],
)
def test_a_mistake_is_one_line_with_what_was_got_and_what_to_do(content: Any, expected: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, content).startswith(expected)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.yaml: cannot be read: No such file or directory$"):
        load_task(str(tmp_path / "absent.yaml"))
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ValueError, match=r"folder\.yaml: cannot be read: Is a directory$"):
        load_task(str(tmp_path / "folder.yaml"))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"binary\.yaml: not valid YAML: .*can't decode"):
        load_task(str(tmp_path / "binary.yaml"))


def test_a_mistake_in_config_names_that_file(tmp_path: Path) -> None:
    config = write(tmp_path / "over.yaml", {"train": {"bacth": 2}})
    with pytest.raises(ValueError, match=r"over\.yaml: unknown field 'train.bacth'; did you mean 'batch'\?$"):
        load_task("facades", config=config)


@pytest.mark.parametrize("name", ["facade", "FACADES", "fasades"])
def test_an_unknown_task_names_the_nearest(name: str) -> None:
    with pytest.raises(ValueError, match=f"^unknown task '{name}'; did you mean 'facades'\\?$"):
        load_task(name)


def test_an_unknown_task_without_a_near_one_lists_all() -> None:
    with pytest.raises(ValueError, match=f"expected one of: {', '.join(task_names())}$"):
        load_task("0")


def test_an_empty_file_is_a_task_of_defaults(tmp_path: Path) -> None:
    assert load_task(str(write(tmp_path / "plain.yml", "# nothing\n")), "paper") == Task(name="plain")


def test_tasks_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_task("facades").train.batch = 3  # type: ignore[misc]


@given(st.lists(st.text("abcdefgh_", min_size=3, max_size=9), min_size=1, unique=True), st.data())
def test_a_name_is_nearest_to_itself(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    assert nearest(name, names) == f"did you mean '{name}'?"


TREES = st.recursive(
    st.integers() | st.none(), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), max_leaves=8
)
LAYERS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


@given(LAYERS, LAYERS)
def test_merging_keeps_its_arguments_and_lets_the_upper_layer_win(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = repr((base, over))
    merged = merge(base, over)
    assert repr((base, over)) == before
    assert merge(base, {}) == base
    assert merge({}, over) == over
    assert merge(merged, over) == merged

    def wins(upper: dict[str, Any], result: dict[str, Any]) -> bool:
        return all(
            wins(value, result[key]) if isinstance(value, dict) else result[key] == value
            for key, value in upper.items()
        )

    assert wins(over, merged)
    assert set(merged) == {*base, *over}
