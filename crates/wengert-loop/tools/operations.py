"""Writes tests/loops/{lanes,one_by_one,sixteen,uniform,wide}_<type>.loop: every scalar operation at awkward operands;
in `uniform`, and in `wide` of floats, those that there is code for in registers of 512 bits, and in `sixteen` those of
them on elements of at most 32 bits, which may take sixteen lanes. And even_<type>.loop:
those of two operands in lanes, where the second is the same in all of them, known or not.

What each operation gives is computed here, from its definition in the documentation of `ScalarOp`:
integers without bounds and exact fractions are rounded or wrapped once, at the end.

    python3 tools/operations.py tests/loops
"""

import math
import struct
import sys
from fractions import Fraction
from pathlib import Path

INTS = {"i32": (32, True), "i64": (64, True), "u32": (32, False), "u64": (64, False), "u8": (8, False)}
FLOATS = {"f32": (24, -149, 128), "f64": (53, -1074, 1024)}
TYPES = ["f32", "f64", "i32", "i64", "u32", "u64", "u8", "bool"]
BYTES = {"f32": 4, "f64": 8, "i32": 4, "i64": 8, "u32": 4, "u64": 8, "u8": 1, "bool": 1}
NAN, INF = math.nan, math.inf


def rounded(x, t):
    """The float of a type that is nearest to a fraction, ties to even."""
    digits, least, top = FLOATS[t]
    if x == 0:
        return 0.0
    size = abs(x)
    e = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** e:
        e -= 1
    unit = Fraction(2) ** max(e - digits + 1, least)
    n, rest = divmod(size, unit)
    if rest * 2 > unit or rest * 2 == unit and n % 2 == 1:
        n += 1
    size = n * unit
    value = INF if size >= Fraction(2) ** top else float(size)
    return -value if x < 0 else value


def narrow(x, t):
    """A double in a type."""
    return rounded(Fraction(x), t) if math.isfinite(x) and x != 0 else x


def wrapped(x, t):
    if t == "bool":
        return x != 0
    bits, signed = INTS[t]
    x &= (1 << bits) - 1
    return x - (1 << bits) if signed and x >> (bits - 1) else x


def bounds(t):
    bits, signed = INTS[t]
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def sign(x):
    return math.copysign(1.0, x)


def fadd(x, y, t):
    if not (math.isfinite(x) and math.isfinite(y)):
        return x + y
    exact = Fraction(x) + Fraction(y)
    return rounded(exact, t) if exact != 0 else x + y


def fmul(x, y, t):
    if not (math.isfinite(x) and math.isfinite(y)) or x == 0 or y == 0:
        return x * y
    size = rounded(abs(Fraction(x) * Fraction(y)), t)
    return math.copysign(size, sign(x) * sign(y))


def fdiv(x, y, t):
    s = sign(x) * sign(y)
    if math.isnan(x) or math.isnan(y):
        return NAN
    if math.isinf(x) or y == 0:
        return NAN if math.isinf(y) or x == 0 else s * INF
    if x == 0 or math.isinf(y):
        return s * 0.0
    return math.copysign(rounded(abs(Fraction(x) / Fraction(y)), t), s)


def frem(x, y, t):
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or y == 0:
        return NAN
    return math.fmod(x, y)


def fma(x, y, z, t):
    if not all(map(math.isfinite, (x, y, z))):
        product = x * y if not (math.isfinite(x) and math.isfinite(y)) else 0.0
        return product + z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact != 0:
        return rounded(exact, t)
    zero = math.copysign(0.0, sign(x) * sign(y)) if x == 0 or y == 0 else None
    return zero + z if zero is not None else 0.0


def fsqrt(x, t):
    if math.isnan(x) or x < 0:
        return NAN
    if x == 0 or math.isinf(x):
        return x
    # Enough digits of the root that the rest decides no rounding: it is either exact, or far from a tie.
    scale = 1 << 2600
    root = math.isqrt(int(Fraction(x) * scale))
    exact = root * root == Fraction(x) * scale
    return rounded(Fraction(root * 2 + (0 if exact else 1), 2 << 1300), t)


def fmin(x, y, least):
    if math.isnan(x) or math.isnan(y):
        return NAN
    if x == y:
        return x if (sign(x) < 0) == least else y
    return min(x, y) if least else max(x, y)


