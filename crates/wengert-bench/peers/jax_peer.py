"""The benchmark's workloads in JAX on the CPU, f64, and `f32/` in 32 bits: one JSON line each.

usage: python jax_peer.py --list | NAME ...        (needs: pip install jax==0.10.2 numpy)
Each line: {"peer", "name", "first_ms": trace + compile + first run, "run_us": median run, "check": the sum of the results}.
Inputs are small closed forms, so that any peer can make the same ones. `u(n)` is frac(i * golden ratio), i = 1..n.
"""
import json, os, sys, time
import numpy as np
import jax, jax.numpy as jnp
from jax import lax
jax.config.update("jax_enable_x64", True)

def u(n, k=0): return np.mod((np.arange(n) + 1 + k) * 0.6180339887498949, 1.0)

def measure(name, f, *args):
    t = time.perf_counter(); jax.block_until_ready(f(*args)); first = time.perf_counter() - t
    t = time.perf_counter(); jax.block_until_ready(f(*args)); one = time.perf_counter() - t
    reps, runs = max(1, int(0.02 / max(one, 1e-9))), []
    for _ in range(max(1, min(9, int(5 / one)))):
        t = time.perf_counter()
        for _ in range(reps): jax.block_until_ready(f(*args))
        runs.append((time.perf_counter() - t) / reps)
    out = jax.tree.leaves(f(*args))
    print(json.dumps({"peer": "jax", "name": name, "first_ms": round(first * 1e3, 3), "run_us": round(float(np.median(runs)) * 1e6, 3),
                      "check": float(sum(jnp.sum(jnp.nan_to_num(o)) for o in out if jnp.issubdtype(o.dtype, jnp.floating)))}), flush=True)

W = {}
def work(name):
    def add(make): W[name] = make; return make
    return add
N = 10_000_000
@work("call/scalar")
def _(): return jax.jit(lambda x: x * x + 1.0), jnp.float64(3.0)
@work("map/axpy_mul_1e7")
def _(): return jax.jit(lambda x, y: (2.0 * x + y) * (x - y)), jnp.asarray(u(N)), jnp.asarray(u(N, 7))
@work("map/sin_exp_tanh_1e7")
def _(): return jax.jit(lambda x, y: jnp.sin(x) * jnp.exp(y) + jnp.tanh(x * y)), jnp.asarray(u(N)), jnp.asarray(u(N, 7))
@work("map/grad_sin_exp_tanh_1e7")
def _(): return jax.jit(jax.grad(lambda x, y: jnp.sum(jnp.sin(x) * jnp.exp(y) + jnp.tanh(x * y)))), jnp.asarray(u(N)), jnp.asarray(u(N, 7))
@work("reduce/sum_1e7")
def _(): return jax.jit(jnp.sum), jnp.asarray(u(N))
@work("reduce/logsumexp_1e7")
def _(): return jax.jit(jax.scipy.special.logsumexp), jnp.asarray(u(N))
@work("reduce/softmax_4096x1024")
def _(): return jax.jit(lambda a: jax.nn.softmax(a, axis=1)), jnp.asarray(u(4096 * 1024).reshape(4096, 1024))
@work("layout/transpose_add_4096x1024")
def _(): return jax.jit(lambda a: a.T + 1.0), jnp.asarray(u(4096 * 1024).reshape(4096, 1024))
for n in (16, 64, 256, 1024):
    W[f"dot/matmul_{n}"] = lambda n=n: (jax.jit(lambda a: a @ a), jnp.asarray(u(n * n).reshape(n, n)))
rosen = lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
for n in (2, 100, 10_000):
    W[f"grad/rosenbrock_{n}"] = lambda n=n: (jax.jit(jax.grad(rosen)), jnp.asarray(u(n)))
    if n <= 100: W[f"hessian/rosenbrock_{n}"] = lambda n=n: (jax.jit(jax.hessian(rosen)), jnp.asarray(u(n)))
def rk4(f, s, h):
    ax = lambda a, k: tuple(x + a * y for x, y in zip(s, k))
    k1 = f(s); k2 = f(ax(h / 2, k1)); k3 = f(ax(h / 2, k2)); k4 = f(ax(h, k3))
    return tuple(x + h / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(s, k1, k2, k3, k4))
def lorenz(p):
    f = lambda s: (p[0] * (s[1] - s[0]), s[0] * (p[1] - s[2]) - s[1], s[0] * s[1] - p[2] * s[2])
    return lax.scan(lambda s, _: (lambda t: (t, t[0]))(rk4(f, s, 0.01)), (1.0, 1.0, 1.0), None, length=1000)
