//! Right-hand sides as functions of slices, for solvers of other crates.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};
use wengert::{Error, Executable};

/// A compiled right-hand side `dy/dt = f(t, y, p)` with the products of its Jacobians, as functions of slices: what solvers of
/// other crates take as closures, such as `rhs_implicit` of `diffsol` 0.19 or CVODE's `CVRhsFn` and `CVLsJacTimesVecFn`.
///
/// Derivatives are exact: those of [`jvp`] and [`vjp`]. All functions may be called from several threads.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::Slices;
///
/// let decay = |_: Var, y: Var, p: Var| -p.at(0) * y;
/// let f = Slices::new(decay, 2, 1)?;
/// // For `diffsol`: OdeBuilder::<M>::new().rhs_implicit(
/// let rate = |y: &[f64], p: &[f64], t: f64, out: &mut [f64]| f.rate(t, y, p, out).unwrap();
/// let product = |y: &[f64], p: &[f64], t: f64, v: &[f64], out: &mut [f64]| f.product(t, y, p, v, out).unwrap();
/// let mut out = [0.0; 2];
/// rate(&[1.0, 2.0], &[0.5], 0.0, &mut out);
/// assert_eq!(out, [-0.5, -1.0]);
/// product(&[1.0, 2.0], &[0.5], 0.0, &[1.0, 0.0], &mut out);
/// assert_eq!(out, [-0.5, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub struct Slices {
    rate: Executable<Args, Var>,
    product: Executable<(Args, Var), Var>,
    transposed: Executable<(Args, Var), Var>,
    by_parameters: Executable<(Args, Var), Var>,
    by_parameters_transposed: Executable<(Args, Var), Var>,
}

/// The time, the state and the parameters.
type Args = (Var, Var, Var);

impl Slices {
    /// Compiles a function of the time, `n` numbers of state and as many numbers of parameters as are given. All are `f64`.
    ///
    /// # Errors
    /// If the function cannot be traced, or does not return `f64[n]`.
    #[track_caller]
    pub fn new<F>(f: F, n: usize, parameters: usize) -> Result<Slices, Error>
    where
        F: Fn(Var, Var, Var) -> Var + Clone + Send + Sync + 'static,
    {
        let place = Location::caller();
        let f = move |t: Var, y: Var, p: Var| {
            asked_at(place, || {
                let dy = inside(|| f(t, y, p));
                same_trees(
                    "slices",
                    ["the state", "what the right-hand side returns"],
                    &y,
                    &dy,
                );
                dy
            })
        };
        let of = |n: usize| ShapeDtype::new([n], DType::F64);
        let args = || (ShapeDtype::scalar(DType::F64), of(n), of(parameters));
        let rate = jit({
            let f = f.clone();
            move |(t, y, p): Args| f(t, y, p)
        });
        let product = jit({
            let f = f.clone();
            move |((t, y, p), v): (Args, Var)| jvp(|y: Var| f(t, y, p), y, v).1
        });
        let transposed = jit({
            let f = f.clone();
            move |((t, y, p), w): (Args, Var)| vjp(|y: Var| f(t, y, p), y).1(w)
        });
        let by_parameters = jit({
            let f = f.clone();
            move |((t, y, p), v): (Args, Var)| jvp(|p: Var| f(t, y, p), p, v).1
        });
        let by_parameters_transposed =
            jit(move |((t, y, p), w): (Args, Var)| vjp(|p: Var| f(t, y, p), p).1(w));
        Ok(Slices {
            rate: rate.compile(args())?,
            product: product.compile((args(), of(n)))?,
            transposed: transposed.compile((args(), of(n)))?,
            by_parameters: by_parameters.compile((args(), of(parameters)))?,
            by_parameters_transposed: by_parameters_transposed.compile((args(), of(n)))?,
        })
    }

    /// Writes the rate.
    ///
    /// # Errors
    /// If a slice has another length than the state or the parameters, or a check of the function does not hold. So it is with
    /// the others.
    #[track_caller]
    pub fn rate(&self, t: f64, y: &[f64], p: &[f64], out: &mut [f64]) -> Result<(), Error> {
        write(self.rate.call(args(t, y, p))?, out)
    }
}

/// Declares methods that write products of the Jacobians and a vector.
macro_rules! products {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        impl Slices {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// As those of [`Slices::rate`].
            #[track_caller]
            pub fn $name(
                &self,
                t: f64,
                y: &[f64],
                p: &[f64],
                v: &[f64],
                out: &mut [f64],
            ) -> Result<(), Error> {
                write(self.$name.call((args(t, y, p), Array::from(v)))?, out)
            }
        )*}
    };
}

products! {
    /// Writes the product of the Jacobian by the state and a vector.
    product;
    /// Writes the product of the transposed Jacobian by the state and a vector. (`diffsol`'s adjoint equations take it with
    /// the opposite sign.)
    transposed;
    /// Writes the product of the Jacobian by the parameters and a vector.
    by_parameters;
    /// Writes the product of the transposed Jacobian by the parameters and a vector.
    by_parameters_transposed;
}

fn args(t: f64, y: &[f64], p: &[f64]) -> (Array, Array, Array) {
    (Array::from(t), Array::from(y), Array::from(p))
}

/// Writes a result into a slice of as many numbers.
#[track_caller]
fn write(found: Array, out: &mut [f64]) -> Result<(), Error> {
    out.copy_from_slice(&found.reshape([out.len()])?.to_vec::<f64>()?);
    Ok(())
}
