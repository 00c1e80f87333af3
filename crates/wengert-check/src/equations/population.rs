//! Small models without stiffness.

use wengert::prelude::*;

use super::Problem;

/// Lorenz' convection (J. Atmos. Sci. 20, 1963), with the parameters σ, ρ and β.
pub fn lorenz([sigma, rho, beta]: [Var; 3], [x, y, z]: [Var; 3]) -> [Var; 3] {
    [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
}

/// Predators and prey, with the usual parameters of examples: 1.5, 1, 3, 1.
fn lotka_volterra(_: Var, [x, y]: [Var; 2]) -> [Var; 2] {
    [1.5 * x - x * y, x * y - 3.0 * y]
}

pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem::new(
            "lorenz",
            |_, y| lorenz([10.0, 28.0, 8.0 / 3.0].map(Var::from), y),
            [1.0; 3],
            5.0,
        ),
        Problem::new("lotka_volterra", lotka_volterra, [1.0; 2], 10.0),
    ]
}
