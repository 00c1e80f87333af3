//! Machines without sampling.

use std::sync::LazyLock;
use std::time::Instant;

use super::{Body, Recording, Refused, Settings};
use crate::lines::LineTable;
use crate::sample::Activity;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the nanoseconds of a clock.
pub fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

pub(super) fn record<R>(
    _: &LineTable,
    _: &Settings,
    _: impl FnOnce() -> R,
) -> Result<(R, Recording), Refused> {
    Err(Refused::Unsupported(
        "it is made for Linux on x86-64".to_string(),
    ))
}

/// Calls the code of a call.
///
/// # Safety
/// As for the code.
#[inline]
pub unsafe fn call(code: unsafe extern "C" fn(*mut u8) -> i32, frame: *mut u8) -> i32 {
    // SAFETY: guaranteed by the caller.
    unsafe { code(frame) }
}

/// Calls the body of a parallel loop.
///
/// # Safety
/// As for the code.
#[inline]
pub(crate) unsafe fn body(code: Body, frame: *mut u8, low: i64, high: i64) -> i32 {
    // SAFETY: guaranteed by the caller.
    unsafe { code(frame, low, high) }
}

/// The call in progress on this thread.
#[inline]
pub(crate) fn site() -> usize {
    0
}

/// Says that this thread works for a call until the result is dropped.
#[inline]
pub(crate) fn inherit(_: usize) {}

/// Runs a library that takes threads of the pool by itself.
#[inline]
pub(crate) fn with_pool<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Runs `f`, which waits for other threads.
#[inline]
pub(crate) fn waiting<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Runs `f` as a span.
#[inline]
pub(crate) fn span<R>(_: Activity, f: impl FnOnce() -> R) -> R {
    f()
}

/// Notes the bytes of the lists of a call.
#[inline]
pub(crate) fn lists(_: usize) {}
