//! Roots of functions.
//!
//! | | |
//! |---|---|
//! | several functions of as many unknowns | [`root()`], [`Search`] |
//! | a number, in an interval | [`brent`], [`chandrupatla`], [`itp`], [`bisect`], [`newton_in`], [`halley_in`], [`InInterval`] |
//! | fixed points | [`fixed_point()`], [`Anderson`] |
//! | polynomials | [`polynomial()`] |
//! | an interval, from a guess | [`expand`] |
//!
//! What was found is differentiated through the equation `f(x) = 0`, in what `f` captures.

mod fixed;
mod interval;
mod methods;
mod polynomial;
mod system;
mod trust;

pub use fixed::{Anderson, fixed_point};
pub use interval::{
    Bracket, InInterval, Root, Rule, bisect, brent, chandrupatla, expand, halley_in, itp, newton_in,
};
pub use polynomial::polynomial;
pub use system::{Method, Search, root};
