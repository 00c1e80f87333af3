//! Functions that generated code calls. A wrong call can access memory out of bounds, so emitters must meet the
//! conditions that each function states under *Safety*.

pub mod block;
pub mod helpers;
pub mod lanes;
#[cfg(target_arch = "x86_64")]
mod lines;
pub mod native;
pub mod product;
mod share;
pub mod sort;
pub mod threads;
mod tiles;
pub mod upper;
mod vectors;
pub mod wide;
