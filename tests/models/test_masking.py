import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.masking import even_masks, mask_places


def numbers() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_lowest_are_masked():
    uniforms = torch.tensor([[0.5, 0.1, 0.9, 0.2], [0.3, 0.2, 0.1, 0.0]])
    masked = mask_places(uniforms, torch.tensor([2, 3]))
    assert masked.tolist() == [[False, True, False, True], [False, True, True, True]]


@given(pictures=st.integers(1, 30), size=st.integers(1, 20))
def test_every_number_of_masked_places_is_about_as_frequent(pictures, size):
    masked = even_masks(pictures, size, numbers()).sum(dim=1)
    assert masked.min() >= 1
    assert masked.max() <= size
    often = masked.bincount(minlength=size + 1)[1:]
    assert often.max() - often.min() <= 1


def test_a_picture_alone_has_any_number_of_masked_places():
    found = [int(even_masks(1, 5, numbers().manual_seed(seed)).sum()) for seed in range(2000)]
    share = torch.tensor(found).bincount(minlength=6)[1:] / 2000
    torch.testing.assert_close(share, torch.full((5,), 0.2), rtol=0, atol=0.05)


def test_every_place_is_masked_as_often():
    shares = even_masks(6000, 6, numbers()).float().mean(dim=0)
    # A mean of 3.5 of 6 places; 5 standard deviations are 0.03.
    torch.testing.assert_close(shares, torch.full((6,), 3.5 / 6), rtol=0, atol=0.03)
