//! What a repeated call allocates: its results, and where there is memory for those already, nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;

use wengert::prelude::*;
use wengert_loop::buffer::{Data, Dense};

/// The system's allocator, counting what this thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may have no counter any more.
    let _ = COUNT.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: by the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: by the caller.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: by the caller.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` asks for memory, when it has run before.
fn allocations<R>(mut f: impl FnMut() -> R) -> usize {
    for _ in 0..3 {
        f();
    }
    let before = COUNT.get();
    let result = f();
    let count = COUNT.get() - before;
    drop(result);
    count
}

fn zeros(dims: &[usize]) -> Array {
    let zeros = Data::zeros(DType::F64, dims.iter().product());
    Array::from_dense(Dense::new(dims, zeros))
}

fn numbers(n: usize) -> Array {
    Array::from((0..n).map(|i| (i as f64 * 0.7).sin()).collect::<Vec<f64>>())
}

#[derive(Tree, Clone)]
struct Model<T = Var> {
    weights: Vec<T>,
    named: BTreeMap<String, T>,
    #[tree(skip)]
    name: String,
}

fn model() -> Model<Array> {
    Model {
        weights: (0..20).map(|_| numbers(3)).collect(),
        named: [("a".to_string(), numbers(5))].into(),
        name: "a model".to_string(),
    }
}

/// Loops whose residuals are lists, in a block of lanes and alone.
fn newton(x: Var) -> Var {
    let step = |y: Var| y - (y * y - x) / (2.0 * y);
    while_loop(x + 1.0, |y: Var| (y * y - x).abs().gt(1e-9), step)
}

#[test]
fn call_into_allocates_nothing() {
    let f = jit(|(x, y): (Var, Var)| (x.dot(y), scan(0.0, x, |c, x| (c + x, c * x)).1));
    let spec = || ShapeDtype::new([100], DType::F64);
    let code = f.compile(&(spec(), spec())).unwrap();
    let args = (numbers(100), numbers(100));
    let mut out = (zeros(&[]), zeros(&[100]));
    assert_eq!(allocations(|| code.call_into(&args, &mut out).unwrap()), 0);
    let want = f.interpret((&args.0, &args.1)).unwrap();
    assert_eq!(out, want);

    let code = jit(vmap(grad(newton)));
    let code = code.compile(ShapeDtype::new([50], DType::F64)).unwrap();
    let x = Array::from(vec![2.0; 50]);
    let mut out = zeros(&[50]);
    assert_eq!(allocations(|| code.call_into(&x, &mut out).unwrap()), 0);

    let code = jit(|m: Model| {
        grad_at(m, |m: Model| {
            let all = m
                .weights
                .iter()
                .fold(m.named["a"].sum(), |s, &w| s + w.square().sum());
            all.sqrt()
        })
    });
    let model = model();
    let code = code.compile(tree::specs(&model)).unwrap();
    let mut out = self::model();
    assert_eq!(allocations(|| code.call_into(&model, &mut out).unwrap()), 0);
}

/// Large enough for no thread to keep the memory of dropped ones for itself.
const LONG: usize = 10_000;

/// Large results take the memory of those that were dropped, and allocate only what counts their references.
#[test]
fn a_call_with_large_results_allocates_no_elements() {
    let f = jit(|(x, y): (Var, Var)| (x.dot(x).sin() + y.flip(0), x * y));
    let (x, y) = (numbers(LONG), numbers(LONG));
    assert_eq!(allocations(|| f.call((&x, &y)).unwrap()), 2);
    // Of several signatures, too.
    let (long_x, long_y) = (numbers(2 * LONG), numbers(2 * LONG));
    let both = || {
        (
            f.call((&x, &y)).unwrap(),
            f.call((&long_x, &long_y)).unwrap(),
        )
    };
    assert_eq!(allocations(both), 4);
}

/// Small results take the memory of those that were dropped.
#[test]
fn a_call_with_small_results_allocates_nothing() {
    let f = jit(|(x, y): (Var, Var)| (x.dot(y), x + y.flip(0)));
    let (x, y) = (numbers(100), numbers(100));
    assert_eq!(allocations(|| f.call((&x, &y)).unwrap()), 0);
    let (long_x, long_y) = (numbers(200), numbers(200));
    let both = || {
        (
            f.call((&x, &y)).unwrap(),
            f.call((&long_x, &long_y)).unwrap(),
        )
    };
    assert_eq!(allocations(both), 0);
    // As many as there are signatures.
    let inputs: Vec<Array> = (1..20).map(numbers).collect();
    let all = || {
        for x in &inputs {
            f.call((x, x)).unwrap();
        }
    };
    assert_eq!(allocations(all), 0);

    let f = jit(|m: Model| m.weights[0] + 1.0);
    let model = model();
    assert_eq!(allocations(|| f.call(&model).unwrap()), 0);
    // A number becomes an array, and that the result.
    let f = jit(|x: Var| x * x + 1.0);
    assert_eq!(allocations(|| f.call(3.0).unwrap()), 0);
    // What is kept is allocated.
    let mut kept = vec![];
    for _ in 0..100 {
        kept.push(f.call(3.0).unwrap());
    }
    assert!(allocations(|| kept.push(f.call(3.0).unwrap())) > 0);
}

#[test]
fn a_call_that_writes_over_its_arguments_allocates_nothing() {
    let f = jit(|(x, v): (Var, Var)| (x + 0.1 * v, v - 0.1 * x));
    let spec = || ShapeDtype::new([100], DType::F64);
    let code = f.compile(&(spec(), spec())).unwrap();
    let mut state = Some((numbers(100), numbers(100)));
    assert_eq!(
        allocations(|| state = Some(f.call(state.take().unwrap()).unwrap())),
        0
    );
    assert_eq!(
        allocations(|| state = Some(code.call(state.take().unwrap()).unwrap())),
        0
    );
    // Where the results cannot be written over them, they take each other's places.
    let f = jit(|(x, v): (Var, Var)| (x.flip(0) + x, v.flip(0) - v));
    assert_eq!(
        allocations(|| state = Some(f.call(state.take().unwrap()).unwrap())),
        0
    );
}
