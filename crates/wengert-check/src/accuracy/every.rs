//! Functions of one argument at every `f32`: compiled code against an independent implementation.

use std::fmt;

use wengert::prelude::*;
use wengert::{Executable, Result};
use wengert_ir::ops::rows;

use super::oracle::{self, Oracle};
use super::witness::{Witness, witness};
use super::{EXACT, Found, SUBJECTS, Subject, Width, ulps_f32};

/// Number of elements in one call of the compiled code.
const LENGTH: usize = 1 << 16;

/// The error beyond which the arbitrary-precision library decides, since doubles may have lost digits near a
/// zero.
const DOUBTFUL: f64 = 0.505;

/// The largest error in `f32` over all the arguments, and the source of the comparison. Its `Display` is a row
/// of the table.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The largest error, in ulp.
    pub found: Found,
    /// The source it was compared with, in words.
    pub witness: &'static str,
}

impl Swept {
    /// Returns whether the error is within the limit: 1 ulp, or half of one where the operation is exact up to
    /// rounding.
    pub fn holds(&self) -> bool {
        let exact = EXACT.iter().any(|s| s.name == self.found.subject.name);
        self.found.error <= if exact { 0.5 } else { 1.0 }
    }
}

/// The header of the table of [`Swept`].
pub const SWEPT_HEADS: &str =
    "| function | largest error | at | arguments | compared with |\n|---|---|---|---|---|";

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found {
            subject,
            error,
            at,
            points,
            ..
        } = &self.found;
        let at = at.last().map_or("-".into(), |x| format!("{x:?}"));
        let (title, witness) = (subject.title(), self.witness);
        write!(
            f,
            "| {title} | {error:.4} ulp | {at} | {points} | {witness} |"
        )
    }
}

/// Returns the functions that [`sweep_f32`] supports: all measured functions of one argument, and the
/// operations of one argument that only round.
pub fn swept() -> impl Iterator<Item = &'static Subject> {
    let one = SUBJECTS.iter().filter(|s| s.arity == 1);
    one.chain(EXACT)
}

/// Measures the largest error of a function of one argument in `f32`, as compiled code computes it, at every
/// `step`-th of all arguments in the order of their bits (within the part of the subject), on all threads of
/// the machine. Infinities, NaN and the signs of zeros must match the witness.
///
/// # Errors
/// If the function does not compile, or there is no witness for it.
pub fn sweep_f32(subject: &Subject, step: u64) -> Result<Swept> {
    let unknown = || wengert::Error::value(subject.name, "nothing to compare it with", None);
    let witness = witness(subject.name).ok_or_else(unknown)?;
    let op = rows::find(subject.name).ok_or_else(unknown)?;
    let fixed = subject.fixed;
    let f = jit(move |x: Var| {
        let fixed = fixed.iter().map(|&n| Var::full(&x.ty(), n));
        let operands: Vec<Var> = fixed.chain([x]).collect();
        op.apply(&operands)
    });
    let code = f.compile(ShapeDtype::new([LENGTH], DType::F32))?;

    let count = (1u64 << 32).div_ceil(step);
    let calls = count.div_ceil(LENGTH as u64);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = |t: u64| -> Result<Found> {
        let mut part = Part::new(subject, &witness);
        for k in (t..calls).step_by(threads as usize) {
            let first = k * LENGTH as u64;
            let last = (first + LENGTH as u64).min(count);
            part.block(&code, (first..last).map(|i| (i * step) as u32))?;
        }
        Ok(part.found)
    };
    let found = std::thread::scope(|scope| {
        let share = &share;
        let runs: Vec<_> = (0..threads)
            .map(|t| scope.spawn(move || share(t)))
            .collect();
        let parts = runs.into_iter().map(|run| run.join().expect("a result"));
        let none = Found::new(subject, Width::F32);
        parts
            .into_iter()
            .try_fold(none, |all, part| Ok(all.join(part?)))
    });
    Ok(Swept {
        found: found?,
        witness: witness.from,
    })
}

/// The findings of one thread.
struct Part<'a> {
    subject: &'a Subject,
    witness: &'a Witness,
    oracle: Oracle,
    found: Found,
    /// The operands, of which the last one varies.
    x: Vec<f64>,
}

impl<'a> Part<'a> {
    fn new(subject: &'a Subject, witness: &'a Witness) -> Part<'a> {
        Part {
            subject,
            witness,
            oracle: Oracle::default(),
            found: Found::new(subject, Width::F32),
            x: subject.fixed.iter().copied().chain([0.0]).collect(),
        }
    }

    fn block(
        &mut self,
        code: &Executable<Var, Var>,
        bits: impl Iterator<Item = u32>,
    ) -> Result<()> {
        let mut x: Vec<f32> = bits.map(f32::from_bits).collect();
        let given = x.len();
        x.resize(LENGTH, 0.0);
        let y = code.call(Array::from(&x[..]))?;
        for (&x, &y) in x[..given].iter().zip(y.as_slice::<f32>()?) {
            self.point(x, y);
        }
        Ok(())
    }

    fn point(&mut self, x: f32, y: f32) {
        let last = self.x.len() - 1;
        self.x[last] = f64::from(x);
        if !self.subject.part.is_empty() && !(self.subject.domain)(&self.x) {
            return;
        }
        let exact = (self.witness.value)(&self.x, y);
        let mut error = ulps_f32(y, exact);
        if y == 0.0 && y.is_sign_negative() != exact.is_sign_negative() {
            error = f64::INFINITY;
        }
        if error > DOUBTFUL.max(self.found.error) {
            error = self.judged(y).unwrap_or(error);
        }
        self.found.point(error, &self.x);
    }

    /// Returns the error according to the arbitrary-precision library, if it supports the function.
    fn judged(&mut self, y: f32) -> Option<f64> {
        let finite = self.x.iter().all(|x| x.is_finite()) && !y.is_nan();
        if !finite || !(self.subject.domain)(&self.x) {
            return None;
        }
        let exact = self.oracle.value(self.subject.name, &self.x)?;
        Some(oracle::ulps_f32(y, &exact))
    }
}
