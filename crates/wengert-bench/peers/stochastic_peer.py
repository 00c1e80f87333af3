"""Stochastic equations and delays by hand, in JAX and in Numba: what `jax_peer.py` and `numba_peer.py` add to their lists."""
import numpy as np

PATHS, STEPS, H = 10_000, 1_000, 1e-3

def in_jax(u, oscillators, oscillators_of):
    """All paths in one array, and the noise of a step drawn in the loop."""
    import jax, jax.numpy as jnp
    from jax import lax
    draw = lambda key, i, n=1: jax.random.normal(jax.random.fold_in(key, i), (n, PATHS) if n > 1 else (PATHS,), dtype=jnp.float64)
    def loop(step, n=1, x0=1.0):
        def run(key): return lax.fori_loop(0, STEPS, lambda i, x: step(x, draw(key, i, n) * H ** 0.5), jnp.full(PATHS, x0))
        return lambda: (jax.jit(run), jax.random.key(0))
    euler = lambda x, w, a=0.1, b=0.3: x + a * x * H + b * x * w
    milstein = lambda x, w: x + 0.1 * x * H + 0.3 * x * w + 0.5 * 0.09 * x * (w * w - H)
    def sra1(x, z):
        w, m = z[0], 0.5 * z[0] + z[1] / 12 ** 0.5
        ahead = x - 0.75 * H * x + 1.5 * 0.5 * m
        return x + H * (-x / 3 - 2 * ahead / 3) + 0.5 * w
    def sri1(x, z):
        f, g, r = (lambda x: 0.1 * x), (lambda x: 0.3 * x), H ** 0.5
        w, m = z[0], 0.5 * z[0] + z[1] / 12 ** 0.5
        i2, i3 = 0.5 * (w * w - H) / r, (w ** 3 - 3 * H * w) / (6 * H)
        f1, g1 = f(x), g(x); g2 = g(x + 0.25 * H * f1 + 0.5 * r * g1); f2 = f(x + 0.75 * H * f1 + 1.5 * m * g1)
        g3 = g(x + H * f1 - r * g1); g4 = g(x - 5 * r * g1 + 3 * r * g2 + 0.5 * r * g3 + 0.25 * H * f1)
        return (x + H * (f1 + 2 * f2) / 3 + g1 * (2 * m - w - i2 - 2 * i3) + g2 * (4 * w + 4 * i2 - 4 * m + 5 * i3) / 3
                + g3 * (2 * w - i2 - 2 * m - 2 * i3) / 3 + g4 * i3)
    def gradient():
        def mean(p, key):
            step = lambda x, i: (euler(x, draw(key, i) * H ** 0.5, p[0], p[1]), None)
            return jnp.mean(lax.scan(step, jnp.full(PATHS, p[2]), jnp.arange(STEPS))[0])
        return jax.jit(jax.value_and_grad(mean)), jnp.asarray([0.1, 0.3, 1.0]), jax.random.key(0)
    return {"de_sde/gbm_euler_10000x1000": loop(euler), "de_sde/gbm_milstein_10000x1000": loop(milstein), "de_sde/gbm_sri1_10000x1000": loop(sri1, 2),
            "de_sde/ou_sra1_10000x1000": loop(sra1, 2), "de_sde/draws_10000x1000": loop(lambda x, w: x + w), "de_sde/gbm_grad_10000x1000": gradient,
            "de_delay/oscillators_84x20": lambda: (jax.jit(jax.vmap(oscillators, (None, None, None, 0))), *oscillators_of(), jnp.linspace(0.0, 1.0, 20))}

def in_numba(u, oscillators, oscillators_of, njit, prange, fast):
    """A path after the other on all cores."""
    R = H ** 0.5
    @njit(parallel=True, **fast)
    def euler(n):
        o = np.empty(n)
        for i in prange(n):
            x = 1.0
            for _ in range(STEPS): x = x + 0.1 * x * H + 0.3 * x * R * np.random.standard_normal()
            o[i] = x
        return o
    @njit(parallel=True, **fast)
    def milstein(n):
        o = np.empty(n)
        for i in prange(n):
            x = 1.0
            for _ in range(STEPS):
                w = R * np.random.standard_normal()
                x = x + 0.1 * x * H + 0.3 * x * w + 0.045 * x * (w * w - H)
            o[i] = x
        return o
    @njit(parallel=True, **fast)
    def sri1(n):
        o = np.empty(n)
        for i in prange(n):
            x = 1.0
            for _ in range(STEPS):
                w = R * np.random.standard_normal(); m = 0.5 * w + R * np.random.standard_normal() / 12 ** 0.5
                i2 = 0.5 * (w * w - H) / R; i3 = (w * w * w - 3 * H * w) / (6 * H)
                f1 = 0.1 * x; g1 = 0.3 * x; g2 = 0.3 * (x + 0.25 * H * f1 + 0.5 * R * g1); f2 = 0.1 * (x + 0.75 * H * f1 + 1.5 * m * g1)
                g3 = 0.3 * (x + H * f1 - R * g1); g4 = 0.3 * (x - 5 * R * g1 + 3 * R * g2 + 0.5 * R * g3 + 0.25 * H * f1)
                x = (x + H * (f1 + 2 * f2) / 3 + g1 * (2 * m - w - i2 - 2 * i3) + g2 * (4 * w + 4 * i2 - 4 * m + 5 * i3) / 3
                     + g3 * (2 * w - i2 - 2 * m - 2 * i3) / 3 + g4 * i3)
            o[i] = x
        return o
    @njit(parallel=True, **fast)
    def sra1(n):
        o = np.empty(n)
        for i in prange(n):
            x = 1.0
            for _ in range(STEPS):
                w = R * np.random.standard_normal(); m = 0.5 * w + R * np.random.standard_normal() / 12 ** 0.5
                ahead = x - 0.75 * H * x + 0.75 * m
                x = x + H * (-x / 3 - 2 * ahead / 3) + 0.5 * w
            o[i] = x
        return o
    @njit(parallel=True, **fast)
    def draws(n):
        o = np.empty(n)
        for i in prange(n):
            x = 0.0
            for _ in range(STEPS): x += np.random.standard_normal()
            o[i] = x
        return o
    @njit(parallel=True, **fast)
    def gradient(a, b, x0, n):
        s = np.zeros((n, 4))
        for i in prange(n):
            x = x0; xa = 0.0; xb = 0.0; xx = 1.0
            for _ in range(STEPS):
                w = R * np.random.standard_normal(); c = 1.0 + a * H + b * w
                xa = c * xa + x * H; xb = c * xb + x * w; xx = c * xx; x = c * x
            s[i, 0] = x; s[i, 1] = xa; s[i, 2] = xb; s[i, 3] = xx
        return s.sum(0) / n
    of = lambda f: lambda: (f, PATHS)
    return {"de_sde/gbm_euler_10000x1000": of(euler), "de_sde/gbm_milstein_10000x1000": of(milstein), "de_sde/gbm_sri1_10000x1000": of(sri1), "de_sde/ou_sra1_10000x1000": of(sra1),
            "de_sde/draws_10000x1000": of(draws), "de_sde/gbm_grad_10000x1000": lambda: (gradient, 0.1, 0.3, 1.0, PATHS),
            "de_delay/oscillators_84x20": lambda: (oscillators, *oscillators_of(), np.linspace(0, 1, 20))}
