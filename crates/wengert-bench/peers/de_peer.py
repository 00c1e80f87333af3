"""Differential equations of the benchmark: in diffrax (for jax_peer.py), and in SciPy and CVODE with right-hand sides
compiled by Numba (for scipy_peer.py). Each single problem is solved by the method, at the tolerance, that reaches the error
soonest; ensembles at the tolerance that does so for the problem itself.

needs: pip install diffrax; pip install scipy numba scikit-sundae
"""
import os, sys, time
import numpy as np

ERROR = 1e-6
HERE = os.path.dirname(os.path.abspath(__file__))
ENDS = {}
for line in open(HERE + "/../../wengert-check/tables/equations.tsv"):
    name, *values = line.rstrip("\n").split("\t")
    ENDS[name] = np.array(values, float)

def definitions(m, n=None):
    """The right-hand sides as functions of time, a sequence and parameters, with the functions of a module."""
    sqrt, sin, expm1 = m.sqrt, m.sin, m.expm1
    def lorenz(t, y, p): return (p[0] * (y[1] - y[0]), y[0] * (p[1] - y[2]) - y[1], y[0] * y[1] - p[2] * y[2])
    def lotka_volterra(t, y, p): return (1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 3.0 * y[1])
    def arenstorf(t, y, p):
        mu = 0.012277471; x, z, u, v = y[0], y[1], y[2], y[3]
        a = (x + mu) ** 2 + z * z; a = a * sqrt(a); b = (x - 1.0 + mu) ** 2 + z * z; b = b * sqrt(b)
        return (u, v, x + 2.0 * v - (1.0 - mu) * (x + mu) / a - mu * (x - 1.0 + mu) / b, z - 2.0 * u - (1.0 - mu) * z / a - mu * z / b)
    def van_der_pol(t, y, p): return (y[1], p[0] * (1.0 - y[0] * y[0]) * y[1] - y[0])
    def robertson(t, y, p):
        a = p[0] * y[0] - p[1] * y[1] * y[2]; b = p[2] * y[1] * y[1]
        return (-a, a - b, b)
    def hires(t, y, k):
        b = k[9] * y[5] * y[7]; f = k[11] * y[6]
        return (-k[0] * y[0] + k[1] * y[1] + k[2] * y[2] + k[3], k[0] * y[0] - k[4] * y[1], -k[5] * y[2] + k[1] * y[3] + k[6] * y[4],
                k[2] * y[1] + k[0] * y[2] - k[7] * y[3], -k[8] * y[4] + k[1] * (y[5] + y[6]),
                -b + k[10] * (y[3] + y[6]) + k[0] * y[4] - k[1] * y[5], b - f, f - b)
    def oregonator(t, y, p): return (77.27 * (y[1] + y[0] * (1.0 - 8.375e-6 * y[0] - y[1])), (y[2] - (1.0 + y[0]) * y[1]) / 77.27, 0.161 * (y[0] - y[2]))
    def e5(t, y, p):
        a = 7.89e-10 * y[0]; b = 1.1e7 * y[0] * y[2]; c = 1e6 * 1.13e3 * y[1] * y[2]; d = 1.13e3 * y[3]
        return (-a - b, a - c, a - b - c + d, b - d)
    def pollution(t, y, p):
        r1 = 0.35 * y[0]; r2 = 26.6 * y[1] * y[3]; r3 = 12300.0 * y[4] * y[1]; r4 = 0.00086 * y[6]; r5 = 0.00082 * y[6]
        r6 = 15000.0 * y[6] * y[5]; r7 = 0.00013 * y[8]; r8 = 24000.0 * y[8] * y[5]; r9 = 16500.0 * y[10] * y[1]; r10 = 9000.0 * y[10] * y[0]
        r11 = 0.022 * y[12]; r12 = 12000.0 * y[9] * y[1]; r13 = 1.88 * y[13]; r14 = 16300.0 * y[0] * y[5]; r15 = 4800000.0 * y[2]
        r16 = 0.00035 * y[3]; r17 = 0.0175 * y[3]; r18 = 1e8 * y[15]; r19 = 4.44e11 * y[15]; r20 = 1240.0 * y[16] * y[5]
        r21 = 2.1 * y[18]; r22 = 5.78 * y[18]; r23 = 0.0474 * y[0] * y[3]; r24 = 1780.0 * y[18] * y[0]; r25 = 3.12 * y[19]
        return (-r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25, -r2 - r3 - r9 - r12 + r1 + r21, -r15 + r1 + r17 + r19 + r22,
                -r2 - r16 - r17 - r23 + r15, -r3 + 2.0 * r4 + r6 + r7 + r13 + r20, -r6 - r8 - r14 - r20 + r3 + 2.0 * r18, -r4 - r5 - r6 + r13,
                r4 + r5 + r6 + r7, -r7 - r8, -r12 + r7 + r9, -r9 - r10 + r8 + r11, r9, -r11 + r10, -r13 + r12, r14, -r18 - r19 + r16, -r20, r20,
                -r21 - r22 - r24 + r23 + r25, -r25 + r24)
    def ring_modulator(t, y, p):
        d = lambda u: 40.67286402e-9 * expm1(17.7493332 * u)
        low = 0.5 * sin(2000.0 * np.pi * t); high = 2.0 * sin(20000.0 * np.pi * t)
        d1 = d(y[2] - y[4] - y[6] - high); d2 = d(-y[3] + y[5] - y[6] - high); d3 = d(y[3] + y[4] + y[6] + high); d4 = d(-y[2] - y[5] + y[6] + high)
        return ((y[7] - 0.5 * y[9] + 0.5 * y[10] + y[13] - y[0] / 25000.0) / 1.6e-8, (y[8] - 0.5 * y[11] + 0.5 * y[12] + y[14] - y[1] / 25000.0) / 1.6e-8,
                (y[9] - d1 + d4) / 2e-12, (-y[10] + d2 - d3) / 2e-12, (y[11] + d1 - d3) / 2e-12, (-y[12] - d2 + d4) / 2e-12, (-y[6] / 50.0 + d1 + d2 - d3 - d4) / 1e-8,
                -y[0] / 4.45, -y[1] / 4.45, (0.5 * y[0] - y[2] - 17.3 * y[9]) / 5e-4, (-0.5 * y[0] + y[3] - 17.3 * y[10]) / 5e-4,
                (0.5 * y[1] - y[4] - 17.3 * y[11]) / 5e-4, (-0.5 * y[1] + y[5] - 17.3 * y[12]) / 5e-4, (-y[0] + low - 86.3 * y[13]) / 0.002, (-y[1] - 636.3 * y[14]) / 0.002)
    return locals()

