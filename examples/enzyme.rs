//! How fast an enzyme works: Michaelis and Menten's law `v = top·s / (half + s)`, fitted to the reaction rates of cells
//! with and without puromycin.
//!
//! First to the treated cells alone, with intervals from the profile of the likelihood, which are not symmetric. Then to
//! both series at once, which share the concentration `half` at half of the highest rate and have a `top` of their own
//! each. The table, the criteria of both models, and a plot with confidence bands are what a paper would show.
//!
//! The data are Treloar's (1974), as in Bates and Watts, *Nonlinear Regression Analysis and Its Applications* (1988).
//!
//! `cargo run --release --example enzyme -- [--out FILE]`

use std::error::Error;

use wengert::prelude::*;
use wengert_solve::fit::{Fit, Prediction, Profile, least_squares, profile};

#[path = "enzyme/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "enzyme/tests.rs"]
mod tests;

/// Concentrations of the substrate in parts per million, and rates in counts per minute, squared.
const TREATED: [(f64, f64); 12] = [
    (0.02, 76.0),
    (0.02, 47.0),
    (0.06, 97.0),
    (0.06, 107.0),
    (0.11, 123.0),
    (0.11, 139.0),
    (0.22, 159.0),
    (0.22, 152.0),
    (0.56, 191.0),
    (0.56, 201.0),
    (1.10, 207.0),
    (1.10, 200.0),
];
const UNTREATED: [(f64, f64); 11] = [
    (0.02, 67.0),
    (0.02, 51.0),
    (0.06, 84.0),
    (0.06, 86.0),
    (0.11, 98.0),
    (0.11, 115.0),
    (0.22, 131.0),
    (0.22, 124.0),
    (0.56, 144.0),
    (0.56, 158.0),
    (1.10, 160.0),
];

/// The law for one kind of cells.
#[derive(Tree, Clone, Copy, Debug)]
struct Enzyme<T = Var> {
    top: T,
    half: T,
}

/// The law for both: what they share, and what each has alone.
#[derive(Tree, Clone, Copy, Debug)]
struct Both<T = Var> {
    treated: T,
    untreated: T,
    half: T,
}

impl Both {
    /// The law of each kind of cells.
    fn each(self) -> [Enzyme; 2] {
        [self.treated, self.untreated].map(|top| Enzyme {
            top,
            half: self.half,
        })
    }
}

impl Enzyme {
    fn rate(self, s: Var) -> Var {
        self.top * s / (self.half + s)
    }

    fn residuals(self, data: &[(f64, f64)]) -> Var {
        let (s, v): (Vec<f64>, Vec<f64>) = data.iter().copied().unzip();
        self.rate(Array::from(s).into()) - Array::from(v)
    }
}

/// Fits the treated cells, with intervals of 95 %.
fn alone() -> wengert::Result<Profile<Enzyme<Array>, Array>> {
    let start = Enzyme {
        top: 200.0,
        half: 0.1,
    };
    jit(move |()| profile(|e: Enzyme| e.residuals(&TREATED), start, 0.95)).call(())
}

/// A fit of both series, and the rates of both at the concentrations `at`.
type Together = (Fit<Both<Array>, Array>, Prediction<[Array; 2], Array>);

fn together(at: Vec<f64>) -> wengert::Result<Together> {
    let start = Both {
        treated: 200.0,
        untreated: 150.0,
        half: 0.1,
    };
    let fit = move |at: Var| {
        let residuals = |b: Both| {
            let [treated, untreated] = b.each();
            (treated.residuals(&TREATED), untreated.residuals(&UNTREATED))
        };
        let fit = least_squares(residuals, start);
        let curves = fit.predict(move |b: Both| b.each().map(|e| e.rate(at)));
        (fit, curves)
    };
    jit(fit).call(at)
}

/// Fits both series with laws of their own.
fn apart() -> wengert::Result<Fit<[Enzyme<Array>; 2], Array>> {
    let start = [Enzyme {
        top: 200.0,
        half: 0.1,
    }; 2];
    let residuals = |[a, b]: [Enzyme; 2]| (a.residuals(&TREATED), b.residuals(&UNTREATED));
    jit(move |()| least_squares(residuals, start)).call(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = match (args.next().as_deref(), args.next()) {
        (None, _) => "enzyme.svg".to_string(),
        (Some("--out"), Some(file)) => file,
        _ => return Err("usage: enzyme [--out FILE]".into()),
    };

    let found = alone()?;
    let fit = found.fit.clone().ok()?;
    println!("Treated cells alone\n\n{fit}\n");
    let (low, high) = fit.confidence_intervals(0.95)?;
    for (name, value, linear, profile) in [
        (
            "top",
            &fit.params.top,
            [&low.top, &high.top],
            [&found.low.top, &found.high.top],
        ),
        (
            "half",
            &fit.params.half,
            [&low.half, &high.half],
            [&found.low.half, &found.high.half],
        ),
    ] {
        let of = |x: &Array| x.item::<f64>();
        println!(
            "{name:>5} {:9.4}   by its standard error {:9.4} .. {:9.4}   by its profile {:9.4} .. {:9.4}",
            of(value)?,
            of(linear[0])?,
            of(linear[1])?,
            of(profile[0])?,
            of(profile[1])?
        );
    }

    let at: Vec<f64> = (0..=120).map(|i| f64::from(i) / 100.0).collect();
    let (shared, curves) = together(at.clone())?;
    let shared = shared.ok()?;
    let own = apart()?.ok()?;
    println!("\nBoth kinds of cells, with one `half`\n\n{shared}\n");
    println!(
        "AIC {:.2} with one `half`, {:.2} with two",
        shared.aic()?.item::<f64>()?,
        own.aic()?.item::<f64>()?
    );

    plot::draw(&file, &at, &curves)?;
    println!("The plot is in {file}.");
    Ok(())
}
