//! Elementary functions defined in `f32` arithmetic, so that they take as long as 32 bits ask for, on processors and
//! on devices that have no other floats.
//!
//! They have the names and the special values of the functions on `f64`. Where one rounding error would be a unit in
//! the last place of the result, it is carried along in a second float. None was found to be off by more than a unit in
//! the last place.

pub(super) mod cbrt;
pub(super) mod erf;
pub(super) mod exp;
pub(super) mod hyperbolic;
pub(super) mod hypot;
pub(super) mod inverse_hyperbolic;
pub(super) mod inverse_trig;
pub(super) mod log;
pub(super) mod pow;
pub(super) mod trig;

use super::Single;
use super::parts;
