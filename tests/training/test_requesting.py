import pytest

from genimg.data.drawing import Names
from genimg.data.registry import published
from genimg.training.requesting import request_run, request_spec


@pytest.mark.parametrize("setting", [{"patience": 2}])
def test_what_a_run_would_ignore_is_refused(tmp_path, setting):
    (name,) = setting
    with pytest.raises(ValueError, match=f"{name} would change nothing"):
        request_run("fashion-mlp", tmp_path / "run", **setting)
    assert not (tmp_path / "run").exists()


def test_a_run_is_asked_by_pictures_or_by_minutes(tmp_path):
    with pytest.raises(ValueError, match="by images or by minutes, not by both"):
        request_run("fashion-mlp", tmp_path / "run", images=100, minutes=1)
    assert request_run("fashion-mlp", tmp_path / "run", images=0, minutes=1).path.exists()


def test_a_network_learns_the_attributes_of_its_data_set_unless_told_otherwise():
    spec = request_spec("portraits-features")
    design = published()["portraits"].design
    heads = spec.model.heads()
    assert [head.name for head in heads] == list(design.attributes)
    for head, kind in zip(heads, design.attributes.values(), strict=True):
        if isinstance(kind, Names):
            assert head.values == kind.values
        else:
            assert (head.values, head.cyclic) == ((), kind.cyclic)
    assert (spec.run.dataset, spec.model.channels) == ("portraits", 3)
    assert request_spec("critters-features").model.heads()[0].name == "body"
    assert request_spec("portraits-features", dataset="critters").model.heads()[0].name == "body"
    mine = request_spec("portraits-features", attributes=["beard: no, yes"])
    assert mine.model.attributes == ("beard: no, yes",)


def test_data_without_attributes_cannot_teach_them():
    with pytest.raises(ValueError, match="mnist has no named attributes to learn; choose one of"):
        request_spec("portraits-features", dataset="mnist")
