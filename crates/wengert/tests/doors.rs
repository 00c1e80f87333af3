//! Arguments and results of compiled functions.

use wengert::prelude::*;

fn place(x: &Array) -> *const f64 {
    x.as_slice::<f64>().unwrap().as_ptr()
}

/// Makes an array of irregular numbers that nobody else holds.
fn numbers(dims: &[usize], k: f64) -> Array {
    let n = dims.iter().product();
    let elements: Vec<f64> = (0..n).map(|i| (i as f64 * k).sin()).collect();
    Array::new(dims, elements).unwrap()
}

/// Calls a function with a shared array and with an owned one, checks the results against the interpreter, and
/// returns whether the owned array became the result.
fn is_written_over<F>(dims: &[usize], f: F) -> bool
where
    F: Fn(Var) -> Var + Send + Sync + 'static,
{
    let f = jit(f);
    let x = numbers(dims, 0.7);
    let want = f.interpret(numbers(dims, 0.7)).unwrap();
    let before = place(&x);
    let held = x.clone();
    let y = f.call(x).unwrap();
    assert_eq!(y, want);
    assert_ne!(place(&y), before);
    assert_eq!(held, numbers(dims, 0.7), "what is held has changed");
    let y = f.call(held).unwrap();
    assert_eq!(y, want);
    // Once more, into existing memory.
    assert_eq!(f.call(numbers(dims, 0.7)).unwrap(), want);
    place(&y) == before
}

#[test]
fn a_result_is_written_over_an_argument_that_is_moved_in() {
    for n in [3, 100, 70_001] {
        assert!(is_written_over(&[n], |x| x + 1.0));
        assert!(is_written_over(&[n], |x| x));
        assert!(is_written_over(&[n], |x| (x.sin() * x - x.sum()) / x.square().sum().sqrt()));
        assert!(is_written_over(&[n], |x| x.at_set(1, 7.0)));
        assert!(is_written_over(&[n], |x| vmap(|x: Var| x.exp() + x)(x)));
        // Each step reads all of the carry, and none of the argument.
        assert!(is_written_over(&[n], |x| {
            fori(0..3, x, |i, x| x.flip(0) * 0.5 + x + i.to(DType::F64))
        }));
    }
    for dims in [[3, 5], [70, 33], [300, 301]] {
        let softmax = |x: Var| {
            let e = (x - x.amax_axis(1).expand_dims(1)).exp();
            e / e.sum_axis(1).expand_dims(1)
        };
        assert!(is_written_over(&dims, softmax));
        assert!(is_written_over(&dims, |x| scan(0.0, x, |c, row| (
            c + row.sum(),
            row * c
        ))
        .1));
        assert!(is_written_over(&dims, |x| vmap(|r: Var| r * r.sum())(x)));
    }
}

#[test]
fn a_result_is_not_written_over_what_is_still_read() {
    for n in [5, 100, 70_001] {
        assert!(!is_written_over(&[n], |x| x.flip(0) + x));
        assert!(!is_written_over(&[n], |x| {
            let index = (iota(x.shape()[0], DType::I64) * 7 + 3).rem(x.shape()[0] as i64);
            x.take(index, 0)
        }));
        // Each step reads the argument, after the write of the previous step.
        assert!(!is_written_over(&[n], |x| fori(0..3, x, |_, y| y * 0.5 + x)));
    }
    for n in [4, 20, 101, 300] {
        assert!(!is_written_over(&[n, n], |x| x.t() + x));
        if n * n * n < 32 * 32 * 32 {
            assert!(!is_written_over(&[n, n], |x| x.dot(x)));
        }
        // A small array is read completely before anything is written.
        assert_eq!(is_written_over(&[n, n], |x| x + x.at(0)), n == 4);
    }
}

#[test]
fn a_library_product_is_not_written_over_its_factors() {
    let f = jit(|x: Var| x.dot(x));
    let given = || Array::new([64, 64], (0..64 * 64).map(|i| (i % 7) as f64).collect()).unwrap();
    let x = given();
    let before = place(&x);
    let y = f.call(x).unwrap();
    assert_ne!(place(&y), before);
    assert_eq!(y, f.interpret(given()).unwrap());
}

