import pytest

from genimg.ui.compare.handlers import PICTURES, CompareView
from genimg.ui.transformer.drawing_view import ANY_CLASS


def test_models_of_one_data_set_are_put_together(shipped):
    first = shipped.first_view()
    assert (first.gan, first.drawer) == ("portraits-small", "portraits-gpt")
    assert first.label in shipped.classes(first.gan, first.drawer)
    assert shipped.gan_for("fashion-gpt", "portraits-small") == "fashion-mlp"
    assert shipped.gan_for("fashion-gpt", "fashion-small") == "fashion-small"
    assert shipped.drawer_for("fashion-small", "portraits-gpt") == "fashion-gpt"


def test_a_view_comes_back_from_its_link(compared):
    gan, drawer = compared.gans.names[0], compared.drawers.names[0]
    for _, label in compared.choices(gan, drawer):
        view = compared.view(gan, drawer, label, 7)
        query = dict(pair.split("=") for pair in view.query().split("&"))
        from urllib.parse import unquote_plus

        again = compared.linked_view({name: unquote_plus(text) for name, text in query.items()})
        assert again == view


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gan": "../../etc"}, "there is no checkpoint"),
        ({"gan": None}, "there is no checkpoint"),
        ({"drawer": "x"}, "there is no checkpoint"),
        ({"label": "Trouser"}, "both models know only"),
        ({"label": None}, "both models know only"),
        ({"seed": -1}, "the seed"),
        ({"seed": "1"}, "the seed"),
        ({"seed": 2**40}, "the seed"),
    ],
)
def test_what_no_page_sends_is_refused(compared, changed, said):
    good = {"gan": compared.gans.names[0], "drawer": compared.drawers.names[0]}
    good |= {"label": ANY_CLASS, "seed": 0}
    with pytest.raises(ValueError, match=said):
        compared.view(**good | changed)


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5", "99999999999999"])
def test_a_damaged_link_is_refused(compared, seed):
    link = {"compared": compared.gans.names[0], "with": compared.drawers.names[0]}
    with pytest.raises(ValueError, match="seed"):
        compared.linked_view(link | {"compared_seed": seed})


def test_both_make_pictures_and_missing_real_ones_are_said(compared):
    view = compared.view(compared.gans.names[0], compared.drawers.names[0], "Shoe", 1)
    shown = compared.samples(view)
    assert f"{PICTURES} pictures of the GAN" in shown
    assert f"{PICTURES} pictures of the Transformer" in shown
    assert "are not on this machine" in shown
    assert compared.samples(view) == shown
    assert "are not on this machine" in compared.copies(view)
    assert "No second decoder" in compared.bridge(view)


def test_names_of_classes_are_text(compared):
    hostile = "<b>${alert(1)}</b>"
    view = compared.view(compared.gans.names[0], compared.drawers.names[0], hostile, 1)
    shown = [compared.samples(view), compared.table(view), compared.copies(view)]
    assert not any("<b>$" in each for each in shown)
    assert hostile in compared.code(view)  # which the page sets as text


def test_the_code_is_python_and_makes_the_pictures(compared):
    view = compared.view(compared.gans.names[0], compared.drawers.names[0], 'Hat "large"', 3)
    compile(compared.code(view), "code", "exec")


def test_a_model_without_classes_is_compared_as_well(compared):
    plain = compared.gans.names[1]
    assert compared.classes(plain, compared.drawers.names[0]) == []
    view = compared.view(plain, compared.drawers.names[0], ANY_CLASS, 0)
    assert view.label is None
    assert "The GAN" in compared.samples(view)
    assert "ms" in compared.table(view)


def test_other_pictures_are_said_to_be_no_comparison(shipped):
    view = CompareView(gan="portraits-small", drawer="fashion-gpt", label=None, seed=0)
    assert "learned from different pictures" in shipped.table(view)


def test_two_decoders_of_the_same_tokens_are_shown(shipped):
    label = "Coat"
    view = shipped.view("fashion-small", "fashion-gpt", label, 2)
    shown = shipped.bridge(view)
    assert shown.count("<figure>") == 3
    assert "With an opponent" in shown
    assert "FD of all test pictures 0.19" in shown
