import os
import re
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from genimg import checkpoints
from genimg.checkpoints import Checkpoint, CheckpointError
from genimg.models import KINDS

CARD = {"title": "A test", "classes": [f"class {i}" for i in range(10)], "images_seen": 12}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, small_config, alive):
    small = kind in ("mlp-gan", "dcgan", "stylegan", "classifier")
    config = small_config(kind, 32, 1, 10) if small else KINDS[kind].config()
    return alive(KINDS[kind].build(config))


@pytest.fixture
def written(tmp_path, kind, model):
    return checkpoints.write(
        tmp_path / "mine", kind=kind, model=model, card=CARD, preview=b"a picture"
    )


def same_state(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


class TestRoundTrip:
    def test_the_model_comes_back_up_to_float16(self, written, kind, model):
        checkpoint = checkpoints.read(written)
        assert (checkpoint.kind, checkpoint.config, checkpoint.card) == (kind, model.config, CARD)
        assert checkpoint.path == written
        before, after = model.state_dict(), checkpoint.model.state_dict()
        assert before.keys() == after.keys()
        for name, value in before.items():
            assert after[name].dtype == value.dtype, name
            assert after[name].device.type == "cpu", name
            exact = value.dim() < 2 or "mean_style" in name
            torch.testing.assert_close(
                after[name], value, rtol=0 if exact else 1e-3, atol=0 if exact else 1e-6, msg=name
            )

    def test_it_comes_back_ready_to_use(self, written):
        model = checkpoints.read(written).model
        assert not any(module.training for module in model.modules())
        assert not any(parameter.requires_grad for parameter in model.parameters())

    def test_reading_twice_gives_equal_models(self, written):
        first, second = checkpoints.read(written).model, checkpoints.read(written).model
        assert same_state(first, second)

    def test_reading_and_writing_again_changes_no_byte(self, written, kind, tmp_path):
        again = checkpoints.write(
            tmp_path / "again",
            kind=kind,
            model=checkpoints.read(written).model,
            card=CARD,
            preview=b"a picture",
        )
        for file in written.iterdir():
            assert (again / file.name).read_bytes() == file.read_bytes(), file.name

    def test_matrices_are_float16_and_statistics_float32(self, written, model):
        stored = load_file(written / "model.safetensors")
        assert stored.keys() == model.state_dict().keys()
        for name, value in model.state_dict().items():
            matrix = value.dim() >= 2 and value.dtype == torch.float32 and "mean_style" not in name
            assert stored[name].dtype == (torch.float16 if matrix else value.dtype), name

    def test_a_model_does_not_change_when_its_file_does(self, tiny):
        model = checkpoints.read(tiny).model
        before = {name: value.clone() for name, value in model.state_dict().items()}
        size = (tiny / "model.safetensors").stat().st_size
        with (tiny / "model.safetensors").open("r+b") as file:
            file.write(b"\xff" * size)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class TestWriting:
    def test_files_follow_the_umask(self, tmp_path, small_config):
        model = KINDS["mlp-gan"].build(small_config("mlp-gan", 16, 1, 0))
        for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
            before = os.umask(mask)
            try:
                path = checkpoints.write(
                    tmp_path / oct(mask), kind="mlp-gan", model=model, card={}, preview=b""
                )
            finally:
                os.umask(before)
            files = ["README.md", "card.json", "config.json", "model.safetensors", "preview.png"]
            assert sorted(file.name for file in path.iterdir()) == files
            assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {mode}

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e6])
    def test_weights_that_could_not_be_read_again_are_not_written(
        self, tmp_path, small_config, number
    ):
        model = KINDS["mlp-gan"].build(small_config("mlp-gan", 16, 1, 0))
        with torch.no_grad():
            model.generator.body[0].weight[0, 0] = number
        with pytest.raises(ValueError, match=r"generator\.body\.0\.weight holds numbers"):
            checkpoints.write(tmp_path / "x", kind="mlp-gan", model=model, card={}, preview=b"")
        assert not (tmp_path / "x" / "model.safetensors").exists()

    def test_the_card_is_readable_by_people_too(self, tiny):
        metrics = {"frechet_distance": {"value": 0.1234567, "samples": 10000}}
        checkpoints.write_card(tiny, CARD | {"metrics": metrics})
        text = (tiny / "README.md").read_text()
        assert text.startswith("# A test\n")
        assert "| images seen | 12 |" in text
        assert "| frechet distance | 0.1235 | samples 10000 |" in text
        assert checkpoints.read(tiny).card["metrics"] == metrics