def vectors(m):
    """Those that are functions of a vector, with the functions of NumPy's interface."""
    cat, roll = m.concatenate, m.roll
    mass = np.arange(1.0, 8.0)
    def pleiades(t, y, p):
        x, z = y[:7], y[7:14]
        dx, dz = x[None] - x[:, None], z[None] - z[:, None]
        r = dx ** 2 + dz ** 2 + np.eye(7); w = mass / (r * m.sqrt(r))
        return cat([y[14:21], y[21:], m.sum(w * dx, 1), m.sum(w * dz, 1)])
    def medical_akzo(t, y, p):
        u, v = y[0::2], y[1::2]; dz = 1 / 200; z = np.arange(1, 201) * dz
        al, be = 2 * (z - 1) ** 3 / 16, (z - 1) ** 4 / 16
        left = cat([m.where(t <= 5.0, 2.0, 0.0) * m.ones(1), u[:-1]]); right = cat([u[1:], u[-1:]])
        r = 100.0 * u * v
        return m.stack([al * (right - left) / (2 * dz) + be * (left - 2 * u + right) / dz ** 2 - r, -r], 1).reshape(-1)
    def brusselator(t, y, p):
        u, v = y[0::2], y[1::2]; a = (len(u) + 1) ** 2 / 50
        bend = lambda w, e: a * (cat([np.full(1, e), w[:-1]]) - 2 * w + cat([w[1:], np.full(1, e)]))
        r = u * u * v
        return m.stack([1 + r - 4 * u + bend(u, 1.0), 3 * u - r + bend(v, 3.0)], 1).reshape(-1)
    x = np.arange(16) / 16
    lit = 5.0 * ((x[:, None] - 0.3) ** 2 + (x[None] - 0.6) ** 2 <= 0.01 + 1e-12)
    def brusselator_2d(t, y, p):
        u, v = y.reshape(2, 16, 16); a = 0.1 * 256
        bend = lambda w: a * (roll(w, 1, 0) + roll(w, -1, 0) + roll(w, 1, 1) + roll(w, -1, 1) - 4 * w)
        r = u * u * v
        return m.stack([1 + r - 4.4 * u + bend(u) + m.where(t >= 1.1, 1.0, 0.0) * lit, 3.4 * u - r + bend(v)]).reshape(-1)
    return locals()

