//! The operations by the names of the reference cases: what each means as a function of `Var`s,
//! given its parameters.

use std::sync::Arc;

use serde_json::{Map, Value};
use wengert::prelude::*;
use wengert_ir::trace::{Along, Span};

use super::linalg::LINALG;
use super::params::Params;
use super::signals::{CONVOLUTION, FOURIER};

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

/// The names of all operations.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|t| t.iter()).map(|(name, _)| *name)
}

pub type Row = (&'static str, fn(&mut Params) -> Operation);

const TABLE: [&[Row]; 11] = [
    NUMBERS,
    PAIRS,
    REDUCTIONS,
    LAYOUT,
    PARTS,
    PRODUCTS,
    LINALG,
    NUMERIC,
    STATISTICS,
    FOURIER,
    CONVOLUTION,
];

pub fn of_one(f: impl Fn(Var) -> Var + Send + Sync + 'static) -> Operation {
    Arc::new(move |x| vec![f(x[0])])
}

pub fn of_two(f: impl Fn(Var, Var) -> Var + Send + Sync + 'static) -> Operation {
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
    ("sinc", |_| of_one(Var::sinc)),
    ("log_sigmoid", |_| of_one(Var::log_sigmoid)),
    ("relu", |_| of_one(Var::relu)),
    ("gelu", |_| of_one(Var::gelu)),
    ("silu", |_| of_one(Var::silu)),
    ("erf_inv", |_| of_one(Var::erf_inv)),
    ("lgamma", |_| of_one(Var::lgamma)),
    ("digamma", |_| of_one(Var::digamma)),
    ("nan_to_num", |_| of_one(Var::nan_to_num)),
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
    ("hypot", |_| of_two(Var::hypot)),
    ("copysign", |_| of_two(Var::copysign)),
    ("xlogy", |_| of_two(Var::xlogy)),
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
    ("clip", |_| of_three(Var::clip)),
    ("lerp", |_| of_three(Var::lerp)),
    ("select", |_| {
        // Conditions, then their values, then the default.
        of_all(|x| {
            let n = x.len() / 2;
            let cases: Vec<(Var, Var)> = (0..n).map(|i| (x[i], x[n + i])).collect();
            wengert::select(&cases, x[2 * n])
        })
    }),
    ("isclose", |p| {
        let (relative, absolute) = (p.float_or("rtol", 1e-5), p.float_or("atol", 1e-8));
        of_two(move |x, y| x.is_close(y, relative, absolute))
    }),
    ("allclose", |p| {
        let (relative, absolute) = (p.float_or("rtol", 1e-5), p.float_or("atol", 1e-8));
        of_two(move |x, y| x.all_close(y, relative, absolute))
    }),
];

/// A reduction of all elements, or along axes that go or stay with length 1.
fn reduction(p: &mut Params, all: fn(Var) -> Var, along: fn(Var, Along) -> Var) -> Operation {
    let (axes, stay) = (p.axes("axes"), p.flag("keepdims"));
    of_one(move |x| match (&axes, stay) {
        (None, false) => all(x),
        (axes, stay) => along(x, which(axes, stay)),
    })
}

/// Some axes or all, that go or stay.
fn which(axes: &Option<Vec<i64>>, stay: bool) -> Along {
    let which = match axes {
        None => Along::from(..),
        Some(axes) => axes.into(),
    };
    if stay { keep(which) } else { which }
}

/// A reduction that divides by the number of elements less `ddof`.
fn spread(
    p: &mut Params,
    all: fn(Var) -> Var,
    along: fn(Var, Along) -> Var,
    ddof: fn(Var, Along, f64) -> Var,
) -> Operation {
    if !p.has("ddof") {
        return reduction(p, all, along);
    }
    let (axes, stay, by) = (p.axes("axes"), p.flag("keepdims"), p.float("ddof"));
    of_one(move |x| ddof(x, which(&axes, stay), by))
}

/// The place of an extreme among all, or along an axis.
fn extreme_place(p: &mut Params, all: fn(Var) -> Var, along: fn(Var, i64) -> Var) -> Operation {
    let (axes, stay) = (p.axes("axes"), p.flag("keepdims"));
    of_one(move |x| match axes.as_deref() {
        None => all(x),
        Some(&[axis]) if stay => along(x, axis).expand_dims(axis),
        Some(&[axis]) => along(x, axis),
        Some(axes) => panic!("the axes {axes:?}"),
    })
}

/// What runs along one axis.
fn along(p: &mut Params, f: fn(Var, i64) -> Var) -> Operation {
    let axis = p.int_or("axis", -1);
    of_one(move |x| f(x, axis))
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
    ("var", |p| spread(p, Var::var, Var::var_axis, Var::var_ddof)),
    ("std", |p| spread(p, Var::std, Var::std_axis, Var::std_ddof)),
    ("ptp", |p| reduction(p, Var::ptp, Var::ptp_axis)),
    ("count_nonzero", |p| {
        reduction(p, Var::count_nonzero, Var::count_nonzero_axis)
    }),
    ("logsumexp", |p| {
        reduction(p, Var::logsumexp, Var::logsumexp_axis)
    }),
    ("nansum", |p| reduction(p, Var::nansum, Var::nansum_axis)),
    ("nanprod", |p| reduction(p, Var::nanprod, Var::nanprod_axis)),
    ("nanmax", |p| reduction(p, Var::nanmax, Var::nanmax_axis)),
    ("nanmin", |p| reduction(p, Var::nanmin, Var::nanmin_axis)),
    ("nanmean", |p| reduction(p, Var::nanmean, Var::nanmean_axis)),
    ("nanvar", |p| {
        spread(p, Var::nanvar, Var::nanvar_axis, Var::nanvar_ddof)
    }),
    ("nanstd", |p| {
        spread(p, Var::nanstd, Var::nanstd_axis, Var::nanstd_ddof)
    }),
    ("argmax", |p| {
        extreme_place(p, Var::argmax, Var::argmax_axis)
    }),
    ("argmin", |p| {
        extreme_place(p, Var::argmin, Var::argmin_axis)
    }),
    ("cumsum", |p| along(p, Var::cumsum)),
    ("cumprod", |p| along(p, Var::cumprod)),
    ("cummax", |p| along(p, Var::cummax)),
    ("cummin", |p| along(p, Var::cummin)),
    ("cumlogsumexp", |p| along(p, Var::cumlogsumexp)),
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
        let axes = p.ints("axis");
        of_one(move |x| x.expand_dims(&axes))
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
        of_one(move |x| x.slice(parts.clone()))
    }),
    ("flip", |p| {
        let axes = p.ints("axis");
        of_one(move |x| x.flip(&axes))
    }),
    ("roll", |p| {
        let (by, axes) = (p.ints("shift"), p.ints("axis"));
        of_one(move |x| x.roll(&by, &axes))
    }),
    ("rot90", |p| {
        let quarters = p.int_or("k", 1) as i32;
        of_one(move |x| x.rot90(quarters))
    }),
    ("moveaxis", |p| {
        let (from, to) = (p.ints("from"), p.ints("to"));
        of_one(move |x| x.move_axis(&from, &to))
    }),
    ("swapaxes", |p| {
        let axes = p.ints("axes");
        of_one(move |x| x.swap_axes(axes[0], axes[1]))
    }),
    ("ravel", |_| of_one(Var::ravel)),
    ("atleast_1d", |_| of_one(Var::atleast_1d)),
    ("atleast_2d", |_| of_one(Var::atleast_2d)),
    ("atleast_3d", |_| of_one(Var::atleast_3d)),
    ("pad", |p| {
        let widths = p.pairs("pads");
        let rule = match &p.text_or("mode", "constant")[..] {
            "constant" => {
                let value = p.float_or("value", 0.0);
                return of_one(move |x| x.pad_with(&widths, value));
            }
            "edge" => wengert::Padding::Edge,
            "reflect" => wengert::Padding::Reflect,
            "symmetric" => wengert::Padding::Symmetric,
            "wrap" => wengert::Padding::Wrap,
            other => panic!("the padding {other}"),
        };
        of_one(move |x| x.pad_by(&widths, rule))
    }),
    ("tile", |p| {
        let times = p.ints("reps");
        of_one(move |x| x.tile(&times))
    }),
    ("repeat", |p| {
        let (n, axis) = (p.count("n"), p.int("axis"));
        of_one(move |x| x.repeat(n, axis))
    }),
    ("split", |p| {
        let (parts, axis) = (p.count("n"), p.int_or("axis", 0));
        Arc::new(move |x| x[0].split(parts, axis))
    }),
    ("array_split", |p| {
        let (parts, axis) = (p.count("n"), p.int_or("axis", 0));
        Arc::new(move |x| x[0].array_split(parts, axis))
    }),
    ("tril", |p| {
        let k = p.int_or("k", 0) as isize;
        of_one(move |x| x.tril_at(k))
    }),
    ("triu", |p| {
        let k = p.int_or("k", 0) as isize;
        of_one(move |x| x.triu_at(k))
    }),
    ("diag", |p| {
        let k = p.int_or("k", 0) as isize;
        of_one(move |x| x.diag_at(k))
    }),
    ("diagonal", |p| plane(p, Var::diagonal_at)),
    ("trace", |p| plane(p, Var::trace_at)),
    ("meshgrid", |_| {
        Arc::new(|x| meshgrid([x[0], x[1]]).to_vec())
    }),
];

