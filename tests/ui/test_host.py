import dataclasses
import itertools

import pytest

from genimg.jobs.limits import UsageLimits
from genimg.ui.host import Host, host_of, is_lost, runs_of

CPU = {"SYSTEM": "spaces", "SPACE_ID": "ada/genimg", "ACCELERATOR": "none"}
GPU = CPU | {"ACCELERATOR": "t4-small"}
ZERO = CPU | {"ACCELERATOR": "zero-a10g", "SPACES_ZERO_GPU": "true"}
ALLOWED = {"GENIMG_ALLOW_TRAINING": "1"}


def test_here_anything_may_be_done():
    assert host_of({}) == Host()
    assert host_of(ALLOWED) == Host()
    assert host_of({"ACCELERATOR": "t4-small"}) == Host()  # no Space by itself
    assert host_of({}).training
    assert host_of({}).refusal == ""


@pytest.mark.parametrize("space", [CPU, GPU, ZERO])
@pytest.mark.parametrize("answer", [None, "", "0", "no", "2", "11", "true"])
def test_on_a_space_nothing_is_trained_unless_the_owner_says_one(space, answer):
    host = host_of(space if answer is None else space | {"GENIMG_ALLOW_TRAINING": answer})
    assert host.space
    assert not host.training
    assert not host.moments
    assert host.refusal
    assert host.largest_upload == 0


@pytest.mark.parametrize("space", [CPU, GPU])
def test_where_it_is_allowed_all_together_have_limits(space):
    host = host_of(space | ALLOWED)
    assert host.training
    assert host.refusal == ""
    for name, value in host.limits.to_dict().items():
        assert value, f"{name} is not limited"  # nicknames cost nothing
    assert host.limits.minutes_per_run < UsageLimits().minutes_per_run
    assert 0 < host.largest_upload <= host.temporary_bytes


def test_zero_gpu_trains_in_no_background_whatever_the_owner_says():
    host = host_of(ZERO | ALLOWED)
    assert not host.training
    assert host.moments
    assert "one call" in host.refusal


@pytest.mark.parametrize(
    "sign", [{"SYSTEM": "spaces"}, {"SPACE_ID": "ada/genimg"}, {"SPACES_ZERO_GPU": "1"}]
)
def test_one_sign_of_a_space_is_enough(sign):
    assert host_of(sign).space


@pytest.mark.parametrize(
    ("flavour", "gpu"),
    [
        *(("", ""), ("none", ""), ("cpu-basic", ""), ("cpu-upgrade", ""), ("CPU-xl", "")),
        *(("t4-small", "t4-small"), (" A10G-small ", "a10g-small"), ("l4x1", "l4x1")),
        ("<b>x</b>", "of some kind"),
    ],
)
def test_the_hardware_of_a_space(flavour, gpu):
    assert host_of(CPU | {"ACCELERATOR": flavour}).gpu == gpu


def test_every_kind_of_host_is_told_from_the_others_in_one_line():
    hosts = [
        host_of(space | allowed)
        for space, allowed in itertools.product(({}, CPU, GPU, ZERO), ({}, ALLOWED))
    ]
    lines = {host.line(lost=lost) for host in hosts for lost in (False, True)}
    # Here one; each Space with training off one; the two with training on, kept or lost; moments.
    assert len(lines) == 1 + 3 + 2 * 2 + 1
    for line in lines:
        assert "\n" not in line
        assert len(line) < 140
        assert line.endswith(".")


def test_a_disk_that_will_be_lost_is_called_so():
    host = host_of(CPU | ALLOWED)
    assert "lost when the Space restarts" in host.line(lost=True)
    assert "lost" not in host.line(lost=False)
    assert "lost when the Space restarts" in host_of(ZERO | ALLOWED).line()


def test_where_runs_live(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert runs_of({}) == runs_of({"GENIMG_RUNS": ""}) == runs_of({"GENIMG_RUNS": " "}) == "runs"
    assert runs_of({"GENIMG_RUNS": "/data/runs"}) == "/data/runs"
    assert runs_of({"GENIMG_RUNS": "~/lessons"}) == "/home/ada/lessons"
    assert host_of(GPU | {"GENIMG_RUNS": "/data/runs"}).runs == "/data/runs"


MOUNTS = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/nvme1n1 /etc/hosts ext4 rw 0 0
hf-mount /data fuse.hf rw 0 0
tmpfs /data/scratch tmpfs rw 0 0
hf-mount /my\\040lessons fuse.hf rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "lost"),
    [
        *(("/home/user/app/runs", True), ("/", True), ("/dev/shm/runs", True)),
        *(("/data", False), ("/data/runs/deep", False), ("/database/runs", True)),
        *(("/data/scratch/runs", True), ("/my lessons/runs", False)),
    ],
)
def test_what_outlives_a_container(folder, lost):
    assert is_lost(folder, MOUNTS) is lost


def test_an_unknown_disk_is_taken_for_one_that_is_lost():
    assert is_lost("/data", "")
    assert is_lost("/data", "nonsense\n\n")


def test_a_host_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        host_of(CPU).training = True
