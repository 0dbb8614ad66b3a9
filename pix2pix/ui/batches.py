"""Many pictures and archives of pictures in, one archive out; one bad file stops nothing."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

from pix2pix import __version__
from pix2pix.batch.files import Found, is_clip
from pix2pix.batch.names import Job
from pix2pix.batch.report import REPORT, Outcome, Record, write_report
from pix2pix.ui.archives import free, is_archive, pack, unpack
from pix2pix.ui.limits import MIB, Limits
from pix2pix.ui.making import A_CLIP, Maker
from pix2pix.ui.names import safe_name
from pix2pix.ui.turns import Cancelled
from pix2pix.ui.wishes import Wish
from pix2pix.ui.words import plain_words

Turn = Callable[[Maker, Path], AbstractContextManager[None]]

LEAST_ROOM = 500 * MIB  # on the disk, before a picture is begun


def keep(files: Sequence[Path], wish: Wish, folder: Path) -> tuple[list[Path], Wish]:
    """`files` and the mask of `wish` under their own names in `folder`, where they stay while the batch needs them.

    Where visitors send them, each lies in a folder of its own, which goes when it has not been used for a while.
    """
    kept = [_linked(file, folder / "sent") for file in files]
    return kept, wish if wish.mask is None else replace(wish, mask=_linked(wish.mask, folder / "mask"))


def _linked(file: Path, folder: Path) -> Path:
    path = free(folder / safe_name(file.name))
    try:
        os.link(file, path)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, path)
    return path


def make_archive(
    maker: Maker,
    files: Sequence[Path],
    folder: Path,
    limits: Limits,
    turn: Turn,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> tuple[Path, int, tuple[str, ...]]:
    """The archive of the outputs of `files`, each made in its `turn`; how many were done, and a line for each failure.

    All of it lies in `folder`. Raises ValueError where there is no picture, too many, or not one could be made.
    """
    start = time.perf_counter()
    made = folder / "made"
    try:
        found, failed = find(files, folder / "unpacked", limits)
        jobs = maker.plan(found, made, (made / REPORT,))
        records, ended = make_all(maker, jobs, folder, turn, progress, is_cancelled)
        named = [named_record(each, one, folder) for each, one in zip(records, found, strict=False)]
        said = facts(maker, [*failed, *ended])
        failed += [f"{each.job.source}: {each.reason}" for each in named if each.status == "failed"] + ended
        outcome = Outcome(named, len(jobs), time.perf_counter() - start)
        if not outcome.count("done"):
            raise ValueError(f"no picture was made; {failed[0] if failed else 'it was cancelled'}")
        made.mkdir(exist_ok=True)
        write_report(made / REPORT, said, outcome)
        outputs = [output for each in records if each.status == "done" for output in each.job.outputs]
        archive = folder / f"{safe_name(files[0].stem)}-{maker.translator.task.name}.zip"
        pack(archive, [(path, path.relative_to(made).as_posix()) for path in (*outputs, made / REPORT)])
    finally:
        for spent in ("made", "sent", "mask", "unpacked"):
            shutil.rmtree(folder / spent, ignore_errors=True)
    return archive, outcome.count("done"), tuple(failed)


def make_all(
    maker: Maker,
    jobs: Sequence[Job],
    folder: Path,
    turn: Turn,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> tuple[list[Record], list[str]]:
    """What became of each picture up to the end or until it is cancelled; and a line where the disk is full before."""
    records: list[Record] = []
    for job in jobs:
        progress(len(records), len(jobs))
        if is_cancelled():
            break
        if shutil.disk_usage(folder).free < LEAST_ROOM:
            return records, [f"no room for more, {sum(each.status == 'done' for each in records)} done"]
        try:
            records.append(record(maker, job, folder, turn))
        except Cancelled:
            break
    progress(len(records), len(jobs))
    return records, []


def find(files: Sequence[Path], folder: Path, limits: Limits) -> tuple[list[Found], list[str]]:
    """The pictures among and in `files`, archives unpacked below `folder`; and a line for each that was refused.

    Where several files are sent, what comes from an archive has a folder of the archive's name.
    """
    found: list[Found] = []
    refused: list[str] = []
    for number, file in enumerate(files):
        if is_clip(file):
            refused.append(f"{file.name}: {A_CLIP}")
            continue
        if not is_archive(file):
            found.append(Found(file, file.parent))
            continue
        root = folder / str(number)
        try:
            pictures, nested = unpack(file, root / safe_name(file.stem), limits)
        except ValueError as error:
            refused.append(str(error))
            continue
        found += [Found(picture, root if len(files) > 1 else root / safe_name(file.stem)) for picture in pictures]
        refused += nested
    if not found:
        raise ValueError(refused[0] if refused else "no files; send pictures, or a zip of pictures")
    if len(found) > limits.files:
        raise ValueError(f"{len(found)} pictures, more than the {limits.files} that are taken at a time; send fewer")
    return found, refused


def record(maker: Maker, job: Job, folder: Path, turn: Turn) -> Record:
    """Make the outputs of one picture, and say what became of it."""
    start = time.perf_counter()
    aside = folder / "aside"
    try:
        with turn(maker, job.source):
            aside.mkdir()
            width, height = maker.make(job, aside)
    except MemoryError:
        return Record(job, "failed", "not enough memory for this picture; shrink it")
    except Cancelled:
        raise
    except ValueError as error:
        return Record(job, "failed", str(error))
    except Exception:  # a full disk, or what a library raises; the others are still to be made
        logging.getLogger(__name__).exception("a picture of a batch failed")
        return Record(job, "failed", "something went wrong here")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Record(job, "done", "", width, height, time.perf_counter() - start)


def named_record(each: Record, found: Found, folder: Path) -> Record:
    """A record with the paths that the visitor knows, rather than those of this machine."""
    name = found.path.relative_to(found.root)
    outputs = tuple(output.relative_to(folder / "made") for output in each.job.outputs)
    reason = plain_words(each.reason.replace(str(found.path), found.path.name), (folder, folder.parent))
    return replace(
        each, job=Job(name, outputs), reason=reason.removeprefix(f"{found.path.name}: ").removeprefix(f"{name}: ")
    )


def facts(maker: Maker, refused: Sequence[str]) -> dict[str, object]:
    """What the report says beside what became of the pictures."""
    settings = {name: value for name, value in asdict(maker.wish).items() if value != getattr(type(maker.wish)(), name)}
    settings = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
    task = maker.translator.task.name
    return {"program": "pix2pix", "version": __version__, "task": task, "settings": settings, "refused": list(refused)}