/// A diagonal of two axes.
fn plane(p: &mut Params, f: fn(Var, isize, Vec<i64>) -> Var) -> Operation {
    let k = p.int_or("k", 0) as isize;
    let axes = p.axes("axes").unwrap_or(vec![0, 1]);
    of_one(move |x| f(x, k, axes.clone()))
}

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
    ("take_along_axis", |p| {
        let axis = p.int("axis");
        of_two(move |x, i| x.take_along_axis(i, axis))
    }),
    ("one_hot", |p| {
        let n = p.count("n");
        of_one(move |i| i.one_hot(n))
    }),
    ("dynamic_slice", |p| {
        let sizes = p.ints("sizes");
        of_all(move |x| x[0].dynamic_slice(&from_the_end(x[0], &x[1..]), &sizes))
    }),
    ("dynamic_update_slice", |_| {
        of_all(|x| x[0].dynamic_update(x[1], &from_the_end(x[0], &x[2..])))
    }),
    ("sort", |p| along(p, Var::sort)),
    ("argsort", |p| along(p, Var::argsort)),
    ("top_k", |p| {
        let k = p.count("k");
        // Places are i64; those of the references are i32.
        Arc::new(move |x| {
            let (largest, places) = x[0].top_k(k);
            vec![largest, places.to(DType::I32)]
        })
    }),
    ("searchsorted", |p| {
        let side = p.text_or("side", "left");
        of_two(move |x, values| match &side[..] {
            "left" => x.searchsorted(values).to(DType::I32),
            "right" => x.searchsorted_right(values).to(DType::I32),
            other => panic!("the side {other}"),
        })
    }),
    ("index_set", |_| of_three(|x, i, u| x.at_set(i, u))),
    ("index_add", |_| of_three(|x, i, u| x.at_add(i, u))),
    ("index_mul", |_| of_three(|x, i, u| x.at_mul(i, u))),
    ("index_min", |_| of_three(|x, i, u| x.at_min(i, u))),
    ("index_max", |_| of_three(|x, i, u| x.at_max(i, u))),
];

