//! Pools of buffers, which reuse the memory of dropped arrays for later results: large ones in one pool of all
//! threads, small ones in one for each thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wengert_ir::buffer::{Data, Dense, Element};
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::{DType, Type};
use wengert_ir::types::Dims;

use super::{Array, Storage};

/// The maximum number of bytes in the pool of all threads.
const KEPT: usize = 256 << 20;
/// The maximum number of buffers in it, which bounds the time of a search.
const MOST: usize = 512;

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
        while (self.bytes > KEPT || self.waiting.len() > MOST)
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
    /// The first lengths.
    dims: [usize; 4],
    len: usize,
}

impl Form {
    pub(crate) fn of(ty: Type) -> Form {
        let mut dims = [0; 4];
        for (to, from) in dims.iter_mut().zip(ty.shape.lengths()) {
            *to = from;
        }
        let len = ty.size();
        Form { ty, dims, len }
    }

    /// Returns whether the memory has the size and the element type of an array of this form.
    #[inline]
    pub(crate) fn fits(&self, data: &Data) -> bool {
        data.dtype() == self.ty.dtype && data.len() == self.len
    }

    /// Makes an array of this form from memory that fits.
    #[inline]
    pub(crate) fn array(&self, data: Arc<Data>) -> Array {
        debug_assert!(self.fits(&data));
        let dims = self.dims();
        Array::from_dense(Dense { dims, data })
    }

    /// Returns the lengths.
    #[inline]
    pub(crate) fn dims(&self) -> Dims {
        let rank = self.ty.rank();
        match rank <= self.dims.len() {
            true => Dims::from_buf_and_len(self.dims, rank),
            false => self.ty.shape.lengths(),
        }
    }

    /// Returns the number of elements.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

/// Makes an array of this type whose elements must all be overwritten: they may be left over from a dropped
/// array.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn memory_for(ty: &Type) -> Result<Array> {
    let form = Form::of(ty.clone());
    Ok(form.array(memory_of(&form)?))
}

/// Returns memory for an array of this form whose elements must all be overwritten.
///
/// # Errors
/// If there is no memory for it.
#[inline]
pub(crate) fn memory_of(form: &Form) -> Result<Arc<Data>> {
    match near(form.ty.dtype, form.len) {
        Some(data) => Ok(data),
        None => new_memory(form),
    }
}

fn new_memory(form: &Form) -> Result<Arc<Data>> {
    let (dtype, len) = (form.ty.dtype, form.len);
    // The allocator would return such memory to the system and zero it again, page by page.
    let kept = match dtype.bytes() * len > SMALL {
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
    Ok(Arc::new(data))
}

/// Makes a scalar.
pub(super) fn scalar<T: Element>(x: T) -> Array {
    if let Some(mut data) = near(T::DTYPE, 1)
        && let Some([place]) = Arc::get_mut(&mut data)
            .and_then(T::slice_mut)
            .map(|v| &mut v[..])
    {
        *place = x;
        let dims = Dims::new();
        return Array::from_dense(Dense { dims, data });
    }
    Array::from_dense(Dense::scalar(x))
}

/// Returns whether nobody else holds the memory.
#[inline]
pub(crate) fn is_own(data: &mut Arc<Data>) -> bool {
    // The count is read first: `get_mut` writes to the counts even if the memory is shared.
    Arc::strong_count(data) == 1 && Arc::get_mut(data).is_some()
}

/// Keeps memory for later arrays, if nobody else holds it and it is worth it.
#[inline]
pub(crate) fn recycle(data: Arc<Data>) {
    if Arc::strong_count(&data) > 1 {
        return;
    }
    match bytes(&data) {
        0..=SMALL => put_near(data),
        _ => give_up(data),
    }
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
    wengert_run::memory_for(ty.dtype, len).map_err(|_| {
        Error::no_memory(
            "call",
            format!("a result, {ty}"),
            (ty.dtype.bytes() as u64).saturating_mul(len as u64),
            None,
        )
    })
}

impl Drop for Array {
    #[inline]
    fn drop(&mut self) {
        // What has given its memory away, or is on a device, has nothing to keep.
        if self.on_host().is_some()
            && let Storage::Host(dense) = self.take()
        {
            recycle(dense.data);
        }
    }
}

/// Puts large memory into the pool, if nobody else holds it.
fn give_up(data: Arc<Data>) {
    if let Ok(data) = Arc::try_unwrap(data) {
        let unwanted = pool().put(data);
        // Freed after the lock is released, because freeing takes a while.
        drop(unwanted);
    }
}

/// The size in bytes up to which a thread keeps memory for itself.
const SMALL: usize = 32 << 10;
/// The maximum number of bytes that a thread keeps.
const NEAR: usize = 1 << 20;
/// The number of lists into which a thread sorts what it keeps.
const LISTS: usize = 16;
/// The maximum length of such a list.
const EACH: usize = 8;

/// Small memory of dropped arrays. The thread that has dropped them takes it for new ones, without a lock, and
/// with fewer steps than to free and to allocate two pieces of memory.
struct Near {
    /// The memory, sorted by a few bits of its type; in each list the newest last.
    lists: [Vec<Arc<Data>>; LISTS],
    bytes: usize,
}

thread_local! {
    static KEPT_NEAR: RefCell<Near> = const {
        RefCell::new(Near { lists: [const { Vec::new() }; LISTS], bytes: 0 })
    };
}

impl Near {
    #[inline]
    fn list(&mut self, dtype: DType, len: usize) -> &mut Vec<Arc<Data>> {
        &mut self.lists[(len ^ (len >> 4) ^ (len >> 8) ^ (dtype as usize) << 1) % LISTS]
    }

    #[inline]
    fn take(&mut self, dtype: DType, len: usize) -> Option<Arc<Data>> {
        let list = self.list(dtype, len);
        let fits = |d: &Arc<Data>| d.dtype() == dtype && d.len() == len;
        let i = list.iter().rposition(fits)?;
        let data = list.swap_remove(i);
        self.bytes -= bytes(&data);
        Some(data)
    }

    #[inline]
    fn put(&mut self, data: Arc<Data>) {
        let more = bytes(&data);
        if self.bytes + more > NEAR {
            self.clear();
        }
        self.bytes += more;
        let list = self.list(data.dtype(), data.len());
        if list.len() < EACH {
            list.push(data);
        } else {
            let oldest = list.remove(0);
            list.push(data);
            self.bytes -= bytes(&oldest);
        }
    }

    #[cold]
    fn clear(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
        self.bytes = 0;
    }
}

/// Takes memory that this thread has kept.
#[inline]
fn near(dtype: DType, len: usize) -> Option<Arc<Data>> {
    let take = |near: &RefCell<Near>| near.borrow_mut().take(dtype, len);
    // A thread that ends keeps nothing any more.
    KEPT_NEAR.try_with(take).ok().flatten()
}

/// Keeps memory for this thread.
fn put_near(data: Arc<Data>) {
    let _ = KEPT_NEAR.try_with(|near| near.borrow_mut().put(data));
}
