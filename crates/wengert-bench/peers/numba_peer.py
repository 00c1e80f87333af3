"""Some of the benchmark's workloads in Numba, f64: one JSON line each (see jax_peer.py).

usage: python numba_peer.py --list | NAME ...      (needs: pip install numba numpy)
"""
import json, sys, time
import numba, numpy as np
from numba import njit, prange
def u(n, k=0): return np.mod((np.arange(n) + 1 + k) * 0.6180339887498949, 1.0)
def measure(name, f, *a):
    t = time.perf_counter(); f(*a); first = time.perf_counter() - t
    t = time.perf_counter(); r = f(*a); one = time.perf_counter() - t
    reps, runs = max(1, int(0.02 / max(one, 1e-9))), []
    for _ in range(max(1, min(9, int(5 / one)))):
        t = time.perf_counter()
        for _ in range(reps): r = f(*a)
        runs.append((time.perf_counter() - t) / reps)
    print(json.dumps({"peer": "numba", "name": name, "first_ms": round(first * 1e3, 3), "run_us": round(float(np.median(runs)) * 1e6, 3), "check": float(np.sum(r))}), flush=True)
fast = dict(fastmath=True, error_model="numpy")
@njit(parallel=True, **fast)
def axpy(x, y):
    o = np.empty_like(x)
    for i in prange(x.size): o[i] = (2 * x[i] + y[i]) * (x[i] - y[i])
    return o
@njit(parallel=True, **fast)
def sin_exp(x, y):
    o = np.empty_like(x)
    for i in prange(x.size): o[i] = np.sin(x[i]) * np.exp(y[i]) + np.tanh(x[i] * y[i])
    return o
@njit(**fast)
def lorenz1(a, b, c, n):
    x = y = z = 1.0; h = 0.01
    for _ in range(n):
        k1x = a*(y-x); k1y = x*(b-z)-y; k1z = x*y-c*z
        X = x+h/2*k1x; Y = y+h/2*k1y; Z = z+h/2*k1z; k2x = a*(Y-X); k2y = X*(b-Z)-Y; k2z = X*Y-c*Z
        X = x+h/2*k2x; Y = y+h/2*k2y; Z = z+h/2*k2z; k3x = a*(Y-X); k3y = X*(b-Z)-Y; k3z = X*Y-c*Z
        X = x+h*k3x; Y = y+h*k3y; Z = z+h*k3z; k4x = a*(Y-X); k4y = X*(b-Z)-Y; k4z = X*Y-c*Z
        x += h/6*(k1x+2*k2x+2*k3x+k4x); y += h/6*(k1y+2*k2y+2*k3y+k4y); z += h/6*(k1z+2*k2z+2*k3z+k4z)
    return x, y, z
@njit(parallel=True, **fast)
def lorenz(a, b, c):
    o = np.empty((3, a.size))
    for i in prange(a.size): o[0, i], o[1, i], o[2, i] = lorenz1(a[i], b[i], c[i], 1000)
    return o
@njit(parallel=True, **fast)
def kuramoto(om, th0, Ks, steps):
    R, n, h = np.empty(Ks.size), om.size, 0.05
    for q in prange(Ks.size):
        th = th0.copy(); k = np.empty((4, n)); s = np.empty(n)
        for _ in range(steps):
            for r in range(4):
                w = 0.0 if r == 0 else (h if r == 3 else h / 2)
                for i in range(n): s[i] = th[i] + w * (k[r - 1, i] if r > 0 else 0.0)
                for i in range(n):
                    acc = 0.0
                    for j in range(n): acc += np.sin(s[j] - s[i])
                    k[r, i] = om[i] + Ks[q] / n * acc
            for i in range(n): th[i] += h / 6 * (k[0, i] + 2 * k[1, i] + 2 * k[2, i] + k[3, i])
        R[q] = np.sqrt(np.mean(np.cos(th)) ** 2 + np.mean(np.sin(th)) ** 2)
    return R
@njit(**fast)
def ar1(e):
    o = np.empty_like(e); c = 0.0
    for i in range(e.size): c = 0.9 * c + e[i]; o[i] = c
    return o
