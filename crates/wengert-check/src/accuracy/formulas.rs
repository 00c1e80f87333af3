//! The functions whose derivatives are checked, each with a formula in Taylor arithmetic.

mod elementary;
mod special;

use super::walked::Walked;

/// Rows whose derivatives are not checked, and why.
pub const NOT_WALKED: &[(&str, &str)] = &[
    ("neg", "linear"),
    ("add", "linear"),
    ("sub", "linear"),
    ("fma", "a product and a sum"),
    ("mul_or_zero", "a product"),
    ("div_or_zero", "a quotient"),
    ("nextafter", "a step to the next float"),
    ("inverse_power", "walked as powi(-3)"),
    ("rem", "linear by pieces"),
    ("max", "linear by pieces"),
    ("min", "linear by pieces"),
    ("abs", "linear by pieces"),
    ("copysign", "linear by pieces"),
    ("ldexp", "linear"),
    ("select", "linear by pieces"),
];

/// All functions whose derivatives are checked.
pub const WALKED: [&[Walked]; 2] = [elementary::WALKED, special::WALKED];

fn positive(x: &[f64]) -> bool {
    x[0] > 0.0
}

fn inside(x: &[f64]) -> bool {
    x[0].abs() < 1.0
}
