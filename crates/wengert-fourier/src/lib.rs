//! Discrete Fourier transforms of rows, by `rustfft` and `realfft`.
//!
//! Each row is transformed by a call of its own, so its bits depend on the row and on the processor, and neither on how
//! many rows there are nor on threads. Plans are kept, with the memory that they work in.
#![forbid(unsafe_code)]

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex};

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftNum, FftPlanner};

/// A kind of transform. None of them is scaled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Complex numbers to as many, with the factors `exp(-2πi jk/n)`.
    Forward,
    /// Complex numbers to as many, with the factors `exp(2πi jk/n)`.
    Backward,
    /// Real numbers to the first `n/2 + 1` numbers of their forward transform; the others are the conjugates of these.
    ToHalf,
    /// The first `n/2 + 1` of complex numbers, of which the others are the conjugates, to their backward transform,
    /// which is real. The imaginary parts of numbers that are their own conjugates are not read.
    FromHalf,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Forward, Kind::Backward, Kind::ToHalf, Kind::FromHalf];

    /// Returns its name in text forms.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Forward => "forward",
            Kind::Backward => "backward",
            Kind::ToHalf => "to_half",
            Kind::FromHalf => "from_half",
        }
    }

    /// Returns the kind that has this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Returns the number of arrays that are read, and their length, for a transform of length `n`.
    pub fn read(self, n: usize) -> (usize, usize) {
        match self {
            Kind::Forward | Kind::Backward => (2, n),
            Kind::ToHalf => (1, n),
            Kind::FromHalf => (2, n / 2 + 1),
        }
    }

    /// Returns the number of arrays that are written, and their length.
    pub fn written(self, n: usize) -> (usize, usize) {
        match self {
            Kind::Forward | Kind::Backward => (2, n),
            Kind::ToHalf => (2, n / 2 + 1),
            Kind::FromHalf => (1, n),
        }
    }
}

/// Floats that can be transformed.
pub trait Number: FftNum + Default {
    /// Plans a transform. Who calls it instantiates nothing of the libraries: that would take longer than all else
    /// in a crate.
    #[doc(hidden)]
    fn plan(kind: Kind, n: usize) -> Plan<Self>;
}

impl Number for f32 {
    fn plan(kind: Kind, n: usize) -> Plan<f32> {
        Plan::new(kind, n)
    }
}

impl Number for f64 {
    fn plan(kind: Kind, n: usize) -> Plan<f64> {
        Plan::new(kind, n)
    }
}

enum Way<T> {
    Complex(Arc<dyn Fft<T>>),
    ToHalf(Arc<dyn RealToComplex<T>>),
    FromHalf(Arc<dyn ComplexToReal<T>>),
}

/// Memory for one row: complex numbers before and after, real numbers, and scratch.
struct Room<T> {
    from: Vec<Complex<T>>,
    to: Vec<Complex<T>>,
    real: Vec<T>,
    scratch: Vec<Complex<T>>,
}

/// How rows of one length are transformed, and the memory for it: as much as threads have used at the same time.
pub struct Plan<T> {
    n: usize,
    way: AssertUnwindSafe<Way<T>>,
    rooms: Mutex<Vec<Room<T>>>,
}

impl<T: Number> Plan<T> {
    /// Returns the plan for a kind and a length, from those that are kept if it is there.
    pub fn of(kind: Kind, n: usize) -> Arc<Plan<T>> {
        let key = (TypeId::of::<T>(), kind, n);
        let mut kept = KEPT.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(plan) = kept.plans.get(&key)
            && let Ok(plan) = plan.clone().downcast::<Plan<T>>()
        {
            return plan;
        }
        let plan = Arc::new(T::plan(kind, n));
        if kept.elements.saturating_add(n) > MOST {
            kept.plans.clear();
            kept.elements = 0;
        }
        if n <= MOST {
            kept.elements += n;
            kept.plans.insert(key, plan.clone());
        }
        plan
    }

