"""Minima and roots in the faster of jaxopt and optimistix, and in JAX; `python minima_peer.py [NAME ..]` measures all of them, and SciPy.

needs: pip install jaxopt optimistix scipy
"""
import json, sys, time
import numpy as np
import jax, jax.numpy as jnp
from jax import lax
jax.config.update("jax_enable_x64", True)

rosen = lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

def starts(u, count, n):
    return np.tile([-1.2, 1.0], count * n // 2).reshape(count, n) + 0.2 * (u(count * n).reshape(count, n) - 0.5)

def logistic(u):
    x, y = jnp.asarray(u(1_000_000).reshape(10_000, 100) - 0.5), jnp.asarray((u(10_000, 3) > 0.5) * 1.0)
    def loss(w):
        z = x @ w
        return jnp.mean(jnp.logaddexp(z, 0.0) - y * z) + 0.5e-3 * jnp.dot(w, w)
    return loss

def kepler(u): return jnp.asarray(u(1_000_000)), jnp.asarray(0.9 * u(1_000_000, 5))

def chandrupatla(m, e):
    """A bracketing root for all elements at once, since neither jaxopt nor optimistix has Brent's."""
    f = lambda x: x - e * jnp.sin(x) - m
    a, b = m - 1.0, m + 1.0
    def step(c):
        a, b, c3, fa, fb, fc, t, k, _ = c
        x = a + t * (b - a); fx = f(x); same = jnp.sign(fx) == jnp.sign(fa)
        c3, fc = jnp.where(same, a, b), jnp.where(same, fa, fb)
        b, fb = jnp.where(same, b, a), jnp.where(same, fb, fa); a, fa = x, fx
        xm = jnp.where(jnp.abs(fa) < jnp.abs(fb), a, b); tol = 1e-14 + 8.9e-16 * jnp.abs(xm)
        tl = tol / jnp.abs(b - a); done = (tl > 0.5) | (fa == 0.0) | (fb == 0.0)
        xi, phi = (a - b) / (c3 - b), (fa - fb) / (fc - fb)
        iqi = (phi ** 2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        t = jnp.where(iqi, fa / (fb - fa) * fc / (fb - fc) + (c3 - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb), 0.5)
        return a, b, c3, fa, fb, fc, jnp.clip(t, tl, 1 - tl), k + 1, done
    fa, fb = f(a), f(b)
    out = lax.while_loop(lambda c: ~c[8] & (c[7] < 200), step, (a, b, b, fa, fb, fb, jnp.float64(0.5), 0, False))
    return jnp.where(jnp.abs(out[3]) < jnp.abs(out[4]), out[0], out[1])

def minima(u):
    """jaxopt alone, and optimistix for a thousand at once: jaxopt's line search makes all wait for the slowest, for half a minute."""
    W, o = jaxopts(u), others(u)
    for n in (2, 100): W[f"minimize/bfgs_rosenbrock_{n}x1000"] = o[f"optimistix minimize/bfgs_rosenbrock_{n}x1000"]
    return W

def jaxopts(u):
    import jaxopt
    W = {}
    for n in (2, 100):
        def one(x):
            r = jaxopt.BFGS(rosen, tol=1e-6, maxiter=2000, linesearch="zoom", jit=True).run(x)
            return r.params, r.state.value
        W[f"minimize/bfgs_rosenbrock_{n}"] = lambda one=one, n=n: (jax.jit(one), jnp.asarray(starts(u, 1, n)[0]))
        W[f"minimize/bfgs_rosenbrock_{n}x1000"] = lambda one=one, n=n: (jax.jit(jax.vmap(one)), jnp.asarray(starts(u, 1000, n)))
    def fit():
        loss = logistic(u)
        def run(w):
            r = jaxopt.LBFGS(loss, tol=1e-6, maxiter=2000).run(w)
            return r.params, r.state.value
        return jax.jit(run), jnp.zeros(100)
    W["minimize/lbfgs_logistic_10000x100"] = fit
    W["root/brent_1e6"] = lambda: (jax.jit(jax.vmap(chandrupatla)), *kepler(u))
    return W

def others(u):
    import optimistix as optx, scipy.optimize as so
    from scipy.optimize import elementwise
    W = {}
    for n in (2, 100):
        def one(x):
            s = optx.minimise(lambda x, _: rosen(x), optx.BFGS(rtol=1e-9, atol=1e-9), x, max_steps=5000, throw=False)
            return s.value, rosen(s.value)
        both = jax.jit(jax.value_and_grad(rosen))
        def scipy(x):
            r = so.minimize(lambda x: tuple(map(np.asarray, both(x))), x, jac=True, method="BFGS", options={"gtol": 1e-6})
            return r.x, np.float64(r.fun)
        W[f"optimistix minimize/bfgs_rosenbrock_{n}"] = lambda one=one, n=n: (jax.jit(one), jnp.asarray(starts(u, 1, n)[0]))
        W[f"optimistix minimize/bfgs_rosenbrock_{n}x1000"] = lambda one=one, n=n: (jax.jit(jax.vmap(one)), jnp.asarray(starts(u, 1000, n)))
        W[f"scipy minimize/bfgs_rosenbrock_{n}"] = lambda scipy=scipy, n=n: (scipy, starts(u, 1, n)[0])
    def fit():
        both = jax.jit(jax.value_and_grad(logistic(u)))
        def run(w):
            r = so.minimize(lambda x: tuple(map(np.asarray, both(x))), w, jac=True, method="L-BFGS-B", options={"gtol": 1e-6, "ftol": 0.0})
            return r.x, np.float64(r.fun)
        return run, np.zeros(100)
    W["scipy minimize/lbfgs_logistic_10000x100"] = fit
    W["scipy root/brent_1e6"] = lambda: (lambda m, e: elementwise.find_root(lambda x, m, e: x - e * np.sin(x) - m, (m - 1.0, m + 1.0), args=(m, e)).x, *map(np.asarray, kepler(u)))
    return W

if __name__ == "__main__":
    from jax_peer import measure, u
    W = {**{"jaxopt " + k: v for k, v in jaxopts(u).items()}, **others(u)}
    for name, make in W.items():
        if not sys.argv[1:] or any(a in name for a in sys.argv[1:]):
            f, *args = make(); measure(name, f, *args)
