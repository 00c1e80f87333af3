"""Fits, minima, roots and integrals in SciPy. A large batch is a loop in Python; where that takes minutes, a part of the batch is
run and the time multiplied: `part` says by how much. With lmfit (pip install lmfit), `python scipy_solvers.py NAME ..` has its fits,
too: they are SciPy's with a model around them, so that its column would always be the slower one."""
import math, os
import numpy as np
import scipy.integrate as si, scipy.optimize as so
from scipy.optimize import elementwise

def part(times):
    """Marks a function that runs one of so many parts of a workload."""
    def mark(f): f.times = times; return f
    return mark

def starts(u, count, n):
    return np.tile([-1.2, 1.0], count * n // 2).reshape(count, n) + 0.2 * (u(count * n).reshape(count, n) - 0.5)

def bfgs(x): return so.minimize(so.rosen, x, jac=so.rosen_der, method="BFGS", options={"gtol": 1e-6}).x

def logistic(u):
    x, y = u(1_000_000).reshape(10_000, 100) - 0.5, (u(10_000, 3) > 0.5) * 1.0
    def loss(w):
        z = x @ w
        r = 1.0 / (1.0 + np.exp(-z)) - y
        return np.mean(np.logaddexp(z, 0.0) - y * z) + 0.5e-3 * w @ w, r @ x / len(y) + 1e-3 * w
    options = {"gtol": 1e-6, "ftol": 0.0, "maxiter": 2000}
    return lambda w: so.minimize(loss, w, jac=True, method="L-BFGS-B", options=options).x, np.zeros(100)

def roots(u):
    m, e = u(1_000_000), 0.9 * u(1_000_000, 5)
    f = lambda x, m, e: x - e * np.sin(x) - m
    return lambda m, e: elementwise.find_root(f, (m - 1.0, m + 1.0), args=(m, e)).x, m, e

def brentq(u):
    m, e = u(1_000_000)[::500], 0.9 * u(1_000_000, 5)[::500]
    f = lambda x, m, e: x - e * math.sin(x) - m
    return part(500)(lambda m, e: np.array([so.brentq(f, a - 1.0, a + 1.0, args=(a, b)) for a, b in zip(m, e)])), m, e

def integrals(u):
    """All sets as one integrand with as many values, whose subdivision and tolerance are common: the largest error counts."""
    p, q = u(10_000), u(10_000, 7)
    f = lambda x, p, q: np.exp(q * x) / ((x - p) ** 2 + 1e-3 * (0.1 + q))
    rule = dict(epsabs=1e-12, epsrel=1e-10, norm="max", quadrature="gk15", limit=10_000)
    return lambda p, q: si.quad_vec(lambda x: f(x, p, q), 0.0, 1.0, **rule)[0], p, q

def one_by_one(u):
    p, q = u(10_000)[::100], u(10_000, 7)[::100]
    f = lambda x, p, q: math.exp(q * x) / ((x - p) ** 2 + 1e-3 * (0.1 + q))
    one = lambda p, q: si.quad(f, 0.0, 1.0, args=(p, q), epsabs=1e-12, epsrel=1e-10, limit=64)[0]
    return part(100)(lambda p, q: np.array([one(*a) for a in zip(p, q)])), p, q

X = np.linspace(0.0, 5.0, 50)

def decays(u, step):
    a, b, c = (u(10_000, k)[::step, None] for k in (0, 5, 9))
    return (1 + 2 * a) * np.exp(-(0.5 + 2 * b) * X) + c + 0.01 * np.sin(17 * X + 6 * a)

def decay(u):
    slopes = lambda p, _: np.stack([np.exp(-p[1] * X), -p[0] * X * np.exp(-p[1] * X), np.ones(50)], 1)
    model = lambda p, y: p[0] * np.exp(-p[1] * X) + p[2] - y
    one = lambda y: so.least_squares(model, [1.0, 1.0, 0.0], slopes, method="lm", ftol=1e-8, xtol=1e-8, args=(y,)).x
    return part(20)(lambda y: np.array([one(row) for row in y])), decays(u, 20)

def pelts():
    here = os.path.dirname(os.path.abspath(__file__))
    d = np.genfromtxt(here + "/../../../data/lynx_hare.csv", delimiter=",", comments="#", skip_header=2)
    return np.log(d[:, 1]), np.log(d[:, 2])

def lotka_volterra(u):
    lynx, hare = pelts()
    def residuals(q):
        a, b, g, d, x, y = np.exp(np.clip(q, -50, 50)).tolist()
        f = lambda x, y: (a * x - b * x * y, d * x * y - g * y)
        xs, ys, h = [], [], 0.05
        for _ in range(21):
            xs.append(x); ys.append(y)
            for _ in range(20):
                k1, l1 = f(x, y); k2, l2 = f(x + h / 2 * k1, y + h / 2 * l1)
                k3, l3 = f(x + h / 2 * k2, y + h / 2 * l2); k4, l4 = f(x + h * k3, y + h * l3)
                x, y = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), y + h / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.concatenate([np.log(xs) - hare, np.log(ys) - lynx]), nan=1e3, posinf=1e3, neginf=-1e3)
    lo, hi = np.log([0.1, 0.005, 0.1, 0.005, 5, 1]), np.log([2, 0.1, 2, 0.1, 100, 50])
    q = lo + (hi - lo) * np.mod(0.5 + np.arange(1, 1001)[:, None] * 1.1127756842787055 ** -np.arange(1.0, 7.0)[None, :], 1.0)
    one = lambda q: 2 * so.least_squares(residuals, q, method="lm", ftol=1e-8, xtol=1e-8, max_nfev=1400).cost
    return part(200)(lambda q: np.array([one(row) for row in q])), q[::200]

def solvers(u):
    return {
        "minimize/bfgs_rosenbrock_2": lambda: (bfgs, starts(u, 1, 2)[0]),
        "minimize/bfgs_rosenbrock_100": lambda: (bfgs, starts(u, 1, 100)[0]),
        "minimize/bfgs_rosenbrock_2x1000": lambda: (part(10)(lambda x: np.array([bfgs(r) for r in x])), starts(u, 1000, 2)[::10]),
        "minimize/bfgs_rosenbrock_100x1000": lambda: (part(200)(lambda x: np.array([bfgs(r) for r in x])), starts(u, 1000, 100)[::200]),
        "minimize/lbfgs_logistic_10000x100": lambda: logistic(u),
        "root/brent_1e6": lambda: roots(u),
        "quad/gauss_kronrod_1e4": lambda: integrals(u),
        "solve/decay_10000": lambda: decay(u),
        "solve/lotka_volterra_1000": lambda: lotka_volterra(u),
    }

def others(u):
    """What is slower than the same in `solvers`."""
    W = {"brentq root/brent_1e6": lambda: brentq(u), "quad quad/gauss_kronrod_1e4": lambda: one_by_one(u)}
    try: import lmfit
    except ImportError: return W
    def fit():
        model = lmfit.Model(lambda x, a, b, c: a * np.exp(-b * x) + c)
        one = lambda y: list(model.fit(y, x=X, a=1.0, b=1.0, c=0.0).best_values.values())
        return part(100)(lambda y: np.array([one(row) for row in y])), decays(u, 100)
    return W | {"lmfit solve/decay_10000": fit}

if __name__ == "__main__":
    import sys
    from scipy_peer import measure, u
    for name, make in (solvers(u) | others(u)).items():
        if not sys.argv[1:] or any(a in name for a in sys.argv[1:]): measure(name, *make())