/// Alone, transposed and in a batch: products that are not large are summed in order.
#[test]
fn a_product_of_some_size_has_the_bits_of_the_interpreter() {
    let f = jit(|(x, y): (Var, Var)| {
        let pair = [x.reshape([2, 10, 20]), y.reshape([2, 20, 10])];
        let batch = einsum("bij,bjk->bik", &pair);
        (x.dot(y), x.dot(x.t()), x.t().dot(x), batch)
    });
    let args = || (numbers(&[20, 20], 0.7), numbers(&[20, 20], 1.3));
    assert_eq!(f.call(args()).unwrap(), f.interpret(args()).unwrap());
}

#[test]
fn each_argument_gives_its_memory_to_one_result() {
    let f = jit(|[x, y]: [Var; 2]| (x - y, x * y, x.sum()));
    let given = || [numbers(&[50], 0.3), numbers(&[50], 1.1)];
    let want = f.interpret(given()).unwrap();
    let [x, y] = given();
    let before = [place(&x), place(&y)];
    let (a, b, sum) = f.call([x, y]).unwrap();
    assert_eq!((&a, &b, &sum), (&want.0, &want.1, &want.2));
    assert!(before.contains(&place(&a)) && before.contains(&place(&b)));
    assert_ne!(place(&a), place(&b));

    // If one is shared, the other gives up its memory.
    let f = jit(|(x, y): (Var, Var)| x - y);
    let [x, y] = given();
    let (held, free) = (x.clone(), place(&y));
    let z = f.call((x, y)).unwrap();
    assert_eq!(place(&z), free);
    assert_eq!(held, given()[0]);
    assert_eq!(
        z,
        f.interpret((given()[0].clone(), given()[1].clone()))
            .unwrap()
    );

    // An array passed as both arguments is shared.
    let x = numbers(&[50], 0.3);
    let z = f.call((x.clone(), x)).unwrap();
    assert_eq!(z.to_vec::<f64>().unwrap(), [0.0; 50]);
}

#[test]
fn a_result_of_another_shape_takes_the_memory_too() {
    assert!(is_written_over(&[6, 50], |x| (x + 1.0).reshape([300])));
    let f = jit(|x: Var| (x + 1.0).reshape([300]));
    assert_eq!(f.call(numbers(&[6, 50], 0.7)).unwrap().shape(), [300]);
}

#[test]
fn memory_that_cannot_be_written_over_is_for_later_calls() {
    let f = jit(|x: Var| x.flip(0) + x);
    let x = numbers(&[100], 0.7);
    let first = place(&x);
    let y = f.call(x).unwrap();
    assert_ne!(place(&y), first);
    assert_eq!(place(&f.call(&y).unwrap()), first);
}

#[test]
fn arguments_that_others_hold_stay_as_they_are() {
    let f = jit(|x: Var| x + 1.0);
    let x = Array::from([1.0, 2.0]);
    let kept = x.clone();
    for _ in 0..3 {
        f.call(x.clone()).unwrap();
        f.call(&x).unwrap();
    }
    assert_eq!(kept.to_vec::<f64>().unwrap(), [1.0, 2.0]);
    assert_eq!(x.to_vec::<f64>().unwrap(), [1.0, 2.0]);
}

/// Checks the start of the message, and that it names a line of this file.
#[track_caller]
fn refused(error: &str, what: &str) {
    assert!(error.starts_with(what), "{error}");
    assert!(error.contains("doors.rs:"), "{error}");
}

