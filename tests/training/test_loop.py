import dataclasses
import itertools
import json
import random
import time
from types import SimpleNamespace

import pytest

from genimg import trails
from genimg.jobs.supervisor import send_wish
from genimg.storage import write_json
from genimg.training import loop, planning, run_checkpoints
from genimg.training.loop import Trainer
from genimg.training.objectives import OBJECTIVES, Objective
from genimg.training.task import Diverged

STEPS = 30  # of 8 pictures


class Killed(BaseException):
    """Ends a run without letting it say goodbye, as SIGKILL does."""


def train(run, dataset, **options) -> str:
    return Trainer(run, run.new_attempt(), dataset, **options).run()


def at_step(number: int, action):
    """Return a `should_stop` that runs `action` after `number` steps of this attempt."""
    steps = 0

    def should_stop() -> bool:
        nonlocal steps
        steps += 1
        return bool(action()) if steps == number else False

    return should_stop


def kill():
    raise Killed


def newest_state(run) -> dict:
    return run_checkpoints.load(run_checkpoints.newest(run.checkpoints))[1]


def wish(run, command: str, generation: int = 1) -> None:
    write_json(run.path / "control.json", {"command": command, "generation": generation})


def status(run, attempt: int = 1) -> dict:
    return json.loads((run.path / "attempts" / str(attempt) / "status.json").read_text())


