"""Clips through a model: every frame at its time, true colours, untouched sound."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from clip_files import Echo, av, contents, moving, pictures_of, save_clip, translate
from small_pictures import photo

from pix2pix import translate as command
from pix2pix.clips.reading import turned
from pix2pix.clips.translating import prefetched, translate_video
from pix2pix.clips.writing import clip_suffix
from pix2pix.images import write_image
from pix2pix.translator import Translator

ROOT = Path(__file__).parent.parent
BARS = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)],
    np.uint8,
)


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
        def __call__(self, image: np.ndarray, seed: int | None = None, guidance: None = None) -> np.ndarray:
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
    assert np.ptp(pictures_of(tmp_path / "out" / "film.mp4")[0].astype(int), axis=2).mean() < 2  # grey, as asked for
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
