import ast
import dataclasses
import json
import re
from functools import cache
from pathlib import Path

import pytest

from genimg import checkpoints, data
from genimg.data.registry import published
from genimg.explore.mistakes import DEPTHS, MISTAKES
from genimg.jobs.states import State
from genimg.training.metric_names import METRICS
from genimg.training.presets import PRESETS, settings_of
from genimg.ui import texts
from genimg.wording import Wording

GENIMG = Path(texts.__file__).parents[2]
SOURCES = [path for kind in ("py", "js", "html") for path in GENIMG.rglob(f"*.{kind}")]
PLACEHOLDER = re.compile(r"\{(\w+)\}")
EN, ZH = texts.catalog("en"), texts.catalog("zh")
# The Chinese of names that are data: of a class, an argument ...; their English is the name itself.
NAMES = {
    key: name
    for path in (Path(texts.__file__).parent / "zh").glob("names*.json")
    for key, name in json.loads(path.read_text(encoding="utf-8")).items()
}


def wordings(source):
    """Return key and template of every `Wording("key", "template")` of a file."""
    return {
        node.args[0].value: ast.literal_eval(node.args[1])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Wording"
        and isinstance(node.args[0], ast.Constant)
    }


@cache
def library():
    """Return the English templates that stand in the library, by key."""
    found = {}
    for path in GENIMG.rglob("*.py"):
        for key, template in wordings(path.read_text(encoding="utf-8")).items():
            assert found.setdefault(key, template) == template, f"{key} says two things"
    return found


@cache
def used():
    """Return the literals of all sources, and patterns of those that are put together."""
    literals, patterns = set(), set()
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    literals.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = [
                        re.escape(part.value) if isinstance(part, ast.Constant) else ".+"
                        for part in node.values
                    ]
                    patterns.add("".join(parts))
        else:
            literals |= set(re.findall(r"""['"]([\w.-]+)['"]""", source))
            for text in re.findall(r"`([^`]*)`", source):
                parts = re.split(r"\$\{[^}]*\}", text)
                patterns.add(".+".join(map(re.escape, parts)))
    # Only what begins with a word and a point can be a key.
    return literals, {each for each in patterns if re.match(r"\w+(\\\.[\w.\\+]+)", each)}


def placeholders(words):
    """Return the names in a text, or in both of a text that counts."""
    every = " ".join(words.values()) if isinstance(words, dict) else words
    return set(PLACEHOLDER.findall(every))


