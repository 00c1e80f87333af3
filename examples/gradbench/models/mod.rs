//! The functions of problems.

pub mod ba;
pub mod descent;
pub mod det;
pub mod ht;
