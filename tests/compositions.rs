//! What is composed of other operations, against values worked out by hand (those of NumPy, SciPy and
//! JAX for the same arguments); and derivatives where the composition alone would have none.

use wengert::prelude::*;
use wengert::select;

fn var(x: impl Into<Array>) -> Var {
    Var::from(x.into())
}

/// Compiled and interpreted it gives that array, to 1e-14 of its size.
#[track_caller]
fn gives(f: impl Fn() -> Var + Send + Sync + 'static, want: impl Into<Array>) {
    let want = want.into();
    let f = jit(move |()| f());
    for got in [f.call(()), f.interpret(())] {
        let got = got.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (got.dtype(), got.shape()),
            (want.dtype(), want.shape()),
            "{got} and {want}"
        );
        if got.dtype() != DType::F64 {
            assert_eq!(got, want);
            continue;
        }
        let (x, y) = (got.to_vec::<f64>().unwrap(), want.to_vec::<f64>().unwrap());
        for (x, y) in x.into_iter().zip(y) {
            let near = x == y || (x - y).abs() <= 1e-14 * y.abs() || x.is_nan() && y.is_nan();
            assert!(near, "{got} and {want}");
        }
    }
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

#[test]
fn making() {
    gives(|| arange(2..5), [2i64, 3, 4]);
    gives(|| arange((9, 0, -4)), [9i64, 5, 1]);
    gives(|| arange((-3, 4, 3)), [-3i64, 0, 3]);
    gives(|| arange((4, 0, 1)), Vec::<i64>::new());
    gives(|| linspace(1.0, 2.0, 5), [1.0, 1.25, 1.5, 1.75, 2.0]);
    gives(|| linspace(0, 1, 1), [0.0]);
    gives(|| linspace(0, 1, 0), Vec::<f64>::new());
    gives(
        || linspace(var([0.0, 1.0]), 2.0, 3),
        [[0.0, 1.0], [1.0, 1.5], [2.0, 2.0]],
    );
    gives(|| logspace(0, 2, 3), [1.0, 10.0, 100.0]);
    gives(|| geomspace(1.0, 8.0, 4), [1.0, 2.0, 4.0, 8.0]);
    gives(|| geomspace(-1.0, -100.0, 3), [-1.0, -10.0, -100.0]);
    gives(|| eye([2, 3]), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    gives(|| full_like(var([1, 2]), 7), [7, 7]);
    gives(
        || meshgrid([arange(2), arange(3)])[0],
        [[0i64, 1], [0, 1], [0, 1]],
    );
    gives(
        || meshgrid([arange(2), arange(3)])[1],
        [[0i64, 0], [1, 1], [2, 2]],
    );
    gives(
        || meshgrid_ij([arange(2), arange(3)])[1],
        [[0i64, 1, 2], [0, 1, 2]],
    );
}

#[test]
fn arranging() {
    let m = || var([[1, 2, 3], [4, 5, 6]]);
    gives(move || m().flip(..), [[6, 5, 4], [3, 2, 1]]);
    gives(move || m().rot90(1), [[3, 6], [2, 5], [1, 4]]);
    gives(move || m().rot90(-1), [[4, 1], [5, 2], [6, 3]]);
    gives(move || m().rot90(2), [[6, 5, 4], [3, 2, 1]]);
    gives(move || m().roll([1, 1], [0, 1]), [[6, 4, 5], [3, 1, 2]]);
    gives(move || m().roll(-7, 1), [[2, 3, 1], [5, 6, 4]]);
    gives(
        move || m().repeat(2, 0),
        [[1, 2, 3], [1, 2, 3], [4, 5, 6], [4, 5, 6]],
    );
    gives(|| var([1, 2]).tile([2, 2]), [[1, 2, 1, 2], [1, 2, 1, 2]]);
    gives(
        move || m().tile(2),
        [[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]],
    );
    gives(move || m().array_split(2, 1)[0], [[1, 2], [4, 5]]);
    gives(move || m().array_split(2, 1)[1], [[3], [6]]);
    gives(move || m().split_at(&[1, 1], 1)[2], [[2, 3], [5, 6]]);
    gives(|| var([1, 2]).atleast_3d(), [[[1], [2]]]);
    gives(|| var(1).atleast_2d(), [[1]]);
    let v = || var([1, 2, 3]);
    gives(move || v().pad_with([(1, 2)], 9), [9, 1, 2, 3, 9, 9]);
    gives(
        move || v().pad_by([(2, 2)], wengert::Padding::Edge),
        [1, 1, 1, 2, 3, 3, 3],
    );
    gives(
        move || v().pad_by([(4, 3)], wengert::Padding::Reflect),
        [1, 2, 3, 2, 1, 2, 3, 2, 1, 2],
    );
    gives(
        move || v().pad_by([(4, 4)], wengert::Padding::Symmetric),
        [3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1],
    );
    gives(
        move || v().pad_by([(4, 4)], wengert::Padding::Wrap),
        [3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1],
    );
    gives(
        || var([5]).pad_by([(1, 1)], wengert::Padding::Reflect),
        [5, 5, 5],
    );
}

#[test]
fn diagonals() {
    let m = || var([[1, 2, 3], [4, 5, 6]]);
    gives(move || m().diag_at(1), [2, 6]);
    gives(move || m().diag_at(-1), [4]);
    gives(move || m().diag_at(3), Vec::<i32>::new());
    gives(
        || var([1, 2]).diag_at(-1),
        [[0, 0, 0], [1, 0, 0], [0, 2, 0]],
    );
    gives(|| zeros(0).to(DType::I32).diag_at(1), [[0]]);
    gives(move || m().trace_at(1, [0, 1]), 8);
    gives(move || m().trace_at(1, [1, 0]), 4);
    gives(move || m().triu_at(-1), [[1, 2, 3], [4, 5, 6]]);
    gives(move || m().tril(), [[1, 0, 0], [4, 5, 0]]);
    let cube = || arange(8).reshape([2, 2, 2]);
    gives(move || cube().diagonal(), [[0i64, 6], [1, 7]]);
    gives(move || cube().diagonal_at(0, [1, 2]), [[0i64, 3], [4, 7]]);
}

#[test]
fn products() {
    let (a, b) = (|| var([[1, 2], [3, 4]]), || var([[0, 5], [6, 7]]));
    gives(
        move || a().kron(b()),
        [
            [0, 5, 0, 10],
            [6, 7, 12, 14],
            [0, 15, 0, 20],
            [18, 21, 24, 28],
        ],
    );
    gives(
        move || a().kron(var([1, 10])),
        [[1, 10, 2, 20], [3, 30, 4, 40]],
    );
    gives(move || a().inner(b()), [[10, 20], [20, 46]]);
    gives(move || a().inner(var(3)), [[3, 6], [9, 12]]);
    gives(move || a().tensordot(b(), 2), 56);
    gives(move || a().tensordot(b(), [(0, 1)]), [[15, 27], [20, 40]]);
    gives(move || einsum("ij,kj", &[a(), b()]), [[10, 20], [20, 46]]);
    gives(move || einsum("ji", &[a()]), [[1, 3], [2, 4]]);
    gives(move || einsum("ba", &[a()]), [[1, 3], [2, 4]]);
    gives(move || einsum("ii", &[a()]), 5);
    gives(move || einsum("i...->...", &[a()]), [4, 6]);
    gives(
        move || einsum("...ij,...jk", &[a(), b()]),
        [[12, 19], [24, 43]],
    );
    gives(move || einsum("ij,ij,ij->j", &[a(), a(), b()]), [54, 132]);
    gives(move || einsum("ii,jj->", &[a(), b()]), 35);
    gives(
        move || einsum(", ij -> ji", &[var(2), a()]),
        [[2, 6], [4, 8]],
    );
    // An axis of length 1 broadcasts, with a name and without.
    gives(
        move || einsum("ij,ij->ij", &[a(), var([[1], [10]])]),
        [[1, 2], [30, 40]],
    );
    gives(
        move || einsum("...,...", &[a(), var([1, 10])]),
        [[1, 20], [3, 40]],
    );
    gives(|| var([1, 2]).cross(var([3, 5])), -1);
    gives(
        || var([[1, 0, 0], [0, 1, 0]]).cross(var([0, 0, 1])),
        [[0, -1, 0], [1, 0, 0]],
    );
}

/// Two at a time, the small ones first, and nothing moved that need not be.
#[test]
fn order_of_contraction() {
    let spec = |dims: [usize; 2]| ShapeDtype::new(dims, DType::F64);
    let chain = |x: Vec<Var>| einsum("ab,bc,cd->ad", &x);
    let specs = [[100, 2], [2, 100], [100, 3]].map(spec).to_vec();
    let func = wengert::trace(chain, &specs).unwrap();
    let made: Vec<String> = func.ir().types[3..].iter().map(|t| t.to_string()).collect();
    assert_eq!(made, ["f64[2,3]", "f64[100,3]"]);
    let one = |x: Vec<Var>| einsum("bij,bjk->bik", &x);
    let specs = [[7, 2, 3], [7, 3, 4]]
        .map(|d| ShapeDtype::new(d, DType::F64))
        .to_vec();
    assert_eq!(wengert::trace(one, &specs).unwrap().count(), 1);
}

#[test]
fn statistics() {
    let m = || var([[1.0, 2.0], [3.0, 5.0]]);
    gives(move || m().var_ddof(0, 1), [2.0, 4.5]);
    gives(
        move || m().std_ddof(keep(1), 1),
        [[0.5f64.sqrt()], [2f64.sqrt()]],
    );
    gives(|| var([3.0]).var_ddof(.., 1), NAN);
    gives(move || m().average(var([1.0, 3.0])), 25.0 / 8.0);
    gives(move || m().average_axis(var([1.0, 3.0]), 0), [2.5, 4.25]);
    gives(move || m().ptp_axis(1), [1.0, 2.0]);
    gives(|| var([[0, 2], [3, 0]]).count_nonzero_axis(0), [1i64, 1]);
    gives(|| var([true, false]).count_nonzero(), 1i64);
    gives(move || m().cov(), [[0.5, 1.0], [1.0, 2.0]]);
    gives(|| var([1.0, 3.0]).cov(), 2.0);
    gives(move || m().corrcoef(), [[1.0, 1.0], [1.0, 1.0]]);
    gives(|| var([-INF, -INF]).logsumexp(), -INF);
    gives(|| var([1000.0, 1000.0]).logsumexp(), 1000.0 + 2f64.ln());
    gives(|| zeros([2, 0]).logsumexp_axis(1), [-INF, -INF]);
    gives(|| var([0.0, 3f64.ln()]).softmax(0), [0.25, 0.75]);
}

#[test]
fn missing_values() {
    let m = || var([[1.0, NAN, 3.0], [NAN, NAN, NAN]]);
    gives(move || m().nansum_axis(1), [4.0, 0.0]);
    gives(move || m().nanprod_axis(1), [3.0, 1.0]);
    gives(move || m().nanmean_axis(1), [2.0, NAN]);
    gives(move || m().nanmax_axis(1), [3.0, NAN]);
    gives(move || m().nanmin_axis(keep(1)), [[1.0], [NAN]]);
    gives(move || m().nanvar_axis(1), [1.0, NAN]);
    gives(move || m().nanstd_ddof(1, 1), [2f64.sqrt(), NAN]);
    gives(
        || var([NAN, INF, -INF, 1.0]).nan_to_num(),
        [0.0, f64::MAX, -f64::MAX, 1.0],
    );
    // Nothing flows to what is missing.
    let slopes = || {
        grad_at(var([1.0, NAN, 3.0]), |x| {
            x.nanvar() + x.nanmax() + x.nansum()
        })
    };
    gives(slopes, [0.0, 0.0, 3.0]);
}

#[test]
fn order() {
    let x = || var([3.0, 1.0, 4.0, 1.0, 5.0]);
    gives(move || x().median(), 3.0);
    gives(move || x().quantile(0.9), 4.6);
    gives(move || x().quantile(var([0.0, 0.25, 1.0])), [1.0, 1.0, 5.0]);
    gives(move || x().percentile(75), 4.0);
    let m = || var([[1.0, 2.0], [3.0, 5.0]]);
    gives(move || m().median_axis(keep(..)), [[2.5]]);
    gives(
        move || m().quantile_axis(var([0.0, 0.5]), keep(1)),
        [[[1.0], [3.0]], [[1.5], [4.0]]],
    );
    gives(|| var([1.0, NAN]).median(), NAN);
    gives(|| var([1.0, INF]).quantile(0.0), 1.0);
    // To the two in the middle, and for the share the distance between neighbours.
    gives(
        || grad_at(var([7.0, 1.0, 3.0, 0.0]), |x| x.median()),
        [0.0, 0.5, 0.5, 0.0],
    );
    gives(
        || grad_at(var(0.4), |q| var([0.0, 1.0, 5.0]).quantile(q)),
        2.0,
    );
    let edges = || var([0.0, 1.0, 2.0, 4.0]);
    gives(
        move || var([-1.0, 0.0, 0.5, 1.0, 4.0, 5.0]).digitize(edges()),
        [0i64, 1, 1, 2, 4, 4],
    );
    gives(
        move || var([-1.0, 0.0, 0.5, 1.0, 4.0, 5.0, NAN]).histogram(edges()),
        [2i64, 1, 1],
    );
    gives(
        || var([0.5, 1.5, 0.1]).histogram_weighted(var([0.0, 1.0, 2.0]), var([1.0, 2.0, 4.0])),
        [5.0, 2.0],
    );
    gives(|| var([0, 1, 1, 7, -1]).bincount(3), [1i64, 2, 0]);
    let (xs, ys) = (|| var([0.0, 1.0, 3.0]), || var([1.0, 2.0, 6.0]));
    gives(
        move || var([-1.0, 0.5, 2.0, 9.0]).interp(xs(), ys()),
        [1.0, 1.5, 4.0, 6.0],
    );
    gives(
        || var([1.0, 2.0]).interp(var([0.0]), var([7.0])),
        [7.0, 7.0],
    );
}

#[test]
fn samples() {
    let x = || var([1.0, 2.0, 4.0, 7.0]);
    gives(move || x().gradient(1.0, 0), [1.0, 1.5, 2.5, 3.0]);
    gives(move || x().gradient(2, 0), [0.5, 0.75, 1.25, 1.5]);
    let f = || var([0.0, 1.0, 9.0]);
    // Exact for a parabola at uneven places, but at the ends.
    gives(
        move || f().gradient(var([0.0, 1.0, 3.0]), 0),
        [1.0, 2.0, 4.0],
    );
    gives(move || x().trapezoid(2.0, 0), 20.0);
    gives(
        move || f().cumulative_trapezoid(var([0.0, 1.0, 3.0]), 0),
        [0.5, 10.5],
    );
    gives(|| zeros([2, 0]).trapezoid(1.0, 1), [0.0, 0.0]);
    gives(|| var([[1, 4], [9, 16]]).diff(0), [[8, 12]]);
    gives(|| var([1, 2]).diff(0).diff(0), Vec::<i32>::new());
}

#[test]
fn polynomials() {
    gives(|| var([3, 0, 1]).polyval(var(5)), 76);
    gives(|| zeros(0).polyval(var([1.0, 2.0])), [0.0, 0.0]);
    gives(|| ones(41).polyval(var(1.0)), 41.0);
    gives(
        || var([1, 2, 3, 5]).vander(3),
        [[1, 1, 1], [4, 2, 1], [9, 3, 1], [25, 5, 1]],
    );
    let (a, b) = (|| var([1.0, 2.0, 3.0]), || var([0.0, 1.0, 0.5]));
    gives(
        move || a().convolve(b(), wengert::Overlap::Full),
        [0.0, 1.0, 2.5, 4.0, 1.5],
    );
    gives(
        move || a().convolve(b(), wengert::Overlap::Same),
        [1.0, 2.5, 4.0],
    );
    gives(move || a().convolve(b(), wengert::Overlap::Valid), [2.5]);
    gives(
        move || a().correlate(b(), wengert::Overlap::Full),
        [0.5, 2.0, 3.5, 3.0, 0.0],
    );
    gives(
        move || var([2.0]).convolve(a(), wengert::Overlap::Same),
        [2.0, 4.0, 6.0],
    );
    // The long way and the short way.
    gives(
        || ones(50).convolve(ones(40), wengert::Overlap::Valid),
        vec![40.0; 11],
    );
}

/// Many terms and many results, which are computed in parts.
#[test]
fn long_convolutions() {
    use wengert::Overlap::{Full, Same, Valid};
    for (n, m) in [
        (33, 33),
        (50, 40),
        (47, 48),
        (100, 49),
        (33_000, 40),
        (40_000, 19),
        (40_000, 8),
        (70_001, 65),
    ] {
        let x: Vec<i64> = (0..n).map(|i| i * i % 11 - 5).collect();
        let k: Vec<i64> = (0..m).map(|i| i * 3 % 7 - 2).collect();
        let mut full = vec![0; (n + m - 1) as usize];
        for (i, x) in x.iter().enumerate() {
            for (j, k) in k.iter().enumerate() {
                full[i + j] += x * k;
            }
        }
        let (long, short) = (n.max(m) as usize, n.min(m) as usize);
        for (part, first, length) in [
            (Full, 0, long + short - 1),
            (Same, (short - 1) / 2, long),
            (Valid, short - 1, long - short + 1),
        ] {
            let f = jit(move |(x, k): (Var, Var)| x.convolve(k, part));
            let got = f.call((&x, &k)).unwrap().to_vec::<i64>().unwrap();
            assert_eq!(got, full[first..first + length], "{n} {m} {part:?}");
        }
    }
}

/// An infinite element reaches the results that it is a term of, and no other.
#[test]
fn convolutions_of_infinite_elements() {
    let mut x = vec![1.0; 40_000];
    x[20_000] = INF;
    let f = jit(|x: Var| x.convolve(ones(50), wengert::Overlap::Full));
    let y = f.call(x).unwrap().to_vec::<f64>().unwrap();
    for (i, y) in y.into_iter().enumerate() {
        let reached = (20_000..20_050).contains(&i);
        assert_eq!(y == INF, reached, "{i}");
        assert!(!y.is_nan());
    }
}

#[test]
fn long_convolutions_have_derivatives() {
    use wengert::Overlap::Full;
    for (n, m) in [(60, 49), (33_000, 40)] {
        let x: Vec<f64> = (0..n).map(|i| f64::from(i % 13) - 6.0).collect();
        let k: Vec<f64> = (0..m).map(|i| f64::from(i % 5) - 2.0).collect();
        // Of the sum of the results times weights, all of which are small whole numbers.
        let f = jit(|(x, k): (Var, Var)| {
            let weights = (arange(x.shape()[0] + k.shape()[0] - 1) % 3).to(DType::F64);
            grad(move |(x, k): (Var, Var)| (x.convolve(k, Full) * weights).sum())((x, k))
        });
        let (by_x, by_k) = f.call((&x, &k)).unwrap();
        let weight = |i: usize| (i % 3) as f64;
        let want = |a: &[f64], len: usize| -> Vec<f64> {
            let at = |i: usize| a.iter().enumerate().map(|(j, a)| a * weight(i + j)).sum();
            (0..len).map(at).collect()
        };
        assert_eq!(by_x.to_vec::<f64>().unwrap(), want(&k, x.len()), "{n} {m}");
        assert_eq!(by_k.to_vec::<f64>().unwrap(), want(&x, k.len()), "{n} {m}");
    }
}

#[test]
fn norms() {
    let m = || var([[1.0, -2.0], [-3.0, 4.0]]);
    gives(move || m().norm(), 30f64.sqrt());
    gives(move || m().norm_axis(keep(1)), [[5f64.sqrt()], [5.0]]);
    gives(move || m().norm_ord(1, 0), [4.0, 6.0]);
    gives(move || m().norm_ord(INF, 0), [3.0, 4.0]);
    gives(move || m().norm_ord(-INF, 0), [1.0, 2.0]);
    gives(move || m().norm_ord(0, 0), [2.0, 2.0]);
    gives(move || m().norm_ord(3, 0), [28f64.cbrt(), 72f64.cbrt()]);
    gives(move || m().norm_ord(1, [0, 1]), 6.0);
    gives(move || m().norm_ord(-1, ..), 4.0);
    gives(move || m().norm_ord(INF, [0, 1]), 7.0);
    gives(move || m().norm_ord(INF, [1, 0]), 6.0);
    gives(
        move || m().norm_ord(wengert::Order::Frobenius, ..),
        30f64.sqrt(),
    );
    gives(
        || var([[0.0, 0.0], [3.0, 4.0]]).cdist(zeros([1, 2])),
        [[0.0], [5.0]],
    );
    gives(
        || var([[1.0], [3.0]]).cdist_squared(var([[0.0], [1.0]])),
        [[1.0, 0.0], [9.0, 4.0]],
    );
}

#[test]
fn no_derivative_is_nan_where_nothing_changes() {
    let zero = || zeros(3);
    let still = [0.0, 0.0, 0.0];
    gives(move || grad_at(zero(), |x| x.norm()), still);
    gives(move || grad_at(zero(), |x| x.std()), still);
    gives(move || grad_at(zero(), |x| x.norm_ord(3, 0)), still);
    gives(move || grad_at(zero(), |x| x.norm_ord(1.5, 0)), still);
    gives(move || grad_at(zero(), |x| x.norm_ord(0.5, 0)), still);
    gives(
        move || grad_at(zero(), |x| x.reshape([1, 3]).cdist(zeros([1, 3])).sum()),
        still,
    );
    gives(move || grad_at(zero(), |x| x.nanstd()), still);
    gives(move || jvp(|x: Var| x.norm(), zero(), ones(3)).1, 0.0);
    gives(|| grad_at(var([-INF, -INF]), |x| x.logsumexp()), [0.0, 0.0]);
    gives(|| grad_at(var([-INF, 0.0]), |x| x.logsumexp()), [0.0, 1.0]);
    gives(
        || {
            grad_at(var([0.0, 4.0]), |x| {
                select(&[(x.le(0.0), x)], x.sqrt()).sum()
            })
        },
        [1.0, 0.25],
    );
    // The second derivative too.
    let twice = |x: Var| grad_at(x, |x| grad_at(x, |x| x.norm()).sum());
    gives(move || twice(zero()), still);
}

#[test]
fn choices() {
    let x = || var([-2.0, 0.5, 3.0]);
    let steps = move || select(&[(x().lt(0.0), x() * 0.0), (x().lt(1.0), x())], 1);
    gives(steps, [0.0, 0.5, 1.0]);
    gives(|| select(&[], var([1, 2])), [1, 2]);
    gives(move || x().clip(-1, 1), [-1.0, 0.5, 1.0]);
    gives(move || x().lerp(0.0, 0.5), [-1.0, 0.25, 1.5]);
    gives(
        || var([1.0, INF, NAN, 1.0]).is_close(var([1.00001, INF, NAN, INF]), 1e-4, 0.0),
        [true, true, false, false],
    );
    gives(
        || var([1.0, 2.0]).all_close(var([1.0, 2.1]), 1e-5, 1e-8),
        false,
    );
}
