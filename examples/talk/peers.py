"""The subjects of `examples/talk.rs` in Numba and JAX, as a user would write them first.

`peers.py numba mandelbrot` prints three numbers: the seconds of the first call, which compiles, the median of later calls,
and a number of the result, which `talk` compares with its own.
"""
import math
import statistics
import sys
import time

import numpy as np

SMALL = "--small" in sys.argv
TOOL, SUBJECT = sys.argv[1:3]


def of(small, full):
    return small if SMALL else full


def spread(n):
    x = np.arange(1, n + 1) * 0.6180339887498949
    return x - np.floor(x)


def measure(call, check):
    def timed():
        clock = time.perf_counter()
        result = call()
        return result, time.perf_counter() - clock

    result, first = timed()
    times = []
    least, longest = of((1, 0), (7, 1))
    start = time.perf_counter()
    while len(times) < least or time.perf_counter() - start < longest:
        times.append(timed()[1])
    print(first, statistics.median(times), check(result))


# Inputs.


def points():
    return spread(3 * of(30, 1000)).reshape(-1, 3)


def places():
    x = spread(4 * of(1000, 1_000_000)).reshape(4, -1) - 0.5
    return [2.4 * x[0], 6.2 * x[1], 2.4 * x[2], 6.2 * x[3]]


def picture():
    w, h = of((48, 32), (768, 512))
    return -2 + 3 / w * np.arange(w), -1 + 2 / h * np.arange(h)


LIMIT = 200


def oscillators():
    n, steps = of((10, 50), (200, 200))
    x = spread(2 * n)
    return 2 * np.pi * x[:n], 0.3 * np.log(x[n:] / (1 - x[n:])), 1.5, steps


def grid():
    n, steps = of((6, 200), (64, 5000))
    at = np.arange(n) / (n - 1)
    return np.tile(1.5 * at, n), np.repeat(0.4 + 0.6 * at, n), steps


ALPHA, LAMBDA = 1.67, 1.05


def numbers():
    return 6 * spread(of(1000, 1_000_000)) - 3


def vectors():
    n = of(100, 1_000_000)
    x = 2 * spread(6 * n) - 1
    return x[: 3 * n].reshape(n, 3), x[3 * n :].reshape(n, 3)


def samples():
    xs, _ = vectors()
    return np.array([0.5, -1.0, 2.0]), xs, (xs[:, 0] > 0.1).astype(float)


DARTS = of(10_000, 10_000_000)


def network():
    width, steps = of((8, 20), (128, 100))
    sizes = [1, width, width, 1]
    layers = [
        (math.sqrt(2 / a) * 3 * (spread(a * b) - 0.5).reshape(a, b), np.zeros(b))
        for a, b in zip(sizes, sizes[1:])
    ]
    return layers, (4 * spread(of(16, 128)) - 2).reshape(-1, 1), steps, 0.01


def noise():
    return math.sqrt(12) * (spread(of(1000, 1_000_000)) - 0.5)


def recurrent():
    n, steps = of((4, 20), (32, 1000))
    part = lambda size, scale: scale * (spread(size) - 0.5)
    t = 0.1 * np.arange(steps)
    weights = part(n * n, 3 / math.sqrt(n)).reshape(n, n)
    return (weights, part(n, 1), part(n, 0.2), part(n, 1)), np.sin(t), np.cos(t)


def series():
    xs = spread(of(1000, 1_000_000))
    return xs, xs.reshape(of(10, 1000), -1)


def affine():
    return np.split(spread(2 * of(1000, 1_000_000)), 2)


def plain_path(e):
    x, path = 0.0, []
    for e in e.tolist():
        x = 0.95 * x + 0.3 * e
        path.append(x)
    return np.array(path)


