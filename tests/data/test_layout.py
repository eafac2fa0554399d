from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.labels import read_labels
from genimg.data.layout import STRAY, arrange


def files(folders):
    """Paths of so many pictures in each folder; a name with an ending is one file."""
    paths = []
    for folder, count in folders.items():
        parts = [part for part in folder.split("/") if part]
        if "." in folder:
            paths.append(parts)
        else:
            paths += [[*parts, f"{number}.jpg"] for number in range(count)]
    return paths


def places(folders, labels=()):
    layout = arrange(files(folders), labels)
    return Counter(place if isinstance(place, str) else tuple(place) for place in layout.places)


def divided(train, test, names=("cats", "dogs")):
    return {("train", name): train for name in names} | {("test", name): test for name in names}


def undivided(count, names=("cats", "dogs")):
    return {(None, name): count for name in names}


def both(pattern, count):
    """The pictures of two classes in folders such as "set/*/more"."""
    return {pattern.replace("*", name): count for name in ("cats", "dogs")}


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (both("*", 3), undivided(3)),
        (both("*/deep/er", 3), undivided(3)),
        (both("part1/*", 2) | both("part2/*", 1), undivided(3)),
        (both("set/fold-0/*", 2) | both("set/fold-1/*", 1), undivided(3)),
        (both("*/indoors", 2) | both("*/outdoors", 1), undivided(3)),
        ({"1": 2, "2": 2}, undivided(2, ["1", "2"])),
        (both("set/*", 3), undivided(3)),
        (both("a/b/c/*", 3), undivided(3)),
        (both("set/*", 3) | {"set/preview.jpg": 1}, undivided(3) | {STRAY: 1}),
        (both("*", 3) | {"loose.jpg": 1}, undivided(3) | {STRAY: 1}),
        (both("set/*", 3) | {"preview.jpg": 1}, undivided(3) | {STRAY: 1}),
        ({"": 3}, undivided(3, ["pictures"])),
        ({"cats": 3}, undivided(3, ["cats"])),
        ({"cats/a": 2}, undivided(2, ["cats"])),
        ({"cats/a": 1, "cats/b": 1, "cats/2.jpg": 1}, undivided(3, ["cats"])),
        # As many beside the folders as in them are no strays.
        ({"cats": 1, "dogs": 1, "": 3}, undivided(1) | undivided(3, ["pictures"])),
        ({"set/cats": 1, "set/dogs/deep": 3}, {(None, "cats"): 1, (None, "dogs"): 3}),
    ],
)
def test_classes(folders, expected):
    assert places(folders) == expected


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(("train", "test"), ("train", "val"), ("training", "validation"), ("Train", "VALID")),
        *(("train", "dev"), ("training", "testing"), ("training_set", "test_set")),
        *(("seg_train", "seg_test"), ("train-images", "val-images"), ("TrainSet", "TestSet")),
        *(("asl_alphabet_train", "asl_alphabet_test"), ("1_train", "2_test"), ("训练集", "测试集")),
    ],
)
@pytest.mark.parametrize("pattern", ["{}/*", "set/{}/*", "{}/{}/*", "*/{}", "set/*/{}", "a/b/{}/*"])
def test_folders_for_training_and_testing_are_the_splits(train, test, pattern):
    folders = both(pattern.format(train, train), 8) | both(pattern.format(test, test), 2)
    inside = pattern.split("/")[-1] != "*"
    if inside and ("seg" in train or "asl" in train):
        pytest.skip("inside of a class only the plain words are understood")
    assert places(folders) == divided(8, 2)


