//! Runs of programs that may be wrong.

use super::Error;
use crate::buffer::Data;
use crate::types::DType;

/// How to run a program that may not end, or may read memory before it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// The steps that all its loops together may take.
    pub steps: u64,
    /// Whether scratch begins as zeros instead of garbage. If the results differ between the two,
    /// the program reads memory before it is written.
    pub zeros: bool,
}

/// Unwritten memory: NaNs, and integers that are out of bounds everywhere.
pub(super) fn garbage(dtype: DType, len: usize) -> Result<Data, Error> {
    let bits = match dtype {
        DType::F32 => u64::from(f32::NAN.to_bits()),
        DType::F64 => f64::NAN.to_bits(),
        DType::Bool => 1,
        _ => 0x4bad_4bad_4bad_4bad,
    };
    Data::try_splat(dtype, len, bits).map_err(Error::NoMemory)
}

/// Unwritten memory of a trial.
pub(super) fn unwritten(trial: Trial, dtype: DType, len: usize) -> Result<Data, Error> {
    match trial.zeros {
        true => Data::try_splat(dtype, len, 0).map_err(Error::NoMemory),
        false => garbage(dtype, len),
    }
}