def numba_subjects():
    from numba import njit, prange, vectorize

    fast = njit(parallel=True)

    def elementwise(signature):
        """`vectorize`, which compiles at once, on the first call instead."""

        def lazy(f):
            made = []

            def call(*args):
                if not made:
                    made.append(vectorize([signature], target="parallel")(f))
                return made[0](*args)

            return call

        return lazy

    @fast
    def distances(x):
        n = x.shape[0]
        d = np.empty((n, n))
        for i in prange(n):
            for j in range(n):
                s = 0.0
                for k in range(3):
                    s += (x[i, k] - x[j, k]) ** 2
                d[i, j] = np.sqrt(s)
        return d

    @fast
    def primes(numbers):
        count = 0
        for i in prange(numbers.size):
            n = numbers[i]
            d = 2
            while d * d <= n and n % d != 0:
                d += 1
            if n >= 2 and d * d > n:
                count += 1
        return count

    @elementwise("f8(f8, f8, f8, f8)")
    def haversine(lat1, lon1, lat2, lon2):
        h = np.sin(0.5 * (lat2 - lat1)) ** 2
        h += np.cos(lat1) * np.cos(lat2) * np.sin(0.5 * (lon2 - lon1)) ** 2
        return 2 * 6371.0 * np.arcsin(np.sqrt(h))

    @fast
    def mandelbrot(xs, ys):
        out = np.empty((ys.size, xs.size), np.int64)
        for i in prange(ys.size):
            for j in range(xs.size):
                u = v = 0.0
                n = 0
                while u * u + v * v < 4 and n < LIMIT:
                    u, v = u * u - v * v + xs[j], 2 * u * v + ys[i]
                    n += 1
                out[i, j] = n
        return out

    @fast
    def kuramoto(theta, omega, coupling, steps):
        n = theta.size
        order = np.empty(steps)
        for t in range(steps):
            new = np.empty(n)
            for i in prange(n):
                pull = 0.0
                for j in range(n):
                    pull += np.sin(theta[j] - theta[i])
                new[i] = theta[i] + 0.05 * (omega[i] + coupling / n * pull)
            theta = new
            order[t] = np.sqrt(np.cos(theta).mean() ** 2 + np.sin(theta).mean() ** 2)
        return order

    @fast
    def fitzhugh_nagumo(current, a, steps):
        spikes = np.zeros(a.size, np.int64)
        means = np.empty(a.size)
        for i in prange(a.size):
            v, w, total = -1.2, -0.6, 0.0
            for _ in range(steps):
                dv = v - v * v * v / 3 - w + current[i]
                dw = 0.08 * (v + a[i] - 0.8 * w)
                new = v + 0.05 * dv
                if v < 1 and new >= 1:
                    spikes[i] += 1
                w += 0.05 * dw
                total += new
                v = new
            means[i] = total / steps
        return spikes, means

    @elementwise("f8(f8)")
    def selu(x):
        return LAMBDA * (x if x > 0 else ALPHA * np.exp(x) - ALPHA)

    @elementwise("f8(f8)")
    def selu_slope(x):
        return LAMBDA * (1.0 if x > 0 else ALPHA * np.exp(x))

    @fast
    def dots(a, b):
        out = np.empty(len(a))
        for i in prange(len(a)):
            out[i] = a[i, 0] * b[i, 0] + a[i, 1] * b[i, 1] + a[i, 2] * b[i, 2]
        return out

    @fast
    def per_sample(w, xs, labels):
        out = np.empty(xs.shape)
        for i in prange(len(xs)):
            score = xs[i, 0] * w[0] + xs[i, 1] * w[1] + xs[i, 2] * w[2]
            slope = 1 / (1 + np.exp(-score)) - labels[i]
            for k in range(3):
                out[i, k] = slope * xs[i, k]
        return out

    @fast
    def darts(n):
        inside = 0
        for _ in prange(n):
            if np.random.random() ** 2 + np.random.random() ** 2 < 1:
                inside += 1
        return 4 * inside / n

    @njit
    def train(w1, b1, w2, b2, w3, b3, x, steps, rate):
        losses = np.empty(steps)
        y = x * x
        for t in range(steps):
            h1 = np.maximum(x @ w1 + b1, 0)
            h2 = np.maximum(h1 @ w2 + b2, 0)
            off = h2 @ w3 + b3 - y
            losses[t] = (off * off).mean()
            d3 = 2 * off / len(x)
            d2 = (d3 @ w3.T) * (h2 > 0)
            d1 = (d2 @ w2.T) * (h1 > 0)
            w1, b1 = w1 - rate * (x.T @ d1), b1 - rate * d1.sum(0)
            w2, b2 = w2 - rate * (h1.T @ d2), b2 - rate * d2.sum(0)
            w3, b3 = w3 - rate * (h2.T @ d3), b3 - rate * d3.sum(0)
        return losses

    @njit
    def path(phi, sigma, noise):
        out = np.empty(noise.size)
        x = 0.0
        for i in range(noise.size):
            x = phi * x + sigma * noise[i]
            out[i] = x
        return out

    @njit
    def path_slope(phi, sigma, path):
        before = by_phi = by_sigma = 0.0
        for x in path:
            z = (x - phi * before) / sigma
            by_phi += z * before / sigma
            by_sigma += (z * z - 1) / sigma
            before = x
        return by_phi, by_sigma

    @njit
    def rnn(w, u, b, r, xs, targets):
        n, steps = b.size, xs.size
        hs = np.zeros((steps + 1, n))
        errors = np.empty(steps)
        for t in range(steps):
            hs[t + 1] = np.tanh(w @ hs[t] + u * xs[t] + b)
            errors[t] = 2 * (r @ hs[t + 1] - targets[t]) / steps
        dw, du, db, dr = np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n)
        back = np.zeros(n)
        for t in range(steps - 1, -1, -1):
            dr += errors[t] * hs[t + 1]
            s = (back + errors[t] * r) * (1 - hs[t + 1] ** 2)
            du += s * xs[t]
            db += s
            dw += np.outer(s, hs[t])
            back = w.T @ s
        return dw, du, db, dr

    @njit
    def welford(xs):
        n = mean = squares = 0.0
        for x in xs:
            n += 1
            off = x - mean
            mean += off / n
            squares += off * (x - mean)
        return squares / n

    @fast
    def welford_many(xs):
        out = np.empty(len(xs))
        for i in prange(len(xs)):
            out[i] = welford(xs[i])
        return out

    @njit
    def recurrence(a, b):
        out = np.empty(a.size)
        x = 0.0
        for i in range(a.size):
            x = a[i] * x + b[i]
            out[i] = x
        return out

    length = lambda gs: math.sqrt(sum((np.asarray(g) ** 2).sum() for g in gs))
    flat = lambda layers, x, steps, rate: [a for l in layers for a in l] + [x, steps, rate]
    return {
        "distances": (distances, lambda: [points()], np.mean),
        "primes": (primes, lambda: [np.arange(of(1000, 200_000))], float),
        "vectorize": (haversine, places, np.mean),
        "mandelbrot": (mandelbrot, picture, lambda r: np.mean(r == LIMIT)),
        "kuramoto": (kuramoto, oscillators, lambda r: r[-1]),
        "fitzhugh_nagumo": (fitzhugh_nagumo, grid, lambda r: r[1].mean()),
        "selu": (selu, lambda: [numbers()], np.mean),
        "selu/grad": (selu_slope, lambda: [numbers()], np.mean),
        "dots": (dots, vectors, np.mean),
        "dots/per_sample": (per_sample, samples, lambda r: (r**2).sum() / len(r)),
        "random": (darts, lambda: [DARTS], float),
        "pytrees": (train, lambda: flat(*network()), lambda r: r[-1]),
        "ar1": (path, lambda: [0.95, 0.3, noise()], lambda r: r[-1]),
        "ar1/grad": (path_slope, lambda: [0.9, 0.5, plain_path(noise())], lambda r: r[1]),
        "rnn": (rnn, lambda: [*recurrent()[0], *recurrent()[1:]], length),
        "welford": (welford, lambda: [series()[0]], float),
        "welford/many": (welford_many, lambda: [series()[1]], np.mean),
        "associative": (recurrence, affine, lambda r: r[-1]),
        "associative/scan": (recurrence, affine, lambda r: r[-1]),
    }


