//! The operations by the names of the reference cases: what each means as a function of `Var`s,
//! given its parameters.

use std::sync::Arc;

use serde_json::{Map, Value};
use wengert::prelude::*;
use wengert_ir::trace::{Along, Span, Spans};

use crate::params::Params;

/// An operation whose parameters are known.
pub type Operation = Arc<dyn Fn(&[Var]) -> Vec<Var> + Send + Sync>;

/// The operation of that name and those parameters. One that is unknown is an error.
pub fn operation(name: &str, given: &Map<String, Value>) -> Result<Operation, String> {
    let Some((_, with)) = TABLE
        .iter()
        .flat_map(|t| t.iter())
        .find(|(n, _)| *n == name)
    else {
        return Err("an unknown operation".into());
    };
    let mut params = Params::new(given);
    let operation = with(&mut params);
    match &params.left()[..] {
        [] => Ok(operation),
        left => Err(format!("unknown parameters {left:?}")),
    }
}

type Row = (&'static str, fn(&mut Params) -> Operation);

const TABLE: [&[Row]; 8] = [
    NUMBERS, PAIRS, REDUCTIONS, LAYOUT, PARTS, PRODUCTS, NUMERIC, STATISTICS,
];

fn of_one(f: impl Fn(Var) -> Var + Send + Sync + 'static) -> Operation {
    Arc::new(move |x| vec![f(x[0])])
}

fn of_two(f: impl Fn(Var, Var) -> Var + Send + Sync + 'static) -> Operation {
    Arc::new(move |x| vec![f(x[0], x[1])])
}

fn of_three(f: impl Fn(Var, Var, Var) -> Var + Send + Sync + 'static) -> Operation {
    Arc::new(move |x| vec![f(x[0], x[1], x[2])])
}

fn of_all(f: impl Fn(&[Var]) -> Var + Send + Sync + 'static) -> Operation {
    Arc::new(move |x| vec![f(x)])
}

/// Functions of one number.
const NUMBERS: &[Row] = &[
    ("neg", |_| of_one(|x| -x)),
    ("not", |_| of_one(|x| !x)),
    ("abs", |_| of_one(Var::abs)),
    ("sign", |_| of_one(Var::sign)),
    ("floor", |_| of_one(Var::floor)),
    ("ceil", |_| of_one(Var::ceil)),
    ("round", |_| of_one(Var::round)),
    ("exp", |_| of_one(Var::exp)),
    ("exp2", |_| of_one(Var::exp2)),
    ("expm1", |_| of_one(Var::expm1)),
    ("log", |_| of_one(Var::log)),
    ("log2", |_| of_one(Var::log2)),
    ("log10", |_| of_one(Var::log10)),
    ("log1p", |_| of_one(Var::log1p)),
    ("sqrt", |_| of_one(Var::sqrt)),
    ("rsqrt", |_| of_one(Var::rsqrt)),
    ("cbrt", |_| of_one(Var::cbrt)),
    ("sin", |_| of_one(Var::sin)),
    ("cos", |_| of_one(Var::cos)),
    ("tan", |_| of_one(Var::tan)),
    ("asin", |_| of_one(Var::asin)),
    ("acos", |_| of_one(Var::acos)),
    ("atan", |_| of_one(Var::atan)),
    ("sinh", |_| of_one(Var::sinh)),
    ("cosh", |_| of_one(Var::cosh)),
    ("tanh", |_| of_one(Var::tanh)),
    ("asinh", |_| of_one(Var::asinh)),
    ("acosh", |_| of_one(Var::acosh)),
    ("atanh", |_| of_one(Var::atanh)),
    ("sigmoid", |_| of_one(Var::sigmoid)),
    ("softplus", |_| of_one(Var::softplus)),
    ("erf", |_| of_one(Var::erf)),
    ("erfc", |_| of_one(Var::erfc)),
    ("recip", |_| of_one(Var::recip)),
    ("square", |_| of_one(Var::square)),
    ("is_finite", |_| of_one(Var::is_finite)),
    ("is_nan", |_| of_one(Var::is_nan)),
];

/// Functions of several numbers.
const PAIRS: &[Row] = &[
    ("add", |_| of_two(|x, y| x + y)),
    ("sub", |_| of_two(|x, y| x - y)),
    ("mul", |_| of_two(|x, y| x * y)),
    ("div", |_| of_two(|x, y| x / y)),
    ("rem", |_| of_two(|x, y| x % y)),
    ("pow", |_| of_two(Var::powf)),
    ("atan2", |_| of_two(Var::atan2)),
    ("logaddexp", |_| of_two(Var::logaddexp)),
    ("lt", |_| of_two(Var::lt)),
    ("le", |_| of_two(Var::le)),
    ("gt", |_| of_two(Var::gt)),
    ("ge", |_| of_two(Var::ge)),
    ("eq", |_| of_two(Var::eq)),
    ("ne", |_| of_two(Var::ne)),
    ("and", |_| of_two(|x, y| x & y)),
    ("or", |_| of_two(|x, y| x | y)),
    ("xor", |_| of_two(|x, y| x ^ y)),
    ("shift_left", |_| of_two(|x, y| x << y)),
    ("shift_right", |_| of_two(|x, y| x >> y)),
    ("where", |_| of_three(Var::select)),
];

/// A reduction of all elements, or along axes that go or stay with length 1.
fn reduction(p: &mut Params, all: fn(Var) -> Var, along: fn(Var, Along) -> Var) -> Operation {
    let (axes, stay) = (p.axes("axes"), p.flag("keepdims"));
    of_one(move |x| match (&axes, stay) {
        (None, false) => all(x),
        (None, true) => along(x, keep(..)),
        (Some(axes), false) => along(x, axes.into()),
        (Some(axes), true) => along(x, keep(axes)),
    })
}

/// The larger or the smaller of two numbers, or, where axes are named, of all numbers along them.
fn extreme(
    p: &mut Params,
    of_two_numbers: fn(Var, Var) -> Var,
    all: fn(Var) -> Var,
    along: fn(Var, Along) -> Var,
) -> Operation {
    match p.has("axes") {
        true => reduction(p, all, along),
        false => of_two(of_two_numbers),
    }
}

/// Reductions, and what runs along an axis.
const REDUCTIONS: &[Row] = &[
    ("sum", |p| reduction(p, Var::sum, Var::sum_axis)),
    ("prod", |p| reduction(p, Var::prod, Var::prod_axis)),
    ("max", |p| {
        extreme(p, Var::maximum, Var::amax, Var::amax_axis)
    }),
    ("min", |p| {
        extreme(p, Var::minimum, Var::amin, Var::amin_axis)
    }),
    ("mean", |p| reduction(p, Var::mean, Var::mean_axis)),
    ("any", |p| reduction(p, Var::any, Var::any_axis)),
    ("all", |p| reduction(p, Var::all, Var::all_axis)),
];

/// What only moves or repeats elements.
const LAYOUT: &[Row] = &[
    ("reshape", |p| {
        let dims = p.ints("shape");
        of_one(move |x| x.reshape(&dims))
    }),
    ("transpose", |p| {
        let order = p.ints("perm");
        of_one(move |x| x.transpose(&order))
    }),
    ("broadcast_to", |p| {
        let dims = p.ints("shape");
        of_one(move |x| x.broadcast_to(&dims))
    }),
    ("squeeze", |p| {
        let axes = p.ints("axis");
        of_one(move |x| x.squeeze_axis(&axes))
    }),
    ("expand_dims", |p| {
        let axis = p.int("axis");
        of_one(move |x| x.expand_dims(axis))
    }),
    ("concat", |p| {
        let axis = p.int("axis");
        of_all(move |x| concat(x, axis))
    }),
    ("stack", |p| {
        let axis = p.int("axis");
        of_all(move |x| stack_axis(x, axis))
    }),
    ("slice", |p| {
        let (start, stop) = (p.ints("start"), p.ints("stop"));
        let step = p.axes("step").unwrap_or(vec![1; start.len()]);
        let part = |i: usize| Span::from(start[i]..stop[i]).by(step[i] as usize);
        let parts: Vec<Span> = (0..start.len()).map(part).collect();
        of_one(move |x| x.slice(Spans(parts.clone())))
    }),
    ("flip", |p| {
        let axes = p.ints("axis");
        of_one(move |x| x.flip(&axes))
    }),
    ("roll", |p| {
        let (by, axis) = (p.int("shift") as isize, p.int("axis"));
        of_one(move |x| x.roll(by, axis))
    }),
    ("moveaxis", |p| {
        let (from, to) = (p.int("from"), p.int("to"));
        of_one(move |x| x.move_axis(from, to))
    }),
];

/// JAX counts traced places that are negative from the end; here they are moved to 0.
fn from_the_end(x: Var, start: &[Var]) -> Vec<Var> {
    let place = |(i, n): (&Var, usize)| i.lt(0).select(*i + n, *i);
    start.iter().zip(x.shape()).map(place).collect()
}

/// Reading and writing parts.
const PARTS: &[Row] = &[
    ("take", |p| {
        let axis = p.int("axis");
        of_two(move |x, i| x.take(i, axis))
    }),
    ("dynamic_slice", |p| {
        let sizes = p.ints("sizes");
        of_all(move |x| x[0].dynamic_slice(&from_the_end(x[0], &x[1..]), &sizes))
    }),
    ("dynamic_update_slice", |_| {
        of_all(|x| x[0].dynamic_update(x[1], &from_the_end(x[0], &x[2..])))
    }),
    ("index_set", |_| of_three(|x, i, u| x.at_set(i, u))),
    ("index_add", |_| of_three(|x, i, u| x.at_add(i, u))),
];

/// Products of arrays.
const PRODUCTS: &[Row] = &[
    ("dot", |_| of_two(Var::dot)),
    ("matmul", |_| of_two(Var::matmul)),
    ("outer", |_| of_two(Var::outer)),
    ("tensordot", |p| {
        let axes = p.lists("axes");
        let pairs = axes[0].iter().zip(&axes[1]);
        let pairs: Vec<_> = pairs.map(|(&a, &b)| (a as isize, b as isize)).collect();
        of_two(move |x, y| x.tensordot(y, &pairs))
    }),
];

const NUMERIC: &[Row] = &[];
const STATISTICS: &[Row] = &[];