lorenz_p = lambda n: tuple(jnp.asarray(c * (1 + 0.01 * u(n, i))) for i, c in enumerate((10.0, 28.0, 8 / 3)))
lorenz_loss = lambda p: jnp.mean(lorenz(p)[1] ** 2)
W["ode/lorenz_1"] = lambda: (jax.jit(lambda p: lorenz(p)[0]), (10.0, 28.0, 8 / 3))
W["ode/lorenz_grad_1"] = lambda: (jax.jit(jax.grad(lorenz_loss)), (10.0, 28.0, 8 / 3))
for n in (16, 1000, 10_000): W[f"ode/lorenz_{n}"] = lambda n=n: (jax.jit(jax.vmap(lambda p: lorenz(p)[0])), lorenz_p(n))
for n in (16, 1000): W[f"ode/lorenz_grad_{n}"] = lambda n=n: (jax.jit(jax.vmap(jax.grad(lorenz_loss))), lorenz_p(n))
# Dormand-Prince 5(4), rtol = atol = 1e-6, t in [0, 20], mu from 0.1 to 20: lanes need very different numbers of steps
def vanderpol():
    A = [[1/5], [3/40, 9/40], [44/45, -56/15, 32/9], [19372/6561, -25360/2187, 64448/6561, -212/729], [9017/3168, -355/33, 46732/5247, 49/176, -5103/18656], [35/384, 0, 500/1113, 125/192, -2187/6784, 11/84]]
    E = [71/57600, 0, -71/16695, 71/1920, -17253/339200, 22/525, -1/40]
    def solve(mu, y=(2.0, 0.0)):
        f = lambda y: (y[1], mu * (1 - y[0] ** 2) * y[1] - y[0])
        def step(c):
            t, h, y = c
            h = jnp.minimum(h, 20.0 - t); k = [f(y)]
            for row in A:
                z = tuple(y[j] + h * sum(a * q[j] for a, q in zip(row, k)) for j in range(2)); k.append(f(z))
            err = jnp.sqrt(sum((h * sum(e * q[j] for e, q in zip(E, k)) / (1e-6 + 1e-6 * jnp.maximum(jnp.abs(y[j]), jnp.abs(z[j])))) ** 2 for j in range(2)) / 2)
            ok = err <= 1.0
            return jnp.where(ok, t + h, t), h * jnp.clip(0.9 * jnp.maximum(err, 1e-10) ** -0.2, 0.2, 5.0), tuple(jnp.where(ok, b, a) for a, b in zip(y, z))
        return lax.while_loop(lambda c: c[0] < 20.0, step, (0.0, 0.01, y))[2]
    return solve
vanderpol_mu = lambda last: 0.1 * (last / 0.1) ** (np.arange(1000) / 999.0)
vanderpol_by = lambda: (jax.jit(jax.vmap(jax.jacfwd(lambda p: vanderpol()(p[0], (p[1], p[2]))[0]))), jnp.asarray(np.stack([vanderpol_mu(5.0), np.full(1000, 2.0), np.zeros(1000)], 1)))
W["ode/vanderpol_adaptive_1000"] = lambda: (jax.jit(jax.vmap(vanderpol())), jnp.asarray(vanderpol_mu(20.0)))
W["ode/vanderpol_adaptive_grad_1000"] = W["ode/vanderpol_adaptive_jacfwd_1000"] = vanderpol_by      # reverse mode does not go through lax.while_loop
@work("ode/kuramoto_100x120")          # 100 oscillators, 120 couplings, 1,000 RK4 steps, all to all
def _():
    om, th = jnp.asarray(u(100) - 0.5), jnp.asarray(2 * np.pi * u(100, 3))
    def run(K):
        f = lambda s: (om + K / 100 * jnp.sum(jnp.sin(s[0][None, :] - s[0][:, None]), axis=1),)
        s, _ = lax.scan(lambda s, _: (rk4(f, s, 0.05), None), (th,), None, length=1000)
        return jnp.sqrt(jnp.mean(jnp.cos(s[0])) ** 2 + jnp.mean(jnp.sin(s[0])) ** 2)
    return jax.jit(jax.vmap(run)), jnp.linspace(0.0, 2.0, 120)
@work("sde/ou_1000x10000")             # Ornstein-Uhlenbeck, noise drawn inside the loop, a key a path
def _():
    def run(k):
        def step(c, _):
            k, x = c; k, s = jax.random.split(k)
            return (k, x - 0.01 * x + 0.1 * jax.random.normal(s, dtype=jnp.float64)), None
        return lax.scan(step, (k, jnp.float64(0.0)), None, length=10_000)[0][1]
    return jax.jit(jax.vmap(run)), jax.random.split(jax.random.key(0), 1000)
@work("scan/ar1_10000")
def _(): return jax.jit(lambda e: lax.scan(lambda c, x: (0.9 * c + x,) * 2, 0.0, e)[1]), jnp.asarray(u(10_000) - 0.5)
def rotation(t): return jnp.asarray([[np.cos(t), -np.sin(t), 0.0], [np.sin(t), np.cos(t), 0.0], [0.0, 0.0, 1.0]])
mat3 = lambda m: lax.scan(lambda c, _: (c @ m, None), jnp.eye(3), None, length=10_000)[0]       # a 3x3 carry
W["scan/mat3_10000"] = lambda: (jax.jit(mat3), rotation(0.01))
W["scan/mat3_grad_10000"] = lambda: (jax.jit(jax.grad(lambda m: jnp.sum(mat3(m) * jnp.arange(9.0).reshape(3, 3)))), rotation(0.01))
@work("random/uniform_1e7")
def _(): return jax.jit(lambda k: jax.random.uniform(k, (N,), dtype=jnp.float64)), jax.random.key(0)
@work("random/normal_1e7")
def _(): return jax.jit(lambda k: jax.random.normal(k, (N,), dtype=jnp.float64)), jax.random.key(0)
@work("random/mc_pi_1e7")
def _():
    def run(k):
        p = jax.random.uniform(k, (2, N), dtype=jnp.float64); return 4.0 * jnp.mean((p[0] ** 2 + p[1] ** 2 < 1.0).astype(jnp.float64))
    return jax.jit(run), jax.random.key(0)