HIRES = [1.71, 0.43, 8.32, 0.0007, 8.75, 10.03, 0.035, 1.12, 1.745, 280.0, 0.69, 1.81]
def air():
    y = np.zeros(20)
    for i, x in ((2, 0.2), (4, 0.04), (7, 0.1), (8, 0.3), (9, 0.01), (17, 0.007)): y[i - 1] = x
    return y
def line(): return np.stack([1 + np.sin(2 * np.pi * np.arange(1, 41) / 41), np.full(40, 3.0)], 1).ravel()
def square():
    x = np.arange(16) / 16
    return np.concatenate([np.tile(22 * x * (1 - x) ** 1.5, 16), np.repeat(27 * x * (1 - x) ** 1.5, 16)])
# start, end, parameters, what is small, stiff
PROBLEMS = {
    "lorenz": (np.ones(3), 5.0, [10.0, 28.0, 8 / 3], 1.0, False),
    "lotka_volterra": (np.ones(2), 10.0, [], 1.0, False),
    "arenstorf": (np.array([0.994, 0, 0, -2.00158510637908252240537862224]), 17.0652165601579625588917206249, [], 1.0, False),
    "pleiades": (np.array([3, 3, -1, -3, 2, -2, 2, 3, -3, 2, 0, 0, -4, 4, 0, 0, 0, 0, 0, 1.75, -1.5, 0, 0, 0, -1.25, 1, 0, 0]), 3.0, [], 1.0, False),
    "van_der_pol": (np.array([2.0, 0]), 2000.0, [1000.0], 1e-3, True),
    "ring_modulator": (np.zeros(15), 1e-3, [], 1e-3, True),
    "robertson": (np.array([1.0, 0, 0]), 1e11, [0.04, 1e4, 3e7], 1e-9, True),
    "hires": (np.array([1.0, 0, 0, 0, 0, 0, 0, 0.0057]), 321.8122, HIRES, 1e-3, True),
    "oregonator": (np.array([1.0, 2, 3]), 360.0, [], 1.0, True),
    "e5": (np.array([1.76e-3, 0, 0, 0]), 1e13, [], 1e-22, True),
    "pollution": (air(), 60.0, [], 1e-3, True),
    "medical_akzo": (np.tile([0.0, 1.0], 200), 20.0, [], 1e-3, True),
    "brusselator": (line(), 10.0, [], 1.0, True),
    "brusselator_2d": (square(), 11.5, [], 1.0, True),
}
FAMILIES = ["lorenz", "van_der_pol", "robertson", "hires"]

def error(name, y):
    small, end = PROBLEMS[name][3], ENDS[name]
    return float(np.max(np.abs(np.asarray(y) - end) / (small + np.abs(end))))

def spread(u, name, n):
    p = np.array(PROBLEMS[name][2])
    return p * (0.95 + 0.1 * np.stack([u(n, 3 * k) for k in range(len(p))], 1))

