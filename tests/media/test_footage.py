"""What arrays and videos give, frame by frame, and what is refused before it is read."""

import sys
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from codsl.algebra.shape import Frame
from codsl.media import footage as limits
from codsl.media import video as pictures
from codsl.media.arrays import array
from codsl.media.demo import FRAMES, HEIGHT, WIDTH, encode
from codsl.media.footage import Unusable
from codsl.media.medium import footage
from codsl.media.video import FORMATS, video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    encode(path)
    return path


def frames(path: Path, frame: Frame) -> np.ndarray:
    with footage(str(path), frame) as found:
        return np.stack(list(found.frames), 1)


def reference(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        shown = [each.to_ndarray(format="rgb24") for each in container.decode(video=0)]
    return np.stack(shown).transpose(3, 0, 1, 2) / 255


def test_the_demo_is_h264_and_moves(clip: Path) -> None:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.frames) == ("h264", FRAMES)
        assert (stream.width, stream.height, stream.average_rate) == (160, 120, 15)
    moving = frames(clip, Frame(3, (HEIGHT, WIDTH)))
    change = np.abs(np.diff(moving, axis=1)).mean(axis=(0, 2, 3)) * 255
    assert change.min() > 5


def test_the_demo_is_the_same_each_time(clip: Path) -> None:
    with footage("demo", Frame(3, (30, 40))) as found:
        again = np.stack(list(found.frames), 1)
    np.testing.assert_array_equal(again, frames(clip, Frame(3, (30, 40))))


def test_pictures_are_rgb_from_0_to_1(clip: Path) -> None:
    found = frames(clip, Frame(3, (HEIGHT, WIDTH)))
    assert (found.shape, found.dtype) == ((3, FRAMES, HEIGHT, WIDTH), np.float32)
    np.testing.assert_allclose(found, reference(clip), rtol=0, atol=1e-6)
    assert found.min() >= 0
    assert found.max() <= 1
    red, green, blue = found.mean(axis=(1, 2, 3))
    assert red > green > 0.01 < blue


