//! What generated code calls. All of it is a mistake's chance to reach outside of memory: who writes a call keeps to what
//! the function says under *Safety*.

pub mod block;
pub mod helpers;
pub mod native;
pub mod product;
pub mod sort;
pub mod threads;
mod tiles;
pub mod upper;
pub mod wide;