@work("nn/mlp_grad_256")
def _():
    sz = [784, 256, 128, 10]; P = [(jnp.asarray((u(a * b, i).reshape(a, b) - 0.5) * 0.1), jnp.zeros(b)) for i, (a, b) in enumerate(zip(sz[:-1], sz[1:]))]
    X, Y = jnp.asarray(u(256 * 784).reshape(256, 784)), jnp.asarray(np.eye(10)[np.arange(256) % 10])
    def loss(P, X, Y):
        h = X
        for w, b in P[:-1]: h = jnp.tanh(h @ w + b)
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(h @ P[-1][0] + P[-1][1]), axis=1))
    return jax.jit(jax.grad(loss)), P, X, Y
@work("fit/lm_exp_1000")               # 1,000 starts of a 3-parameter Levenberg-Marquardt fit to 50 points, 30 iterations each
def _():
    x = jnp.linspace(0.0, 5.0, 50); y = 2.5 * jnp.exp(-1.3 * x) + 0.5 + 0.01 * jnp.sin(17 * x)
    res = lambda p: p[0] * jnp.exp(-p[1] * x) + p[2] - y
    def fit(p):
        def it(c, _):
            p, lam = c; r, J = res(p), jax.jacfwd(res)(p); H, g = J.T @ J, J.T @ r
            q = p - jnp.linalg.solve(H + lam * jnp.diag(jnp.diag(H)), g); ok = jnp.sum(res(q) ** 2) < jnp.sum(r ** 2)
            return (jnp.where(ok, q, p), jnp.where(ok, lam * 0.3, lam * 4.0)), None
        return lax.scan(it, (p, 1e-2), None, length=30)[0][0]
    return jax.jit(jax.vmap(fit)), jnp.asarray(np.stack([0.5 + 4 * u(1000), 0.2 + 3 * u(1000, 5), u(1000, 9)], 1))
@work("fit/lynx_hare_1000")           # the main example: 1,000 Levenberg-Marquardt fits of Lotka-Volterra, each until it stops
def _():
    d = np.genfromtxt(os.path.dirname(os.path.abspath(__file__)) + "/../../../data/lynx_hare.csv", delimiter=",", comments="#", skip_header=2)
    lynx, hare = jnp.asarray(np.log(d[:, 1])), jnp.asarray(np.log(d[:, 2]))
    def res(q):
        a, b, g, dl, x0, y0 = jnp.exp(q)
        f = lambda s: (a * s[0] - b * s[0] * s[1], dl * s[0] * s[1] - g * s[1])
        year = lambda s, _: (lax.scan(lambda s, _: (rk4(f, s, 0.05), None), s, None, length=20)[0], s)
        x, y = lax.scan(year, (x0, y0), None, length=21)[1]
        return jnp.concatenate([jnp.log(x) - hare, jnp.log(y) - lynx])
    J = jax.jacfwd(res)
    def fit(q):
        def go(c): return (c[3] < 200) & (c[4] > 1e-10)
        def step(c):
            q, lam, rss, it, _ = c
            r, Jq = res(q), J(q); H, g = Jq.T @ Jq, Jq.T @ r
            dq = -jnp.linalg.solve(H + lam * jnp.diag(jnp.diag(H) + 1e-12), g); dq = jnp.where(jnp.all(jnp.isfinite(dq)), dq, 0.0)
            new = jnp.sum(res(q + dq) ** 2); ok = new < rss
            return jnp.where(ok, q + dq, q), jnp.where(ok, lam * 0.3, lam * 4.0), jnp.where(ok, new, rss), it + 1, jnp.where(ok, jnp.max(jnp.abs(dq)), jnp.where(lam > 1e12, 0.0, 1.0))
        r0 = jnp.sum(res(q) ** 2)
        return lax.while_loop(go, step, (q, 1e-2, jnp.where(jnp.isfinite(r0), r0, 1e300), 0, 1.0))[2]
    lo, hi = np.log([0.1, 0.005, 0.1, 0.005, 5, 1]), np.log([2, 0.1, 2, 0.1, 100, 50])
    starts = np.mod(0.5 + np.arange(1, 1001)[:, None] * 1.1127756842787055 ** -np.arange(1.0, 7.0)[None, :], 1.0)      # the R6 sequence
    return jax.jit(lambda q: jnp.min(jax.vmap(fit)(q))), jnp.asarray(lo + (hi - lo) * starts)
