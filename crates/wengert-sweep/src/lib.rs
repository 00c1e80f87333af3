//! Parameter sweeps that can be left alone: a function over a grid, a list or a random design of any size.
//!
//! A [`Design`] says which points there are and makes each from its number; a [`Sweep`] runs a function over them, in
//! chunks that fit memory, on all cores. Results come from an [iterator](Sweep::iter), are
//! [collected](Sweep::collect), or go into a [directory](Sweep::directory), from which a run that was killed goes on.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_sweep::{Design, Stored, Sweep};
//!
//! #[derive(Tree, Clone)]
//! struct Oscillator<T = Var> {
//!     frequency: T,
//!     damping: T,
//! }
//!
//! /// The position after 100 steps.
//! fn position(o: Oscillator) -> Var {
//!     let step = |(x, v): (Var, Var)| {
//!         let a = -o.frequency.square() * x - o.damping * v;
//!         let v = v + 0.1 * a;
//!         (x + 0.1 * v, v)
//!     };
//!     fori(0..100, (1.0, 0.0), |_, s| step(s)).0
//! }
//!
//! # let folder = std::env::temp_dir().join(format!("wengert-sweep-doc-{}", std::process::id()));
//! let axis = |n: usize, high: f64| (0..n).map(|i| high * i as f64 / n as f64).collect::<Vec<f64>>();
//! let grid = Design::grid(Oscillator { frequency: axis(100, 2.0), damping: axis(50, 0.5) })?;
//! let summary = Sweep::new(grid, position).directory(&folder).run()?;
//! println!("{summary}");
//! assert_eq!(summary.done, 5000);
//! assert_eq!(Stored::open(&folder)?.column("y")?.shape(), [5000]);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What does not change results
//! The bits of a point's results depend on its number and nothing else: not on chunks, threads, shares, or kills.
//!
//! # A point that fails
//! It is a row with its [error](PointError), and the sweep goes on unless [`OnError::Stop`] is asked for. A
//! [`check`](wengert::check) that does not hold in one lane of a batch names its point: the chunk is then computed
//! again in small batches, and where one of them fails, point by point.
//!
//! # Features
//! - `bar`: `Sweep::bar`, a bar in the terminal;
//! - `solve`: `Design::sobol`, and the statuses of the solvers of `wengert-solve` in words.
#![forbid(unsafe_code)]

#[cfg(feature = "bar")]
mod bar;
mod chunk;
mod column;
mod design;
mod engine;
mod error;
mod identity;
mod outputs;
mod progress;
mod rows;
mod runner;
mod shard;
mod store;
mod summary;
mod sweep;
mod writer;

pub use design::Design;
pub use error::{Error, Kind, OnError, PointError, Result};
pub use outputs::Outputs;
pub use progress::Progress;
pub use rows::{Chunk, Chunks, Collected, Row, Rows};
pub use shard::Shard;
pub use store::part::Format;
pub use store::{Stored, merge};
pub use summary::{Ended, Quantity, Summary};
pub use sweep::Sweep;
