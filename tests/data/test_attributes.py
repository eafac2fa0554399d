import torch

from genimg.data.attributes import Attribute, take


def test_take_keeps_names_and_kind():
    attributes = {
        "hair": Attribute(("long", "short"), torch.tensor([0, 1, 1])),
        "hue": Attribute((), torch.tensor([0.1, 0.2, 0.3]), cyclic=True),
    }
    taken = take(attributes, torch.tensor([2, 0]))
    assert list(taken) == ["hair", "hue"]
    assert taken["hair"].values == ("long", "short")
    assert taken["hair"].data.tolist() == [1, 0]
    assert not taken["hair"].continuous
    assert not taken["hair"].cyclic
    assert torch.equal(taken["hue"].data, torch.tensor([0.3, 0.1]))
    assert taken["hue"].continuous
    assert taken["hue"].cyclic
    assert len(taken["hue"]) == 2
