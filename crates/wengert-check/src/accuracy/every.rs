//! Functions of one argument at every `f32`.

use super::{Found, Subject, Width, error_f32, row_of};

/// The largest error of a function of one argument in `f32`, at each of its arguments (those of the
/// part that is meant), on all threads of the machine. A NaN must be one in both floats.
pub fn every_f32(subject: &Subject) -> Found {
    const PARTS: u64 = 256;
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let part = |k: u64| {
        let mut found = Found::new(subject, Width::F32);
        let row = row_of(subject);
        let mut x: Vec<f64> = subject.fixed.iter().copied().chain([0.0]).collect();
        let last = x.len() - 1;
        let size = (1 << 32) / PARTS;
        for bits in k * size..(k + 1) * size {
            x[last] = f64::from(f32::from_bits(bits as u32));
            if !subject.part.is_empty() && !(subject.domain)(&x) {
                continue;
            }
            found.point(error_f32(row, &x), &x);
        }
        found
    };
    let share = |t: u64| {
        let parts = (t..PARTS).step_by(threads as usize).map(part);
        parts.reduce(Found::join)
    };
    std::thread::scope(|scope| {
        let share = &share;
        let runs: Vec<_> = (0..threads)
            .map(|t| scope.spawn(move || share(t)))
            .collect();
        let parts = runs
            .into_iter()
            .filter_map(|run| run.join().expect("a result"));
        parts.reduce(Found::join).expect("a thread")
    })
}
