import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.labels import is_labels, read_labels


@pytest.mark.parametrize("name", ["labels.csv", "Labels.CSV", "train.tsv", "dataset.json"])
def test_files_of_labels_are_known_by_their_names(name):
    assert is_labels(["set", name])
    assert not is_labels(["set", name + ".png"])


@pytest.mark.parametrize(
    "content",
    [
        b"file,label\n1.png,cat\nx/2.png,dog\n",
        b"\xef\xbb\xbffile_name;class\r\n1.png;cat\r\nx/2.png;dog\r\n",
        b"index\tImage\tsize\tCategory\n0\t1.png\t3\tcat\n1\tx\\2.png\t3\tdog\n",
        "filename,label\n1.png,cat\n./x/2.png,dog\n".encode("utf-16"),
        b"1.png,cat\nx/2.png,dog\n",
        b'id,label\n1,"cat"\n2,dog\n',
    ],
)
def test_tables_as_people_have_them(content):
    labels = read_labels(["set", "labels.csv"], content)
    assert labels.problem == ""
    assert labels.label_of(["set", "1.png"]) == "cat"
    assert labels.label_of(["set", "x", "2.png"]) == "dog"
    assert labels.label_of(["set", "3.png"]) is None
    assert labels.label_of(["1.png"]) is None  # outside of its folder


def test_names_in_an_old_encoding():
    labels = read_labels(["labels.csv"], "file,label\n1.png,猫\n2.png,狗\n".encode("gbk"))
    assert labels.label_of(["1.png"]) == "猫"


def test_a_name_that_two_pictures_have_needs_its_path():
    labels = read_labels(["labels.csv"], b"file,label\na/1.png,cat\nb/1.png,dog\n")
    assert labels.label_of(["b", "1.png"]) == "dog"
    assert labels.label_of(["c", "1.png"]) is None


def test_the_format_of_stylegan():
    content = b'{"labels": [["00000/img00000000.png", 6], ["00000/img00000001.png", 9]]}'
    labels = read_labels(["dataset.json"], content)
    assert labels.decides
    assert labels.label_of(["00000", "img00000001.png"]) == "9"
    assert read_labels(["dataset.json"], b'{"labels": null}').unlabelled


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("dataset.json", b"{", "not valid JSON"),
        ("dataset.json", b"[" * 100_000, "not valid JSON"),
        ("dataset.json", b"[]", "StyleGAN"),
        ("dataset.json", b'{"labels": [["a", [0.5, 1]]]}', "one class"),
        ("dataset.json", b'{"labels": 3}', "one class"),
        ("labels.csv", b"", "empty"),
        ("labels.csv", b"image,MEL,NV\n1,0,1\n", "no column"),
        ("labels.csv", b'a,"' + b"x" * 200_000, "no table"),
    ],
)
def test_what_cannot_be_used_is_said(name, content, words):
    labels = read_labels([name], content)
    assert words in labels.problem
    assert labels.label_of(["a"]) is None


@given(st.binary(max_size=200), st.sampled_from(["labels.csv", "dataset.json", "train.tsv"]))
def test_any_bytes_are_labels_or_a_problem(content, name):
    labels = read_labels([name], content)
    assert "\n" not in labels.problem
    labels.label_of(["1.png"])
