//! Gradient descent, and two problems in which derivatives are nested: the path of a charged particle, and a saddle
//! point.

use wengert::prelude::*;

/// The modes of the outer and of the inner derivative.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mode {
    Forward,
    Reverse,
}

impl Mode {
    /// Returns the modes by the names of their first letters: of the outer and of the inner derivative.
    pub fn of(name: &str) -> Option<[Mode; 2]> {
        let mode = |c| match c {
            'f' => Some(Mode::Forward),
            'r' => Some(Mode::Reverse),
            _ => None,
        };
        match name.chars().collect::<Vec<char>>()[..] {
            [outer, inner] => Some([mode(outer)?, mode(inner)?]),
            _ => None,
        }
    }

    fn gradient(self, f: &dyn Fn(Var) -> Var, x: Var) -> Var {
        match self {
            Mode::Forward => jacfwd(|x: Var| f(x))(x),
            Mode::Reverse => grad_at(x, |x: Var| f(x)),
        }
    }
}

/// Finds a minimum of a function of a vector by gradient descent. The rate is halved after a step that leads up, and
/// doubled after ten that lead down.
fn argmin(mode: Mode, f: &dyn Fn(Var) -> Var, start: Var) -> Var {
    let length = |x: Var| x.square().sum().sqrt();
    let init = (start, f(start), mode.gradient(f, start), 1e-5, 0, true);
    let more = |(_, _, slope, _, _, goes_on): (Var, Var, Var, Var, Var, Var)| {
        goes_on & length(slope).gt(1e-5)
    };
    let step = |(x, value, slope, rate, downs, _): (Var, Var, Var, Var, Var, Var)| {
        cond(
            downs.eq(10),
            (x, value, slope, rate, downs),
            |(x, value, slope, rate, downs)| (x, value, slope, 2.0 * rate, zeros_like(downs), true),
            |(x, value, slope, rate, downs)| {
                let next = x - rate * slope;
                let there = f(next);
                let moves = length(x - next).gt(1e-5);
                cond(
                    moves & there.lt(value),
                    (x, value, slope, rate, downs),
                    |(_, _, _, rate, downs)| {
                        (next, there, mode.gradient(f, next), rate, downs + 1, true)
                    },
                    |(x, value, slope, rate, downs)| {
                        (x, value, slope, rate / 2.0, zeros_like(downs), moves)
                    },
                )
            },
        )
    };
    while_loop(init, more, step).0
}

fn argmax(mode: Mode, f: &dyn Fn(Var) -> Var, start: Var) -> Var {
    argmin(mode, &|x| -f(x), start)
}

/// Finds the parameter of the field for which a charged particle falls through the origin.
pub fn particle([outer, inner]: [Mode; 2], start: Var) -> Var {
    let miss = |w: Var| {
        let potential = |x: Var| {
            let distance = |y: Var| ((x.at(0) - 10.0).square() + (x.at(1) - y).square()).sqrt();
            1.0 / distance(10.0 - w.at(0)) + 1.0 / distance(Var::from(0.0))
        };
        let dt = 0.1;
        let init = (Var::from([0.0, 8.0]), Var::from([0.75, 0.0]));
        let (x, v) = while_loop(
            init,
            |(x, v)| (x + dt * v).at(1).gt(0.0),
            |(x, v)| (x + dt * v, v - dt * inner.gradient(&potential, x)),
        );
        // Where the last step crosses the axis.
        (x - x.at(1) / v.at(1) * v).at(0).square()
    };
    argmin(outer, &miss, start.reshape([1])).at(0)
}

/// Finds the point at which a function is smallest by its first argument and largest by its second: both, one after the
/// other.
pub fn saddle([outer, inner]: [Mode; 2], start: Var) -> Var {
    let f = |x: Var, y: Var| x.square().sum() - y.square().sum();
    let largest = |x: Var| f(x, argmax(inner, &|y| f(x, y), start));
    let x = argmin(outer, &largest, start);
    let y = argmax(outer, &|y| f(x, y), start);
    concat([x, y], 0)
}
