"""Clips through a model: every frame at its time, true colours, untouched sound; and flicker, before and after."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest
from small_pictures import photo

from pix2pix import translate as command
from pix2pix.clips.flicker import flicker
from pix2pix.clips.motion import flow, is_seen, warp
from pix2pix.clips.reading import open_clip, turned
from pix2pix.clips.smoothing import ChromaSmoothing
from pix2pix.clips.translating import VideoResult, prefetched, translate_video
from pix2pix.clips.writing import clip_suffix
from pix2pix.images import write_image
from pix2pix.lab import lab_to_rgb, lightness, rgb_to_lab
from pix2pix.translator import Translator

av = pytest.importorskip("av", reason="clips need PyAV: pip install 'pix2pix[video]'")
ROOT = Path(__file__).parent.parent
PHOTOS = Path(os.environ.get("PIX2PIX_TEST_DATA", ROOT / "../shared/data")) / "photos" / "bsds" / "val"
RATE = 44100
BARS = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)],
    np.uint8,
)


class Echo:
    """A translator that gives back what it gets, `scale` times as large."""

    def __init__(self, target: str = "rgb", scale: int = 1) -> None:
        self.task = SimpleNamespace(data=SimpleNamespace(target=target, scale=scale))

    def __call__(self, image: np.ndarray, seed: int | None = None) -> np.ndarray:
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


@pytest.mark.parametrize(
    ("suffix", "codec", "sound", "translated"),
    [
        (".mp4", "libx264", "aac", "h264"),
        (".mkv", "libx264", "libopus", "h264"),
        (".webm", "libvpx-vp9", "libopus", "vp9"),
        (".mov", "mpeg4", "pcm_s16le", "h264"),
    ],
)
def test_every_frame_at_its_time_with_the_sound_untouched(
    tmp_path: Path, suffix: str, codec: str, sound: str, translated: str
) -> None:
    base = Fraction(1, 1000) if suffix in (".mkv", ".webm") else Fraction(1, 12800)
    steps = np.random.default_rng(0).integers(1, 4, 29) * int(Fraction(1, 25) / base)  # some frames stay longer
    times = [0, *np.cumsum(steps).tolist()]
    source = save_clip(tmp_path / f"clip{suffix}", moving(30), times, codec=codec, sound=sound, base=base)
    told: list[tuple[int, int | None]] = []
    result = translate_video(
        source, tmp_path / f"out{suffix}", cast("Translator", Echo()), progress=lambda *numbers: told.append(numbers)
    )
    expected_times, expected_sound, expected = contents(source)
    found_times, found_sound, found = contents(result.path)
    assert len(expected_times) == 30 == result.frames
    assert found_times == expected_times
    assert len(expected_sound) > 10
    if sound == "pcm_s16le":  # which a file may cut into packets anywhere
        expected_sound, found_sound = [b"".join(expected_sound)], [b"".join(found_sound)]
    assert found_sound == expected_sound
    assert (found.title, found.size, found.codec) == ("The harbour", (160, 96), translated)
    assert abs(found.seconds - expected.seconds) < 0.05
    assert [number for number, _ in told] == list(range(1, 31))
    assert result.notes == ()
    apart = [np.abs(one.astype(int) - other).mean() for one, other in
             zip(pictures_of(source), pictures_of(result.path), strict=True)]  # fmt: skip
    assert max(apart) < 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"clip{suffix}", f"out{suffix}"]


def stored_bars(path: Path, matrix: int, is_full: bool) -> np.ndarray:
    """Bars as Y, Cb and Cr by ITU-R BT.601 and BT.709, in a file that says which."""
    red, blue = {1: (0.2126, 0.0722), 6: (0.299, 0.114)}[matrix]
    picture = BARS[None].repeat(96, 0).repeat(16, 1)
    r, g, b = np.moveaxis(picture / 255, 2, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    chroma = [(b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)]
    depth, floor, swing = (255, 0, 255) if is_full else (219, 16, 224)
    planes = [floor + depth * y, *(128 + swing * each[::2, ::2] for each in chroma)]
    values = np.clip(np.rint(np.concatenate([plane.reshape(-1) for plane in planes])), 0, 255).astype(np.uint8)
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "1"})
        video.height, video.width, video.pix_fmt = 96, 128, "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = matrix, 2 if is_full else 1
        for time in range(3):
            frame = av.VideoFrame.from_ndarray(values.reshape(-1, 128), "yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return picture


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 6])
def test_colours_survive_whatever_the_clip_stores_them_in(tmp_path: Path, matrix: int, is_full: bool) -> None:
    picture = stored_bars(tmp_path / "bars.mp4", matrix, is_full)
    middles = slice(8, None, 16)
    for path, most in ((tmp_path / "bars.mp4", 2), (translate(tmp_path / "bars.mp4", tmp_path / "out.mp4").path, 5)):
        for shown in pictures_of(path):
            assert np.abs(shown[8:-8, middles].astype(int) - picture[8:-8, middles]).max() <= most


@pytest.mark.parametrize(("degrees", "mirrored"), [(90, False), (180, False), (-90, False), (0, True), (90, True)])
def test_a_phones_clip_comes_out_upright(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[:32, :48] = (250, 60, 60)
    expected = np.rot90(stored, degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    source = save_clip(tmp_path / "clip.mp4", [stored] * 3, turn=(degrees, mirrored), sound=None)
    result = translate(source, tmp_path / "out.mp4")
    assert result.size == (expected.shape[1], expected.shape[0])
    with av.open(result.path) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - expected).mean() < 6


def test_a_display_matrix_turns_as_its_equation_says() -> None:
    picture = photo(3, 5)
    for a, b, c, d in ((1, 0, 0, 1), (-1, 0, 0, -1), (0, 1, -1, 0), (0, -1, 1, 0), (0, 1, 1, 0), (1, 0, 0, -1)):
        shown, is_turned = turned(picture, np.array([a, b, 0, c, d, 0, 0, 0, 1]) * 65536)
        assert is_turned == (b != 0)
        rows, columns = np.mgrid[:3, :5]
        across, down = a * columns + c * rows, b * columns + d * rows
        np.testing.assert_array_equal(shown[down - down.min(), across - across.min()], picture)


def test_odd_sizes_and_larger_ones(tmp_path: Path) -> None:
    source = save_clip(tmp_path / "odd.webm", moving(4, 63, 97), [0, 40, 80, 120],
                       codec="libvpx-vp9", sound=None, base=Fraction(1, 1000))  # fmt: skip
    even = translate(source, tmp_path / "even.mp4")
    assert even.size == (97, 63)
    assert "97x63 pixels became 98x64" in even.notes[0]
    shown = pictures_of(even.path)[0]
    assert shown.shape == (64, 98, 3)
    assert np.abs(shown[:63, :97].astype(int) - pictures_of(source)[0]).mean() < 3
    assert pictures_of(translate(source, tmp_path / "same.webm").path)[0].shape == (63, 97, 3)
    assert pictures_of(translate(source, tmp_path / "large.mkv", Echo(scale=4)).path)[0].shape == (252, 388, 3)


def test_what_is_no_whole_clip_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    whole = save_clip(tmp_path / "whole.mkv", moving(30) * 4, [40 * index for index in range(120)],
                      base=Fraction(1, 1000), sound="libopus")  # fmt: skip
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    quick = tmp_path / "quick.mp4"  # what it holds stands before the frames, as on the web
    translate(whole, quick)
    cut_movie = tmp_path / "cut.mp4"
    cut_movie.write_bytes(quick.read_bytes()[: quick.stat().st_size // 2])
    text = tmp_path / "text.mp4"
    text.write_text("no clip")
    sound = tmp_path / "sound.mkv"
    with av.open(whole) as container, av.open(sound, "w") as output:
        copy = output.add_stream_from_template(container.streams.audio[0])
        for packet in container.demux(audio=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    pcm = save_clip(tmp_path / "pcm.mov", moving(3), sound="pcm_s16le")
    cases = [
        (tmp_path / "missing.mp4", "out.mp4", "cannot be read as a clip: No such file"),
        (text, "out.mp4", "cannot be read as a clip"),
        (cut, "out.mkv", "is the file whole"),
        (cut_movie, "out.mp4", "damaged after|is the file whole"),
        (sound, "out.mkv", "sound alone"),
        (whole, "out.gif", "cannot write '.gif' clips"),
        (whole, "no folder/out.mkv", "cannot be written: No such file"),
        (pcm, "out.webm", "its sound (pcm_s16le) does not fit into webm; write .mkv"),
    ]
    for source, out, expected in cases:
        with pytest.raises(ValueError, match=expected.replace("(", r"\(").replace(")", r"\)")) as caught:
            translate(source, tmp_path / out)
        assert len(str(caught.value).splitlines()) == 1
        assert type(caught.value) is ValueError
        assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "out"))]


def test_subtitles_and_chapters_come_along_where_they_fit(tmp_path: Path) -> None:
    plain = save_clip(tmp_path / "plain.mkv", moving(30), [40 * index for index in range(30)], base=Fraction(1, 1000))
    lines = tmp_path / "lines.srt"
    lines.write_text("1\n00:00:00,100 --> 00:00:00,500\nGood morning\n\n2\n00:00:00,600 --> 00:00:01,100\nGood night\n")
    source = tmp_path / "clip.mkv"
    with av.open(plain) as clip, av.open(lines) as text, av.open(source, "w") as output:
        copies = {each: output.add_stream_from_template(each, opaque=True) for each in clip.streams}
        words = output.add_stream_from_template(text.streams[0])
        chapter = {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "Dawn"}}
        output.set_chapters([chapter])
        for packet in (*text.demux(), *clip.demux()):
            if packet.size:
                packet.stream = copies.get(packet.stream, words)
                output.mux(packet)
    result = translate(source, tmp_path / "out.mkv")
    assert (result.frames, result.notes) == (30, ())
    with av.open(result.path) as container:
        assert [each["metadata"]["title"] for each in container.chapters()] == ["Dawn"]
        said = [bytes(packet) for packet in container.demux(subtitles=0) if packet.size]
    assert said == [b"Good morning", b"Good night"]
    movie = translate(source, tmp_path / "out.mp4")
    assert movie.notes == ("a stream of subtitle (srt) left out",)
    assert contents(movie.path)[0] == contents(source)[0]


def test_a_clip_without_times_gets_even_ones(tmp_path: Path) -> None:
    source = save_clip(
        tmp_path / "old.avi", moving(10), list(range(10)), base=Fraction(1, 25), sound=None, codec="mpeg4"
    )
    result = translate(source, tmp_path / "out.mp4")
    assert contents(result.path)[0] == [Fraction(index, 25) for index in range(10)]


def test_a_failing_model_ends_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    class Failing(Echo):
        def __call__(self, image: np.ndarray, seed: int | None = None) -> np.ndarray:
            if image[0, 0, 0] > 200:
                raise ValueError("too light")
            return image

    pictures = [np.full((64, 64, 3), 20 * index, np.uint8) for index in range(12)]
    source = save_clip(tmp_path / "clip.mp4", pictures)
    with pytest.raises(ValueError, match="too light"):
        translate(source, tmp_path / "out.mp4", Failing())
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_the_command_takes_clips_and_pictures_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pix2pix.clips.translating.MOST_WORKERS", 1)
    save_clip(tmp_path / "film.mp4", moving(4))
    (tmp_path / "broken.mov").write_bytes(b"no clip")
    write_image(tmp_path / "still.png", moving(1)[0])
    arguments = ["film.mp4", "broken.mov", "still.png", "--out", "out", "--saturation", "0", "--backend", "torch"]
    assert command.main([*arguments, "--model", "colorize"]) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"film.mp4", "still.png", "report.json"}
    assert "broken.mov" in capsys.readouterr().err
    assert contents(tmp_path / "out" / "film.mp4")[0] == contents(tmp_path / "film.mp4")[0]
    assert np.ptp(pictures_of(tmp_path / "out" / "film.mp4")[0].astype(int), axis=2).mean() < 2  # grey, as wished
    assert command.main([*arguments, "--model", "colorize", "--skip-existing"]) == 1
    assert "2 pictures left alone" in capsys.readouterr().out
    assert command.main(["film.mp4", "--out", "alone", "--model", "colorize", "--backend", "torch"]) == 0
    assert capsys.readouterr().out.startswith("1 clip, written to alone")


def test_without_pyav_the_line_that_installs_it_is_told(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path; from pix2pix.clips.reading import open_clip\n"
        "try:\n  open_clip(Path('x.mp4')).__enter__()\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install 'pix2pix[video]'" in done.stdout


def test_outputs_are_of_the_clips_own_kind_where_it_is_written() -> None:
    named = {"a.MP4": ".mp4", "a.mov": ".mov", "a.webm": ".webm", "a.mkv": ".mkv", "a.m4v": ".mp4", "a.avi": ".mkv"}
    assert {name: clip_suffix(Path(name)) for name in named} == named


def test_items_made_ahead_are_the_same_and_an_early_end_is_clean() -> None:
    assert list(prefetched(range(100), 2)) == list(range(100))
    closed = []

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.append(True)

    items = prefetched(endless(), 2)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    items.close()
    assert closed == [True]

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(prefetched(broken(), 1))


# --- motion, flicker and smoothing ---


def textured(height: int = 120, width: int = 200) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (height, width, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)  # type: ignore[call-overload, no-any-return]


def test_a_known_motion_is_found_and_what_came_in_is_not_trusted() -> None:
    large = textured(140, 260)
    before, after = large[10:130, 20:220, 1], large[13:133, 28:228, 1]  # what is shown moves by (-8, -3)
    forth, back = flow(before, after), flow(after, before)
    middle = (slice(20, -20), slice(30, -30))
    np.testing.assert_allclose(np.median(forth[middle], (0, 1)), (-8, -3), atol=0.2)
    seen = is_seen(forth, back)
    assert seen[middle].mean() > 0.97
    assert not seen[:, :7].any()
    assert np.abs(warp(after, forth)[middle].astype(int) - before[middle]).mean() < 3


def test_flicker_is_what_changes_beyond_motion() -> None:
    still = [textured()] * 3
    assert flicker(still, still).warping_error == 0
    grey = [np.full((40, 40, 3), level, np.uint8) for level in (100, 100, 100)]
    lighter = [np.full((40, 40, 3), level, np.uint8) for level in (100, 151, 100)]
    found = flicker(grey, lighter)
    assert found.pairs == 2
    assert found.warping_error == pytest.approx(3 * (51 / 255) ** 2)  # 51 levels in each of three channels
    assert found.chroma == pytest.approx(0, abs=1e-2)
    red, green = np.array([(200, 60, 60), (60, 160, 60)], np.uint8)
    coloured = [np.broadcast_to(colour, (40, 40, 3)).copy() for colour in (red, green, red)]
    expected = np.linalg.norm(np.subtract(*(rgb_to_lab(colour[None, None])[0, 0, 1:] for colour in (red, green))))
    assert flicker(grey, coloured).chroma == pytest.approx(float(expected), rel=1e-4)
    with pytest.raises(ValueError, match="one scene"):
        flicker(grey[:1], grey[:1])


def unsteady(sources: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """Colours that change from frame to frame, slowly over the picture, as those of a network do."""
    rng = np.random.default_rng(seed)
    outputs = []
    for source in sources:
        height, width = source.shape[:2]
        wobble = cv2.resize(
            rng.normal(0, 6, (4, 6, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        lab = np.concatenate([lightness(source)[..., None], wobble + np.array((12, 18), np.float32)], axis=2)
        outputs.append(lab_to_rgb(lab, np.dtype(np.uint8)))
    return outputs


def pan(count: int, offset: int = 0) -> list[np.ndarray]:
    large = np.clip(textured(200, 400), 40, 215)[..., :1].repeat(3, 2)
    return [large[offset + index : offset + index + 120, 2 * index : 2 * index + 200].copy() for index in range(count)]


def chroma_of(pictures: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([rgb_to_lab(picture)[..., 1:].mean((0, 1)) for picture in pictures])


def test_smoothing_lowers_flicker_and_keeps_colour_and_lightness() -> None:
    sources = pan(16)
    outputs = unsteady(sources)
    smoothing = ChromaSmoothing()
    smoothed = [smoothing(source, output) for source, output in zip(sources, outputs, strict=True)]
    np.testing.assert_array_equal(smoothed[0], outputs[0])
    before, after = flicker(sources, outputs), flicker(sources, smoothed)
    assert after.chroma < 0.5 * before.chroma
    assert after.warping_error < before.warping_error
    np.testing.assert_allclose(chroma_of(smoothed).mean(0), chroma_of(outputs).mean(0), rtol=0.1)
    for source, picture in zip(sources, smoothed, strict=True):
        assert np.abs(lightness(source) - lightness(picture)).max() < 0.3
    none = ChromaSmoothing(0)
    for source, output in zip(sources[:3], outputs[:3], strict=True):
        assert np.abs(none(source, output).astype(int) - output).max() <= 1
    with pytest.raises(ValueError, match="less than 1"):
        ChromaSmoothing(1)


def test_smoothing_begins_anew_at_a_cut_and_where_something_came_in() -> None:
    dark, light = [np.full((64, 96, 3), level, np.uint8) for level in (60, 190)]
    smoothing = ChromaSmoothing()
    smoothing(dark, np.full_like(dark, 60) + np.array([40, 0, 0], np.uint8))
    np.testing.assert_array_equal(smoothing(light, light), light)
    # A dark disc comes in where light ground was: its colour is its own from the first frame on.
    ground = textured(120, 160)[..., :1].repeat(3, 2) // 4 + 150
    with_disc = cv2.circle(ground.copy(), (80, 60), 20, (40, 40, 40), -1)
    coloured = [lab(ground, (20, 20)), lab(with_disc, (-15, -15))]
    smoothing = ChromaSmoothing()
    smoothing(ground, coloured[0])
    chroma = rgb_to_lab(smoothing(with_disc, coloured[1]))[..., 1:]
    assert np.abs(chroma[52:68, 72:88] - rgb_to_lab(coloured[1])[52:68, 72:88, 1:]).max() < 3
    assert chroma[10:30, 10:40].mean() > 5  # the ground keeps most of what it had


def lab(source: np.ndarray, chroma: tuple[int, int]) -> np.ndarray:
    plane = np.broadcast_to(np.array(chroma, np.float32), (*source.shape[:2], 2))
    return lab_to_rgb(np.concatenate([lightness(source)[..., None], plane], axis=2), np.dtype(np.uint8))


def test_only_models_that_predict_chroma_are_smoothed(tmp_path: Path) -> None:
    sources = pan(10)
    source = save_clip(tmp_path / "clip.mp4", sources, sound=None)

    class Wobbling(Echo):
        def __call__(self, image: np.ndarray, seed: int | None = None) -> np.ndarray:
            return unsteady([image], seed=int(image[:5].sum()))[0]

    shown = {}
    for name, target, smooth in (("rgb", "rgb", 0.8), ("off", "lab_chroma", 0.0), ("on", "lab_chroma", 0.8)):
        result = translate(source, tmp_path / f"{name}.mp4", Wobbling(target), smooth)
        shown[name] = flicker(sources, pictures_of(result.path)).chroma
    assert shown["rgb"] == pytest.approx(shown["off"], rel=0.01)  # libx264 does not repeat itself to the bit
    assert shown["on"] < 0.5 * shown["off"]


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no photos under {PHOTOS}; set PIX2PIX_TEST_DATA")
def test_colouring_a_clip_of_photos_flickers_less_with_smoothing(tmp_path: Path) -> None:
    from pix2pix import hub
    from pix2pix.checkpoint import load_model

    pictures = []
    for number, path in enumerate(sorted(PHOTOS.iterdir())[:2]):
        whole = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert whole is not None
        for index in range(8):
            zoom = 1 + 0.01 * index
            moved = np.array([[zoom, 0, -4 * index], [0, zoom, -2 * index * number]], np.float32)
            seen = np.asarray(cv2.warpAffine(whole, moved, (320, 240)))
            pictures.append(seen[..., None].repeat(3, 2))
    source = save_clip(tmp_path / "clip.mp4", pictures)
    translator = Translator(load_model(hub.choose("colorize", None, print)))
    sources = pictures_of(source)
    plain, smooth = (
        pictures_of(translate(source, tmp_path / f"{strength}.mp4", translator, strength).path)
        for strength in (0.0, 0.8)
    )
    before, after = flicker(sources, plain), flicker(sources, smooth)
    assert after.chroma < 0.8 * before.chroma
    assert after.warping_error <= before.warping_error
    amounts = [
        np.mean([np.hypot(*np.moveaxis(rgb_to_lab(each)[..., 1:], 2, 0)).mean() for each in clip])
        for clip in (plain, smooth)
    ]
    assert amounts[1] == pytest.approx(amounts[0], rel=0.1)
