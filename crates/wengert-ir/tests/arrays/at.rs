//! Index expressions.

use wengert_ir::buffer::Dense;
use wengert_ir::s;
use wengert_ir::trace::{NewAxis, Part, Parts, Span, Var};

use super::rules::{check, count, f64s, i64s, value};

type Write = fn(Var, Parts, Var) -> Var;

/// A function from an element and the value written there to the new element.
type Meet = fn(f64, f64) -> f64;

/// The methods that write, each with its effect on an element.
const WRITES: [(Write, Meet); 5] = [
    (|x, p, u| x.at_set(p, u), |_, u| u),
    (|x, p, u| x.at_add(p, u), |x, u| x + u),
    (|x, p, u| x.at_mul(p, u), |x, u| x * u),
    (|x, p, u| x.at_min(p, u), f64::min),
    (|x, p, u| x.at_max(p, u), f64::max),
];

/// A part of an index expression, in a simple form whose meaning is evident.
#[derive(Clone, Debug)]
enum P {
    Range(usize, usize, usize),
    /// From the first place down to the second, which is excluded, by the third.
    Down(usize, Option<usize>, usize),
    At(usize),
    /// An array of indices.
    Array(Vec<usize>, Vec<i64>),
    New,
}

/// Returns the shape of the result, and for each element the coordinates that it is read from, as in NumPy (except that
/// a scalar index is treated like a number that is known while tracing).
fn meaning(dims: &[usize], parts: &[P]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let arrays: Vec<&Vec<usize>> = (parts.iter())
        .filter_map(|p| match p {
            P::Array(d, _) => Some(d),
            _ => None,
        })
        .collect();
    let rank = arrays.iter().map(|d| d.len()).max().unwrap_or(0);
    let padded = |d: &[usize]| [&vec![1; rank - d.len()], d].concat();
    let common: Vec<usize> = (0..rank)
        .map(|a| {
            let lengths = arrays.iter().map(|d| padded(d)[a]);
            lengths.clone().find(|&n| n != 1).unwrap_or(1)
        })
        .collect();
    // Which parts stand for axes of the result; the axes of all arrays stand together.
    let is_array = |p: &P| matches!(p, P::Array(d, _) if !d.is_empty());
    let first = parts.iter().position(is_array);
    let last = parts.iter().rposition(is_array);
    let apart = match (first, last) {
        (Some(f), Some(l)) => parts[f..l]
            .iter()
            .any(|p| matches!(p, P::Range(..) | P::Down(..) | P::New)),
        _ => false,
    };
    let mut shape = vec![];
    let mut at = if apart { Some(0) } else { None };
    for (k, p) in parts.iter().enumerate() {
        if Some(k) == first && !apart {
            at = Some(shape.len());
        }
        match p {
            P::Range(start, end, step) => shape.push((end - start).div_ceil(*step)),
            P::Down(start, end, step) => {
                let above = |&i: &usize| end.is_none_or(|end| i > end);
                shape.push((0..=*start).rev().step_by(*step).filter(above).count());
            }
            P::New => shape.push(1),
            P::At(_) | P::Array(..) => {}
        }
    }
    let at = at.unwrap_or(0);
    let whole = [&shape[..at], &common, &shape[at..]].concat();
    let n: usize = whole.iter().product();
    let coordinates = |mut flat: usize| {
        let mut place = vec![0; whole.len()];
        for a in (0..whole.len()).rev() {
            place[a] = flat % whole[a];
            flat /= whole[a];
        }
        let own = &place[at..at + rank];
        let rest = [&place[..at], &place[at + rank..]].concat();
        let mut rest = rest.into_iter();
        let mut from = vec![];
        for p in parts {
            match p {
                P::Range(start, _, step) => from.push(start + step * rest.next().unwrap()),
                P::Down(start, _, step) => from.push(start - step * rest.next().unwrap()),
                P::New => assert_eq!(rest.next(), Some(0)),
                P::At(i) => from.push(*i),
                P::Array(d, v) => {
                    let d = padded(d);
                    let flat = (0..rank).fold(0, |f, a| f * d[a] + own[a].min(d[a] - 1));
                    let last = dims[from.len()] as i64 - 1;
                    from.push(v[flat].clamp(0, last) as usize);
                }
            }
        }
        from
    };
    let all = (0..n).map(coordinates).collect();
    (whole, all)
}

