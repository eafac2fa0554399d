import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from genimg import data
from genimg.data.attributes import Attribute
from genimg.data.given import given_dataset
from genimg.data.registry import Dataset

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 3, 16, 16), np.uint8)
LABELS = [0, 1, 2, 0, 1, 2]


class Listed(torch.utils.data.Dataset):
    """A map-style data set of a list."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Named(Listed):
    classes = ["a", "b", "c"]


def listed(pictures, labels=LABELS):
    return Listed(list(zip(pictures, labels, strict=True)))


IMAGES = torch.from_numpy(PIXELS)


@pytest.mark.parametrize(
    "pictures",
    [
        list(IMAGES),
        [image.float() / 255 for image in IMAGES],  # as torchvision's ToTensor makes them
        [image.numpy().transpose(1, 2, 0) for image in IMAGES],
        [Image.fromarray(image.numpy().transpose(1, 2, 0)) for image in IMAGES],
    ],
    ids=["bytes", "floats", "arrays", "PIL"],
)
@pytest.mark.parametrize("label", [int, np.int64, torch.tensor])
def test_pictures_come_in_many_forms(pictures, label):
    given = given_dataset(listed(pictures, [label(value) for value in LABELS]))
    assert torch.equal(given.images, IMAGES)
    assert given.labels.tolist() == LABELS
    assert given.labels.dtype == torch.int64
    assert given.classes == ("0", "1", "2")
    assert given.name == given_dataset(Dataset("x", IMAGES, given.labels, given.classes, "")).name


def test_grey_pictures_need_no_third_axis():
    for picture in (PIXELS[0, 0], torch.from_numpy(PIXELS[0, 0]), Image.fromarray(PIXELS[0, 0])):
        assert torch.equal(given_dataset(Listed([(picture, 0)])).images[0, 0], IMAGES[0, 0])


def test_names_of_classes_are_kept():
    assert given_dataset(Named([(IMAGES[0], 1)])).classes == ("a", "b", "c")
    tensors = TensorDataset(IMAGES, torch.tensor(LABELS))
    assert torch.equal(given_dataset(tensors).images, IMAGES)


def test_our_own_data_sets_are_map_style_ones():
    train = data.load("fashion-mnist", size=28, full=False).subset(slice(50))
    images, labels = next(iter(DataLoader(train, batch_size=50)))
    assert torch.equal(images, train.images)
    assert torch.equal(labels, train.labels)
    again = given_dataset(Listed(list(train)))
    assert torch.equal(again.images, train.images)


def dataset(**changes):
    facts = {"name": "mine", "images": IMAGES, "labels": torch.tensor(LABELS), "source": ""}
    return Dataset(**facts | {"classes": ("a", "b", "c")} | changes)


def test_the_hash_is_of_all_that_can_be_learnt():
    other = IMAGES.clone()
    other[0, 0, 0, 0] ^= 1
    hair = {"hair": Attribute(("long", "short"), torch.zeros(6, dtype=torch.int64))}
    sets = [
        dataset(),
        dataset(images=other),
        dataset(labels=torch.tensor([1, *LABELS[1:]])),
        dataset(classes=("a", "b", "d")),
        dataset(attributes=hair),
    ]
    assert len({given_dataset(each).name for each in sets}) == len(sets)
    same = given_dataset(dataset(name="called\x1b[31m\notherwise"))
    assert same.name == given_dataset(dataset()).name
    assert same.source.startswith("called [31m otherwise, given in Python (sha256 ")
    assert given_dataset(same).name == same.name


class Endless(IterableDataset):
    def __iter__(self):
        yield IMAGES[0], 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "must be a name, a genimg.data.Dataset, or a map-style data set"),
        (7, "must be a name"),
        (Endless(), "with __len__ and __getitem__"),
        ({"a": 1}, "must be a name"),
        (Listed([]), "has no pictures"),
        (Listed([IMAGES[0]] * 2), r"item 0 of the data set must be \(picture, label\)"),
        (listed([*IMAGES[:5], IMAGES[5, :, :8]]), r"picture 5 is 3 x 8 x 16 and picture 0 3 x 16"),
        (Listed([(IMAGES[0].float() / 127.5 - 1, 0)]), "not from 0 to 1; leave out Normalize"),
        (Listed([(IMAGES[0].float() * float("nan"), 0)]), "not from 0 to 1"),
        (Listed([(IMAGES[0].int(), 0)]), "must be of bytes, or of floats from 0 to 1, not of"),
        (Listed([("cat.png", 0)]), "picture 0 must be one of PIL"),
        (Listed([(IMAGES[0], "cat")]), "label 0 must be a whole number from 0, not 'cat'"),
        (Listed([(IMAGES[0], -1)]), "label 0 must be a whole number from 0, not -1"),
        (Listed([(IMAGES[0, :, :8], 0)]), "must be square, with 1 or 3 channels"),
        (Listed([(IMAGES[0, :2], 0)]), "with 1 or 3 channels"),
        (dataset(images=IMAGES.float()), r"a tensor of uint8 \(N, C, H, W\)"),
        (dataset(labels=torch.tensor(LABELS).float()), r"a tensor of int64 \(6,\)"),
        (dataset(labels=torch.tensor([3, 0, 0, 0, 0, 0])), "from 0 to 2, one for each"),
        (dataset(classes=["a", "b", "c"]), "the classes of a data set must be names"),
    ],
)
def test_what_is_no_data_set_is_refused_in_one_sentence(source, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        given_dataset(source)
    assert "\n" not in str(refused.value)
