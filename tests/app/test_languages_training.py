"""The Training tab in both languages; nothing is trained: a recording lies among the runs."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import genimg
from genimg.render import encode

pytestmark = pytest.mark.browser

RECORDING = Path(genimg.__file__).parent / "ui" / "recordings" / "fashion-dcgan"
RUN = "a-recorded-run"
SLOW = 120_000  # milliseconds: a busy machine is not a failure
# What is said in Latin letters in every language: names of models, settings' values and files.
NAMES = {
    *("Fashion-MNIST", "Kuzushiji-MNIST", "CIFAR-10", "SVHN", "MaskGIT", "StyleDCGAN", "MLP"),
    *("FSQ", "GPT", "WGAN-GP", "AdamW", "SGD", "ADA", "arXiv", "R", "GIF", "me", "ada", "x", "e"),
    *("cpu", "cuda", "mps", "auto", "bf", "fp", "zip", "train", "val", "test", "labels", "csv"),
    *("dataset", "json", "python", "benchmarks", "objectives", "optimizers", "py", "PyTorch"),
    *("cu", "fashion-features", "fashion-dcgan", "a-recorded-run", "cats", "dogs"),
    *("minimax", "nonsaturating", "least-squares", "wasserstein", "hinge", "relativistic"),
    *("sgd", "momentum", "adam", "adamw", "sqrt", "width", "heads"),
}
each_language = pytest.mark.parametrize("locale", ["zh-CN", "en-US"])


@pytest.fixture
def open_training(open_page, server_folder):
    """Open the tab with a finished run that was recorded."""
    folder = server_folder / "runs" / RUN
    if not folder.exists():
        shutil.copytree(RECORDING, folder)

    def opened(locale, **options):
        page = open_page(f"?tab=train&run={RUN}", locale=locale, **options)
        page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
        return page

    return opened


def in_words(locale, english, chinese):
    return {"en-US": english, "zh-CN": chinese}[locale]


def change(page, name, value):
    if not page.locator("#settings .sections").is_visible():
        page.locator("#settings summary").click()
    field = page.locator(f"#settings [data-name={name}]")
    field.fill(value)
    field.press("Tab")


@each_language
def test_it_speaks_one_language(open_training, foreign, locale):
    page = open_training(locale)
    page.locator("#settings summary").click()
    page.locator("#race-fold > button").click()
    page.locator("#race .measured-before td").first.wait_for()
    for summary in page.locator("#runs .more summary").all():
        summary.click()
    said = in_words(locale, "Nothing unusual", "一切正常")
    expect(page.locator("#runs .health")).to_contain_text(said, timeout=SLOW)
    expect(page.locator("#runs .message")).to_contain_text(
        in_words(locale, "It was started in a terminal", "从终端或 Python 启动的")
    )
    alt = page.locator("#runs .sheets img")
    expect(alt).to_have_attribute("alt", re.compile(in_words(locale, "Sample pictures", "样图")))
    assert foreign(page, NAMES) == []
    # Another model, another form.
    titles = page.locator("#train-preset option").all_inner_texts()
    for model in ("GPT", "FSQ"):
        title = next(title for title in titles if model in title)
        page.locator("#train-preset select").select_option(label=title)
        page.locator(
            "#settings", has_text=in_words(locale, *{
                "GPT": ("Attention heads in each block", "每个块中的注意力头数"),
                "FSQ": ("Weight of the mean absolute error", "像素平均绝对误差的权重"),
            }[model])
        ).wait_for()  # fmt: skip
        assert foreign(page, NAMES) == []


@each_language
def test_what_is_wrong_is_said_in_the_language_of_the_page(open_training, foreign, locale):
    page = open_training(locale)
    change(page, "batch_size", "1")
    wrong = in_words(
        locale, "“Batch size” must be from 2 to 4096, not 1.", "“批量大小”应在 2 到 4096 之间"
    )
    expect(page.locator("#estimate, .estimate").first).to_contain_text(wrong, timeout=SLOW)
    page.locator("#train-start").click()
    message = page.locator(".toast-body").first
    expect(message).to_contain_text(wrong, timeout=SLOW)
    page.locator("#race-fold > button").click()
    page.locator("#race .names input").first.wait_for()
    for box in page.locator("#race .names input").all():
        box.set_checked(False)
    page.locator("#race .go").click()
    count = in_words(locale, "Compare from 2 to 8 different values", "2 到 8 个不同的取值")
    expect(page.locator("#race .said")).to_contain_text(count, timeout=SLOW)
    page.locator("#runs [data-action=copy]").click()
    assert foreign(page, NAMES) == []


def test_the_switch_rewords_what_is_there(open_training):
    page = open_training("en-US")
    page.locator("#train-amount input").fill("7")
    change(page, "seed", "3")
    expect(page.locator("#settings summary")).to_have_text("Advanced (1 changed)")
    chart = page.locator("#runs [data-chart=Losses]")
    chart.locator("svg").evaluate("node => { node.mark = 1; }")
    page.locator("#title .languages button", has_text="中文").click()
    expect(page.locator("#runs .head .chip")).to_have_text("已完成")
    expect(page.locator("#settings summary")).to_have_text("高级设置（已改动 1 项）")
    expect(chart.locator("figcaption")).to_have_text("损失")
    expect(chart.locator("svg")).to_have_attribute("aria-label", re.compile("^损失、生成器损失"))
    expect(page.locator("#train-start")).to_have_text("开始训练")
    expect(page.locator("#train-length")).to_contain_text("图像数")
    expect(page.locator("#train-upload")).to_contain_text("上传自己的图像")
    expect(page.locator("#settings [data-name=seed]")).to_have_value("3")
    expect(page.locator("#train-amount input")).to_have_value("7")
    expect(page.locator(".estimate").first).to_contain_text(re.compile("约 7 分钟"), timeout=SLOW)
    assert chart.locator("svg").evaluate("node => node.mark") == 1


def test_a_report_of_sent_pictures_in_chinese(open_training, foreign):
    numbers = np.random.default_rng(0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("cats/1.png", "cats/2.png", "dogs/1.png"):
            pixels = numbers.integers(0, 256, (20, 20, 1), np.uint8)
            archive.writestr(name, encode(pixels, "png"))
        archive.writestr("cats/x.png", b"II*\0 no picture")
    page = open_training("zh-CN")
    page.locator("#who .nickname").fill("ada")
    sent = {"name": "pets.zip", "mimeType": "application/zip", "buffer": buffer.getvalue()}
    page.locator(".new-run input[type=file]").set_input_files(sent)
    report = page.locator("#upload-report")
    expect(report.locator("h3")).to_have_text(
        re.compile("^已备好 3 张 32 像素的图像"), timeout=SLOW
    )
    expect(report.locator(".classes")).to_have_text("找到 2 个类别：cats、dogs。")
    report.locator("summary").click()
    expect(report.locator("li")).to_contain_text("：是一张 TIFF 图像，不是 PNG、JPEG 或 WebP 图像")
    assert foreign(page, NAMES | {"TIFF", "png"}) == []
    report.locator(".delete").click()
    report.locator(".yes").click()
    expect(report.locator("h3")).to_have_text("这些图像已删除。", timeout=SLOW)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_in_chinese(open_training, width, scheme):
    page = open_training("zh-CN", width=width, color_scheme=scheme)
    page.locator("#settings summary").click()
    page.locator("#race-fold > button").click()
    page.locator("#race .measured-before td").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    cut = page.locator("#train-tab, .training").locator(
        "button:not(.label-wrap):visible, legend:visible, summary"
    )
    wider = "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.outerHTML)"
    assert cut.evaluate_all(wider) == []
