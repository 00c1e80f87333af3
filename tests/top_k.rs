//! The largest elements of long rows are the first of all in descending order.

use wengert::backend::Interpreter;
use wengert::prelude::*;

const TYPES: [DType; 8] = [
    DType::F32,
    DType::F64,
    DType::I32,
    DType::I64,
    DType::U32,
    DType::U64,
    DType::U8,
    DType::Bool,
];

/// Many equal elements, NaN, infinities, and zeros of both signs.
fn awkward(n: usize) -> Vec<f64> {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0];
    let element = |i: usize| match (i * 7919) % 31 {
        j if j < special.len() => special[j],
        j => (j as f64 - 15.0) / 2.0,
    };
    (0..n).map(element).collect()
}

/// The text tells zeros of both signs apart, and a NaN is a NaN.
fn text(results: &(Array, Array, Array, Array)) -> [String; 2] {
    let (values, places, sorted, order) = results;
    [
        format!("{:?} {:?}", values.to_vec_f64(), places),
        format!("{:?} {:?}", sorted.to_vec_f64(), order),
    ]
}

trait ToVec {
    fn to_vec_f64(&self) -> Vec<f64>;
}

impl ToVec for Array {
    fn to_vec_f64(&self) -> Vec<f64> {
        let widened = jit(|x: Var| x.to(DType::F64)).call(self).unwrap();
        widened.to_vec().unwrap()
    }
}

#[test]
fn of_every_type_and_number() {
    for dtype in TYPES {
        for n in [33, 40, 200] {
            for k in [0, 1, 2, n / 2, n - 1, n] {
                let f = move |x: Var| {
                    let x = x.to(dtype);
                    let (values, places) = x.top_k(k);
                    let first = |y: Var| y.at(s![0..k as isize]);
                    let (sorted, order) = (x.sort_descending(0), x.argsort_descending(0));
                    (values, places, first(sorted), first(order))
                };
                let code = jit(f);
                for results in [
                    code.call(awkward(n)).unwrap(),
                    code.interpret(awkward(n)).unwrap(),
                    jit(f).backend(Interpreter).call(awkward(n)).unwrap(),
                ] {
                    let [found, wanted] = text(&results);
                    assert_eq!(found, wanted, "{dtype} {n} {k}");
                }
            }
        }
    }
}

/// Rows that are long enough to be looked through one by one, in loops of lanes that stop at different steps.
#[test]
fn in_lanes() {
    let (lanes, n, k) = (11, 50, 3);
    let f = move |x: Var| {
        let start = (x, x.at(0).abs() * 0.0);
        let (_, sum) = while_loop(
            start,
            |(x, sum)| (x.amax() + sum).lt(40.0),
            move |(x, sum)| {
                let (values, places) = x.top_k(k);
                (x.at_add(places, 0.5), sum + values.sum() * 0.25)
            },
        );
        sum
    };
    let x: Vec<Vec<f64>> = (0..lanes)
        .map(|l| {
            (0..n)
                .map(|i| ((i * 37 + l * 11) % 101) as f64 / 10.0)
                .collect()
        })
        .collect();
    let together = jit(vmap(f))
        .call(x.clone())
        .unwrap()
        .to_vec::<f64>()
        .unwrap();
    let slopes = jit(vmap(grad(f))).call(x.clone()).unwrap();
    for (lane, row) in x.into_iter().enumerate() {
        let alone = jit(f).call(row.clone()).unwrap().item::<f64>().unwrap();
        assert_eq!(together[lane], alone);
        let slope = jit(grad(f)).call(row).unwrap().to_vec::<f64>().unwrap();
        let all = slopes.to_vec::<f64>().unwrap();
        assert_eq!(all[lane * n..lane * n + n], slope[..]);
    }
}

#[test]
fn the_text_form_is_read_back() {
    let spec = ShapeDtype::new([2, 40], DType::F64);
    let func = wengert::trace(|x: Var| x.top_k(3), &spec).unwrap();
    let text = func.to_string();
    assert!(text.contains("top_k"), "{text}");
    assert_eq!(
        wengert_ir::ir::Func::parse(&text).unwrap().to_string(),
        text
    );
}