def choose(name, candidates, limit=60.0):
    """The candidate and tolerance that reach the error soonest: candidates are functions of a tolerance that give a function."""
    best = None
    for title, make in candidates:
        for thirds in range(6, 43):
            try:
                f = make(10.0 ** (-thirds / 3)); t = time.perf_counter(); y = f(); once = time.perf_counter() - t
                e = error(name, y)
            except Exception as bad: print(f"{name} by {title}: {str(bad)[:80]}", file=sys.stderr); continue
            if not e <= ERROR:
                if once > limit: break
                continue
            runs = []
            while len(runs) < 20 and sum(runs) < 1.0:
                t = time.perf_counter(); f(); runs.append(time.perf_counter() - t)
            print(f"{name} by {title} at {10.0 ** (-thirds / 3):.1e}: error {e:.1e}, {min(runs) * 1e6:.1f} us", file=sys.stderr)
            if best is None or min(runs) < best[0]: best = (min(runs), make, 10.0 ** (-thirds / 3), title)
            break
    return best

def equations(u):
    """The workloads in diffrax."""
    import jax, jax.numpy as jnp, diffrax as dfx
    scalar, vector = definitions(jnp), vectors(jnp)
    def rate(name):
        if name in vector: return vector[name]
        return lambda t, y, p: jnp.stack([jnp.asarray(x) for x in scalar[name](t, y, p)])
    def solve(name, method, p, y, rtol, steps=None, **more):
        start, end, _, small, stiff = PROBLEMS[name]
        control = dfx.PIDController(rtol=rtol, atol=rtol * small)
        return dfx.diffeqsolve(dfx.ODETerm(rate(name)), method, 0.0, end, None, y, p, saveat=dfx.SaveAt(t1=True), stepsize_controller=control,
                               max_steps=steps or (100_000 if stiff else 20_000), throw=False, **more).ys[-1]
    def methods(name): return [dfx.Kvaerno5(), dfx.KenCarp4(), dfx.Kvaerno3()] if PROBLEMS[name][4] else [dfx.Tsit5(), dfx.Dopri8()]
    def of(name, method):
        f = jax.jit(lambda y, rtol: solve(name, method, jnp.asarray(PROBLEMS[name][2]), y, rtol)); start = jnp.asarray(PROBLEMS[name][0])
        return lambda rtol: lambda: jax.block_until_ready(f(start, rtol))
    def best(name):
        all = [(type(m).__name__, of(name, m)) for m in methods(name)]
        found = choose(name, all)
        if found is None: raise SystemExit(f"diffrax does not reach the error for {name}")
        return next(m for m in methods(name) if type(m).__name__ == found[3]), found[2]
    W = {}
    for name in PROBLEMS:
        def one(name=name):
            method, rtol = best(name); p = jnp.asarray(PROBLEMS[name][2])
            return jax.jit(lambda y: solve(name, method, p, y, rtol)), jnp.asarray(PROBLEMS[name][0])
        W[f"de/{name}"] = one
    for name in FAMILIES:
        for n in (1000, 10_000):
            def many(name=name, n=n):
                method, rtol = best(name); y = jnp.asarray(PROBLEMS[name][0])
                return jax.jit(jax.vmap(lambda p: solve(name, method, p, y, rtol))), jnp.asarray(spread(u, name, n))
            def slopes(name=name, n=n):
                method, rtol = best(name); y = jnp.asarray(PROBLEMS[name][0])
                loss = lambda p, y: jnp.sum(solve(name, method, p, y, rtol, 4096))
                return jax.jit(jax.vmap(jax.grad(loss, (0, 1)), (0, None))), jnp.asarray(spread(u, name, n)), y
            W[f"de/{name}_{n}"], W[f"de/{name}_grad_{n}"] = many, slopes
    for n in (8192, 131072):
        for way in ("fixed", "adaptive"):
            for narrow in (False, True):
                def sweep(n=n, way=way, narrow=narrow):
                    dtype = jnp.float32 if narrow else jnp.float64
                    y0, ends = jnp.array([1, 0, 0], dtype), jnp.array([0, 1, 1e-3], dtype)
                    control = dfx.ConstantStepSize() if way == "fixed" else dfx.PIDController(rtol=1e-8, atol=1e-8)
                    f = lambda t, y, r: jnp.stack([10 * (y[1] - y[0]), r * y[0] - y[1] - y[0] * y[2], y[0] * y[1] - dtype(8 / 3) * y[2]])
                    run = lambda r: dfx.diffeqsolve(dfx.ODETerm(f), dfx.Tsit5(), ends[0], ends[1], ends[2], y0, r, stepsize_controller=control, throw=False).ys[-1]
                    return jax.jit(jax.vmap(run)), jnp.linspace(0, 21, n, dtype=dtype)
                W[f"de/sweep_{way}_{n}" + ("_f32" if narrow else "")] = sweep
    return W

