"""Clips to test with, and what is in one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from small_pictures import photo

from pix2pix.clips.reading import open_clip
from pix2pix.clips.translating import VideoResult, translate_video
from pix2pix.translator import Translator

av = pytest.importorskip("av", reason="clips need PyAV: pip install 'pix2pix[video]'")
RATE = 44100


class Echo:
    """A translator that gives back what it gets, `scale` times as large."""

    def __init__(self, target: str = "rgb", scale: int = 1) -> None:
        self.task = SimpleNamespace(data=SimpleNamespace(target=target, scale=scale))

    def __call__(self, image: np.ndarray, seed: int | None = None, guidance: None = None) -> np.ndarray:
        scale = self.task.data.scale
        return image.repeat(scale, 0).repeat(scale, 1)


def translate(source: Path, out: Path, translator: Any = None, smooth: float = 0.8) -> VideoResult:
    return translate_video(source, out, cast("Translator", translator or Echo()), smooth)


def moving(count: int, height: int = 96, width: int = 160) -> list[np.ndarray]:
    """A pan over a picture twice that size."""
    large = photo(2 * height, 2 * width)
    return [large[index : index + height, 2 * index : 2 * index + width] for index in range(count)]


def save_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    times: Sequence[int] | None = None,
    *,
    codec: str = "libx264",
    base: Fraction = Fraction(1, 12800),
    sound: str | None = "aac",
    turn: tuple[int, bool] | None = None,
    title: str = "The harbour",
) -> Path:
    """A clip with these frames at these times (25 a second), and a sine as long as it is."""
    times = times or [index * 512 for index in range(len(pictures))]
    with av.open(path, "w") as container:
        container.metadata["title"] = title
        video = container.add_stream(codec, rate=25, time_base=base)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.time_base = base
        if turn is not None:
            video.set_display_rotation(*turn)
        audio = None if sound is None else container.add_stream(sound, rate=48000 if sound == "libopus" else RATE)
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts, frame.time_base = time, base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            rate = audio.rate
            seconds = float((times[-1] + 512) * base)
            sine = 0.3 * np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 440 / rate)
            for start in range(0, len(sine), 960):
                block = np.stack([sine[start : start + 960]] * 2).astype(np.float32)
                is_planar = audio.format.name.endswith("p")
                values = block if is_planar else block.T.reshape(1, -1)
                values = (values * 32767).astype(np.int16) if audio.format.name.startswith("s16") else values
                heard = av.AudioFrame.from_ndarray(values, audio.format.name, "stereo")
                heard.sample_rate, heard.pts, heard.time_base = rate, start, Fraction(1, rate)
                container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def contents(path: Path) -> tuple[list[Fraction], list[bytes], Any]:
    """When the frames are shown, the packets of sound, and facts of the file."""
    with av.open(path) as container:
        facts = SimpleNamespace(
            title=container.metadata.get("title"),
            seconds=container.duration / 1e6,
            size=(container.streams.video[0].width, container.streams.video[0].height),
            codec=container.streams.video[0].codec_context.name,
        )
        sound = [bytes(packet) for packet in container.demux(audio=0) if packet.size] if container.streams.audio else []
    with av.open(path) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    return times, sound, facts


def pictures_of(path: Path) -> list[np.ndarray]:
    with open_clip(path) as clip:
        return [frame.picture for frame in clip.frames()]
