//! Numbers of Rust's, alone and in arrays, and the element types that they take.

use super::*;

#[test]
fn numbers_of_every_type_on_either_side() -> Result<()> {
    let (a, b, c, d, e) = (3usize, 3i64, 3u32, 3f32, 3u8);
    for dtype in [DType::F64, DType::F32, DType::I64, DType::U8] {
        let f = jit(move |x: Var| {
            let x = x.to(dtype);
            let float = x.dtype() == DType::F64 || x.dtype() == DType::F32;
            let f32s = if float { num(d) - x } else { num(3) - x };
            [
                num(a) - x,
                num(b) - x,
                num(c) - x,
                f32s,
                num(e) - x,
                3 - x,
                x - a + b - c - e + x,
            ]
        });
        for y in f.call(1.0)? {
            assert_eq!(y.dtype(), dtype);
            let y = jit(|y: Var| y.to(DType::F64)).call(&y)?.item::<f64>()?;
            assert!(y == 2.0 || y == 252.0 || y == -4.0 || y == -1.0, "{y}");
        }
    }
    let f = jit(|x: Var| {
        (
            (2 * x).sqrt(),
            (2.0 * x).sqrt(),
            [1.0, 2.0].iter().map(|w| x * w).sum::<Var>(),
        )
    });
    let (x, y, z) = f.call(2.0)?;
    assert_eq!(
        (numbers(&x), numbers(&y), numbers(&z)),
        (vec![2.0], vec![2.0], vec![6.0])
    );
    Ok(())
}

#[test]
fn shapes_of_any_integers() -> Result<()> {
    let f = jit(|x: Var| {
        let (n, m, k) = (2usize, 3u8, 3i16);
        [
            x.reshape((-1, n)),
            x.reshape([-1, 2]),
            x.reshape((m, -1)),
            x.reshape((k, 2u64)),
            x.reshape(-1),
        ]
    });
    let shapes = f.call([0.0; 6])?.map(|y| y.shape().to_vec());
    assert_eq!(
        shapes,
        [vec![3, 2], vec![3, 2], vec![3, 2], vec![3, 2], vec![6]]
    );
    let n = 2i64;
    assert_eq!(Array::new((n, 3), vec![0.0; 6])?.shape(), [2, 3]);
    assert_eq!(Array::full(3, 0.5), Array::from([0.5; 3]));
    assert_eq!(Array::zeros((), DType::F32).shape(), [0; 0]);
    assert_eq!(
        ShapeDtype::new((n, 3u32), DType::F32).to_string(),
        "f32[2,3]"
    );
    Ok(())
}

#[test]
fn nested_numbers_are_arrays() -> Result<()> {
    let rows = vec![vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]];
    let sum = jit(|x: Var| x.sum_axis(0));
    for _ in 0..2 {
        assert_eq!(numbers(&sum.call(&rows)?), [9.0, 12.0]);
    }
    assert_eq!(numbers(&sum.call(rows.clone())?), [9.0, 12.0]);
    assert_eq!(numbers(&sum.call(&rows[..])?), [9.0, 12.0]);
    assert_eq!(numbers(&sum.call([&rows[0][..], &rows[1]])?), [4.0, 6.0]);
    assert_eq!(
        numbers(&sum.call([vec![1.0, 2.0], vec![3.0, 4.0]])?),
        [4.0, 6.0]
    );
    assert_eq!(Array::from(rows.clone()).shape(), [3, 2]);
    assert_eq!(Array::from(Vec::<Vec<f64>>::new()).shape(), [0, 0]);
    assert_eq!(Array::from(Vec::<Vec<[f64; 2]>>::new()).shape(), [0, 0, 2]);
    assert_eq!(Array::from([[[1u8; 2]; 3]; 4]).shape(), [4, 3, 2]);
    // Rows of different lengths are an error, at every depth.
    let error = sum
        .call(vec![vec![1.0, 2.0], vec![3.0]])
        .unwrap_err()
        .to_string();
    let said = "an array of numbers: row 0 has the shape [2], and row 1 has [1]: the rows of an array have one length, at ";
    assert!(error.starts_with(said), "{error}");
    assert!(error.contains("numbers.rs:"), "{error}");
    let error = sum
        .call(vec![vec![vec![1.0], vec![]], vec![vec![1.0], vec![2.0]]])
        .unwrap_err();
    assert!(error.to_string().contains("row 0 is uneven"), "{error}");
    assert!(sum.compile(vec![vec![1.0], vec![]]).is_err());
    assert!(sum.interpret(vec![vec![1.0], vec![]]).is_err());
    let f = jit(|x: Var| x + Var::from(vec![vec![1.0], vec![]]));
    let error = f.call(1.0).unwrap_err().to_string();
    assert!(
        error.contains("row 0 has the shape [1], and row 1 has [0]"),
        "{error}"
    );
    assert!(error.contains("numbers.rs"), "{error}");
    Ok(())
}

