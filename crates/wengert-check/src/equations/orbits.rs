//! Bodies that attract each other.

use wengert::prelude::*;

use super::Problem;

/// A satellite of earth and moon on the orbit of Arenstorf (Hairer and Wanner I, II.0): after a period it is where it
/// was, so that an error of the step is multiplied by thousands.
fn arenstorf(_: Var, [x, y, u, v]: [Var; 4]) -> [Var; 4] {
    const MOON: f64 = 0.012277471;
    const EARTH: f64 = 1.0 - MOON;
    let cube = |r: Var| r * r.sqrt();
    let to_earth = cube((x + MOON).square() + y.square());
    let to_moon = cube((x - EARTH).square() + y.square());
    [
        u,
        v,
        x + 2.0 * v - EARTH * (x + MOON) / to_earth - MOON * (x - EARTH) / to_moon,
        y - 2.0 * u - EARTH * y / to_earth - MOON * y / to_moon,
    ]
}

/// Seven stars in a plane with masses from 1 to 7 (Hairer and Wanner I, II.10; the test set's Pleiades): the
/// coordinates, then the speeds.
fn pleiades(_: Var, state: Var) -> Var {
    let part = |k: usize| state.at(s![7 * k..7 * (k + 1)]);
    let [x, y, u, v] = [0, 1, 2, 3].map(part);
    let apart = |x: Var| x.expand_dims(0) - x.expand_dims(1);
    let (dx, dy) = (apart(x), apart(y));
    let square = dx.square() + dy.square() + eye(7);
    let pull = arange(1..8).to(DType::F64) / (square * square.sqrt());
    concat([u, v, (pull * dx).sum_axis(1), (pull * dy).sum_axis(1)], 0)
}

pub(super) fn problems() -> Vec<Problem> {
    let stars: [[f64; 7]; 4] = [
        [3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0],
        [3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.75, -1.5],
        [0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0],
    ];
    vec![
        Problem::new(
            "arenstorf",
            arenstorf,
            [0.994, 0.0, 0.0, -2.001_585_106_379_082_5],
            17.065_216_560_157_963,
        ),
        Problem::large("pleiades", pleiades, stars.concat(), 3.0),
    ]
}
