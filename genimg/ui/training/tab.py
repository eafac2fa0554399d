"""The Training tab: components and wiring.

The form is in `handlers`, the runs are in `run_handlers`.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from genimg.jobs.manager import JobManager
from genimg.jobs.recordings import Recordings
from genimg.ui.components import choice, event
from genimg.ui.events import IN_ORDER, QUIET
from genimg.ui.identity import Identity
from genimg.ui.messages import as_warning, silently
from genimg.ui.opening import Opening
from genimg.ui.signing_in import SigningIn, add_button
from genimg.ui.texts import choices, say, span
from genimg.ui.texts import label as label_of
from genimg.ui.training import components
from genimg.ui.training.components import telling, told
from genimg.ui.training.handlers import (
    FIRST_DATASET,
    FIRST_MINUTES,
    FIRST_PRESET,
    LENGTHS,
    TrainHandlers,
    sentence,
)
from genimg.ui.training.own_data import accepted_uploads
from genimg.ui.training.race_handlers import RaceHandlers
from genimg.ui.training.run_handlers import RunHandlers
from genimg.ui.training.run_models import RunModels

_ALONE = "me"  # whoever is alone with the machine need not tell a nickname
# Values come as they are, because the handlers check them.
_LIVE: dict[str, Any] = QUIET | {
    "preprocess": False,
    "queue": False,
    "trigger_mode": "always_last",
}
# What may have to say something: a warning reaches the page only through the queue.
_QUEUED: dict[str, Any] = _LIVE | {"queue": True, "trigger_mode": "once"}
# The form as it is now, in this browser tab's own memory: nobody else's page shows it. What the
# page begins with is not kept, or it would replace what was kept before it was recalled. Some
# browsers forbid to keep anything: then a reload begins anew.
_KEEP = """(...values) => {
  const names = ['preset', 'dataset', 'length', 'amount', 'name'];
  const form = Object.fromEntries(names.map((name, index) => [name, values[index]]));
  form.changes = values[names.length].changes;
  const kept = JSON.stringify(form);
  try {
    if ('recalled' in document.body.dataset) sessionStorage.setItem('genimg-form', kept);
  } catch { /* forbidden */ }
  return [];
}"""
_RECALL = """() => {
  document.body.dataset.recalled = '';
  try {
    return [JSON.parse(sessionStorage.getItem('genimg-form'))];
  } catch {
    return [null];
  }
}"""


def build(
    manager: JobManager,
    teacher_token: str,
    openings: Mapping[str, Opening],
    demo: gr.Blocks,
    *,
    can_sign_in: bool = False,
) -> None:
    """Add the tab to `demo`, the page that is being built.

    Args:
        teacher_token: see `Identity`.
        can_sign_in: whether visitors can, see `genimg.ui.signing_in`; that is only offered where
            runs train on their accounts.
        openings: for each use of a model how the page shows it.
    """
    identity = Identity(teacher_token)
    handlers = TrainHandlers(manager, identity)
    run_handlers = RunHandlers(manager, identity, openings.keys())
    signing_in = SigningIn(manager.accounts, offered=can_sign_in and manager.on_accounts)
    with gr.Row(elem_classes=["stage", "training"]):
        with gr.Column(scale=4, min_width=320, elem_classes=["new-run"]):
            form, who, report, start, needs = _form(handlers, signing_in, demo)
            _keep_form(handlers, form, needs, demo)
        with gr.Column(scale=7, min_width=320):
            runs = components.runs(run_handlers.first(), run_handlers, signing_in)
    races = RaceHandlers(handlers, run_handlers)
    with (
        gr.Row(elem_classes=["stage", "training"]),
        gr.Accordion(label_of("training.race.heading"), open=False, elem_id="race-fold") as fold,
    ):
        components.race(races.first(), races, signing_in)

    def open_race(request: gr.Request) -> Any:
        return gr.update(open=True) if "race" in request.query_params else gr.skip()

    demo.load(open_race, None, fold, **_LIVE)

    def begin(account: str, who: Any, *values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        job_id = handlers.start(who, *values, account=account)
        return values[-1] | {"started": job_id}, told(run_handlers.selection(job_id))

    def mend(
        who: Any, preset: Any, dataset: Any, advanced: Any, event: gr.EventData
    ) -> tuple[Any, Any]:
        if tokenizer := _value_of(event, "tokenizer"):
            return told(handlers.with_tokenizer(preset, advanced, tokenizer)), gr.skip()
        job_id = handlers.train_tokenizer(who, dataset, advanced)
        return gr.skip(), told(run_handlers.selection(job_id))

    def copy(event: gr.EventData) -> list[Any]:
        return [*_updates(handlers, handlers.copied(_value_of(event, "run"))), None]

    start.click(signing_in.told(as_warning(begin)), [who, *form], [form[-1], runs], **_QUEUED)
    # What was missing, such as a tokenizer, may have come since the line was written.
    said: dict[str, Any] = {
        "fn": telling(handlers.estimate),
        "inputs": [*form[:4], form[-1]],
        "outputs": needs,
    }
    start.click(**said, **_LIVE)
    mended = [who, form[0], form[1], form[-1]]
    needs.mend(as_warning(mend), mended, [form[-1], runs], **_QUEUED).then(**said, **_LIVE)
    runs.copy(as_warning(copy), None, [*form, report], **_QUEUED)
    connect_openings(manager, runs, openings)


def connect_openings(
    manager: JobManager | Recordings, runs: gr.HTML, openings: Mapping[str, Opening]
) -> None:
    """Let the buttons of a run open its model in the other tabs.

    Args:
        runs: the panel of the runs.
        openings: for each use of a model how the page shows it.
    """
    if not openings:
        return

    def choose_tab(event: gr.EventData) -> Any:
        opening = _opening_of(event, openings)
        return {tabs: gr.update(selected=id) for tabs, id in opening.places}

    def open_run(event: gr.EventData) -> dict[gr.blocks.Block, Any]:
        """Show the newest checkpoint of the run; what shows other uses of models stays."""
        opening = _opening_of(event, openings)
        name = RunModels(manager, _value_of(event, "use")).name(_value_of(event, "run"))
        opening.shelf.reload(name)
        return dict(zip(opening.outputs, opening.show(name), strict=True))

    tabs = dict.fromkeys(group for opening in openings.values() for group, _ in opening.places)
    shown = [part for opening in openings.values() for part in opening.outputs]
    # The tab at once, then the model: a late jump would take along who has gone elsewhere.
    runs.open_model(silently(choose_tab), None, list(tabs), **IN_ORDER | {"queue": False})
    runs.open_model(as_warning(open_run), None, shown, **_QUEUED)


def _form(
    handlers: TrainHandlers, signing_in: SigningIn, demo: gr.Blocks
) -> tuple[list[gr.Component], gr.HTML, gr.HTML, gr.Button, gr.HTML]:
    """Add the form of a new run.

    Returns:
        Its components, in the order of `TrainHandlers.start`; who asks; what is said of uploaded
        pictures; the button that starts; what is said of the run.
    """
    gr.Markdown(label_of("training.new_run"))
    shared = handlers.identity.has_token
    nickname = "" if shared else _ALONE
    who = components.who({"nickname": nickname, "token": "", "has_token": shared})
    add_button(signing_in, demo, _LIVE)
    preset = choice(
        handlers.presets(), FIRST_PRESET, label=say("training.model"), name="train-preset"
    )
    dataset = choice(
        handlers.data.choices(), FIRST_DATASET, label=say("training.dataset"),
        name="train-dataset",
    )  # fmt: skip
    button: Any = label_of("training.upload.button")
    upload = gr.UploadButton(
        button, file_types=[".zip"], elem_id="train-upload",
        size="sm",
    )  # fmt: skip
    gr.HTML(f"<p>{span(accepted_uploads())}</p>", elem_id="train-upload-help")
    report = components.upload_report()
    with gr.Row():
        amount = gr.Number(
            FIRST_MINUTES,
            label=label_of("training.train_for"),
            elem_id="train-amount",
            min_width=90,
            scale=1,
        )
        length = gr.Radio(
            [(label_of(f"training.length.{length}"), length) for length in LENGTHS],
            value="minutes", label=label_of("training.counted_in"), elem_id="train-length",
            min_width=190, scale=2,
        )  # fmt: skip
    name = gr.Textbox(
        "", label=label_of("training.name"), placeholder=label_of("training.name.usual"),
        max_lines=1, max_length=80, elem_id="train-name",
    )  # fmt: skip
    advanced = components.settings(handlers.advanced(FIRST_PRESET))
    asked = [preset, dataset, length, amount, advanced]
    needs = components.estimate(
        handlers.estimate(FIRST_PRESET, FIRST_DATASET, "minutes", FIRST_MINUTES, {"changes": {}})
    )
    start = gr.Button(label_of("training.start"), variant="primary", elem_id="train-start")

    def take_in(path: Any, *asked: Any) -> tuple[Any, Any, Any]:
        try:
            value, shown = handlers.upload(path, *asked)
        except ValueError as error:
            return None, gr.skip(), told({"title": sentence(error)})
        return None, gr.update(value=value, choices=listed()), told(shown)

    def choose(preset: Any, dataset: Any) -> tuple[Any, str]:
        return told(handlers.advanced(preset)), handlers.dataset_for(preset, dataset)

    def listed() -> list[tuple[Any, Any]]:
        return choices(handlers.data.choices())

    def list_data() -> Any:
        return gr.update(choices=listed())

    def forget(who: Any, event: gr.EventData) -> tuple[Any, Any]:
        handlers.forget(who, _value_of(event, "own"))
        deleted = told({"title": say("training.data.deleted")})
        return gr.update(value=FIRST_DATASET, choices=listed()), deleted

    said = {"fn": telling(handlers.estimate), "inputs": asked, "outputs": needs}
    chosen = preset.input(as_warning(choose), [preset, dataset], [advanced, dataset], **_LIVE)
    chosen.then(**said, **_LIVE)
    gr.on([dataset.change, length.change, amount.change], **said, **_LIVE)
    advanced.changed(**said, **_LIVE)
    upload.upload(
        lambda: told({"busy": say("training.upload.busy")}), None, report, **_LIVE
    ).then(
        take_in, [upload, who, preset, advanced], [upload, dataset, report],
        **_QUEUED | {"preprocess": True},
    )  # fmt: skip
    report.forget(as_warning(forget), who, [dataset, report], **_QUEUED)
    dataset.input(telling(handlers.sent), [who, dataset], report, **_LIVE)
    dataset.focus(list_data, None, dataset, **_LIVE)
    return [preset, dataset, length, amount, name, advanced], who, report, start, needs


def _keep_form(
    handlers: TrainHandlers, form: list[gr.Component], needs: gr.Component, demo: gr.Blocks
) -> None:
    """Let a reload of `demo` show the form as it was."""

    def recall(kept: Any) -> list[Any]:
        return _updates(handlers, handlers.recalled(kept))

    advanced = form[-1]
    changes = [event(field, "change") for field in form]
    for changed in (*changes, event(advanced, "changed")):
        changed(None, form, None, js=_KEEP, **_LIVE)
    asked = [*form[:4], advanced]
    # What goes in is what the browser kept, not what the form says.
    demo.load(silently(recall), [advanced], form, js=_RECALL, **_LIVE).then(
        telling(handlers.estimate), asked, needs, **_LIVE
    )


def _updates(handlers: TrainHandlers, values: Mapping[str, Any]) -> list[Any]:
    """Return what the form shows, from what `TrainHandlers.copied` returns."""
    return [
        values["preset"],
        gr.update(value=values["dataset"], choices=choices(handlers.data.choices())),
        *(values[name] for name in ("length", "amount", "name")),
        told(values["advanced"]),
    ]


def _value_of(event: gr.EventData, name: str) -> Any:
    data = event._data
    return data.get(name) if isinstance(data, dict) else None


def _opening_of(event: gr.EventData, openings: Mapping[str, Opening]) -> Opening:
    use = _value_of(event, "use")
    if not isinstance(use, str) or use not in openings:
        raise ValueError(say("training.no_tab"))
    return openings[use]
