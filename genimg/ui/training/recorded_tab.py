"""The Training tab where nothing is trained in the background: recorded runs, in the same panels.

Nothing that a visitor sends starts a run here, except where a GPU is lent for a moment.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from genimg.jobs.recordings import Recordings
from genimg.ui.components import choice
from genimg.ui.events import QUIET
from genimg.ui.host import Host
from genimg.ui.identity import Identity
from genimg.ui.messages import sentence, warn
from genimg.ui.opening import Opening
from genimg.ui.training import components
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
            gr.Markdown(_explained(recordings))
            if host.space:
                gr.DuplicateButton("Duplicate this Space", elem_id="duplicate", size="md")
            if host.moments:
                assert recordings.live is not None  # where they are kept
                moments = Moments(recordings.live)
                gr.Markdown("### Half a minute on a GPU")
                presets = moments.presets()
                preset = choice(presets, presets[0][1], label="Model", name="moment-preset")
                start = gr.Button("Train", variant="primary", elem_id="moment-start")
        with gr.Column(scale=7, min_width=320):
            runs = components.runs(handlers.first(), handlers)
    if not host.moments:
        return
    connect_openings(recordings, runs, openings)

    def train(preset: Any) -> Iterator[dict[str, Any]]:
        try:
            name = moments.begin(preset)
        except ValueError as error:
            warn(error)
            return
        yield handlers.selection(name)  # the page watches it from now on
        try:
            trouble = moments.train(name)
        except gr.Error as error:
            if "worker" not in str(error.title):
                raise  # that there is no GPU for this visitor now is said well
            trouble = "the GPU was taken back before the run ended; try again"
        if trouble:
            warn(ValueError(trouble))

    start.click(train, preset, runs, preprocess=False, **_QUEUED)


def _explained(recordings: Recordings) -> str:
    return (
        "### Recorded runs\n"
        "These runs were trained earlier, by the programs that this page would start. Watch their"
        " pictures get better, read their curves, compare them.\n\n"
        f"{sentence(recordings.refusal)}"
    )
