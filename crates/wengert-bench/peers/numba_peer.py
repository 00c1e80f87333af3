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
N = 10_000_000
W = {"map/axpy_mul_1e7": lambda: (axpy, u(N), u(N, 7)), "map/sin_exp_tanh_1e7": lambda: (sin_exp, u(N), u(N, 7)), "ode/lorenz_1": lambda: (lambda: lorenz1(10.0, 28.0, 8 / 3, 1000),),
     "ode/lorenz_10000": lambda: (lorenz, *[c * (1 + 0.01 * u(10_000, i)) for i, c in enumerate((10.0, 28.0, 8 / 3))]), "ode/kuramoto_100x120": lambda: (kuramoto, u(100) - 0.5, 2 * np.pi * u(100, 3), np.linspace(0, 2, 120), 1000),
     "scan/ar1_10000": lambda: (ar1, u(10_000) - 0.5), "sde/ou_1000x10000": lambda: (ou, np.arange(1000)), "random/mc_pi_1e7": lambda: (mc_pi, N), "grad/rosenbrock_10000": lambda: (rosen_grad, u(10_000))}
if sys.argv[1:] == ["--list"]: print("Numba " + numba.__version__, *W, sep="\n")
else:
    for name in sys.argv[1:]:
        f, *a = W[name](); measure(name, f, *a)
