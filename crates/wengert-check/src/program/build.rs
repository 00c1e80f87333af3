//! Programs as functions over `Var`s.

use wengert::prelude::*;

use super::{Arg, Expr, Kind, Place, Program};

/// The way in which a program is written as a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Loops, branches, batches, recomputation and custom rules are used as such.
    Structured,
    /// Counted loops and batches are unrolled, branches are selections, and recomputation and custom rules are
    /// omitted: the same function written differently.
    Plain,
}

type Unary = (&'static str, fn(Var) -> Var);
type Binary = (&'static str, fn(Var, Var) -> Var);

/// Smooth functions: the text of each, with `a` for its operand.
pub const UNARY: [Unary; 12] = [
    ("a.sin()", |a| a.sin()),
    ("a.cos()", |a| a.cos()),
    ("a.sin().exp()", |a| a.sin().exp()),
    ("(a * a + 1.0).sqrt()", |a| (a * a + 1.0).sqrt()),
    ("-a", |a| -a),
    ("a.tanh()", |a| a.tanh()),
    ("(a * a + 0.5).ln()", |a| (a * a + 0.5).ln()),
    ("a.atan()", |a| a.atan()),
    ("a.sigmoid()", |a| a.sigmoid()),
    ("(a * a + 1.0).rsqrt()", |a| (a * a + 1.0).rsqrt()),
    ("a.sin().expm1()", |a| a.sin().expm1()),
    ("a.sin().square().log1p()", |a| a.sin().square().log1p()),
];

/// Smooth functions of two operands `a` and `b` (except for ties of `maximum`).
pub const BINARY: [Binary; 9] = [
    ("(a + b)", |a, b| a + b),
    ("a.sin() * b.cos()", |a, b| a.sin() * b.cos()),
    ("a.tanh() * b", |a, b| a.tanh() * b),
    ("(a - b.sin())", |a, b| a - b.sin()),
    ("a.sin() / (b * b + 1.0)", |a, b| a.sin() / (b * b + 1.0)),
    ("a.sin().atan2(b * b + 1.0)", |a, b| {
        a.sin().atan2(b * b + 1.0)
    }),
    ("(a * a + 1.0).pow(b.sin())", |a, b| {
        (a * a + 1.0).pow(b.sin())
    }),
    ("a.maximum(b + 0.1)", |a, b| a.maximum(b + 0.1)),
    ("a.sin().mul_add(b.cos(), a)", |a, b| {
        a.sin().mul_add(b.cos(), a)
    }),
];

type Running = (&'static str, fn(Var, usize) -> Var);

/// Smooth cumulative functions: the text of each, with `a` for the operand and `k` for the axis.
pub const RUNNING: [Running; 5] = [
    ("a.cumsum(k)", |a, k| a.cumsum(k)),
    ("a.cumsum_reverse(k)", |a, k| a.cumsum_reverse(k)),
    ("(a.sin() + 0.5).cumprod(k)", |a, k| {
        (a.sin() + 0.5).cumprod(k)
    }),
    ("a.cumlogsumexp(k)", |a, k| a.cumlogsumexp(k)),
    ("apart(a).cummax(k)", |a, k| apart(a).cummax(k)),
];

/// The values of names.
type Env = Vec<(u32, Var)>;

impl Program {
    /// Records the function on these values of its parameters.
    pub fn build(&self, x: &[Var], style: Style) -> Var {
        let names = self.params.iter().map(|p| p.name);
        self.body
            .build(&names.zip(x.iter().copied()).collect(), style)
    }
}

impl Arg {
    /// Records the expression with these values for its binders.
    fn with(&self, env: &Env, values: &[Var], style: Style) -> Var {
        let mut inner = env.clone();
        let names = self.binders.iter().map(|b| b.name);
        inner.extend(names.zip(values.iter().copied()));
        self.body.build(&inner, style)
    }
}

/// Makes equal elements different.
fn apart(x: Var) -> Var {
    let dims = x.shape();
    let n: usize = dims.iter().product();
    x + wengert::arange(n).to(DType::F64).reshape(&dims) * 0.05
}

/// Compares two numbers with an offset: two that are equal up to rounding would be ordered by chance.
fn less(a: Var, b: Var) -> Var {
    a.lt(b + 0.0613)
}

/// Maps a number of any magnitude to an index in `0..n`.
fn index(x: Var, n: usize) -> Var {
    let unit = ((stop_gradient(x) + 0.0413).sin() + 1.0) * (0.5 * n as f64);
    unit.floor().to(DType::I64)
}

impl Expr {
    fn build(&self, env: &Env, style: Style) -> Var {
        let arg = |i: usize| self.args[i].body.build(env, style);
        let rows = |i: usize| self.args[i].body.shape[0];
        let all = || (0..self.args.len()).map(arg).collect::<Vec<Var>>();
        let shape = &self.shape;
        match &self.kind {
            Kind::Var(name) => {
                let found = env.iter().rfind(|(n, _)| n == name);
                found.expect("a name that is bound").1
            }
            Kind::Const(x) => wengert::full(shape, *x),
            Kind::Unary(k) => UNARY[*k].1(arg(0)),
            Kind::Binary(k) => BINARY[*k].1(arg(0), arg(1)),
            Kind::Select => less(arg(0), arg(1)).select(arg(2), arg(3)),
            Kind::Sum => arg(0).sum(),
            Kind::SumAxis(axis) => arg(0).sum_axis(*axis),
            Kind::Mean => arg(0).mean(),
            Kind::Prod => (arg(0).sin() + 0.5).prod(),
            Kind::Largest => apart(arg(0)).amax(),
            Kind::Running(k, axis) => RUNNING[*k].1(arg(0), *axis),
            Kind::Sort => apart(arg(0)).sort(0),
            Kind::Broadcast => arg(0).broadcast_to(shape),
            Kind::Reshape => arg(0).reshape(shape),
            Kind::Transpose => arg(0).t(),
            Kind::Flip(axis) => arg(0).flip(*axis),
            Kind::Slice { start, step } => {
                let part = *start..start + (shape[0] - 1) * step + 1;
                let every = wengert_ir::trace::Span::from(part).by(*step);
                arg(0).slice_axis(0, every)
            }
            Kind::Concat(axis) => wengert::concat(all(), *axis as isize),
            Kind::Stack => wengert::stack(all()),
            Kind::Dot => arg(0).dot(arg(1)),
            Kind::Outer => arg(0).outer(arg(1)),
            Kind::At => arg(0).at(index(arg(1), rows(0))),
            Kind::AtSet => arg(0).at_set(index(arg(1), rows(0)), arg(2)),
            Kind::AtAdd => arg(0).at_add(index(arg(1), rows(0)), arg(2)),
            Kind::AtMul => arg(0).at_mul(index(arg(1), rows(0)), arg(2)),
            Kind::Take => arg(0).take(index(arg(1), rows(0)), 0),
            Kind::TakeAlong => arg(0).take_along_axis(index(arg(1), rows(0)), 0),
            Kind::Window => {
                let start = index(arg(1), rows(0) - shape[0] + 1);
                arg(0).dynamic_slice(&[start], shape)
            }
            Kind::Update => {
                let start = index(arg(2), rows(0) - rows(1) + 1);
                arg(0).dynamic_update(arg(1), &[start])
            }
            _ => self.nested(env, style),
        }
    }

    /// Records a loop, branch or transform.
    fn nested(&self, env: &Env, style: Style) -> Var {
        let arg = |i: usize| self.args[i].body.build(env, style);
        let with = |i: usize, values: &[Var]| self.args[i].with(env, values, style);
        let plain = style == Style::Plain;
        match &self.kind {
            Kind::Scan { reverse, rows } => {
                let step = |c: Var, x: Var| (with(2, &[c, x]).sin(), with(3, &[c, x]));
                let (init, xs) = (arg(0), arg(1));
                let (last, ys) = match (plain, reverse) {
                    (true, _) => unrolled(init, xs, *reverse, step),
                    (false, true) => scan_reverse(init, xs, step),
                    (false, false) => scan(init, xs, step),
                };
                match rows {
                    true => ys + last.mean() * 0.1,
                    false => last + ys.sum() * 0.3,
                }
            }
            Kind::While => {
                let init = arg(0);
                let start = (init.mean().sin() * 3.0, init, Var::scalar(0i64));
                let (t, last, n) = while_loop(
                    start,
                    |(t, _, _)| t.lt(2.5),
                    |(t, c, n)| (t + 1.0 + c.mean().sin() * 0.5, with(1, &[c]).sin(), n + 1),
                );
                last + t.sin() * 0.1 + n.to(DType::F64) * 0.05
            }
            Kind::Repeat => {
                let step = |i: Var, c: Var| with(1, &[i.to(DType::F64), c]).sin();
                match plain {
                    true => (0..3i64).fold(arg(0), |c, i| step(Var::scalar(i), c)),
                    false => fori(0..3, arg(0), step),
                }
            }
            Kind::RepeatTraced => {
                // From -1, 0 or 1 up to 0, 1, 2 or 3: often no step at all.
                let (start, end) = (index(arg(1), 3) - 1, index(arg(0), 4));
                let step = |i: Var, c: Var| with(3, &[i.to(DType::F64), c]).sin();
                match plain {
                    true => (-1..4i64).fold(arg(2), |c, i| {
                        let runs = start.le(i).and(end.gt(i));
                        runs.select(step(Var::scalar(i), c), c)
                    }),
                    false => fori(start..end, arg(2), step),
                }
            }
            // An empty batch adds nothing, whatever it captures.
            Kind::Nothing => match plain {
                true => arg(0),
                false => {
                    let f = |row: Var| with(1, &[row]);
                    arg(0) + vmap(f)(wengert::zeros([0])).sum_axis(0)
                }
            },
            Kind::Exchange { carries } => {
                let f = |a: Var, s: Var| with(2, &[a, s]).sin();
                exchange(plain, *carries, arg(0), arg(1), f)
            }
            Kind::Implicit { root } => {
                let f = |x: Var| with(2, &[x]);
                implicit(plain, *root, arg(0), arg(1).sin(), f)
            }
            Kind::Cond => {
                let p = less(arg(0), arg(1));
                match plain {
                    true => p.select(arg(2), arg(3)),
                    false => cond(p, (), |()| arg(2), |()| arg(3)),
                }
            }
            Kind::Map { columns } => {
                let (a, b) = (arg(0), arg(1));
                let f = |(a, b): (Var, Var)| with(2, &[a, b]);
                match (plain, columns) {
                    (true, columns) => {
                        let a = if *columns { a.t() } else { a };
                        each(self.shape[0], |i| f((a.at(i), b.at(i))))
                    }
                    (false, true) => wengert::vmap_axes(f, [Some(1), Some(0)], 0)((a, b)),
                    (false, false) => vmap(f)((a, b)),
                }
            }
            Kind::Grad => grad_at(arg(0), |x| with(1, &[x])).sin(),
            Kind::Jvp => {
                let (y, dy) = jvp(|x: Var| with(2, &[x]), arg(0), arg(1).sin());
                dy.sin() + y * 0.5
            }
            Kind::Linearize => {
                let (y, push) = linearize(|x: Var| with(2, &[x]), arg(0));
                let d = arg(1).sin();
                (push(d) + y * 0.5).sin() - push(d * y.mean()).cos()
            }
            Kind::Pull(place) => {
                let (y, pull) = vjp(|x: Var| with(1, &[x]), arg(0));
                let ct = arg(2).sin();
                match place {
                    Place::Here => pull(ct).sin(),
                    Place::Map => {
                        let cts = wengert::stack([ct, y, ct * 0.5]);
                        match plain {
                            true => each(3, |i| pull(cts.at(i)).sin()).sum_axis(0),
                            false => vmap(|c: Var| pull(c).sin())(cts).sum_axis(0),
                        }
                    }
                    Place::Scan => {
                        let step = |k: Var| (k + pull(ct * k.mean())).sin();
                        match plain {
                            true => (0..2).fold(arg(0), |k, _| step(k)),
                            false => fori(0..2, arg(0), |_, k| step(k)),
                        }
                    }
                    Place::Branch => {
                        let p = y.mean().lt(0.2);
                        let (a, b) = (|| pull(ct).sin(), || arg(0) * 0.3);
                        match plain {
                            true => p.select(a(), b()),
                            false => cond(p, (), |()| a(), |()| b()),
                        }
                    }
                }
            }
            Kind::Jacobian { reverse } => {
                let f = |x: Var| with(1, &[x]);
                match reverse {
                    true => jacrev(f)(arg(0)).sin(),
                    false => jacfwd(f)(arg(0)).sin(),
                }
            }
            Kind::Checkpoint => {
                let f = |x: Var| with(1, &[x]);
                match plain {
                    true => f(arg(0)),
                    false => checkpoint(f)(arg(0)),
                }
            }
            Kind::CustomRule => {
                let f = |x: Var| with(1, &[x]);
                match plain {
                    true => f(arg(0)),
                    false => custom_jvp(f, |x, dx| jvp(f, x, dx))(arg(0)),
                }
            }
            Kind::Let => with(1, &[arg(0)]),
            kind => unreachable!("{kind:?} is built elsewhere"),
        }
    }
}

/// Records a loop of three steps whose first carries rotate, and whose last is computed from one of them.
fn exchange(plain: bool, carries: usize, a: Var, b: Var, f: impl Fn(Var, Var) -> Var) -> Var {
    let mut start = vec![a, b, a.cos()];
    start.truncate(carries);
    start.push(a + b * 0.5);
    let step = |mut c: Vec<Var>| {
        let next = f(c[0], c[carries]);
        c[..carries].rotate_left(1);
        c[carries] = next;
        c
    };
    let last = match plain {
        true => (0..3).fold(start, |c, _| step(c)),
        false => fori(0..3, start, |_, c| step(c)),
    };
    last[carries] + last[0] * 0.1
}

/// Solves `x + JᵀJ x / 10 = b`, where `J` is the derivative of `f` at `at`; as a `root`, with `x³` added on the
/// left. Either equation has exactly one solution, whatever `f` is.
fn implicit(plain: bool, root: bool, at: Var, b: Var, f: impl Fn(Var) -> Var + Clone) -> Var {
    let apply = |x: Var| {
        let (_, pull) = vjp(f.clone(), at);
        x + pull(jvp(f.clone(), at, x).1) * 0.1
    };
    let equation = |x: Var| apply(x) + x * x * x - b;
    let newton = |f: &dyn Fn(Var) -> Var, x: Var| {
        fori(0..12, x, |_, x| x - dense(&|d| jvp(f, x, d).1, f(x)))
    };
    match (plain, root) {
        (true, false) => dense(&apply, b),
        (true, true) => newton(&equation, b * 0.0),
        (false, false) => custom_linear_solve(apply, b, dense, dense),
        (false, true) => custom_root(equation, b * 0.0, newton, dense),
    }
}

/// Solves a linear system by elimination. It needs no pivoting: the matrix is positive definite.
fn dense(a: &dyn Fn(Var) -> Var, b: Var) -> Var {
    let shape = b.shape();
    let n: usize = shape.iter().product();
    let columns = vmap(|e: Var| a(e.reshape(&shape)).reshape([n]))(wengert::eye(n));
    let mut m: Vec<Vec<Var>> = (0..n)
        .map(|i| (0..n).map(|j| columns.at((j, i))).collect())
        .collect();
    let mut x: Vec<Var> = (0..n).map(|i| b.reshape([n]).at(i)).collect();
    for k in 0..n {
        for i in k + 1..n {
            let factor = m[i][k] / m[k][k];
            let row = m[k].clone();
            for (x, above) in m[i].iter_mut().zip(row).skip(k) {
                *x -= factor * above;
            }
            x[i] = x[i] - factor * x[k];
        }
    }
    for k in (0..n).rev() {
        let known = (k + 1..n).fold(x[k], |sum, j| sum - m[k][j] * x[j]);
        x[k] = known / m[k][k];
    }
    wengert::stack(&x).reshape(&shape)
}

fn each(n: usize, f: impl Fn(usize) -> Var) -> Var {
    wengert::stack((0..n).map(f).collect::<Vec<_>>())
}

fn unrolled(
    init: Var,
    xs: Var,
    reverse: bool,
    step: impl Fn(Var, Var) -> (Var, Var),
) -> (Var, Var) {
    let n = xs.shape()[0];
    let mut ys = vec![];
    let mut carry = init;
    for k in 0..n {
        let i = if reverse { n - 1 - k } else { k };
        let (next, y) = step(carry, xs.at(i));
        carry = next;
        ys.push(y);
    }
    if reverse {
        ys.reverse();
    }
    (carry, wengert::stack(&ys))
}
