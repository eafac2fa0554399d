"""What is located is tested with the places, in test_places.py; here is what the terminal says."""

import numpy as np
from PIL import Image

from genimg.cli import main
from genimg.training.requesting import request_run


def test_locating_says_which_runs_it_helps(tmp_path, capsys):
    for name in ("photos", "pictures"):
        for number in range(2):
            path = tmp_path / name / "cats" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((32, 32), number, np.uint8)).save(path)
    old, new, runs = tmp_path / "photos", tmp_path / "pictures", tmp_path / "runs"
    for name in ("a", "b"):
        request_run("fashion-mlp", runs / name, dataset=f"folder:{old}")
    request_run("fashion-mlp", runs / "c", dataset="fashion-mnist")
    command = ["data", "locate", f"folder:{old}", str(new), "--runs"]
    assert main([*command, str(runs)]) == 0
    assert capsys.readouterr().out == f"folder:{old} is looked for in {new} now, by a, b\n"
    assert main([*command, str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err
