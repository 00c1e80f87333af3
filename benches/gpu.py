"""The programs of `examples/gpu.rs` in JAX: the same sizes, in f64."""

import sys
import time

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
SMALL = "--small" in sys.argv


def of(full, little):
    return little if SMALL else full


def timed(name, f, x):
    f = jax.jit(f)
    x = jax.device_put(x)
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        y = jax.block_until_ready(f(x))
        times.append((time.perf_counter() - begin) * 1e3)
    first, later = times[0], sorted(times[1:])[2]
    print(f"{name}: first {first:.0f} ms, later {later:.3f} ms, mean {float(jnp.mean(y))}")


def rk4(f, x, h):
    k1 = f(x)
    k2 = f(x + h / 2 * k1)
    k3 = f(x + h / 2 * k2)
    k4 = f(x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def lorenz(paths, steps):
    def end(rho):
        def f(u):
            x, y, z = u
            return jnp.array([10 * (y - x), x * (rho - z) - y, x * y - 8 / 3 * z])

        u, _ = jax.lax.scan(lambda u, _: (rk4(f, u, 0.01), None), jnp.ones(3), length=steps)
        return u.sum()

    timed("lorenz_grad", jax.vmap(jax.grad(end)), 20 + 10 * jnp.arange(paths) / paths)


def kuramoto(sets, steps):
    i = jnp.arange(100.0)
    natural, start = (i * 0.618) % 1 - 0.5, 6 * ((i * 0.414) % 1)

    def order(coupling):
        def f(phase):
            return natural + coupling / 100 * jnp.sin(phase[None, :] - phase[:, None]).sum(1)

        phase = jax.lax.fori_loop(0, steps, lambda _, x: rk4(f, x, 0.05), start)
        return jnp.sqrt(jnp.cos(phase).mean() ** 2 + jnp.sin(phase).mean() ** 2)

    timed(f"kuramoto_{sets}x{steps}", jax.vmap(order), 2 * jnp.arange(sets) / sets)


def pi(keys, points):
    # Chunks, because all points at once do not fit into memory.
    chunks = of(100, 1)

    def inside(key):
        p = jax.random.uniform(key, (keys * points // chunks, 2))
        return (jnp.square(p).sum(1) <= 1).sum()

    def f(seed):
        return jax.lax.map(inside, jax.random.split(jax.random.key(seed), chunks)).sum() * 4.0 / (keys * points)

    timed("pi", f, 1)


def matmul(n):
    a = ((jnp.arange(n * n) * 7919) % 1000 / 1000).reshape(n, n)
    timed("matmul", lambda a: a @ a, a)


print(jax.devices()[0])
lorenz(of(1_000_000, 200), of(100, 10))
for sets, steps in [(of(120, 8), of(1000, 5)), (of(10_000, 16), of(100, 5))]:
    kuramoto(sets, steps)
pi(of(100_000, 100), of(10_000, 100))
matmul(of(4096, 64))