#[test]
fn arrays_of_numbers_stand_beside_a_var() -> Result<()> {
    let f = jit(|x: Var| {
        [
            x + [1.0, 2.0],
            x * vec![1, 2],
            x.maximum([0.0, 9.0]),
            x - &[1.0, 1.0][..],
        ]
    });
    let want = [[4.0, 5.0], [3.0, 6.0], [3.0, 9.0], [2.0, 2.0]];
    for (y, want) in f.call(3.0)?.iter().zip(want) {
        assert_eq!(numbers(y), want);
    }
    // As numbers do, they take the element type beside them.
    for y in f.call(3f32)? {
        assert_eq!(y.dtype(), DType::F32);
    }
    let f = jit(|x: Var| {
        (
            x + [1, 2],
            Var::from([1.0, 2.0]).dot([3.0, 4.0]),
            x.at_set(0, [7, 8]),
        )
    });
    let (sum, product, written) = f.call([[1i64, 2], [3, 4]])?;
    assert_eq!(
        (sum.dtype(), sum.to_vec::<i64>()?),
        (DType::I64, vec![2, 4, 4, 6])
    );
    assert_eq!(
        (numbers(&product), written.to_vec::<i64>()?),
        (vec![11.0], vec![7, 8, 3, 4])
    );
    let error = jit(|n: Var| n + [0.5, 1.0])
        .call(1i64)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("add: i64 and f64[2] have no common element type"),
        "{error}"
    );
    Ok(())
}

#[test]
fn numbers_beside_vars_in_a_stack() -> Result<()> {
    let f = jit(|x: Var| {
        let pair = stack((x, 0.0));
        (
            pair,
            stack((x, 2, true)),
            concat((pair, [5.0]), 0),
            stack([x, x]),
            stack_axis((pair, pair), 1),
        )
    });
    let (a, b, c, d, e) = f.call(1f32)?;
    for y in [&a, &b, &c, &d, &e] {
        assert_eq!(y.dtype(), DType::F32);
    }
    assert_eq!(a.to_vec::<f32>()?, [1.0, 0.0]);
    assert_eq!(b.to_vec::<f32>()?, [1.0, 2.0, 1.0]);
    assert_eq!(c.to_vec::<f32>()?, [1.0, 0.0, 5.0]);
    assert_eq!((d.shape(), e.shape()), (&[2][..], &[2, 2][..]));
    Ok(())
}

#[test]
fn zeros_and_ones_of_an_element_type() -> Result<()> {
    for dtype in [
        DType::F32,
        DType::F64,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U32,
        DType::U64,
        DType::Bool,
    ] {
        let f = jit(move |_: Var| {
            [
                zeros_of([2], dtype),
                ones_of(2, dtype),
                zeros_like(ones_of(2, dtype)),
            ]
        });
        let [zeros, ones, like] = f.call(0.0)?;
        assert_eq!((zeros.dtype(), ones.dtype()), (dtype, dtype));
        assert_eq!(like, zeros);
        assert_eq!(
            numbers(&jit(|x: Var| x.to(DType::F64)).call(&ones)?),
            [1.0, 1.0]
        );
    }
    let f = jit(|_: Var| {
        (
            full(2, 0f32),
            full(2, 1u8),
            full(2, 1),
            full(2, 1.0),
            full(2, 1usize),
        )
    });
    let (a, b, c, d, e) = f.call(0.0)?;
    let dtypes = [a, b, c, d, e].map(|x| x.dtype());
    assert_eq!(
        dtypes,
        [DType::F32, DType::U8, DType::I64, DType::F64, DType::I64]
    );
    Ok(())
}

