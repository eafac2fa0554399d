import numpy as np
import pytest
from PIL import Image

from genimg import load


def test_the_changed_drawing_is_the_librarys(call, transformers, tmp_path):
    out = tmp_path / "a.png"
    changes = ["--head", "0.1=off", "--head", "1.0=1", "--feed-forward", 1]
    outcome = call("ablate", transformers / "gpt", "--label", "Coat", *changes, "--out", out)
    assert outcome.code == 0
    model = load(transformers / "gpt")
    drawing = model.generate(label="Coat", seed=0)
    changed = model.ablate(drawing, heads={(0, 1): "off", (1, 0): 1}, feed_forwards=[1])
    other = (changed.tokens != drawing.tokens).sum()
    assert f"{other} of 16 tokens" in outcome.out
    assert f"{changed.change:+.3f} nats" in outcome.out
    written = np.asarray(Image.open(out).convert("L"))
    factor = written.shape[0] // 16
    small = written[factor // 2 :: factor, factor // 2 :: factor]
    assert np.array_equal(small[:16, :16], drawing.image[:, :, 0])
    assert np.array_equal(small[:16, -16:], changed.image[:, :, 0])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([], "say what to change"),
        (["--head", "0.1"], "such as 0.5=off"),
        (["--head", "0.1=gone"], "such as 0.5=off"),
        (["--head=-1.1=off"], "such as 0.5=off"),
        (["--head", "9.1=off"], "layer must be from 0 to 1"),
        (["--head", "0.9=off"], "head must be from 0 to 1"),
        (["--head", "0.1=9"], "the head to look as must be"),
        (["--feed-forward", "x"], "number of a layer"),
        (["--feed-forward", "9"], "layer must be from 0 to 1"),
    ],
)
def test_bad_changes_are_refused(refuse, transformers, tmp_path, changes, reason):
    assert reason in refuse("ablate", transformers / "gpt", *changes, "--out", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_only_an_image_gpt_draws(refuse, transformers, tmp_path):
    options = ["--head", "0.1=off", "--out", tmp_path / "a.png"]
    assert "image GPT" in refuse("ablate", transformers / "vit", *options)
