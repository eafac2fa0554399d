import dataclasses
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from genimg import data
from genimg.jobs.devices import Device
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.render import encode
from genimg.training.presets import PRESETS
from genimg.ui.identity import Identity
from genimg.ui.training.handlers import (
    FIRST_PRESET,
    TrainHandlers,
    duration,
    round_number,
    sentence,
)

ADA = {"nickname": "ada", "token": ""}
CHANGES = {"generator_widths": "16", "discriminator_widths": "16"}


@pytest.fixture
def handlers(idle_manager):
    return TrainHandlers(idle_manager, Identity("secret"))


def asked(**changes):
    return {
        "preset": "fashion-mlp",
        "dataset": "fashion-mnist",
        "length": "images",
        "amount": 640,
        "advanced": {"changes": CHANGES, "intent": "one"},
    } | changes


def start(handlers, who=ADA, name="mine", **changes):
    values = asked(**changes)
    order = ("preset", "dataset", "length", "amount")
    return handlers.start(who, *(values[key] for key in order), name, values["advanced"])


def estimate(handlers, **changes):
    return handlers.estimate(**asked(**changes))


def test_a_run_is_queued_as_the_form_says(handlers):
    job = handlers.manager.job(start(handlers))
    spec = handlers.manager.directory(job.id).read_spec()
    assert (job.owner, job.name, job.preset) == ("ada", "mine", "fashion-mlp")
    assert spec.model.generator_widths == (16,)
    assert (spec.run.images, spec.run.dataset) == (640, "fashion-mnist")


