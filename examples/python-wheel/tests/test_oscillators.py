"""The module against NumPy. Runs by pytest, or as it is; --times says how long both take."""

import sys
import threading
import time

import numpy as np
import oscillators

STEPS = 400
H = 0.05


def by_numpy(frequency, damping):
    x, v = np.ones_like(frequency), np.zeros_like(frequency)
    out = np.empty((len(frequency), STEPS))
    square = frequency**2
    for i in range(STEPS):
        a, b = v, -square * x - damping * v
        half_x, half_v = x + H / 2 * a, v + H / 2 * b
        x, v = x + H * half_v, v + H * (-square * half_x - damping * half_v)
        out[:, i] = x
    return out


def some(n):
    return np.linspace(0.5, 3.0, n), np.linspace(0.0, 0.4, n)


def fails(kind, words, call):
    try:
        call()
    except kind as e:
        # Newer versions of Python have the name of the argument in a note.
        said = [str(e), *getattr(e, "__notes__", [])]
        assert words in "\n".join(said), said
    else:
        raise AssertionError(f"nothing is said of {words}")


def test_positions_are_those_of_numpy():
    model = oscillators.Oscillators(H, STEPS)
    for n in (1, 7, 300):
        frequency, damping = some(n)
        got = model.positions(frequency, damping)
        assert got.shape == (n, STEPS) and got.dtype == np.float64
        np.testing.assert_allclose(got, by_numpy(frequency, damping), rtol=1e-11, atol=1e-12)


def test_gradients_agree_with_differences():
    model = oscillators.Oscillators(H, STEPS)
    frequency, damping = some(20)
    data = by_numpy(np.array([1.3]), np.array([0.2]))[0]
    loss, by_frequency, by_damping = model.misfit(frequency, damping, data)
    np.testing.assert_allclose(loss, ((by_numpy(frequency, damping) - data) ** 2).sum(axis=1), rtol=1e-10)
    e = 1e-6
    for got, up, down in [
        (by_frequency, (frequency + e, damping), (frequency - e, damping)),
        (by_damping, (frequency, damping + e), (frequency, damping - e)),
    ]:
        quotient = (model.misfit(*up, data)[0] - model.misfit(*down, data)[0]) / (2 * e)
        np.testing.assert_allclose(got, quotient, rtol=1e-5, atol=1e-5)


def test_other_orders_in_memory_and_lists():
    model = oscillators.Oscillators(H, STEPS)
    frequency, damping = some(8)
    want = model.positions(frequency, damping)
    both = np.stack([frequency, damping], axis=1)
    assert (model.positions(both[:, 0], both[:, 1]) == want).all()
    assert (model.positions(list(frequency), list(damping)) == want).all()


def test_mistakes_are_exceptions():
    model = oscillators.Oscillators(H, STEPS)
    frequency, damping = some(4)
    fails(oscillators.ModelError, "a frequency is not positive", lambda: model.positions(-frequency, damping))
    fails(oscillators.ModelError, "lib.rs:", lambda: model.positions(-frequency, damping))
    fails(oscillators.ModelError, "", lambda: model.positions(frequency, damping[:3]))
    fails(oscillators.ModelError, "", lambda: model.misfit(frequency, damping, np.ones(3)))
    fails(TypeError, "frequency", lambda: model.positions(np.ones(4, np.float32), damping))
    fails(TypeError, "frequency", lambda: model.positions(np.ones((2, 2)), damping))
    fails(ValueError, "positive", lambda: oscillators.Oscillators(-1.0, 10))


def test_other_threads_run_meanwhile():
    model = oscillators.Oscillators(1e-3, 200_000)
    frequency, damping = some(64)
    model.positions(frequency, damping)
    turns = 0
    done = threading.Event()

    def count():
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(1e-4)

    thread = threading.Thread(target=count)
    thread.start()
    before = turns
    model.positions(frequency, damping)
    meanwhile = turns - before
    done.set()
    thread.join()
    assert meanwhile > 1, meanwhile


def times():
    model = oscillators.Oscillators(H, STEPS)

    def best(call):
        def once():
            begun = time.perf_counter()
            call()
            return time.perf_counter() - begun

        call()
        return min(once() for _ in range(20))

    for n in (1, 100, 10_000):
        q = some(n)
        own, numpy = best(lambda: model.positions(*q)), best(lambda: by_numpy(*q))
        both = best(lambda: model.misfit(*q, np.ones(STEPS)))
        print(f"{n:6} oscillators: {1e3 * own:8.3f} ms, NumPy {1e3 * numpy:8.3f} ms; with gradient {1e3 * both:8.3f} ms")


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"{name}: ok")
    if "--times" in sys.argv:
        times()