def scipy_equations(u):
    """The workloads in SciPy, and in CVODE by scikit-sundae."""
    import numba
    from scipy.integrate import odeint, solve_ivp
    try: from sksundae.cvode import CVODE
    except ImportError: CVODE = None
    scalar, vector = definitions(np), vectors(np)
    def rate(name):
        """As a function that returns an array, and as one that fills it."""
        if name in vector:
            f = lambda t, y, p: vector[name](t, y, p)
            def fill(t, y, out, p): out[:] = f(t, y, p)
            return f, fill
        f = numba.njit(scalar[name]); n = len(PROBLEMS[name][0])
        @numba.njit
        def fill(t, y, out, p):
            z = f(t, y, p)
            for i, x in enumerate(z): out[i] = x
        @numba.njit
        def array(t, y, p):
            out = np.empty(n); fill(t, y, out, p); return out
        array(0.0, PROBLEMS[name][0], np.array(PROBLEMS[name][2] or [0.0])); fill(0.0, PROBLEMS[name][0], np.empty(n), np.array(PROBLEMS[name][2] or [0.0]))
        return array, fill
    def candidates(name, p=None):
        start, end, standard, small, stiff = PROBLEMS[name]
        p = np.array(standard or [0.0]) if p is None else p
        f, fill = rate(name)
        g = lambda t, y: f(t, y, p)
        bands = dict(ml=2, mu=2) if name in ("medical_akzo", "brusselator") else {}
        def lsoda(rtol):
            return lambda: odeint(g, start, [0.0, end], tfirst=True, rtol=rtol, atol=rtol * small, mxstep=100_000, **bands)[-1]
        def ivp(method): return lambda rtol: lambda: solve_ivp(g, (0.0, end), start, method=method, rtol=max(rtol, 1e-13), atol=rtol * small).y[:, -1]
        all = [("LSODA", lsoda)]
        if CVODE is not None:
            def cvode(method):
                more = dict(linsolver="band", lband=2, uband=2) if bands and method == "BDF" else {}
                def make(rtol):
                    def rhs(t, y, out): fill(t, y, out, p)
                    solver = CVODE(rhs, method=method, rtol=rtol, atol=rtol * small, max_num_steps=1_000_000, **more)
                    def run(): return solver.solve(np.array([0.0, end]), start).y[-1]
                    return run
                return make
            all.append(("CVODE " + ("BDF" if stiff else "Adams"), cvode("BDF" if stiff else "Adams")))
        return all + [(m, ivp(m)) for m in (("Radau", "BDF") if stiff else ("DOP853",))]
    W = {}
    for name in PROBLEMS:
        def one(name=name):
            found = choose(name, candidates(name), limit=5.0)
            if found is None: raise SystemExit(f"SciPy does not reach the error for {name}")
            return found[1](found[2]),
        W[f"de/{name}"] = one
    for name in FAMILIES:
        def many(name=name):
            """One run after the other."""
            found = choose(name, candidates(name), limit=5.0); p = spread(u, name, 1000)
            each = [dict(candidates(name, q))[found[3]](found[2]) for q in p[:50]]
            # Fifty of them twenty times: each has its own parameters, and its time depends on them little.
            return lambda: np.array([f() for _ in range(20) for f in each]),
        W[f"de/{name}_1000"] = many
    return W
