import gradio as gr
import pytest

from genimg.ui.messages import as_error, as_warning, sentence, silently


def halve(number: int) -> int:
    """Return half."""
    if number % 2:
        raise ValueError(f"<b>{number}</b> is odd")
    return number // 2


@pytest.mark.parametrize("wrapper", [as_warning, silently, as_error])
def test_good_values_pass_and_the_signature_stays(wrapper):
    assert wrapper(halve)(4) == 2
    assert wrapper(halve).__doc__ == "Return half."


def test_a_warning_has_no_markup_of_its_own_and_leaves_the_page(monkeypatch):
    seen = []
    monkeypatch.setattr(gr, "Warning", seen.append)
    assert as_warning(halve)(3) == gr.skip()
    assert seen == ["&lt;b&gt;3&lt;/b&gt; is odd."]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("choose a run", "Choose a run."),
        (ValueError("The run is gone."), "The run is gone."),
        ("seed is not 3.5", "Seed is not 3.5."),
        ("ready?", "Ready?"),
    ],
)
def test_a_sentence_has_a_capital_and_an_end(message, said):
    assert sentence(message) == said


def test_silence_leaves_the_page():
    assert silently(halve)(3) == gr.skip()


def test_a_call_of_the_api_gets_the_sentence():
    with pytest.raises(gr.Error, match="is odd"):
        as_error(halve)(number=3)


@pytest.mark.parametrize("wrapper", [as_warning, silently, as_error])
def test_other_errors_are_not_hidden(wrapper):
    with pytest.raises(TypeError):
        wrapper(halve)("x" + "y", 3)