    fn new(kind: Kind, n: usize) -> Plan<T> {
        let way = match kind {
            Kind::Forward => Way::Complex(FftPlanner::new().plan_fft_forward(n)),
            Kind::Backward => Way::Complex(FftPlanner::new().plan_fft_inverse(n)),
            Kind::ToHalf => Way::ToHalf(RealFftPlanner::new().plan_fft_forward(n)),
            Kind::FromHalf => Way::FromHalf(RealFftPlanner::new().plan_fft_inverse(n)),
        };
        Plan {
            n,
            way: AssertUnwindSafe(way),
            rooms: Mutex::new(vec![]),
        }
    }

    fn room(&self) -> Room<T> {
        let zeros = |n: usize| vec![Complex::new(T::zero(), T::zero()); n];
        let half = self.n / 2 + 1;
        let (from, to, real, scratch) = match &self.way.0 {
            Way::Complex(plan) => (self.n, self.n, 0, plan.get_outofplace_scratch_len()),
            Way::ToHalf(plan) => (0, half, self.n, plan.get_scratch_len()),
            Way::FromHalf(plan) => (half, 0, 0, plan.get_scratch_len()),
        };
        Room {
            from: zeros(from),
            to: zeros(to),
            real: vec![T::zero(); real],
            scratch: zeros(scratch),
        }
    }

    /// Transforms rows: the parts `from`, real and then imaginary, to the parts `to`.
    pub fn rows(&self, from: &[&[T]], to: &mut [&mut [T]]) {
        let rooms = || self.rooms.lock().unwrap_or_else(|e| e.into_inner());
        let taken = rooms().pop();
        let mut taken = taken.unwrap_or_else(|| self.room());
        let room = &mut taken;
        let (n, half) = (self.n, self.n / 2 + 1);
        match (&self.way.0, from, to) {
            (Way::Complex(plan), [re, im], [to_re, to_im]) => {
                let from = re.chunks_exact(n).zip(im.chunks_exact(n));
                let to = to_re.chunks_exact_mut(n).zip(to_im.chunks_exact_mut(n));
                for ((re, im), (to_re, to_im)) in from.zip(to) {
                    join(re, im, &mut room.from);
                    let scratch = &mut room.scratch;
                    plan.process_outofplace_with_scratch(&mut room.from, &mut room.to, scratch);
                    split(&room.to, to_re, to_im);
                }
            }
            (Way::ToHalf(plan), [x], [re, im]) => {
                let to = re.chunks_exact_mut(half).zip(im.chunks_exact_mut(half));
                for (x, (re, im)) in x.chunks_exact(n).zip(to) {
                    room.real.copy_from_slice(x);
                    let scratch = &mut room.scratch;
                    let done = plan.process_with_scratch(&mut room.real, &mut room.to, scratch);
                    done.expect("memory of the sizes that it asked for");
                    split(&room.to, re, im);
                }
            }
            (Way::FromHalf(plan), [re, im], [x]) => {
                let from = re.chunks_exact(half).zip(im.chunks_exact(half));
                for ((re, im), x) in from.zip(x.chunks_exact_mut(n)) {
                    join(re, im, &mut room.from);
                    room.from[0].im = T::zero();
                    if n % 2 == 0 {
                        room.from[half - 1].im = T::zero();
                    }
                    let scratch = &mut room.scratch;
                    let done = plan.process_with_scratch(&mut room.from, x, scratch);
                    done.expect("memory of the sizes that it asked for");
                }
            }
            _ => panic!("parts of another kind of transform"),
        }
        rooms().push(taken);
    }
}

fn join<T: Copy>(re: &[T], im: &[T], to: &mut [Complex<T>]) {
    for (to, (&re, &im)) in to.iter_mut().zip(re.iter().zip(im)) {
        *to = Complex { re, im };
    }
}

fn split<T: Copy>(from: &[Complex<T>], re: &mut [T], im: &mut [T]) {
    for (from, (re, im)) in from.iter().zip(re.iter_mut().zip(im)) {
        (*re, *im) = (from.re, from.im);
    }
}

/// The most elements, in all plans together, for which plans are kept.
const MOST: usize = 1 << 23;

/// Plans by the type of their numbers, their kind and their length.
struct Kept {
    plans: HashMap<(TypeId, Kind, usize), Arc<dyn Any + Send + Sync>>,
    elements: usize,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(|| {
    Mutex::new(Kept {
        plans: HashMap::new(),
        elements: 0,
    })
});
