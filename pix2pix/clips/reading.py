"""Clips as upright RGB pictures, frame by frame, with the packets of sound and subtitles between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

LARGE = 720  # rows, from where on a clip that does not name its colours has those of BT.709, as players take it
MISSING_END = 1.0  # seconds that a clip may be shorter than it says
BT709, BT601, UNSPECIFIED = 1, 6, 2  # ITU-T H.273, table 4
LIMITED, FULL = 1, 2  # of libav's AVColorRange
COPIED = ("audio", "subtitle")


@dataclass(frozen=True)
class Frame:
    """One picture of a clip, when it is shown, and the packets of the other streams up to the next one."""

    picture: np.ndarray  # (H, W, 3) uint8, upright
    time: int  # in units of the clip's time base
    packets: list[Packet[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Colours:
    """How a clip's numbers stand for colours, in the codes of ITU-T H.273; they go to the output as they are."""

    matrix: int
    primaries: int
    transfer: int


def packages() -> None:
    """Raises ValueError with the line that installs it where PyAV is missing."""
    try:
        import av  # noqa: F401
    except ImportError:
        raise ValueError("clips need the package 'av'; run: pip install 'pix2pix[video]'") from None


def reason(error: BaseException) -> str:
    """Why libav gave up, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


class Clip:
    """An open clip: its facts, and its frames once over."""

    def __init__(self, path: Path, container: InputContainer) -> None:
        """Raises ValueError where there are no moving pictures."""
        from av.stream import Disposition

        self.path = path
        self.container = container
        pictures = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not pictures:
            what = "sound alone" if container.streams.audio else "nothing that moves"
            raise ValueError(f"{path}: {what}, expected a clip with pictures")
        self.stream: VideoStream = pictures[0]
        self.stream.thread_type = "AUTO"
        self.copied: list[Stream] = [stream for stream in container.streams if stream.type in COPIED]
        self.audio = [stream for stream in self.copied if stream.type == "audio"]
        self.dropped = [stream for stream in container.streams if stream not in [self.stream, *self.copied]]
        if not self.stream.time_base or not self.stream.width or not self.stream.height:
            raise ValueError(f"{path}: no picture could be found in it; is the file whole?")
        self.time_base: Fraction = self.stream.time_base
        self.rate: Fraction = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        context = self.stream.codec_context
        matrix = context.colorspace
        if matrix in (0, UNSPECIFIED):  # 0: pictures that are RGB in the file
            matrix = BT709 if self.stream.height >= LARGE else BT601
        self.colours = Colours(matrix, context.color_primaries, context.color_trc)
        self.is_turned = (
            False  # whether the upright picture is as wide as the stored one is high; from the first frame on
        )
        self._reformatter: Any = None
        self._last_times: dict[int, int] = {}

    @property
    def seconds(self) -> float | None:
        """How long the whole file says it is; None where it does not."""
        return None if self.container.duration is None else self.container.duration / 1e6

    def _stated_end(self, stream: Stream) -> float | None:
        """When a stream should end, in seconds; None where the file does not say."""
        if stream.duration and stream.time_base:
            return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
        stated = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))  # Matroska's way
        if stated is None:
            return None
        hours, minutes, seconds = stated.groups()
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)

    def _check_end(self, ends: dict[int, Fraction]) -> None:
        """Raises ValueError where a stream, or all that is read, `ends` well before the file says."""
        stated = [(ends.get(each.index, Fraction(0)), self._stated_end(each)) for each in (self.stream, *self.audio)]
        if self.seconds is not None and not self.dropped:  # which may be longer
            stated.append((max(ends.values()), (self.container.start_time or 0) / 1e6 + self.seconds))
        for end, expected in stated:
            if expected is not None and float(end) < expected - MISSING_END:
                raise ValueError(
                    f"{self.path}: ends after {float(end):.1f} of {expected:.1f} seconds; is the file whole?"
                )

    @property
    def count(self) -> int | None:
        """About how many frames there are; None where nothing tells."""
        return self.stream.frames or (round(self.seconds * self.rate) if self.seconds else None)

    @property
    def bits(self) -> int:
        """Of a value of the pictures as they are stored."""
        return max((component.bits for component in self.stream.format.components), default=8)

    def frames(self) -> Iterator[Frame]:
        """Every frame in the order of display. Raises ValueError for what is damaged or ends too early."""
        import av

        held: Frame | None = None
        early: list[Packet[Any]] = []
        number, last = 0, None
        ends: dict[int, Fraction] = {}  # of the last packet of each stream, in seconds
        try:
            for packet in self.container.demux(self.stream, *self.copied):
                if packet.is_corrupt:
                    raise ValueError(f"{self.path}: damaged after {number} frames; is the file whole?")
                if packet.pts is not None and packet.time_base:
                    end = (packet.pts + (packet.duration or 0)) * packet.time_base
                    ends[packet.stream.index] = max(end, ends.get(packet.stream.index, end))
                if packet.stream is not self.stream:
                    if packet.size:  # else it only says that the stream has ended
                        self._check_order(packet, number)
                        (early if held is None else held.packets).append(packet)
                    continue
                for decoded in cast("Packet[VideoStream]", packet).decode():
                    if held is not None:
                        yield held
                    last = self._time(decoded.pts, last)
                    held = Frame(self._upright(decoded), last, early)
                    number, early = number + 1, []
        except av.FFmpegError as error:
            raise ValueError(f"{self.path}: damaged after {number} frames: {reason(error)}") from None
        if held is None:
            raise ValueError(f"{self.path}: no picture could be decoded; is the file whole?")
        self._check_end(ends)
        yield held

    def _check_order(self, packet: Packet[Any], number: int) -> None:
        """Raises ValueError where the times of sound run backwards, which no file may hold."""
        last = self._last_times.get(packet.stream.index)
        if last is not None and packet.dts is not None and packet.dts < last:
            what = packet.stream.type
            raise ValueError(f"{self.path}: damaged after {number} frames, the times of its {what} run backwards")
        self._last_times[packet.stream.index] = packet.dts or 0

    def _time(self, time: int | None, last: int | None) -> int:
        """When a frame is shown; where a file does not say, or says it twice, a usual step after the last one."""
        step = max(1, round(1 / (self.rate * self.time_base)))
        if last is None:
            return time or 0
        return time if time is not None and time > last else last + (step if time is None else 1)

    def _upright(self, frame: VideoFrame) -> np.ndarray:
        from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        is_full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
        if not frame.format.is_rgb:
            frame.colorspace = self.colours.matrix
        picture = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_color_range=ColorRange.JPEG if is_full or frame.format.is_rgb else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND,
            threads=1,
        ).to_ndarray()
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if matrix is None:
            return np.asarray(picture)
        upright, self.is_turned = turned(picture, np.frombuffer(cast("Any", matrix), np.int32))
        return upright


def turned(picture: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, bool]:
    """(H, W, 3) as the 9 numbers of a display matrix say, to the nearest quarter turn; and whether the sides change.

    libavutil/display.h: a pixel at (p, q), right and down, is shown at (a p + c q, b p + d q), `matrix` a b . c d ...
    """
    a, b, c, d = (int(matrix[index]) for index in (0, 1, 3, 4))
    is_turned = abs(b) > abs(a)
    across, down = (c, b) if is_turned else (a, d)
    shown = picture.transpose(1, 0, 2) if is_turned else picture
    return np.ascontiguousarray(shown[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]), is_turned


@contextmanager
def open_clip(path: Path) -> Iterator[Clip]:
    """The clip in a file. Raises ValueError with one line for a missing package, and for what is no clip."""
    packages()
    import av

    try:
        container = av.open(path, "r", metadata_errors="replace")
    except av.FFmpegError as error:
        raise ValueError(f"{path}: cannot be read as a clip: {reason(error)}") from None
    with container:
        yield Clip(path, container)
