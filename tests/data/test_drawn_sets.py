import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from genimg import data
from genimg.data import drawn_file, drawn_sets
from genimg.data.drawing import draw, values_of
from genimg.data.drawing_worker import CHUNK
from genimg.data.registry import published

NAMES = ("portraits", "critters")
each_set = pytest.mark.parametrize("name", NAMES)


@each_set
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_sample_is_the_beginning_of_the_whole(no_local_copy, no_network, name, split):
    loaded = data.load(name, 64, split)
    assert len(loaded) == drawn_sets.SAMPLE_COUNTS[split]
    assert loaded.source == f"bundled sample of {len(loaded)}"
    assert loaded.images.shape == (len(loaded), 3, 64, 64)
    assert loaded.images.is_contiguous()
    design = published()[name].design
    assert loaded.classes == design.classes
    assert torch.equal(loaded.labels, loaded.attributes[design.class_attribute].data)
    expected = drawn_file.attribute_tensors(design, 0, split, len(loaded))
    for attribute, known in loaded.attributes.items():
        assert torch.equal(known.data, expected[f"{split}/{attribute}"])
    # The pixels depend on the packages: these must be the versions that drew the sample.
    for index in (0, 1, 2, 399):
        picture = draw(design, values_of(design, 0, ("train", "test").index(split), index), 64)
        assert np.array_equal(loaded.pictures()[index], picture)


@each_set
def test_every_picture_is_another(no_local_copy, name):
    pictures = torch.cat([data.load(name, 64, split).images for split in ("train", "test")])
    assert len({picture.numpy().tobytes() for picture in pictures}) == len(pictures)


@each_set
def test_a_picture_can_be_drawn_again_from_its_attributes(no_local_copy, name):
    design = published()[name].design
    loaded = data.load(name, 64, "test")
    for index in (5, 77):
        values = {
            attribute: float(known.data[index])
            if known.continuous
            else known.values[known.data[index]]
            for attribute, known in loaded.attributes.items()
        }
        assert np.array_equal(draw(design, values, 64), loaded.pictures()[index])


def test_samples_are_small():
    assert sum(drawn_sets.sample_file(name).stat().st_size for name in NAMES) < 5_000_000


def test_the_attribution_is_that_of_the_style():
    facts = data.describe("portraits")
    assert facts["license"] == "CC BY 4.0"
    for part in ("Avatar Illustration System", "Micah Lanier", "CC BY 4.0", "829741575478342595"):
        assert part in facts["attribution"]
        for file in ("README.md", "genimg/data/bundled/README.md"):
            assert part in Path(__file__).parents[2].joinpath(file).read_text("utf-8")
    assert data.describe("critters")["license"] == "CC0 1.0"


def test_requirements_pin_what_draws():
    text = Path(__file__).parents[2].joinpath("requirements.txt").read_text("utf-8")
    pins = dict(re.findall(r"^((?:dicebear|resvg)[\w-]*)==([\d.]+)", text, re.MULTILINE))
    assert pins == drawn_sets.PACKAGES


@pytest.mark.parametrize("version", ["10.7.1", "none"])
def test_another_version_of_a_package_is_refused(no_local_copy, monkeypatch, version):
    def installed(package):
        if version == "none":
            raise drawn_sets.metadata.PackageNotFoundError(package)
        return version

    monkeypatch.setattr(drawn_sets.metadata, "version", installed)
    reason = (
        f"needs dicebear-core 10.7.0, and {version} is .*pip install dicebear-core==10.7.0 dice"
    )
    with pytest.raises(ValueError, match=reason):
        data.load("portraits", full=True)
    assert not no_local_copy.exists()
    assert len(data.load("portraits")) == 2000  # the sample needs none of them


def test_only_drawn_sets_are_drawn():
    with pytest.raises(ValueError, match=r"'mnist' is not drawn; .*portraits, critters"):
        data.draw_set("mnist")


def test_importing_and_reading_need_no_package_that_draws(no_local_copy):
    code = (
        "import sys; from genimg import data; data.load('critters');"
        "sys.exit(any(name in sys.modules for name in ('dicebear', 'resvg_py')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def small_sets(no_local_copy, monkeypatch):
    """Whole sets of three chunks and a bit; returns the cache folder."""
    counts = {"train": 2 * CHUNK + 5, "test": 6}
    small = {
        name: replace(facts, counts=counts) if facts.design else facts
        for name, facts in published().items()
    }
    monkeypatch.setattr(drawn_sets, "published", lambda: small)
    return no_local_copy


@pytest.mark.slow
def test_a_stopped_drawing_goes_on_and_ends_the_same(small_sets):
    class Stop(Exception):
        pass

    def stop(report):
        if report["images_seen"]:
            raise Stop

    with pytest.raises(Stop):
        data.draw_set("critters", 1, stop)
    [partial] = small_sets.glob("*.partial")
    kept = {path: path.stat().st_mtime_ns for path in partial.iterdir()}
    assert 1 <= len(kept) < 4  # the second large one takes far longer than a report
    assert data.load("critters", 64).source == "bundled sample of 2000"

    reports = []
    path = data.draw_set("critters", 2, reports.append)
    assert sorted(file.name for file in small_sets.iterdir()) == [
        "critters-1.lock",
        "critters-1.safetensors",
    ]
    assert all(report["total"] == 2 * CHUNK + 11 for report in reports)
    assert reports[-1]["images_seen"] == 2 * CHUNK + 11
    for split, count in (("train", 2 * CHUNK + 5), ("test", 6)):
        whole = data.load("critters", 64, split)
        assert whole.source == "drawn on this machine"
        assert len(whole) == count
        sample = data.load("critters", 64, split, full=False).subset(slice(count))
        assert torch.equal(whole.images, sample.images)
        for name, attribute in whole.attributes.items():
            assert torch.equal(attribute.data, sample.attributes[name].data)

    assert data.draw_set("critters", 1, stop) == path  # at once: nothing is reported

    content = bytearray(path.read_bytes())
    place = content.index(whole.images.numpy().tobytes()) + 1000
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is damaged; delete it.*genimg data draw critters"):
        data.load("critters", 64, "test")


@pytest.mark.slow
def test_a_worker_that_fails_is_one_sentence(small_sets, monkeypatch):
    start = drawn_sets._start_worker
    monkeypatch.setattr(
        drawn_sets,
        "_start_worker",
        lambda arguments, messages: start(["no-such-set", *arguments[1:]], messages),
    )
    with pytest.raises(OSError, match=r"portraits could not be drawn .*no-such-set.*try again"):
        data.draw_set("portraits", 1)
