//! A pool of large buffers, which reuses the memory of dropped arrays for later results.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::{DType, Type};

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

fn bytes(data: &Data) -> usize {
    data.dtype().bytes() * data.len()
}

/// Makes an array of this type whose elements must all be overwritten: they may be left over from a dropped
/// array.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn memory_for(ty: &Type) -> Result<Array> {
    let len = ty.size();
    let kept = (ty.dtype.bytes() * len >= LARGE)
        .then(|| {
            let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
            pool.take(ty.dtype, len)
        })
        .flatten();
    let data = match kept.map_or_else(|| wengert_run::memory_for(ty.dtype, len), Ok) {
        Ok(data) => data,
        Err(_) => without_the_pool(ty)?,
    };
    Ok(Array::from_dense(Dense::new(ty.shape.lengths(), data)))
}

/// Allocates after an allocation has failed: empties the pool first.
#[cold]
fn without_the_pool(ty: &Type) -> Result<Data> {
    let len = ty.size();
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn drop(&mut self) {
        if bytes(&self.dense.data) < LARGE {
            return;
        }
        if let Some(data) = Arc::get_mut(&mut self.dense.data) {
            let data = mem::replace(data, Data::zeros(DType::U8, 0));
            let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
            let unwanted = pool.put(data);
            // Freed after the lock is released, because freeing takes a while.
            drop(pool);
            drop(unwanted);
        }
    }
}
