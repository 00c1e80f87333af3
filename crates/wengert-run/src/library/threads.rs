//! Parallel loops on `rayon`'s threads.
//!
//! The steps are cut into chunks, which threads take one after the other, so that those with short ones
//! take more. The calling thread takes chunks like any other, and waits only for chunks that others
//! have begun.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::upper;
use crate::call::Run;
use crate::call::frame::Frame;

/// The body of a parallel loop: frame pointer, first step, the step behind the last; a status.
pub type Body = unsafe extern "C" fn(*mut u8, i64, i64) -> i32;

/// Nanoseconds of work in a chunk.
const CHUNK: i64 = 20_000;

/// Chunks for each thread at the least: how long a step takes is not known where it has loops of unknown
/// length, and one may take as long as all others.
const EACH: i64 = 8;

/// How long the calling thread spins before it sleeps.
const SPINS: usize = 2000;

struct Job {
    next: AtomicUsize,
    /// Chunks finished, and threads that still hold a frame.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
    chunks: usize,
    chunk: i64,
    extent: i64,
    body: Body,
    run: *const Run<'static>,
    call: *mut u8,
}

// SAFETY: what the pointers point to is touched only by a thread that has taken a chunk and not yet
// reported that it is done, and `run` (below) does not return before all such have.
unsafe impl Send for Job {}
// SAFETY: as for `Send`; the call is itself `Sync`, and its frame is only read.
unsafe impl Sync for Job {}

/// Runs all steps of a parallel loop.
///
/// # Safety
/// `frame` is the frame pointer of the code that calls, on the frame of the call `run`, and `body`
/// is of the same program.
pub unsafe fn run(run: &Run<'_>, frame: *mut u8, body: Body, extent: i64, nanoseconds: i64) {
    if extent <= 0 {
        return;
    }
    let threads = rayon::current_num_threads();
    let chunk = steps_of_a_chunk(extent, nanoseconds, threads);
    let chunks = (extent as u64).div_ceil(chunk as u64) as usize;
    let work = (extent as u64).saturating_mul(nanoseconds as u64);
    let others = threads.saturating_sub(1).min(chunks - 1);
    let job = Job {
        next: AtomicUsize::new(0),
        state: Mutex::new((0, 0)),
        changed: Condvar::new(),
        chunks,
        chunk,
        extent,
        body,
        run: std::ptr::from_ref(run).cast(),
        call: frame,
    };
    if others == 0 || work < run.parallel_above {
        job.take_chunks();
        return;
    }
    let job = Arc::new(job);
    for _ in 0..others {
        let job = Arc::clone(&job);
        rayon::spawn(move || job.take_chunks());
    }
    job.take_chunks();
    job.wait();
}

/// How many steps of that many nanoseconds are taken at a time.
fn steps_of_a_chunk(extent: i64, nanoseconds: i64, threads: usize) -> i64 {
    let by_work = CHUNK / nanoseconds.max(1);
    let by_threads = extent / (EACH * threads as i64);
    by_work.min(by_threads).max(1)
}

impl Job {
    /// Takes chunks until there are none.
    fn take_chunks(&self) {
        let mut frame: Option<Box<Frame>> = None;
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.chunks {
                break;
            }
            // SAFETY: this thread has a chunk now.
            let run = unsafe { &*self.run };
            if frame.is_none() && !run.has_failed() {
                frame = self.take_frame(run);
            }
            let low = n as i64 * self.chunk;
            let high = (low + self.chunk).min(self.extent);
            if let Some(frame) = frame.as_ref().filter(|_| !run.has_failed()) {
                upper::clear();
                // SAFETY: a body of the same program on a frame of its tasks; steps are
                // independent of each other.
                unsafe { (self.body)(frame.base(), low, high) };
            }
            self.state.lock().expect("no panic holds it").0 += 1;
        }
        if let Some(frame) = frame {
            // SAFETY: the call waits for threads that hold a frame.
            let run = unsafe { &*self.run };
            run.keep_or_give(frame);
            self.state.lock().expect("no panic holds it").1 -= 1;
        }
        self.changed.notify_all();
    }

    /// A frame for this thread. Where there is no memory for it, the call fails.
    fn take_frame(&self, run: &Run<'_>) -> Option<Box<Frame>> {
        let taken = run.tasks.take().map_err(|e| run.fail(e));
        let mut frame = taken.ok()?;
        self.state.lock().expect("no panic holds it").1 += 1;
        frame.run = self.run;
        frame.copy_header(self.call, run.header_bytes);
        Some(frame)
    }

    /// Waits until all chunks are done and all frames given back.
    fn wait(&self) {
        let done = |s: &(usize, usize)| s.0 == self.chunks && s.1 == 0;
        for _ in 0..SPINS {
            if done(&self.state.lock().expect("no panic holds it")) {
                return;
            }
            std::hint::spin_loop();
        }
        let mut state = self.state.lock().expect("no panic holds it");
        while !done(&state) {
            state = self.changed.wait(state).expect("no panic holds it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_large_enough_to_pay_and_many_enough_to_share() {
        // Short steps, of which there are many.
        assert_eq!(steps_of_a_chunk(1_000_000, 10, 4), 2000);
        // As many as to share among the threads, however short they seem.
        assert_eq!(steps_of_a_chunk(64, 10, 2), 4);
        // Long ones, one by one.
        assert_eq!(steps_of_a_chunk(64, 50_000, 2), 1);
        assert_eq!(steps_of_a_chunk(3, 0, 16), 1);
    }
}
