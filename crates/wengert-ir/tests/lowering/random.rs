//! Random draws: where their blocks are computed, and that the words are those of the generator.

use super::*;
use wengert_ir::elementary::chacha::Stream;
use wengert_ir::eval::eval;
use wengert_ir::ops::elementwise::mul;
use wengert_ir::ops::map::map;
use wengert_ir::ops::random::random_bits;
use wengert_ir::ops::scan::scan;

fn key() -> Type {
    Type::new(DType::U32, &[8])
}

fn draws(key: Var, dims: &[usize]) -> Var {
    random_bits(
        key,
        Var::scalar(0u64),
        Stream::Draws,
        Type::new(DType::U64, dims),
    )
}

/// Returns uniform numbers in `0..1`.
fn uniform(key: Var, dims: &[usize]) -> Var {
    (draws(key, dims) >> 11).to(DType::F64) * (0.5f64).powi(53)
}

/// Compares the words with those of the generator in another crate.
#[test]
fn the_words_of_a_known_generator() {
    use rand_core::{Rng, SeedableRng};
    let words = [1u32, 2, 3, 4, 5, 6, 7, 0x8000_0001];
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    for (i, stream) in Stream::ALL.into_iter().enumerate() {
        let mut rng = rand_chacha::ChaCha8Rng::from_seed(bytes.clone().try_into().unwrap());
        rng.set_stream(i as u64);
        for start in [0u64, 3, (1 << 32) - 2] {
            rng.set_word_pos(16 * u128::from(start));
            let func = trace(&[key()], |x| {
                let bits = |dtype| {
                    let ty = Type::new(dtype, &[7, 11]);
                    random_bits(x[0], Var::scalar(start), stream, ty)
                };
                vec![bits(DType::U32), bits(DType::U64)]
            });
            let args = [Buffer::Dense(Dense::of(vec![8], words.to_vec()))];
            compare(&func, &args).unwrap_or_else(|e| panic!("{e}"));
            let out = eval(&func, &args).unwrap();
            let want: Vec<u32> = (0..77).map(|_| rng.next_u32()).collect();
            assert_eq!(out[0].dense().slice::<u32>(), want);
            rng.set_word_pos(16 * u128::from(start));
            let want: Vec<u64> = (0..77).map(|_| rng.next_u64()).collect();
            assert_eq!(out[1].dense().slice::<u64>(), want);
        }
    }
}

/// Draws of all sizes are read in various orders by various consumers.
#[test]
fn draws_are_read_in_any_order() {
    for dims in [
        &[][..],
        &[1],
        &[3],
        &[8],
        &[100],
        &[3, 700],
        &[700, 3],
        &[5, 6, 31],
    ] {
        agree(&trace(&[key()], |x| {
            let u = uniform(x[0], dims);
            vec![u, u.sum(), u.flatten().slice(..1), (u * u).amax()]
        }));
    }
    agree(&trace(&[key(), f64s(&[7]), i64s(&[])], |x| {
        let u = uniform(x[0], &[90, 7]);
        vec![
            u * x[1],
            u.t() + 1.0,
            u.slice((3..70, 1..4)),
            u.slice(17..29) * x[1],
            u.at(x[2]),
            u.at(5).sum(),
            u.sum_axis(0),
            u.sum_axis(1),
            u.dot(x[1]),
            u.reshape([30, 21]).sqrt(),
        ]
    }));
}

/// Long draws in tasks and in chunks of sums are not stored.
#[test]
fn long_draws() {
    let func = trace(&[key()], |x| {
        let [u, v] = [0, 1].map(|i| uniform(x[0], &[2, 70_001]).at(i));
        let inside = (u * u + v * v).lt(1.0).to(DType::F64).mean();
        vec![inside, uniform(x[0], &[150_000]).square().sum()]
    });
    agree(&func);
    let memory = |func: &Func| -> usize {
        let program = lower(func).unwrap();
        let own = program.buffers.iter().filter(|b| {
            use wengert_ir::loops::BufferKind::{Call, Local, Task};
            matches!(b.kind, Call | Local | Task)
        });
        own.map(|b| b.len).sum()
    };
    let sum = trace(&[key()], |x| {
        vec![uniform(x[0], &[1_000_000]).square().sum()]
    });
    assert!(memory(&sum) < 100_000, "{}", memory(&sum));
    let filled = trace(&[key()], |x| vec![uniform(x[0], &[1_000_000]).sqrt()]);
    assert!(memory(&filled) < 2_000, "{}", memory(&filled));
}