def integral(x, how):
    if not math.isfinite(x):
        return x
    return math.copysign(float(how(Fraction(x))), x)


def half_even(x):
    return round(x)


def idiv(x, y):
    if y == 0:
        return 0
    q = abs(x) // abs(y)
    return q if (x < 0) == (y < 0) else -q


def irem(x, y):
    return 0 if y == 0 else x - idiv(x, y) * y


def convert(x, t, to):
    if t == to:
        return x
    if to == "bool":
        return x != 0
    if to in FLOATS:
        return narrow(x, to) if t in FLOATS else rounded(Fraction(int(x)), to)
    if t not in FLOATS:
        return wrapped(int(x), to)
    if math.isnan(x):
        return 0
    low, high = bounds(to)
    if math.isinf(x):
        return high if x > 0 else low
    return max(low, min(high, math.trunc(x)))


FORMS = {"f32": "<f", "f64": "<d", "i32": "<i", "i64": "<q", "u32": "<I", "u64": "<Q", "u8": "<B", "bool": "<?"}


def bits(x, t):
    return int.from_bytes(struct.pack(FORMS[t], x), "little")


def bitcast(x, t, to):
    return struct.unpack(FORMS[to], struct.pack(FORMS[t], x))[0]


def show(x, t):
    if t == "bool":
        return "true" if x else "false"
    if t in FLOATS:
        return "NaN" if math.isnan(x) else repr(float(x))
    return str(x)


def compare(name):
    def go(x, y):
        if any(isinstance(v, float) and math.isnan(v) for v in (x, y)):
            return name == "ne"
        return {"eq": x == y, "ne": x != y, "lt": x < y, "le": x <= y}[name]

    return go


def operations(t):
    """Name, number of operands, type of the result, and what it computes."""
    w = lambda x: wrapped(x, t)
    ops = []
    if t in FLOATS:
        ops += [
            ("add", 2, t, lambda x, y: fadd(x, y, t)),
            ("sub", 2, t, lambda x, y: fadd(x, -y, t)),
            ("mul", 2, t, lambda x, y: fmul(x, y, t)),
            ("div", 2, t, lambda x, y: fdiv(x, y, t)),
            ("rem", 2, t, lambda x, y: frem(x, y, t)),
            ("neg", 1, t, lambda x: -x),
            ("abs", 1, t, lambda x: math.fabs(x)),
            ("sqrt", 1, t, lambda x: fsqrt(x, t)),
            ("fma", 3, t, lambda x, y, z: fma(x, y, z, t)),
            ("min", 2, t, lambda x, y: fmin(x, y, True)),
            ("max", 2, t, lambda x, y: fmin(x, y, False)),
            ("floor", 1, t, lambda x: integral(x, math.floor)),
            ("ceil", 1, t, lambda x: integral(x, math.ceil)),
            ("round", 1, t, lambda x: integral(x, half_even)),
            ("trunc", 1, t, lambda x: integral(x, math.trunc)),
        ]
    elif t in INTS:
        size, _ = INTS[t]
        raw = lambda x: x & ((1 << size) - 1)
        by = lambda y: y % size
        ops += [
            ("add", 2, t, lambda x, y: w(x + y)),
            ("sub", 2, t, lambda x, y: w(x - y)),
            ("mul", 2, t, lambda x, y: w(x * y)),
            ("div", 2, t, lambda x, y: w(idiv(x, y))),
            ("rem", 2, t, lambda x, y: w(irem(x, y))),
            ("mul_high", 2, t, lambda x, y: w(x * y >> size)),
            ("neg", 1, t, lambda x: w(-x)),
            ("abs", 1, t, lambda x: w(abs(x))),
            ("min", 2, t, min),
            ("max", 2, t, max),
            ("and", 2, t, lambda x, y: w(x & y)),
            ("or", 2, t, lambda x, y: w(x | y)),
            ("xor", 2, t, lambda x, y: w(x ^ y)),
            ("not", 1, t, lambda x: w(~x)),
            ("shl", 2, t, lambda x, y: w(x << by(y))),
            ("shr", 2, t, lambda x, y: w(x >> by(y))),
            ("shr_logical", 2, t, lambda x, y: w(raw(x) >> by(y))),
            ("rotl", 2, t, lambda x, y: w(raw(x) << by(y) | raw(x) >> (size - by(y)))),
        ]
    else:
        ops += [
            ("min", 2, t, lambda x, y: x and y),
            ("max", 2, t, lambda x, y: x or y),
            ("and", 2, t, lambda x, y: x and y),
            ("or", 2, t, lambda x, y: x or y),
            ("xor", 2, t, lambda x, y: x != y),
            ("not", 1, t, lambda x: not x),
        ]
    ops += [(c, 2, "bool", compare(c)) for c in ("eq", "ne", "lt", "le")]
    ops += [("convert", 1, to, lambda x, to=to: convert(x, t, to)) for to in TYPES]
    ops += [
        ("bitcast", 1, to, lambda x, to=to: bitcast(x, t, to))
        for to in TYPES
        if BYTES[t] == BYTES[to] and (t == "bool") == (to == "bool")
    ]
    return ops


