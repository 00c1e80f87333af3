//! What generated code calls. No function here unwinds: errors are stored in the call, and a status
//! says to leave.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_loop::loops::Failure;
use wengert_loop::loops::host::{Host, Slice, SliceMut};
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;

use super::executable::{Run, RunError};
use super::frame::Frame;
use super::lists::{Arena, Charge, Slot, TooMuch};
use super::{threads, upper};

/// All went well.
const OK: i32 = 0;
/// Leave; the call knows why.
const FAILED: i32 = 1;

/// Runs what may fail or panic.
pub(super) fn guard(run: &Run<'_>, f: impl FnOnce() -> Result<(), RunError>) -> i32 {
    let status = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(())) => OK,
        Ok(Err(e)) => {
            run.fail(e);
            FAILED
        }
        Err(_) => {
            run.fail(RunError::Internal);
            FAILED
        }
    };
    upper::clear();
    status
}

/// The remainder of floats, exact, with the sign of the dividend.
pub(crate) extern "C" fn rem_f64(x: f64, y: f64) -> f64 {
    x % y
}

/// The remainder of floats, exact, with the sign of the dividend.
pub(crate) extern "C" fn rem_f32(x: f32, y: f32) -> f32 {
    x % y
}

/// Functions that the code generator calls where the processor lacks an instruction, by the names it
/// calls them.
pub(crate) fn library() -> [(&'static str, *const u8); 10] {
    extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
        x.mul_add(y, z)
    }
    extern "C" fn fmaf(x: f32, y: f32, z: f32) -> f32 {
        x.mul_add(y, z)
    }
    extern "C" fn floor(x: f64) -> f64 {
        x.floor()
    }
    extern "C" fn floorf(x: f32) -> f32 {
        x.floor()
    }
    extern "C" fn ceil(x: f64) -> f64 {
        x.ceil()
    }
    extern "C" fn ceilf(x: f32) -> f32 {
        x.ceil()
    }
    extern "C" fn trunc(x: f64) -> f64 {
        x.trunc()
    }
    extern "C" fn truncf(x: f32) -> f32 {
        x.trunc()
    }
    extern "C" fn nearbyint(x: f64) -> f64 {
        x.round_ties_even()
    }
    extern "C" fn nearbyintf(x: f32) -> f32 {
        x.round_ties_even()
    }
    [
        ("fma", fma as *const u8),
        ("fmaf", fmaf as *const u8),
        ("floor", floor as *const u8),
        ("floorf", floorf as *const u8),
        ("ceil", ceil as *const u8),
        ("ceilf", ceilf as *const u8),
        ("trunc", trunc as *const u8),
        ("truncf", truncf as *const u8),
        ("nearbyint", nearbyint as *const u8),
        ("nearbyintf", nearbyintf as *const u8),
    ]
}

/// Copies bytes between regions that are apart, or the same.
///
/// # Safety
/// Both regions have `n` bytes.
pub(crate) unsafe extern "C" fn copy(to: *mut u8, from: *const u8, n: i64) {
    // SAFETY: by the caller.
    unsafe { std::ptr::copy(from, to, n as usize) };
    upper::clear();
}

/// A loop took too many steps.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on, `at` points to a line or is null.
pub(crate) unsafe extern "C" fn fail_max_steps(
    frame: *mut u8,
    limit: i64,
    at: *const SourceId,
) -> i32 {
    // SAFETY: by the caller.
    let (run, at) = unsafe { (&*Frame::of(frame).run, at.as_ref().copied()) };
    let limit = limit as u64;
    guard(run, || Err(RunError::MaxSteps { limit, at }))
}

/// The program gives up.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on.
pub(crate) unsafe extern "C" fn fail(frame: *mut u8, failure: *const Failure) -> i32 {
    // SAFETY: by the caller; a frame in use serves a call.
    let (run, failure) = unsafe { (&*Frame::of(frame).run, &*failure) };
    guard(run, || Err(RunError::Stopped(failure.error())))
}

/// Calls a function of the host.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on, `regions` points to the addresses of
/// the regions that `host` names, inputs and outputs; no output overlaps another region.
pub(crate) unsafe extern "C" fn host(
    frame: *mut u8,
    host: *const Host,
    regions: *const *mut u8,
) -> i32 {
    // SAFETY: by the caller; a frame in use serves a call.
    let (run, host) = unsafe { (&*Frame::of(frame).run, &*host) };
    let read = |(i, &(dtype, len)): (usize, &(DType, usize))| {
        // SAFETY: by the caller.
        unsafe { region(dtype, *regions.add(i), len) }
    };
    let write = |(i, &(dtype, len)): (usize, &(DType, usize))| {
        // SAFETY: by the caller.
        unsafe { region_mut(dtype, *regions.add(host.inputs.len() + i), len) }
    };
    guard(run, || {
        let inputs: Vec<Slice<'_>> = host.inputs.iter().enumerate().map(read).collect();
        let mut outputs: Vec<SliceMut<'_>> = host.outputs.iter().enumerate().map(write).collect();
        let call = || host.function.call(&inputs, &mut outputs);
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(done) => done.map_err(RunError::Stopped),
            Err(panic) => {
                run.passes_through(panic);
                Err(RunError::Internal)
            }
        }
    })
}

