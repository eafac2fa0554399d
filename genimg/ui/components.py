"""The page's own components: a template, a script and a style each, and what all tabs share.

Those of one tab are in its folder, with their own files beside them in `static`; what is shared is
here. Templates hold no values: Gradio evaluates a template as JavaScript *after* it has put the
values in, so a value that contains `${...}` would be run, even where it is escaped. The scripts set
text and attributes instead.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from genimg.ui import texts

STATIC = Path(__file__).parent / "static"


def component(
    static: Path,
    kind: str,
    scripts: Sequence[str],
    value: Any | None,
    *,
    name: str | None = None,
    **options: Any,
) -> gr.HTML:
    """Return a component.

    Args:
        static: folder of its template and its scripts.
        kind: the name of its template, and (with hyphens) of its class in the style sheets.
        scripts: from `static`, or shared by all tabs; a later one can call what an earlier one
            defines.
        value: its first value.
        name: its id in the page.
        options: of `gradio.HTML`.
    """
    paths = [static / file if (static / file).exists() else STATIC / file for file in scripts]
    return gr.HTML(
        value,
        html_template=(static / f"{kind}.html").read_text(encoding="utf-8"),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in paths),
        apply_default_css=False,
        elem_id=name,
        elem_classes=[kind.replace("_", "-")],
        **options,
    )


def event(of: gr.Component, name: str) -> Callable[..., Dependency]:
    """Return what listens to an event, such as "change", of a component of any kind.

    Gradio gives components the methods of their events as it runs, so no type has them.
    """
    return getattr(of, name)


def title(line: str) -> gr.HTML:
    """Return the top of the page: its name, the switch of its language, and its terms.

    Args:
        line: what is said of the machine.
    """
    return component(STATIC, "title", ["title.js"], texts.sent(line), name="title")


def page() -> gr.HTML:
    """Return what watches over the whole page: numbers that a field does not allow, the open tab.

    Its value is {"tab"}, once that tab is open.
    """
    scripts = ["helpers.js", "tabs.js", "fields.js"]
    return component(STATIC, "page", scripts, None, name="page")


def choice(
    choices: Sequence[str | tuple[str, Any]], value: Any, *, label: str, name: str, **options: Any
) -> gr.HTML:
    """Return a list to choose from: the browser's own, which opens and closes like any other.

    Its event `input` comes only when another value has been chosen. Its event `focus` comes
    before the list is opened.

    Args:
        choices: what to show, or (what to show, value) of each. An update of them goes through
            `texts.choices`.
        value: the one that is chosen.
        label: the words above it, English for the API.
        options: of the layout: `scale`, `min_width`, `visible`.
    """
    entries = texts.choices((each, each) if isinstance(each, str) else each for each in choices)
    made = component(
        STATIC,
        "choice",
        ["choice.js"],
        value,
        name=name,
        label=str(label),
        choices=entries,
        **options,
    )
    # What an update says nothing of is lost where the list is not shown yet.
    known = {"FIRST_CHOICES": entries, "CALLED": texts.sent(label)}
    constants = "".join(f"const {name} = {json.dumps(each)};\n" for name, each in known.items())
    made.js_on_load = constants + str(made.js_on_load)
    return made


def heading(words: str) -> gr.HTML:
    """Return the heading of the part around it, of class "foldable", which a phone folds.

    A part that has the class "quiet", too, is folded everywhere until somebody asks for it.
    """
    return component(STATIC, "heading", ["fold.js", "heading.js"], texts.sent(words))


def snippet(value: str, *, name: str) -> gr.HTML:
    """Return Python code with a button that copies it."""
    return component(STATIC, "snippet", ["helpers.js", "snippet.js"], value, name=name)


def pad(value: dict[str, Any], *, name: str, pick: Callable) -> gr.HTML:
    """Return a small picture to draw, upload or pick; its event `drawn` follows every change.

    Args:
        value: of `genimg.ui.pad.first_value`.
        pick: answers a question for a test picture, see `genimg.ui.pad.pick`.
    """

    def held_out(request: Any) -> dict[str, Any]:
        return pick(request)

    scripts = ["helpers.js", "upload.js", "pad.js", "pad_drawing.js", "pad_camera.js"]
    scripts.append("pad_sources.js")
    return component(STATIC, "pad", scripts, value, name=name, server_functions=[held_out])


def linked(name: str) -> str:
    """Return JavaScript that tells the pad `name` that all controls are as the address wants."""
    # Kept, too: a part of a tab that is opened later has not heard the event.
    return (
        f"() => {{ (window.linkedParts ??= new Set()).add('{name}');"
        f" document.dispatchEvent(new CustomEvent('linked', {{ detail: '{name}' }})) }}"
    )
