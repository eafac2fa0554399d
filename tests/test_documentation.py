"""The pages that are made from the docstrings, and the README in two languages."""

import re
import subprocess
import sys
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import pytest

import genimg
from genimg.ui import texts

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path):
    command = [sys.executable, ROOT / "docs" / "api.py", tmp_path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout == f"wrote {tmp_path / 'index.html'}\n"
    first = (tmp_path / "genimg.html").read_text(encoding="utf-8")
    for name in genimg.__all__:
        assert f'id="{name}"' in first or f'href="genimg/{name}.html"' in first
    models = (tmp_path / "genimg" / "explore.html").read_text(encoding="utf-8")
    for name in ("GanModel.sample", "DrawerModel.complete", "LoadedModel.to"):
        assert f'id="{name}"' in models


# What only Hugging Face reads is in one of the two.
_, _, ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", maxsplit=2)
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
TO_CHINESE, TO_ENGLISH = "[简体中文](README.zh-CN.md)", "[English](README.md)"

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"!?\[([^\[\]]*)\]\(([^()\s]+)\)")
ADDRESS = re.compile(r"https?://[\w.:/-]+\w", re.ASCII)
ITALICS = re.compile(r"(?<!\*)\*(?!\*)([^*\n]+)\*(?!\*)")
HAN, FULL_WIDTH = "\u3400-\u9fff", "，。；：！？、（）“”…"


def test_each_readme_leads_to_the_other():
    assert ENGLISH.lstrip().splitlines()[:3] == ["# genimg", "", TO_CHINESE]
    assert CHINESE.splitlines()[:3] == ["# genimg", "", TO_ENGLISH]


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:\.\d+)?", text))


def code_blocks(text: str) -> list[tuple[str, str, Counter[str]]]:
    """Return language and text without comments of each block, and all numbers in it."""
    found = []
    for language, code in BLOCK.findall(text):
        # The tree of files has no language: what stands to the right of a name explains it.
        comment = r" +# .*$" if language else r"(?<=\S) {2,}.*$"
        found.append((language, re.sub(comment, "", code, flags=re.MULTILINE), numbers(code)))
    return found


def pieces(text: str) -> list[str]:
    """Return the headings, paragraphs, list items and rows of tables, in order."""
    text = BLOCK.sub("", text).replace(TO_CHINESE, "").replace(TO_ENGLISH, "")
    return [piece.strip() for piece in re.split(r"\n\n+|\n(?=- |\|)", text) if piece.strip()]


def mark(piece: str) -> str:
    """Return what a piece is: '##', '-', '|', or '' for a paragraph."""
    return re.match(r"#+|-|\||", piece)[0]


def in_chinese(name: str) -> set[str]:
    """Return what a part of the page that is called `name` may be called in Chinese."""
    heading = re.compile("^#+ ")
    keys = [
        key
        for key, words in texts.catalog("en").items()
        if isinstance(words, str) and heading.sub("", words) == name
    ]
    return {heading.sub("", str(texts.catalog("zh")[key])) for key in keys} or {name}


def facts(piece: str) -> dict[str, object]:
    """Return what a piece must have in common with its counterpart."""
    italics = ITALICS.findall(CODE.sub("", piece))
    return {
        "mark": mark(piece),
        "code": {" ".join(code.split()) for code in CODE.findall(piece)},
        "links": {target for _, target in LINK.findall(piece)} | {*ADDRESS.findall(piece)},
        "pictures": piece.count("!["),
        "italics": [" ".join(name.split()) for name in italics],
        "bold": piece.count("**"),
        "numbers": [numbers(cell) for cell in piece.split("|")],
    }


def differences(english: str, chinese: str) -> list[str]:
    """Return where one of the two says something else, or says it elsewhere."""
    found = [
        f"{one}\n{other}"
        for one, other in zip_longest(code_blocks(english), code_blocks(chinese))
        if one != other
    ]
    for one, other in zip_longest(pieces(english), pieces(chinese), fillvalue=""):
        ours, theirs = facts(one), facts(other)
        # Parts of the page are called by what is written on it.
        pairs = zip_longest(ours["italics"], theirs["italics"], fillvalue="")
        if all(other in in_chinese(one) for one, other in pairs):
            ours["italics"] = theirs["italics"]
        unequal = [f"{key}: {ours[key]} {theirs[key]}" for key in ours if ours[key] != theirs[key]]
        if unequal:
            found.append("\n".join([*unequal, one, other]))
            if ours["mark"] != theirs["mark"]:
                break  # what follows is compared with something else
    return found