def test_pictures_are_resized_as_a_whole(clip: Path) -> None:
    small = frames(clip, Frame(3, (HEIGHT // 4, WIDTH // 4)))
    blocks = reference(clip).reshape(3, FRAMES, HEIGHT // 4, 4, WIDTH // 4, 4).mean(axis=(3, 5))
    assert np.abs(small - blocks).max() < 2 / 255
    assert frames(clip, Frame(3, (50, 20))).shape == (3, FRAMES, 50, 20)


def turned_clip(path: Path, degrees: int, written: np.ndarray) -> Path:
    """A clip of one picture, `(H, W, 3)`, that is shown turned counterclockwise."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"qp": "0"})
        stream.height, stream.width = written.shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.set_display_rotation(degrees)
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(written, "rgb24")))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize(("degrees", "corner"), [(0, 0), (90, 2), (-90, 1), (180, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_turned_as_they_are_shown(
    degrees: int, corner: int, channels: int, tmp_path: Path
) -> None:
    """The corner at the top left goes down by a turn counterclockwise, as in a player."""
    written = np.zeros((32, 64, 3), np.uint8)
    written[:16, :32] = 255
    path = turned_clip(tmp_path / "phone.mp4", degrees, written)
    height, width = (64, 32) if degrees in (90, -90) else (32, 64)
    found = frames(path, Frame(channels, (height // 2, width // 2)))[:, 0]
    quarters = [part.mean() for rows in np.split(found, 2, 1) for part in np.split(rows, 2, 2)]
    np.testing.assert_allclose(quarters, np.eye(4)[corner], atol=0.05)
    with footage(str(path), Frame(channels, (height, width))) as shown:
        assert f"of {width} x {height} at" in shown.words
        assert ("turned by" in shown.words) == bool(degrees)
        assert "resized" not in shown.words


def test_a_phone_held_upright_turns_clockwise(tmp_path: Path) -> None:
    """Its file says that what lies on the right goes down: `x -> y` in the matrix of the track."""
    path = turned_clip(tmp_path / "phone.mp4", -90, np.zeros((32, 64, 3), np.uint8))
    box = path.read_bytes().partition(b"tkhd")[2]
    assert np.frombuffer(box[40:76], ">i4")[:5].tolist() == [0, 1 << 16, 0, -1 << 16, 0]


MIRRORED = {
    "left and right": ((-1, 0, 0, 1), 1, ", mirrored, resized"),
    "up and down": ((1, 0, 0, -1), 2, ", mirrored, turned by 180 degrees, resized"),
    "across and down": ((0, 1, 1, 0), 0, ", mirrored, turned by 90 degrees, resized"),
    "across and up": ((0, -1, -1, 0), 3, ", mirrored, turned by 90 degrees, resized"),
}


@pytest.mark.parametrize(("matrix", "corner", "words"), MIRRORED.values(), ids=MIRRORED)
def test_pictures_are_mirrored_as_they_are_shown(
    matrix: tuple[int, int, int, int], corner: int, words: str, tmp_path: Path
) -> None:
    """A matrix says where a step to the right goes, right and down, and where a step down does."""
    written = np.zeros((32, 64, 3), np.uint8)
    written[:16, :32] = 255
    path = turned_clip(tmp_path / "selfie.mp4", 90, written)
    before, box, rest = path.read_bytes().partition(b"tkhd")
    a, b, c, d = (each << 16 for each in matrix)
    numbers = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(before + box + rest[:40] + numbers + rest[76:])
    found = frames(path, Frame(3, (16, 16)))[:, 0]
    quarters = [part.mean() for rows in np.split(found, 2, 1) for part in np.split(rows, 2, 2)]
    np.testing.assert_allclose(quarters, np.eye(4)[corner], atol=0.05)
    with footage(str(path), Frame(3, (16, 16))) as shown:
        assert words in shown.words


def test_one_channel_is_grey(clip: Path) -> None:
    grey = frames(clip, Frame(1, (HEIGHT, WIDTH)))
    assert grey.shape == (1, FRAMES, HEIGHT, WIDTH)
    luma = np.tensordot([0.299, 0.587, 0.114], reference(clip), 1)
    assert np.abs(grey[0] - luma).max() < 2 / 255


@pytest.mark.parametrize("frame", [Frame(2, (8, 8)), Frame(3, (8,)), Frame(3), Frame(3, (9000, 8))])
def test_frames_that_are_no_pictures(frame: Frame, clip: Path) -> None:
    for given in (str(clip), "demo"):
        with pytest.raises(Unusable), footage(given, frame):
            pass


def test_without_pyav_the_extra_is_named(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for given in (str(clip), "demo"):
        with pytest.raises(Unusable, match=r"codsl\[video\]"), footage(given, Frame(3, (8, 8))):
            pass


def test_no_format_refers_to_other_files() -> None:
    referring = {
        "hls",
        "dash",
        "concat",
        "image2",
        "imf",
        "sdp",
        "rtsp",
        "lavfi",
        "webm_dash_manifest",
    }
    assert not referring & set(FORMATS.split(","))


HLS = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:4,
part.ts
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("list.m3u8", HLS), ("list.txt", "ffconcat version 1.0\nfile part.ts\n")],
)
def test_playlists_are_kept_out_twice(
    name: str, text: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with av.open(str(clip)) as life, av.open("part.ts", "w") as out:
        stream = out.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in life.decode(video=0):
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    path = Path(name)
    path.write_text(text)
    with path.open("rb") as file, av.open(file) as unguarded:
        assert sum(1 for _ in unguarded.decode(video=0)) == FRAMES
    with pytest.raises(Unusable, match="list of other files"), video(path, Frame(3, (8, 8))):
        pass
    monkeypatch.setattr(pictures, "PLAYLISTS", (b"nothing begins so",))
    with pytest.raises(Unusable, match="is not a video"), video(path, Frame(3, (8, 8))):
        pass


def test_a_file_that_looks_like_an_address_is_a_file(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.mp4", "-i.mp4", "a%03d.mp4"):
        Path(name).write_bytes(clip.read_bytes())
        assert frames(Path(name), Frame(3, (8, 8))).shape == (3, FRAMES, 8, 8)


def test_a_file_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with pytest.raises(Unusable, match="has no pictures"), video(path, Frame(3, (8, 8))):
        pass


def test_broken_pictures(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    noise = bytearray(clip.read_bytes())
    for at in range(5000, len(noise) - 8000, 7):
        noise[at] ^= 0x5A
    path.write_bytes(noise)
    with pytest.raises(Unusable, match="cannot be decoded"), video(path, Frame(3, (8, 8))) as found:
        list(found.frames)


def test_limits(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame(3, (8, 8))
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "LARGEST_SIDE", 159)
        with pytest.raises(Unusable, match="160 x 120"), video(clip, frame):
            pass
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "MOST_FRAMES", 7)
        with video(clip, frame) as found:
            assert len(list(islice(found.frames, 7))) == 7
            with pytest.raises(Unusable, match="more than 7 frames"):
                next(found.frames)
    with monkeypatch.context() as patch:
        patch.setattr(limits, "LARGEST", 1000)
        with pytest.raises(Unusable, match="larger than"), footage(str(clip), frame):
            pass


@pytest.mark.parametrize("frame", [Frame(2), Frame(5, (4,)), Frame(3, (4, 6)), Frame(1, (2, 3))])
@pytest.mark.parametrize("batch", [(), (1,)])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_arrays_of_any_rank(
    frame: Frame, batch: tuple[int, ...], dtype: str, tmp_path: Path
) -> None:
    path = tmp_path / "clip.npy"
    shape = (*batch, frame.channels, 11, *frame.space)
    clip = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for saved in (clip, np.asfortranarray(clip)):
        np.save(path, saved)
        with footage(str(path), frame) as found:
            assert found.count == 11
            each = list(found.frames)
        kind = np.float64 if dtype == "<f8" else np.float32
        assert all(one.dtype == kind and one.flags.writeable for one in each)
        expected = clip.reshape(shape[len(batch) :]).astype(kind)
        np.testing.assert_array_equal(np.stack(each, 1), expected)


def test_an_array_is_known_by_its_content_too(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros((2, 5), np.float32))
    path = (tmp_path / "clip.npy").rename(tmp_path / "clip.mp4")
    assert frames(path, Frame(2)).shape == (2, 5)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 0), "has no frames"),
        ((3, 5), "is 3 x 5, the network takes 2 x T"),
        ((2, 5, 1), "is 2 x 5 x 1"),
        ((2, 2, 5), "is 2 x 2 x 5"),
        ((), "a single number"),
    ],
)
def test_arrays_of_another_shape(shape: tuple[int, ...], words: str, tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros(shape, np.float32))
    with pytest.raises(Unusable, match=words), array(tmp_path / "clip.npy", Frame(2)):
        pass


def test_pickles_are_never_read(tmp_path: Path) -> None:
    marker = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return (Path.touch, (marker,))

    path = tmp_path / "clip.npy"
    np.save(path, np.array([Payload()], dtype=object), allow_pickle=True)
    with pytest.raises(Unusable, match="pickled"), footage(str(path), Frame(2)):
        pass
    assert not marker.exists()


def test_broken_headers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.npy"
    np.save(path, np.zeros((2, 5), np.float32))
    sound = path.read_bytes()
    generator = np.random.default_rng(1)
    outcomes = set()
    for _ in range(300):
        broken = bytearray(sound)
        for at in generator.integers(6, len(sound) - 40, generator.integers(1, 4)):
            broken[at] = generator.integers(0, 256)
        path.write_bytes(broken)
        outcomes.add(_outcome(path))
    for header in (b"(" * 9000, b"-" * 9000, b"{'descr':" * 900, b"[" * 5000 + b"]" * 5000):
        path.write_bytes(sound[:8] + len(header).to_bytes(2, "little") + header)
        outcomes.add(_outcome(path))
    assert "refused" in outcomes


def _outcome(path: Path) -> str:
    try:
        with footage(str(path), Frame(2)) as found:
            list(found.frames)
    except Unusable:
        return "refused"
    return "read"
