//! Complex numbers: functions at the points where C99 says what they are, operators, derivatives.

use serde_json::Value;
use wengert::complex;
use wengert::prelude::*;
use wengert_check::{check_grads, check_vmap};

type Function = fn(Complex) -> Complex;

const FUNCTIONS: [(&str, Function); 15] = [
    ("exp", Complex::exp),
    ("ln", Complex::ln),
    ("sqrt", Complex::sqrt),
    ("sin", Complex::sin),
    ("cos", Complex::cos),
    ("tan", Complex::tan),
    ("sinh", Complex::sinh),
    ("cosh", Complex::cosh),
    ("tanh", Complex::tanh),
    ("asin", Complex::asin),
    ("acos", Complex::acos),
    ("atan", Complex::atan),
    ("asinh", Complex::asinh),
    ("acosh", Complex::acosh),
    ("atanh", Complex::atanh),
];

fn numbers(list: &Value) -> Vec<f64> {
    let number = |x: &Value| match x.as_str() {
        Some(name) => name.parse().unwrap(),
        None => x.as_f64().unwrap(),
    };
    list.as_array().unwrap().iter().map(number).collect()
}

/// Whether two parts are equal: to some digits of the whole number, zeros with their signs if they have one that C99
/// tells.
fn near(got: f64, want: f64, size: f64, signed: bool) -> bool {
    if got.is_nan() || want.is_nan() {
        return got.is_nan() && want.is_nan();
    }
    if want == 0.0 {
        return got == 0.0 && (!signed || got.is_sign_negative() == want.is_sign_negative());
    }
    got == want
        || (got - want).abs() <= 4e-15 * (want.abs() + if size.is_finite() { size } else { 0.0 })
}

