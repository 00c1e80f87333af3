//! Where recorded operations come from in the user's program.

use std::cell::Cell;
use std::panic::Location;

use super::{Kind, STACK};
use crate::source::SourceId;
use crate::trace::Var;
use crate::trace::var::Repr;

thread_local! {
    /// The source of the equation that a transform is replaying, for everything that its rule records.
    static REPLAYED: Cell<Option<SourceId>> = const { Cell::new(None) };
}

/// Runs `f` and attributes everything that it records to `source`.
pub fn with_source<R>(source: SourceId, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<SourceId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            REPLAYED.set(self.0);
        }
    }
    let _restore = Restore(REPLAYED.replace(Some(source)));
    f()
}

/// Runs `f` as if no equation were being replayed, for a user's function that a rule
/// calls.
pub fn inside<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Option<SourceId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            REPLAYED.set(self.0);
        }
    }
    let _restore = Restore(REPLAYED.replace(None));
    f()
}

/// Returns the source of the operation that is being recorded: the caller's line, inside the innermost open trace.
#[track_caller]
pub fn current_source() -> SourceId {
    source_at(Location::caller())
}

/// Returns the source of an operation that was called at `location`.
pub fn source_at(location: &'static Location<'static>) -> SourceId {
    if let Some(source) = REPLAYED.get() {
        return source;
    }
    let parent = STACK.with_borrow(|s| s.iter().rfind(|t| t.kind != Kind::Door).map(|t| t.source));
    SourceId::of(location, parent)
}

/// Runs `f`, the implementation of an operation that was called at `location`, and attributes what it records to that
/// place. What a user's function records inside, called by [`inside`], is attributed to its own lines.
pub fn asked_at<R>(location: &'static Location<'static>, f: impl FnOnce() -> R) -> R {
    with_source(source_at(location), f)
}

/// Returns the place at which a `Var` was made, if it is not a literal.
pub fn place_of(var: Var) -> Option<SourceId> {
    match var.0 {
        Repr::Traced { source, .. } => Some(source),
        Repr::Literal(_) => None,
    }
}