SIZES = {"1e3": 1_000, "1e5": 100_000, "1e6": 1_000_000}
def history(x, n): return lax.fori_loop(0, n, lambda i, c: (c[0].at[i].set(c[1]), 0.99 * c[1] + 0.1), (jnp.zeros(n), x))[0]
def prefix(x): return lax.fori_loop(1, x.size, lambda i, h: h.at[i].set(h[i - 1] + h[i]), x)
def swaps(x):
    def step(i, h):
        j = (7919 * i + 13) % h.size; a, b = h[i], h[j]
        return h.at[i].set(b).at[j].set(a)
    return lax.fori_loop(0, x.size, step, x)
def thirds(x, n):
    def step(i, c):
        h, x = c; h = lax.cond(i % 3 == 0, lambda h: h.at[i].set(x), lambda h: h, h)
        return h, 0.99 * x + 0.1
    return lax.fori_loop(0, n, step, (jnp.zeros(n), x))[0]
def nested(x, n):
    outer = lambda i, c: lax.fori_loop(0, 100, lambda j, c: (c[0].at[100 * i + j].set(c[1]), 0.99 * c[1] + 0.1), c)
    return lax.fori_loop(0, n // 100, outer, (jnp.zeros(n), x))[0]
def ring(x, n):
    def step(i, c):
        ring, x = c; place = i % 100; past = ring[place]
        return ring.at[place].set(x), x + 0.01 * (past - x * x * x)
    return lax.fori_loop(0, n, step, (jnp.ones((100, 84)), x))[1]
def sieve(flags):
    n = flags.size
    def strike(p, flags): return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + p, c[1].at[c[0]].set(False)), (p * p, flags))[1]
    flags = lax.fori_loop(2, int(n ** 0.5) + 1, lambda p, flags: lax.cond(flags[p], lambda f: strike(p, f), lambda f: f, flags), flags)
    return jnp.sum(flags.astype(jnp.float64))
for size, n in SIZES.items():
    W["write/history_" + size] = lambda n=n: (jax.jit(lambda x: history(x, n)), jnp.float64(0.5))
    W["write/prefix_" + size] = lambda n=n: (jax.jit(prefix), jnp.asarray(u(n) - 0.5))
    W["write/cond_" + size] = lambda n=n: (jax.jit(lambda x: thirds(x, n)), jnp.float64(0.5))
    W["write/nested_" + size] = lambda n=n: (jax.jit(lambda x: nested(x, n)), jnp.float64(0.5))
    if size != "1e6": W["write/ring_" + size] = lambda n=n: (jax.jit(lambda x: ring(x, n)), jnp.asarray(u(84)))
    if size == "1e3":      # each step copies the array: 1e5 steps take more than 10 s
        W["write/history_grad_" + size] = lambda n=n: (jax.jit(jax.grad(lambda x: jnp.mean(history(x, n) ** 2))), jnp.float64(0.5))
        W["write/prefix_grad_" + size] = lambda n=n: (jax.jit(jax.grad(lambda x: jnp.mean(prefix(x) ** 2))), jnp.asarray(u(n) - 0.5))
        W["write/swaps_" + size] = lambda n=n: (jax.jit(swaps), jnp.asarray(u(n)))
    if size != "1e3": W["write/sieve_" + size] = lambda n=n: (jax.jit(sieve), jnp.ones(n, bool))
places = lambda: jnp.asarray((u(100_000, 5) * 100_000).astype(np.int64))
@work("lookup/at_1e5")
def _(): return jax.jit(lambda table, i: jax.vmap(lambda i: table[i])(i)), jnp.asarray(u(100_000)), places()
@work("lookup/interpolate_1e5")
def _():
    def interpolate(table, x):
        below = jnp.floor(x); i, t = below.astype(jnp.int64), x - below
        return (1.0 - t) * table[i] + t * table[i + 1]
    return jax.jit(lambda table, x: jax.vmap(lambda x: interpolate(table, x))(x)), jnp.asarray(u(100_000)), jnp.asarray(u(100_000, 5) * 99_999)
@work("lookup/steps_1e5")
def _():
    run = lambda x: lax.fori_loop(0, 20, lambda _, x: x + 0.1 * jnp.sin(x), x)
    return jax.jit(lambda table, i: jax.vmap(lambda i: run(table[i]))(i)), jnp.asarray(u(100_000)), places()