CASES = {
    "minimax": ("fashion-mlp", {"objective": "minimax"}),
    "nonsaturating": ("fashion-dcgan", {"objective": "nonsaturating"}),
    "least-squares": ("fashion-dcgan", {"objective": "least-squares", "spectral_norm": True}),
    "wasserstein": (
        "fashion-mlp",
        {"objective": "wasserstein", "gradient_penalty": 10.0, "discriminator_steps": 3},
    ),
    "hinge": ("fashion-style", {"objective": "hinge"}),
    "relativistic": ("fashion-style", {"objective": "relativistic", "r1": 1.0, "r2": 1.0}),
    "relativistic-dcgan": ("fashion-relativistic", {}),
    "momentum": ("fashion-dcgan", {"optimizer": "sgd", "beta1": 0.9}),
    "bf16": ("fashion-style", {"precision": "bf16"}),
    "classifier": ("fashion-features", {}),
    "classifier-adamw-bf16": ("fashion-features", {"optimizer": "adamw", "precision": "bf16"}),
    "vision-transformer": ("fashion-vit", {"dropout": 0.1}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_was_killed_ends_bitwise_like_one_that_was_not(make_run, dataset, case, result):
    preset, changes = CASES[case]
    calm = make_run("calm", preset, sheets=1, **changes)
    assert train(calm, dataset) == "succeeded"
    moments = random.Random(case)
    stormy = make_run("stormy", preset, sheets=1, checkpoint_seconds=0.05, **changes)
    for _ in range(3):
        moment = moments.randint(1, STEPS - 1)
        print(f"killed after {moment} steps")
        try:
            train(stormy, dataset, should_stop=at_step(moment, kill))
        except Killed:
            continue
    assert train(stormy, dataset) == "succeeded"
    assert result(stormy) == result(calm)


def test_another_seed_is_another_run(make_run, dataset, result):
    runs = [make_run(f"seed{seed}", "fashion-mlp", seed=seed) for seed in (1, 2)]
    for run in runs:
        train(run, dataset)
    first, second = map(result, runs)
    assert first["model.safetensors"] != second["model.safetensors"]
    assert first["log"] != second["log"]


def test_a_paused_run_goes_on_where_it_stopped(make_run, dataset, result):
    calm, run = make_run("calm", "fashion-mlp"), make_run("run", "fashion-mlp")
    train(calm, dataset)
    for attempt, moment in enumerate((1, 7, 10), 1):
        assert train(run, dataset, should_stop=at_step(moment, lambda: True)) == "paused"
        assert status(run, attempt)["state"] == "paused"
    assert newest_state(run)["step"] == 18
    assert train(run, dataset) == "succeeded"
    assert result(run) == result(calm)


def test_a_complete_run_is_left_as_it_is(make_run, dataset, result):
    run = make_run(preset="fashion-mlp")
    train(run, dataset)
    before = result(run)
    spec = (run.path / "spec.json").read_bytes()
    assert train(run, dataset, should_stop=kill) == "succeeded"  # not one step
    assert result(run) == before
    assert (run.path / "spec.json").read_bytes() == spec


def test_what_is_reported(make_run, dataset):
    run, heard = make_run(preset="fashion-mlp", sheets=3), []
    train(run, dataset, callbacks=[heard.append])
    assert all(line.pop("total") == 240 for line in heard)
    together: dict[int, dict] = {}
    for line in heard:  # a sheet's line joins the one of the losses
        together[line["images_seen"]] = together.get(line["images_seen"], {}) | line
    assert run.read_metrics() == list(together.values())
    assert list(together) == [0, 8, 80, 160, 240]
    assert {"generator_loss", "discriminator_loss", "diversity"} <= set(together[80])
    assert [line["epochs"] for line in together.values()] == [0, 0.125, 1.25, 2.5, 3.75]
    assert together[80]["seconds_left"] > together[240]["seconds_left"] == 0
    sheets = sorted(path.stem for path in run.samples.iterdir())
    assert sheets == ["000000000", "000000080", "000000160", "000000240"]
    assert status(run)["state"] == "succeeded"
    assert status(run)["images_seen"] == status(run)["total"] == 240


def test_no_sheets_are_no_sheets(make_run, dataset):
    run = make_run(preset="fashion-mlp", sheets=0)
    train(run, dataset)
    assert not run.samples.exists()


def test_a_gan_leaves_a_trail_that_a_kill_does_not_change(make_run, dataset):
    runs = [make_run(name, "fashion-style", checkpoint_seconds=0.05) for name in ("calm", "stormy")]
    calm, stormy = (run.path for run in runs)
    train(runs[0], dataset)
    with pytest.raises(Killed):
        train(runs[1], dataset, should_stop=at_step(13, kill))
    train(runs[1], dataset)
    assert trails.moments(calm) == trails.moments(stormy) == (0, 8, 16, 32, 80, 240)
    for moment in trails.moments(calm):
        file = f"trail/{moment:09d}.safetensors"
        assert (calm / file).read_bytes() == (stormy / file).read_bytes()
    classifier = make_run("classifier", "fashion-features")
    train(classifier, dataset)
    assert trails.moments(classifier.path) == ()


def test_the_first_start_completes_the_specification_and_later_ones_leave_it(make_run, dataset):
    run = make_run(preset="fashion-mlp")
    assert run.read_spec().resolved == {}
    with pytest.raises(Killed):
        train(run, dataset, should_stop=kill)
    spec = (run.path / "spec.json").read_bytes()
    assert run.read_spec().resolved["images"] == 240
    train(run, dataset)
    assert (run.path / "spec.json").read_bytes() == spec


def test_other_data_are_refused(make_run, dataset):
    run = make_run(preset="fashion-mlp")
    train(run, dataset, should_stop=at_step(3, lambda: True))
    fewer = dataclasses.replace(dataset, images=dataset.images[:50], labels=dataset.labels[:50])
    with pytest.raises(ValueError, match=r"began with 64 pictures .* put the data back"):
        train(run, fewer)


def test_own_pictures_that_were_changed_are_refused_though_they_are_as_many(make_run, dataset):
    run = make_run(preset="fashion-mlp", dataset="folder:mine")
    mine = dataclasses.replace(dataset, name="folder:mine", source="mine (sha256 aa)")
    train(run, mine, should_stop=at_step(3, lambda: True))
    changed = dataclasses.replace(mine, source="mine (sha256 bb)")
    with pytest.raises(
        ValueError, match=r"from .*mine \(sha256 aa\), but .* from mine \(sha256 bb\)"
    ):
        train(run, changed)
    assert train(run, mine) == "succeeded"


def test_what_a_killed_worker_left_is_swept_away(make_run, dataset):
    run = make_run(preset="fashion-mlp")
    litter = run.checkpoints / ".step-00000003.999"
    litter.mkdir(parents=True)
    (litter / "model.safetensors").write_bytes(b"half")
    train(run, dataset)
    assert not litter.exists()


def test_damaged_checkpoints_cost_time_but_not_exactness(make_run, dataset, result):
    calm, run = make_run("calm", "fashion-mlp"), make_run("run", "fashion-mlp")
    train(calm, dataset)
    for moment in (7, 9):
        train(run, dataset, should_stop=at_step(moment, lambda: True))
    (run.checkpoints / "step-00000016" / "optimizer.safetensors").write_bytes(b"")
    train(run, dataset, should_stop=at_step(4, lambda: True))
    assert newest_state(run)["step"] == 11
    for directory in run.checkpoints.glob("step-*"):
        (directory / "MANIFEST.json").unlink()
    assert train(run, dataset) == "succeeded"  # from the very beginning
    assert result(run) == result(calm)
    assert len(list(run.checkpoints.glob("invalid-*"))) == 3


def diverging(monkeypatch, calls: set[int] | range, player: str = "discriminator") -> None:
    """Make the hinge loss of `player` NaN in the given ones of its calls."""
    hinge, counter = OBJECTIVES["hinge"], iter(range(10**6))
    sides = {"discriminator": hinge.discriminator, "generator": hinge.generator}
    honest = sides[player]

    def loss(real, fake):
        return honest(real, fake) * (float("nan") if next(counter) in calls else 1)

    monkeypatch.setitem(OBJECTIVES, "hinge", Objective(**sides | {player: loss}))


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_run_that_diverges_once_goes_back_and_on_with_half_the_rate(
    make_run, dataset, monkeypatch, player
):
    diverging(monkeypatch, {14}, player)
    run = make_run(preset="fashion-mlp", objective="hinge")
    trainer = Trainer(run, run.new_attempt(), dataset)
    assert trainer.run() == "succeeded"
    assert newest_state(run)["rollbacks"] == 1
    assert newest_state(run)["learning_rate_scale"] == 0.5
    assert trainer.task.learning_rate_scale == 0.5
    history = run.read_metrics()
    assert [line["images_seen"] for line in history] == [0, 8, 80, 120, 160, 240]  # 120: a sheet
    assert [line.get("rolled_back") for line in history] == [1.0, *[None] * 5]
    assert history[-1]["seconds"] > 0
    assert history[-1]["images_per_second"] > 0


@pytest.mark.parametrize("calls", [{14, 17}, range(14, 10**6), range(10**6)], ids=str)
def test_a_run_that_diverges_again_fails_with_one_sentence(make_run, dataset, monkeypatch, calls):
    diverging(monkeypatch, calls)
    run = make_run(preset="fashion-mlp", objective="hinge")
    with pytest.raises(Diverged, match=r"^the loss of the discriminator is not finite at \d+ p"):
        train(run, dataset)
    tensors, _ = run_checkpoints.load(run_checkpoints.newest(run.checkpoints))
    for part in tensors.values():
        assert all(tensor.isfinite().all() for tensor in part.values())


def test_a_resumed_run_remembers_that_it_went_back(make_run, dataset, monkeypatch):
    diverging(monkeypatch, {5, 20})
    run = make_run(preset="fashion-mlp", objective="hinge")
    assert train(run, dataset, should_stop=at_step(12, lambda: True)) == "paused"
    with pytest.raises(Diverged, match="again after going back once"):
        train(run, dataset)


def test_going_back_without_any_checkpoint_left_is_going_back_to_the_start(
    make_run, dataset, monkeypatch
):
    diverging(monkeypatch, {14})
    run = make_run(preset="fashion-mlp", objective="hinge")

    def destroy() -> None:
        for directory in run.checkpoints.glob("step-*"):
            (directory / "MANIFEST.json").unlink()

    assert train(run, dataset, should_stop=at_step(10, destroy)) == "succeeded"
    assert newest_state(run)["step"] == STEPS


@pytest.mark.parametrize(
    ("command", "outcome"), [("pause", "paused"), ("cancel", "cancelled"), ("run", "succeeded")]
)
def test_wishes_end_a_run(make_run, dataset, monkeypatch, command, outcome):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp")
    assert train(run, dataset, should_stop=at_step(5, lambda: wish(run, command))) == outcome
    assert status(run)["state"] == outcome
    assert newest_state(run)["step"] == (STEPS if command == "run" else 5)
    assert train(run, dataset) == "succeeded"  # an old wish is not obeyed again
    assert newest_state(run)["step"] == STEPS


def test_a_wish_from_before_the_first_step_reaches_the_shortest_run(make_run, dataset):
    run = make_run(preset="fashion-mlp", images=8)
    wish(run, "cancel")
    assert train(run, dataset) == "cancelled"


def test_save_now_and_sample_now(make_run, dataset, monkeypatch):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp", sheets=1)
    steps = iter(range(1, STEPS))

    def act() -> None:
        step = next(steps)
        if step == 5:
            wish(run, "save_now", 1)
        if step == 7:
            wish(run, "sample_now", 2)
        if step == 10:
            kill()

    with pytest.raises(Killed):
        train(run, dataset, should_stop=act)
    assert newest_state(run)["step"] == 5
    assert sorted(path.stem for path in run.samples.iterdir()) == ["000000000", "000000056"]


def test_all_wishes_of_one_second_are_granted_and_the_last_end_counts(
    make_run, dataset, monkeypatch
):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp", sheets=0)
    commands = ("save_now", "sample_now", "pause", "cancel")

    def ask() -> None:
        for command in commands:
            send_wish(run, command)

    assert train(run, dataset, should_stop=at_step(5, ask)) == "cancelled"
    assert status(run)["wish_seen"] == len(commands)
    assert [path.stem for path in run.samples.iterdir()] == ["000000040"]
    for command in ("pause", "run"):  # of which the second takes the first back
        send_wish(run, command)
    assert train(run, dataset) == "succeeded"


def test_a_wish_that_comes_while_the_worker_starts_is_not_missed(make_run, dataset, monkeypatch):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp")
    wish(run, "cancel", 7)
    assert train(run, dataset) == "cancelled"
    assert newest_state(run)["step"] == 1


def test_nonsense_is_no_wish(make_run, dataset, monkeypatch):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp")
    (run.path / "control.json").write_text('["pause"')
    assert train(run, dataset, should_stop=at_step(5, lambda: wish(run, "explode"))) == "succeeded"


def test_wishes_are_looked_for_once_a_second_however_slow_the_disk(make_run, dataset, monkeypatch):
    clock, looks = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: clock.now, time=time.time))
    honest = run_checkpoints.save

    def slow_save(*arguments, **options):
        clock.now += 0.9
        return honest(*arguments, **options)

    run = make_run(preset="fashion-mlp", checkpoint_seconds=0.05)
    monkeypatch.setattr(run_checkpoints, "save", slow_save)
    wishes_after = run.wishes_after
    run.wishes_after = lambda seen: looks.append(clock.now) or wishes_after(seen)

    def tick() -> bool:
        clock.now += 0.02
        return False

    train(run, dataset, should_stop=tick)
    gaps = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert min(gaps) >= 1.0
    assert max(gaps) < 2.0  # a second, and one step with its checkpoint