def test_validation_is_for_testing_if_nothing_else_is_and_for_training_otherwise():
    folders = both("train/*", 8) | both("val/*", 1)
    assert places(folders) == divided(8, 1)
    layout = arrange(files(folders | both("test/*", 2)))
    assert Counter(map(tuple, layout.places)) == divided(9, 2)
    assert layout.found({"cats": 11}) == (
        "found 1 class: cats; splits train, val and test understood (val is trained on, too)"
    )


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        # Vehicles: "train" alone is a class.
        ({"train": 4, "car": 4, "bus": 4}, undivided(4, ["train", "car", "bus"])),
        ({"train": 4}, undivided(4, ["train"])),
        # An only folder for training is looked through.
        (both("train/*", 4), undivided(4)),
        ({"train/cats": 4}, undivided(4, ["cats"])),
        # One class.
        ({"train/cats": 4, "test/cats": 1}, divided(4, 1, ["cats"])),
        ({"train": 4, "test": 1}, divided(4, 1, ["pictures"])),
        ({"boots/train": 4, "boots/test": 1}, divided(4, 1, ["boots"])),
        # Nothing to train on: as if there were no splits.
        (both("val/*", 4) | both("test/*", 2), undivided(6)),
        # Pictures to test with whose classes nobody knows.
        (
            both("train/*", 4) | {"test": 3},
            undivided(4) | {"the pictures to train on have no class pictures": 3},
        ),
        (
            both("train/*", 4) | both("test/*", 1) | {"test/birds": 1},
            divided(4, 1) | {"the pictures to train on have no class birds": 1},
        ),
        # Another spelling is the same class.
        (both("train/*", 4) | {"test/Cats": 1, "test/DOGS": 1}, divided(4, 1)),
        # A copy of everything inside.
        (
            both("train/*", 4) | both("test/*", 1) | both("copy/train/*", 4),
            divided(4, 1) | {"it lies beside the folders test and train": 8},
        ),
    ],
)
def test_unusual_splits(folders, expected):
    assert places(folders) == expected


def test_different_folders_stay_different_and_the_report_says_what_was_renamed():
    names = ["C#", "C@", "C:", "C?", "Cats", "cats", "犬", "😀"]
    layout = arrange(files(dict.fromkeys(names, 2)))
    labels = {place.label for place in layout.places}
    assert len(labels) == len(names)
    assert {"C#", "C@", "Cats", "犬", "😀"} < labels
    assert layout.found(Counter(place.label for place in layout.places)).endswith(
        '; 3 renamed ("C:" is "C_", "C?" is "C_ (2)", "cats" is "cats (2)")'
    )
    # One text in two forms of Unicode is one name to everybody.
    assert places({"e\u0301": 1, "\u00e9": 2}) == undivided(3, ["é"])
    layout = arrange(files({"e\u0301": 1, "\u00e9": 2}))
    assert layout.found({"é": 3}) == (
        'found 1 class: é; 2 folders whose names all read "é" are one class'
    )


def test_many_classes_are_named_in_part():
    found = arrange([]).found({f"{number}": 1 for number in range(100)})
    assert found.startswith("found 100 classes: 0, 1, 2,")
    assert found.endswith("11 and 88 more")


STYLEGAN = b'{"labels": [["0/0.jpg", 6], ["0/1.jpg", 7], ["1/0.jpg", 7]]}'


def test_labels_beside_the_pictures_are_read_or_their_neglect_is_said():
    stylegan = read_labels(["dataset.json"], STYLEGAN)
    assert places({"0": 2, "1": 1}, [stylegan]) == {(None, "6"): 1, (None, "7"): 2}
    none = read_labels(["dataset.json"], b'{"labels": null}')
    assert places({"0": 2, "1": 1}, [none]) == undivided(3, ["pictures"])
    table = read_labels(["labels.csv"], b"id,breed\n0,boxer\n1,poodle\n")
    assert places({"images": 3}, [table]) == {
        (None, "boxer"): 1,
        (None, "poodle"): 1,
        "labels.csv tells no class for it": 1,
    }
    assert places({"train": 2, "test": 1}, [table]) == {
        ("train", "boxer"): 1,
        ("train", "poodle"): 1,
        ("test", "boxer"): 1,
    }
    layout = arrange(files(both("*", 3)), [table])
    assert layout.notes == ["labels.csv was left aside, because the folders tell the classes"]
    layout = arrange(files({"": 3}), [read_labels(["labels.csv"], b"a,b\n1,2\n")])
    [note] = layout.notes
    assert note.startswith("labels.csv was left aside: no column of it is called")


@given(
    st.lists(
        st.lists(st.sampled_from(["train", "test", "val", "a", "b", "1.png"]), max_size=5),
        max_size=12,
    )
)
def test_every_path_has_a_place_or_a_reason(paths):
    layout = arrange(paths)
    assert len(layout.places) == len(paths)
    splits = {place.split for place in layout.places if not isinstance(place, str)}
    assert splits <= {None} or splits <= {"train", "test"}
    assert len(splits) != 1 or splits == {None}
    again = arrange(paths[::-1])
    assert again.places == layout.places[::-1]


def test_a_very_deep_path_costs_nothing_and_has_a_class():
    deep = ["a"] * 30_000
    assert arrange([[*deep, "1.png"], ["b", "2.png"]]).places[0].label == "a"