fn flat(dims: &[usize], at: &[usize]) -> usize {
    at.iter().zip(dims).fold(0, |f, (i, n)| f * n + i)
}

const DIMS: [usize; 4] = [3, 4, 2, 5];

/// Returns expressions of four parts, with and without arrays, in all orders.
fn expressions() -> Vec<Vec<P>> {
    let array = |d: &[usize], v: &[i64]| P::Array(d.to_vec(), v.to_vec());
    let kinds = |n: usize| {
        vec![
            P::Range(0, n, 1),
            P::Range(1, n, 2),
            P::Down(n - 1, None, 1),
            P::Down(n - 1, Some(0), 2),
            P::At(n - 1),
            array(&[], &[1]),
            array(&[2], &[1, 0]),
            array(&[3, 1], &[0, 7, -2]),
        ]
    };
    let [a, b, c, d] = DIMS.map(kinds);
    let mut all = vec![];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            for (k, c) in c.iter().enumerate() {
                // Each combination of three parts, with one of the kinds for the last.
                let d = &d[(i + 2 * j + 3 * k) % d.len()];
                let mut parts = vec![a.clone(), b.clone(), c.clone(), d.clone()];
                if (i + j + k) % 3 == 0 {
                    parts.insert((i * j + k) % 5, P::New);
                }
                all.push(parts);
            }
        }
    }
    all
}

/// Returns the expression with its arrays replaced by arguments.
fn parts(expression: &[P], args: &[Var]) -> Parts {
    let mut args = args.iter();
    let part = |p: &P| match p {
        P::Range(start, end, step) => Part::Span(Span::from(*start..*end).by(*step)),
        P::Down(start, end, step) => Part::Span(Span {
            start: Some(*start as i64),
            end: end.map(|end| end as i64),
            closed: false,
            step: -(*step as i64),
        }),
        P::At(i) => Part::At(*i as i64),
        P::Array(..) => Part::Traced(*args.next().expect("an argument for each array")),
        P::New => Part::NewAxis,
    };
    Parts(expression.iter().map(part).collect())
}

fn arguments(expression: &[P]) -> Vec<Dense> {
    let arrays = expression.iter().filter_map(|p| match p {
        P::Array(d, v) => Some(i64s(d, v)),
        _ => None,
    });
    arrays.collect()
}

#[test]
fn reading_and_writing_mean_what_they_say() {
    let x = count(&DIMS);
    for expression in expressions() {
        let (shape, coordinates) = meaning(&DIMS, &expression);
        let args = [vec![x.clone()], arguments(&expression)].concat();
        let got = value(|x| x[0].at(parts(&expression, &x[1..])), &args);
        let want: Vec<f64> = coordinates.iter().map(|c| flat(&DIMS, c) as f64).collect();
        assert_eq!(got, f64s(&shape, &want), "{expression:?}");

        // The updates are applied in order; those out of range are dropped.
        let n = coordinates.len();
        let u = f64s(
            &shape,
            &(0..n).map(|k| 0.5 * k as f64 - 3.0).collect::<Vec<_>>(),
        );
        let args = [vec![x.clone(), u.clone()], arguments(&expression)].concat();
        for (write, join) in WRITES {
            let got = value(|x| write(x[0], parts(&expression, &x[2..]), x[1]), &args);
            let mut want = x.slice::<f64>().to_vec();
            for (k, c) in coordinates.iter().enumerate() {
                if let Some(at) = inside(&expression, &shape, k, c) {
                    want[at] = join(want[at], u.slice::<f64>()[k]);
                }
            }
            assert_eq!(got, f64s(&DIMS, &want), "{expression:?}");
        }
    }
}