def test_a_double_click_is_one_run_and_a_new_intent_another(handlers):
    assert start(handlers) == start(handlers)
    assert len(handlers.manager.jobs()) == 1
    start(handlers, advanced={"changes": CHANGES, "intent": "two"})
    assert len(handlers.manager.jobs()) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"preset": "fashion-features"}, "choose one from the list"),
        ({"preset": ["x"]}, "choose one from the list"),
        ({"dataset": "folder:/etc"}, "choose a data set from the list"),
        ({"length": "dataset"}, "minutes or for a number"),
        ({"amount": None}, "how many pictures"),
        ({"amount": True}, "how many pictures"),
        ({"amount": 1.5}, "“Train for” must be a whole number"),
        ({"amount": float("nan")}, "“Train for” must be a whole number"),
        ({"advanced": None}, "settings did not arrive"),
        ({"advanced": {"changes": {"dataset": "folder:/etc"}}}, "no setting"),
        ({"advanced": {"changes": {"batch_size": 10**6}}}, "^“Batch size” must be from"),
        ({"advanced": {"changes": {"batch_size": None}}}, "^“Batch size” must be a finite"),
        ({"who": None}, "nickname"),
        ({"who": {"nickname": "   "}}, "nickname"),
        ({"name": "x" * 200}, "80 printable"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(handlers, changes, words):
    with pytest.raises(ValueError, match=words):
        start(handlers, **changes)
    assert handlers.manager.jobs() == []


def test_limits_bind_students_and_not_the_teacher(handlers):
    long = {"length": "minutes", "amount": 10_000}
    with pytest.raises(ValueError, match="minutes"):
        start(handlers, **long)
    assert start(handlers, who=ADA | {"token": "secret"}, **long)


def test_the_estimate_says_time_memory_and_disk(handlers):
    said = estimate(handlers)
    assert said["level"] == "good"
    for word in ("640 pictures", "about 15 s to start", "of memory", "of disk"):
        assert word in said["text"]


def test_minutes_are_kept_and_pictures_are_a_guess(handlers):
    said = estimate(handlers, length="minutes", amount=10)["text"]
    assert said.startswith("About 10 min on the CPU, after about 15 s to start: ")
    assert "pictures if it is as fast as the checkpoint" in said
    assert "fewer if it is slower." in said
    said = estimate(handlers, length="images", amount=800_000)["text"]
    assert re.match(r"About \d+ min on the CPU, after about 15 s to start, if it is as fast", said)


@pytest.mark.parametrize(
    ("length", "few", "enough"), [("images", 20, 12_800), ("minutes", 0.01, 5)]
)
def test_a_run_of_a_few_steps_is_cautioned(handlers, length, few, enough):
    said = [estimate(handlers, length=length, amount=amount) for amount in (few, enough)]
    assert [one["level"] for one in said] == ["good", "good"]
    unit = {"images": "pictures", "minutes": "minutes"}[length]
    assert said[0]["text"].endswith(f"hardly anything: ask for more {unit}.")
    assert "hardly" not in said[1]["text"]


def test_an_unknown_speed_is_measured(handlers):
    handlers.manager.engine.devices = [Device(name="cuda:0", title="A card")]
    said = estimate(handlers)["text"]
    assert said.startswith("640 pictures on the A card, after about 15 s to start; its speed is")
    said = estimate(handlers, length="minutes", amount=3)["text"]
    assert said.startswith("About 3 min on the A card, after about 15 s to start; its speed is")


def test_the_estimate_is_a_refusal_where_it_cannot_fit(handlers):
    [device] = handlers.manager.engine.devices
    small = dataclasses.replace(device, total_memory=10**9, free_memory=10**9)
    handlers.manager.engine.devices = [small]
    said = estimate(handlers)
    assert said["level"] == "problem"
    assert "memory" in said["text"]
    with pytest.raises(ValueError, match="memory"):
        start(handlers)


def test_the_estimate_is_the_mistake_where_there_is_one(handlers):
    said = estimate(handlers, advanced={"changes": {"batch_size": 0}})
    assert said == {"level": "problem", "text": "“Batch size” must be from 2 to 4096, not 0."}


def test_every_model_has_an_estimate(handlers):
    for _, preset in handlers.presets():
        pictures = handlers.dataset_for(preset, "fashion-mnist")
        assert pictures == PRESETS[preset].run.get("dataset", "fashion-mnist")
        said = estimate(
            handlers, preset=preset, dataset=pictures, advanced={"changes": {}}, amount=1000
        )
        assert said["level"] == "good", said


def test_another_model_leaves_pictures_of_ones_own_choice(handlers):
    assert handlers.dataset_for("portraits-style", "fashion-mnist") == "portraits"
    assert handlers.dataset_for("fashion-style", "critters") == "fashion-mnist"
    for own in ("mnist", "own:1234-mine", None):
        assert handlers.dataset_for("portraits-style", own) == own


def test_a_tokenizer_that_ships_is_offered_for_its_pictures(handlers):
    said = estimate(
        handlers, preset="fashion-gpt", dataset="portraits", advanced={"changes": {}}, amount=1000
    )
    assert said["level"] == "problem"
    assert said["remedy"] == {"label": "Use that tokenizer", "tokenizer": "portraits-tokenizer"}


@pytest.fixture
def colour(handlers, monkeypatch):
    """Name the only data set: pictures in colour, which the shipped tokenizer cannot read."""
    facts = data.describe("fashion-mnist") | {"channels": 3}
    monkeypatch.setattr("genimg.training.requesting.data.describe", lambda name: facts)
    return {"preset": "fashion-gpt", "advanced": {"changes": {}, "intent": "one"}}


def test_a_missing_tokenizer_is_trained_by_a_button(handlers, colour):
    said = estimate(handlers, **colour)
    assert said["level"] == "problem"
    assert said["text"] == (
        "The tokenizer fashion-tokenizer reads grey pictures and these are colour ones; train a"
        " tokenizer on these pictures first."
    )
    assert said["remedy"] == {
        "label": "Train a tokenizer on these pictures first",
        "tokenizer": "",
    }
    with pytest.raises(ValueError, match="; train a tokenizer on these pictures first"):
        start(handlers, **colour)
    assert handlers.manager.jobs() == []

    advanced = colour["advanced"] | {"changes": {"size": 32}}
    ids = {handlers.train_tokenizer(ADA, "fashion-mnist", advanced) for _ in range(2)}
    [job] = handlers.manager.jobs()  # a double click is one run
    assert ids == {job.id}
    spec = handlers.manager.directory(job.id).read_spec()
    assert (spec.kind, spec.model.channels, spec.model.size) == ("fsq-tokenizer", 3, 32)
    said = estimate(handlers, **colour)
    assert "start this when it has ended" in said["text"]
    assert said["remedy"] is None


def test_the_tokenizer_that_was_trained_is_used_by_a_button(handlers, colour, monkeypatch):
    job_id = handlers.train_tokenizer(ADA, "fashion-mnist", colour["advanced"])
    trained = dataclasses.replace(
        handlers.manager.job(job_id), saved_images=640, state=State.SUCCEEDED
    )
    monkeypatch.setattr(JobManager, "jobs", lambda manager: [trained])
    said = estimate(handlers, **colour)
    assert said["remedy"] == {"label": "Use that tokenizer", "tokenizer": job_id}
    advanced = handlers.with_tokenizer("fashion-gpt", colour["advanced"], job_id)
    assert advanced["changes"] == {"tokenizer": job_id}
    assert advanced["intent"] == "one"
    with pytest.raises(ValueError, match="tokenizer must be one of"):
        handlers.with_tokenizer("fashion-gpt", colour["advanced"], "/etc")


def test_a_tokenizer_needs_a_nickname_and_pictures_of_the_list(handlers):
    for who, dataset in ((None, "fashion-mnist"), (ADA, "folder:/etc"), (ADA, ["x"])):
        with pytest.raises(ValueError, match=r"nickname|data set from the list"):
            handlers.train_tokenizer(who, dataset, {"changes": {}})
    assert handlers.manager.jobs() == []


def test_the_devices_of_the_machine_are_choices(handlers):
    handlers.manager.engine.devices.append(Device(name="cuda:0", title="GPU"))
    fields = handlers.advanced("fashion-mlp")["sections"][0]["fields"]
    [device] = [field for field in fields if field["name"] == "device"]
    assert device["choices"] == ["auto", "cpu", "cuda:0"]


def test_what_a_rented_machine_costs_is_said_before_the_start(handlers):
    rented = Device(name="hf/cuda", title="A card of theirs", dollars_an_hour=0.4)
    handlers.manager.engine.devices.append(rented)
    chosen = {"changes": CHANGES | {"device": "hf/cuda"}}
    words = estimate(handlers, advanced=chosen)["text"]
    assert "on the A card of theirs" in words
    assert words.endswith("The machine costs $0.40 an hour.")
    assert "costs" not in estimate(handlers)["text"]
    json.dumps(handlers.advanced("fashion-mlp"), allow_nan=False)


def test_a_copy_of_a_run_is_the_same_run(handlers):
    first = handlers.manager.job(start(handlers))
    copied = handlers.copied(first.id)
    values = {key: copied[key] for key in ("preset", "dataset", "length", "amount")}
    again = handlers.manager.job(
        start(handlers, **values, name=copied["name"], advanced=copied["advanced"])
    )
    specs = [handlers.manager.directory(job.id).read_spec() for job in (first, again)]
    assert specs[0] == specs[1]
    assert again.name == "mine again"
    for job_id in ("nonsense", "../..", None, ["x"]):
        with pytest.raises(ValueError):  # noqa: PT011
            handlers.copied(job_id)


def test_a_run_that_began_with_another_model_is_not_copied_without_it(handlers):
    first = handlers.manager.job(start(handlers))
    directory = handlers.manager.directory(first.id)
    spec = directory.read_spec()
    directory.write_spec(replace(spec, run=replace(spec.run, init="fashion-mlp")))
    with pytest.raises(ValueError, match="began with the weights of another model"):
        handlers.copied(first.id)


def test_an_upload_is_deleted_whatever_becomes_of_it(handlers, tmp_path, monkeypatch):
    def refuse(sources, root, size):
        raise ValueError(f"{sources[0].name} is not a zip file of pictures of {size} pixels")

    monkeypatch.setattr("genimg.ui.training.own_data.ingest", refuse)
    path = tmp_path / "bad.zip"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"bad\.zip is not a zip file of pictures of 32 pixels"):
        handlers.upload(str(path), ADA, "fashion-mlp", {"changes": {}})
    assert not path.exists()
    with pytest.raises(ValueError, match="no file"):
        handlers.upload(None, ADA, "fashion-mlp", {"changes": {}})