/// # Safety
/// At `at` are `len` elements that nobody writes while they are borrowed.
unsafe fn region<'a>(dtype: DType, at: *const u8, len: usize) -> Slice<'a> {
    use std::slice::from_raw_parts;
    // SAFETY: by the caller.
    unsafe {
        match dtype {
            DType::F32 => Slice::F32(from_raw_parts(at.cast(), len)),
            DType::F64 => Slice::F64(from_raw_parts(at.cast(), len)),
            DType::I32 => Slice::I32(from_raw_parts(at.cast(), len)),
            DType::I64 => Slice::I64(from_raw_parts(at.cast(), len)),
            DType::U32 => Slice::U32(from_raw_parts(at.cast(), len)),
            DType::U64 => Slice::U64(from_raw_parts(at.cast(), len)),
            DType::U8 => Slice::U8(from_raw_parts(at.cast(), len)),
            DType::Bool => Slice::Bool(from_raw_parts(at.cast(), len)),
        }
    }
}

/// # Safety
/// At `at` are `len` elements that nobody else reaches while they are borrowed.
unsafe fn region_mut<'a>(dtype: DType, at: *mut u8, len: usize) -> SliceMut<'a> {
    use std::slice::from_raw_parts_mut;
    // SAFETY: by the caller.
    unsafe {
        match dtype {
            DType::F32 => SliceMut::F32(from_raw_parts_mut(at.cast(), len)),
            DType::F64 => SliceMut::F64(from_raw_parts_mut(at.cast(), len)),
            DType::I32 => SliceMut::I32(from_raw_parts_mut(at.cast(), len)),
            DType::I64 => SliceMut::I64(from_raw_parts_mut(at.cast(), len)),
            DType::U32 => SliceMut::U32(from_raw_parts_mut(at.cast(), len)),
            DType::U64 => SliceMut::U64(from_raw_parts_mut(at.cast(), len)),
            DType::U8 => SliceMut::U8(from_raw_parts_mut(at.cast(), len)),
            DType::Bool => SliceMut::Bool(from_raw_parts_mut(at.cast(), len)),
        }
    }
}

/// Works on a list that is being built.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on, `slot` a list in it, `at` points to a
/// line or is null.
unsafe fn on_list(
    frame: *mut u8,
    slot: *mut Slot,
    at: *const SourceId,
    work: impl FnOnce(&mut Arena, &mut Slot, &Charge<'_>) -> Result<(), TooMuch>,
) -> i32 {
    // SAFETY: by the caller.
    let (frame, slot, at) = unsafe { (Frame::of(frame), &mut *slot, at.as_ref().copied()) };
    // SAFETY: a frame in use serves a call.
    let run = unsafe { &*frame.run };
    guard(run, || {
        let done = work(&mut frame.lists, slot, &|bytes| run.charge(bytes));
        done.map_err(|TooMuch(need)| run.list_error(need, at))
    })
}

/// Makes room for row number `row` of a list.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on, `slot` a list in it with rows of
/// `size` bytes, `at` points to a line or is null.
pub(crate) unsafe extern "C" fn list_grow(
    frame: *mut u8,
    slot: *mut Slot,
    size: i64,
    row: i64,
    at: *const SourceId,
) -> i32 {
    // SAFETY: by the caller; lists in a frame lie in its arena.
    unsafe {
        on_list(frame, slot, at, |lists, slot, charge| {
            lists.grow(slot, size as usize, row as usize, charge)
        })
    }
}

/// Ends a list; its handle is then in the slot.
///
/// # Safety
/// As for [`list_grow`].
pub(crate) unsafe extern "C" fn list_finish(
    frame: *mut u8,
    slot: *mut Slot,
    size: i64,
    at: *const SourceId,
) -> i32 {
    // SAFETY: as in `list_grow`.
    unsafe {
        on_list(frame, slot, at, |lists, slot, charge| {
            lists.finish(slot, size as usize, charge)
        })
    }
}

/// Runs a parallel loop.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on, `body` a function written for a
/// parallel loop of the same program.
pub(crate) unsafe extern "C" fn parallel(
    frame: *mut u8,
    body: threads::Body,
    extent: i64,
    nanoseconds: i64,
) -> i32 {
    // SAFETY: by the caller; a frame in use serves a call.
    let run = unsafe { &*Frame::of(frame).run };
    guard(run, || {
        // SAFETY: by the caller.
        unsafe { threads::run(run, frame, body, extent, nanoseconds) };
        // An error is in the call already.
        if run.has_failed() {
            Err(RunError::Internal)
        } else {
            Ok(())
        }
    })
}
