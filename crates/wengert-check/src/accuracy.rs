//! Measurement of the errors of the elementary and special functions.
//!
//! `f64` results are compared with an arbitrary-precision library, at random points of all magnitudes and of
//! the magnitudes where methods change. `f32` results are compared with those in `f64`: at random points, or at every
//! `f32`.
//!
//! ```
//! use wengert_check::accuracy::{SUBJECTS, Width, measure};
//!
//! let exp = SUBJECTS.iter().find(|s| s.name == "exp").expect("it is measured");
//! let found = measure(exp, Width::F64, 1000);
//! assert!(found.error < 1.0, "{found}");
//! ```

mod derivatives;
mod every;
mod formulas;
mod jet;
mod oracle;
mod points;
mod series;
mod tables;
mod tails;
mod walked;
mod witness;

pub use derivatives::{GOAL, GOAL_F32, SLOPES_HEADS, Slopes, Worst, slopes, walked};
pub use every::{SWEPT_HEADS, Swept, sweep_f32, swept};
pub use formulas::NOT_WALKED;
pub use oracle::{Oracle, ulps};
pub use points::{EXACT, Random, SUBJECTS, Subject, TABLED, Tabled};
pub use tables::compare;
pub use walked::Walked;
pub use witness::{Witness, witness};

use std::fmt;

use smallvec::SmallVec;
use wengert_ir::buffer::Element;
use wengert_ir::elementary::{eval, eval_single};
use wengert_ir::ir::DType;
use wengert_ir::ops::rows::{self, Define, Row};
use wengert_ir::scalar::{Exact, Scalar};

/// A limit of an error, with its unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Limit {
    /// In units in the last place of the exact value.
    Ulp(f64),
    /// Relative to the exact value.
    Relative(f64),
    /// Relative to the exact value, or to 1 where that is smaller: for functions with zeros.
    Scaled(f64),
}

/// The float type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// 64 bits.
    F64,
    /// 32 bits.
    F32,
}

/// The largest error found. Its `Display` is a row of the table.
#[derive(Clone, Debug)]
pub struct Found {
    /// The function.
    pub subject: Subject,
    /// The float type.
    pub width: Width,
    /// The largest error, in the unit of the subject's limit for `f64`, in ulp for `f32`.
    pub error: f64,
    /// Its arguments.
    pub at: Vec<f64>,
    /// The number of points.
    pub points: u64,
}

impl Found {
    fn new(subject: &Subject, width: Width) -> Found {
        Found {
            subject: *subject,
            width,
            error: 0.0,
            at: vec![],
            points: 0,
        }
    }

    fn point(&mut self, error: f64, at: &[f64]) {
        self.points += 1;
        // NaN is the largest error.
        if !matches!(error.partial_cmp(&self.error), Some(o) if o.is_le()) {
            self.error = if error.is_nan() { f64::INFINITY } else { error };
            self.at = at.to_vec();
        }
    }

    fn join(mut self, other: Found) -> Found {
        self.points += other.points;
        if other.error > self.error {
            (self.error, self.at) = (other.error, other.at);
        }
        self
    }

    /// Returns whether the error is within the limit, which is 1 ulp in `f32`.
    pub fn holds(&self) -> bool {
        match (self.width, self.subject.limit) {
            (Width::F32, _) => self.error <= 1.0,
            (Width::F64, Limit::Ulp(limit) | Limit::Relative(limit) | Limit::Scaled(limit)) => {
                self.error <= limit
            }
        }
    }
}

/// The header of the table.
pub const HEADS: &str = "| function | type | largest error | at | points |\n|---|---|---|---|---|";

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match (self.width, self.subject.limit) {
            (Width::F64, Limit::Relative(_) | Limit::Scaled(_)) => format!("{:.1e}", self.error),
            _ => format!("{:.3} ulp", self.error),
        };
        let width = match self.width {
            Width::F64 => "f64",
            Width::F32 => "f32",
        };
        let at: Vec<String> = self.at.iter().map(|x| format!("{x:?}")).collect();
        let (title, at, points) = (self.subject.title(), at.join(", "), self.points);
        write!(f, "| {title} | {width} | {error} | {at} | {points} |")
    }
}

