//! Roots of functions.
//!
//! | | |
//! |---|---|
//! | a number, in an interval | [`brent`], [`chandrupatla`], [`itp`], [`bisect`], [`newton_in`], [`halley_in`], [`InInterval`] |
//! | an interval, from a guess | [`expand`] |
//!
//! What was found is differentiated through the equation `f(x) = 0`, in what `f` captures.

mod interval;
mod methods;

pub use interval::{
    Bracket, InInterval, Root, Rule, bisect, brent, chandrupatla, expand, halley_in, itp, newton_in,
};