@njit(parallel=True, **fast)
def ou(seeds):
    o = np.empty(seeds.size)
    for i in prange(seeds.size):
        np.random.seed(seeds[i]); x = 0.0
        for _ in range(10_000): x = x - 0.01 * x + 0.1 * np.random.standard_normal()
        o[i] = x
    return o
@njit(parallel=True, **fast)
def mc_pi(n):
    c = 0
    for _ in prange(n):
        a = np.random.random(); b = np.random.random(); c += a * a + b * b < 1.0
    return 4.0 * c / n
@njit(**fast)
def rosen_grad(x):
    g = np.zeros_like(x)
    for i in range(x.size - 1):
        d = x[i + 1] - x[i] * x[i]; g[i] += -400 * d * x[i] - 2 * (1 - x[i]); g[i + 1] += 200 * d
    return g
@njit(**fast)
def history(x, n):
    h = np.zeros(n)
    for i in range(n): h[i] = x; x = 0.99 * x + 0.1
    return h
@njit(**fast)
def history_grad(x, n):
    h = np.zeros(n)
    for i in range(n): h[i] = x; x = 0.99 * x + 0.1
    g = 0.0
    for i in range(n - 1, -1, -1): g = 0.99 * g + 2 * h[i] / n
    return g
@njit(**fast)
def prefix(x):
    h = x.copy()
    for i in range(1, h.size): h[i] += h[i - 1]
    return h
@njit(**fast)
def prefix_grad(x):
    g = 2 * prefix(x) / x.size
    for i in range(x.size - 1, 0, -1): g[i - 1] += g[i]
    return g
@njit(**fast)
def swaps(x):
    h = x.copy()
    for i in range(h.size):
        j = (7919 * i + 13) % h.size; a, b = h[i], h[j]; h[i] = b; h[j] = a
    return h
@njit(**fast)
def thirds(x, n):
    h = np.zeros(n)
    for i in range(n):
        if i % 3 == 0: h[i] = x
        x = 0.99 * x + 0.1
    return h