def jax_subjects():
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax import grad, lax, vmap
    from functools import partial

    def distances(x):
        one = lambda a, b: jnp.sqrt(jnp.sum((a - b) ** 2))
        return vmap(lambda a: vmap(lambda b: one(a, b))(x))(x)

    def is_prime(n):
        d = lax.while_loop(lambda d: (d * d <= n) & (n % d != 0), lambda d: d + 1, 2)
        return (n >= 2) & (d * d > n)

    def haversine(lat1, lon1, lat2, lon2):
        h = jnp.sin(0.5 * (lat2 - lat1)) ** 2
        h += jnp.cos(lat1) * jnp.cos(lat2) * jnp.sin(0.5 * (lon2 - lon1)) ** 2
        return 2 * 6371.0 * jnp.arcsin(jnp.sqrt(h))

    def escape(x, y):
        go = lambda s: (s[0] ** 2 + s[1] ** 2 < 4) & (s[2] < LIMIT)
        step = lambda s: (s[0] ** 2 - s[1] ** 2 + x, 2 * s[0] * s[1] + y, s[2] + 1)
        return lax.while_loop(go, step, (0.0, 0.0, 0))[2]

    def mandelbrot(xs, ys):
        return vmap(lambda y: vmap(lambda x: escape(x, y))(xs))(ys)

    def kuramoto(steps, theta, omega, coupling):
        n = theta.size

        def step(theta, _):
            pull = jnp.sin(theta[None, :] - theta[:, None]).sum(1)
            new = theta + 0.05 * (omega + coupling / n * pull)
            return new, jnp.sqrt(jnp.cos(new).mean() ** 2 + jnp.sin(new).mean() ** 2)

        return lax.scan(step, theta, None, length=steps)[1]

    def fitzhugh_nagumo(steps, current, a):
        def step(_, s):
            v, w, spikes, total = s
            dv = v - v * v * v / 3 - w + current
            dw = 0.08 * (v + a - 0.8 * w)
            new = v + 0.05 * dv
            spike = (v < 1) & (new >= 1)
            return new, w + 0.05 * dw, spikes + spike, total + new

        _, _, spikes, total = lax.fori_loop(0, steps, step, (-1.2, -0.6, 0, 0.0))
        return spikes, total / steps

    def selu(x):
        return LAMBDA * jnp.where(x > 0, x, ALPHA * jnp.exp(x) - ALPHA)

    def loss(w, x, label):
        score = jnp.dot(x, w)
        return jax.nn.softplus(score) - label * score

    def darts(key):
        a, b = jax.random.split(key)
        x, y = jax.random.uniform(a, DARTS), jax.random.uniform(b, DARTS)
        return 4 * jnp.mean(x * x + y * y < 1)

    def predict(layers, x):
        *hidden, (w, b) = layers
        for v, c in hidden:
            x = jax.nn.relu(x @ v + c)
        return x @ w + b

    def train(steps, rate, layers, x):
        def step(layers, _):
            f = lambda layers: jnp.mean((predict(layers, x) - x**2) ** 2)
            value, slope = jax.value_and_grad(f)(layers)
            return jax.tree.map(lambda p, g: p - rate * g, layers, slope), value

        return lax.scan(step, layers, None, length=steps)[1]

    def path(phi, sigma, noise):
        def step(x, e):
            new = phi * x + sigma * e
            return new, new

        return lax.scan(step, 0.0, noise)[1]

    def log_likelihood(params, path):
        phi, sigma = params

        def step(s, x):
            before, total = s
            z = (x - phi * before) / sigma
            return (x, total - 0.5 * z * z - jnp.log(sigma)), None

        return lax.scan(step, (0.0, 0.0), path)[0][1]

    def rnn_loss(net, xs, targets):
        w, u, b, r = net

        def step(h, row):
            x, target = row
            new = jnp.tanh(w @ h + u * x + b)
            return new, (r @ new - target) ** 2

        return lax.scan(step, jnp.zeros(b.size), (xs, targets))[1].mean()

    def welford(xs):
        def step(s, x):
            n, mean, squares = s
            n = n + 1
            off = x - mean
            mean = mean + off / n
            return (n, mean, squares + off * (x - mean)), None

        n, _, squares = lax.scan(step, (0.0, 0.0, 0.0), xs)[0]
        return squares / n

    def combined(a, b):
        return lax.associative_scan(lambda l, r: (l[0] * r[0], r[0] * l[1] + r[1]), (a, b))[1]

    def stepped(a, b):
        def step(x, row):
            new = row[0] * x + row[1]
            return new, new

        return lax.scan(step, 0.0, (a, b))[1]

    length = lambda gs: math.sqrt(sum((np.asarray(g) ** 2).sum() for g in gs))
    steps = lambda f, args, n: partial(f, args()[n])
    mlp = lambda: network()
    subjects = {
        "distances": (distances, lambda: [points()], np.mean),
        "primes": (
            lambda n: vmap(is_prime)(n).sum(),
            lambda: [np.arange(of(1000, 200_000))],
            float,
        ),
        "vectorize": (haversine, places, np.mean),
        "mandelbrot": (mandelbrot, picture, lambda r: np.mean(np.asarray(r) == LIMIT)),
        "kuramoto": (
            steps(kuramoto, oscillators, 3),
            lambda: oscillators()[:3],
            lambda r: r[-1],
        ),
        "fitzhugh_nagumo": (
            vmap(steps(fitzhugh_nagumo, grid, 2)),
            lambda: grid()[:2],
            lambda r: r[1].mean(),
        ),
        "selu": (selu, lambda: [numbers()], np.mean),
        "selu/grad": (grad(lambda x: selu(x).sum()), lambda: [numbers()], np.mean),
        "dots": (vmap(jnp.dot), vectors, np.mean),
        "dots/per_sample": (
            vmap(grad(loss), in_axes=(None, 0, 0)),
            samples,
            lambda r: (r**2).sum() / len(r),
        ),
        "random": (darts, lambda: [jax.random.key(7)], float),
        "pytrees": (partial(train, mlp()[2], mlp()[3]), lambda: mlp()[:2], lambda r: r[-1]),
        "ar1": (path, lambda: [0.95, 0.3, noise()], lambda r: r[-1]),
        "ar1/grad": (
            grad(log_likelihood),
            lambda: [(0.9, 0.5), plain_path(noise())],
            lambda r: r[1],
        ),
        "rnn": (grad(rnn_loss), recurrent, length),
        "welford": (welford, lambda: [series()[0]], float),
        "welford/many": (vmap(welford), lambda: [series()[1]], np.mean),
        "associative": (combined, affine, lambda r: r[-1]),
        "associative/scan": (stepped, affine, lambda r: r[-1]),
    }
    f, args, check = subjects[SUBJECT]
    f = jax.jit(f)
    args = [jax.tree.map(jnp.asarray, a) for a in args()]
    measure(lambda: jax.block_until_ready(f(*args)), lambda r: float(check(r)))


if TOOL == "numba":
    f, args, check = numba_subjects()[SUBJECT]
    args = args()
    measure(lambda: f(*args), lambda r: float(check(r)))
else:
    jax_subjects()