/// Products of arrays.
const PRODUCTS: &[Row] = &[
    ("dot", |_| of_two(Var::dot)),
    ("matmul", |_| of_two(Var::matmul)),
    ("outer", |_| of_two(Var::outer)),
    ("tensordot", |p| {
        let axes = p.lists("axes");
        let pairs = axes[0].iter().copied().zip(axes[1].iter().copied());
        let pairs: Vec<(i64, i64)> = pairs.collect();
        of_two(move |x, y| x.tensordot(y, &pairs))
    }),
    ("inner", |_| of_two(Var::inner)),
    ("kron", |_| of_two(Var::kron)),
    ("cross", |p| {
        let axis = p.int_or("axis", -1);
        of_two(move |x, y| x.cross_axis(y, axis))
    }),
    ("einsum", |p| {
        let spec = p.text("spec");
        of_all(move |x| einsum(&spec, x))
    }),
];

/// The spacing of samples: a parameter, or the second argument.
fn samples(
    p: &mut Params,
    number: fn(Var, f64, i64) -> Var,
    places: fn(Var, Var, i64) -> Var,
) -> Operation {
    let (dx, axis) = (p.float_or("dx", 1.0), p.int_or("axis", -1));
    of_all(move |x| match x {
        [y] => number(*y, dx, axis),
        _ => places(x[0], x[1], axis),
    })
}

