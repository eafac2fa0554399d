import base64
import io

import numpy as np
import pytest
from PIL import Image

from genimg.explore.local_data import pictures_here
from genimg.ui.compare.quiz import Quiz

ASKED = {"gan": "fashion-small", "drawer": "fashion-gpt", "label": "Coat"}


@pytest.fixture
def quiz(shipped):
    return Quiz(shipped)


def pixels(address):
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)))


def test_one_picture_is_real_and_only_the_answer_tells_which(quiz):
    made = set()
    for guess in (0, 1, 0, 1, 0, 1):
        asked = quiz.ask(ASKED)
        assert set(asked) == {"id", "pictures", "words"}
        told = quiz.answer({"id": asked["id"], "guess": guess})
        assert told["right"] == (guess == told["real"])
        real = pixels(asked["pictures"][told["real"]])
        split = pictures_here("fashion-mnist", len(real), "test")
        same = [(each[..., 0] == real).all() for each in split.pictures()]
        assert split.classes[split.labels[same.index(True)]] == "Coat"
        made.add(told["model"])
    assert made <= {"fashion-small", "fashion-gpt"}


def test_everybody_is_counted_for_each_model(quiz):
    counts = {}
    for guess in (0, 1, 1, 0):
        told = quiz.answer({"id": quiz.ask(ASKED)["id"], "guess": guess})
        asked, fooled = counts.get(told["model"], (0, 0))
        counts[told["model"]] = (asked + 1, fooled + (not told["right"]))
        assert (told["asked"], told["fooled"]) == counts[told["model"]]


def test_a_question_is_answered_once(quiz, in_english):
    id = quiz.ask(ASKED)["id"]
    assert "right" in quiz.answer({"id": id, "guess": 1})
    assert "over" in in_english(quiz.answer({"id": id, "guess": 0})["error"])


@pytest.mark.parametrize(
    "request_", [None, [], "x", {}, {"id": "x", "guess": 0}, {"id": [], "guess": 0}, {"guess": 0}]
)
def test_an_answer_to_nothing(quiz, request_, in_english):
    assert "over" in in_english(quiz.answer(request_)["error"])


@pytest.mark.parametrize("guess", [None, 2, -1, "0", [0]])
def test_no_guess_leaves_the_question_open(quiz, guess):
    id = quiz.ask(ASKED)["id"]
    assert "error" in quiz.answer({"id": id, "guess": guess})
    assert "right" in quiz.answer({"id": id, "guess": 0})


@pytest.mark.parametrize(
    "changed", [{"gan": "x"}, {"drawer": None}, {"label": "Lion"}, {"label": [1]}]
)
def test_what_no_page_asks(quiz, changed, in_english):
    assert in_english(quiz.ask(ASKED | changed)["error"]).endswith(".")
    assert "reload" in in_english(quiz.ask(None)["error"])


def test_questions_that_nobody_answers_are_forgotten(quiz, monkeypatch):
    monkeypatch.setattr("genimg.ui.compare.quiz._MOST_OPEN", 2)
    ids = [quiz.ask(ASKED)["id"] for _ in range(3)]
    assert "error" in quiz.answer({"id": ids[0], "guess": 0})
    assert "right" in quiz.answer({"id": ids[2], "guess": 0})


def test_without_real_pictures_nothing_is_asked(compared, in_english):
    known = {"gan": compared.gans.names[0], "drawer": compared.drawers.names[0], "label": "Shoe"}
    assert "not on this machine" in in_english(Quiz(compared).ask(known)["error"])
