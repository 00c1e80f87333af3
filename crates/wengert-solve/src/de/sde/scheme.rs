//! The schemes: one step of each.

use wengert::prelude::*;
use wengert::solver::refuse;
use wengert::{IntoTree, Splat};

use super::adaptive::AdaptiveSteps;
use super::brownian::Increment;
use super::diffusion::Diffusion;
use super::fixed::FixedSteps;
use super::{Calculus, Problem, Sde, plus};
use crate::State;

/// How a step is made from the drift, the diffusion and the increments of the path.
///
/// Orders are those in the step's length: strong, of the distance from the solution on the same path, and weak,
/// of the distance between means.
///
/// | | sense | noise | strong | weak | drift, diffusion |
/// |---|---|---|---|---|---|
/// | [`EulerMaruyama`](Scheme::EulerMaruyama) | Itô | any | 0.5, additive 1 | 1 | 1, 1 |
/// | [`Milstein`](Scheme::Milstein) | both | diagonal, scalar | 1 | 1 | 1, 1 and a derivative |
/// | [`EulerHeun`](Scheme::EulerHeun) | Stratonovich | any | 1 if it commutes, else 0.5 | 1 | 1, 2 |
/// | [`Heun`](Scheme::Heun) | Stratonovich | any | 1 if it commutes, else 0.5 | 1; additive 2 | 2, 2 |
/// | [`Sra1`](Scheme::Sra1) | both | additive | 1.5 | 2 | 2, 2 |
/// | [`Sri1`](Scheme::Sri1) | Itô | diagonal, scalar | 1.5 | 2 | 2, 4 |
///
/// Diagonal and scalar noise commutes; so does general noise whose columns have `(∂gᵢ/∂y) gⱼ = (∂gⱼ/∂y) gᵢ`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Scheme {
    /// `y + f h + g ΔW` (Maruyama, 1955).
    EulerMaruyama,
    /// Euler-Maruyama with `½ g' g (ΔW² - h)`, or `½ g' g ΔW²` in Stratonovich's sense (Milstein, 1974). The derivative
    /// is a [`jvp`].
    Milstein,
    /// Euler's drift, and the mean of the diffusion at both ends of an Euler step of the noise alone.
    EulerHeun,
    /// The mean of drift and diffusion at both ends of an Euler step (Rümelin, 1982).
    Heun,
    /// A Runge-Kutta scheme for noise that does not depend on the state: SRA1 of Rößler, *Runge-Kutta methods for
    /// the strong approximation of solutions of stochastic differential equations*, SIAM Journal on Numerical
    /// Analysis 48 (2010). It uses the area of the path.
    Sra1,
    /// A Runge-Kutta scheme for diagonal and scalar noise: SRI1W1 of the same article. It uses the area of the path.
    Sri1,
}

