//! Elementary functions, each written once over the small arithmetic of [`Arith`].
//!
//! With [`Plain`] they compute; with a recorder they become a trace of the same operations, so an interpreter
//! and a compiler agree in every bit. Those that a program of `f32` uses often are defined a second time, in `f32`
//! arithmetic (`single/`), so that it takes half the time, and runs where there is no `f64`. The common range is free of branches; the rest is handled by one
//! [`Arith::rare`] per function. Errors are given in ulp of the result and were measured against an
//! arbitrary-precision library. NaN, infinities, signed zeros and subnormals follow C99, Annex F.

mod arith;
mod bessel;
mod cbrt;
pub mod chacha;
mod erf;
mod erf_inv;
mod erfcx;
mod exp;
mod exponent;
mod gamma;
mod huge;
mod hyperbolic;
mod hypot;
mod incomplete_beta;
mod incomplete_gamma;
mod inverse_hyperbolic;
mod inverse_trig;
mod log;
mod moments;
mod normal;
mod parts;
mod polygamma;
mod polygamma_gap;
mod pow;
mod quadrature;
mod registry;
mod single;
mod trig;

pub use arith::{Arith, Double, Plain, PlainSingle, Single};
pub use incomplete_gamma::REST;
pub use registry::*;