/// Returns the row of a subject.
fn row_of(subject: &Subject) -> &'static Row {
    let row = rows::find(subject.name);
    row.unwrap_or_else(|| panic!("{} is no operation", subject.name))
        .row()
}

/// Evaluates a row in `f64`.
fn wide(row: &Row, x: &[f64]) -> f64 {
    match row.define {
        Define::Elementary(f) => eval(f, x),
        _ => f64::from_bits(scalar(row, DType::F64, x.iter().map(|x| x.to_bits()))),
    }
}

/// Returns the error of a row in `f32` at floats that are `f32`s.
fn error_f32(row: &Row, x: &[f64]) -> f64 {
    let exact = wide(row, x);
    let y = match row.define {
        Define::Elementary(f) => {
            let x: SmallVec<[f32; 3]> = x.iter().map(|&x| x as f32).collect();
            eval_single(f, &x)
        }
        _ => {
            let bits = x.iter().map(|&x| Element::to_bits(x as f32));
            f32::from_bits(scalar(row, DType::F32, bits) as u32)
        }
    };
    ulps_f32(y, exact)
}

fn scalar(row: &Row, dtype: DType, x: impl Iterator<Item = u64>) -> u64 {
    let x: SmallVec<[Scalar; 3]> = x.map(|id| Scalar { dtype, id }).collect();
    row.define.apply(&mut Exact, &x).id
}

/// Returns the distance of `y` from `exact` in ulp of `f32`. An infinite `y` counts as `2^128`.
fn ulps_f32(y: f32, exact: f64) -> f64 {
    if f64::from(y) == exact || (y.is_nan() && exact.is_nan()) {
        return 0.0;
    }
    let y = match y.is_infinite() {
        true => f64::from(y.signum()) * 2f64.powi(128),
        false => f64::from(y),
    };
    if exact.abs() >= 2f64.powi(128) && y.abs() == 2f64.powi(128) && y.signum() == exact.signum() {
        return 0.0;
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    (y - exact).abs() / 2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// Measures the largest error of a function at this many random points, counting those outside its domain.
pub fn measure(subject: &Subject, width: Width, points: u64) -> Found {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut oracle = Oracle::default();
    let row = row_of(subject);
    let mut found = Found::new(subject, width);
    for i in 0..points as usize {
        let mut x = subject.point(&mut random, i);
        if width == Width::F32 {
            // Random floats of all magnitudes are mostly too large or too small for `f32`.
            if i.is_multiple_of(4) {
                x = x.iter().map(|_| any_f32(&mut random)).collect();
                x[..subject.fixed.len()].copy_from_slice(subject.fixed);
            }
            x.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        }
        if !x.iter().all(|x| x.is_finite()) || !(subject.domain)(&x) {
            continue;
        }
        let error = match width {
            Width::F64 => error_f64(subject, row, &x, &mut oracle),
            Width::F32 => error_f32(row, &x),
        };
        found.point(error, &x);
    }
    found
}

/// Returns a finite `f32` as a float, with all exponents equally likely.
fn any_f32(random: &mut Random) -> f64 {
    loop {
        let x = f32::from_bits(random.bits() as u32);
        if x.is_finite() {
            return f64::from(x);
        }
    }
}

fn error_f64(subject: &Subject, row: &Row, x: &[f64], oracle: &mut Oracle) -> f64 {
    let exact = oracle.value(subject.name, x);
    let exact = exact.unwrap_or_else(|| panic!("{} is not known", subject.name));
    let y = wide(row, x);
    let ulps = ulps(y, &exact);
    match subject.limit {
        Limit::Ulp(_) => ulps,
        Limit::Relative(_) | Limit::Scaled(_) if ulps == 0.0 => 0.0,
        // Converts from units in the last place of the exact value.
        Limit::Relative(_) | Limit::Scaled(_) => {
            let exponent = exact.exponent().unwrap_or(-2000).max(-1021);
            let distance = ulps * 2f64.powi(exponent - 53);
            let size = oracle::size(&exact);
            match subject.limit {
                Limit::Scaled(_) => distance / size.max(1.0),
                _ => distance / size,
            }
        }
    }
}
