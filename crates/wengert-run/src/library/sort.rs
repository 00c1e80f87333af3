//! Sorting, for generated code.

use rayon::prelude::*;
use wengert_loop::arithmetic::Arithmetic;
use wengert_loop::loops::kernel::Sort;
use wengert_loop::sort::{sort_keys, sort_with_places};
use wengert_loop::types::DType;

use super::helpers::guard;
use crate::call::frame::Frame;
use crate::sample;

/// A sort in a program.
pub struct SortCall {
    /// Its sizes, dtype and direction.
    pub sort: Sort,
    /// Whether it may use several threads.
    pub threads: bool,
}

/// The number of keys from which several threads sort.
const PARALLEL: usize = 16_384;

/// Sorts the rows of keys in place, and records the original place of each key.
///
/// # Safety
/// `frame` is the frame pointer of the calling code; `regions` points to the address of the keys, all of them
/// initialised, and of their places if `call` asks for them; they have the elements that `call` says, and do
/// not overlap.
pub unsafe extern "C" fn sort(
    frame: *mut u8,
    call: *const SortCall,
    regions: *const *mut u8,
) -> i32 {
    // SAFETY: guaranteed by the caller; a frame in use belongs to a call.
    let (run, call, keys) = unsafe { (&*Frame::of(frame).run, &*call, *regions) };
    let places: *mut i64 = match call.sort.places {
        // SAFETY: guaranteed by the caller.
        true => unsafe { *regions.add(1) }.cast(),
        false => std::ptr::null_mut(),
    };
    guard(run, || {
        // SAFETY: guaranteed by the caller; a truth value is a byte 0 or 1.
        unsafe {
            match call.sort.dtype {
                DType::F32 => rows::<f32>(call, keys.cast(), places),
                DType::F64 => rows::<f64>(call, keys.cast(), places),
                DType::I32 => rows::<i32>(call, keys.cast(), places),
                DType::I64 => rows::<i64>(call, keys.cast(), places),
                DType::U32 => rows::<u32>(call, keys.cast(), places),
                DType::U64 => rows::<u64>(call, keys.cast(), places),
                DType::U8 => rows::<u8>(call, keys.cast(), places),
                DType::Bool => rows::<bool>(call, keys.cast(), places),
            }
        }
        Ok(())
    })
}

/// # Safety
/// As for [`sort()`], with `T` the type of the keys.
unsafe fn rows<T: Arithmetic>(call: &SortCall, keys: *mut T, places: *mut i64) {
    let Sort {
        n,
        rows,
        descending,
        ..
    } = call.sort;
    if n == 0 || rows == 0 {
        return;
    }
    // SAFETY: guaranteed by the caller.
    let keys = unsafe { std::slice::from_raw_parts_mut(keys, rows * n) };
    let side_by_side = call.threads && rows > 1 && rows * n >= PARALLEL;
    let site = sample::site();
    if places.is_null() {
        match side_by_side {
            true => (keys.par_chunks_mut(n)).for_each(|row| {
                let _works_for = sample::inherit(site);
                sort_keys(row, descending);
            }),
            false => (keys.chunks_mut(n)).for_each(|row| sort_keys(row, descending)),
        }
        return;
    }
    // SAFETY: guaranteed by the caller; every place is written before it is read.
    let places = unsafe { std::slice::from_raw_parts_mut(places, rows * n) };
    let one = |(keys, places)| sort_with_places(keys, places, descending);
    match side_by_side {
        true => (keys.par_chunks_mut(n))
            .zip(places.par_chunks_mut(n))
            .for_each(|row| {
                let _works_for = sample::inherit(site);
                one(row);
            }),
        false => (keys.chunks_mut(n)).zip(places.chunks_mut(n)).for_each(one),
    }
}
