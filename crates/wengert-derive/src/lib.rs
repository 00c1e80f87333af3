//! `#[derive(Tree)]`, for the crate `wengert`.
#![forbid(unsafe_code)]

mod expand;
mod input;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or an enum a tree of its fields, so that it can go into functions that are traced
/// and come out of them.
///
/// The type has a parameter for its leaves, by convention `T = Var`: `Rates` is the tree of traced
/// values, `Rates<Array>` the same of data, and `Rates<f64>` may be passed for that. Fields are `T`,
/// or anything that is a tree when `T` is: `Vec<T>`, `[T; 3]`, `(T, T)`, `Option<Other<T>>`.
///
/// # Skipped fields
/// A field marked `#[tree(skip)]` holds no leaves. It is part of the structure: a function is traced
/// anew for each value of it. Its type must be `Clone + Eq + Hash + Send + Sync + 'static`.
///
/// # Type parameters
/// Every type parameter that is used in a field which is not skipped stands for a tree. With several,
/// all have the same type of leaf: `struct Pair<P, Q> { p: P, q: Q }` is a tree if `P` and `Q` are.
/// Parameters used in skipped fields alone stay as they are. Bounds on the parameters of trees are
/// best written on `impl` blocks: on the type, they would have to hold for `f64` and `Array` as well.
///
/// # Through another crate
/// What is written names the crate `wengert`. A crate that re-exports it, for users who have it by that way alone,
/// says where it is: `#[tree(crate = "numerics::wengert")]` on the type.
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
