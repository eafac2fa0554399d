import numpy as np
import pytest
from PIL import Image

from genimg import load
from genimg.render.colors import color_table


@pytest.fixture
def picture(tmp_path):
    """A colored PNG of 16 pixels."""
    file = tmp_path / "picture.png"
    numbers = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(numbers).save(file)
    return file


def test_the_numbers_are_the_librarys(call, transformers, tmp_path):
    out = tmp_path / "a"
    place = ["--layer", 1, "--head", 0, "--query", 9]
    options = ["--seed", 3, "--label", "Coat", *place, "--out", out]
    outcome = call("attend", transformers / "gpt", *options)
    assert outcome.code == 0
    drawing = load(transformers / "gpt").generate(label="Coat", seed=3)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as numbers:
        assert np.array_equal(numbers["image"], drawing.image)
        assert np.array_equal(numbers["attention"], drawing.maps.all_heads(9))
        assert np.array_equal(numbers["rollout"], drawing.rollout(9))
        assert np.array_equal(numbers["contribution"][1, 0], drawing.contribution(1, 0, 9))
        assert np.array_equal(numbers["gradient"], drawing.reasons(9).gradient)
        assert np.array_equal(numbers["ablation"], drawing.reasons(9).ablation)
        assert numbers["entropy"].shape == (2, 2)
        assert numbers["entropy"][1, 0] == pytest.approx(drawing.entropy(1, 0, 9))
        assert numbers["chosen"].tolist() == [1, 0, 9]
        for name, stage in drawing.stages(1, 0, 9).items():
            assert np.array_equal(numbers[f"stage_{name}"], stage)
    assert f"{drawing.entropy(1, 0, 9):.3f}" in outcome.out
    assert f"{drawing.reasons(9).agreement:.3f}" in outcome.out
    assert Image.open(tmp_path / "a.png").mode == "RGB"


def test_what_is_added_can_be_shown_instead(call, transformers, tmp_path):
    options = ["--label", "Coat", "--query", 12]
    for flags in ([], ["--contribution"]):
        out = tmp_path / f"a{len(flags)}"
        assert call("attend", transformers / "gpt", *options, *flags, "--out", out).code == 0
    drawing = load(transformers / "gpt").generate(label="Coat", seed=0)
    high = max(drawing.contribution(i, j, 12)[1:].max() for i in range(2) for j in range(2))
    weight, added = (np.asarray(Image.open(tmp_path / f"a{i}.png")) for i in range(2))
    assert not np.array_equal(weight, added)
    for place, lengths in enumerate(drawing.contribution(0, 0, 12)[1:]):
        row, column = divmod(place, 4)
        grey = float(drawing.image[row * 4, column * 4, 0])
        color = color_table("sequential")[round(256 * float(lengths / high))]
        found = added[row * 128, column * 128]
        assert np.abs(found - (0.4 * grey + 0.6 * color.astype(float))).max() <= 1


def test_all_heads_share_one_scale(call, transformers, tmp_path):
    drawing = load(transformers / "gpt").generate(label="Coat", seed=3)
    patches = drawing.maps.all_heads(12)[..., 1:]
    layer, head, place = np.unravel_index(patches.argmax(), patches.shape)
    row, column = divmod(int(place), 4)
    grey = int(drawing.image[row * 4, column * 4, 0])

    def expected(layer, head):
        share = float(patches[layer, head, place] / patches.max())
        return 0.4 * grey + 0.6 * color_table("sequential")[round(256 * share)].astype(float)

    for chosen in [(layer, head), (1 - layer, head)]:
        options = ["--label", "Coat", "--seed", 3, "--query", 12, "--out", tmp_path / "a"]
        options += ["--layer", chosen[0], "--head", chosen[1]]
        assert call("attend", transformers / "gpt", *options).code == 0
        heat = np.asarray(Image.open(tmp_path / "a.png"))
        assert np.abs(heat[row * 128, column * 128] - expected(*chosen)).max() <= 1

    sheet = np.asarray(Image.open(tmp_path / "a-heads.png"))  # 2 layers of 2 heads, 112 px each
    assert sheet.shape[:2] == (2 * 112 + 4 + 32, 2 * 112 + 4)
    for other in np.ndindex(2, 2):
        top, left = other[0] * 116 + row * 28, other[1] * 116 + column * 28
        assert np.abs(sheet[top, left] - expected(*other)).max() <= 1