#[test]
fn functions_have_the_values_of_c99() {
    let table: Value = serde_json::from_str(include_str!("special.json")).unwrap();
    let points = numbers(&table["points"]);
    let all = points
        .iter()
        .flat_map(|x| points.iter().map(move |y| (*x, *y)));
    let (re, im): (Vec<f64>, Vec<f64>) = all.unzip();
    let mut wrong = vec![];
    for (name, f) in FUNCTIONS {
        let want = numbers(&table["values"][name]);
        let compiled = jit(f);
        let z = Complex {
            re: Array::from(&re[..]),
            im: Array::from(&im[..]),
        };
        let ways = [
            ("compiled", compiled.call(z.clone()).unwrap()),
            ("interpreted", compiled.interpret(z).unwrap()),
        ];
        for (way, w) in ways {
            let parts = [w.re.to_vec::<f64>().unwrap(), w.im.to_vec::<f64>().unwrap()];
            for i in 0..re.len() {
                // What NaN becomes may be a zero of either sign.
                let signed = !re[i].is_nan() && !im[i].is_nan();
                let size = want[2 * i].hypot(want[2 * i + 1]);
                for part in 0..2 {
                    let (got, want) = (parts[part][i], want[2 * i + part]);
                    if !near(got, want, size, signed) {
                        let part = ["re", "im"][part];
                        wrong.push(format!(
                            "{name}({:?}, {:?}).{part} is {got:?}, not {want:?}, {way}",
                            re[i], im[i]
                        ));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn functions_have_derivatives_to_second_order() {
    let z = || {
        (
            Array::from([0.7, -0.4, 1.3, -2.0]),
            Array::from([0.3, 0.9, -1.1, 0.2]),
        )
    };
    for (name, f) in FUNCTIONS {
        let of_parts = move |(re, im): (Var, Var)| {
            let w = f(Complex { re, im });
            (w.re, w.im)
        };
        check_grads(of_parts, z(), 2).unwrap_or_else(|e| panic!("{name}: {e}"));
        check_vmap(of_parts, z()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn operators_agree_with_plain_arithmetic() {
    let f = jit(|(z, w, x): (Complex, Complex, Var)| {
        let mut sum = z;
        sum += w;
        sum -= 1.0;
        sum *= x;
        sum /= 2.0;
        vec![
            z * w,
            z / w,
            z + x - w,
            x - z,
            x / z,
            2.0 / z,
            3 * z - 1,
            -z * Complex::new(x, 1.0),
            sum,
            z.powi(5),
            z.powi(-2),
            z.powf(2.5),
            z.powc(w),
            z.recip() * z,
        ]
    });
    let (z, w, x) = ((1.5, -0.5), (0.25, 2.0), 3.0);
    let pair = |(re, im): (f64, f64)| Complex { re, im };
    let got = f.call((pair(z), pair(w), x)).unwrap();
    let mul = |a: (f64, f64), b: (f64, f64)| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
    let div = |a: (f64, f64), b: (f64, f64)| {
        let n = b.0 * b.0 + b.1 * b.1;
        let (re, im) = mul(a, (b.0, -b.1));
        (re / n, im / n)
    };
    let power = |z: (f64, f64), w: (f64, f64)| {
        let (l, a) = (z.0.hypot(z.1).ln(), z.1.atan2(z.0));
        let (re, im) = mul((l, a), w);
        (re.exp() * im.cos(), re.exp() * im.sin())
    };
    let five = (0..4).fold(z, |p, _| mul(p, z));
    let want = [
        mul(z, w),
        div(z, w),
        (z.0 + x - w.0, z.1 - w.1),
        (x - z.0, -z.1),
        div((x, 0.0), z),
        div((2.0, 0.0), z),
        (3.0 * z.0 - 1.0, 3.0 * z.1),
        mul((-z.0, -z.1), (x, 1.0)),
        ((z.0 + w.0 - 1.0) * x / 2.0, (z.1 + w.1) * x / 2.0),
        five,
        div((1.0, 0.0), mul(z, z)),
        power(z, (2.5, 0.0)),
        power(z, w),
        (1.0, 0.0),
    ];
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let got: (f64, f64) = (got.re.item().unwrap(), got.im.item().unwrap());
        let apart = (got.0 - want.0).hypot(got.1 - want.1);
        assert!(
            apart < 1e-13 * (1.0 + want.0.hypot(want.1)),
            "{i}: {got:?}, not {want:?}"
        );
    }
}

#[test]
fn division_keeps_to_the_range() {
    let f = jit(|(z, w): (Complex, Complex)| z / w);
    let big = Complex {
        re: 1e300,
        im: 1e300,
    };
    let w = f.call((big, big)).unwrap();
    assert_eq!(
        (w.re.item::<f64>().unwrap(), w.im.item::<f64>().unwrap()),
        (1.0, 0.0)
    );
    let small = Complex {
        re: 1e-300,
        im: 1e-300,
    };
    let w = f.call((small, small)).unwrap();
    assert_eq!(
        (w.re.item::<f64>().unwrap(), w.im.item::<f64>().unwrap()),
        (1.0, 0.0)
    );
}

#[test]
fn the_size_has_the_derivative_zero_at_zero() {
    let g = jit(grad(|z: Complex| z.abs()))
        .call(Complex { re: 0.0, im: 0.0 })
        .unwrap();
    assert_eq!(
        (g.re.item::<f64>().unwrap(), g.im.item::<f64>().unwrap()),
        (0.0, 0.0)
    );
    let g = jit(grad(|z: Complex| z.abs()))
        .call(Complex { re: 3.0, im: -4.0 })
        .unwrap();
    assert_eq!(
        (g.re.item::<f64>().unwrap(), g.im.item::<f64>().unwrap()),
        (0.6, -0.8)
    );
}

#[test]
fn arrays_are_summed_and_multiplied() {
    let f = jit(|(a, b): (Complex, Complex)| {
        let product = a.matmul(b);
        let same = complex::einsum("ij,jk->ik", &[a, b]);
        let three = complex::einsum("ij,jk,ki->", &[a, b, a]);
        let trace = (a.dot(b).dot(a)).map(|x| x.trace());
        (
            product - same,
            (three - trace).abs(),
            a.sum(),
            a.prod(),
            a.vdot(a).map(|x| x.trace()),
        )
    });
    let a = Complex {
        re: [[1.0, 2.0], [3.0, 4.0]],
        im: [[0.5, -1.0], [2.0, 0.0]],
    };
    let b = Complex {
        re: [[0.0, 1.0], [-1.0, 2.0]],
        im: [[1.0, 1.0], [0.25, -2.0]],
    };
    let (zero, small, sum, product, _) = f.call((a, b)).unwrap();
    assert!(
        zero.re
            .to_vec::<f64>()
            .unwrap()
            .iter()
            .all(|x| x.abs() < 1e-14)
    );
    assert!(small.item::<f64>().unwrap() < 1e-13);
    assert_eq!(
        (sum.re.item::<f64>().unwrap(), sum.im.item::<f64>().unwrap()),
        (10.0, 1.5)
    );
    // (1 + i/2)(2 - i)(3 + 2i)4 = 2.5 (3 + 2i) 4
    assert_eq!(
        (
            product.re.item::<f64>().unwrap(),
            product.im.item::<f64>().unwrap()
        ),
        (30.0, 20.0)
    );
}

#[test]
fn what_is_no_float_is_refused_by_name() {
    let error = jit(|x: Var| Complex::from(x).exp()).call(1i64).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("exp: i64 is not an array of floats"),
        "{error}"
    );
    let error = jit(|x: Var| Complex::new(x, [1.0, 2.0, 3.0]))
        .call([1.0, 2.0])
        .unwrap_err();
    assert!(error.to_string().starts_with("Complex: "), "{error}");
}

#[test]
fn numbers_of_num_complex_go_in_and_out() {
    use num_complex::{Complex32, Complex64};

    let z = vec![Complex64::new(1.0, 2.0), Complex64::new(-0.5, 0.25)];
    let f = jit(|z: Complex| z * Complex::from(Complex64::new(0.0, 1.0)) + 1.0);
    let w: Vec<Complex64> = f
        .call(Complex::from(z.clone()))
        .unwrap()
        .to_numbers()
        .unwrap();
    let want: Vec<Complex64> = z.iter().map(|z| z * Complex64::i() + 1.0).collect();
    assert_eq!(w, want);
    let one = Complex::<Array>::from(Complex32::new(3.0, 4.0));
    let size = jit(|z: Complex| z.abs()).call(one).unwrap();
    assert_eq!(size.item::<f32>().unwrap(), 5.0);
    let four = [z.clone(), z].concat();
    let square = Complex::from_shape(&[2, 2], four).unwrap();
    assert_eq!(square.shape(), [2, 2]);
    assert!(square.to_numbers::<f32>().is_err());
    assert!(Complex::from_shape(&[3], vec![Complex64::i()]).is_err());
}