@pytest.mark.parametrize("file", ["metrics.jsonl", "status.json"])
def test_a_full_disk_ends_the_attempt_and_the_next_one_is_exact(
    make_run, dataset, monkeypatch, file, result
):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    calm, run = make_run("calm", "fashion-mlp"), make_run("run", "fashion-mlp")
    train(calm, dataset)
    attempt = run.new_attempt()

    def fill_the_disk() -> None:
        def fail(*arguments, **values):
            with (attempt.path / file).open("a") as torn:
                torn.write('{"images_se')
            raise OSError(28, "No space left on device")

        attempt.report = attempt.write_status = fail

    with pytest.raises(OSError, match="No space left"):
        Trainer(run, attempt, dataset, should_stop=at_step(13, fill_the_disk)).run()
    assert train(run, dataset) == "succeeded"
    assert result(run) == result(calm)


@pytest.mark.parametrize("guess", [2.0, 40.0])  # pictures a second; in truth there are 8
def test_minutes_are_kept_whatever_the_probe_thought(make_run, dataset, monkeypatch, guess):
    monkeypatch.setattr(planning, "images_per_second", lambda *_: guess)
    seconds = itertools.count()  # one for each step of 8 pictures
    now = [next(seconds)]
    monkeypatch.setattr(loop.Reporter, "seconds", lambda self: float(now[0]))

    def tick() -> bool:
        now[0] = next(seconds)
        if now[0] == 40:
            raise Killed
        return False

    run = make_run("timed", "fashion-mlp", images=0, minutes=1)
    with pytest.raises(Killed):
        train(run, dataset, should_stop=tick)
    planned = run.read_spec().resolved["images"]
    assert planned == pytest.approx(480, abs=24)
    assert train(run, dataset, should_stop=tick) == "succeeded"
    assert newest_state(run)["images_seen"] == planned
