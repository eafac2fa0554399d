import typing

from genimg import checkpoints
from genimg.explore.uses import SHOWN, USES, Model
from genimg.models import KINDS


def test_every_kind_of_model_has_a_use_and_every_use_a_kind():
    assert {kind.use for kind in KINDS.values()} == set(USES)


def test_every_use_has_its_own_class_and_word():
    assert len({use.load for use in USES.values()}) == len({use.word for use in USES.values()})
    for use in USES.values():
        assert issubclass(use.load, typing.get_args(Model))


def test_what_the_page_shows_first_is_a_shipped_model_of_that_use():
    assert {name: use.tab_id for name, use in SHOWN.items()} == {
        "gan": "gan",
        "drawer": "transformer",
        "masked-drawer": "transformer",
        "vision": "transformer",
    }
    for name, use in SHOWN.items():
        assert KINDS[checkpoints.read(use.first).kind].use == name
