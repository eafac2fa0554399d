"""Pictures in colour and an image GPT: the way that the page shows, from sentence to run."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

from genimg.jobs.commands import Cancel
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.pictures import folders
from genimg.jobs.states import State
from genimg.render import encode
from genimg.training.running import train

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALL = {"size": 32, "widths": (8, 8, 8), "levels": (4, 3), "images": 64, "batch_size": 8}
SMALL |= {"discriminator_width": 8, "threads": 1, "device": "cpu", "sheets": 0}
SAID = "document.querySelector('#estimate p').textContent"


def colour_zip(seed) -> bytes:
    buffer, numbers = io.BytesIO(), np.random.default_rng(seed)
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20):
            pixels = numbers.integers(0, 256, (32, 32, 3), np.uint8)
            archive.writestr(f"{('cats', 'dogs')[number % 2]}/{number}.png", encode(pixels, "png"))
    return buffer.getvalue()


@pytest.fixture
def manager(server, server_folder):
    with contextlib.closing(JobManager(server_folder / "runs", by_request=True)) as opened:
        yield opened
        for seen in opened.snapshot():
            if seen.job.active or seen.job.state is State.QUEUED:
                opened.do(Cancel(seen.job.id), Visitor("me", is_teacher=True))


@pytest.fixture
def asked(open_page):
    """Open the page, and ask there for an image GPT of pictures in colour."""

    def ask(seed):
        page = open_page("")
        page.get_by_role("tab", name="Training").click()
        page.wait_for_selector("#train-start")
        presets = page.locator("#train-preset select")
        titles = presets.locator("option").all_inner_texts()
        presets.select_option(next(title for title in titles if title.startswith("Image GPT")))
        page.wait_for_function(f"{SAID}.includes('weights')")
        assert not page.locator("#estimate button").is_visible()
        with page.expect_file_chooser() as choosing:
            page.locator("#train-upload").click()
        choosing.value.set_files(
            {"name": "pets.zip", "mimeType": "application/zip", "buffer": colour_zip(seed)}
        )
        page.locator("#estimate button").wait_for()
        return page

    return ask


def test_a_button_trains_a_tokenizer(asked, manager):
    page = asked(seed=0)
    mend = page.locator("#estimate button")
    assert mend.inner_text() == "Train a tokenizer on these pictures first"
    assert page.locator("#estimate p").inner_text().endswith("on these pictures first.")
    mend.click()
    page.wait_for_function("document.querySelector('#runs .title')?.textContent === 'tokenizer'")
    page.wait_for_function(f"{SAID}.includes('when it has ended')")
    assert not mend.is_visible()
    [job] = [seen.job for seen in manager.snapshot() if seen.job.name == "tokenizer"]
    assert manager.directory(job.id).read_spec().model.channels == 3


def test_a_button_uses_the_tokenizer_that_was_trained(asked, manager):
    page = asked(seed=1)
    newest = max(folders(manager.root), key=lambda folder: folder.stat().st_mtime)
    dataset = f"folder:{newest.resolve()}"
    train("fashion-tokenizer", manager.root / "small", dataset=dataset, **SMALL)
    page.locator("#train-start").click()  # looks again, and says what is still missing
    page.wait_for_function(f"{SAID}.includes('trained on them')")
    mend = page.locator("#estimate button")
    assert mend.inner_text() == "Use that tokenizer"
    mend.click()
    page.wait_for_function(f"{SAID}.includes('weights')")
    assert not mend.is_visible()
    assert page.locator("#settings [data-name=tokenizer]").input_value() == "small"
