import pytest

from genimg.jobs import said
from genimg.jobs.states import Exit, State, outcome
from genimg.wording import Wording


@pytest.mark.parametrize(
    ("end", "key"),
    [
        (Exit(code=2), "job.unusable"),
        (Exit(code=70), "job.diverged"),
        (Exit(code=71), "job.out_of_memory"),
        (Exit(code=74), "job.disk"),
        (Exit(code=75), "job.stopped"),
        (Exit(code=1), "job.error"),
        (Exit(signal=9, memory_full=True), "job.memory_full"),
        (Exit(signal=11), "job.ended_early"),
        (Exit(), "job.ended_early"),
    ],
)
def test_words_of_every_end_are_found_again(end, key):
    _, _, message = outcome(State.RUNNING, end, "")
    assert type(message) is str  # it goes into a table of SQLite
    words = said.words_of(message)
    assert isinstance(words, Wording)
    assert (words, words.key) == (message, key)


def test_sentences_inside_sentences_are_found_again():
    how = said.filled(said.SIGNAL, number=9)
    ended = said.filled(said.ENDED_EARLY, how=how)
    again = said.words_of(said.filled(said.QUEUED_AGAIN, message=ended))
    assert again.key == "job.queued_again"
    assert again.arguments["message"].key == "job.ended_early"
    assert again.arguments["message"].arguments["how"].arguments == {"number": "9"}
    last = said.words_of(said.filled(said.NO_PROGRESS, message=ended, times=4))
    assert (last.key, last.arguments["times"]) == ("job.no_progress", "4")


def test_what_a_worker_printed_stays_as_it_is():
    assert said.words_of("no such file\nor folder") == "no such file\nor folder"
    assert not isinstance(said.words_of("x"), Wording)
    assert said.words_of("") == ""
