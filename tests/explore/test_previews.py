import numpy as np
import pytest

from genimg import load
from genimg.data import torchvision_sets
from genimg.explore.drawing import DrawerModel
from genimg.explore.previews import preview_pictures
from genimg.explore.tokenizing import TokenizerModel
from genimg.explore.vision import VisionTransformerModel


@pytest.fixture(autouse=True)
def bundled_data(monkeypatch, tmp_path):
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")


def with_data(checkpoint):
    checkpoint.card = checkpoint.card | {"dataset": "fashion-mnist", "size": 28}
    return checkpoint


def test_what_samples_shows_its_first_samples(drawer, plain):
    for model in (drawer, plain):
        assert np.array_equal(preview_pictures(model), model.sample(40, seed=0))
    assert isinstance(drawer, DrawerModel)


def test_a_tokenizer_shows_pictures_above_reconstructions(make_tiny):
    model = TokenizerModel(with_data(make_tiny("fsq-tokenizer", size=28)))
    sheet = preview_pictures(model).reshape(4, 10, 28, 28, 1)
    for row in (0, 2):
        assert np.array_equal(sheet[row + 1], model.reconstruct(sheet[row]))
    assert sheet[0].any()
    assert not np.array_equal(sheet[0], sheet[2])


def test_a_card_without_a_data_set_is_one_sentence(tokenizer):
    with pytest.raises(ValueError, match="must tell the dataset and the size"):
        preview_pictures(tokenizer)


def test_a_classifier_shows_what_it_takes_for_each_class(make_tiny):
    model = VisionTransformerModel(with_data(make_tiny("vision-transformer", size=28)))
    sheet = preview_pictures(model).reshape(4, 10, 28, 28, 1)
    found = [
        model.classify(sheet[row, column][None]).argmax() == column
        for row in range(4)
        for column in range(3)
        if not (sheet[row, column] == 255).all()
    ]
    assert found
    assert all(found)
    assert (sheet[:, 3:] == 255).all()


def test_a_network_that_names_attributes_has_a_column_for_each():
    model = load("portraits-features")
    sheet = preview_pictures(model).reshape(4, 10, 64, 64, 3)
    for column, head in enumerate(model.heads):
        whole = [picture for picture in sheet[:, column] if not (picture == 255).all()]
        values = model.read(np.stack(whole))[head.name].values
        assert len(whole) == 4
        if head.values:
            assert len(set(values)) == 1
        else:
            assert values.max() - values.min() < 0.13
