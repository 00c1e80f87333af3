//! Memory of a device: blocks that are used again, and arrays with the call that makes them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, PoisonError};

use wengert_loop::buffer::Data;
use wengert_loop::types::DType;
use wengert_run::{DeviceMemory, RunError};

use crate::api::{Api, Raw, checked};
use crate::device::Link;
use crate::run::Call;

const READ_WRITE: u64 = 1;
const COPY_HOST: u64 = 1 << 5;

/// Blocks that nobody uses, by their sizes. Commands run in the order in which they are queued, so that a block may be
/// given away as soon as the last command that uses it is in the queue.
#[derive(Default)]
pub(crate) struct Pool(Mutex<BTreeMap<usize, Vec<usize>>>);

impl Pool {
    /// Takes a block of at least this size, and not much more.
    fn take(&self, bytes: usize) -> Option<(usize, Raw)> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (&size, blocks) = free.range_mut(bytes..=2 * bytes + 4096).next()?;
        let raw = blocks.pop()?;
        if blocks.is_empty() {
            free.remove(&size);
        }
        Some((size, raw as Raw))
    }

    fn give(&self, size: usize, raw: Raw) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.entry(size).or_default().push(raw as usize);
    }

    /// Frees all blocks.
    pub fn clear(&self, api: &Api) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for raw in std::mem::take(&mut *free).into_values().flatten() {
            // SAFETY: the pool owns it.
            unsafe { (api.clReleaseMemObject)(raw as Raw) };
        }
    }
}

/// A block of memory, which returns to the pool.
pub(crate) struct Block {
    link: Arc<Link>,
    size: usize,
    raw: Raw,
}

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        self.link.pool.give(self.size, self.raw);
    }
}

impl Block {
    /// A block of at least so many bytes, with any contents.
    pub fn new(link: &Arc<Link>, bytes: usize) -> Result<Block, RunError> {
        let bytes = bytes.max(8);
        if let Some((size, raw)) = link.pool.take(bytes) {
            return Ok(Block {
                link: link.clone(),
                size,
                raw,
            });
        }
        // Sizes are few, so that blocks are found again.
        let size = bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(64));
        Block::create(link, size, bytes, READ_WRITE, null_mut())
    }

    fn create(
        link: &Arc<Link>,
        size: usize,
        wanted: usize,
        flags: u64,
        from: *mut std::ffi::c_void,
    ) -> Result<Block, RunError> {
        if wanted > link.largest {
            let what = format!(
                "an array or scratch of {wanted} bytes; at most {} are possible at a time",
                link.largest
            );
            return Err(link.failed(&what));
        }
        let size = size.min(link.largest.max(wanted)).max(wanted);
        let make = || {
            let mut status = 0;
            // SAFETY: the context is valid; `from` is null, or has as many bytes.
            let raw =
                unsafe { (link.api.clCreateBuffer)(link.context, flags, size, from, &mut status) };
            checked("clCreateBuffer", status).map(|()| raw)
        };
        let raw = make().or_else(|_| {
            // What the pool holds may be in the way.
            link.pool.clear(link.api);
            make()
        });
        Ok(Block {
            link: link.clone(),
            size,
            raw: raw.map_err(|e| link.failed(&e))?,
        })
    }

    pub fn raw(&self) -> Raw {
        self.raw
    }

    /// Queues to fill words of 64 bits from `first` on.
    pub fn fill(&self, word: u64, first: usize, words: usize) -> Result<(), RunError> {
        self.repeat(&word.to_le_bytes(), 8 * first, 8 * words)
    }

    /// Queues to set all bytes to zero.
    pub fn zero(&self) -> Result<(), RunError> {
        self.repeat(&[0], 0, self.size)
    }

    /// Queues to repeat a pattern, whose length divides both numbers, in so many bytes from `first` on.
    fn repeat(&self, pattern: &[u8], first: usize, bytes: usize) -> Result<(), RunError> {
        let link = &self.link;
        assert!(first + bytes <= self.size);
        // SAFETY: the pattern is copied, and the block has so many bytes.
        let status = unsafe {
            (link.api.clEnqueueFillBuffer)(
                link.queue,
                self.raw,
                pattern.as_ptr().cast(),
                pattern.len(),
                first,
                bytes,
                0,
                std::ptr::null(),
                null_mut(),
            )
        };
        checked("clEnqueueFillBuffer", status).map_err(|e| link.failed(&e))
    }

    /// Waits for what is queued, and copies the first bytes to the host.
    pub fn read(&self, to: &mut [u8]) -> Result<(), RunError> {
        let link = &self.link;
        if to.is_empty() {
            return Ok(());
        }
        assert!(to.len() <= self.size);
        // SAFETY: both have as many bytes, and the call returns when they are copied.
        let status = unsafe {
            (link.api.clEnqueueReadBuffer)(
                link.queue,
                self.raw,
                1,
                0,
                to.len(),
                to.as_mut_ptr().cast(),
                0,
                std::ptr::null(),
                null_mut(),
            )
        };
        checked("clEnqueueReadBuffer", status).map_err(|e| link.failed(&e))
    }
}

/// An array on a device.
pub(crate) struct Memory {
    pub link: Arc<Link>,
    pub block: Block,
    dtype: DType,
    len: usize,
    /// The call that makes it, if it may still run.
    pub call: Option<Arc<Call>>,
}

impl Debug for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] on {}", self.dtype, self.len, self.link.name)
    }
}

impl Memory {
    pub fn new(
        link: &Arc<Link>,
        block: Block,
        dtype: DType,
        len: usize,
        call: Arc<Call>,
    ) -> Memory {
        Memory {
            link: link.clone(),
            block,
            dtype,
            len,
            call: Some(call),
        }
    }

    /// A copy of the host's data.
    pub fn upload(link: &Arc<Link>, data: &Data) -> Result<Memory, RunError> {
        let bytes = data.len() * data.dtype().bytes();
        let block = match bytes {
            0 => Block::new(link, 8)?,
            // The library reads the elements before it returns.
            n => Block::create(
                link,
                n,
                n,
                READ_WRITE | COPY_HOST,
                data.as_ptr().cast_mut().cast(),
            )?,
        };
        Ok(Memory {
            link: link.clone(),
            block,
            dtype: data.dtype(),
            len: data.len(),
            call: None,
        })
    }
}

impl DeviceMemory for Memory {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn len(&self) -> usize {
        self.len
    }

    fn download(&self) -> Result<Data, RunError> {
        if let Some(call) = &self.call {
            call.wait()?;
        }
        let mut data = Data::try_splat(self.dtype, self.len, 0)
            .map_err(|_| self.link.failed(&"the host has no memory for the array"))?;
        let bytes = self.len * self.dtype.bytes();
        if self.dtype == DType::Bool {
            // Truth values of Rust are 0 or 1, whatever a device writes.
            let mut truths = vec![0; bytes];
            self.block.read(&mut truths)?;
            for (i, &b) in truths.iter().enumerate() {
                data.set_bits(i, u64::from(b != 0));
            }
            return Ok(data);
        }
        // SAFETY: the data has so many bytes, and any bits are numbers.
        let to = unsafe { std::slice::from_raw_parts_mut(data.as_mut_ptr(), bytes) };
        self.block.read(to)?;
        Ok(data)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