impl Scheme {
    /// All schemes.
    pub const ALL: &'static [Scheme] = &[
        Scheme::EulerMaruyama,
        Scheme::Milstein,
        Scheme::EulerHeun,
        Scheme::Heun,
        Scheme::Sra1,
        Scheme::Sri1,
    ];

    /// A solver that takes `n` equal steps: over the span, or between each two of the times that are asked for.
    pub fn steps(self, n: usize) -> FixedSteps {
        FixedSteps::new(self, n)
    }

    /// A solver whose steps follow the error.
    pub fn adaptive(self) -> AdaptiveSteps {
        AdaptiveSteps::new(self)
    }

    /// The name in messages.
    fn name(self) -> &'static str {
        match self {
            Scheme::EulerMaruyama => "EulerMaruyama",
            Scheme::Milstein => "Milstein",
            Scheme::EulerHeun => "EulerHeun",
            Scheme::Heun => "Heun",
            Scheme::Sra1 => "Sra1",
            Scheme::Sri1 => "Sri1",
        }
    }

    /// Whether a step uses the area of the path.
    pub(super) fn uses_area(self) -> bool {
        matches!(self, Scheme::Sra1 | Scheme::Sri1)
    }

    /// Twice the strong order, for noise that commutes.
    pub(super) fn twice_order(self) -> u8 {
        match self {
            Scheme::EulerMaruyama => 1,
            Scheme::Milstein | Scheme::EulerHeun | Scheme::Heun => 2,
            Scheme::Sra1 | Scheme::Sri1 => 3,
        }
    }

    /// The sense in which the scheme takes an equation that is given in one.
    fn wants(self, given: Calculus) -> Calculus {
        match self {
            Scheme::EulerMaruyama | Scheme::Sri1 => Calculus::Ito,
            Scheme::EulerHeun | Scheme::Heun => Calculus::Stratonovich,
            Scheme::Milstein | Scheme::Sra1 => given,
        }
    }

    /// The problem as the scheme takes it.
    ///
    /// # Errors
    /// If the scheme is not for such noise.
    #[track_caller]
    pub(super) fn problem<'a, Y, F, G>(
        self,
        op: &'static str,
        sde: &'a Sde<F, G>,
        t: Var,
        y: &Y,
    ) -> Problem<'a, F, G>
    where
        Y: State,
        G: Diffusion<Y>,
    {
        let noise = &sde.diffusion;
        let needs_tree = matches!(self, Scheme::Milstein | Scheme::Sri1);
        if needs_tree && noise.tree(op, t, y).is_none() {
            let message = format!(
                "{} is for diagonal and scalar noise; Heun and EulerMaruyama take general noise",
                self.name()
            );
            refuse(op, message);
        }
        if self == Scheme::Sra1 {
            let ones = ones_of(noise.components(y), t.dtype());
            let along = |y: Y| noise.apply(op, t, &y, ones);
            let (_, slope) = jvp(along, y.clone(), tree::map(y.clone(), ones_like));
            let is_zero = |v: &Var| v.as_literal() == Some(Splat::zeros(&v.ty()));
            if !tree::leaves(&slope).iter().all(is_zero) {
                let message = "Sra1 is for noise that does not depend on the state; Sri1 is for diagonal and scalar \
                               noise that does";
                refuse(op, message);
            }
        }
        Problem {
            op,
            sde,
            wanted: self.wants(sde.calculus),
        }
    }

    /// The state after a step of length `h` from `t`.
    pub(super) fn advance<Y, A, F, G>(
        self,
        p: &Problem<'_, F, G>,
        t: Var,
        h: Var,
        y: Y,
        path: Increment,
    ) -> Y
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
    {
        let w = path.w;
        match self {
            Scheme::EulerMaruyama => {
                let f = p.drift(t, &y);
                let g = p.noise(t, &y, w);
                add(plus(y, h, &f), g)
            }
            Scheme::Milstein => {
                let noise = &p.sde.diffusion;
                let tree = |y: Y| noise.tree(p.op, t, &y).expect("the noise was looked at");
                let f = p.drift(t, &y);
                let g = tree(y.clone());
                let square = match p.wanted {
                    Calculus::Ito => 0.5 * (w * w - h),
                    Calculus::Stratonovich => 0.5 * (w * w),
                };
                let bend = jvp(tree, y.clone(), noise.times(g.clone(), square)).1;
                let next = add(plus(y, h, &f), noise.times(g, w));
                add(next, bend)
            }
            Scheme::EulerHeun => {
                let f = p.drift(t, &y);
                let g = p.noise(t, &y, w);
                let end = p.noise(t + h, &add(y.clone(), g.clone()), w);
                let y = plus(plus(y, h, &f), 0.5, &g);
                plus(y, 0.5, &end)
            }
            Scheme::Heun => {
                let f = p.drift(t, &y);
                let g = p.noise(t, &y, w);
                let ahead = add(plus(y.clone(), h, &f), g.clone());
                let f_end = p.drift(t + h, &ahead);
                let g_end = p.noise(t + h, &ahead, w);
                let half = 0.5 * h;
                let y = plus(plus(y, half, &f), half, &f_end);
                plus(plus(y, 0.5, &g), 0.5, &g_end)
            }
            Scheme::Sra1 => {
                // The integral of the path over the step, as a part of h.
                let mean = 0.5 * w + path.h;
                let f = p.drift(t, &y);
                let g_end = |dw: Var| p.noise(t + h, &y, dw);
                let ahead = plus(plus(y.clone(), 0.75 * h, &f), 1.5, &g_end(mean));
                let f_ahead = p.drift(t + 0.75 * h, &ahead);
                let last = g_end(w - mean);
                let first = p.noise(t, &y, mean);
                let y = plus(plus(y, h / 3.0, &f), h * (2.0 / 3.0), &f_ahead);
                add(add(y, last), first)
            }
            Scheme::Sri1 => sri1(p, t, h, y, path),
        }
    }
}

fn add<Y: State>(a: Y, b: Y) -> Y {
    tree::map2(a, b, |a, b| a + b)
}

/// Rößler's SRI1W1.
fn sri1<Y, A, F, G>(p: &Problem<'_, F, G>, t: Var, h: Var, y: Y, path: Increment) -> Y
where
    Y: State,
    A: IntoTree<Tree = Y>,
    F: Fn(Var, Y) -> A,
    G: Diffusion<Y>,
{
    let noise = &p.sde.diffusion;
    let tree = |t: Var, y: &Y| noise.tree(p.op, t, y).expect("the noise was looked at");
    let root = h.sqrt();
    let w = path.w;
    // I₁, I₁₁/√h, I₁₀/h and I₁₁₁/h.
    let once = w;
    let twice = 0.5 * (w * w - h) / root;
    let mean = 0.5 * w + path.h;
    let thrice = (w * w * w - 3.0 * h * w) / (6.0 * h);

    let f1 = p.drift(t, &y);
    let g1 = tree(t, &y);
    // The second stage of the diffusion, and that of the drift.
    let ahead = plus(plus(y.clone(), 0.25 * h, &f1), 0.5 * root, &g1);
    let g2 = tree(t + 0.25 * h, &ahead);
    let shifted = add(
        plus(y.clone(), 0.75 * h, &f1),
        noise.times(g1.clone(), 1.5 * mean),
    );
    let f2 = p.drift(t + 0.75 * h, &shifted);
    let g3 = tree(t + h, &plus(plus(y.clone(), h, &f1), -root, &g1));
    let last = plus(plus(y.clone(), -5.0 * root, &g1), 3.0 * root, &g2);
    let last = plus(plus(last, 0.5 * root, &g3), 0.25 * h, &f1);
    let g4 = tree(t + 0.25 * h, &last);

    let third = 1.0 / 3.0;
    let c1 = 2.0 * mean - once - twice - 2.0 * thrice;
    let c2 = (4.0 * once + 4.0 * twice - 4.0 * mean + 5.0 * thrice) * third;
    let c3 = (2.0 * once - twice - 2.0 * mean - 2.0 * thrice) * third;
    let y = plus(plus(y, h * third, &f1), h * (2.0 * third), &f2);
    let y = add(y, noise.times(g1, c1));
    let y = add(y, noise.times(g2, c2));
    let y = add(y, noise.times(g3, c3));
    add(y, noise.times(g4, thrice))
}
