//! The errors of derivatives, over the whole range.

use std::fmt;
use std::sync::Arc;

use astro_float::{BigFloat, Sign};
use wengert::prelude::*;
use wengert_ir::ops::rows;

use super::formulas::WALKED;
use super::jet::{Jets, Space};
use super::oracle::{self, Oracle};
use super::walked::Walked;
use super::{Random, Width};

/// Limit of the relative error of a derivative in `f64`.
pub const GOAL: f64 = 1e-13;
/// Limit of the relative error of a derivative in `f32`.
pub const GOAL_F32: f64 = 2e-6;

/// Arguments at which functions change their method, or have nearly reached a limit.
const SPECIAL: &[f64] = &[
    1e-300,
    1e-200,
    1e-160,
    1e-100,
    1e-50,
    1e-38,
    1e-30,
    1e-23,
    1e-20,
    1e-17,
    1e-15,
    1e-10,
    1e-8,
    1e-5,
    1e-3,
    0.01,
    0.1,
    0.25,
    0.3,
    0.45,
    0.499_999,
    0.5,
    0.7,
    0.9,
    0.99,
    0.999_999_999_9,
    1.0,
    1.000_000_000_1,
    1.01,
    1.3,
    1.5,
    2.0,
    2.5,
    3.0,
    4.7,
    5.5,
    7.9,
    8.1,
    10.0,
    15.0,
    18.5,
    19.1,
    20.0,
    24.9,
    25.1,
    30.0,
    36.9,
    40.0,
    75.0,
    87.0,
    88.6,
    90.0,
    100.0,
    127.9,
    128.3,
    200.0,
    300.0,
    345.0,
    500.0,
    690.0,
    697.0,
    700.0,
    708.5,
    709.5,
    712.0,
    744.0,
    1000.0,
    1023.5,
    1024.3,
    1e4,
    1e6,
    1e8,
    1e10,
    1e16,
    1e19,
    2e19,
    1e23,
    1e30,
    1e38,
    1e50,
    1e77,
    1e100,
    1e103,
    1e150,
    1e154,
    1e155,
    1e200,
    1e300,
    1.7e308,
];

type Function = Arc<dyn Fn(&[Var]) -> Var + Send + Sync>;

/// The mode in which a derivative is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Forward,
    Reverse,
}

/// Returns the elementwise derivative of a function by one operand.
fn derivative(f: Function, by: usize, mode: Mode) -> Function {
    Arc::new(move |x: &[Var]| {
        let f = &f;
        match mode {
            Mode::Forward => {
                let of_one = |v: Var| {
                    let mut x = x.to_vec();
                    x[by] = v;
                    f(&x)
                };
                jvp(of_one, x[by], Var::full(&x[by].ty(), 1.0)).1
            }
            Mode::Reverse => {
                let (y, back) = vjp(|x: Vec<Var>| f(&x), x.to_vec());
                back(Var::full(&y.ty(), 1.0))[by]
            }
        }
    })
}

/// The largest error of the derivatives of one order, relative to the value, beyond the effect of two units in
/// the last place of the arguments. Where the value is below the normal numbers, or beyond the largest, the
/// result must be, too.
#[derive(Clone, Debug, Default)]
pub struct Worst {
    /// The error.
    pub error: f64,
    /// Its arguments.
    pub at: Vec<f64>,
    /// The operands and modes of the derivative, the result, and the exact value.
    pub what: String,
}

/// The errors of the derivatives of a function. Its `Display` is a row of the table.
#[derive(Clone, Debug)]
pub struct Slopes {
    /// The function.
    pub title: &'static str,
    /// The float type.
    pub width: Width,
    /// The limit for the first and the second order.
    pub goal: f64,
    /// The factor by which the limit for the third order is larger.
    pub third: f64,
    /// The errors of orders 1, 2 and so on.
    pub worst: Vec<Worst>,
    /// The number of points.
    pub points: usize,
    /// Which results exceed the limit, and why.
    pub note: &'static str,
}

impl Slopes {
    /// Returns whether the errors of the first and the second order are within the limit, and those of the
    /// third within a hundred times the limit, or the factor of the function.
    pub fn holds(&self) -> bool {
        let within =
            |(k, w): (usize, &Worst)| w.error <= self.goal * if k < 2 { 1.0 } else { self.third };
        self.worst.iter().enumerate().all(within)
    }
}

impl Slopes {
    /// Returns the row of the table, and the points of the largest errors.
    pub fn explain(&self) -> String {
        let orders = self.worst.iter().enumerate();
        let places = orders.map(|(k, w)| {
            format!(
                "\n  order {}: {:e} at {:?} {}",
                k + 1,
                w.error,
                w.at,
                w.what
            )
        });
        format!("{self}{}", places.collect::<String>())
    }
}