def operands(t):
    """Three operands of each element."""
    if t == "bool":
        return [(a, b, False) for a in (False, True) for b in (False, True)] * 3 + [(True, False, True)]
    if t in FLOATS:
        digits, least, top = FLOATS[t]
        big = float((2 - Fraction(2) ** (1 - digits)) * Fraction(2) ** (top - 1))
        tiny = 2.0**least
        odd = float(2 ** (digits - 1) + 1)
        third, tenth = narrow(1 / 3, t), narrow(0.1, t)
        return [
            (0.0, -0.0, -0.0),
            (-0.0, 0.0, 0.0),
            (-0.0, -0.0, -0.0),
            (1.0, -1.0, 1.0),
            (NAN, 1.0, 1.0),
            (1.0, NAN, 1.0),
            (INF, INF, -INF),
            (INF, -INF, 1.0),
            (-INF, 0.0, 1.0),
            (0.0, INF, 1.0),
            (1.0, 0.0, INF),
            (-1.0, 0.0, NAN),
            (big, big, -INF),
            (-big, 2.0, big),
            (tiny, 0.5, tiny),
            (tiny, -tiny, 0.0),
            (2.5, 1.5, -3.75),
            (-2.5, 0.5, 1.25),
            (0.5, 3.0, -1.5),
            (-0.5, -7.0, tenth),
            (1.5, tenth, third),
            (third, 3.0, -1.0),
            (odd, odd, 1.0),
            (-7.5, 2.0, third),
            (255.75, 256.0, tenth),
            (2147483648.0, -2.0, 1.0),
            (-2147483904.0, 3.0, 1.0),
            (9223372036854775808.0, 10.0, 1.0),
            (-1e19 if t == "f64" else narrow(-1e19, t), 7.0, 1.0),
            (18446744073709551616.0, tenth, -1.0),
            (4294967296.0, third, 1.0),
        ]
    low, high = bounds(t)
    size, _ = INTS[t]
    some = [
        (0, 0),
        (1, 0),
        (low, -1),
        (low, 0),
        (low, 1),
        (high, high),
        (high, 1),
        (low, high),
        (high, low),
        (7, 2),
        (-7, 2),
        (7, -2),
        (-7, -2),
        (1, size - 1),
        (1, size),
        (-3, size + 1),
        (high, 3),
        (100, 7),
        (16777217, 5),
        (9007199254740993, 11),
        (0x5555555555555555, 0x3333333333333333),
        (-1, -1),
        (2, 255),
    ]
    return [(wrapped(x, t), wrapped(y, t), 0) for x, y in some]


def array(values, t):
    return f"{t}[{len(values)}] " + " ".join(show(v, t) for v in values)


def is_wide(name, t):
    """Whether there is code for an operation in registers of 512 bits."""
    return not (name == "rem" and t in FLOATS)


def count(ops, t):
    """The line that says how many loops are written in registers of 512 bits."""
    return f"; wide: {int(all(is_wide(op[0], t) for op in ops))}"