#[test]
fn a_refused_call_takes_nothing() {
    let f = jit(|x: Var| x + 1.0);
    let code = f.compile(ShapeDtype::new([2], DType::F64)).unwrap();
    let error = code.call([1.0, 2.0, 3.0]).unwrap_err().to_string();
    refused(&error, "call: args: expected f64[2], got f64[3], at ");

    let code = jit(|[x, y]: [Var; 2]| (x + 1.0, y + 1.0));
    let spec = ShapeDtype::new([2], DType::F64);
    let code = code.compile(&[spec.clone(), spec]).unwrap();
    let args = [Array::from([1.0, 2.0]), Array::from([1.0])];
    let (mut a, mut b) = (Array::from([3.0, 4.0]), Array::from([5.0, 6.0]));
    let kept = (place(&a), place(&b));
    let mut out = (a, b);
    let error = code.call_into(&args, &mut out).unwrap_err().to_string();
    refused(
        &error,
        "call_into: args[1]: expected f64[2], got f64[1], at ",
    );
    let mut short = (out.0.clone(), Array::from([1.0]));
    let args = [Array::from([1.0, 2.0]), Array::from([1.0, 2.0])];
    let error = code.call_into(&args, &mut short).unwrap_err().to_string();
    refused(&error, "call_into: out.1: expected f64[2], got f64[1], at ");
    drop(short);
    assert_eq!((place(&out.0), place(&out.1)), kept);
    (a, b) = out;
    assert_eq!((a, b), (Array::from([3.0, 4.0]), Array::from([5.0, 6.0])));
}

#[test]
fn a_call_that_needs_more_memory_than_there_is_is_refused() {
    let n = 1usize << 22;
    let f = jit(move |x: Var| {
        let y = (x.sum().broadcast_to([n, n]) + 1.0).sin();
        fori(0..3, y, |_, y| y.t() * 0.5 + y.flip(0)).at([0, 0])
    });
    for _ in 0..2 {
        let error = f.call([1.0, 2.0]).unwrap_err().to_string();
        assert!(error.contains("no memory for values on the way"), "{error}");
    }
}

#[test]
fn an_executable_of_a_function_with_arrays_of_its_own() {
    let data = Array::from([1.0, 2.0, 3.0]);
    let f = jit(move |x: Var| x * Var::from(&data));
    let code = f.compile(ShapeDtype::scalar(DType::F64)).unwrap();
    let y = code.call(2.0).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap(), [2.0, 4.0, 6.0]);
    let mut y = y;
    code.call_into(&Array::from(3.0), &mut y).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap(), [3.0, 6.0, 9.0]);
    let error = code.call([1.0, 2.0]).unwrap_err().to_string();
    refused(&error, "call: args: expected f64, got f64[2], at ");
}

#[test]
fn large_memory_that_is_dropped_serves_the_next_result() {
    const N: usize = 200_003;
    let f = jit(|x: Var| 2.0 * x);
    let g = jit(|x: Var| x + 1.0);
    let x = numbers(&[N], 0.7);
    let first = f.call(&x).unwrap();
    let at = place(&first);
    let held = first.clone();
    drop(first);
    assert_ne!(place(&f.call(&x).unwrap()), at, "somebody holds it");
    drop(held);
    let second = g.call(&x).unwrap();
    assert_eq!(place(&second), at);
    assert_eq!(second, g.interpret(&x).unwrap());
}

/// Transposes arrays in tiles: with partial tiles, with and without tasks.
#[test]
fn transposed_arrays_of_any_size() {
    for dims in [
        [8, 64],
        [9, 65],
        [13, 300],
        [300, 13],
        [70, 129],
        [517, 259],
    ] {
        let f = jit(|x: Var| (x.t() + 1.0, 2.0 * x.t(), x.t().sin() * x.t().cos()));
        let x = numbers(&dims, 0.3);
        assert_eq!(f.call(&x).unwrap(), f.interpret(&x).unwrap(), "{dims:?}");
        let [n, m] = dims;
        let g = jit(|x: Var| x.swap_axes(1, 2) - 0.5);
        let x = numbers(&[3, n, m], 0.3);
        assert_eq!(g.call(&x).unwrap(), g.interpret(&x).unwrap(), "{dims:?}");
    }
}
