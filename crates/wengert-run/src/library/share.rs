//! Work of the runtime that threads share.
//!
//! The calling thread takes parts like any other, and waits only for parts that other threads have started: where these
//! are busy or asleep, it does all of the work without them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::sample;

/// Number of looks at the other threads before the calling one sleeps.
const SPINS: usize = 2000;

struct Shared {
    next: AtomicUsize,
    parts: usize,
    /// Number of parts that have ended.
    ended: Mutex<usize>,
    changed: Condvar,
    run: unsafe fn(*const (), usize),
    work: *const (),
}

// SAFETY: only a thread that has taken a part that has not ended accesses the work, which is `Sync`, and `share` does not
// return before all parts that have been taken have ended.
unsafe impl Send for Shared {}
// SAFETY: as for `Send`.
unsafe impl Sync for Shared {}

/// Calls `work` with each number below `parts`, on several threads.
pub(super) fn share<F: Fn(usize) + Sync>(parts: usize, work: F) {
    /// # Safety
    /// `work` points to an `F`.
    unsafe fn run<F: Fn(usize)>(work: *const (), part: usize) {
        // SAFETY: guaranteed by the caller.
        unsafe { (*work.cast::<F>())(part) }
    }
    let others = (rayon::current_num_threads() - 1).min(parts.saturating_sub(1));
    if others == 0 {
        return (0..parts).for_each(work);
    }
    let shared = Arc::new(Shared {
        next: AtomicUsize::new(0),
        parts,
        ended: Mutex::new(0),
        changed: Condvar::new(),
        run: run::<F>,
        work: std::ptr::from_ref(&work).cast(),
    });
    let site = sample::site();
    for _ in 0..others {
        let shared = Arc::clone(&shared);
        rayon::spawn(move || {
            let _works_for = sample::inherit(site);
            shared.take_parts();
        });
    }
    let end = End(&shared);
    shared.take_parts();
    sample::waiting(|| drop(end));
}

impl Shared {
    /// Takes and runs parts until none are left.
    fn take_parts(&self) {
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= self.parts {
                return;
            }
            let _ended = Ended(self);
            // SAFETY: this thread has a part, so the work is there.
            unsafe { (self.run)(self.work, part) };
        }
    }
}

/// Counts a part when it ends, be it by a panic.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *ended += 1;
        self.0.changed.notify_all();
    }
}

/// Lets no thread take another part, and waits for those that have been taken.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        let taken = shared.next.fetch_max(shared.parts, Ordering::Relaxed);
        let taken = taken.min(shared.parts);
        let lock = || shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..SPINS {
            if *lock() == taken {
                return;
            }
            std::hint::spin_loop();
        }
        let mut ended = lock();
        while *ended != taken {
            let woken = shared.changed.wait(ended);
            ended = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_runs_once() {
        for parts in [0, 1, 2, 3, 100] {
            let runs: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            share(parts, |i| {
                runs[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(runs.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn calls_from_many_threads_and_from_workers_end() {
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        share(7, |i| {
                            total.fetch_add(i, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        rayon::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|_| {
                    share(7, |i| {
                        total.fetch_add(i, Ordering::Relaxed);
                    });
                });
            }
        });
        assert_eq!(total.into_inner(), 204 * 21);
    }
}