def file(t, kind):
    ops, rows = operations(t), operands(t)
    lanes = kind in ["lanes", "sixteen", "wide"]
    uniform = kind == "uniform"
    if kind in ["sixteen", "uniform", "wide"]:
        ops = [op for op in ops if is_wide(op[0], t)]
    if kind == "sixteen":
        ops = [op for op in ops if BYTES[op[2]] <= 4]
    n = len(rows)
    chosen = [i % 3 == 0 for i in range(n)]
    inputs = [[row[k] for row in rows] for k in range(3)]
    star = "*" if lanes else ""
    at = "i" if lanes else "k"
    inside = {
        "one_by_one": "one element after the other",
        "uniform": "one element after the other for all lanes of a vector loop",
    }.get(kind, "inside the lanes of a vector loop")
    copies = 2 if uniform else 1
    to_at = f"k + {n}*i" if uniform else at
    out = [
        f"; Every operation on {t} at awkward operands, {inside}.",
        "; The results are computed by tools/operations.py from the definitions, in exact arithmetic.",
    ]
    out += [f"b{k}: {t}[{n}] input {k}" for k in range(3)]
    out += [f"b3: bool[{n}] input 3"]
    results = []
    for name, arity, to, f in ops:
        results.append((to, [f(*row[:arity]) for row in rows]))
    results.append((t, [row[0] if p else row[1] for row, p in zip(rows, chosen)]))
    for k, (to, _) in enumerate(results):
        out.append(f"b{4 + k}: {to}[{copies * n}] output {k}")
    out.append(f"n: i64 = {n}")
    if uniform:
        out += [f"lanes: i64 = {copies}", "for vector l < lanes {"]
    start = len(out)
    out.append(f"for {'vector ' if lanes else ''}k < n {{")
    for k, name in enumerate("xyz"):
        out.append(f"  {name}: {t}{star} = b{k}[{at}]")
    out.append(f"  p: bool{star} = b3[{at}]")
    for k, (name, arity, to, _) in enumerate(ops):
        args = ", ".join("xyz"[:arity])
        value = f"{name}_{to}" if name in ("convert", "bitcast") else f"{name}_"
        out.append(f"  {value}: {to}{star} = {name} {args}")
        out.append(f"  b{4 + k}[{to_at}] = {value}")
    out.append(f"  chosen: {t}{star} = select p, x, y")
    out.append(f"  b{4 + len(ops)}[{to_at}] = chosen")
    out.append("}")
    if uniform:
        out[start:] = [f"  {line}" for line in out[start:]] + ["}"]
    if lanes or uniform:
        out.append(count(ops, t))
    out.append("; run:")
    out += [f";   {array(values, t)}" for values in inputs]
    out.append(f";   {array(chosen, 'bool')}")
    out.append(";   ->")
    for to, values in results:
        out.append(f";   {array(values * copies, to)}")
    return "\n".join(out) + "\n"


def even(t):
    ops = [op for op in operations(t) if op[1] == 2]
    xs = [row[0] for row in operands(t)]
    n = len(xs)
    if t in INTS:
        size = INTS[t][0]
        known, others = wrapped(size + 5, t), [3, 0, wrapped(-1, t), wrapped(size, t)]
    elif t in FLOATS:
        known, others = narrow(0.1, t), [2.5, -0.0, NAN, -INF]
    else:
        known, others = True, [False, True]
    out = [
        f"; Every operation on two of {t} in lanes, with a second operand that is the same in all of them: an",
        "; argument, and then a constant. The results are computed by tools/operations.py from the definitions.",
        f"b0: {t}[{n}] input 0",
        f"b1: {t}[1] input 1",
    ]
    for k, (_, _, to, _) in enumerate(ops + ops):
        out.append(f"b{2 + k}: {to}[{n}] output {k}")
    out += [f"n: i64 = {n}", f"y: {t} = b1[0]", f"c: {t} = {show(known, t)}", "for vector k < n {", f"  x: {t}* = b0[i]"]
    for k, (name, _, to, _) in enumerate(ops + ops):
        by = "y" if k < len(ops) else "c"
        out.append(f"  {name}_{by}: {to}* = {name} x, {by}")
        out.append(f"  b{2 + k}[i] = {name}_{by}")
    out.append("}")
    out.append(count(ops, t))
    for y in others:
        out.append(f"; run: {array(xs, t)}, {array([y], t)} ->")
        for by in (y, known):
            out += [f";   {array([f(x, by) for x in xs], to)}" for _, _, to, f in ops]
    return "\n".join(out) + "\n"


folder = Path(sys.argv[1])
for t in TYPES:
    (folder / f"even_{t}.loop").write_text(even(t))
    for kind in ["lanes", "one_by_one", "uniform"] + (["wide"] if t in FLOATS else []) + (["sixteen"] if BYTES[t] <= 4 else []):
        (folder / f"{kind}_{t}.loop").write_text(file(t, kind))
