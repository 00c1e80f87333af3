//! Functions for densities and distribution functions far from the centre, and near points where both parts of a
//! quotient vanish.
//!
//! The derivative of each is made of others here, so that derivatives of any order exist: the ratios of
//! [`erfcx_ratio`] and the moments are closed under differentiation, and nothing in them cancels.

use super::exponential::gaussian;
use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "erfcx",
        doc: "`e^(x^2) erfc x`, without underflow: `scipy.special.erfcx`.",
        define: Define::Elementary(Elementary::Erfcx),
        // On the left by its differential equation: there nothing cancels, and no infinities are subtracted.
        derive: Derive::Factor(|x, y| {
            let left = 2.0 * (x * y) - consts::FRAC_2_SQRT_PI;
            x.lt(0.0).select(left, -(y * erfcx_ratio(0.0, x)))
        }),
        ..FLOAT
    },
    Row {
        name: "erfcx_ratio",
        method: "erfcx",
        doc: "The ratio of the sizes of two derivatives of erfcx, of the order after the one nearest to the first operand and of that one.",
        define: Define::Elementary(Elementary::ErfcxRatio),
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| {
            dx[1].map(|d| {
                let n = x[0].round();
                let row = const { row("erfcx_ratio") };
                let [q, next] = [n, n + 1.0].map(|n| row.apply(&[n, x[1]]));
                mul(d, q * (q - next))
            })
        }),
        domain: &[(0.6, 1.4), (-3.0, 6.0)],
        ..FLOATS
    },
    Row {
        name: "erfc_hazard",
        method: "log_erfc",
        doc: "`2/sqrt(pi) e^-x^2 / erfc x`: what erfc loses in proportion.",
        // On the right by erfcx, which omits the decay of both factors and is infinite far to the left.
        define: Define::Wide(|s, x| {
            let (zero, root) = (s.number(x[0], 0.0), s.number(x[0], consts::FRAC_2_SQRT_PI));
            let e = s.elementary(Elementary::Erfcx, x);
            let right = s.op(ScalarOp::Div, &[root, e]);
            let density = gaussian(s, x[0]);
            let density = s.op(ScalarOp::Mul, &[density, root]);
            let beyond = s.elementary(Elementary::Erfc, x);
            let left = s.op(ScalarOp::Div, &[density, beyond]);
            let negative = s.op(ScalarOp::Lt, &[x[0], zero]);
            s.select(negative, left, right)
        }),
        derive: Derive::Factor(|x, y| y * erfcx_ratio(0.0, x)),
        ..FLOAT
    },
    Row {
        name: "log_erfc",
        doc: "`log(erfc x)`, without underflow: `tfp.math.log_erfc`.",
        define: Define::Elementary(Elementary::LogErfc),
        derive: Derive::Factor(|x, _| -const { row("erfc_hazard") }.apply(&[x])),
        ..FLOAT
    },
    Row {
        name: "ndtr",
        doc: "The distribution function of the standard normal distribution: `scipy.special.ndtr`.",
        define: Define::Elementary(Elementary::Ndtr),
        derive: Derive::Factor(|x, _| INV_ROOT_TAU * (-0.5 * x * x).exp()),
        ..FLOAT
    },
    Row {
        name: "log_ndtr",
        doc: "`log(ndtr x)`, without underflow: `scipy.special.log_ndtr`.",
        define: Define::Elementary(Elementary::LogNdtr),
        derive: Derive::Factor(|x, _| const { row("normal_hazard") }.apply(&[x])),
        ..FLOAT
    },
    Row {
        name: "normal_hazard",
        method: "log_ndtr",
        doc: "The density of the standard normal distribution over its distribution function.",
        // On the left by erfcx, which omits the decay of both factors.
        define: Define::Wide(|s, x| {
            let root = s.number(x[0], -consts::FRAC_1_SQRT_2);
            let y = s.op(ScalarOp::Mul, &[x[0], root]);
            let e = s.elementary(Elementary::Erfcx, &[y]);
            let over = s.number(x[0], consts::FRAC_2_SQRT_PI * consts::FRAC_1_SQRT_2);
            let left = s.op(ScalarOp::Div, &[over, e]);
            let half = s.number(x[0], -0.5);
            let square = s.op(ScalarOp::Mul, &[x[0], x[0]]);
            let square = s.op(ScalarOp::Mul, &[square, half]);
            let density = s.elementary(Elementary::Exp, &[square]);
            let root = s.number(x[0], INV_ROOT_TAU);
            let density = s.op(ScalarOp::Mul, &[density, root]);
            let below = s.elementary(Elementary::Ndtr, x);
            let right = s.op(ScalarOp::Div, &[density, below]);
            let zero = s.number(x[0], 0.0);
            let negative = s.op(ScalarOp::Lt, &[x[0], zero]);
            s.select(negative, left, right)
        }),
        derive: Derive::Factor(|x, y| {
            let root = consts::FRAC_1_SQRT_2;
            -(y * (root * erfcx_ratio(0.0, -(root * x))))
        }),
        ..FLOAT
    },
    Row {
        name: "exprel",
        doc: "`(e^x - 1) / x`, and 1 at 0: `scipy.special.exprel`.",
        define: Define::Elementary(Elementary::Exprel),
        derive: Derive::Factor(|x, _| {
            let one = Var::full(&x.ty(), 1.0);
            const { row("exprel_moment") }.apply(&[one, x])
        }),
        ..FLOAT
    },
    Row {
        name: "exprel_moment",
        method: "exprel",
        doc: "The derivative of exprel of the order nearest to the first operand.",
        define: Define::Elementary(Elementary::ExprelMoment),
        derive: Derive::Tangent(|x, dx| {
            let next = |n: Var| const { row("exprel_moment") }.apply(&[n.round() + 1.0, x[1]]);
            dx[1].map(|d| mul(d, next(x[0])))
        }),
        domain: &[(1.6, 2.4), (-20.0, 20.0)],
        ..FLOATS
    },
    Row {
        name: "log1p_over_x",
        doc: "`log(1 + x) / x`, and 1 at 0.",
        define: Define::Elementary(Elementary::Log1pOverX),
        derive: Derive::Factor(|x, _| {
            let one = Var::full(&x.ty(), 1.0);
            -const { row("log1p_moment") }.apply(&[one, x])
        }),
        domain: &[(-0.7, 5.0)],
        ..FLOAT
    },
    Row {
        name: "log1p_moment",
        method: "log1p_over_x",
        doc: "The integral of `t^n / (1 + x t)^(n+1)` from 0 to 1 for the order `n` nearest to the first operand.",
        define: Define::Elementary(Elementary::Log1pMoment),
        derive: Derive::Tangent(|x, dx| {
            dx[1].map(|d| {
                let n = x[0].round() + 1.0;
                let next = const { row("log1p_moment") }.apply(&[n, x[1]]);
                mul(d, -(n * next))
            })
        }),
        domain: &[(1.6, 2.4), (-0.7, 5.0)],
        ..FLOATS
    },
    Row {
        name: "log1mexp",
        doc: "`log(1 - e^-x)`: `jax.nn.log1mexp`.",
        define: Define::Elementary(Elementary::Log1mexp),
        derive: Derive::Factor(|x, _| const { row("recip_expm1") }.apply(&[x])),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "log_expm1",
        doc: "`log(e^x - 1)`, the inverse of softplus: `tfp.math.softplus_inverse`.",
        define: Define::Elementary(Elementary::LogExpm1),
        derive: Derive::Factor(|x, _| const { row("recip_expm1") }.apply(&[x]) + 1.0),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "recip_expm1",
        method: "log1mexp",
        doc: "`1 / (e^x - 1)`.",
        define: Define::Elementary(Elementary::RecipExpm1),
        derive: Derive::Factor(|_, y| -(y * (y + 1.0))),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "ldexp",
        doc: "`2^n x` for the `n` nearest to the second operand, rounded once: `numpy.ldexp`.",
        define: Define::Elementary(Elementary::Ldexp),
        // The result is a step function of the second operand.
        derive: Derive::Tangent(|x, dx| dx[0].map(|d| const { row("ldexp") }.apply(&[d, x[1]]))),
        transpose: Some(|x, ct| {
            let by = x[1].known();
            let scaled = ct.map(|v| const { row("ldexp") }.apply(&[v, by]));
            vec![Some(scaled), None]
        }),
        domain: &[(-3.0, 3.0), (1.6, 2.4)],
        ..FLOATS
    },
    Row {
        name: "exponent",
        method: "frexp",
        doc: "The `n` with `|x| = m 2^n` and `m` from 1/2 to below 1, 0 for what has none: of `numpy.frexp`.",
        define: Define::Elementary(Elementary::Exponent),
        domain: &[(1.1, 1.9)],
        ..FLOAT
    },
    Row {
        name: "nextafter",
        doc: "The float next to the first operand on the way to the second: `numpy.nextafter`.",
        define: Define::Compose(|s, x| {
            let (dtype, [from, to]) = (x[0].dtype, [x[0], x[1]]);
            let (int, sign) = match dtype {
                DType::F32 => (DType::U32, 1 << 31),
                _ => (DType::U64, 1 << 63),
            };
            let zero = s.number(from, 0.0);
            let bits = s.op_to(ScalarOp::Bitcast, int, &[from]);
            let target = s.op_to(ScalarOp::Bitcast, int, &[to]);
            let (one, sign) = (s.constant(int, 1), s.constant(int, sign));
            // Away from zero the bits count up; towards zero they count down.
            let up = s.op(ScalarOp::Add, &[bits, one]);
            let down = s.op(ScalarOp::Sub, &[bits, one]);
            let rises = s.op(ScalarOp::Lt, &[from, to]);
            let positive = s.op(ScalarOp::Lt, &[zero, from]);
            let apart = s.op(ScalarOp::Eq, &[rises, positive]);
            let next = s.select(apart, up, down);
            // The neighbour of a zero is the smallest number with the target's sign.
            let none = s.op(ScalarOp::Eq, &[from, zero]);
            let side = s.op(ScalarOp::And, &[target, sign]);
            let least = s.op(ScalarOp::Or, &[side, one]);
            let next = s.select(none, least, next);
            let next = s.op_to(ScalarOp::Bitcast, dtype, &[next]);
            let there = s.op(ScalarOp::Eq, &[from, to]);
            let next = s.select(there, to, next);
            // NaN if either operand is NaN.
            let both = s.op(ScalarOp::Add, &[from, to]);
            let number = |s: &mut dyn Scalars, x| s.op(ScalarOp::Eq, &[x, x]);
            let (first, second) = (number(s, from), number(s, to));
            let known = s.op(ScalarOp::And, &[first, second]);
            s.select(known, next, both)
        }),
        // The derivative treats the result as the first operand.
        derive: Derive::Tangent(|_, dx| dx[0]),
        ..FLOATS
    },
];

/// `1 / sqrt(2 pi)`
const INV_ROOT_TAU: f64 = 0.398_942_280_401_432_7;

fn erfcx_ratio(n: f64, x: Var) -> Var {
    let n = Var::full(&x.ty(), n);
    const { row("erfcx_ratio") }.apply(&[n, x])
}