def prose(text: str) -> str:
    """Return what is read, with one word for each piece of code."""
    text = CODE.sub("code", BLOCK.sub("", text))
    text = LINK.sub(r"\1", LINK.sub(r"\1", text))
    return re.sub(f"<{ADDRESS.pattern}>", "code", text).replace("**", "")


def blemishes(chinese: str) -> list[str]:
    """Return what is not Chinese, or not set as Chinese is."""
    known = {*ITALICS.findall(ENGLISH)}
    text = prose(chinese.replace(TO_ENGLISH, ""))
    named = ITALICS.sub(lambda name: "code" if name[1] in known else name[1], text)
    word = r"[A-Za-z][\w'’-]*"
    faults = {
        "English": rf"{word}(?:[\s,.;:!?]+{word}){{6,}}",
        "half-width": rf"[{HAN}{FULL_WIDTH}] ?[,.;:!?()\"']|[,;:!?()\"'] ?[{HAN}]|\.[{HAN}]",
        "no space": rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9%][{HAN}]",
        "space": rf"[{HAN}] [{HAN}]|\S  +\S|(?<![|-]) [{FULL_WIDTH}]|[{FULL_WIDTH}] (?!\|)",
        # A soft line break shows as a space.
        "break": rf"[{HAN}{FULL_WIDTH}]\n[^\n|-]",
    }
    return [
        f"{name}: {named[max(0, found.start() - 10) : found.end() + 10]}"
        for name, fault in faults.items()
        for found in re.finditer(fault, named)
    ]


def test_both_readmes_say_the_same():
    assert len(code_blocks(ENGLISH)) >= 8
    assert len(pieces(ENGLISH)) >= 140
    assert "\n\n".join(differences(ENGLISH, CHINESE)) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## Limits", "### Limits"),
        ("## Limits", "Limits"),
        ("\n| FD | 0.286", "\n| FD | 0.287"),
        ("| `fashion-vit` |", "| `fashion-vit-2` |"),
        ("| 0.11 s | |", "| | 0.11 s |"),
        ("\n| I pause it |", "\n| I wait | nothing |\n| I pause it |"),
        ("\n- Pictures of 28", "\n- New.\n- Pictures of 28"),
        ("seed=3)\n", "seed=4)\n"),
        ("# uint8 (7, 28, 28, 1)", "# uint8 (6, 28, 28, 1)"),
        ("  storage.py ", "  stores.py "),
        ("```nginx", "```conf"),
        ("*Race*", "*Races*"),
        ("**0.74**", "0.74"),
        ("`--root-path`", "`--root`"),
        ("](docs/extending.md)", "](docs/extend.md)"),
        ("](genimg/ui/screenshot.png)", "](genimg/ui/screenshot-2.png)"),
        ("![The GAN tab", "[The GAN tab"),
        ("127.0.0.1:7860,", "127.0.0.1:7861,"),
        ("\n## Limits", "\nOne more paragraph.\n\n## Limits"),
    ],
)
def test_the_search_for_differences_finds_them(old, new):
    assert old in ENGLISH
    assert differences(ENGLISH.replace(old, new, 1), CHINESE)


def test_the_chinese_readme_is_chinese():
    assert blemishes(CHINESE) == []


@pytest.mark.parametrize(
    "text",
    [
        "It needs Python and nearly all of it works without a network.",
        "Now look at what lives\nnext door.",
        "生成器,判别器",
        "生成器, 判别器",
        "用 `genimg`, 判别器",
        "生成器.",
        "生成器(判别器)",
        '"生成器"',
        "生成器GAN",
        "生成器`genimg`",
        "3.5%的图片",
        "生成器 判别器",
        "`genimg` ，生成器",
        "生成器， GAN",
        "生成器\n判别器",
        "用 *nowhere on the page but here and there* 生成",
    ],
)
def test_the_search_for_blemishes_finds_them(text):
    assert blemishes(text)


@pytest.mark.parametrize(
    "text",
    [
        "- *Who sees whom in a long sequence*（谁看得见谁）：用 `a, b`，见 [`c.md`](c.md)。",
        "| 真实图片（28 px） | **93.5%** | | A − B + C |",
        "**GAN 标签页**：打开 <http://127.0.0.1:7860>，再看“Size”。",
        "```sh\nany command, and all of its many long words here\n```",
    ],
)
def test_the_search_for_blemishes_finds_nothing_else(text):
    assert blemishes(text) == []
