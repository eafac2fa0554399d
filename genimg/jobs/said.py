"""What is written down of a job on how it got where it is, and its words again.

A description of a job is read by people in a terminal, too, so it is kept as English text. Of that
the page finds the words again with the templates here; what is none of them, such as what a worker
printed last, stays as it is.
"""

import re
from functools import cache

from genimg.wording import Wording


def _hole(name: str) -> str:
    return f"\0{name}\0"  # no sentence has such characters


UNUSABLE = Wording("job.unusable", "the run, its data or its device cannot be used")
DIVERGED = Wording(
    "job.diverged", "training diverged twice; duplicate the run with lower learning rates"
)
OUT_OF_MEMORY = Wording(
    "job.out_of_memory", "memory ran out; duplicate the run with a smaller batch_size or model"
)
DISK = Wording("job.disk", "files could not be written; free some disk space and resume")
STOPPED_FROM_OUTSIDE = Wording("job.stopped", "it was stopped from outside; resume to go on")
ERROR = Wording("job.error", "training stopped with an error; the log says which")
MEMORY_FULL = Wording(
    "job.memory_full",
    "the system ended the run because memory was full; close other programs and resume",
)
NOT_IN_TIME = Wording(
    "job.not_in_time", "it did not stop in time; it goes on from its last checkpoint"
)
SIGNAL = Wording("job.signal", "signal {number}", number=_hole("number"))
NOBODY_SAW = Wording("job.nobody_saw", "nobody saw how")
ENDED_EARLY = Wording(
    "job.ended_early", "the worker ended before its run did ({how})", how=_hole("how")
)
QUEUED_AGAIN = Wording(
    "job.queued_again", "{message}; it was queued again by itself", message=_hole("message")
)
NO_PROGRESS = Wording(
    "job.no_progress",
    "{message}, {times} times without progress; see its log, then resume or delete",
    message=_hole("message"),
    times=_hole("times"),
)
TERMINAL = Wording(
    "job.watched",
    "it was started in a terminal or from Python, so here it can only be watched",
)
DAMAGED = Wording("job.damaged", "its description was damaged ({reason})", reason=_hole("reason"))
RECORDING = Wording(
    "job.recording",
    "a recording: it was trained for {minutes} minutes on {hardware}, earlier and elsewhere",
    minutes=_hole("minutes"),
    hardware=_hole("hardware"),
)
STOPPED_EARLY = Wording(
    "job.stopped_early",
    "it was stopped early by the median rule: {metric} {best} at best by {point} pictures, and"
    " {bar} is the median of the others' averages",
    **{name: _hole(name) for name in ("metric", "best", "point", "bar")},
)
_ALL = (
    STOPPED_EARLY,
    *(UNUSABLE, DIVERGED, OUT_OF_MEMORY, DISK, STOPPED_FROM_OUTSIDE, ERROR, MEMORY_FULL),
    *(NOT_IN_TIME, NOBODY_SAW, TERMINAL, DAMAGED, RECORDING),
    # Those that hold another sentence come before what they may hold.
    *(NO_PROGRESS, QUEUED_AGAIN, ENDED_EARLY, SIGNAL),
)


def filled(words: Wording, **arguments: object) -> str:
    """Return the English of one of the sentences above, with its arguments."""
    text = str(words)
    for name, argument in arguments.items():
        text = text.replace(_hole(name), str(argument))
    return text


def words_of(message: str) -> str:
    """Return the words of what was written down; the text itself where nobody knows them."""
    for words, pattern in _patterns():
        if found := pattern.fullmatch(message):
            inner = {name: words_of(text) for name, text in found.groupdict().items()}
            if hardware := inner.get("hardware"):
                inner["hardware"] = Wording(f"measured.{hardware}", "{name}", name=hardware)
            # Its English is known; the template only carries the arguments.
            return Wording(words.key, "", **inner).reading(message)
    return message


@cache
def _patterns() -> list[tuple[Wording, re.Pattern[str]]]:
    return [(words, _pattern(words)) for words in _ALL]


def _pattern(words: Wording) -> re.Pattern[str]:
    text = re.escape(words)
    for name in words.arguments:
        text = text.replace(re.escape(_hole(name)), f"(?P<{name}>.+)")
    return re.compile(text, re.DOTALL)
