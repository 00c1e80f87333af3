//! Functions that generated code calls. None of them unwinds: errors are stored in the call, and a nonzero
//! status tells the code to leave.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;
use wengert_loop::buffer::{Data, Slice, SliceMut};
use wengert_loop::loops::kernel::{Access, Elements, Kernel, Region, Regions};
use wengert_loop::loops::{Failure, LANES};
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;

use super::{threads, upper};
use crate::call::frame::Frame;
use crate::call::lists::{Arena, Charge, Slot, TooMuch};
use crate::call::{Run, RunError};
use crate::sample;

/// The status of success.
const OK: i32 = 0;
/// The status of failure; the call holds the error.
const FAILED: i32 = 1;

/// Runs code that may fail or panic, stores its error in the call, and returns a status.
pub fn guard(run: &Run<'_>, f: impl FnOnce() -> Result<(), RunError>) -> i32 {
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

/// Returns the remainder of floats, exact, with the sign of the dividend.
pub extern "C" fn rem_f64(x: f64, y: f64) -> f64 {
    x % y
}

/// Returns the remainder of floats, exact, with the sign of the dividend.
pub extern "C" fn rem_f32(x: f32, y: f32) -> f32 {
    x % y
}

/// Returns the functions that the code generator calls where the processor lacks an instruction, with their
/// names.
pub fn library() -> [(&'static str, *const u8); 10] {
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

/// Copies bytes between regions that are disjoint or identical.
///
/// # Safety
/// Both regions have `n` bytes.
pub unsafe extern "C" fn copy(to: *mut u8, from: *const u8, n: i64) {
    // SAFETY: guaranteed by the caller.
    unsafe { std::ptr::copy(from, to, n as usize) };
    upper::clear();
}

/// Records that the program stopped with a failure.
///
/// # Safety
/// `frame` is the frame pointer of the calling code.
pub unsafe extern "C" fn fail(frame: *mut u8, failure: *const Failure) -> i32 {
    // SAFETY: guaranteed by the caller; a frame in use belongs to a call.
    let (run, failure) = unsafe { (&*Frame::of(frame).run, &*failure) };
    guard(run, || Err(RunError::Stopped(failure.error())))
}

/// A kernel that is called as a Rust function.
pub struct KernelCall {
    kernel: Arc<dyn Kernel>,
    regions: Regions,
    /// Whether it runs for each lane.
    lanes: bool,
    /// Whether several threads may share its rows.
    threads: bool,
}

/// Nanoseconds of rows that one thread takes at a time.
const ROWS: f64 = 50_000.0;

impl KernelCall {
    /// Wraps a kernel, to be run once or in each lane, by one thread or by several.
    pub fn new(kernel: Arc<dyn Kernel>, lanes: bool, threads: bool) -> KernelCall {
        let regions = kernel.regions();
        KernelCall {
            kernel,
            regions,
            lanes,
            threads,
        }
    }

    /// Runs the kernel once on all rows of its regions, which threads share if there is enough work.
    ///
    /// # Safety
    /// `at` holds the addresses of its regions; none that is written overlaps another.
    unsafe fn run_once(&self, run: &Run<'_>, at: &[*mut u8]) -> Result<(), RunError> {
        let rows = self.kernel.rows();
        let nanoseconds = self.kernel.nanoseconds();
        if !self.threads || rows < 2 || nanoseconds < 2.0 * ROWS {
            // SAFETY: guaranteed by the caller.
            let mut elements = unsafe { self.part(at, 0..rows, rows) };
            return self.run(run, &mut elements);
        }
        let chunk = ((ROWS / nanoseconds * rows as f64) as usize).max(1);
        let at = Addresses(at);
        let site = sample::site();
        (0..rows.div_ceil(chunk)).into_par_iter().try_for_each(|i| {
            let _works_for = sample::inherit(site);
            let part = i * chunk..rows.min((i + 1) * chunk);
            // SAFETY: guaranteed by the caller; no two parts have a row in common.
            let mut elements = unsafe { self.part(at.all(), part, rows) };
            let done = self.run(run, &mut elements);
            upper::clear();
            done
        })
    }

    /// Borrows some of the `rows` rows of all regions.
    ///
    /// # Safety
    /// As for [`KernelCall::run_once`]; nobody else uses rows of the part that are written.
    unsafe fn part<'a>(
        &self,
        at: &[*mut u8],
        part: Range<usize>,
        rows: usize,
    ) -> Vec<Elements<'a>> {
        let elements = |(region, &at): (&Region, &*mut u8)| {
            let Region { dtype, len, access } = *region;
            // All of a region that has no rows, which is one of a kernel without rows.
            let row = len.checked_div(rows).unwrap_or(len);
            let len = if rows == 0 { len } else { row * part.len() };
            // SAFETY: guaranteed by the caller.
            unsafe {
                let at = at.add(part.start * row * dtype.bytes());
                match access {
                    Access::Read => Elements::Read(region_at(dtype, at, len)),
                    _ => Elements::Write(region_mut(dtype, at, len)),
                }
            }
        };
        self.regions.iter().zip(at).map(elements).collect()
    }

    fn run(&self, run: &Run<'_>, elements: &mut [Elements<'_>]) -> Result<(), RunError> {
        match catch_unwind(AssertUnwindSafe(|| self.kernel.run(elements))) {
            Ok(done) => done.map_err(RunError::Stopped),
            Err(panic) => {
                run.passes_through(panic);
                Err(RunError::Internal)
            }
        }
    }

    /// Runs the kernel for the lanes of a block, one at a time, on copies of their elements.
    ///
    /// # Safety
    /// `at` holds the addresses of its regions, each with a row of lanes per element unless lanes share it.
    unsafe fn run_in_lanes(&self, run: &Run<'_>, at: &[*mut u8]) -> Result<(), RunError> {
        let mut all: Vec<Data> = (self.regions.iter())
            .map(|r| Data::zeros(r.dtype, r.len))
            .collect();
        for lane in 0..LANES {
            let place = |i: usize, element: usize| {
                let size = self.regions[i].dtype.bytes();
                let number = match self.kernel.is_shared(i) {
                    true => element,
                    false => element * LANES + lane,
                };
                // SAFETY: guaranteed by the caller.
                unsafe { at[i].add(number * size) }
            };
            for (i, data) in all.iter_mut().enumerate() {
                for element in 0..data.len() {
                    let mut bits = [0; 8];
                    let size = data.dtype().bytes();
                    // SAFETY: guaranteed by the caller; a lane that is not live may hold any bytes.
                    unsafe { place(i, element).copy_to(bits.as_mut_ptr(), size) };
                    data.set_bits(element, u64::from_le_bytes(bits));
                }
            }
            let elements = all.iter_mut().zip(&self.regions);
            let elements = elements.map(|(data, region)| match region.access {
                Access::Read => Elements::Read(Slice::from(&*data)),
                _ => Elements::Write(SliceMut::from(data)),
            });
            self.run(run, &mut elements.collect::<Vec<_>>())?;
            for (i, data) in all.iter().enumerate() {
                let written = self.regions[i].access != Access::Read;
                for element in 0..if written { data.len() } else { 0 } {
                    let bits = data.bits(element).to_le_bytes();
                    // SAFETY: guaranteed by the caller.
                    unsafe { place(i, element).copy_from(bits.as_ptr(), data.dtype().bytes()) };
                }
            }
        }
        Ok(())
    }
}

