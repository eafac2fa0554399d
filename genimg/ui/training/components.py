"""The components of the Training tab; as in `components`, templates hold no values."""

from typing import Any

import gradio as gr

from genimg.explore.uses import SHOWN
from genimg.ui.components import component
from genimg.ui.training.run_handlers import RunHandlers

_WHO = """
<label>Your nickname
  <input class="nickname" type="text" maxlength="80" autocomplete="off" 
    placeholder="so that others know whose run it is" aria-describedby="nickname-note">
</label>
<p class="note" id="nickname-note">It protects nothing: whoever types the same nickname can pause,
cancel and delete your runs.</p>
<details>
  <summary>I am the teacher</summary>
  <label>Token, as the server printed it
    <input class="token" type="password" autocomplete="off">
  </label>
  <p class="standing" role="status"></p>
</details>
"""
_SETTINGS = "<details><summary>Advanced</summary><div class='sections'></div></details>"
_ESTIMATE = "<p role='status'></p><button type='button' hidden></button>"
_REPORT = """
<h3></h3>
<p class="classes"></p>
<p class="counts"></p>
<img alt="Some of the pictures">
<details><summary></summary><ul></ul></details>
<div class="ask">
  <p hidden>Delete these pictures for good?</p>
  <button type="button" class="delete">Delete these pictures</button>
  <button type="button" class="yes" hidden>Delete</button>
  <button type="button" class="no" hidden>Keep them</button>
</div>
"""
_RUNS = """
<p class="notice" role="status" hidden></p>
<div class="empty">
  <h2>Nothing has been trained here yet</h2>
  <p>Choose a model and press Start: here you will then see the pictures that it draws getting
  better, its curves, and how long it still needs.</p>
  <p>The run goes on when you close this page, and everybody who opens the page sees the same.</p>
</div>
<button type="button" class="to-form">New run</button>
<div class="list" role="group" aria-label="Runs"></div>
<div class="detail" hidden>
  <div class="head"><h2 class="title"></h2><span class="chip"></span></div>
  <p class="facts"></p>
  <div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0"
    aria-valuemax="100"><i></i></div>
  <p class="numbers"></p>
  <p class="message"></p>
  <div class="actions">
    OPEN
    <button type="button" data-action="pause">Pause</button>
    <button type="button" data-action="resume">Resume</button>
    <button type="button" data-action="cancel">Cancel</button>
    <button type="button" data-action="save_now">Save now</button>
    <button type="button" data-action="sample_now">Sample now</button>
    <button type="button" data-action="move" data-step="-1">Move up</button>
    <button type="button" data-action="move" data-step="1">Move down</button>
    <button type="button" data-action="copy">Duplicate</button>
    <button type="button" data-action="rename">Rename</button>
    <button type="button" data-action="delete">Delete</button>
  </div>
  <form class="ask" hidden>
    <p></p><input type="text" maxlength="80" aria-label="Name">
    <button type="submit" class="yes"></button><button type="button" class="no">Keep it</button>
  </form>
  <p class="said" role="status"></p>
  <ul class="health"></ul>
  <div class="sheets" hidden>
    <h3>Watch it learn</h3>
    <img alt="">
    <div class="scrub">
      <button type="button" class="play">Play</button>
      <input type="range" min="0" max="0" value="0" step="1" aria-label="Sample sheet">
      <button type="button" class="save-gif">GIF</button>
    </div>
    <p><output></output> <span role="status"></span></p>
  </div>
  <div class="measured">
    <h3>Curves</h3>
    <label class="compare">Compare with <select></select></label>
    <p class="key" hidden></p>
    <div class="curves"></div>
  </div>
  <details class="more"><summary>The same run in a terminal</summary>
    <div class="terminal"><code class="command"></code>
    <button type="button" class="copy-command">Copy</button></div>
  </details>
  <details class="more"><summary>What it printed</summary>
    <pre class="log" tabindex="0" aria-label="What it printed"></pre>
  </details>
</div>
"""


def who(value: dict[str, Any]) -> gr.HTML:
    """Return the fields for a nickname and the teacher's token; see `Identity.of`."""
    return component(value, _WHO, "who.js", "who", "who")


def settings(value: dict[str, Any]) -> gr.HTML:
    """Return the generated form; its event `changed` follows every change.

    Args:
        value: of `TrainHandlers.advanced`.
    """
    return component(value, _SETTINGS, "settings.js", "settings", "settings")


def estimate(value: dict[str, Any]) -> gr.HTML:
    """Return the line that says what a run will need.

    Its event `mend` carries {"tokenizer"} of the value's remedy; see `Tokenizers.way_out`.
    """
    return component(value, _ESTIMATE, "estimate.js", "estimate", "estimate")


def upload_report() -> gr.HTML:
    """Return what becomes of uploaded pictures; nothing at first.

    Its event `forget` carries {"own"}, the choice whose pictures are to be deleted.
    """
    return component(None, _REPORT, "upload_report.js", "upload-report", "upload-report")


def runs(value: dict[str, Any], handlers: RunHandlers) -> gr.HTML:
    """Return all runs with the selected one.

    Its events `copy` and `open_model` carry {"run"}, a job's id, and the latter {"use"} of `SHOWN`.

    Args:
        value: of `RunHandlers.first`.
    """

    def poll(request: Any) -> dict[str, Any]:
        return handlers.poll(request)

    def act(request: Any) -> dict[str, str]:
        return handlers.act(request)

    def sheet(request: Any) -> dict[str, str]:
        return handlers.sheet(request)

    def film(request: Any) -> dict[str, str]:
        return handlers.film(request)

    scripts = ["address.js", "curves.js", "sheets.js", "runs.js"]
    functions = [poll, act, sheet, film]
    buttons = [
        f'<button type="button" data-open="{name}">Open in the {use.tab} tab</button>'
        for name, use in SHOWN.items()
    ]
    template = _RUNS.replace("OPEN", "\n    ".join(buttons))
    return component(value, template, scripts, "runs", "runs", server_functions=functions)
