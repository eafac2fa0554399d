"""Who sees whom in long sequences, below a drawing: components and wiring."""

from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.events import QUIET
from genimg.ui.messages import silently, warn
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say
from genimg.ui.transformer import patterns_handlers
from genimg.ui.transformer.patterns_handlers import FIRST, MOST_LAYERS, TOKENS

# The address holds what is shown, so that a reload shows it again.
_REMEMBER = """(...values) => {
  const address = new URL(window.location);
  address.searchParams.set('pattern', values.join('-'));
  window.history.replaceState(window.history.state, '', address);
  return [];
}"""


def build(demo: gr.Blocks) -> None:
    """Add the panel to `demo`, the page that is being built; folded, unless a link opens it."""
    quiet: dict[str, Any] = QUIET | {
        "preprocess": False,
        "queue": False,
        "trigger_mode": "always_last",
    }
    panel = gr.Accordion(label_of("transformer.patterns.heading"), open=False, elem_id="patterns")
    with panel:
        gr.Markdown(label_of("transformer.patterns.about"), elem_classes=["explanation", "wide"])
        attention = components.choice(
            patterns_handlers.choices(),
            FIRST["attention"],
            label=say("transformer.patterns.attention"),
            name="pattern",
            min_width=200,
        )
        with gr.Row(elem_classes=["stage", "sliders"]):
            length = _slider("length", 1, TOKENS)
            memory = _slider("memory", 0, TOKENS, visible=False)
            layers = _slider("layers", 1, MOST_LAYERS)
            token = _slider("token", 0, TOKENS - 1)
        view = gr.HTML(
            patterns_handlers.shown(**FIRST), elem_id="pattern-shown", elem_classes=["patterns"]
        )

    def choose(attention: str, *values: int) -> list[Any]:
        html = patterns_handlers.shown(attention, *values)
        recurrent = attention == "recurrent"
        return [html, gr.update(visible=attention != "full"), gr.update(visible=recurrent)]

    def open_link(request: gr.Request) -> list[Any]:
        linked = dict(request.query_params).get("pattern")
        if linked is None:
            return [gr.skip()] * 7
        try:
            attention, *values = patterns_handlers.linked(linked)
            html, length, memory = choose(attention, *values)
        except ValueError as error:
            warn(error)
            return [gr.skip()] * 7
        return [
            html, attention, length | {"value": values[0]}, memory | {"value": values[1]},
            *values[2:], gr.update(open=True),
        ]  # fmt: skip

    controls = [attention, length, memory, layers, token]
    components.event(attention, "input")(
        silently(choose), controls, [view, length, memory], **quiet
    )
    for slider in controls[1:]:
        components.event(slider, "input")(
            silently(patterns_handlers.shown), controls, view, **quiet
        )
    used = [components.event(control, "input") for control in controls]
    gr.on(used, None, controls, None, js=_REMEMBER, **quiet | {"trigger_mode": "multiple"})
    demo.load(open_link, None, [view, *controls, panel], **quiet | {"queue": True})


def _slider(name: str, low: int, high: int, visible: bool = True) -> gr.Slider:
    return gr.Slider(
        low, high, FIRST[name], step=1, label=label_of(f"transformer.patterns.{name}"),
        min_width=150, buttons=[], visible=visible, elem_id=f"pattern-{name}",
    )  # fmt: skip
