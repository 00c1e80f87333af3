//! How much memory a call takes at once: draws that are used where they are made take none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wengert::prelude::*;
use wengert::tree;

/// The system's allocator, which knows how many bytes are out and how many have been at once.
struct Measuring;

static OUT: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    let out = OUT.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(out, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: by the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        OUT.fetch_sub(layout.size(), Relaxed);
        // SAFETY: by the caller.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::new(());

const N: usize = 3_000_000;

/// All that running takes, beside draws: a sum has partial results.
const REST: usize = 4 << 20;

/// The most that is out at once during the first run of compiled code.
fn peak(f: impl Fn(Key) -> Var + Send + Sync + 'static) -> usize {
    let _alone = ALONE.lock().expect("a test before this one");
    let key = Key::from_seed(0);
    let code = jit(f).compile(tree::specs(&key)).expect("it compiles");
    let before = OUT.load(Relaxed);
    PEAK.store(before, Relaxed);
    let sum = code.call(key).and_then(|y| y.item::<f64>());
    assert!(sum.expect("it runs").is_finite());
    PEAK.load(Relaxed) - before
}

#[track_caller]
fn nothing_stored(f: impl Fn(Key) -> Var + Send + Sync + 'static) {
    let bytes = peak(f);
    assert!(bytes < REST, "{bytes} bytes at once, of {} of draws", 8 * N);
}

/// One path, of which each step takes a number, or three.
#[test]
fn the_steps_of_a_loop() {
    nothing_stored(|key| {
        let step = |x: Var, z: Var| (0.99 * x + 0.1 * z, ());
        scan(0.0, key.normal([N]), step).0
    });
    nothing_stored(|key| {
        let step = |x: Var, z: Var| (0.99 * x + 0.1 * z, ());
        scan(zeros([3]), key.normal([N / 3, 3]), step).0.sum()
    });
    nothing_stored(|key| {
        let (a, b) = key.split();
        let steps = (a.normal([N / 2]), 2.0 * b.uniform([N / 2]) - 1.0);
        let step = |x: Var, (z, u): (Var, Var)| (0.99 * x + 0.1 * z * u, ());
        scan(0.0, steps, step).0
    });
}

/// Paths side by side.
#[test]
fn the_steps_of_a_batch() {
    let path = |key: Key| {
        let step = |x: Var, z: Var| (0.99 * x + 0.1 * z, ());
        scan(0.0, key.normal([N / 100]), step).0
    };
    nothing_stored(move |key| vmap(path)(key.split_into(100)).sum());
}

#[test]
fn the_terms_of_a_sum() {
    nothing_stored(|key| {
        let (a, b) = key.split();
        let (x, y) = (a.uniform([N]), b.uniform([N]));
        (x * x + y * y).lt(1.0).to(DType::F64).mean()
    });
}

/// What is read twice is stored: the measure sees it.
#[test]
fn what_is_stored_is_seen() {
    let bytes = peak(|key| {
        let z = key.normal([N]);
        let step = |x: Var, z: Var| (0.99 * x + 0.1 * z, ());
        scan(z.amax(), z, step).0
    });
    assert!(bytes > 8 * N, "{bytes}");
}
