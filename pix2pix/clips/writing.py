"""Write pictures as the frames of a clip, with the sound and the metadata of the clip they were made from.

H.264 (libx264, crf 18) in .mp4, .mov and .mkv, VP9 (crf 24) in .webm; 4:2:0, 8 bits, limited range, in the colour
matrix of the source, which is written into the file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pix2pix.clips.reading import LIMITED, Clip, Frame, packages, reason

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_CODEC_OPTIONS: dict[Literal["h264", "vp9"], dict[str, str]] = {
    "h264": {"crf": "18"},
    "vp9": {"crf": "24", "b": "0", "row-mt": "1", "cpu-used": "4", "deadline": "good"},
}
# Without the first, players on the web load the whole file before they start; without the second, keys that are not
# iTunes' are lost (a phone's place and model).
_MOVIE_OPTIONS = {"movflags": "+faststart+use_metadata_tags"}
_OWN_KEYS = {"encoder", "major_brand", "minor_version", "compatible_brands"}  # of the file, not of what it shows


def clip_suffix(source: Path) -> str:
    """Of a clip's output: its own where such files are written, else .mkv, which holds every kind of sound."""
    suffix = source.suffix.lower()
    return suffix if suffix in FORMATS else ".mp4" if suffix == ".m4v" else ".mkv"


class ClipWriter:
    """A clip being written. The first frame settles its size."""

    def __init__(self, container: OutputContainer, clip: Clip) -> None:
        """Raises ValueError where the sound does not fit into the format of `container`."""
        self._container = container
        self._clip = clip
        self.notes = [f"a stream of {each.type} left out" for each in clip.dropped]
        self._video: VideoStream | None = None
        self._copies: dict[int, Stream] = {}
        self._reformatter: Any = None
        self.size = (0, 0)  # width and height of the pictures given, before any padding
        container.metadata.update({key: text for key, text in clip.container.metadata.items() if key not in _OWN_KEYS})
        container.set_chapters(clip.container.chapters())

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """`picture` (H, W, 1 or 3) uint8, shown when `frame` was, and the packets that came with it.

        Raises ValueError for a picture of another size than the first one, and for a full disk.
        """
        height, width, channels = picture.shape
        if self._video is None:
            self._begin(width, height)
        if (width, height) != self.size:
            raise ValueError(
                f"{self._clip.path}: pictures of {self.size[0]}x{self.size[1]} and of {width}x{height} in one clip; "
                "expected one size"
            )
        assert self._video is not None
        self._container.mux(
            self._video.encode(self._frame(np.repeat(picture, 3, axis=2) if channels == 1 else picture, frame.time))
        )
        for packet in frame.packets:
            copy = self._copies.get(packet.stream.index)
            if copy is not None:
                packet.stream = copy
                self._container.mux([packet])

    def finish(self) -> None:
        """Write what the encoder still holds, and the end of the file."""
        assert self._video is not None, "no frame was written"
        self._container.mux(self._video.encode(None))
        self._container.close()

    def _begin(self, width: int, height: int) -> None:
        clip, self.size = self._clip, (width, height)
        codec: Literal["h264", "vp9"] = "vp9" if self._container.format.name == "webm" else "h264"
        options = dict(_CODEC_OPTIONS[codec])
        stream = self._container.add_stream(codec, rate=clip.rate, options=options, time_base=clip.time_base)
        # H.264 has no odd sizes in 4:2:0. One more row or column, a copy of the last, loses nothing.
        stream.width, stream.height = (width, height) if codec == "vp9" else (width + width % 2, height + height % 2)
        if (stream.width, stream.height) != self.size:
            self.notes.append(f"{width}x{height} pixels became {stream.width}x{stream.height}, which H.264 needs even")
        stream.pix_fmt = "yuv420p"
        stream.time_base = clip.time_base
        context = stream.codec_context
        context.colorspace, context.color_range = clip.colours.matrix, LIMITED
        context.color_primaries, context.color_trc = clip.colours.primaries, clip.colours.transfer
        aspect = clip.stream.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if clip.is_turned else aspect
        stream.metadata.update({key: text for key, text in clip.stream.metadata.items() if key == "language"})
        if clip.bits > 8:
            self.notes.append(f"{clip.bits} bits a value became 8")
        self._video = stream
        for each in clip.copied:
            self._copy(each)

    def _copy(self, source: Stream) -> None:
        try:
            copy = self._container.add_stream_from_template(source)
        except Exception:
            what, name = source.type, source.name or "an unknown kind"
            if what == "audio":
                raise ValueError(
                    f"{self._clip.path}: its sound ({name}) does not fit into {self._container.format.name}; write .mkv"
                ) from None
            self.notes.append(f"a stream of {what} ({name}) left out")
            return
        copy.metadata.update(source.metadata)
        copy.disposition = source.disposition
        self._copies[source.index] = copy

    def _frame(self, picture: np.ndarray, time: int) -> Any:
        from av.video.frame import VideoFrame
        from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

        assert self._video is not None
        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        rows, columns = self._video.height - picture.shape[0], self._video.width - picture.shape[1]
        padded = np.pad(picture, ((0, rows), (0, columns), (0, 0)), mode="edge") if rows or columns else picture
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(padded), "rgb24")
        frame = self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=self._clip.colours.matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND,
            threads=1,
        )
        frame.colorspace, frame.color_range = self._clip.colours.matrix, LIMITED
        frame.pts, frame.time_base = time, self._clip.time_base
        return frame


@contextmanager
def write_clip(path: Path, clip: Clip) -> Iterator[ClipWriter]:
    """A writer of frames made from `clip`: the file appears under its name, when all went well, or not at all.

    Raises ValueError for a suffix that is not written, and where the folder or the disk refuses.
    """
    packages()
    import av

    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{path}: cannot write '{path.suffix}' clips, use one of {', '.join(FORMATS)}")
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        options = _MOVIE_OPTIONS if suffix in (".mp4", ".mov") else {}
        with av.open(temporary, "w", format=FORMATS[suffix], container_options=dict(options)) as container:
            writer = ClipWriter(container, clip)
            yield writer
            writer.finish()
        os.replace(temporary, path)
    except (av.FFmpegError, OSError) as error:
        raise ValueError(f"{path}: cannot be written: {reason(error)}") from None
    finally:
        temporary.unlink(missing_ok=True)
