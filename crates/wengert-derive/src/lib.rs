//! `#[derive(Tree)]`, for the crate `wengert`.
#![forbid(unsafe_code)]

mod expand;
mod input;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or an enum a tree of its fields, so that it can be an argument or a result of traced
/// functions.
///
/// The type has a parameter for its leaves, by convention `T = Var`: `Rates` is the tree of traced values,
/// `Rates<Array>` the tree of data, and `Rates<f64>` may be passed for the latter. Fields are `T`, or any type
/// that is a tree when `T` is: `Vec<T>`, `[T; 3]`, `(T, T)`, `Option<Other<T>>`.
///
/// # Skipped fields
/// A field marked `#[tree(skip)]` holds no leaves. It is part of the structure: a function is traced again for
/// each value of it. Its type must be `Clone + Eq + Hash + Send + Sync + 'static`.
///
/// # Type parameters
/// Every type parameter used in a field that is not skipped stands for a tree. If there are several, they have
/// one type of leaf: `struct Pair<P, Q> { p: P, q: Q }` is a tree if `P` and `Q` are. Parameters used only in
/// skipped fields are left alone. Bounds on parameters that stand for trees are best written on `impl` blocks:
/// on the type, they would have to hold for `f64` and `Array` as well.
///
/// # Through another crate
/// The generated code names the crate `wengert`. For users who only have it through another crate's re-export,
/// name its path on the type: `#[tree(crate = "numerics::wengert")]`.
///
/// # What it implements
/// `Tree`, `Feed` and `IntoTree`, of the crate `wengert`.
#[proc_macro_derive(Tree, attributes(tree))]
pub fn derive_tree(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match input::Input::read(input) {
        Ok(input) => expand::expand(&input).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
