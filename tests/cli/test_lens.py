import numpy as np
import pytest
from PIL import Image

from genimg import load


def test_pictures_and_lines_are_the_librarys(call, transformers, tmp_path):
    out = tmp_path / "lens.png"
    options = ["--label", "Coat", "--seed", 3, "--temperature", 0.8, "--enlarge", 1, "--out", out]
    outcome = call("lens", transformers / "gpt", *options)
    assert outcome.code == 0
    drawing = load(transformers / "gpt").generate(label="Coat", seed=3, temperature=0.8)
    lens = drawing.lens()
    written = np.asarray(Image.open(out).convert("L"))
    for depth, picture in enumerate(lens.images):
        left = depth * (16 + (written.shape[1] - 3 * 16) // 2)
        assert np.array_equal(written[:16, left : left + 16], picture[:, :, 0])
    heading, *lines, last = outcome.out.splitlines()
    assert heading.split()[:3] == ["depth", "decided", "probability"]
    assert len(lines) == 3
    for depth, line in enumerate(lines):
        cells = line.split()[3:]
        assert int(cells[0]) == (lens.decided <= depth).sum()
        assert float(cells[1]) == pytest.approx(lens.probabilities[depth].mean(), rel=0.01)
        if depth:
            added = lens.attention[depth - 1].mean(), lens.feed_forward[depth - 1].mean()
            assert [float(cell) for cell in cells[2:]] == pytest.approx(added, rel=0.01)
    assert str(out) in last


def test_only_a_png_of_an_image_gpt(refuse, transformers, tmp_path):
    assert "image GPT" in refuse("lens", transformers / "vit", "--out", tmp_path / "a.png")
    assert ".png" in refuse("lens", transformers / "gpt", "--out", tmp_path / "a.gif")