for n in (16, 84, 256, 1000, 4000): W[f"dot/matvec_{n}"] = lambda n=n: (jax.jit(lambda a, x: a @ x), jnp.asarray(u(n * n).reshape(n, n)), jnp.asarray(u(n, 7)))
def averages(n): a = u(n * n).reshape(n, n); return jnp.asarray(a / a.sum(1, keepdims=True))
for n in (64, 256): W[f"dot/matvec_loop_{n}"] = lambda n=n: (jax.jit(lambda a, x: lax.fori_loop(0, 10_000, lambda _, x: a @ x, x)), averages(n), jnp.asarray(u(n, 7)))
@work("reduce/distances_2000x50")
def _(): return jax.jit(lambda x, y: jnp.sqrt(jnp.sum((x[:, None] - y[None]) ** 2, -1))), jnp.asarray(u(100_000).reshape(2000, 50)), jnp.asarray(u(100_000, 7).reshape(2000, 50))
def haemodynamic(): t = 0.05 * np.arange(400); return t ** 5 * np.exp(-t) / 120 - t ** 15 * np.exp(-t) / 1_307_674_368_000 / 6
@work("signal/convolve_1e5x400")
def _(): return jax.jit(lambda x, h: jnp.convolve(x, h)[:100_000]), jnp.asarray((u(100_000) < 0.05).astype(float)), jnp.asarray(haemodynamic())
@work("random/permutation_1e6")
def _(): return jax.jit(lambda k: jax.random.permutation(k, 1_000_000)), jax.random.key(0)
@work("search/divisors_30000")
def _():
    f = lambda n: lax.while_loop(lambda d: n % d != 0, lambda d: d + 1, jnp.int64(2)).astype(jnp.float64)
    return jax.jit(jax.vmap(f)), jnp.arange(2, 30_000)
by = lambda f: lambda *a: jax.jacfwd(f, tuple(range(len(a))))(*a)      # reverse mode does not go through lax.while_loop
@work("search/kepler_grad_1000")
def _():
    def anomaly(e, m):
        newton = lambda x: x - (x - e * jnp.sin(x) - m) / (1.0 - e * jnp.cos(x))
        return lax.while_loop(lambda c: jnp.abs(c[0] - c[1]) > 1e-12, lambda c: (newton(c[0]), c[0]), (newton(m), m))[0]
    return jax.jit(jax.vmap(by(anomaly))), jnp.asarray(0.9 * u(1000)), jnp.asarray(0.1 + 3 * u(1000, 3))
@work("search/implicit_grad_1000")     # 100 steps of the implicit Euler method, each by Newton's
def _():
    def run(k, y):
        h = 0.05
        def step(i, y):
            t = h * (i + 1).astype(jnp.float64)
            newton = lambda z: z - (z - y + h * k * (z * z * z - jnp.cos(t))) / (1.0 + 3.0 * h * k * z * z)
            return lax.while_loop(lambda c: jnp.abs(c[0] - c[1]) > 1e-10, lambda c: (newton(c[0]), c[0]), (newton(y), y))[0]
        return lax.fori_loop(0, 100, step, y)
    return jax.jit(jax.vmap(by(run))), jnp.asarray(1 + 50 * u(1000)), jnp.asarray(2 * u(1000, 3))
def weights(shape, k, size): return jnp.asarray((u(int(np.prod(shape)), k) - 0.5).reshape(shape) * size)
def rnn(P, x): return lax.scan(lambda h, x: (jnp.tanh(P[0] @ h + P[1] @ x + P[2]), None), jnp.zeros(64), x)[0]
rnn_P = lambda: (weights((64, 64), 0, 0.3), weights((64, 32), 5, 0.3), weights((64,), 9, 0.3))
rnn_batch = jax.vmap(rnn, (None, 0))
W["nn/rnn_64x32"] = lambda: (jax.jit(rnn), rnn_P(), jnp.asarray(u(3200).reshape(100, 32)))
W["nn/rnn_grad_64x32"] = lambda: (jax.jit(jax.grad(lambda P, x: jnp.sum(rnn(P, x) ** 2))), rnn_P(), jnp.asarray(u(3200).reshape(100, 32)))
W["nn/rnn_batch_256"] = lambda: (jax.jit(rnn_batch), rnn_P(), jnp.asarray(u(256 * 3200).reshape(256, 100, 32)))
W["nn/rnn_batch_grad_256"] = lambda: (jax.jit(jax.grad(lambda P, x: jnp.sum(rnn_batch(P, x) ** 2))), rnn_P(), jnp.asarray(u(256 * 3200).reshape(256, 100, 32)))
@work("nn/per_sample_grad_400")
def _():
    loss = lambda w, x, y: jnp.sum((jnp.tanh(w @ x) - y) ** 2)
    return jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0))), weights((32, 32), 3, 0.5), jnp.asarray(u(12_800).reshape(400, 32)), jnp.asarray(u(12_800, 7).reshape(400, 32))
@jax.custom_jvp
def spike(v): return (v > 0).astype(jnp.float64)
@spike.defjvp
def _(v, dv): return spike(v[0]), dv[0] / (1.0 + 10.0 * jnp.abs(v[0])) ** 2
def spiking(P, x):
    def step(c, x):
        v, s = c; v = 0.9 * v * (1.0 - s) + P[0] @ x; s = spike(v - 1.0)
        return (v, s), P[1] @ s
    return jnp.mean(lax.scan(step, (jnp.zeros(64), jnp.zeros(64)), x)[1], 0)
