//! What multiplies the noise: diagonal, scalar and general.

use wengert::prelude::*;
use wengert::solver::{inside, same_trees};
use wengert::{DType, IntoTree};

use crate::State;

mod sealed {
    pub trait Sealed {}
}

/// What a diffusion is: [`Diagonal`], [`Scalar`] or [`General`]. The trait is sealed.
pub trait Diffusion<Y: State>: sealed::Sealed {
    /// The number of components of the noise.
    #[doc(hidden)]
    fn components(&self, y: &Y) -> usize;

    /// `g(t, y) dw`.
    #[doc(hidden)]
    #[track_caller]
    fn apply(&self, op: &str, t: Var, y: &Y, dw: Var) -> Y;

    /// `g(t, y)` as a tree like the state, if it is one, for [`Diffusion::times`].
    #[doc(hidden)]
    #[track_caller]
    fn tree(&self, op: &str, t: Var, y: &Y) -> Option<Y>;

    /// A tree of `g` times noise.
    #[doc(hidden)]
    fn times(&self, g: Y, dw: Var) -> Y;

    /// `Σⱼ (∂gⱼ/∂y) gⱼ`.
    #[doc(hidden)]
    #[track_caller]
    fn bend(&self, op: &str, t: Var, y: &Y) -> Y {
        match self.tree(op, t, y) {
            Some(g) => {
                let g_of = |y: Y| self.tree(op, t, &y).expect("a tree before");
                jvp(g_of, y.clone(), g).1
            }
            None => {
                let one = |e: Var| {
                    let along = |y: Y| self.apply(op, t, &y, e);
                    let g = along(y.clone());
                    jvp(along, y.clone(), g).1
                };
                let m = self.components(y);
                let dtype = dtype(y);
                let all = wengert::map(eye(m).to(dtype), one);
                tree::map(all, |v| v.sum_axis(0))
            }
        }
    }
}

fn dtype<Y: State>(y: &Y) -> DType {
    tree::leaves(y).first().map_or(DType::F64, |v| v.dtype())
}

/// Independent noise for each number of the state: `g(t, y)` is a tree like the state.
///
/// Schemes of order 1 and above, and equations in the other sense than the scheme's, take the derivative of each
/// component of `g` with respect to its own number of the state: it must not depend on the other numbers there. If
/// it does, use [`General`].
#[derive(Clone, Copy, Debug)]
pub struct Diagonal<G>(pub G);

/// One noise for all numbers of the state: `g(t, y)` is a tree like the state.
#[derive(Clone, Copy, Debug)]
pub struct Scalar<G>(pub G);

/// Several components of noise that act on all numbers of the state: `g(t, y, dw)` is the matrix of the diffusion
/// times the vector `dw`, a tree like the state, and linear in `dw`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::sde::{General, Scheme, Sde};
///
/// // Two correlated motions.
/// let f = jit(|(factor, key): (Var, Key)| {
///     let sde = Sde::ito(|_t, x: Var| zeros_like(x), General::new(2, move |_t, _x: Var, dw: Var| factor.dot(dw)));
///     Scheme::EulerMaruyama.steps(10).solve(&sde, zeros(2), 0.0, 1.0, key).y
/// });
/// let y = f.call(([[1.0, 0.0], [1.0, 0.0]], Key::from_seed(0)))?.to_vec::<f64>()?;
/// assert_eq!(y[0], y[1]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct General<G> {
    components: usize,
    g: G,
}

impl<G> General<G> {
    /// A diffusion with a number of components of noise.
    pub fn new(components: usize, g: G) -> General<G> {
        General { components, g }
    }
}

impl<G> sealed::Sealed for Diagonal<G> {}
impl<G> sealed::Sealed for Scalar<G> {}
impl<G> sealed::Sealed for General<G> {}

#[track_caller]
fn checked<Y: State>(op: &str, y: &Y, g: Y) -> Y {
    same_trees(op, ["the state", "the diffusion"], y, &g);
    g
}

impl<Y, A, G> Diffusion<Y> for Diagonal<G>
where
    Y: State,
    A: IntoTree<Tree = Y>,
    G: Fn(Var, Y) -> A,
{
    fn components(&self, y: &Y) -> usize {
        tree::leaves(y).iter().map(|v| v.ty().size()).sum()
    }

    fn apply(&self, op: &str, t: Var, y: &Y, dw: Var) -> Y {
        let g = inside(|| (self.0)(t, y.clone()).into_tree());
        self.times(checked(op, y, g), dw)
    }

    fn tree(&self, op: &str, t: Var, y: &Y) -> Option<Y> {
        let g = inside(|| (self.0)(t, y.clone()).into_tree());
        Some(checked(op, y, g))
    }

    fn times(&self, g: Y, dw: Var) -> Y {
        let mut first = 0;
        tree::map(g, |g| {
            let n = g.ty().size();
            let part = dw.slice_axis(0, first..first + n).reshape(g.shape());
            first += n;
            g * part
        })
    }
}

impl<Y, A, G> Diffusion<Y> for Scalar<G>
where
    Y: State,
    A: IntoTree<Tree = Y>,
    G: Fn(Var, Y) -> A,
{
    fn components(&self, _: &Y) -> usize {
        1
    }

    fn apply(&self, op: &str, t: Var, y: &Y, dw: Var) -> Y {
        let g = inside(|| (self.0)(t, y.clone()).into_tree());
        self.times(checked(op, y, g), dw)
    }

    fn tree(&self, op: &str, t: Var, y: &Y) -> Option<Y> {
        let g = inside(|| (self.0)(t, y.clone()).into_tree());
        Some(checked(op, y, g))
    }

    fn times(&self, g: Y, dw: Var) -> Y {
        let dw = dw.at(0);
        tree::map(g, |g| g * dw)
    }
}

impl<Y, A, G> Diffusion<Y> for General<G>
where
    Y: State,
    A: IntoTree<Tree = Y>,
    G: Fn(Var, Y, Var) -> A,
{
    fn components(&self, _: &Y) -> usize {
        self.components
    }

    fn apply(&self, op: &str, t: Var, y: &Y, dw: Var) -> Y {
        let g = inside(|| (self.g)(t, y.clone(), dw).into_tree());
        checked(op, y, g)
    }

    fn tree(&self, _: &str, _: Var, _: &Y) -> Option<Y> {
        None
    }

    fn times(&self, g: Y, _: Var) -> Y {
        g
    }
}
