"""Pictures in colour and an image GPT: the way that the page shows, from sentence to run."""

import contextlib
import io
import time
import zipfile

import numpy as np
import pytest

from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.render import encode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALL = {"size": 32, "widths": (8, 8, 8), "levels": (4, 3), "images": 64, "batch_size": 8}
SMALL |= {"discriminator_width": 8, "threads": 1, "precision": "fp32", "sheets": 0}
PATIENCE_SECONDS = 240  # a busy machine is not a failure


def colour_zip() -> bytes:
    buffer, numbers = io.BytesIO(), np.random.default_rng(0)
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
                opened.cancel(seen.job.id, actor="me", is_teacher=True)


def test_a_tokenizer_is_trained_and_used_by_buttons(open_page, manager):
    page = open_page("")
    page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("#train-start")
    page.locator("#train-preset input").click()
    page.get_by_role("option", name="Image GPT").click()
    mend = page.locator("#estimate button")
    page.wait_for_function("document.querySelector('#estimate p').textContent.includes('weights')")
    assert not mend.is_visible()
    with page.expect_file_chooser() as choosing:
        page.locator("#train-upload").click()
    choosing.value.set_files(
        {"name": "pets.zip", "mimeType": "application/zip", "buffer": colour_zip()}
    )
    mend.wait_for()
    assert mend.inner_text() == "Train a tokenizer on these pictures first"
    assert page.locator("#estimate p").inner_text().endswith("on these pictures first.")

    mend.click()
    page.wait_for_function("document.querySelector('#runs .title')?.textContent === 'tokenizer'")
    page.wait_for_function(
        "document.querySelector('#estimate p').textContent.includes('when it has ended')"
    )
    assert not mend.is_visible()
    [job] = [seen.job for seen in manager.snapshot() if seen.job.name == "tokenizer"]
    assert manager.directory(job.id).read_spec().model.channels == 3

    # In its place one that takes a moment.
    manager.cancel(job.id, actor="me", is_teacher=True)
    dataset = manager.directory(job.id).read_spec().run.dataset
    small = manager.start("fashion-tokenizer", actor="me", name="small", dataset=dataset, **SMALL)
    end = time.monotonic() + PATIENCE_SECONDS
    while manager.job(small.id).state is not State.SUCCEEDED:
        assert time.monotonic() < end, manager.job(small.id)
        time.sleep(0.2)
    page.locator("#train-start").click()  # looks again, and says what is still missing
    mend.wait_for()
    assert mend.inner_text() == "Use that tokenizer"
    mend.click()
    page.wait_for_function("document.querySelector('#estimate p').textContent.includes('weights')")
    assert not mend.is_visible()
    assert page.locator("#settings [data-name=tokenizer]").input_value() == small.id
