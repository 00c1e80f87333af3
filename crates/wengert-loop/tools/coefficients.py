"""Prints the polynomials of the special functions in `src/elementary/` (needs mpmath).

Each is the interpolant at Chebyshev's points, which is within a factor of a few of the minimax
polynomial. The error is that of the polynomial with its coefficients rounded, against 50 digits.

    python3 coefficients.py [NAME ..]
"""
import sys
from mpmath import mp, mpf, cos, pi, matrix, lu_solve, log, log1p, exp, sqrt, erfinv, besseli
from mpmath import loggamma, psi, findroot, nstr, ln

mp.dps = 50


def fit(name, g, a, b, n):
    """n coefficients of 1, x, .. on [a, b], where g has no zero."""
    a, b = mpf(a), mpf(b)
    xs = [(a + b) / 2 + (b - a) / 2 * cos(pi * (2 * i + 1) / (2 * mpf(n))) for i in range(n)]
    A, B = matrix(n, n), matrix(n, 1)
    for i, x in enumerate(xs):
        for j in range(n):
            A[i, j] = x ** j
        B[i] = g(x)
    c = [mpf(float(x)) for x in lu_solve(A, B)]
    worst = mpf(0)
    for i in range(301):
        x = a + (b - a) * (1 - cos(pi * mpf(i) / 300)) / 2
        p = mpf(0)
        for y in reversed(c):
            p = p * x + y
        exact_value = g(x)
        worst = max(worst, abs(p / exact_value - 1))
    print(f"// {name}: {n} coefficients on [{nstr(a, 6)}, {nstr(b, 6)}], |d| < 2^{nstr(log(worst, 2), 4)}")
    for x in c:
        print(f"    {float(x)!r},")
    print(flush=True)


def two(x):
    high = float(x)
    return f"{high!r}, {float(x - mpf(high))!r}"


def lgamma():
    # lgamma(2 + e) = e P(e)
    fit("LGAMMA", lambda e: loggamma(2 + e) / e if abs(e) > 1e-30 else 1 - mp.euler, -0.5, 0.5, 21)
    # lgamma x - ((x - 1/2) log x - x + log(2 pi) / 2) = w S(w^2), w = 1/x
    def rest(z):
        x = 1 / sqrt(z)
        return (loggamma(x) - ((x - mpf(1) / 2) * log(x) - x + log(2 * pi) / 2)) * x
    fit("STIRLING", rest, mpf(10) ** -8, 1 / mpf("6.5") ** 2, 9)
    print("half log 2 pi", two(log(2 * pi) / 2), "log pi", two(log(pi)))


def digamma():
    zero = findroot(lambda x: psi(0, x), mpf("1.46"))
    high = mpf(float(zero))
    print("zero", two(zero))
    # In y - 3/2 for 1 <= y <= 2.
    fit("DIGAMMA", lambda t: psi(0, t + mpf(3) / 2) / (t + mpf(3) / 2 - zero), -0.5, 0.5, 23)
    # log x - 1/(2x) - psi x = w^2 A(w^2), w = 1/x
    def rest(z):
        x = 1 / sqrt(z)
        return (log(x) - 1 / (2 * x) - psi(0, x)) / z
    fit("DIGAMMA_FAR", rest, mpf(10) ** -8, mpf(1) / 49, 9)
    # psi'(x) = w + w^2 / 2 + w^3 B(w^2)
    def rest(z):
        w = sqrt(z)
        return (psi(1, 1 / w) - w - z / 2) / (w * z)
    fit("TRIGAMMA_FAR", rest, mpf(10) ** -8, mpf(1) / 49, 10)


def sines():
    # sin(pi r) = pi r S(r^2) for |r| <= 1/2
    fit("SINC", lambda z: mp.sinpi(sqrt(z)) / (pi * sqrt(z)), mpf(10) ** -12, mpf(1) / 4, 10)


def erf_inv():
    # erf_inv x = x P(w - 3), w = -log(1 - x^2)
    def ratio(w):
        x = sqrt(-mp.expm1(-w))
        return erfinv(x) / x
    fit("CENTRAL", lambda t: ratio(t + mpf("3.125")), mpf("1e-20") - 3.125, 3.125, 24)
    # erf_inv x = Q(s - 4.35), s = sqrt(-log(1 - x)), beyond
    def tail(s):
        q = exp(-s * s)
        y = s
        for _ in range(60):
            step = (mp.erfc(y) - q) / (2 / sqrt(pi) * exp(-y * y))
            y += step / (1 - y * step)
            if abs(step) < mpf(10) ** -45:
                return y
    fit("TAIL", lambda t: tail(t + mpf("4.35")), -1.75, 1.75, 24)


def bessel():
    for n in (0, 1):
        # I_n(x) / x^n as a polynomial in x^2 up to 8, and e^-x I_n(x) sqrt(x) in 1/x from there.
        fit(f"NEAR_{n}", lambda z: besseli(n, sqrt(z)) / sqrt(z) ** n, mpf(10) ** -20, 64, 17)
        fit(f"FAR_{n}", lambda w: exp(-1 / w) * besseli(n, 1 / w) / sqrt(w), mpf(10) ** -5, mpf(1) / 8, 24)


def quadrature():
    # The integral of f from 0 to infinity is the sum of w f(c), with c = exp(v - exp(-v)) at equal
    # distances h of v (Takahasi and Mori, 1974), and w = h dc/dv.
    h, first, n = mpf("0.14"), mpf("-3.5"), 69
    vs = [first + h * j for j in range(n)]
    print("// NODES")
    for v in vs:
        print(f"    {float(exp(v - exp(-v)))!r},")
    print("// WEIGHTS")
    for v in vs:
        print(f"    {float(h * exp(v - exp(-v)) * (1 + exp(-v)))!r},")


ALL = {"lgamma": lgamma, "digamma": digamma, "sines": sines, "erf_inv": erf_inv, "bessel": bessel, "quadrature": quadrature}
for name in sys.argv[1:] or ALL:
    ALL[name]()