def test_the_drawing_may_have_been_made_with_any_controls(call, transformers, tmp_path):
    controls = ["--temperature", 0.5, "--top-k", 3, "--top-p", 0.9, "--guidance", 2]
    options = ["--seed", 3, "--label", "Coat", "--query", 9, *controls, "--out", tmp_path / "a"]
    assert call("attend", transformers / "gpt", *options).code == 0
    drawing = load(transformers / "gpt").generate(
        label="Coat", seed=3, temperature=0.5, top_k=3, top_p=0.9, guidance=2
    )
    with np.load(tmp_path / "a.npz", allow_pickle=False) as numbers:
        assert np.array_equal(numbers["image"], drawing.image)
        assert np.array_equal(numbers["attention"], drawing.maps.all_heads(9))


def test_a_vision_transformer_looks_at_a_file(call, transformers, tmp_path, picture):
    options = ["--image", picture, "--layer", 1, "--head", 1, "--query", 0]
    assert call("attend", transformers / "vit", *options, "--out", tmp_path / "b").code == 0
    grey = np.asarray(Image.open(picture).convert("L"))[..., None]
    with np.load(tmp_path / "b.npz", allow_pickle=False) as numbers:
        assert np.array_equal(numbers["image"], grey)
        expected = load(transformers / "vit").attention(grey, 1, 1, 0)
        np.testing.assert_allclose(numbers["attention"][1, 1], expected, atol=1e-6)


def test_an_image_gpt_reads_a_file(call, transformers, tmp_path, picture):
    options = ["--image", picture, "--query", 5, "--out", tmp_path / "c"]
    assert call("attend", transformers / "gpt", *options).code == 0
    grey = np.asarray(Image.open(picture).convert("L"))[..., None]
    with np.load(tmp_path / "c.npz", allow_pickle=False) as numbers:
        expected = load(transformers / "gpt").read(grey).attention(0, 0, 5)
        np.testing.assert_allclose(numbers["attention"][0, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("gpt", ["--layer", 2], "layer must be from 0 to 1"),
        ("gpt", ["--head", 2], "head must be from 0 to 1"),
        ("gpt", ["--query", 16], "query must be from 0 to 15"),
        ("gpt", ["--label", "Hat"], "Sneaker"),
        ("gpt", ["--image", "nowhere.png"], "no picture nowhere.png"),
        ("gpt", ["--layer", "x"], "--layer"),
        ("vit", [], "--image"),
        ("tokenizer", [], "image GPT"),
    ],
)
def test_bad_requests_are_refused(refuse, transformers, tmp_path, name, options, reason):
    out = tmp_path / "a"
    assert reason in refuse("attend", transformers / name, *options, "--out", out)
    assert not list(tmp_path.glob("a*"))


def test_files_that_are_no_pictures(refuse, transformers, tmp_path):
    text, bomb = tmp_path / "text.png", tmp_path / "large.png"
    text.write_text("<svg/>")
    Image.new("1", (5000, 5000)).save(bomb)
    for file, reason in [(text, "not a PNG"), (bomb, "million"), (tmp_path, "no picture")]:
        line = refuse("attend", transformers / "vit", "--image", file, "--out", tmp_path / "a")
        assert reason in line
    assert not list(tmp_path.glob("a.*"))


def test_a_label_says_nothing_to_a_vision_transformer(refuse, transformers, tmp_path, picture):
    options = ["--image", picture, "--label", "Bag", "--out", tmp_path / "a"]
    assert "--label" in refuse("attend", transformers / "vit", *options)


@pytest.mark.parametrize("name", ["s", "s.png", "s.npz", "s.PNG"])
def test_the_prefix_may_be_written_like_a_file(call, transformers, tmp_path, name):
    assert call("attend", transformers / "gpt", "--out", tmp_path / name).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"s.png", "s-heads.png", "s.npz"}


@pytest.mark.parametrize("model", ["gpt", "vit"])
@pytest.mark.parametrize(
    "option", [["--seed", 0], ["--temperature", 0.5], ["--top-k", 3], ["--guidance", 2]]
)
def test_a_given_picture_leaves_nothing_to_draw(
    refuse, transformers, tmp_path, picture, model, option
):
    options = ["--image", picture, *option, "--out", tmp_path / "a"]
    said = refuse("attend", transformers / model, *options)
    assert f"{option[0]} would change nothing" in said
