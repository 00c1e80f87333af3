//! The formulas of NIST's 27 data sets, as the heads of its files print them.

use std::f64::consts::PI;

use wengert::prelude::*;

/// A formula of unknowns `b` and inputs `x`.
pub(crate) type Formula = fn(&[Var], &[Var]) -> Var;

/// A formula and what it takes.
pub(crate) struct Model {
    pub(crate) unknowns: usize,
    pub(crate) inputs: usize,
    /// Whether it gives the logarithm of the response.
    pub(crate) of_logarithms: bool,
    pub(crate) formula: Formula,
}

/// Finds a formula by the name of the data set.
pub(crate) fn find(name: &str) -> Option<Model> {
    let (unknowns, formula): (usize, Formula) = match name {
        "Misra1a" | "BoxBOD" => (2, |b, x| b[0] * (1.0 - (-b[1] * x[0]).exp())),
        "Misra1b" => (2, |b, x| {
            b[0] * (1.0 - 1.0 / (1.0 + b[1] * x[0] / 2.0).square())
        }),
        "Misra1c" => (2, |b, x| b[0] * (1.0 - (1.0 + 2.0 * b[1] * x[0]).rsqrt())),
        "Misra1d" => (2, |b, x| b[0] * b[1] * x[0] / (1.0 + b[1] * x[0])),
        "Chwirut1" | "Chwirut2" => (3, |b, x| (-b[0] * x[0]).exp() / (b[1] + b[2] * x[0])),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => (6, |b, x| {
            let term = |i: usize| b[i] * (-b[i + 1] * x[0]).exp();
            term(0) + term(2) + term(4)
        }),
        "Gauss1" | "Gauss2" | "Gauss3" => (8, |b, x| {
            let peak = |i: usize| b[i] * (-((x[0] - b[i + 1]) / b[i + 2]).square()).exp();
            b[0] * (-b[1] * x[0]).exp() + peak(2) + peak(5)
        }),
        "DanWood" => (2, |b, x| b[0] * x[0].pow(b[1])),
        "Kirby2" => (5, |b, x| {
            let x = x[0];
            (b[0] + x * (b[1] + x * b[2])) / (1.0 + x * (b[3] + x * b[4]))
        }),
        "Hahn1" | "Thurber" => (7, |b, x| {
            let x = x[0];
            let over = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
            over / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
        }),
        "Nelson" => (3, |b, x| b[0] - b[1] * x[0] * (-b[2] * x[1]).exp()),
        "MGH17" => (5, |b, x| {
            b[0] + b[1] * (-x[0] * b[3]).exp() + b[2] * (-x[0] * b[4]).exp()
        }),
        "MGH09" => (4, |b, x| {
            let x = x[0];
            b[0] * (x.square() + x * b[1]) / (x.square() + x * b[2] + b[3])
        }),
        "MGH10" => (3, |b, x| b[0] * (b[1] / (x[0] + b[2])).exp()),
        "Rat42" => (3, |b, x| b[0] / (1.0 + (b[1] - b[2] * x[0]).exp())),
        "Rat43" => (4, |b, x| {
            b[0] / (1.0 + (b[1] - b[2] * x[0]).exp()).pow(1.0 / b[3])
        }),
        "ENSO" => (9, |b, x| {
            let cycle = |period: Var, c: Var, s: Var| {
                let angle = 2.0 * PI * x[0] / period;
                c * angle.cos() + s * angle.sin()
            };
            let year = cycle(Var::from(12.0), b[1], b[2]);
            b[0] + year + cycle(b[3], b[4], b[5]) + cycle(b[6], b[7], b[8])
        }),
        "Roszman1" => (4, |b, x| {
            b[0] - b[1] * x[0] - (b[2] / (x[0] - b[3])).atan() / PI
        }),
        "Eckerle4" => (3, |b, x| {
            b[0] / b[1] * (-0.5 * ((x[0] - b[2]) / b[1]).square()).exp()
        }),
        "Bennett5" => (3, |b, x| b[0] * (b[1] + x[0]).pow(-1.0 / b[2])),
        _ => return None,
    };
    let nelson = name == "Nelson";
    Some(Model {
        unknowns,
        inputs: if nelson { 2 } else { 1 },
        of_logarithms: nelson,
        formula,
    })
}