/// The header of the table of [`Slopes`].
pub const SLOPES_HEADS: &str =
    "| function | type | first | second | third | points | remark |\n|---|---|---|---|---|---|---|";

impl fmt::Display for Slopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = match self.width {
            Width::F64 => "f64",
            Width::F32 => "f32",
        };
        write!(f, "| {} | {width} |", self.title)?;
        for k in 0..3 {
            match self.worst.get(k) {
                Some(w) => write!(f, " {:.1e} |", w.error)?,
                None => write!(f, " |")?,
            }
        }
        write!(f, " {} | {} |", self.points, self.note)
    }
}

impl Walked {
    /// Returns the special points, and random ones.
    fn points(&self, width: Width, count: usize) -> Vec<Vec<f64>> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        // A short run uses every third special argument.
        let step = if count < 10 { 3 } else { 1 };
        let special = SPECIAL.iter().step_by(step);
        let both: Vec<f64> = special.flat_map(|&x| [x, -x]).collect();
        let n = self.arity;
        let mut kinds: Vec<Vec<Vec<f64>>> = vec![];
        if n == 1 {
            kinds.push(both.iter().map(|&x| vec![x]).collect());
        } else {
            let one = |r: &mut Random| both[(r.bits() >> 32) as usize % both.len()];
            let any = |_| (0..n).map(|_| one(&mut random)).collect();
            kinds.push((0..20 * count).map(any).collect());
            // Where arguments are equal or opposite, or one of them is 1, a formula may have a special case.
            let equal = |&x: &f64| {
                let with = move |at: usize, other: f64| {
                    (0..n).map(|k| if k == at { other } else { x }).collect()
                };
                (0..n).flat_map(move |at| [x, -x, 1.0].map(|other| with(at, other)))
            };
            kinds.push(both.iter().flat_map(equal).collect());
        }
        let (low, high) = self.moderate;
        let drawn = |i: usize| {
            let one = |r: &mut Random| match i % 3 {
                0 => r.any(),
                1 => r.within(low, high),
                _ => {
                    let size = 2f64.powf(r.within(-30.0, 12.0));
                    size * if r.bits() & 1 == 0 { 1.0 } else { -1.0 }
                }
            };
            let mut point: Vec<f64> = (0..n).map(|_| one(&mut random)).collect();
            // Some points have operands of similar size.
            if n == 2 && i % 2 == 1 {
                point[1] = point[0] * random.within(-2.0, 2.0);
            }
            point
        };
        kinds.push(
            (0..if n == 1 { count } else { 20 * count })
                .map(drawn)
                .collect(),
        );
        let rounded = |x: f64| match width {
            Width::F64 => x,
            Width::F32 => f64::from(x as f32),
        };
        let least = match width {
            Width::F64 => f64::MIN_POSITIVE,
            Width::F32 => f64::from(f32::MIN_POSITIVE),
        };
        let fits = |p: &Vec<f64>| {
            p.iter().all(|x| x.is_finite() && x.abs() >= least)
                && (self.domain)(p)
                && (width == Width::F64 || (self.narrow)(p))
        };
        let wanted = |points: Vec<Vec<f64>>| {
            let points = points.into_iter();
            let points = points.map(|p| p.into_iter().map(rounded).collect::<Vec<f64>>());
            let points: Vec<Vec<f64>> = points.filter(fits).collect();
            // Takes up to the requested number of each kind; variants come by twos and threes.
            let step = match n {
                1 => 1,
                _ => points.len().div_ceil(2 * count).max(1),
            };
            let step = (step..).find(|s| s % 2 != 0 && s % 3 != 0).unwrap_or(1);
            points.into_iter().step_by(step).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(wanted).collect()
    }
}