/// Sums of f32 that start as numbers of Rust's.
#[test]
fn carries_that_start_as_numbers_take_the_type_of_the_rows() -> Result<()> {
    let xs = Array::from([[1f32, 2.0], [3.0, 4.0]]);
    let sum =
        |start: fn() -> Var| move |xs: Var| scan(start(), xs, |c: Var, x: Var| (c + x, c * 2.0));
    for (f, shape) in [
        (sum(|| zeros(2)), vec![2]),
        (sum(|| zeros([1, 2])), vec![1, 2]),
        (sum(|| full(2, 0.0)), vec![2]),
    ] {
        let (last, rows) = jit(f).call(&xs)?;
        assert_eq!((last.dtype(), rows.dtype()), (DType::F32, DType::F32));
        assert_eq!(
            (last.to_vec::<f32>()?, last.shape()),
            (vec![4.0, 6.0], &shape[..])
        );
    }
    let of = |y: Array| y.dtype();
    let x = Array::from([1f32, 2.0]);
    assert_eq!(
        of(jit(|x: Var| scan(0.0, x, |c, x| (c + x, ())).0).call(&x)?),
        DType::F32
    );
    assert_eq!(
        of(jit(|x: Var| scan_reverse(0.0, x, |c, x| (c + x, ())).0).call(&x)?),
        DType::F32
    );
    assert_eq!(
        of(jit(|x: Var| scan_checkpointed(&[1], 0.0, x, |c, x| (c + x, ())).0).call(&x)?),
        DType::F32
    );
    assert_eq!(
        of(jit(|x: Var| fori(0..3, 0.0, |_, c| c + x.sum())).call(&x)?),
        DType::F32
    );
    let traced = jit(|(x, n): (Var, Var)| fori(..n, 0.0, |_, c| c * 0.5 + x.sum()));
    assert_eq!(of(traced.call((&x, 3i64))?), DType::F32);
    assert_eq!(
        of(jit(|x: Var| while_loop(0.0, |c| c.lt(9.0), |c| c + x.at(0))).call(&x)?),
        DType::F32
    );
    // One carry after the other: the second follows from the first.
    let f = jit(|x: Var| {
        scan((0.0, 0.0, 0i64), x, |(a, b, n), x| {
            ((a + b, b + x, n + 1), ())
        })
        .0
    });
    let (a, b, n) = f.call(&x)?;
    assert_eq!(
        (a.dtype(), b.dtype(), n.dtype()),
        (DType::F32, DType::F32, DType::I64)
    );
    assert_eq!((a.item::<f32>()?, b.item::<f32>()?), (1.0, 3.0));
    // A loop in a loop, whose carry is that of the outer one.
    let f = jit(|x: Var| scan(0.0, x, |c, x| (fori(0..2, c, |_, c| (c + x).sin()), ())).0);
    assert_eq!(of(f.call(&x)?), DType::F32);
    // A branch that gives the carry as it is, and one that does not, in either order.
    let f = jit(|x: Var| {
        let step = |c: Var, x: Var| cond(x.gt(1.0), (c, x), |(c, x)| c + x, |(c, _)| c);
        scan(0.0, x, |c, x| (step(c, x), ())).0
    });
    assert_eq!(f.call(&x)?, Array::from(2f32));
    let f = jit(|x: Var| {
        let step = |c: Var, x: Var| cond(x.gt(1.0), (c, x), |(c, _)| c, |(c, x)| c + x);
        scan(0.0, x, |c, x| (step(c, x), ())).0
    });
    assert_eq!(f.call(&x)?, Array::from(1f32));
    let f = jit(|x: Var| scan(0.0, x, |c, x: Var| (x.gt(1.0).select(c, x + c), ())).0);
    assert_eq!(f.call(&x)?, Array::from(1f32));
    let f = jit(|x: Var| cond(x.at(0).gt(0.0), x, |_| 0.0, |x| x.sum()));
    assert_eq!(f.call(&x)?, Array::from(0f32));
    // What is written into zeros.
    let f = jit(|x: Var| fori(0..2, zeros(2), |i, h| h.at_set(i, x.at(i))));
    assert_eq!(f.call(&x)?, x);
    // Derivatives and batches of it.
    let f = |x: Var| scan(0.0, x, |c, x| (c + x * x, ())).0;
    assert_eq!(jit(grad(f)).call(&x)?, Array::from([2f32, 4.0]));
    assert_eq!(
        jit(vmap(f)).call([[1f32, 2.0], [3.0, 4.0]])?,
        Array::from([5f32, 25.0])
    );
    Ok(())
}

#[test]
fn carries_of_f64_stay() -> Result<()> {
    let x = Array::from([1f32, 2.0]);
    let of = |y: Array| y.dtype();
    // Nothing of f32 in it; f64 rows; what is converted says so.
    assert_eq!(
        of(jit(|_: Var| fori(0..3, 0.0, |_, c| c + 1.0)).call(&x)?),
        DType::F64
    );
    assert_eq!(
        of(jit(|x: Var| scan(0.0, x, |c, x| (c + x, ())).0).call([1.0, 2.0])?),
        DType::F64
    );
    let f = jit(|x: Var| scan(0.0, x, |c, x| (c + x.to(DType::F64), ())).0);
    assert_eq!(of(f.call(&x)?), DType::F64);
    // A traced f64 is meant.
    let f = jit(|(s, x): (Var, Var)| scan(s, x, |c, x| (c + x, ())).0);
    assert_eq!(of(f.call((0.0, &x))?), DType::F64);
    Ok(())
}
