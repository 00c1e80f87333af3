use super::*;
use crate::elementary::{Elementary, eval, eval_single};
use crate::loops::math::elementary;

/// Points of every magnitude and sign, and all special values.
fn points() -> Vec<f64> {
    let mut xs = vec![
        0.0,
        f64::INFINITY,
        f64::NAN,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
    ];
    for e in -1074..1024 {
        xs.push(f64::powi(1.37, 2) * f64::powi(2.0, e));
    }
    for i in 0..400 {
        xs.push(f64::from(i) * 0.0927 + 0.013);
    }
    let negative: Vec<f64> = xs.iter().map(|x| -x).collect();
    xs.extend(negative);
    xs
}

fn apply(f: Elementary, dtype: DType, args: &[Data]) -> (Program, Data) {
    let n = args[0].len();
    let mut b = Builder::new();
    let y = output(&mut b, dtype, n);
    let buffers: Vec<_> = (0..args.len() as u32)
        .map(|i| input(&mut b, i, dtype, n))
        .collect();
    let function = elementary(&mut b, f, dtype);
    assert_eq!(function, elementary(&mut b, f, dtype), "shared by name");
    let extent = b.i64(n as i64);
    b.for_(LoopKind::Vector, extent, &[], |b, i, _| {
        let at = b.affine(i);
        let x: Vec<_> = buffers.iter().map(|&buffer| b.load(buffer, &at)).collect();
        let v = b.call(function, &x);
        b.store(y, &at, v);
        vec![]
    });
    let program = checked(b);
    let args: Vec<&Data> = args.iter().collect();
    let mut out = [Data::zeros(dtype, n)];
    run(&program, &args, &mut out).unwrap();
    let [out] = out;
    (program, out)
}

#[test]
fn recorded_functions_give_the_bits_of_plain_floats() {
    let xs = points();
    for &f in Elementary::ALL {
        let mut args = vec![xs.clone()];
        for k in 1..f.arity() {
            // A fixed shuffle, so that different operands are combined.
            let n = xs.len();
            args.push((0..n).map(|i| xs[(i * 677 + 13 * k) % n]).collect());
        }
        let data: Vec<Data> = args.iter().cloned().map(Data::F64).collect();
        let (_, got) = apply(f, DType::F64, &data);
        for i in 0..xs.len() {
            let x: Vec<f64> = args.iter().map(|a| a[i]).collect();
            let (want, got) = (eval(f, &x), f64::from_bits(got.bits(i)));
            let same = want.to_bits() == got.to_bits() || (want.is_nan() && got.is_nan());
            assert!(same, "{}{x:?} = {want:e}, recorded {got:e}", f.name());
        }
    }
}

#[test]
fn recorded_functions_of_short_floats_give_the_bits_of_plain_ones() {
    let xs: Vec<f32> = points().into_iter().map(|x| x as f32).collect();
    let n = xs.len();
    for &f in Elementary::ALL.iter().filter(|f| f.is_single()) {
        let column = |k: usize| {
            (0..n)
                .map(|i| xs[(i * (1 + 676 * k) + 13 * k) % n])
                .collect()
        };
        let args: Vec<Vec<f32>> = (0..f.arity()).map(column).collect();
        let data: Vec<Data> = args.iter().cloned().map(Data::F32).collect();
        let (program, got) = apply(f, DType::F32, &data);
        assert_eq!(program.functions[0].name, format!("{}_f32", f.name()));
        for i in 0..n {
            let x: Vec<f32> = args.iter().map(|a| a[i]).collect();
            let want = eval_single(f, &x);
            let got = f32::from_bits(got.bits(i) as u32);
            let same = want.to_bits() == got.to_bits() || (want.is_nan() && got.is_nan());
            assert!(same, "{}{x:?} = {want:e}, recorded {got:e}", f.name());
        }
    }
}

#[test]
fn other_functions_of_short_floats_are_computed_in_long_ones() {
    let xs: Vec<f32> = points().into_iter().map(|x| x as f32).collect();
    let f = Elementary::Digamma;
    assert!(!f.is_single());
    let (_, got) = apply(f, DType::F32, &[Data::F32(xs.clone())]);
    for (i, &x) in xs.iter().enumerate() {
        let want = eval(f, &[f64::from(x)]) as f32;
        let got = f32::from_bits(got.bits(i) as u32);
        let plain = eval_single(f, &[x]);
        assert!(want.to_bits() == plain.to_bits() || (want.is_nan() && plain.is_nan()));
        assert!(
            want.to_bits() == got.to_bits() || (want.is_nan() && got.is_nan()),
            "digamma({x:e})"
        );
    }
}
