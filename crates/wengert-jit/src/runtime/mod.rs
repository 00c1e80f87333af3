//! What runs compiled code, and what compiled code calls.

pub(crate) mod block;
pub(crate) mod code;
pub(crate) mod executable;
pub(crate) mod frame;
pub(crate) mod helpers;
pub(crate) mod lists;
pub(crate) mod native;
pub(crate) mod pages;
pub(crate) mod product;
pub(crate) mod sort;
pub(crate) mod threads;
mod tiles;
pub(crate) mod upper;
pub(crate) mod wide;
