"""`python -m pix2pix.models`: list the models that are here, show one, or make one ready to give away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.command_line import parse, run
from pix2pix.schema import Frozen

if TYPE_CHECKING:
    from pix2pix.checkpoint import Figures, ReleasedModel
    from pix2pix.reporting.overview import Row

PROG = "pix2pix models"


class Arguments(Frozen):
    """List the models that are here, show one or all at a glance, or write one anew for others, without local paths."""

    what: tyro.conf.Positional[Literal["list", "show", "table", "sheet", "cards", "release"]] = Field(
        "list",
        description="list; show --model M; table, of the shipped models' figures; "
        "sheet --pairs NAME=DIR ... --out PICTURE; cards --pairs NAME=DIR ... --out FOLDER, for the site; "
        "release --model M --out FILE",
    )
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="which to show or release"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None,
        description="where to write the model, a .safetensors file, or the sheet, a picture, or the cards, a folder",
    )
    pairs: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=DIR[:N]")] = Field(
        (), description="models, and the data that each is shown on: pair N of its val, else the middle one"
    )
    data: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = Field(
        None, description="what it was trained on, in words; default: as its training noted"
    )
    licence: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = Field(
        None, description="the terms of that data; needed where the model does not know them"
    )
    figures: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json")] = Field(
        None, description="what `pix2pix evaluate --out` wrote of this very model, to be carried along"
    )
    work_size: Annotated[int | None, tyro.conf.arg(metavar="PX")] = Field(
        None, description="short side that the network is to work at; default: the model's own"
    )
    bits: Literal[8, 16] | None = Field(
        None, description="that a weight takes in the released file; 8 halves it; default: as the model has it"
    )


def main(arguments: Sequence[str]) -> int:
    """Do with the models what `arguments` say. Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    if options.what == "release":
        release(options)
        return 0
    if options.what == "sheet":
        draw_sheet(options)
        return 0
    if options.what == "cards":
        draw_cards(options)
        return 0
    if options.what in ("list", "table") and options.model is not None:
        raise ValueError(f"{options.what}: is of every model, so leave --model out, or say: show --model M")
    if options.what == "show" and options.model is None:
        raise ValueError("show: which model? give --model NAME|FILE|RUN")

    from pix2pix.checkpoint import load_model
    from pix2pix.reporting.card import card
    from pix2pix.reporting.overview import table

    if options.model is not None:
        print(card(options.model, load_model(model_files.resolve(options.model))))
        return 0

    if options.what == "table":
        print(table({name: load_model(path) for name, path in model_files.shipped_models().items()}))
        return 0
    runs = {str(path.parent): path for path in sorted(model_files.RUNS.glob(f"*/*/{model_files.MODEL_FILE}"))}
    for name, path in {**model_files.shipped_models(), **runs}.items():
        try:
            model = load_model(path)
        except ValueError as error:
            print(f"{name}: unreadable: {error}")
            continue
        megabytes = path.stat().st_size / 1e6
        size, facts = model.task.data.size, model.facts
        print(f"{name}: {model.task.title or model.task.name}, {size} px, {megabytes:.1f} MB")
        print(f"    {facts.images_seen:,} images of {facts.data}; terms: {facts.licence}")
    return 0


def draw_sheet(options: Arguments) -> None:
    """One row of pictures a model. Raises ValueError where a model, its data or the place to write to is not there."""
    if options.out is None or not options.pairs:
        raise ValueError("sheet: of which models, and where to? give --pairs NAME=DIR ... and --out PICTURE")

    from pix2pix.images import check_output, write_image
    from pix2pix.reporting.overview import sheet

    check_output(options.out)
    write_image(options.out, sheet(dict(rows(options.pairs))))
    print(f"written to {options.out}")


def draw_cards(options: Arguments) -> None:
    """A small picture a model, for the site's home page. Raises ValueError as `draw_sheet` does."""
    if options.out is None or not options.pairs:
        raise ValueError("cards: of which models, and where to? give --pairs NAME=DIR ... and --out FOLDER")

    from pix2pix.reporting.overview import card

    options.out.mkdir(parents=True, exist_ok=True)
    for name, row in rows(options.pairs):
        path = options.out / f"{name}.webp"
        path.write_bytes(card(row))
        print(f"written to {path}")


