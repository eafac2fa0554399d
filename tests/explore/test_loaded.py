import numpy as np
import pytest
import torch

import genimg
from genimg.explore import DrawerModel, TokenizerModel, VisionTransformerModel, deciding, mixing

DEVICES = ["cpu"]
DEVICES += ["cuda"] if torch.cuda.is_available() else []
DEVICES += ["mps"] if torch.backends.mps.is_available() else []
ELSEWHERE = [(device, dtype) for device in DEVICES for dtype in (torch.float32, torch.bfloat16)]


@pytest.mark.parametrize("kind", ["mlp-gan", "dcgan", "stylegan", "style-dcgan"])
@pytest.mark.parametrize(("device", "dtype"), ELSEWHERE)
def test_a_gan_draws_the_same_pictures_everywhere(make_model, kind, device, dtype):
    model = make_model(kind)
    other = make_model(kind).to(device, dtype)
    assert (other.device.type, other.dtype) == (device, dtype)
    close = 0.5 if dtype == torch.float32 else 3
    mapped = {"truncation": 0.7} if "w" in model.spaces else {}

    def compare(pictures: np.ndarray, expected: np.ndarray) -> None:
        assert pictures.dtype == np.uint8
        assert np.abs(pictures.astype(int) - expected).mean() < close
        assert expected.std() > 5 * close  # else nothing is shown

    compare(other.sample(5, seed=1, **mapped), model.sample(5, seed=1, **mapped))
    compare(other.picture(seed=2, latents={0: 1.0}), model.picture(seed=2, latents={0: 1.0}))
    compare(other.neighbours(3, seed=1), model.neighbours(3, seed=1))
    walk = {"steps": 5, "space": model.spaces[-1], "loop": True}
    compare(other.interpolate([1, 2], **walk), model.interpolate([1, 2], **walk))
    assert other.directions(count=3).dtype == np.float32
    assert deciding.occlusion(other, model.sample(1)[0], 1).dtype == np.float32
    assert deciding.input_gradient(other, model.sample(1)[0], 1).dtype == np.float32
    assert deciding.convince(other, label=1, count=2, steps=1).dtype == np.float32
    if mapped:
        compare(*(mixing.mix(m, [1, 2], [3, 4], layers=1)[0] for m in (other, model)))
    judged = other.judge(model.sample(3), [0, 1, 2])
    assert judged.dtype == np.float32
    assert judged == pytest.approx(model.judge(model.sample(3), [0, 1, 2]), abs=0.05, rel=0.05)


@pytest.mark.parametrize(("device", "dtype"), ELSEWHERE)
def test_an_image_gpt_draws_everywhere(drawer, make_tiny, pictures, device, dtype):
    other = DrawerModel(make_tiny("image-gpt")).to(device, dtype)
    drawing = other.generate(label="Bag", seed=3)
    assert (drawing.image.dtype, drawing.tokens.dtype) == (np.uint8, np.int64)
    assert drawing.probabilities.dtype == drawing.logits.dtype == np.float32
    assert drawing.probabilities.sum(axis=1) == pytest.approx(np.ones(16), abs=1e-5)
    row = drawing.attention(1, 0, 7)
    assert row.dtype == np.float32
    assert row.sum() == pytest.approx(1, abs=1e-5)
    assert {stage.dtype for stage in drawing.stages(1, 0, 7).values()} == {np.dtype(np.float32)}
    assert drawing.rollout(5).sum() == pytest.approx(1, abs=1e-4)
    # The first distribution depends on no earlier draw, which rounding may have carried elsewhere.
    expected = drawer.generate(label="Bag", seed=3).probabilities[0]
    assert drawing.probabilities[0] == pytest.approx(expected, abs=0.02)
    assert other.sample(2, seed=1).dtype == np.uint8
    assert other.complete(pictures[0], rows=2, count=3).shape == (3, 16, 16, 1)
    *_, (step, tokens, picture) = other.stream(label=None, seed=1)
    assert (step, tokens.min() >= 0, picture.dtype) == (15, True, np.uint8)
    likelihood = other.negative_log_likelihood(pictures, "Bag")
    assert likelihood.dtype == np.float32
    assert likelihood == pytest.approx(
        drawer.negative_log_likelihood(pictures, "Bag"), rel=1e-4 if dtype == torch.float32 else 0.1
    )