class TestGeneratorOnly:
    @pytest.fixture
    def written(self, tiny):
        model = checkpoints.read(tiny).model
        model.discriminator = None
        return checkpoints.write(tiny, kind="mlp-gan", model=model, card=CARD, preview=b"")

    def test_it_reads_without_a_discriminator(self, written):
        model = checkpoints.read(written).model
        assert model.discriminator is None
        assert model.generator(torch.zeros(1, 12)).shape == (1, 1, 16, 16)


def test_links_are_followed_as_download_caches_are_made_of_them(tiny, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    for file in tiny.iterdir():
        (cache / file.name).symlink_to(file)
    assert same_state(checkpoints.read(cache).model, checkpoints.read(tiny).model)


class TestFind:
    @pytest.fixture
    def shipped(self, tiny, monkeypatch):
        monkeypatch.setattr(checkpoints, "SHIPPED", tiny.parent)
        return tiny

    def test_names_are_those_with_a_configuration(self, shipped):
        (shipped.parent / "empty").mkdir()
        (shipped.parent / "nested" / "early").mkdir(parents=True)
        (shipped.parent / "nested" / "early" / "config.json").write_text("{}")
        assert checkpoints.names() == ["nested/early", "tiny"]
        assert checkpoints.names(shipped.parent / "nested") == ["early"]
        assert checkpoints.names(shipped.parent / "empty") == []

    def test_a_name_or_a_path(self, shipped, monkeypatch):
        assert checkpoints.find("tiny") == shipped
        assert checkpoints.find(str(shipped)) == shipped
        assert checkpoints.find(shipped) == shipped
        assert checkpoints.read("tiny").name == "tiny"
        monkeypatch.chdir(shipped)
        assert checkpoints.find(".").resolve() == shipped

    @pytest.mark.parametrize(
        "name",
        [
            "fashion-typo",
            "../../etc",
            "..",
            "tiny/../../nothing",
            "tiny\0",
            "\0",
            "~",
            "*",
            "a\nb",
            "x" * 5000,
            "x/" * 3000,
            "\ud800",
            "http://example.org/model",
            "file:///etc/passwd",
        ],
    )
    @pytest.mark.usefixtures("shipped")
    def test_an_unknown_name_lists_the_known_ones(self, name):
        with pytest.raises(CheckpointError) as error:
            checkpoints.find(name)
        assert re.fullmatch(r"there is no checkpoint .* one of tiny", str(error.value))

    def test_a_broken_checkpoint_is_a_value_error(self):
        assert issubclass(CheckpointError, ValueError)


class TestDownload:
    @pytest.fixture
    def hub(self, monkeypatch, tiny):
        """A stand-in for huggingface_hub that holds one repository and notes what was asked."""
        asked = []

        def snapshot_download(repository, **options):
            asked.append((repository, options))
            if repository != "someone/their-model.v1":
                raise RuntimeError("404 Client Error.\n\nRepository not found\nfor url: x")
            return str(tiny)

        module = types.SimpleNamespace(snapshot_download=snapshot_download)
        monkeypatch.setitem(sys.modules, "huggingface_hub", module)
        return asked

    def test_it_is_read_like_any_other(self, hub, tiny):
        checkpoint = checkpoints.read("hf://someone/their-model.v1")
        assert checkpoint.name == "hf://someone/their-model.v1"
        assert same_state(checkpoint.model, checkpoints.read(tiny).model)
        [(repository, options)] = hub
        assert repository == "someone/their-model.v1"
        files = {file.name for file in tiny.iterdir()} | {"directions.safetensors"}
        assert set(options["allow_patterns"]) == files

    @pytest.mark.usefixtures("hub")
    def test_trouble_is_one_sentence(self):
        with pytest.raises(CheckpointError) as error:
            checkpoints.read("hf://someone/else")
        assert str(error.value) == (
            "hf://someone/else could not be downloaded: 404 Client Error. Repository not found"
            " for url: x"
        )

    @pytest.mark.parametrize(
        "address",
        ["hf://", "hf://a", "hf://a/b/c", "hf://a/b\n", "hf://a b/c", "hf:///b", "hf://a/b?x=1"],
    )
    def test_addresses_of_another_form_are_never_asked_for(self, hub, address):
        with pytest.raises(CheckpointError, match="is not of the form hf://owner/repository"):
            checkpoints.read(address)
        assert hub == []


class TestClassNames:
    def _checkpoint(self, tmp_path, small_config, classes, card):
        config = small_config("mlp-gan", 16, 1, classes)
        return Checkpoint("mine", "mlp-gan", config, torch.nn.Identity(), card, tmp_path)

    def test_they_are_the_cards(self, tmp_path, small_config):
        checkpoint = self._checkpoint(tmp_path, small_config, 10, CARD)
        assert checkpoint.class_names() == tuple(CARD["classes"])

    def test_a_model_without_classes_has_none(self, tmp_path, small_config):
        assert self._checkpoint(tmp_path, small_config, 0, CARD).class_names() == ()

    @pytest.mark.parametrize("classes", [None, [], ["a"], ["a"] * 11, "0123456789", 10])
    def test_a_card_that_names_another_number_is_refused(self, tmp_path, small_config, classes):
        checkpoint = self._checkpoint(tmp_path, small_config, 10, {"classes": classes})
        with pytest.raises(CheckpointError, match="must list the names of 10 classes"):
            checkpoint.class_names()


def test_reading_does_not_load_a_compiler():
    script = (
        "import sys, genimg; genimg.load('fashion-style'); print('torch._dynamo' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    output = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert output == "False\n"


FOREIGN = {
    "a thesis": {"thesis.txt": "mine"},
    "another program's model": {
        "config.json": '{"model_type": "bert", "architectures": ["BertModel"]}',
        "model.safetensors": "weights",
        "README.md": "about it",
    },
    "a project": {"README.md": "mine"},
    "a folder in it": {"pictures/1.png": "mine"},
    "a damaged config": {"config.json": "{"},
    "a list": {"config.json": "[]"},
    "a run": {"spec.json": "{}", "ckpt/x": ""},
}


@pytest.mark.parametrize("files", FOREIGN.values(), ids=FOREIGN)
def test_a_folder_of_something_else_is_not_written(tiny, tmp_path, files):
    for name, text in files.items():
        path = tmp_path / "theirs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    model = checkpoints.read(tiny).model
    with pytest.raises(ValueError, match="is not empty and holds no checkpoint of genimg"):
        checkpoints.write(
            tmp_path / "theirs", kind="mlp-gan", model=model, card={}, preview=b"mine"
        )
    found = [path for path in (tmp_path / "theirs").rglob("*") if path.is_file()]
    assert {p.relative_to(tmp_path / "theirs").as_posix(): p.read_text() for p in found} == files


def test_new_empty_and_own_folders_are_written_and_one_that_was_cut_off(tiny, tmp_path):
    model = checkpoints.read(tiny).model
    (tmp_path / "empty").mkdir()
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "config.json").write_bytes((tiny / "config.json").read_bytes())
    for folder in (tmp_path / "new" / "one", tmp_path / "empty", tmp_path / "clone"):
        for _ in range(2):
            checkpoints.write(folder, kind="mlp-gan", model=model, card={}, preview=b"")
    checkpoints.write(tmp_path / "cut", kind="mlp-gan", model=model, card={}, preview=b"")
    assert checkpoints.read(tmp_path / "cut").kind == "mlp-gan"


def test_what_says_whose_folder_it_is_is_written_first(tiny, tmp_path, monkeypatch):
    written = []
    write = checkpoints.atomic_write
    monkeypatch.setattr(
        checkpoints,
        "atomic_write",
        lambda path, data: (written.append(path.name), write(path, data)),
    )
    model = checkpoints.read(tiny).model
    monkeypatch.setattr(checkpoints, "write_json", lambda path, value: written.append(path.name))
    checkpoints.write(tmp_path / "new", kind="mlp-gan", model=model, card={}, preview=b"")
    assert written[0] == "config.json"