/// Returns the place of update `k`, if none of its indices is out of range. An index is in range if the coordinates
/// stay the same in an array that is longer along every axis.
fn inside(expression: &[P], shape: &[usize], k: usize, at: &[usize]) -> Option<usize> {
    let wide = DIMS.map(|n| n + 100);
    let shifted: Vec<P> = (expression.iter())
        .map(|p| match p {
            // Shifted upwards, so that negative indices stay in the longer array.
            P::Array(d, v) => P::Array(d.clone(), v.iter().map(|i| i + 50).collect()),
            other => other.clone(),
        })
        .collect();
    let (same, all) = meaning(&wide, &shifted);
    assert_eq!(same, shape);
    let mut indices = all[k].iter().zip(at);
    let mut axes = expression.iter().filter(|p| !matches!(p, P::New));
    let fits = indices.all(|(wide, near)| match axes.next() {
        Some(P::Array(..)) => *wide == near + 50,
        _ => wide == near,
    });
    fits.then(|| flat(&DIMS, at))
}

/// Compares every start, end and step with a loop.
#[test]
fn steps_of_either_sign() {
    const N: i64 = 5;
    let x = count(&[N as usize]);
    let place = |i: i64| if i < 0 { i + N } else { i };
    let bounds: Vec<Option<i64>> = (-N..N).map(Some).chain([None]).collect();
    for step in [-7, -3, -2, -1, 1, 2, 3, 7] {
        for &start in &bounds {
            for (&end, closed) in bounds.iter().flat_map(|end| [(end, false), (end, true)]) {
                let span = Span {
                    start,
                    end,
                    closed: closed && end.is_some(),
                    step,
                };
                let first = start.map_or(if step > 0 { 0 } else { N - 1 }, place);
                let border = if step > 0 { N } else { -1 };
                let mut stop = end.map_or(border, place);
                stop += if span.closed { step.signum() } else { 0 };
                if (stop - first) * step < 0 {
                    continue;
                }
                let mut places = vec![];
                let mut i = first;
                while (stop - i) * step > 0 {
                    places.push(i as usize);
                    i += step;
                }
                let want: Vec<f64> = places.iter().map(|&i| i as f64).collect();
                let want = f64s(&[want.len()], &want);
                let got = value(|x| x[0].slice_axis(0, span), std::slice::from_ref(&x));
                assert_eq!(got, want, "{span}");
                let u: Vec<f64> = places
                    .iter()
                    .enumerate()
                    .map(|(k, _)| k as f64 - 9.0)
                    .collect();
                for (write, join) in WRITES {
                    let args = [x.clone(), f64s(&[u.len()], &u)];
                    let got = value(|x| write(x[0], span.into(), x[1]), &args);
                    let mut all = x.slice::<f64>().to_vec();
                    for (&i, &u) in places.iter().zip(&u) {
                        all[i] = join(all[i], u);
                    }
                    assert_eq!(got, f64s(&[N as usize], &all), "{span}");
                }
            }
        }
    }
}

#[test]
fn the_macro() {
    let x = [count(&[3, 4]), Dense::scalar(1i64)];
    let of = |f: &dyn Fn(Var, Var) -> Var| value(|x| f(x[0], x[1]), &x);
    assert_eq!(of(&|x, _| x.at(s![])), x[0]);
    assert_eq!(of(&|x, _| x.at(s![...])), x[0]);
    assert_eq!(of(&|x, _| x.at(s![1])), f64s(&[4], &[4.0, 5.0, 6.0, 7.0]));
    assert_eq!(of(&|x, _| x.at(s![.., -1])), f64s(&[3], &[3.0, 7.0, 11.0]));
    assert_eq!(of(&|x, _| x.at(s![..., 0])), f64s(&[3], &[0.0, 4.0, 8.0]));
    assert_eq!(
        of(&|x, _| x.at(s![0, ...,])),
        f64s(&[4], &[0.0, 1.0, 2.0, 3.0])
    );
    assert_eq!(of(&|x, _| x.at(s![2, ..;2])), f64s(&[2], &[8.0, 10.0]));
    assert_eq!(of(&|x, _| x.at(s![2, 1..;2,])), f64s(&[2], &[9.0, 11.0]));
    assert_eq!(of(&|x, i| x.at(s![i, 1..=2])), f64s(&[2], &[5.0, 6.0]));
    assert_eq!(of(&|x, i| x.at(s![i + 1, i])), Dense::scalar(9.0));
    assert_eq!(of(&|x, _| x.at(s![..;-1, 0])), f64s(&[3], &[8.0, 4.0, 0.0]));
    assert_eq!(of(&|x, _| x.at(s![0, 3..0;-2])), f64s(&[2], &[3.0, 1.0]));
    assert_eq!(
        of(&|x, _| x.at(s![0, -1..=1;-1])),
        f64s(&[3], &[3.0, 2.0, 1.0])
    );
    let new = of(&|x, _| x.at(s![NewAxis, 0, ..2, NewAxis]));
    assert_eq!(new, f64s(&[1, 2, 1], &[0.0, 1.0]));
    assert_eq!(of(&|x, i| x.at((i, 0))), Dense::scalar(4.0));
    assert_eq!(
        of(&|x, _| x.slice([0..1, 2..4])),
        f64s(&[1, 2], &[2.0, 3.0])
    );
    assert_eq!(
        of(&|x, _| x.slice(vec![1..2, 0..4])),
        f64s(&[1, 4], &[4.0, 5.0, 6.0, 7.0])
    );
    assert_eq!(of(&|x, _| x.at([1, 2])), Dense::scalar(6.0));
    // A scalar needs no part.
    assert_eq!(of(&|_, i| i.at(s![NewAxis])), i64s(&[1], &[1]));
    let grown = of(&|x, _| x.at_add(s![.., 1..3], x.at(s![.., NewAxis, 0])));
    let want = [
        0.0, 1.0, 2.0, 3.0, 4.0, 9.0, 10.0, 7.0, 8.0, 17.0, 18.0, 11.0,
    ];
    assert_eq!(grown, f64s(&[3, 4], &want));
}

