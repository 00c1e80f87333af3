"""Writes the tables in `tables/` of functions that the checker has no arbitrary-precision library for
(needs mpmath). A line is the arguments and the values, each the nearest float, with tabs between.

    python3 tools/references.py [NAME ..]
"""
import pathlib
import random
import sys

from mpmath import mp, mpf, exp, log, loggamma, hyp1f1, hyp2f1

TABLES = pathlib.Path(__file__).parent.parent / "tables"


def write(name, heads, rows):
    with open(TABLES / f"{name}.tsv", "w") as f:
        f.write("\t".join(heads) + "\n")
        for row in rows:
            f.write("\t".join(repr(float(x)) for x in row) + "\n")


def derivative(f, x):
    """By differences of the sixth order, in many digits."""
    h = x * mpf(10) ** -12
    d = lambda k: f(x + k * h) - f(x - k * h)
    return (45 * d(1) - 9 * d(2) + d(3)) / (60 * h)


def shape():
    return 10 ** random.uniform(-2, 3)


def gammainc():
    """a, x, P, Q, dP/da"""
    random.seed(1)
    mp.dps = 400

    def lower(a, x):
        return exp(a * log(x) - x - loggamma(a + 1)) * hyp1f1(1, a + 1, x)

    rows = []
    while len(rows) < 1500:
        a = shape()
        x = random.choice([
            max(a, 1) * random.uniform(0, 2),
            a + a ** 0.5 * random.uniform(-8, 8),
            max(a, 1),
            10 ** random.uniform(-4, 3.2),
        ])
        if x <= 0:
            continue
        a, x = mpf(a), mpf(x)
        p = lower(a, x)
        if p < mpf(10) ** -290 or 1 - p < mpf(10) ** -290:
            continue
        rows.append((a, x, p, 1 - p, derivative(lambda a: lower(a, x), a)))
    write("gammainc", ["a", "x", "p", "q", "p_a"], rows)


def betainc():
    """a, b, x, I, dI/da, dI/db"""
    random.seed(2)
    mp.dps = 400

    def lower(a, b, x):
        if x > (a + 1) / (a + b + 2):
            return 1 - lower(b, a, 1 - x)
        beta = loggamma(a) + loggamma(b) - loggamma(a + b)
        return exp(a * log(x) + b * log(1 - x) - beta) / a * hyp2f1(a + b, 1, a + 1, x)

    rows = []
    while len(rows) < 1500:
        a, b = shape(), shape()
        mean = a / (a + b)
        spread = (mean * (1 - mean) / (a + b + 1)) ** 0.5
        x = random.choice([
            random.uniform(0, 1),
            mean + spread * random.uniform(-8, 8),
            10 ** random.uniform(-6, 0),
            1 - 10 ** random.uniform(-6, 0),
        ])
        if not 0 < x < 1:
            continue
        a, b, x = mpf(a), mpf(b), mpf(x)
        i = lower(a, b, x)
        if i < mpf(10) ** -290:
            continue
        rows.append((a, b, x, i, derivative(lambda a: lower(a, b, x), a),
                     derivative(lambda b: lower(a, b, x), b)))
    write("betainc", ["a", "b", "x", "i", "i_a", "i_b"], rows)


def betaln():
    """a, b, log B"""
    random.seed(3)
    mp.dps = 60
    rows = []
    for _ in range(1500):
        a, b = 10 ** random.uniform(-8, 8), 10 ** random.uniform(-8, 8)
        if random.random() < 0.5:
            a, b = shape(), shape()
        a, b = mpf(a), mpf(b)
        rows.append((a, b, loggamma(a) + loggamma(b) - loggamma(a + b)))
    write("betaln", ["a", "b", "log_b"], rows)


ALL = {"gammainc": gammainc, "betainc": betainc, "betaln": betaln}
for name in sys.argv[1:] or ALL:
    ALL[name]()