/// Keys, block numbers, and draws in the lanes of a map.
#[test]
fn draws_in_lanes() {
    for n in [1, 3, 9, 70] {
        let keys = Type::new(DType::U32, &[n, 8]);
        let starts = Type::new(DType::U64, &[n]);
        for dims in [&[][..], &[2], &[20], &[9, 21]] {
            let body = |x: &[Var]| {
                let u = uniform(x[0], dims);
                let family = |stream, ty| random_bits(x[0], x[1], stream, ty);
                let kin = family(Stream::Family, Type::new(DType::U32, &[8]));
                let more = family(Stream::Draws, Type::new(DType::U32, dims));
                vec![u.sum(), u, kin, more.to(DType::F64) + 1.0]
            };
            let f = |x: &[Var]| map(&[x[0], x[1]], n, body);
            agree(&trace(&[keys.clone(), starts.clone()], f));
            // One key for all elements, and the batching rule.
            let f = |x: &[Var]| map(&[x[1]], n, |y| body(&[x[0], y[0]]));
            agree(&trace(&[key(), starts.clone()], f));
            let flat = trace(&[keys.clone(), starts.clone()], |x| {
                let one = trace(&[key(), Type::scalar(DType::U64)], body);
                let args = [x[0], x[1]].map(ops::Batched::mapped);
                let out = wengert_ir::transform::batch(&one, &args, n);
                out.into_iter().map(|b| b.spread(n)).collect()
            });
            agree(&flat);
            let mapped = trace(&[keys.clone(), starts.clone()], |x| {
                map(&[x[0], x[1]], n, body)
            });
            let args: Vec<Buffer> = (flat.param_types().iter())
                .map(|ty| numbers(ty, 3))
                .collect();
            assert_eq!(eval(&flat, &args), eval(&mapped, &args));
        }
    }
}

/// Draws that a loop reads row by row are computed in the loop.
#[test]
fn draws_that_a_loop_reads_row_by_row() {
    for (n, row) in [(5, 1), (700, 1), (1000, 3), (513, 8), (70, 600), (600, 0)] {
        let dims: &[usize] = if row == 1 { &[n] } else { &[n, row] };
        for reverse in [false, true] {
            let walk = |key: Var| {
                let u = uniform(key, dims);
                let z = mul(u, u) + u;
                let step = |c: &[Var], x: &[Var]| (vec![c[0] * 0.5 + x[0].sum()], vec![x[0]]);
                scan(&[Var::scalar(0.0)], &[z], n, reverse, step)
            };
            agree(&trace(&[key()], |x| vec![walk(x[0])[0]]));
            agree(&trace(&[key()], |x| walk(x[0])));
            let keys = Type::new(DType::U32, &[9, 8]);
            agree(&trace(&[keys], |x| {
                map(&[x[0]], 9, |k| vec![walk(k[0])[0]])
            }));
        }
    }
    // Two arrays of draws that share a part, one that another operation also reads, and keys.
    agree(&trace(&[key(), f64s(&[900])], |x| {
        let u = uniform(x[0], &[900]);
        let keys = random_bits(
            x[0],
            Var::scalar(0u64),
            Stream::Children,
            Type::new(DType::U32, &[900, 8]),
        );
        let v = uniform(x[0], &[2, 900]).at(1) * x[1];
        let step = |c: &[Var], x: &[Var]| {
            let w = uniform(x[3], &[3]).sum();
            (vec![c[0] * 0.5 + x[0] * x[1] - x[2] + w], vec![])
        };
        let out = scan(
            &[Var::scalar(0.0)],
            &[u, u * 2.0, v, keys],
            900,
            false,
            step,
        );
        let again = scan(&[Var::scalar(0.0)], &[v], 900, true, |c, x| {
            (vec![c[0] * 0.5 + x[0]], vec![])
        });
        vec![out[0], again[0]]
    }));
}

/// Such loops do not hold an array of draws.
#[test]
fn a_loop_stores_no_draws() {
    let walk = |key: Var| {
        let step = |c: &[Var], x: &[Var]| (vec![c[0] + x[0]], vec![]);
        scan(
            &[Var::scalar(0.0)],
            &[uniform(key, &[100_000])],
            100_000,
            false,
            step,
        )
    };
    let func = optimise(&trace(&[key()], |x| walk(x[0])), true);
    let most = |func: &Func| lower(func).unwrap().buffers.iter().map(|b| b.len).max();
    assert!(most(&func) < Some(2000), "{:?}", most(&func));
    let keys = Type::new(DType::U32, &[64, 8]);
    let func = optimise(&trace(&[keys], |x| map(&[x[0]], 64, |k| walk(k[0]))), true);
    assert!(most(&func) < Some(2000), "{:?}", most(&func));
}