def test_no_key_is_in_two_files():
    for language in texts.LANGUAGES:
        keys = [
            re.match(r' {2}"([^"]+)":', line)
            for path in sorted((Path(texts.__file__).parent / language).glob("*.json"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        found = [key[1] for key in keys if key]
        assert sorted(found) == sorted(texts.catalog(language))


def test_both_languages_have_all_words():
    assert library().keys() & EN.keys() == set()
    assert ZH.keys() - NAMES.keys() == EN.keys() | library().keys()


@pytest.mark.parametrize("key", sorted(ZH.keys() - NAMES.keys()))
def test_placeholders_are_equal(key):
    english = EN[key] if key in EN else library()[key]
    assert placeholders(ZH[key]) == placeholders(english)
    assert "{" not in PLACEHOLDER.sub("", str(ZH[key]) if isinstance(ZH[key], str) else "")


def test_only_english_has_a_plural_and_it_counts():
    for key, words in EN.items():
        if not isinstance(words, str):
            assert words.keys() == {"one", "other"}, key
            assert "count" in placeholders(words), key
    assert all(isinstance(words, str) for words in ZH.values())


def test_all_words_are_used():
    literals, patterns = used()
    terms = {key for key in EN if key.startswith("term.")}  # the list of terms takes all there are
    left = EN.keys() - literals - terms
    unused = {key for key in left if not any(re.fullmatch(each, key) for each in patterns)}
    assert unused == set()


def test_all_keys_that_are_used_have_words():
    areas = {key.partition(".")[0] for key in EN}
    literals, _ = used()
    keys = re.compile(rf"({'|'.join(areas)})\.[a-z][\w.]*[a-z]")
    suffixes = (".py", ".js", ".json", ".html", ".css", ".txt")
    written = {each for each in literals if keys.fullmatch(each) and not each.endswith(suffixes)}
    assert written - EN.keys() == set()


def named_by_the_library():
    """Return the keys of all names that the library, or what ships with it, can say."""
    keys = {f"metric.{name}" for name in METRICS}
    keys |= {f"metric.{name}.meaning" for name in METRICS}
    keys |= {f"unit.{metric.unit}" for metric in METRICS.values() if metric.unit}
    keys |= {f"state.{state}" for state in State} | {f"preset.{name}" for name in PRESETS}
    keys |= {f"measured.{text}" for text in measured_before()}
    for configuration in (part for each in PRESETS.values() for part in settings_of(each).values()):
        for field in dataclasses.fields(configuration):
            keys |= {f"setting.{field.name}", f"help.{field.metadata['help']}"}
    for name in published():
        facts = data.describe(name)
        keys |= {f"dataset.{name}", f"dataset.{name}.title"} | {
            f"class.{each}" for each in facts["classes"]
        }
        for attribute, values in facts["attributes"].items():
            keys |= {f"attribute.{attribute}"} | {f"value.{value}" for value in values}
    keys |= {f"{kind}.{name}" for kind in ("mistake", "symptom") for name in MISTAKES}
    keys |= {f"depth.{depth.title}" for depth in DEPTHS}
    for name in checkpoints.names():
        keys.add(f"model.{checkpoints.read_card(checkpoints.find(name))['title']}")
    return keys


def measured_before():
    """Return all texts of the tables of the race, and what ran the recordings."""
    for path in (GENIMG / "ui/training/static").glob("*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        yield from (found["title"], found["machine"].partition(" (")[0])
        for table in found["tables"]:
            yield from (table["title"], table["note"], *table["head"])
            yield from (cell for row in table["rows"] for cell in row)
    for path in (GENIMG / "ui/recordings").glob("*/recording.json"):
        yield json.loads(path.read_text(encoding="utf-8"))["hardware"]


def arguments_of_checks():
    """Return the names of arguments that are written where they are checked."""
    return {
        f"argument.{node.args[0].value}"
        for path in GENIMG.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("require_")
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_name_in_chinese_is_one_that_the_library_says():
    assert NAMES.keys() - named_by_the_library() - arguments_of_checks() == set()


def test_classes_attributes_models_and_data_sets_have_chinese_names():
    of_data = ("class.", "attribute.", "value.", "model.", "dataset.")
    of_runs = ("metric.", "state.", "preset.")
    wanted = {key for key in named_by_the_library() if key.startswith((*of_data, *of_runs))}
    # Digits and syllables are the same in every language; hair and bodies are values, too.
    same = {f"class.{each}" for name in ("mnist", "kmnist") for each in classes(name)}
    values = {f"class.{each}" for name in ("portraits", "critters") for each in classes(name)}
    assert wanted - NAMES.keys() - same - values == set()


def classes(name):
    return data.describe(name)["classes"]


CHINESE, LATIN, FULL_WIDTH = "[\u4e00-\u9fff]", "[A-Za-z0-9]", "[。，：；？！（）、“”]"
FAULTS = {
    "no space between Chinese and Latin": rf"{CHINESE}{LATIN}|{LATIN}{CHINESE}",
    "more than one space": r"\S  +\S",
    "a space between Chinese": rf"{CHINESE} +{CHINESE}",
    "a space beside full-width punctuation": rf" {FULL_WIDTH}|{FULL_WIDTH} (?=\S)",
    "half-width punctuation beside Chinese": rf"{CHINESE}[.,;:?!()\"']|[,;:?!()\"']{CHINESE}",
    "a space before ° or %": r" [°%]",
    "three points instead of ……": r"\.\.\.|(?<!…)…(?!…)",
    "another word than the glossary's": "鉴别器|反卷积|隐空间|潜在空间|令牌",
}
# Words that are written in this way.
WRITTEN_SO = {"T恤"}


@pytest.mark.parametrize("key", sorted(ZH))
def test_chinese_is_written_as_it_should_be(key):
    text = ZH[key]
    for word in WRITTEN_SO:
        text = text.replace(word, "")
    # A placeholder may hold Chinese, Latin or a number: nothing is asked of what is beside it.
    text = PLACEHOLDER.sub("\ufffc", text)
    assert [fault for fault, pattern in FAULTS.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("用GAN画", "no space"),
        ("你好,世界", "half-width"),
        ("你 好", "a space between"),
        ("5 %", "°"),
    ],
)
def test_the_search_for_faults_finds_them(text, fault):
    found = [words for words, pattern in FAULTS.items() if re.search(pattern, text)]
    assert [words for words in found if fault in words]


def test_english_has_no_chinese_and_chinese_is_chinese():
    assert not [key for key, words in EN.items() if re.search(CHINESE, str(words))]


def test_words_are_filled_in_and_go_along():
    words = texts.say("compare.sheet.gan", count=1)
    assert words == "1 picture of the GAN"
    assert texts.say("compare.sheet.gan", count=2) == "2 pictures of the GAN"
    assert texts.sent(words) == {"say": "compare.sheet.gan", "count": 1}
    assert texts.sent("plain") == "plain"
    with pytest.raises(KeyError):
        texts.say("compare.nothing_of_that_name")
    with pytest.raises(KeyError):
        texts.label("compare.sheet.gan")  # it has an argument
    assert texts.label("compare.seed").key == "compare.seed"


def test_words_of_the_library_carry_their_english_and_words_inside_words_their_key():
    inner = texts.class_name("Coat")
    words = Wording("local.missing", "no {split} pictures", split=inner)
    assert words == "no Coat pictures"
    coat = {"say": "class.Coat", "name": "Coat", "english": "Coat"}
    assert texts.sent(words) == {"say": "local.missing", "split": coat, "english": words}


def test_a_name_that_nobody_knows_is_said_as_it_is():
    assert texts.sent(texts.class_name("<b>")) == "<b>"
    assert texts.span(texts.class_name("<b>")) == "&lt;b&gt;"
    assert texts.sent(texts.class_name("mohawk"))["say"] == "value.mohawk"


def test_html_holds_words_as_text():
    words = texts.say("compare.copies.training", number='"><b>')
    for made in (texts.span(words), texts.attribute("alt", words), texts.toast(words)):
        assert "<b>" not in made
    assert texts.attribute("alt", texts.say("compare.copies.first")) == (
        'alt="The first picture" data-say-alt="{&quot;say&quot;: &quot;compare.copies.first&quot;}"'
    )


def test_choices_are_sent_with_their_values():
    assert texts.choices([("x", 1), (texts.say("compare.gan"), 2)]) == [
        ("x", 1),
        ({"say": "compare.gan"}, 2),
    ]
