"""Ten thousand pictures as people have them, a command watched while it works on them, and two folders compared.

    python tests/many_files.py make FOLDER --count 10000
    python tests/many_files.py watch LOG.csv COMMAND...
    python tests/many_files.py compare FOLDER FOLDER

`make` draws every size, mode and format, nested folders, odd names, and one file in a hundred that no program can read.
`watch` runs a command and notes its memory every second.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
    "tif": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "RGB;16"),
    "avif": ("RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "gif": ("P",),
}
SHARES = {"jpg": 0.5, "png": 0.2, "tif": 0.1, "webp": 0.08, "bmp": 0.05, "gif": 0.04, "avif": 0.03}
DAMAGES = ("empty", "cut", "text", "zeros")
WORDS = ("photo", "IMG", "scan 3", "Straße", "猫", "été (copy)", "a'b", "100%", "odd[1]", "x.y", "-dash", "tab;semi")
EVERY = 100  # files, one of which is damaged


@dataclass(frozen=True)
class Made:
    """One file that was made; what `damage` it has, or none."""

    path: Path
    damage: str = ""


def make(folder: Path, count: int, seed: int = 0, most_pixels: int = 3_000_000) -> list[Made]:
    """`count` files below `folder`, always the same for a seed; sides from 1, log-uniform areas up to `most_pixels`."""
    made = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        suffix = kind.upper() if rng.random() < 0.1 else kind
        place = folder.joinpath(*(f"{rng.choice(WORDS[:6])} {rng.integers(5)}" for _ in range(rng.integers(0, 4))))
        path = place / f"{rng.choice(WORDS)} {index}.{suffix}"
        place.mkdir(parents=True, exist_ok=True)
        content = _encode(rng, kind, str(rng.choice(MODES[kind])), most_pixels)
        damage = str(rng.choice(DAMAGES)) if index % EVERY == EVERY - 1 else ""
        path.write_bytes(_damaged(content, damage))
        made.append(Made(path, damage))
    return made


def _damaged(content: bytes, damage: str) -> bytes:
    if damage == "cut":
        return content[: min(len(content) // 2, 600)]
    return {"": content, "empty": b"", "text": b"this is no picture\n" * 20, "zeros": bytes(len(content))}[damage]


def _encode(rng: np.random.Generator, kind: str, mode: str, most_pixels: int) -> bytes:
    height, width = _sides(rng, most_pixels)
    pixels = _scene(rng, height, width)
    if mode.endswith(";16") and mode != "I;16":
        deep = pixels.astype(np.uint16) * 257
        channels = deep if mode == "RGB;16" else np.dstack([deep, deep[:, :, :1]])
        done, encoded = cv2.imencode(f".{kind}", channels)
        assert done
        return encoded.tobytes()
    image = Image.fromarray(pixels)
    if mode == "I;16":
        image = Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257)
    elif mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(pixels[:, :, 2]))
        image = image.convert(mode)
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    name = {"jpg": "JPEG", "tif": "TIFF"}.get(kind, kind.upper())
    if kind in ("jpg", "png", "webp", "tif", "avif") and rng.random() < 0.3:
        exif = Image.Exif()
        exif[0x0112] = int(rng.integers(1, 9))
        image.save(buffer, name, exif=exif)
    else:
        image.save(buffer, name)
    return buffer.getvalue()


def _sides(rng: np.random.Generator, most_pixels: int) -> tuple[int, int]:
    """(height, width): from 1x1, areas log-uniform, most of them no more than twice as long as wide."""
    if rng.random() < 0.02:
        return int(rng.integers(1, 4)), int(rng.integers(1, 4))
    area = float(np.exp(rng.uniform(np.log(400), np.log(most_pixels))))
    aspect = float(np.exp(rng.normal(0, 0.4)))
    side = max(1, round((area * aspect) ** 0.5))
    return side, max(1, min(round(area / side), most_pixels // side))


def _scene(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Soft colours with a little grain, (H, W, 3): files of the size that photos have."""
    coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(0, 9, (height, width, 1), dtype=np.uint8)
    return cv2.add(smooth, np.repeat(grain, 3, axis=2)).reshape(height, width, 3)


def differences(first: Path, second: Path, but: tuple[str, ...] = ("report.json",)) -> list[str]:
    """Relative paths of files, whose names are not in `but`, that are in one folder only or differ in a byte."""
    listed = [{path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (first, second)]
    unlike = [
        path
        for path in listed[0] | listed[1]
        if path.name not in but
        and (path not in listed[0] & listed[1] or (first / path).read_bytes() != (second / path).read_bytes())
    ]
    return sorted(str(path) for path in unlike)


def memory_of(process: int) -> int:
    """Resident bytes of a process, from Linux's /proc; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def watch(log: Path, command: list[str], every: float = 1.0) -> int:
    """Run `command`, note seconds and resident MiB in `log`, and tell means of the thirds; the command's status."""
    start, samples = time.perf_counter(), []
    with log.open("w", newline="") as file, subprocess.Popen(command) as running:
        writer = csv.writer(file)
        writer.writerow(["seconds", "MiB"])
        while running.poll() is None:
            resident = memory_of(running.pid)
            if resident:
                samples.append(resident / 2**20)
                writer.writerow([f"{time.perf_counter() - start:.1f}", f"{samples[-1]:.1f}"])
                file.flush()
            time.sleep(every)
    third = len(samples) // 3
    if third:
        parts = samples[:third], samples[third : 2 * third], samples[2 * third :]
        means = ", ".join(f"{np.mean(part):.0f}" for part in parts)
        ends = [np.mean(part[-max(1, third // 10) :]) for part in parts]
        growth = 100 * (ends[2] / ends[0] - 1)
        print(f"{len(samples)} samples, most {max(samples):.0f} MiB; means of the thirds {means}")
        print(f"at the end of the first {ends[0]:.0f}, of the last {ends[2]:.0f}: {growth:+.1f} %")
    return running.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--count", type=int, default=10_000)
    making.add_argument("--seed", type=int, default=0)
    making.add_argument("--most-pixels", type=int, default=3_000_000)
    watching = verbs.add_parser("watch")
    watching.add_argument("log", type=Path)
    watching.add_argument("command", nargs=argparse.REMAINDER)
    comparing = verbs.add_parser("compare")
    comparing.add_argument("first", type=Path)
    comparing.add_argument("second", type=Path)
    asked = parser.parse_args()
    if asked.verb == "make":
        made = make(asked.folder, asked.count, asked.seed, asked.most_pixels)
        size = sum(each.path.stat().st_size for each in made) / 2**20
        print(f"{len(made)} files, {sum(bool(each.damage) for each in made)} of them damaged, {size:.0f} MiB")
        return 0
    if asked.verb == "watch":
        return watch(asked.log, asked.command)
    unlike = differences(asked.first, asked.second)
    print(*unlike[:20], f"{len(unlike)} files differ", sep=os.linesep)
    return int(bool(unlike))


if __name__ == "__main__":
    sys.exit(main())