pub fn overlap(p: &mut Params, default: &str) -> wengert::Overlap {
    match &p.text_or("mode", default)[..] {
        "full" => wengert::Overlap::Full,
        "same" => wengert::Overlap::Same,
        "valid" => wengert::Overlap::Valid,
        other => panic!("the mode {other}"),
    }
}

/// Numerics: samples, polynomials, norms.
const NUMERIC: &[Row] = &[
    ("diff", |p| along(p, Var::diff)),
    ("gradient", |p| samples(p, Var::gradient, Var::gradient)),
    ("trapezoid", |p| samples(p, Var::trapezoid, Var::trapezoid)),
    ("cumulative_trapezoid", |p| {
        samples(p, Var::cumulative_trapezoid, Var::cumulative_trapezoid)
    }),
    ("interp", |_| of_three(Var::interp)),
    ("polyval", |_| of_two(Var::polyval)),
    ("vander", |p| {
        let n = p.count("n");
        of_one(move |x| x.vander(n))
    }),
    ("convolve", |p| {
        let part = overlap(p, "full");
        of_two(move |x, y| x.convolve(y, part))
    }),
    ("correlate", |p| {
        let part = overlap(p, "valid");
        of_two(move |x, y| x.correlate(y, part))
    }),
    ("norm", |p| {
        let (order, axes, stay) = (p.float_or("ord", 2.0), p.axes("axis"), p.flag("keepdims"));
        of_one(move |x| match (order, &axes) {
            (2.0, axes) => x.norm_axis(which(axes, stay)),
            (order, axes) => x.norm_ord(order, which(axes, stay)),
        })
    }),
    ("cdist", |_| of_two(Var::cdist)),
    ("cdist_squared", |_| of_two(Var::cdist_squared)),
    ("softmax", |p| {
        let axes = p.ints("axis");
        of_one(move |x| x.softmax(&axes))
    }),
    ("log_softmax", |p| {
        let axes = p.ints("axis");
        of_one(move |x| x.log_softmax(&axes))
    }),
    ("linspace", |p| {
        let n = p.count("n");
        of_two(move |a, b| linspace(a, b, n))
    }),
    ("logspace", |p| {
        let n = p.count("n");
        of_two(move |a, b| logspace(a, b, n))
    }),
    ("geomspace", |p| {
        let n = p.count("n");
        of_two(move |a, b| geomspace(a, b, n))
    }),
];

/// Averages and correlation.
const STATISTICS: &[Row] = &[
    ("average", |p| {
        let (axes, stay) = (p.axes("axes"), p.flag("keepdims"));
        of_two(move |x, w| x.average_axis(w, which(&axes, stay)))
    }),
    ("cov", |p| {
        let ddof = p.float_or("ddof", 1.0);
        of_one(move |x| x.cov_ddof(ddof))
    }),
    ("median", |p| reduction(p, Var::median, Var::median_axis)),
    ("quantile", |p| {
        let (q, axes, stay) = (p.float("q"), p.axes("axes"), p.flag("keepdims"));
        of_one(move |x| x.quantile_axis(q, which(&axes, stay)))
    }),
    ("quantiles", |p| {
        let (axes, stay) = (p.axes("axes"), p.flag("keepdims"));
        of_two(move |x, q| x.quantile_axis(q, which(&axes, stay)))
    }),
    ("percentile", |p| {
        let (q, axes, stay) = (p.float("q"), p.axes("axes"), p.flag("keepdims"));
        of_one(move |x| x.percentile_axis(q, which(&axes, stay)))
    }),
    ("digitize", |_| of_two(Var::digitize)),
    ("histogram", |_| {
        of_all(|x| match x {
            [x, edges] => x.histogram(*edges),
            _ => x[0].histogram_weighted(x[1], x[2]),
        })
    }),
    ("bincount", |p| {
        let n = p.count("length");
        of_one(move |x| x.bincount(n))
    }),
    ("corrcoef", |_| of_one(Var::corrcoef)),
];
