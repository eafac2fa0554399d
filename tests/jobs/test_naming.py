import pytest

from genimg import checkpoints
from genimg.jobs.job import Job
from genimg.jobs.manager import JobManager
from genimg.jobs.naming import find, is_model

JOBS = [
    Job(id=id, name=name, owner="ada", preset="fashion-mlp", device="cpu")
    for id, name in [("mlp-12", "mine"), ("mlp-34", "mine"), ("mlp-3", "yours"), ("x", "mlp-12")]
]


def test_a_job_has_its_id_the_beginning_of_it_and_its_name():
    assert find(JOBS, "mlp-1").id == "mlp-12"
    assert find(JOBS, "mlp-12").id == "mlp-12"  # and not the one that is called so
    assert find(JOBS, "mlp-3").id == "mlp-3"  # though it begins another one
    assert find(JOBS, "yours").id == "mlp-3"
    assert find(JOBS, "nobody's") is None
    assert find(JOBS, "") is None


@pytest.mark.parametrize("text", ["mlp-", "mine"])
def test_what_means_several_jobs_is_one_sentence(text):
    with pytest.raises(ValueError, match="means several jobs"):
        find(JOBS, text)


def test_a_run_is_named_where_a_model_is_loaded(tmp_path, monkeypatch):
    with JobManager(tmp_path / "runs") as manager:
        job = JOBS[0]
        monkeypatch.setattr(JobManager, "jobs", lambda manager: [job])
        folder = str(tmp_path / "runs" / job.id)
        assert manager.model("mlp-1") == manager.model("mine") == folder
        for name in ("fashion-gpt", "hf://owner/repository", "nobody's", "/etc", "../x"):
            assert manager.model(name) == name
        own = tmp_path / "mine"
        own.mkdir()
        (own / "config.json").write_text("{}")
        assert manager.model(str(own)) == str(own)


def test_models_are_what_loads(tmp_path):
    assert all(map(is_model, checkpoints.names()))
    assert is_model("hf://owner/repository")
    for name in ("nonsense", "", "a\0b", "x" * 5000):
        assert not is_model(name)