@pytest.fixture
def sent(handlers, tmp_path):
    """Upload two pictures; return the choice's value and the report."""

    def upload(who=ADA, seed=0):
        path = tmp_path / "pets.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for label in ("cats", "dogs"):
                pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 1), np.uint8)
                archive.writestr(f"{label}/1.png", encode(pixels, "png"))
        return handlers.upload(str(path), who, "fashion-mlp", {"changes": {}})

    return upload


@pytest.mark.slow
def test_who_sent_pictures_may_delete_them_and_the_teacher_too(handlers, sent):
    value, report = sent()
    assert report["own"] == value
    bob, teacher = ADA | {"nickname": "bob"}, {"nickname": "ms", "token": "secret"}
    said = {"title": "Sent by ada.", "classes": "Found 2 classes: cats, dogs."}
    assert handlers.sent(ADA, value) == handlers.sent(teacher, value) == said | {"own": value}
    assert handlers.sent(bob, value) == said  # who may not delete them may train on them
    for dataset in ("fashion-mnist", "own:../..", ["x"]):
        assert handlers.sent(ADA, dataset) is None
    with pytest.raises(ValueError, match="ada's"):
        handlers.forget(bob, value)
    handlers.forget(ADA, "own:../..")
    assert value in [choice for _, choice in handlers.data.choices()]
    handlers.forget(ADA, value)
    assert value not in [choice for _, choice in handlers.data.choices()]
    value, _ = sent()
    handlers.forget(teacher, value)
    assert value not in [choice for _, choice in handlers.data.choices()]


