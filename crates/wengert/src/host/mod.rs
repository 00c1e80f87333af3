//! Host functions in a trace.

mod callback;
pub(crate) mod rows;

pub use callback::{pure_callback, pure_callback_batched};
