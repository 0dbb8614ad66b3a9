"""Every representation: range, channels, and the way there and back without loss."""

import numpy as np
import pytest
import torch

from pix2pix.images import to_gray, to_rgb
from pix2pix.representations import REPRESENTATIONS, build_representation

PALETTE = {"sky": (10, 20, 200), "wall": (200, 180, 160), "door": (90, 40, 20)}


def every_value(dtype: type, channels: int) -> np.ndarray:
    count = np.iinfo(dtype).max + 1
    values: np.ndarray = np.arange(count, dtype=dtype).reshape(-1, 16, 1)
    return np.concatenate([np.roll(values, shift, axis=0) for shift in range(channels)], axis=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("name", "channels"), [("rgb", 3), ("gray", 1)])
def test_every_value_comes_back(name: str, channels: int, dtype: type) -> None:
    representation = build_representation(name, None)
    image = every_value(dtype, channels)
    tensor = representation.encode(image)
    assert tensor.shape == (channels, *image.shape[:2])
    assert tensor.min() == -1
    assert tensor.max() == 1
    decoded = representation.decode(tensor, source=image)
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded, image)


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_encode_takes_any_image(name: str, channels: int, dtype: type) -> None:
    representation = build_representation(name, PALETTE, channels)
    generator = np.random.default_rng(0)
    for _ in range(4):
        height, width = (int(size) for size in generator.integers(1, 20, 2))
        image = generator.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype=dtype)
        tensor = representation.encode(image)
        assert tensor.shape == (representation.channels, height, width)
        assert tensor.dtype == torch.float32
        assert name == "masked_rgb" or tensor.permute(1, 2, 0).is_contiguous()  # as the picture lies, so no copy
        assert tensor.min() >= -1
        assert tensor.max() <= 1
        # What was decoded once comes back the same.
        decoded = representation.decode(tensor, image)
        np.testing.assert_array_equal(representation.decode(representation.encode(decoded), image), decoded)


def test_conversions() -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    gray = build_representation("gray", None)
    np.testing.assert_array_equal(gray.decode(gray.encode(image)), to_gray(image))
    rgb = build_representation("rgb", None)
    np.testing.assert_array_equal(rgb.decode(rgb.encode(to_gray(image))), to_rgb(to_gray(image)))


def test_decode_by_hand() -> None:
    rgb = build_representation("rgb", None)
    tensor = torch.tensor([-3.0, 0.0, 0.999]).reshape(3, 1, 1)
    assert rgb.decode(tensor).tolist() == [[[0, 128, 255]]]  # clamped; 127.5 up; 254.87
    assert rgb.decode(tensor, np.zeros((9, 9, 1), np.uint16)).tolist() == [[[0, 32768, 65502]]]
    hot = (tensor * 1).requires_grad_()
    assert rgb.decode(hot.to(torch.bfloat16)).dtype == np.uint8


def test_onehot_by_hand() -> None:
    onehot = build_representation("labels_onehot", PALETTE)
    image = np.array([[[200, 180, 160], [12, 18, 190]]], np.uint8)  # wall exactly, nearly sky
    tensor = onehot.encode(image)
    assert tensor.tolist() == [[[-1, 1]], [[1, -1]], [[-1, -1]]]
    assert onehot.decode(tensor).tolist() == [[[200, 180, 160], [10, 20, 200]]]
    assert onehot.decode(torch.tensor([[[0.1]], [[-0.5]], [[0.2]]])).tolist() == [[[90, 40, 20]]]


def test_onehot_round_trip_is_exact() -> None:
    onehot = build_representation("labels_onehot", PALETTE)
    image = np.array(list(PALETTE.values()), np.uint8)[np.random.default_rng(2).integers(0, 3, (17, 23))]
    np.testing.assert_array_equal(onehot.decode(onehot.encode(image), image), image)


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"'grey'.*'gray'"):
        build_representation("grey", None)
    with pytest.raises(ValueError, match="got no palette"):
        build_representation("labels_onehot", None)
    with pytest.raises(ValueError, match="got no palette"):
        build_representation("labels_onehot", {})
    with pytest.raises(AssertionError):
        build_representation("rgb", None).decode(torch.zeros(1, 2, 2))