spiking_P = lambda: (jnp.asarray(0.1 * (u(6400).reshape(64, 100) - 0.3)), weights((10, 64), 5, 1.0))
spikes = lambda: jnp.asarray((u(640_000, 3) < 0.1).astype(float).reshape(64, 100, 100))
spiking_batch = jax.vmap(spiking, (None, 0))
W["nn/spiking_64"] = lambda: (jax.jit(spiking_batch), spiking_P(), spikes())
W["nn/spiking_grad_64"] = lambda: (jax.jit(jax.grad(lambda P, x: jnp.sum((spiking_batch(P, x) - 1.0) ** 2))), spiking_P(), spikes())
@work("sde/neural_mass_84x20")         # 84 regions, 20 couplings, 1,000 steps
def _():
    def run(W, g, key):
        def step(i, c):
            r, v, total = c; a, b = jax.random.split(jax.random.fold_in(key, i))
            dr = 1 / jnp.pi + 2.0 * r * v
            dv = v ** 2 - 5.0 + 15.0 * r + g * (W @ r) / 84 - (jnp.pi * r) ** 2
            r = jnp.maximum(r + 0.01 * dr + 0.001 * jax.random.normal(a, 84), 0.0); v = v + 0.01 * dv + 0.01 * jax.random.normal(b, 84)
            return r, v, total + r
        return lax.fori_loop(0, 1000, step, (jnp.full(84, 0.1), jnp.full(84, -2.0), jnp.zeros(84)))[2] / 1000
    return jax.jit(lambda W, g, key: jax.vmap(run, (None, 0, 0))(W, g, jax.random.split(key, 20))), jnp.asarray(u(7056).reshape(84, 84)), jnp.linspace(0.0, 1.0, 20), jax.random.key(0)
def oscillators(W, delays, start, k):
    def step(i, c):
        past, phase = c; past = past.at[i % 100].set(phase)
        seen = past[(i + 100 - delays) % 100, jnp.arange(84)]
        return past, phase + 0.05 * (1.0 + k * jnp.sum(W * jnp.sin(seen - phase[:, None]), 1) / 84)
    return lax.fori_loop(0, 1000, step, (jnp.zeros((100, 84)) + start, start))[1]
oscillators_of = lambda: (jnp.asarray(u(7056).reshape(84, 84)), jnp.asarray(1 + (90 * u(7056, 9)).astype(np.int64).reshape(84, 84)), jnp.asarray(2 * np.pi * u(84, 3)))
W["dde/oscillators_84"] = lambda: (jax.jit(oscillators), *oscillators_of(), jnp.float64(1.0))
W["dde/oscillators_84x20"] = lambda: (jax.jit(jax.vmap(oscillators, (None, None, None, 0))), *oscillators_of(), jnp.linspace(0.0, 1.0, 20))
@work("compile/chain_2000")            # a straight line of 2,000 scalar operations (500 steps of a kicked pendulum), with its gradient
def _():
    def f(x):
        p = 0.0 * x
        for _ in range(500): p = p - 0.1 * jnp.sin(x); x = x + p
        return x
    return jax.jit(jax.grad(f)), jnp.float64(0.3)
# 32 bits
f32 = lambda x: jnp.asarray(x, jnp.float32)
for size, n in (("1e4", 10_000), ("1e7", N)):
    W["f32/map_" + size] = lambda n=n: (jax.jit(lambda x, y: jnp.sin(x) * jnp.exp(y) + jnp.tanh(x * y)), f32(u(n)), f32(u(n, 7)))
    W["f32/axpy_mul_" + size] = lambda n=n: (jax.jit(lambda x, y: (2.0 * x + y) * (x - y)), f32(u(n)), f32(u(n, 7)))
W["f32/sum_1e7"] = lambda: (jax.jit(jnp.sum), f32(u(N)))
W["f32/softmax_4096x1024"] = lambda: (jax.jit(lambda a: jax.nn.softmax(a, 1)), f32(u(4096 * 1024).reshape(4096, 1024)))
W["f32/matvec_1000"] = lambda: (jax.jit(lambda a, x: a @ x), f32(u(1_000_000).reshape(1000, 1000)), f32(u(1000, 7)))
W["f32/lookup_1e5"] = lambda: (jax.jit(lambda table, i: jax.vmap(lambda i: table[i])(i)), f32(u(100_000)), places())
W["f32/mlp_grad_256"] = lambda: (lambda f, *a: (f, *jax.tree.map(f32, a)))(*W["nn/mlp_grad_256"]())
@work("f32/lorenz_1000")
def _():
    def run(p):
        a, b, c = p; f = lambda s: (a * (s[1] - s[0]), s[0] * (b - s[2]) - s[1], s[0] * s[1] - c * s[2])
        one = jnp.float32(1.0)
        return lax.scan(lambda s, _: (rk4(f, s, 0.01), None), (one, one, one), None, length=1000)[0]
    return jax.jit(jax.vmap(run)), tuple(f32(c * (1 + 0.01 * u(1000, i))) for i, c in enumerate((10.0, 28.0, 8 / 3)))
# GradBench
def rotate(r, p):
    sq = jnp.sum(r * r); turns = sq != 0.0; t = jnp.sqrt(jnp.where(turns, sq, 1.0)); w = r / t
    return jnp.where(turns, p * jnp.cos(t) + jnp.cross(w, p) * jnp.sin(t) + w * (jnp.dot(w, p) * (1.0 - jnp.cos(t))), p + jnp.cross(r, p))