def rows(pairs: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """The name of each model, and input, output and target of one pair. Raises ValueError for what is not there."""
    from pix2pix import hub
    from pix2pix.data.pairs import open_pairs

    for text in pairs:
        name, equals, place = text.partition("=")
        folder, colon, chosen = place.rpartition(":")
        if not colon or not chosen.isdecimal():
            folder, chosen = place, ""
        if not equals:
            raise ValueError(f"--pairs {text}: expected NAME=DIR, a model and the data to show it on")
        translator = hub.load(name, backend="torch")
        data = translator.task.data.model_copy(update={"path": folder, "cache_gib": 0})
        val = open_pairs(translator.task.model_copy(update={"data": data}), "val", print)
        number = int(chosen) if chosen else len(val) // 2
        if number >= len(val):
            raise ValueError(f"--pairs {text}: got pair {number}, expected 0 to {len(val) - 1}")
        source, target = val.read_full(number)
        yield Path(name).name, (source, translator(source), target)


def release(options: Arguments) -> None:
    """Write a model for others. Raises ValueError when its data's terms are unknown, or nothing says which or where."""
    if options.model is None or options.out is None:
        raise ValueError("release: which model, and where to? give --model NAME|FILE|RUN and --out FILE.safetensors")
    if options.out.suffix != ".safetensors":
        raise ValueError(f"--out {options.out}: expected a name that ends in .safetensors")

    from pix2pix.checkpoint import load_model, load_weights, save_model
    from pix2pix.config import validate
    from pix2pix.translator import build_model_generator

    model = load_model(model_files.resolve(options.model))
    licence = options.licence or model.facts.licence
    if licence == "unknown":
        raise ValueError("the terms of its training data are unknown; say them with --licence TEXT")
    content = model.task.model_dump()
    content["data"]["path"], content["train"]["init"] = None, None  # paths of this machine
    content["work_size"] = options.work_size or content["work_size"]
    task = validate(content, f"--work-size {options.work_size}")
    facts = model.facts.model_copy(
        update={
            "licence": licence,
            "data": options.data or model.facts.data,
            "figures": carried_figures(options, model),
        }
    )
    generator = build_model_generator(task)
    load_weights(generator, model)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_model(options.out, generator, task, facts, options.bits or model.bits)
    print(f"written to {options.out}: {options.out.stat().st_size / 1e6:.1f} MB, terms: {licence}")


def carried_figures(options: Arguments, model: ReleasedModel) -> Figures | None:
    """Those that the written file is to carry; none where it gets coarser weights than were scored.

    Raises ValueError where `--figures` are not of the weights that are written.
    """
    if options.bits == 8 and model.bits == 16:
        if options.figures is not None:
            raise ValueError(
                "--figures: of the weights in 16 bits; release with --bits 8 alone, evaluate that file, and release it "
                "with its figures"
            )
        if model.facts.figures is not None:
            print("without its figures, which are of the weights in 16 bits; evaluate this file for new ones")
        return None
    return read_figures(options.figures, model) if options.figures else model.facts.figures


def read_figures(path: Path, model: ReleasedModel) -> Figures:
    """The figures in a file of `pix2pix evaluate --out`. Raises ValueError where they are of another model, or none."""
    from pix2pix.checkpoint import Figures
    from pix2pix.metrics.judges import fingerprint

    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        figures, scored = Figures.model_validate(record), record["model_id"]
    except OSError as error:
        raise ValueError(f"--figures {path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"--figures {path}: no figures; expected what `pix2pix evaluate --out` writes") from None
    if scored != fingerprint(model.path):
        raise ValueError(f"--figures {path}: of another model ({record['model']}); evaluate {model.path}")
    return figures


if __name__ == "__main__":
    run(main, PROG)