/// Measures the errors of the derivatives of a function, at the special points and `count` random ones: for one
/// argument up to the third order, for several up to the second, in forward and in reverse mode and mixed.
///
/// # Errors
/// If a derivative does not compile.
pub fn slopes(walked: &Walked, width: Width, count: usize) -> wengert::Result<Slopes> {
    let orders = if walked.arity == 1 { 3 } else { 2 };
    let points = walked.points(width, count);
    let space = Space::new(walked.arity, orders + 1);
    let mut oracle = Oracle::default();
    let jets: Vec<_> = points
        .iter()
        .map(|p| {
            let value = match walked.needs {
                "" => oracle::zero(),
                name => oracle.value(name, p).expect("it is known"),
            };
            let mut j = Jets {
                space: &space,
                consts: &mut oracle.consts,
            };
            let x: Vec<_> = (0..p.len()).map(|k| j.variable(k, p[k])).collect();
            (walked.exact)(&mut j, &x, p, value)
        })
        .collect();
    let args: Vec<Array> = (0..walked.arity)
        .map(|k| {
            let column: Vec<f64> = points.iter().map(|p| p[k]).collect();
            match width {
                Width::F64 => Array::from(column),
                Width::F32 => Array::from(column.iter().map(|&x| x as f32).collect::<Vec<_>>()),
            }
        })
        .collect();

    let goal = match width {
        Width::F64 => walked.goal,
        Width::F32 => GOAL_F32.max(walked.goal),
    };
    let apply = walked.apply;
    let mut found = Slopes {
        title: walked.title,
        width,
        goal,
        third: walked.third,
        worst: vec![],
        points: points.len(),
        note: walked.note,
    };
    let mut stage: Vec<(Vec<usize>, Vec<Mode>, Function)> =
        vec![(vec![], vec![], Arc::new(move |x: &[Var]| apply(x)))];
    for order in 1..=orders {
        let mut next = vec![];
        for (by, modes, f) in &stage {
            for operand in (0..walked.arity).filter(|k| !walked.steps.contains(k)) {
                for mode in [Mode::Forward, Mode::Reverse] {
                    // The third order is taken in one mode only.
                    if order > 2 && modes.iter().any(|&m| m != mode) {
                        continue;
                    }
                    let by = [&by[..], &[operand]].concat();
                    let modes = [&modes[..], &[mode]].concat();
                    next.push((by, modes, derivative(f.clone(), operand, mode)));
                }
            }
        }
        let all = next.clone();
        let f = jit(move |x: Vec<Var>| -> Vec<Var> { all.iter().map(|(_, _, f)| f(&x)).collect() });
        let got = f.call(args.clone())?;
        let mut worst = Worst::default();
        for ((by, modes, _), got) in next.iter().zip(&got) {
            let got: Vec<f64> = match width {
                Width::F64 => got.to_vec::<f64>()?,
                Width::F32 => got.to_vec::<f32>()?.into_iter().map(f64::from).collect(),
            };
            for ((point, jet), &got) in points.iter().zip(&jets).zip(&got) {
                // Intermediate products with the largest floats overflow.
                let large = if width == Width::F64 { 1e300 } else { 1e37 };
                if order > 2 && point[0].abs() > large {
                    continue;
                }
                let exact = space.derivative(jet, by);
                let near = (0..walked.arity).map(|k| {
                    let next = space.derivative(jet, &[&by[..], &[k]].concat());
                    oracle::size(&next) * point[k].abs()
                });
                let error = error(got, &exact, near.sum(), width);
                if error > worst.error || error.is_nan() {
                    worst = Worst {
                        error: if error.is_nan() { f64::INFINITY } else { error },
                        at: point.clone(),
                        what: format!("by {by:?}, {modes:?}: {got:e} for {:e}", signed(&exact)),
                    };
                }
            }
        }
        found.worst.push(worst);
        stage = next;
    }
    Ok(found)
}

fn signed(x: &BigFloat) -> f64 {
    match x.sign() {
        Some(Sign::Neg) => -oracle::size(x),
        _ => oracle::size(x),
    }
}

/// Returns the error of a derivative, where `moved` is the sum of the absolute values of the arguments times
/// the next derivatives.
fn error(got: f64, exact: &BigFloat, moved: f64, width: Width) -> f64 {
    let (least, most, ulp) = match width {
        Width::F64 => (f64::MIN_POSITIVE, f64::MAX, 2f64.powi(-52)),
        Width::F32 => (
            f64::from(f32::MIN_POSITIVE),
            f64::from(f32::MAX),
            2f64.powi(-23),
        ),
    };
    let size = oracle::size(exact);
    let granted = 2.0 * ulp * moved;
    let same_side = got.is_sign_negative() == (exact.sign() == Some(Sign::Neg));
    if got.is_nan() || exact.is_nan() {
        return f64::INFINITY;
    }
    // A value outside the normal range only needs a result that is as small, or as large.
    if size < least {
        return if got.abs() <= 2.0 * least + granted {
            0.0
        } else {
            f64::INFINITY
        };
    }
    if size > most {
        let large = same_side && got.abs() >= most * (1.0 - 1e-6);
        return if large { 0.0 } else { f64::INFINITY };
    }
    if got.is_infinite() {
        let rounded = same_side && size + granted >= most * (1.0 - 1e-6);
        return if rounded { 0.0 } else { f64::INFINITY };
    }
    let distance = oracle::distance(got, exact);
    (distance - granted).max(0.0) / size
}

/// Returns the functions to check whose rows all exist.
pub fn walked() -> impl Iterator<Item = &'static Walked> {
    let known = |w: &&Walked| w.rows.iter().all(|name| rows::find(name).is_some());
    WALKED.into_iter().flatten().filter(known)
}
