"""The Training tab where nothing is trained in the background: recorded runs, in the same panels.

Nothing that a visitor sends starts a run here, except where a GPU is lent for a moment.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from genimg.jobs.accounts import Accounts
from genimg.jobs.recordings import Recordings
from genimg.ui.components import choice
from genimg.ui.events import QUIET
from genimg.ui.host import Host
from genimg.ui.identity import Identity
from genimg.ui.messages import sentence, warn
from genimg.ui.opening import Opening
from genimg.ui.signing_in import SigningIn
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say, span
from genimg.ui.training import components
from genimg.ui.training.components import told
from genimg.ui.training.moments import Moments
from genimg.ui.training.run_handlers import RunHandlers
from genimg.ui.training.tab import connect_openings

_QUEUED: dict[str, Any] = QUIET | {
    "queue": True,
    "trigger_mode": "once",
    "concurrency_id": "lent-gpu",
    "concurrency_limit": 1,
}


def build(
    recordings: Recordings,
    host: Host,
    openings: Mapping[str, Opening],
) -> None:
    """Add the tab to the page that is being built.

    Args:
        recordings: the runs to show.
        host: says whether a run of a moment may be trained.
        openings: as for `genimg.ui.training.tab.build`.
    """
    handlers = RunHandlers(recordings, Identity(), openings.keys() if host.moments else ())
    with gr.Row(elem_classes=["stage", "training", "recorded"]):
        with gr.Column(scale=4, min_width=320, elem_classes=["about-runs"]):
            gr.Markdown(label_of("training.recorded.heading"))
            gr.HTML(_explained(recordings), elem_classes=["explanation"])
            if host.space:
                duplicate: Any = label_of("training.recorded.duplicate")
                gr.DuplicateButton(duplicate, elem_id="duplicate", size="md")
            if host.moments:
                assert recordings.live is not None  # where they are kept
                moments = Moments(recordings.live)
                gr.Markdown(label_of("training.moment.heading"))
                presets = moments.presets()
                preset = choice(
                    presets, presets[0][1], label=say("training.model"), name="moment-preset"
                )
                start = gr.Button(
                    label_of("training.moment.train"), variant="primary", elem_id="moment-start"
                )
        with gr.Column(scale=7, min_width=320):
            runs = components.runs(handlers.first(), handlers, SigningIn(Accounts(), offered=False))
    if not host.moments:
        return
    connect_openings(recordings, runs, openings)

    def train(preset: Any) -> Iterator[dict[str, Any]]:
        try:
            name = moments.begin(preset)
        except ValueError as error:
            warn(error)
            return
        yield told(handlers.selection(name))  # the page watches it from now on
        try:
            trouble = moments.train(name)
        except gr.Error as error:
            if "worker" not in str(error.title):
                raise  # that there is no GPU for this visitor now is said well
            trouble = say("training.moment.taken_back")
        if trouble:
            warn(ValueError(trouble))

    start.click(train, preset, runs, preprocess=False, **_QUEUED)


def _explained(recordings: Recordings) -> str:
    said = say("training.recorded.about"), sentence(recordings.refusal)
    return "".join(f"<p>{span(each)}</p>" for each in said)
