//! A pool of large buffers, which reuses the memory of dropped arrays for later results.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::{DType, Type};
use wengert_ir::types::Dims;

use super::Array;

/// The size in bytes from which memory is pooled: the allocator reuses smaller pieces by itself.
const LARGE: usize = 1 << 20;
/// The maximum number of bytes in the pool.
const KEPT: usize = 256 << 20;

static POOL: Mutex<Pool> = Mutex::new(Pool {
    waiting: VecDeque::new(),
    bytes: 0,
});

/// Unused buffers, the oldest first.
struct Pool {
    waiting: VecDeque<Data>,
    bytes: usize,
}

impl Pool {
    fn take(&mut self, dtype: DType, len: usize) -> Option<Data> {
        let fits = |d: &Data| d.dtype() == dtype && d.len() == len;
        // The newest is the most likely to be in a cache.
        let i = self.waiting.iter().rposition(fits)?;
        self.bytes -= dtype.bytes() * len;
        self.waiting.remove(i)
    }

    /// Keeps a buffer, and returns those for which there is no more room.
    fn put(&mut self, data: Data) -> Vec<Data> {
        self.bytes += bytes(&data);
        self.waiting.push_back(data);
        let mut dropped = Vec::new();
        while self.bytes > KEPT
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= bytes(&oldest);
            dropped.push(oldest);
        }
        dropped
    }
}

#[inline]
fn bytes(data: &Data) -> usize {
    data.dtype().bytes() * data.len()
}

/// A type of arrays, and what is computed from it for each new array.
pub(crate) struct Form {
    pub ty: Type,
    dims: Dims,
    len: usize,
}

impl Form {
    pub(crate) fn of(ty: Type) -> Form {
        let dims = ty.shape.lengths();
        let len = ty.size();
        Form { ty, dims, len }
    }

    /// Returns whether an array has as much memory of the same element type.
    #[inline]
    pub(crate) fn has_memory_of(&self, array: &Array) -> bool {
        array.dtype() == self.ty.dtype && array.len() == self.len
    }
}

/// Makes an array of this type whose elements must all be overwritten: they may be left over from a dropped
/// array.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn memory_for(ty: &Type) -> Result<Array> {
    memory_of(&Form::of(ty.clone()))
}

/// Makes an array as [`memory_for`] does.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn memory_of(form: &Form) -> Result<Array> {
    let (dtype, len) = (form.ty.dtype, form.len);
    let kept = match dtype.bytes() * len >= LARGE {
        true => pool().take(dtype, len),
        false => None,
    };
    let data = match kept {
        Some(data) => data,
        None => match wengert_run::memory_for(dtype, len) {
            Ok(data) => data,
            Err(_) => without_the_pool(&form.ty)?,
        },
    };
    let dims = Dims::from_slice(&form.dims);
    Ok(Array::from_dense(Dense::new(dims, data)))
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocates after an allocation has failed: empties the pool first.
#[cold]
fn without_the_pool(ty: &Type) -> Result<Data> {
    let len = ty.size();
    let mut pool = pool();
    let kept = mem::take(&mut pool.waiting);
    pool.bytes = 0;
    drop(pool);
    drop(kept);
    wengert_run::memory_for(ty.dtype, len).map_err(|_| Error::NoMemory {
        op: "call".into(),
        what: format!("a result, {ty}"),
        need: (ty.dtype.bytes() as u64).saturating_mul(len as u64),
        at: None,
    })
}

impl Drop for Array {
    #[inline]
    fn drop(&mut self) {
        if bytes(&self.dense.data) >= LARGE {
            give_up(&mut self.dense.data);
        }
    }
}

/// Puts the memory of a dropped array into the pool, if nobody else holds it.
fn give_up(data: &mut Arc<Data>) {
    if let Some(data) = Arc::get_mut(data) {
        let data = mem::replace(data, Data::zeros(DType::U8, 0));
        let unwanted = pool().put(data);
        // Freed after the lock is released, because freeing takes a while.
        drop(unwanted);
    }
}
