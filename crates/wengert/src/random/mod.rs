//! Random numbers: keys that cannot be used twice, and draws from them.
//!
//! A [`Key`] is eight words that determine a stream of random numbers, always the same on every machine. A
//! function that needs random numbers takes a key as an argument; a draw consumes it. To get more keys, derive
//! them from one: [`Key::split`] for a known number, [`Key::split_into`] for a batch or a loop,
//! [`Key::fold_in`] for numbered steps.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let noisy = jit(|(x, key): (Var, Key)| x + 0.1 * key.normal([3]));
//! let key = Key::from_seed(7);
//! let y = noisy.call(([1.0, 2.0, 3.0], key.clone()))?;
//! assert_eq!(y, noisy.call(([1.0, 2.0, 3.0], key))?);
//! # Ok::<(), wengert::Error>(())
//! ```

mod choice;
mod continuous;
mod counts;
mod each;
mod gamma;
mod generator;
mod integers;
mod key;
mod normal;
mod orthogonal;
mod shape;
mod stirling;
mod truncated;
mod uniform;
mod valid;

pub use generator::Generator;
pub use key::{Key, KeyFamily};
pub use shape::Draws;