def reprojection(c, p, w, o):
    x = rotate(c[:3], p - c[3:6]); e = x[:2] / x[2]; sq = jnp.sum(e * e)
    return w * (e * (1.0 + c[9] * sq + c[10] * sq * sq) * c[6] + c[7:9] - o)
def scene():
    n, m, p = 49, 7_776, 31_843; P = u(3 * m, 1).reshape(m, 3); P[:, 2] += 2.0; i = np.arange(p)
    return tuple(map(jnp.asarray, (0.1 + 0.2 * u(11 * n).reshape(n, 11), P, i % n, i % m, u(p, 2), u(2 * p, 3).reshape(p, 2))))
weight_error = lambda w: 1.0 - w * w
@work("gradbench/ba")
def _():
    def errors(C, P, c, p, w, o): return jax.vmap(lambda c, p, w, o: (reprojection(C[c], P[p], w, o), weight_error(w)))(c, p, w, o)
    return jax.jit(errors), *scene()
@work("gradbench/ba_jacobian")
def _():
    def jacobian(C, P, c, p, w, o):
        def one(c, p, w, o):
            f = lambda x: reprojection(x[:11], x[11:14], x[14], o)
            return jax.jacrev(f)(jnp.concatenate([C[c], P[p], w[None]])), jax.grad(weight_error)(w)
        return jax.vmap(one)(c, p, w, o)
    return jax.jit(jacobian), *scene()
parents = [-1] + [0 if b % 4 == 2 else b - 1 for b in range(1, 22)]
def turn(x, z, y):
    sx, cx, sy, cy, sz, cz = jnp.sin(x), jnp.cos(x), jnp.sin(y), jnp.cos(y), jnp.sin(z), jnp.cos(z); o, l = jnp.zeros(()), jnp.ones(())
    return jnp.stack([jnp.stack([cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, o]), jnp.stack([sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx, o]),
                      jnp.stack([-sy, cy * sx, cy * cx, o]), jnp.stack([o, o, o, l])])
def axis_angle(r):
    sq = jnp.sum(r * r); turns = sq >= 1e-8; t = jnp.sqrt(jnp.where(turns, sq, 1.0)); s, c = jnp.sin(t), jnp.cos(t); x, y, z = r / t; d = 1.0 - c
    R = jnp.stack([jnp.stack([x * x + (1 - x * x) * c, x * y * d - z * s, x * z * d + y * s]), jnp.stack([x * y * d + z * s, y * y + (1 - y * y) * c, y * z * d - x * s]),
                   jnp.stack([x * z * d - y * s, z * y * d + x * s, z * z + (1 - z * z) * c])])
    return jnp.where(turns, R, jnp.eye(3))
def hand(H, M, pose):
    rel, rest, skin, weights = H; points, nearest = M; A = []
    for b, p in enumerate(parents):
        f, j = divmod(b - 2, 4); first = 6 + 4 * f
        a = (0.0, 0.0, 0.0) if b < 2 or j == 3 else (pose[first], pose[first + 1], 0.0) if j == 0 else (pose[first + j + 1], 0.0, 0.0)
        r = rel[b] @ turn(*a); A.append(r if p < 0 else A[p] @ r)
    T = jnp.einsum("bij,bjk->bik", jnp.stack(A), rest)[:, :3].reshape(22, 12)
    X = jnp.sum((weights @ T).reshape(-1, 3, 4) * skin[:, None], 2) @ axis_angle(pose[:3]).T + pose[3:6]
    return (points - X[nearest]).reshape(-1)
def tracked():
    ms = lambda k: jnp.asarray(0.1 * u(16 * 22, k).reshape(22, 4, 4) + np.eye(4)); n, m = 10_000, 192
    return (ms(0), ms(5), jnp.asarray(u(4 * n, 1).reshape(n, 4)), jnp.asarray(u(22 * n, 2).reshape(n, 22))), (jnp.asarray(u(3 * m, 3).reshape(m, 3)), jnp.arange(m) * 7), jnp.asarray(u(26, 4))
W["gradbench/ht"] = lambda: (jax.jit(hand), *tracked())
W["gradbench/ht_jacobian"] = lambda: (jax.jit(jax.jacfwd(hand, 2)), *tracked())
def det(a):
    n = a.shape[0]; sets = lambda k: [s for s in range(1 << n) if bin(s).count("1") == k]; minors = jnp.ones(1)
    for k in range(1, n + 1):
        place = {s: i for i, s in enumerate(sets(k - 1))}; terms = [(j, place[s & ~(1 << j)], (-1.0) ** i) for s in sets(k) for i, j in enumerate(j for j in range(n) if s >> j & 1)]
        c, r, g = map(np.array, zip(*terms)); minors = jnp.sum((g * a[n - k, c] * minors[r]).reshape(-1, k), 1)
    return minors[0]
