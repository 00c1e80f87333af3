//! Elementary functions, each written once over the small arithmetic of [`Arith`].
//!
//! With [`Plain`] they compute; with a recorder they become a trace of the same operations, so an
//! interpreter and a compiler agree in every bit. The common range is free of branches; what lies
//! outside stands behind one [`Arith::rare`] a function. Errors are given in ulp of the result and
//! were measured against an arbitrary-precision library. NaN, infinities, signed zeros and
//! subnormals follow C99, Annex F.

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
mod trig;

pub use arith::{Arith, Plain};
pub use bessel::{bessel_moment, bessel_ratio, i0e, i1e};
pub use cbrt::cbrt;
pub use erf::{erf, erfc};
pub use erf_inv::erf_inv;
pub use erfcx::{erfcx, erfcx_ratio, log_erfc, log_ndtr, ndtr};
pub use exp::{exp, exp2, expm1, sigmoid, sigmoid_slope};
pub use exponent::{exponent, ldexp};
pub use gamma::{digamma, lgamma, trigamma};
pub use hyperbolic::{cosh, sinh, tanh, tanh_slope};
pub use hypot::hypot;
pub use incomplete_beta::{beta_density, beta_moment, betainc, betaln};
pub use incomplete_gamma::{REST, gamma_density, gamma_moment, gammainc, gammaincc};
pub use inverse_hyperbolic::{acosh, asinh, atanh};
pub use inverse_trig::{acos, asin, atan, atan2};
pub use log::{log, log1p, log2, log10};
pub use moments::{
    exprel, exprel_moment, log_expm1, log1mexp, log1p_moment, log1p_over_x, recip_expm1,
};
pub use normal::normal_tail;
pub use polygamma::polygamma;
pub use polygamma_gap::polygamma_gap;
pub use pow::pow;
pub use registry::{Elementary, eval};
pub use trig::{cos, sin, tan};
