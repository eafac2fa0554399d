"""The code of the page holds no words: those are in the catalogs of `genimg.ui.texts`."""

import ast
import re
from pathlib import Path

import pytest

UI = Path(__file__).parents[1] / "genimg" / "ui"
# Areas whose words have all moved, with their files.
CONVERTED = {
    "frame": [
        *(
            "application.py",
            "components.py",
            "host.py",
            "messages.py",
            "model_shelf.py",
            "theme.py",
        ),
        *(
            f"static/{name}.js"
            for name in ("words", "title", "choice", "heading", "fold", "fields")
        ),
        *(f"static/{name}.js" for name in ("helpers", "server", "snippet", "tabs", "payload")),
        *(f"static/{name}.html" for name in ("title", "choice", "heading", "page", "snippet")),
    ],
    "compare": ["compare/*.py", "compare/static/*.js", "compare/static/*.html"],
    "gan": [
        *(
            f"gan/{name}.py"
            for name in ("tab", "view", "handlers", "facts", "words", "sliders", "nearby", "cells")
        ),
        *(f"gan/{name}.py" for name in ("components", "gauge", "copies", "opponent")),
        *(f"gan/{name}.py" for name in ("own_picture", "own_picture_handlers", "mixing")),
        "gan/blending.py",
        *("pad.py", "held_out.py", "pixels.py", "static/pad*.js", "static/pad.html"),
        *("static/upload.js", "gan/static/search.*", "gan/static/plane.*", "gan/static/layers.*"),
        *(
            f"gan/static/{name}.*"
            for name in ("ask", "cells", "ends", "found", "here", "history", "names", "noise")
        ),
        *(f"gan/static/{name}.*" for name in ("picture", "player", "slider_ends", "slider_words")),
    ],
    "transformer": ["transformer/*.py", "transformer/static/*.js", "transformer/static/*.html"],
    "training": [
        *("training/*.py", "training/static/*.js", "training/static/*.html"),
        "identity.py",
    ],
}
FILES = sorted({path for area in CONVERTED.values() for glob in area for path in UI.glob(glob)})
# Three words, or one that begins with a capital, are something to read.
SENTENCE = re.compile(r"[A-Za-z]+[,:;]? [a-z]+[,:;]? [a-z]+")
WORD = re.compile(r"[A-Z][a-z]+( [a-z]+)*[.?!…]*")
# Functions whose words are for somebody else: a terminal, a programmer, or Python itself.
NOT_FOR_THE_PAGE = {"code", "snippet", "_code", "fill_shelves", "use_of", "linked", "_serve"}
KEYS = {"Enter", "Escape", "Tab"}  # of the keyboard
CODE = re.compile(r"(from [\w.]+ )?import \w")


def is_read(text):
    return not CODE.match(text) and bool(
        SENTENCE.search(text) or (WORD.fullmatch(text) and text not in KEYS)
    )


def words_in_python(source):
    """Return the texts of a module that somebody might read, but for docstrings and `Wording`s."""
    tree = ast.parse(source)
    silent = set()
    for node in ast.walk(tree):
        # The name of an argument that is checked is in names*.json.
        called = isinstance(node, ast.Call) and re.match(
            r"(Wording|re\.compile|TypeVar|self\._python)$|require_", ast.unparse(node.func)
        )
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if called or (named and node.name in NOT_FOR_THE_PAGE):
            silent |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Expr):  # a docstring
            silent.add(id(node.value))
    texts = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent
    )
    return [text for text in texts if is_read(text)]


def words_in_script(source):
    source = re.sub(r"//.*|/\*.*?\*/|console\..*", "", source)
    texts = re.findall(r"'([^'\n]*)'|`([^`]*)`", source)
    return [text for pair in texts for text in pair if is_read(text)]


def words_in_template(source):
    """Return what a template says itself, but for the page's name and what tells its language."""
    source = re.sub(r"<(\w+)[^>]* lang=[^>]*>.*?</\1>|<h1>genimg</h1>", "", source)
    attributes = re.findall(
        r"""(?<!-)\b(?:aria-label|title|alt|placeholder)=["']([^"']+)""", source
    )
    texts = [*re.findall(r">([^<]+)<", source), *attributes]
    said = [text for text in texts if re.search(r"[A-Za-z]{2}", text) and text != "Python"]
    return [text for text in said if not text.startswith("Ctrl+")]


FINDERS = {".py": words_in_python, ".js": words_in_script, ".html": words_in_template}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(UI).as_posix())
def test_a_converted_file_holds_no_words(path):
    assert FINDERS[path.suffix](path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("suffix", "source"),
    [
        (".py", "gr.Button('New seed')"),
        (".py", "gr.Button(label='Seed')"),
        (".py", "f'<p>they learned from {other} pictures'"),
        (".js", "next.textContent = 'Next';"),
        (".js", "status.textContent = `${model} made the other one`;"),
        (".html", '<button type="button">Ask me</button>'),
        (".html", '<img alt="The first">'),
    ],
)
def test_the_search_for_words_finds_them(suffix, source):
    assert FINDERS[suffix](source)


@pytest.mark.parametrize(
    ("suffix", "source"),
    [
        (".py", "def f():\n  'Return the first of them.'\n  say('compare.seed')"),
        (".py", "raise ValueError(Wording('a.b', 'it is not there'))"),
        (".js", "find('.pair button'); // The other one is real."),
        (".html", '<p data-say="compare.quiz.about"></p><b lang="en">English words</b>'),
    ],
)
def test_the_search_for_words_finds_nothing_else(suffix, source):
    assert FINDERS[suffix](source) == []
