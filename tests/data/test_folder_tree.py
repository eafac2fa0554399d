import time

import pytest

from genimg.data.folder_tree import split_of, tree_of, way_to_classes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train", ("train", ())),
        ("Training Set", ("train", ())),
        ("TestImages", ("test", ())),
        ("val2017", ("val", ())),
        ("seg_test", ("test", ("seg",))),
        ("验证集", ("val", ())),
        ("trainer", None),
        ("train_test", None),
        ("station", None),
        ("", None),
    ],
)
def test_names_that_mean_a_split(name, expected):
    assert split_of(name) == expected


def test_a_tree_counts_what_is_called_a_picture():
    root = tree_of([["a", "1.png"], ["a", "b", "2.JPG"], ["a", "notes.txt"], ["c", "x.xml"]])
    assert (root.total, root.files, list(root.folders)) == (2, 0, ["a"])
    assert root.folders["a"].files == 1
    assert tree_of([["c", "x.xml"]]).total == 1  # nothing is called one


def test_the_way_leads_through_outer_folders():
    way, folder = way_to_classes(tree_of([["a", "b", name, "1.png"] for name in ("x", "y")]))
    assert way == ("a", "b")
    assert list(folder.folders) == ["x", "y"]
    assert way_to_classes(tree_of([["a", "b", "1.png"]]))[0] == ()


def test_many_classes_take_no_time():
    from genimg.data.layout import arrange

    paths = [
        [split, f"class {number % 1000}", f"{number}.png"]
        for split in ("train", "test")
        for number in range(20_000)
    ]
    paths += [["train", f"{number}.png"] for number in range(2000)]
    begin = time.process_time()
    arrange(paths)
    assert time.process_time() - begin < 5