@njit(**fast)
def nested(x, n):
    h = np.zeros(n)
    for i in range(n // 100):
        for j in range(100): h[100 * i + j] = x; x = 0.99 * x + 0.1
    return h
@njit(**fast)
def ring(x, n):
    x = x.copy(); ring = np.ones((100, 84))
    for i in range(n):
        row = ring[i % 100]
        for j in range(84): past = row[j]; row[j] = x[j]; x[j] += 0.01 * (past - x[j] * x[j] * x[j])
    return x
@njit(**fast)
def sieve(flags):
    flags = flags.copy(); n = flags.size
    for p in range(2, int(n ** 0.5) + 1):
        if flags[p]:
            for k in range(p * p, n, p): flags[k] = False
    return float(np.sum(flags))
@njit(parallel=True, **fast)
def look_up(table, places):
    o = np.empty(places.size)
    for i in prange(places.size): o[i] = table[places[i]]
    return o
@njit(parallel=True, **fast)
def interpolate(table, x):
    o = np.empty_like(x)
    for i in prange(x.size):
        j = int(x[i]); t = x[i] - j; o[i] = (1 - t) * table[j] + t * table[j + 1]
    return o
@njit(parallel=True, **fast)
def look_up_steps(table, places):
    o = np.empty(places.size)
    for i in prange(places.size):
        x = table[places[i]]
        for _ in range(20): x += 0.1 * np.sin(x)
        o[i] = x
    return o
@njit(**fast)
def matvec(a, x): return a @ x
@njit(**fast)
def matvec_loop(a, x):
    for _ in range(10_000): x = a @ x
    return x
@njit(parallel=True, **fast)
def distances(x, y):
    o = np.empty((x.shape[0], y.shape[0]))
    for i in prange(x.shape[0]):
        for j in range(y.shape[0]):
            s = 0.0
            for k in range(x.shape[1]): d = x[i, k] - y[j, k]; s += d * d
            o[i, j] = np.sqrt(s)
    return o
@njit(**fast)
def convolve(x, h): return np.convolve(x, h)[:x.size]
@njit(**fast)
def permutation(n): return np.random.permutation(n)
@njit(parallel=True, **fast)
def divisors(ns):
    o = np.empty(ns.size)
    for i in prange(ns.size):
        d = 2
        while ns[i] % d != 0: d += 1
        o[i] = d
    return o
@njit(**fast)
def rnn1(W, U, b, x):
    h = np.zeros(b.size)
    for t in range(x.shape[0]): h = np.tanh(W @ h + U @ x[t] + b)
    return h
@njit(parallel=True, **fast)
def rnn_batch(W, U, b, xs):
    o = np.empty((xs.shape[0], b.size))
    for i in prange(xs.shape[0]): o[i] = rnn1(W, U, b, xs[i])
    return o
@njit(parallel=True, **fast)
def spiking_batch(W, V, xs):
    o = np.empty((xs.shape[0], V.shape[0]))
    for i in prange(xs.shape[0]):
        v = np.zeros(W.shape[0]); s = np.zeros(W.shape[0]); total = np.zeros(V.shape[0])
        for t in range(xs.shape[1]):
            v = 0.9 * v * (1.0 - s) + W @ xs[i, t]; s = (v > 1.0) * 1.0; total += V @ s
        o[i] = total / xs.shape[1]
    return o
@njit(parallel=True, **fast)
def neural_mass(W, gs):
    n = W.shape[0]; o = np.empty((gs.size, n))
    for q in prange(gs.size):
        np.random.seed(q); r = np.full(n, 0.1); v = np.full(n, -2.0); total = np.zeros(n)
        for _ in range(1000):
            input = gs[q] * (W @ r) / n
            for i in range(n):
                dr = 1 / np.pi + 2 * r[i] * v[i]; dv = v[i] ** 2 - 5 + 15 * r[i] + input[i] - (np.pi * r[i]) ** 2
                r[i] = max(r[i] + 0.01 * dr + 0.001 * np.random.standard_normal(), 0.0); v[i] += 0.01 * dv + 0.01 * np.random.standard_normal()
            total += r
        o[q] = total / 1000
    return o
@njit(**fast)
def oscillators1(W, delays, start, k):
    n = start.size; past = np.zeros((100, n)) + start; phase = start.copy()
    for t in range(1000):
        past[t % 100] = phase
        for i in range(n):
            pull = 0.0
            for j in range(n): pull += W[i, j] * np.sin(past[(t + 100 - delays[i, j]) % 100, j] - past[t % 100, i])
            phase[i] += 0.05 * (1.0 + k * pull / n)
    return phase
@njit(parallel=True, **fast)
def oscillators(W, delays, start, ks):
    o = np.empty((ks.size, start.size))
    for q in prange(ks.size): o[q] = oscillators1(W, delays, start, ks[q])
    return o
N = 10_000_000
W = {"map/axpy_mul_1e7": lambda: (axpy, u(N), u(N, 7)), "map/sin_exp_tanh_1e7": lambda: (sin_exp, u(N), u(N, 7)), "ode/lorenz_1": lambda: (lambda: lorenz1(10.0, 28.0, 8 / 3, 1000),),
     "ode/lorenz_10000": lambda: (lorenz, *[c * (1 + 0.01 * u(10_000, i)) for i, c in enumerate((10.0, 28.0, 8 / 3))]), "ode/kuramoto_100x120": lambda: (kuramoto, u(100) - 0.5, 2 * np.pi * u(100, 3), np.linspace(0, 2, 120), 1000),
     "scan/ar1_10000": lambda: (ar1, u(10_000) - 0.5), "sde/ou_1000x10000": lambda: (ou, np.arange(1000)), "random/mc_pi_1e7": lambda: (mc_pi, N), "grad/rosenbrock_10000": lambda: (rosen_grad, u(10_000))}
for size, n in {"1e3": 1_000, "1e5": 100_000, "1e6": 1_000_000}.items():
    W |= {"write/history_" + size: lambda n=n: (history, 0.5, n), "write/history_grad_" + size: lambda n=n: (history_grad, 0.5, n), "write/prefix_" + size: lambda n=n: (prefix, u(n) - 0.5),
          "write/prefix_grad_" + size: lambda n=n: (prefix_grad, u(n) - 0.5), "write/swaps_" + size: lambda n=n: (swaps, u(n)), "write/cond_" + size: lambda n=n: (thirds, 0.5, n),
          "write/nested_" + size: lambda n=n: (nested, 0.5, n), "write/ring_" + size: lambda n=n: (ring, u(84), n)}
    if size != "1e3": W["write/sieve_" + size] = lambda n=n: (sieve, np.ones(n, bool))
for n in (16, 84, 256, 1000, 4000): W[f"dot/matvec_{n}"] = lambda n=n: (matvec, u(n * n).reshape(n, n), u(n, 7))
def averages(n): a = u(n * n).reshape(n, n); return a / a.sum(1, keepdims=True)
for n in (64, 256): W[f"dot/matvec_loop_{n}"] = lambda n=n: (matvec_loop, averages(n), u(n, 7))
places = lambda: (u(100_000, 5) * 100_000).astype(np.int64)
def haemodynamic(): t = 0.05 * np.arange(400); return t ** 5 * np.exp(-t) / 120 - t ** 15 * np.exp(-t) / 1_307_674_368_000 / 6
def weights(shape, k, size): return (u(int(np.prod(shape)), k) - 0.5).reshape(shape) * size
rnn_P = lambda: (weights((64, 64), 0, 0.3), weights((64, 32), 5, 0.3), weights((64,), 9, 0.3))
oscillators_of = lambda: (u(7056).reshape(84, 84), 1 + (90 * u(7056, 9)).astype(np.int64).reshape(84, 84), 2 * np.pi * u(84, 3))
W |= {"lookup/at_1e5": lambda: (look_up, u(100_000), places()), "lookup/interpolate_1e5": lambda: (interpolate, u(100_000), u(100_000, 5) * 99_999), "lookup/steps_1e5": lambda: (look_up_steps, u(100_000), places()),
      "reduce/distances_2000x50": lambda: (distances, u(100_000).reshape(2000, 50), u(100_000, 7).reshape(2000, 50)), "signal/convolve_1e5x400": lambda: (convolve, (u(100_000) < 0.05).astype(float), haemodynamic()),
      "random/permutation_1e6": lambda: (permutation, 1_000_000), "search/divisors_30000": lambda: (divisors, np.arange(2, 30_000)), "nn/rnn_64x32": lambda: (rnn1, *rnn_P(), u(3200).reshape(100, 32)),
      "nn/rnn_batch_256": lambda: (rnn_batch, *rnn_P(), u(256 * 3200).reshape(256, 100, 32)), "nn/spiking_64": lambda: (spiking_batch, 0.1 * (u(6400).reshape(64, 100) - 0.3), weights((10, 64), 5, 1.0), (u(640_000, 3) < 0.1).astype(float).reshape(64, 100, 100)),
      "sde/neural_mass_84x20": lambda: (neural_mass, u(7056).reshape(84, 84), np.linspace(0, 1, 20)), "dde/oscillators_84": lambda: (oscillators1, *oscillators_of(), 1.0), "dde/oscillators_84x20": lambda: (oscillators, *oscillators_of(), np.linspace(0, 1, 20))}
f32 = lambda x: x.astype(np.float32)
@njit(parallel=True, **fast)
def total(x):
    s = np.float32(0.0)
    for i in prange(x.size): s += x[i]
    return s
@njit(parallel=True, **fast)
def axpy32(x, y):
    o = np.empty_like(x); two = np.float32(2.0)
    for i in prange(x.size): o[i] = (two * x[i] + y[i]) * (x[i] - y[i])
    return o
for size, n in (("1e4", 10_000), ("1e7", 10_000_000)):
    W["f32/map_" + size] = lambda n=n: (sin_exp, f32(u(n)), f32(u(n, 7)))
    W["f32/axpy_mul_" + size] = lambda n=n: (axpy32, f32(u(n)), f32(u(n, 7)))
W |= {"f32/sum_1e7": lambda: (total, f32(u(10_000_000))), "f32/lookup_1e5": lambda: (look_up, f32(u(100_000)), places()),
      "f32/matvec_1000": lambda: (njit(**fast)(lambda a, x: a @ x), f32(u(1_000_000)).reshape(1000, 1000), f32(u(1000, 7)))}
from stochastic_peer import in_numba; W |= in_numba(u, oscillators, oscillators_of, njit, prange, fast)
if sys.argv[1:] == ["--list"]: print("Numba " + numba.__version__, *W, sep="\n")
else:
    for name in sys.argv[1:]:
        f, *a = W[name](); measure(name, f, *a)