W["gradbench/det_8"] = lambda: (jax.jit(det), jnp.sin(jnp.arange(1.0, 65.0) ** 2).reshape(8, 8))
W["gradbench/det_grad_8"] = lambda: (jax.jit(jax.grad(det)), jnp.sin(jnp.arange(1.0, 65.0) ** 2).reshape(8, 8))
def argmin(D, f, start):
    size = lambda x: jnp.sqrt(jnp.sum(x * x))
    def step(c):
        x, v, g, eta, i, _ = c
        def down(c):
            x, v, g, eta, i, _ = c; y = x - eta * g; w = f(y); moves = size(x - y) > 1e-5
            return lax.cond(moves & (w < v), lambda: (y, w, D(f)(y), eta, i + 1, True), lambda: (x, v, g, eta / 2, 0 * i, moves))
        return lax.cond(i == 10, lambda c: (c[0], c[1], c[2], 2 * c[3], 0 * c[4], jnp.bool_(True)), down, c)
    return lax.while_loop(lambda c: c[5] & (size(c[2]) > 1e-5), step, (start, f(start), D(f)(start), jnp.float64(1e-5), jnp.int64(0), jnp.bool_(True)))[0]
def particle(D, w):
    def miss(w):
        def potential(x): d = lambda y: jnp.sqrt((x[0] - 10.0) ** 2 + (x[1] - y) ** 2); return 1.0 / d(10.0 - w[0]) + 1.0 / d(0.0)
        x, v = lax.while_loop(lambda c: (c[0] + 0.1 * c[1])[1] > 0.0, lambda c: (c[0] + 0.1 * c[1], c[1] - 0.1 * D(potential)(c[0])), (jnp.array([0.0, 8.0]), jnp.array([0.75, 0.0])))
        return (x - x[1] / v[1] * v)[0] ** 2
    return argmin(jax.jacfwd, miss, w[None])[0]
def saddle(D, start):
    f = lambda x, y: jnp.sum(x * x) - jnp.sum(y * y); argmax = lambda D, f, s: argmin(D, lambda x: -f(x), s)
    x = argmin(jax.jacfwd, lambda x: f(x, argmax(D, lambda y: f(x, y), start)), start)
    return jnp.concatenate([x, argmax(jax.jacfwd, lambda y: f(x, y), start)])
for name, D in (("ff", jax.jacfwd), ("rr", jax.grad)):      # reverse mode does not go through lax.while_loop: only the inner derivative is reverse
    W["gradbench/particle_" + name] = lambda D=D: (jax.jit(lambda w: particle(D, w)), jnp.float64(0.0))
    W["gradbench/saddle_" + name] = lambda D=D: (jax.jit(lambda x: saddle(D, x)), jnp.ones(2))
from linalg_peer import linalg; W.update(linalg(u))
from stochastic_peer import in_jax; W.update(in_jax(u, oscillators, oscillators_of))
from solve_peer import integrals, training; W.update(training(u)); W.update(integrals(u))
try:
    from minima_peer import minima; W.update(minima(u))
except ImportError: pass                    # without jaxopt
from fit_peer import fits; W.update(fits(u, rk4))
try:
    import diffrax
    from de_peer import equations; W.update(equations(u))
except ImportError: pass                    # without diffrax
def fft_rows(*dims): n = int(np.prod(dims)); return jax.jit(lambda re, im: (lambda z: (jnp.real(z), jnp.imag(z)))(jnp.fft.fft(lax.complex(re, im)))), jnp.asarray(u(n).reshape(dims)), jnp.asarray(u(n, 7).reshape(dims))
W["fft/rows_1024x4096"] = lambda: fft_rows(1024, 4096)
W["fft/2^20"] = lambda: fft_rows(1, 1 << 20)
W["fft/1000003"] = lambda: fft_rows(1, 1_000_003)
W["fft/rows_1e5x16"] = lambda: fft_rows(100_000, 16)
W["fft/rows_real_1024x4096"] = lambda: (jax.jit(lambda x: (lambda z: (jnp.real(z), jnp.imag(z)))(jnp.fft.rfft(x))), jnp.asarray(u(1 << 22).reshape(1024, 4096)))
W["fft/spectrum_grad_1024x4096"] = lambda: (jax.jit(jax.grad(lambda x: jnp.sum(jnp.log(jnp.abs(jnp.fft.rfft(x)) ** 2 + 1.0)))), jnp.asarray(u(1 << 22).reshape(1024, 4096)))
images = lambda: (jnp.asarray(u(16 * 32 * 4096).reshape(16, 32, 64, 64)), jnp.asarray(u(32 * 32 * 9, 5).reshape(32, 32, 3, 3)))
conv = lambda x, w: lax.conv_general_dilated(x, w, (1, 1), "SAME")
W["conv/3x3_32_64x64_16"] = lambda: (jax.jit(conv), *images())
W["conv/3x3_32_64x64_16_grad"] = lambda: (jax.jit(jax.grad(lambda x, w: jnp.sum(conv(x, w) ** 2), (0, 1))), *images())
if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]: print("JAX " + jax.__version__, *W, sep="\n")
    else:
        for name in sys.argv[1:]:
            f, *args = W[name](); measure(name, f, *args)