/// The addresses of regions, for several threads.
struct Addresses<'a>(&'a [*mut u8]);

// SAFETY: threads use different rows of what is written, and nobody writes what is read.
unsafe impl Sync for Addresses<'_> {}

impl Addresses<'_> {
    fn all(&self) -> &[*mut u8] {
        self.0
    }
}

/// Runs a kernel.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, `regions` points to the addresses of the regions of
/// `call`; no region that is written overlaps another.
pub unsafe extern "C" fn kernel(
    frame: *mut u8,
    call: *const KernelCall,
    regions: *const *mut u8,
) -> i32 {
    // SAFETY: guaranteed by the caller; a frame in use belongs to a call.
    let (run, call) = unsafe { (&*Frame::of(frame).run, &*call) };
    // SAFETY: guaranteed by the caller.
    let at = unsafe { std::slice::from_raw_parts(regions, call.regions.len()) };
    guard(run, || match call.lanes {
        // SAFETY: guaranteed by the caller.
        true => unsafe { call.run_in_lanes(run, at) },
        // SAFETY: guaranteed by the caller.
        false => unsafe { call.run_once(run, at) },
    })
}

/// Borrows elements in memory for reading.
///
/// # Safety
/// There are `len` elements at `at` that nobody writes while they are borrowed.
pub unsafe fn region_at<'a>(dtype: DType, at: *const u8, len: usize) -> Slice<'a> {
    use std::slice::from_raw_parts;
    // SAFETY: guaranteed by the caller.
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

/// Borrows elements in memory for writing.
///
/// # Safety
/// There are `len` elements at `at` that nobody else accesses while they are borrowed.
pub unsafe fn region_mut<'a>(dtype: DType, at: *mut u8, len: usize) -> SliceMut<'a> {
    use std::slice::from_raw_parts_mut;
    // SAFETY: guaranteed by the caller.
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

/// Runs `f` on a list under construction.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, `slot` a list in it, `at` points to a line or is null.
unsafe fn on_list(
    frame: *mut u8,
    slot: *mut Slot,
    at: *const SourceId,
    work: impl FnOnce(&mut Arena, &mut Slot, &Charge<'_>) -> Result<(), TooMuch>,
) -> i32 {
    // SAFETY: guaranteed by the caller.
    let (frame, slot, at) = unsafe { (Frame::of(frame), &mut *slot, at.as_ref().copied()) };
    // SAFETY: a frame in use belongs to a call.
    let run = unsafe { &*frame.run };
    guard(run, || {
        let done = work(&mut frame.lists, slot, &|bytes| run.charge(bytes));
        done.map_err(|TooMuch(need)| run.list_error(need, at))
    })
}

/// Makes room for row number `row` of a list.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, `slot` a list in it with rows of `size` bytes, `at` points
/// to a line or is null.
pub unsafe extern "C" fn list_grow(
    frame: *mut u8,
    slot: *mut Slot,
    size: i64,
    row: i64,
    at: *const SourceId,
) -> i32 {
    // SAFETY: guaranteed by the caller; lists in a frame lie in its arena.
    unsafe {
        on_list(frame, slot, at, |lists, slot, charge| {
            lists.grow(slot, size as usize, row as usize, charge)
        })
    }
}

/// Finishes a list, and leaves its handle in the slot.
///
/// # Safety
/// As for [`list_grow`].
pub unsafe extern "C" fn list_finish(
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

/// Discards the lists of a task, whose memory is used again.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, which runs in a task and reads none of its lists any more.
pub unsafe extern "C" fn lists_end(frame: *mut u8) {
    // SAFETY: guaranteed by the caller.
    let frame = unsafe { Frame::of(frame) };
    // SAFETY: a frame in use belongs to a call.
    let run = unsafe { &*frame.run };
    run.discharge(frame.lists.reset());
}

/// Runs a parallel loop.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, `body` a function emitted for a parallel loop of the same
/// program.
pub unsafe extern "C" fn parallel(
    frame: *mut u8,
    body: threads::Body,
    extent: i64,
    nanoseconds: i64,
) -> i32 {
    // SAFETY: guaranteed by the caller; a frame in use belongs to a call.
    let run = unsafe { &*Frame::of(frame).run };
    guard(run, || {
        // SAFETY: guaranteed by the caller.
        unsafe { threads::run(run, frame, body, extent, nanoseconds) };
        // The error is in the call already.
        if run.has_failed() {
            Err(RunError::Internal)
        } else {
            Ok(())
        }
    })
}
