//! Kernels as loops.

use super::*;
use crate::fourier::Kind;
use crate::loops::kernel::as_loops;
use crate::loops::kernel::turn;

/// Numbers that look like chance.
fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        word = word.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        (word >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(n).collect()
}

fn data(dtype: DType, x: &[f64]) -> Data {
    match dtype {
        DType::F32 => Data::F32(x.iter().map(|&x| x as f32).collect()),
        _ => Data::F64(x.into()),
    }
}

fn floats(data: &Data) -> Vec<f64> {
    match data {
        Data::F32(x) => x.iter().map(|&x| x.into()).collect(),
        Data::F64(x) => x.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The results of a program as it is, and with loops instead of kernels.
fn both(program: &Program, inputs: &[Data]) -> [Vec<Data>; 2] {
    verify(program).unwrap();
    let loops = as_loops(program, &|_| true);
    if let Err(e) = verify(&loops) {
        panic!("{e}\n{}", *loops);
    }
    let mut kernels = 0;
    crate::loops::walk::stmts(&loops.body, &mut |s| {
        kernels += usize::from(matches!(s, crate::loops::Stmt::Kernel { .. }));
    });
    assert_eq!(kernels, 0, "{}", *loops);
    [program, &*loops].map(|p| {
        let mut outputs = crate::testing::outputs(p);
        let inputs: Vec<&Data> = inputs.iter().collect();
        run(p, &inputs, &mut outputs).unwrap();
        outputs
    })
}

/// The results of a transform by a library and by loops.
fn transforms(
    dtype: DType,
    kind: Kind,
    n: usize,
    rows: usize,
) -> (Vec<Vec<f64>>, [Vec<Vec<f64>>; 2]) {
    let ((parts, read), (results, written)) = (kind.read(n), kind.written(n));
    let mut text = String::new();
    for i in 0..parts {
        text += &format!("b{i}: {dtype}[{}] input {i}\n", rows * read);
    }
    for i in 0..results {
        text += &format!("b{}: {dtype}[{}] output {i}\n", parts + i, rows * written);
    }
    let regions: Vec<String> = (0..parts + results).map(|i| format!("b{i}[0]")).collect();
    text += &format!("fft {} {rows}x{n}: {}\n", kind.name(), regions.join(", "));
    let program = Program::parse(&text).unwrap();
    let inputs: Vec<Data> = (0..parts)
        .map(|i| data(dtype, &numbers(rows * read, (n + i) as u64)))
        .collect();
    let found = both(&program, &inputs);
    let all = |d: Vec<Data>| d.iter().map(floats).collect();
    (inputs.iter().map(floats).collect(), found.map(all))
}

/// A sum of products, as if it were computed in twice the precision (Ogita, Rump, Oishi, "Accurate sum and dot product",
/// 2005).
fn dot(terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut rest) = (0.0f64, 0.0f64);
    for (a, b) in terms {
        let product = a * b;
        let error = a.mul_add(b, -product);
        let next = sum + product;
        let part = next - sum;
        rest += (sum - (next - part)) + (product - part) + error;
        sum = next;
    }
    sum + rest
}

/// The transform of a row, from its definition.
fn defined(kind: Kind, n: usize, from: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (re, mut im) = (
        from[0].clone(),
        from.get(1).cloned().unwrap_or(vec![0.0; n]),
    );
    let mut re = re;
    if kind == Kind::FromHalf {
        im[0] = 0.0;
        if n.is_multiple_of(2) {
            im[n / 2] = 0.0;
        }
        for k in n / 2 + 1..n {
            re.push(re[n - k]);
            im.push(-im[n - k]);
        }
    }
    let sign = match kind {
        Kind::Forward | Kind::ToHalf => -1.0,
        _ => 1.0,
    };
    let mut to = vec![vec![], vec![]];
    for k in 0..n as u64 {
        let w = |j: usize| turn(j as u64 * k, n as u64);
        let x = (0..n).flat_map(|j| [(re[j], w(j).0), (im[j], -sign * w(j).1)]);
        to[0].push(dot(x));
        let y = (0..n).flat_map(|j| [(im[j], w(j).0), (re[j], sign * w(j).1)]);
        to[1].push(dot(y));
    }
    let (parts, len) = kind.written(n);
    to.truncate(parts);
    to.iter_mut().for_each(|x| x.truncate(len));
    to
}

fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

fn norm(a: &[Vec<f64>]) -> f64 {
    a.iter().flatten().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn fourier_transforms_have_the_accuracy_of_the_library() {
    let lengths = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 19, 34, 60, 61, 64, 91, 97, 143, 144, 289,
    ];
    for dtype in [DType::F64, DType::F32] {
        let unit = if dtype == DType::F32 {
            f32::EPSILON.into()
        } else {
            f64::EPSILON
        };
        for (kind, n) in Kind::ALL.into_iter().flat_map(|k| lengths.map(|n| (k, n))) {
            let (from, [library, loops]) = transforms(dtype, kind, n, 1);
            let exact = defined(kind, n, &from);
            let error = |x: &[Vec<f64>]| distance(x, &exact) / norm(&exact) / unit;
            let (mine, theirs) = (error(&loops), error(&library));
            let chirps = if n.is_multiple_of(17) || [19, 61, 97].contains(&n) {
                2.0
            } else {
                1.0
            };
            let most = 0.5 * chirps * (1.0 + (n as f64).log2().sqrt());
            assert!(
                mine <= most,
                "{dtype} {kind:?} {n}: {mine} of {most}, the library {theirs}"
            );
        }
    }
}

/// Products of roots from two tables; and several rows.
#[test]
fn long_fourier_transforms_are_those_of_the_library() {
    for (kind, n, rows) in [
        (Kind::Forward, 8192, 1),
        (Kind::Backward, 6000, 2),
        (Kind::ToHalf, 10_000, 1),
        (Kind::FromHalf, 9_998, 1),
        (Kind::Forward, 5003, 1),
    ] {
        for (dtype, unit) in [
            (DType::F64, f64::EPSILON),
            (DType::F32, f32::EPSILON.into()),
        ] {
            let (_, [library, loops]) = transforms(dtype, kind, n, rows);
            let error = distance(&library, &loops) / norm(&library) / unit;
            // A convolution with a chirp has two transforms of more than twice the length.
            let most = if n == 5003 { 8.0 } else { 4.0 };
            assert!(error < most, "{dtype} {kind:?} {n}: {error}");
        }
    }
}

/// The sums of products are in the order of the kernel: in lanes and alone, short and long, and with a rest.
#[test]
fn products_have_the_bits_of_the_kernel() {
    for dtype in ["f64", "f32"] {
        for (m, n, k) in [
            (9, 9, 5),
            (1, 3, 0),
            (2, 3, 64),
            (1, 2, 77),
            (3, 1, 4096),
            (1, 1, 4100),
            (2, 1, 20_500),
        ] {
            let text = format!(
                "b0: {dtype}[{0}] output 0\nb1: {dtype}[{1}] input 0\nb2: {dtype}[{2}] input 1\n\
                 gemm {m}x{n}x{k} strides ({n}, 1) ({k}, 1) (1, {k}): b0[0], b1[0], b2[0]\n",
                m * n,
                m * k,
                n * k
            );
            let program = Program::parse(&text).unwrap();
            let t = if dtype == "f32" {
                DType::F32
            } else {
                DType::F64
            };
            let inputs = [data(t, &numbers(m * k, 1)), data(t, &numbers(n * k, 2))];
            let [kernel, loops] = both(&program, &inputs);
            assert_eq!(kernel, loops, "{m}x{n}x{k}");
        }
        for k in [3, 77, 100] {
            let text = format!(
                "b0: {dtype}[11] output 0\nb1: {dtype}[{k}] input 0\nb2: {dtype}[{k}] local\nb3: {dtype}[1] local\n\
                 n: i64 = 11\nk: i64 = {k}\nfor vector l < n {{\n  x: {dtype}* = convert l\n  for q < k {{\n    \
                 y: {dtype} = b1[q]\n    z: {dtype}* = mul x, y\n    b2[q] = z\n  }}\n  \
                 shared gemm 1x1x{k} strides (1, 1) ({k}, 1) (1, 1): b3[0], b1[0], b2[0]\n  \
                 s: {dtype}* = b3[0]\n  b0[l] = s\n}}\n"
            );
            let program = Program::parse(&text).unwrap();
            let t = if dtype == "f32" {
                DType::F32
            } else {
                DType::F64
            };
            let [kernel, loops] = both(&program, &[data(t, &numbers(k, 3))]);
            assert_eq!(kernel, loops, "{k} in lanes");
        }
    }
}

/// Few of many keys are inserted, many are sorted; what is equal, and NaN, come as the kernel says.
#[test]
fn sorts_and_selections_have_the_bits_of_the_kernel() {
    for n in [1usize, 2, 7, 8, 100, 129] {
        let mut keys: Vec<f64> = numbers(3 * n, 7)
            .iter()
            .map(|x| (x * 9.0).round())
            .collect();
        keys[n / 2] = f64::NAN;
        keys[2 * n] = -f64::NAN;
        for (k, down) in [(1, ""), (n.min(5), " descending"), (n, "")] {
            let text = format!(
                "b0: f64[{0}] input 0\nb1: f64[{0}] output 0\nb2: i64[{0}] output 1\nb3: f64[{0}] output 2\n\
                 b4: f64[{1}] output 3\nb5: i64[{1}] output 4\ncopy {0}: b1[0] = b0[0]\ncopy {0}: b3[0] = b0[0]\n\
                 sort 3x{n}{down}: b1[0], b2[0]\nsort 3x{n}{down}: b3[0]\ntop_k {k} of 3x{n}: b0[0], b4[0], b5[0]\n",
                3 * n,
                3 * k
            );
            let program = Program::parse(&text).unwrap();
            let [kernel, loops] = both(&program, &[data(DType::F64, &keys)]);
            for (a, b) in kernel.iter().zip(&loops) {
                assert!(
                    (0..a.len()).all(|i| a.bits(i) == b.bits(i)),
                    "{n} {k}{down}: {a:?} {b:?}"
                );
            }
        }
    }
}
