import contextlib
import random
import signal
import threading

import numpy as np
import pytest
import torch

from genimg.training.in_process import Interruption, undisturbed


def state():
    numpy = np.random.get_state()
    return (
        torch.get_rng_state().tolist(),
        random.getstate(),
        (numpy[0], numpy[1].tolist(), *numpy[2:]),
        torch.get_num_threads(),
    )


def draw() -> None:
    torch.manual_seed(3)
    torch.rand(2)
    random.seed(3)
    np.random.seed(3)
    torch.set_num_threads(torch.get_num_threads() + 1)


def test_random_numbers_and_threads_are_put_back():
    before = state()
    with undisturbed():
        draw()
        assert all(now != then for now, then in zip(state(), before, strict=True))
    assert state() == before
    with contextlib.suppress(OSError), undisturbed():
        draw()
        raise OSError
    assert state() == before


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _pythons_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_one_is_a_wish_and_the_second_ends_at_once():
    with Interruption() as interruption:
        assert not interruption()
        press()
        assert interruption.received
        assert interruption()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_before_the_first_step_it_ends_at_once():
    with pytest.raises(KeyboardInterrupt), Interruption():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_with_a_way_of_its_own_keeps_it():
    pressed = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    mine = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        press()
        assert not interruption()
    assert pressed == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is mine


def test_another_thread_leaves_it_alone():
    seen = []

    def work():
        with Interruption() as interruption:
            seen.append((interruption(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, signal.default_int_handler)]


def test_a_callback_may_wish_it_too():
    def stop(report):
        if report > 1:
            raise KeyboardInterrupt

    interruption = Interruption()
    callback = interruption.around(stop)
    callback(1)
    assert not interruption()
    callback(2)
    assert interruption()
