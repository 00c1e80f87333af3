//! Memory of a device: blocks that are used again, and arrays with the call that makes them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use wengert_loop::buffer::Data;
use wengert_loop::types::DType;
use wengert_loop::with_data;
use wengert_run::{DeviceMemory, RunError};

use super::run::Call;
use super::{Link, Queue};

/// Blocks that nobody uses, by their sizes. Commands run in the order in which they are queued, so that a block may be
/// given away as soon as the last command that uses it is in the queue.
pub(super) struct Pool<M>(Mutex<BTreeMap<usize, Vec<M>>>);

impl<M> Default for Pool<M> {
    fn default() -> Pool<M> {
        Pool(Mutex::default())
    }
}

impl<M> Pool<M> {
    /// Takes a block of at least this size, and not much more.
    fn take(&self, bytes: usize) -> Option<(usize, M)> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = bytes.saturating_mul(2).saturating_add(4096);
        let (&size, blocks) = free.range_mut(bytes..=most).next()?;
        let memory = blocks.pop()?;
        if blocks.is_empty() {
            free.remove(&size);
        }
        Some((size, memory))
    }

    fn give(&self, size: usize, memory: M) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.entry(size).or_default().push(memory);
    }

    /// Releases all blocks.
    fn clear(&self) {
        let free = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(free);
    }
}

/// A block of memory, which returns to the pool if the device has none.
pub(super) struct Block<Q: Queue> {
    link: Arc<Link<Q>>,
    /// Its bytes, a multiple of eight that may leave some out.
    size: usize,
    /// It is there until the block is dropped.
    memory: Option<Q::Memory>,
}

impl<Q: Queue> Drop for Block<Q> {
    fn drop(&mut self) {
        let Some(memory) = self.memory.take() else {
            return;
        };
        match self.link.queue.facts().pools || self.size == 0 {
            true => drop(memory),
            false => self.link.pool.give(self.size, memory),
        }
    }
}

impl<Q: Queue> Block<Q> {
    /// A block of at least so many bytes, with any contents.
    pub fn new(link: &Arc<Link<Q>>, bytes: usize) -> Result<Block<Q>, RunError> {
        let facts = link.queue.facts();
        let bytes = bytes.max(8).checked_next_multiple_of(8);
        let bytes = bytes.unwrap_or(usize::MAX);
        if let Some((size, memory)) = link.pool.take(bytes) {
            return Ok(Block {
                link: link.clone(),
                size,
                memory: Some(memory),
            });
        }
        Block::create(link, bytes, &|| {
            let size = match facts.pools {
                true => bytes,
                // Sizes are few, so that blocks are found again.
                false => bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(64)),
            };
            let size = size.min(facts.largest.max(bytes));
            Ok((size / 8 * 8, link.queue.allocate(size)?))
        })
    }

    fn create(
        link: &Arc<Link<Q>>,
        wanted: usize,
        make: &dyn Fn() -> Result<(usize, Q::Memory), Q::Error>,
    ) -> Result<Block<Q>, RunError> {
        let largest = link.queue.facts().largest.min(isize::MAX as usize);
        if wanted > largest {
            let what = format!(
                "an array or scratch of {wanted} bytes; at most {largest} are possible at a time"
            );
            return Err(link.failed(&what));
        }
        let made = make().or_else(|_| {
            // What the pool holds may be in the way.
            link.pool.clear();
            make()
        });
        let (size, memory) = made.map_err(|e| link.failed(&e))?;
        Ok(Block {
            link: link.clone(),
            size,
            memory: Some(memory),
        })
    }

    pub fn memory(&self) -> &Q::Memory {
        self.memory.as_ref().expect("it is not dropped")
    }

    /// Queues to fill words of 32 bits from number `first` on.
    pub fn fill(&self, word: u32, first: usize, words: usize) -> Result<(), RunError> {
        let link = &self.link;
        let filled = link.queue.fill(self.memory(), word, first, words);
        filled.map_err(|e| link.failed(&e))
    }

    /// Queues to set all bytes to zero.
    pub fn zero(&self) -> Result<(), RunError> {
        self.fill(0, 0, self.size / 4)
    }

    /// Waits for what is queued, and copies the first bytes to the host.
    pub fn read(&self, to: &mut [u8]) -> Result<(), RunError> {
        if to.is_empty() {
            return Ok(());
        }
        let link = &self.link;
        let read = link.queue.read(self.memory(), to);
        read.map_err(|e| link.failed(&e))
    }
}

/// An array on a device.
pub(super) struct Memory<Q: Queue> {
    pub link: Arc<Link<Q>>,
    pub block: Block<Q>,
    dtype: DType,
    len: usize,
    /// The call that makes it, if it may still run.
    pub call: Option<Arc<Call<Q>>>,
}

impl<Q: Queue> Debug for Memory<Q> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.link.queue.facts().name;
        write!(f, "{}[{}] on {name}", self.dtype, self.len)
    }
}

impl<Q: Queue> Memory<Q> {
    pub fn new(
        link: &Arc<Link<Q>>,
        block: Block<Q>,
        dtype: DType,
        len: usize,
        call: Arc<Call<Q>>,
    ) -> Memory<Q> {
        Memory {
            link: link.clone(),
            block,
            dtype,
            len,
            call: Some(call),
        }
    }

    /// A copy of the host's data.
    pub fn upload(link: &Arc<Link<Q>>, data: &Data) -> Result<Memory<Q>, RunError> {
        let bytes: &[u8] = with_data!(data, v => bytemuck::cast_slice(v));
        let block = match bytes.len() {
            0 => Block::new(link, 8)?,
            n => Block::create(link, n, &|| Ok((n / 8 * 8, link.queue.upload(bytes)?)))?,
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

/// The bytes of numbers, for writing; none of truth values, which have but two patterns.
fn bytes_mut(data: &mut Data) -> Option<&mut [u8]> {
    Some(match data {
        Data::F32(v) => bytemuck::cast_slice_mut(v),
        Data::F64(v) => bytemuck::cast_slice_mut(v),
        Data::I32(v) => bytemuck::cast_slice_mut(v),
        Data::I64(v) => bytemuck::cast_slice_mut(v),
        Data::U32(v) => bytemuck::cast_slice_mut(v),
        Data::U64(v) => bytemuck::cast_slice_mut(v),
        Data::U8(v) => v,
        Data::Bool(_) => return None,
    })
}

impl<Q: Queue> DeviceMemory for Memory<Q> {
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
        let no_memory = |_| self.link.failed(&"the host has no memory for the array");
        let mut data = Data::try_splat(self.dtype, self.len, 0).map_err(no_memory)?;
        match bytes_mut(&mut data) {
            Some(bytes) => self.block.read(bytes)?,
            None => {
                // Truth values of Rust are 0 or 1, whatever a device writes.
                let mut truths = vec![0; self.len];
                self.block.read(&mut truths)?;
                for (i, &b) in truths.iter().enumerate() {
                    data.set_bits(i, u64::from(b != 0));
                }
            }
        }
        Ok(data)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
