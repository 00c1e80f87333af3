//! Programs that nobody vouches for.

use super::Error;
use crate::buffer::Data;
use crate::types::DType;

/// How a program runs that may not end, or may read what nobody wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// Steps of loops that it may take, all together.
    pub steps: u64,
    /// Whether scratch begins as zeros and not as what is called garbage: a program whose results tell
    /// the two apart reads what nobody wrote.
    pub zeros: bool,
}

/// Memory that nobody has written: NaNs, and integers that are out of bounds everywhere.
pub(super) fn garbage(dtype: DType, len: usize) -> Result<Data, Error> {
    let bits = match dtype {
        DType::F32 => u64::from(f32::NAN.to_bits()),
        DType::F64 => f64::NAN.to_bits(),
        DType::Bool => 1,
        _ => 0x4bad_4bad_4bad_4bad,
    };
    Data::try_splat(dtype, len, bits).map_err(Error::NoMemory)
}

/// The same, for a trial.
pub(super) fn unwritten(trial: Trial, dtype: DType, len: usize) -> Result<Data, Error> {
    match trial.zeros {
        true => Data::try_splat(dtype, len, 0).map_err(Error::NoMemory),
        false => garbage(dtype, len),
    }
}