@pytest.mark.slow
def test_pictures_need_a_nickname_and_room(handlers, sent):
    with pytest.raises(ValueError, match="nickname"):
        sent(who=None)
    handlers.manager.limits.check_stored(0)
    value, _ = sent()
    [folder] = (handlers.manager.root / "datasets").glob("[0-9a-f]*")
    with (folder / ".padding").open("wb") as file:
        file.truncate(2_000_000_001)  # a hole; it takes no room
    with pytest.raises(ValueError, match="your runs and pictures take 2,000 MB"):
        sent(seed=1)
    with pytest.raises(ValueError, match="your runs and pictures take 2,000 MB"):
        start(handlers)
    sent(who=ADA | {"nickname": "bob"}, seed=1)
    handlers.forget(ADA, value)
    assert start(handlers)


def test_the_estimate_of_sent_pictures_reads_none_of_them(handlers, sent, monkeypatch):
    value, _ = sent()
    monkeypatch.setattr("genimg.data.folder.read_picture", None)
    assert estimate(handlers, dataset=value)["level"] == "good"
    spec = handlers.manager.directory(start(handlers, dataset=value)).read_spec()
    assert (spec.model.channels, spec.run.dataset) == (1, handlers.data.name(value))


def test_a_server_that_only_watches_says_so(handlers, monkeypatch):
    notice = "process 1 on x looks after these runs; here they can only be watched"

    def refuse(*args, **options):
        raise ValueError(notice)

    monkeypatch.setattr(JobManager, "start", refuse)
    with pytest.raises(ValueError, match="only be watched"):
        start(handlers)


def test_presets_have_their_titles_and_come_after_what_they_need(handlers):
    assert all(PRESETS[name].title == title for title, name in handlers.presets())
    names = [name for _, name in handlers.presets()]
    assert names[0] == "fashion-mlp"  # the simplest
    assert names.index("fashion-tokenizer") < names.index("fashion-gpt")
    assert FIRST_PRESET in names


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7.26, "7.3"),
        (49.6, "50"),
        (1234, "1,200"),
        (98765, "99,000"),
        (999_999_999, "1,000,000,000"),
        (1.1e10, "11 billion"),
        (5e14, "500,000 billion"),
    ],
)
def test_numbers_have_two_digits(number, text):
    assert round_number(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (3 * 3600 + 300, "3 h 5 min")],
)
def test_times_are_words(seconds, text):
    assert duration(seconds) == text


def test_a_setting_has_its_name_on_the_page_in_a_sentence():
    assert sentence("batch_size must be 2") == "“Batch size” must be 2."
    assert sentence(ValueError("the run is gone.")) == "The run is gone."


CRAFTED = [None, 3, "x", [], {}, [1], {"changes": None}, {"changes": [1]}, {"changes": "x"}]


@pytest.mark.parametrize("value", CRAFTED, ids=repr)
def test_what_no_page_sends_is_refused_in_one_sentence(handlers, value):
    calls = [
        lambda: handlers.dataset_for(value, "fashion-mnist"),
        lambda: handlers.with_tokenizer(value, {"changes": {}}, "x"),
        lambda: handlers.with_tokenizer("fashion-gpt", value, value),
        lambda: handlers.train_tokenizer(ADA, "fashion-mnist", value),
        lambda: handlers.train_tokenizer(value, "fashion-mnist", {"changes": {}}),
        lambda: handlers.train_tokenizer(ADA, value, {"changes": {}}),
        lambda: handlers.advanced(value),
        lambda: handlers.upload(value, ADA, "fashion-mlp", {"changes": {}}),
        lambda: start(handlers, advanced=value),
        lambda: start(handlers, who=value),
        lambda: start(handlers, preset=value),
        lambda: start(handlers, dataset=value),
        lambda: start(handlers, length=value),
        lambda: start(handlers, amount=[value]),
    ]
    said = []
    for call in calls:
        try:
            call()
        except (ValueError, PermissionError) as error:
            said.append(str(error))
    assert said  # some of what a page sends is among these values
    assert not [words for words in said if "\n" in words]