@pytest.mark.parametrize(("device", "dtype"), ELSEWHERE)
def test_a_vision_transformer_looks_everywhere(vision, make_tiny, pictures, device, dtype):
    other = VisionTransformerModel(make_tiny("vision-transformer")).to(device, dtype)
    close = 1e-4 if dtype == torch.float32 else 0.05
    for method in ("classify", "rollout", "relevance"):
        given = (pictures,) if method == "classify" else (pictures[0],)
        given += ("Bag",) if method == "relevance" else ()
        found = getattr(other, method)(*given)
        assert found.dtype == np.float32
        assert found == pytest.approx(getattr(vision, method)(*given), abs=close)
    assert other.attention(pictures[0], 1, 1).dtype == np.float32


@pytest.mark.parametrize(("device", "dtype"), ELSEWHERE)
def test_a_tokenizer_works_everywhere(tokenizer, make_tiny, pictures, device, dtype):
    other = TokenizerModel(make_tiny("fsq-tokenizer")).to(device, dtype)
    tokens = tokenizer.encode(pictures)
    difference = other.decode(tokens).astype(int) - tokenizer.decode(tokens)
    assert np.abs(difference).mean() < (0.01 if dtype == torch.float32 else 3)
    assert other.encode(pictures).dtype == np.int64
    assert (other.encode(pictures) == tokens).mean() > 0.8


@pytest.mark.parametrize("name", ["fashion-features", "portraits-features"])
def test_a_trained_network_says_the_same_in_bfloat16(name):
    plain, rounded = genimg.load(name), genimg.load(name, "cpu", torch.bfloat16)
    size, channels = plain.config.size, plain.config.channels
    shape = (6, size, size, channels)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    features, outputs = plain.network(pictures)
    close_features, close_outputs = rounded.network(pictures)
    assert close_features.dtype == np.float64
    assert close_outputs.dtype == np.float32
    assert close_features == pytest.approx(features, abs=0.05 * features.max())
    assert np.corrcoef(close_outputs.ravel(), outputs.ravel())[0, 1] > 0.99
    assert rounded.network.manifold(pictures).dtype == np.float64


def test_a_model_is_loaded_where_it_shall_compute():
    model = genimg.load("fashion-mlp", device="cpu", dtype=torch.bfloat16)
    assert (model.device, model.dtype) == (torch.device("cpu"), torch.bfloat16)
    assert genimg.load("fashion-mlp").dtype == torch.float32
    assert model.to(torch.float32) is model
    assert model.dtype == torch.float32
    assert model.to("auto").device.type in DEVICES


def test_the_raw_module_is_at_hand(style, drawer, vision, tokenizer):
    assert style.module.generator is style.generator
    assert style.module.discriminator is style.discriminator
    assert drawer.module.prior is drawer.prior
    assert drawer.module.tokenizer is drawer.tokenizer
    assert vision.module is vision.vision_transformer
    assert tokenizer.module is tokenizer.tokenizer
    for model in (style, drawer, vision, tokenizer):
        assert not model.module.training
        assert not any(weight.requires_grad for weight in model.module.parameters())


def test_what_was_computed_with_other_weights_is_forgotten(make_model, make_tiny):
    model = make_model("stylegan")
    before = model.directions(count=1)
    assert not np.array_equal(model.to(torch.bfloat16).directions(count=1), before)
    drawer = DrawerModel(make_tiny("image-gpt"))
    black = drawer._black
    assert drawer._black is black
    assert drawer.to(torch.bfloat16)._black is not black


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"device": "toaster"}, "'toaster' is no device"),
        ({"device": "cuda:99"}, "no device 'cuda:99'"),
        ({"device": "meta"}, "no device 'meta'"),
        ({"device": None, "dtype": torch.float16}, "torch.float32 or torch.bfloat16, not"),
        ({"dtype": "bfloat16"}, "torch.float32 or torch.bfloat16, not 'bfloat16'"),
        ({"device": torch.int64}, "torch.float32 or torch.bfloat16, not torch.int64"),
        ({"device": 3.5}, "device must be a name, such as cpu or cuda, not 3.5"),
    ],
)
def test_what_cannot_be_is_one_sentence(style, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        style.to(**wrong)
    assert (style.device, style.dtype) == (torch.device("cpu"), torch.float32)