#[test]
fn rules() {
    let i = |v: &[i64]| i64s(&[v.len()], v);
    type Case = (&'static [usize], Vec<Dense>, fn(&[Var]) -> Parts);
    let cases: &[Case] = &[
        (&[3, 4], vec![], |_| s![1..;2, -1]),
        (&[3, 4], vec![], |_| s![.., 0..0]),
        (&[3, 5], vec![], |_| s![..;-1, 4..0;-2]),
        (&[3, 4], vec![Dense::scalar(1i64)], |i| s![i[0], ..;-2]),
        (&[3, 4], vec![i(&[2, 0, 2])], |j| s![..;-1, j[0]]),
        (&[3, 4], vec![], |_| s![0]),
        (&[3, 4], vec![], |_| s![NewAxis, ..]),
        (&[1, 1], vec![], |_| s![0, NewAxis, 0]),
        (&[3, 4], vec![Dense::scalar(1i64)], |i| s![i[0], 1..3]),
        (&[3, 4], vec![Dense::scalar(9i64)], |i| s![.., i[0]]),
        (
            &[3, 4],
            vec![Dense::scalar(1i64), Dense::scalar(2i64)],
            |i| s![i[0], i[1]],
        ),
        (&[3, 4], vec![i(&[0, 0, 2]), i(&[1, 1, 7])], |j| {
            s![j[0], j[1]]
        }),
        (&[3, 2, 4], vec![i(&[0, 2]), i(&[1, 1])], |j| {
            s![j[0], 1.., j[1]]
        }),
        (&[2, 3, 4], vec![i(&[0, 2]), Dense::scalar(3i64)], |j| {
            s![1, j[0], j[1]]
        }),
        (&[2, 3], vec![i(&[])], |j| s![.., j[0]]),
        (&[2, 0], vec![i(&[1])], |j| s![j[0]]),
    ];
    for (dims, indices, parts) in cases {
        let args = |r: &mut super::rules::Random, more: &[Dense]| {
            [&[r.array(dims)], &indices[..], more].concat()
        };
        let n = indices.len();
        check(
            |r| args(r, &[]),
            |x| (x[0] * x[0]).at(parts(&x[1..])) + x[0].sum(),
        );
        let all = args(&mut super::rules::Random::new(1), &[]);
        let shape = value(|x| x[0].at(parts(&x[1..])), &all).dims;
        for (write, _) in WRITES {
            check(
                |r| {
                    let u = r.array(&shape);
                    args(r, &[u])
                },
                |x| write(x[0].sin(), parts(&x[1..]), x[1 + n] * x[1 + n]) * x[0],
            );
        }
    }
}
