import numpy as np
import torch

from genimg.tensors import image_tensor, to_uint8


def test_read_only_and_reversed_arrays_are_taken():
    images = np.random.default_rng(1).integers(0, 256, (4, 3, 3, 2), dtype=np.uint8)
    images.flags.writeable = False
    np.testing.assert_array_equal(
        image_tensor(images[::-1]).permute(0, 2, 3, 1).numpy(), images[::-1]
    )


def test_pictures_are_rounded_and_clamped():
    levels = torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0]).view(5, 1, 1, 1)
    assert to_uint8(levels).ravel().tolist() == [0, 0, 128, 255, 255]
    assert to_uint8(torch.zeros(2, 3, 4, 5)).shape == (2, 4, 5, 3)
