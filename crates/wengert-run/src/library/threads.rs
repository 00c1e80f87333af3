//! Parallel loops on `rayon`'s threads.
//!
//! The steps are split into chunks, which threads take one after the other, so that a thread with short chunks
//! takes more of them. The calling thread takes chunks like any other, and waits only for chunks that other
//! threads have started.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::upper;
use crate::call::Run;
use crate::call::frame::Frame;
use crate::sample;

/// The body of a parallel loop: it takes the frame pointer, the first step and the exclusive end, and returns a
/// status.
pub type Body = unsafe extern "C" fn(*mut u8, i64, i64) -> i32;

/// Nanoseconds of work per chunk.
const CHUNK: i64 = 20_000;

/// Minimum number of chunks per thread: the time of a step is unknown if it has loops of unknown length, and
/// one step may take as long as all others.
const EACH: i64 = 8;

/// Number of spins before the calling thread sleeps.
const SPINS: usize = 2000;

struct Job {
    next: AtomicUsize,
    /// Number of finished chunks, and of threads that still hold a frame.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
    chunks: usize,
    chunk: i64,
    extent: i64,
    body: Body,
    run: *const Run<'static>,
    call: *mut u8,
}

// SAFETY: only a thread that has taken a chunk and has not yet reported it done accesses what the pointers
// point to, and `run` (below) does not return before all such threads have reported.
unsafe impl Send for Job {}
// SAFETY: as for `Send`; the call is itself `Sync`, and its frame is only read.
unsafe impl Sync for Job {}

/// Runs all steps of a parallel loop.
///
/// # Safety
/// `frame` is the frame pointer of the calling code, on the frame of the call `run`, and `body` is of the same
/// program.
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
    let site = sample::site();
    for _ in 0..others {
        let job = Arc::clone(&job);
        rayon::spawn(move || {
            let _works_for = sample::inherit(site);
            job.take_chunks();
        });
    }
    job.take_chunks();
    sample::waiting(|| job.wait());
}

/// Returns how many steps of this duration form a chunk.
fn steps_of_a_chunk(extent: i64, nanoseconds: i64, threads: usize) -> i64 {
    let by_work = CHUNK / nanoseconds.max(1);
    let by_threads = extent / (EACH * threads as i64);
    by_work.min(by_threads).max(1)
}

impl Job {
    /// Takes and runs chunks until none are left.
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
                // SAFETY: the body is of the same program and runs on a frame of its tasks; steps are
                // independent of each other.
                unsafe { sample::body(self.body, frame.base(), low, high) };
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

    /// Returns a frame for this thread. If there is no memory for it, the call fails.
    fn take_frame(&self, run: &Run<'_>) -> Option<Box<Frame>> {
        let taken = run.tasks.take().map_err(|e| run.fail(e));
        let mut frame = taken.ok()?;
        self.state.lock().expect("no panic holds it").1 += 1;
        frame.run = self.run;
        frame.copy_header(self.call, run.header_bytes);
        Some(frame)
    }

    /// Waits until all chunks are done and all frames are returned.
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
        // Many short steps.
        assert_eq!(steps_of_a_chunk(1_000_000, 10, 4), 2000);
        // Enough chunks for all threads, however short the steps seem.
        assert_eq!(steps_of_a_chunk(64, 10, 2), 4);
        // Long steps are taken singly.
        assert_eq!(steps_of_a_chunk(64, 50_000, 2), 1);
        assert_eq!(steps_of_a_chunk(3, 0, 16), 1);
    }
}
