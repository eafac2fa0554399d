import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.file_names import (
    UNNAMED,
    class_name,
    class_names,
    is_hidden,
    path_parts,
    shown_name,
)

NASTY = [
    *("../../x", "..", ".", "", "   ", "...", "/etc", "C:\\x", "a\\b", "a\0b", "\x1b[31m", "a\nb"),
    *("\u202egnp.exe", "\ud800", "<script>alert(1)</script>", "x" * 300, "con", "NUL.txt", "Com1"),
    *(".hidden", "trailing. ", "*?:|\"'", "\u200b", "é" * 50),
]


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_become_safe_names_of_folders(tmp_path, name):
    check_class_name(class_name(name))
    (tmp_path / class_name(name)).mkdir()
    assert os.listdir(tmp_path) == [class_name(name)]


@given(st.text(st.characters(), max_size=60))
def test_any_name_becomes_a_safe_name_of_a_folder(name):
    safe = class_name(name)
    check_class_name(safe)
    assert class_name(safe) == safe


def check_class_name(safe):
    assert 1 <= len(safe) <= 41
    assert safe.isprintable()
    assert not set(safe) & set('<>:"/\\|?*\0')
    assert safe == safe.strip(" .")
    safe.encode()
    assert not re.fullmatch(r"(con|nul|com1)(\..*)?", safe, re.IGNORECASE)


@pytest.mark.parametrize(
    "name", ["cats", "T-shirt_1 (new)", "Ångström", "犬", "कुत्ता", "con artist", "C#", "C++", "😀"]
)
def test_honest_names_stay(name):
    assert class_name(name) == name


@given(st.sets(st.text(st.sampled_from("aA<>|é\u0301e. "), max_size=4), max_size=30))
def test_different_names_stay_different_on_every_file_system(names):
    classes = class_names(names)
    texts = {unicodedata.normalize("NFC", name) for name in names}
    folders = {unicodedata.normalize("NFC", name).casefold() for name in classes.values()}
    assert len(folders) == len(set(classes.values())) == len(texts)
    for name in classes.values():
        check_class_name(name)
    assert class_names(sorted(names, reverse=True)) == classes
    assert class_names(set(classes.values())) == {name: name for name in classes.values()}


def test_many_names_that_would_be_one_take_no_time():
    long = {f"{'x' * 60}{number:05d}{'y' * 60}" for number in range(5000)}
    assert len(set(class_names(long).values())) == 5000


def test_a_long_name_keeps_its_beginning_and_its_end():
    names = class_names({"n" * 100 + str(number) for number in range(3)})
    assert {name[-3:] for name in names.values()} == {"nn0", "nn1", "nn2"}


def test_a_name_of_nothing_is_the_class_without_a_name():
    assert {class_name(name) for name in ("", ".", "..", " . ")} == {UNNAMED}


@given(st.text(st.characters(), max_size=200))
def test_shown_names_are_short_and_obeyed_by_no_terminal(name):
    shown = shown_name(name)
    assert len(shown) <= 80
    assert shown.isprintable()
    shown.encode()


def test_shown_names_say_what_they_hide():
    assert shown_name("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert shown_name("x" * 300) == "x" * 79 + "…"
    assert shown_name("cats/1.png") == "cats/1.png"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("cats/1.png", ["cats", "1.png"]),
        ("../../etc/1.png", ["etc", "1.png"]),
        ("/abs/1.png", ["abs", "1.png"]),
        ("a\\b\\1.png", ["a", "b", "1.png"]),
        ("./cats//1.png", ["cats", "1.png"]),
        ("..", []),
    ],
)
def test_paths_are_cut_at_either_slash_and_lead_nowhere(name, parts):
    assert path_parts(name) == parts


def test_the_systems_own_files_are_hidden():
    assert is_hidden(["__MACOSX", "cats", "1.png"])
    assert is_hidden(["cats", ".DS_Store"])
    for name in ("Thumbs.db", "THUMBS.DB", "Desktop.ini", "._1.png", "Icon\r", "~$cats.png"):
        assert is_hidden(["cats", name])
    for name in ("@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"):
        assert is_hidden([name, "1.png"])
    assert not is_hidden(["cats", "1.png"])
