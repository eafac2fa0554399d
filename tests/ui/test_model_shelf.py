import shutil
import threading
import time
from pathlib import Path

import pytest

from genimg.checkpoints import CheckpointError
from genimg.ui.model_shelf import JoinedShelf, ModelShelf, fill_shelves, use_of


def test_given_sources_come_first_and_once(paths):
    shelf = fill_shelves([paths["plain"], paths["style"], paths["plain"]])["gan"]
    assert shelf.names[:2] == [paths["plain"], paths["style"]]
    assert len(shelf.names) == len(set(shelf.names))


def test_what_ships_is_in_a_sensible_order(monkeypatch, paths, tmp_path):
    """The first of a use, then the others by their names."""
    for name in ("a-dcgan", "fashion-mlp", "fashion-style", "portraits-style"):
        shutil.copytree(paths["plain"], tmp_path / name)
    monkeypatch.setattr("genimg.checkpoints.SHIPPED", tmp_path)
    assert fill_shelves()["gan"].names == [
        "portraits-style",
        "a-dcgan",
        "fashion-mlp",
        "fashion-style",
    ]


def test_a_path_is_shown_by_its_last_part_unless_two_have_it(paths, tmp_path):
    shutil.copytree(paths["style"], tmp_path / "style")
    first, second, plain = paths["style"], str(tmp_path / "style"), paths["plain"]
    choices = ModelShelf([first, second, plain]).choices()
    assert choices[:3] == [(first, first), (second, second), ("plain", plain)]


def test_what_ships_is_shown_by_a_title_that_no_other_of_its_use_has():
    for use, shelf in fill_shelves().items():
        titles = [title for title, _ in shelf.choices()]
        assert len({*titles}) == len(titles), use
        assert not {*titles} & {*shelf.names}, use


def test_a_model_is_loaded_once(shelf):
    with shelf.use(shelf.names[0]) as first:
        pass
    with shelf.use(shelf.names[0]) as second:
        assert first is second


def test_who_has_a_model_may_ask_for_it_again(shelf):
    with shelf.use(shelf.names[0]) as first, shelf.use(shelf.names[0]) as second:
        assert first is second


@pytest.mark.parametrize("name", ["", "../style", "/etc/passwd", None, 3, ["style"]])
def test_names_that_are_not_on_offer_never_become_paths(shelf, name):
    with pytest.raises(CheckpointError, match="choose one of"), shelf.use(name):
        pass


def test_a_real_checkpoint_that_is_not_on_offer_is_refused(paths):
    shelf = ModelShelf([paths["style"]])
    with pytest.raises(CheckpointError, match="choose one of"), shelf.use(paths["plain"]):
        pass


def test_each_model_stands_where_it_is_of_use(paths):
    shelves = fill_shelves([paths["vision"], paths["plain"], paths["drawer"]])
    for use, name in [("gan", "plain"), ("drawer", "drawer"), ("vision", "vision")]:
        assert shelves[use].names[0] == paths[name]
        assert use_of(Path(paths[name])) == use


def test_what_the_page_cannot_show_is_refused_at_the_start(paths, tmp_path):
    with pytest.raises(CheckpointError, match="cannot show it"):
        fill_shelves([paths["judge"]])
    with pytest.raises(CheckpointError, match="no checkpoint"):
        fill_shelves([tmp_path])
    (tmp_path / "config.json").write_text('["kind"]')
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        fill_shelves([tmp_path])


def test_nothing_to_offer_is_one_sentence(monkeypatch):
    monkeypatch.setattr("genimg.checkpoints.names", list)
    with pytest.raises(CheckpointError, match="genimg train"):
        fill_shelves()


def test_one_thread_at_a_time(shelf):
    inside, most = [], []

    def work():
        with shelf.use(shelf.names[0]):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8
    assert max(most) == 1


def test_joined_shelves_lend_what_each_of_them_has(drawer_shelf, masked_shelf):
    joined = JoinedShelf([drawer_shelf, masked_shelf])
    assert joined.names == [*drawer_shelf.names, *masked_shelf.names]
    assert joined.choices() == drawer_shelf.choices() + masked_shelf.choices()
    for shelf in (drawer_shelf, masked_shelf):
        [name] = shelf.names
        with joined.use(name) as one, shelf.use(name) as other:
            assert one is other
        assert joined.named(name) == joined.source(name) == name
    for name in ("", "/etc/passwd", None, 3):
        with pytest.raises(CheckpointError, match=r"choose one of .*drawer.*masked"):
            joined.named(name)
    forgotten = []
    joined.when_reloaded(lambda: forgotten.append(1))
    joined.reload(masked_shelf.names[0])
    assert forgotten == [1]
