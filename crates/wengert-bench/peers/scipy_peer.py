"""Linear algebra, Fourier transforms and solvers of the benchmark in NumPy and SciPy, f64: one JSON line each (see jax_peer.py).

usage: python scipy_peer.py --list | NAME ...      (needs: pip install scipy numpy)
"""
import json, os, sys, time
import numpy as np, scipy
import scipy.fft, scipy.linalg

BATCH = 10_000
WORKERS = os.cpu_count()
# LAPACK's functions through SciPy for one matrix, and NumPy's loops over it for many.
ONE = {
    "cholesky": lambda a: scipy.linalg.cholesky(a, lower=True, check_finite=False),
    "solve": lambda a: np.linalg.solve(a, a[0]),
    "qr": lambda a: np.linalg.qr(a, mode="r"),
    "eigh": np.linalg.eigvalsh,
    "svd": lambda a: np.linalg.svd(a, compute_uv=False),
}
MANY = ONE | {
    "cholesky": np.linalg.cholesky,
    "solve": lambda a: np.linalg.solve(a, a[:, 0, :, None])[..., 0],
}

def u(n, k=0):
    return np.mod((np.arange(n) + 1 + k) * 0.6180339887498949, 1.0)

def matrices(count, n):
    """Symmetric matrices with a large diagonal."""
    low = np.tril(u(count * n * n).reshape(count, n, n))
    return low + np.tril(low, -1).transpose(0, 2, 1) + n * np.eye(n)

def rows(*dims):
    n = int(np.prod(dims))
    return lambda z: scipy.fft.fft(z, workers=WORKERS), u(n).reshape(dims) + 1j * u(n, 7).reshape(dims)

W = {}
for name in ONE:
    for n in (16, 64, 256, 1024):
        W[f"linalg/{name}_{n}"] = lambda f=ONE[name], n=n: (f, matrices(1, n)[0])
    for n in (3, 6, 12, 28):
        W[f"linalg/{name}_{n}x{BATCH}"] = lambda f=MANY[name], n=n: (f, matrices(BATCH, n))
W |= {
    f"linalg/inv_3x{BATCH}": lambda: (np.linalg.inv, matrices(BATCH, 3)),
    f"linalg/expm_6x{BATCH}": lambda: (scipy.linalg.expm, 0.25 * matrices(BATCH, 6)),
    "fft/rows_1024x4096": lambda: rows(1024, 4096),
    "fft/2^20": lambda: rows(1, 1 << 20),
    "fft/1000003": lambda: rows(1, 1_000_003),
    "fft/rows_1e5x16": lambda: rows(100_000, 16),
    "fft/rows_real_1024x4096": lambda: (lambda x: scipy.fft.rfft(x, workers=WORKERS), u(1 << 22).reshape(1024, 4096)),
}

try:
    import numba
    from de_peer import scipy_equations; W.update(scipy_equations(u))
except ImportError: pass                    # without Numba
from scipy_solvers import solvers; W |= solvers(u)

def measure(name, f, *a):
    """Of a function that runs a part of a workload, the times are those of the whole."""
    times = getattr(f, "times", 1)
    t = time.perf_counter(); f(*a); first = time.perf_counter() - t
    t = time.perf_counter(); r = f(*a); one = time.perf_counter() - t
    reps, runs = max(1, int(0.02 / max(one, 1e-9))), []
    for _ in range(max(1, min(9, int(5 / one)))):
        t = time.perf_counter()
        for _ in range(reps): r = f(*a)
        runs.append((time.perf_counter() - t) / reps)
    total = np.sum(r)
    check = float(total.real + total.imag) if np.iscomplexobj(total) else float(total)
    print(json.dumps({"peer": "scipy", "name": name, "first_ms": round(first * times * 1e3, 3), "run_us": round(float(np.median(runs)) * times * 1e6, 3), "check": check}), flush=True)

if __name__ != "__main__": pass
elif sys.argv[1:] == ["--list"]: print("SciPy " + scipy.__version__, *W, sep="\n")
else:
    for name in sys.argv[1:]:
        f, *a = W[name](); measure(name, f, *a)
