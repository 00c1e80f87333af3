//! Whole numbers of every type.

use super::fit::chi_square;
use super::*;

const N: usize = 20_000;

const TYPES: [(DType, i128, i128); 5] = [
    (DType::U8, 0, u8::MAX as i128),
    (DType::I32, i32::MIN as i128, i32::MAX as i128),
    (DType::U32, 0, u32::MAX as i128),
    (DType::I64, i64::MIN as i128, i64::MAX as i128),
    (DType::U64, 0, u64::MAX as i128),
];

fn numbers(a: &Array) -> Vec<i128> {
    fn wide<T: Copy + Into<i128>>(x: Vec<T>) -> Vec<i128> {
        x.into_iter().map(Into::into).collect()
    }
    match a.dtype() {
        DType::U8 => wide(a.to_vec::<u8>().unwrap()),
        DType::I32 => wide(a.to_vec::<i32>().unwrap()),
        DType::U32 => wide(a.to_vec::<u32>().unwrap()),
        DType::I64 => wide(a.to_vec::<i64>().unwrap()),
        _ => wide(a.to_vec::<u64>().unwrap()),
    }
}

/// The numbers of a type from one to another, in 16 classes, each as likely as any other.
fn even(name: &str, drawn: &Array, least: i128, most: i128) {
    let drawn = numbers(drawn);
    let span = most - least + 1;
    let mut seen = vec![0.0; 17];
    for n in drawn {
        assert!(least <= n && n <= most, "{name}: {n}");
        seen[((n - least) * 16 / span) as usize] += 1.0;
    }
    chi_square(name, &seen, |_| 1.0 / 16.0);
}

/// A number of a type of its own.
fn scalar(dtype: DType, n: i128) -> Array {
    match dtype {
        DType::U8 => Array::from(n as u8),
        DType::I32 => Array::from(n as i32),
        DType::U32 => Array::from(n as u32),
        DType::I64 => Array::from(n as i64),
        _ => Array::from(n as u64),
    }
}

/// With bounds that are known and with traced ones, from one end of the type to the other.
#[test]
fn of_every_type_and_span() {
    for (dtype, least, most) in TYPES {
        let spans = [
            (least, most),
            (most - 15, most),
            (least, least + 47),
            (most / 2, most),
            (least + 1, most - 1),
        ];
        for (i, (low, last)) in spans.into_iter().enumerate() {
            // Multiples of 16 have even classes.
            let low = if (last - low + 1) % 16 == 0 {
                low
            } else {
                last - (last - low + 1) / 16 * 16 + 1
            };
            let name = format!("{dtype} from {low} to {last}");
            let shape = ShapeDtype::new([N], dtype);
            let key = Key::from_seed(i as u64);
            // An end behind all `i64`s is no `i64`, but may be a `u64`.
            let end = scalar(DType::U64, last + 1);
            if last < u64::MAX as i128 && last + 1 > 0 {
                let f =
                    jit(move |(low, end, k): (Var, Var, Key)| k.randint(low, end, shape.clone()));
                let drawn = f.call((scalar(dtype, low), end, key.clone())).unwrap();
                even(&name, &drawn, low, last);
            }
        }
    }
}

/// Ends that are numbers of Rust's, one behind the last of a type.
#[test]
fn whole_ranges() {
    let key = Key::from_seed(2);
    let draw = |f: fn(Key) -> Var| jit(f).call(key.clone()).unwrap();
    let bytes = draw(|k| k.randint(0, 256, ShapeDtype::new([N], DType::U8)));
    even("bytes", &bytes, 0, 255);
    let ints = draw(|k| k.randint(i32::MIN, 1i64 << 31, ShapeDtype::new([N], DType::I32)));
    even("ints", &ints, i32::MIN.into(), i32::MAX.into());
    let words = draw(|k| k.randint(0, 1i64 << 32, ShapeDtype::new([N], DType::U32)));
    even("words", &words, 0, u32::MAX.into());
    let longs = draw(|k| k.randint(i64::MIN, 1u64 << 63, [N]));
    even("longs", &longs, i64::MIN.into(), i64::MAX.into());
    let below = draw(|k| k.randint(1, u64::MAX, ShapeDtype::new([N], DType::U64)));
    assert!(
        numbers(&below)
            .iter()
            .all(|n| *n > 0 && *n < u64::MAX.into())
    );
}

/// Interpreted and compiled, with a span that is traced.
#[test]
fn the_same_bits_however_it_runs() {
    for (dtype, least, most) in TYPES {
        let f = jit(move |(low, last, k): (Var, Var, Key)| {
            k.randint(low, last, ShapeDtype::new([40], dtype))
        });
        for low in [least, most / 2, most] {
            let args = (scalar(dtype, low), scalar(dtype, most), Key::from_seed(7));
            let drawn = f.call(args.clone()).unwrap();
            assert_eq!(f.interpret(args).unwrap(), drawn, "{dtype} from {low}");
        }
    }
}

/// A die shows the same in each type.
#[test]
fn a_key_gives_the_same_numbers_in_each_type() {
    let dice = TYPES.map(|(dtype, ..)| {
        let f = jit(move |k: Key| k.randint(1, 7, ShapeDtype::new([50], dtype)));
        let thrown = f.call(Key::from_seed(1)).unwrap();
        assert_eq!(thrown.dtype(), dtype);
        numbers(&thrown)
    });
    assert!(dice.iter().all(|d| *d == dice[0]));
}

/// Traced bounds that a type does not hold are the nearest that it does; between bounds that leave nothing is
/// the first.
#[test]
fn bounds_that_do_not_fit() {
    let f = jit(|(low, end, k): (Var, Var, Key)| {
        k.randint(low, end, ShapeDtype::new([1000], DType::U8))
    });
    let key = Key::from_seed(5);
    let within = |low: i64, end: i64, least: i128, most: i128| {
        let drawn = numbers(&f.call((low, end, key.clone())).unwrap());
        assert_eq!(drawn.iter().min(), Some(&least), "{low}..{end}");
        assert_eq!(drawn.iter().max(), Some(&most), "{low}..{end}");
    };
    within(250, 1000, 250, 255);
    within(-1000, 3, 0, 2);
    within(-5, 0, 0, 0);
    within(7, 7, 7, 7);
    within(7, 3, 7, 7);
    within(i64::MAX, i64::MIN, 255, 255);
    within(i64::MIN, i64::MIN, 0, 0);
    within(i64::MAX, i64::MAX, 255, 255);
}

#[test]
fn permutations() {
    for n in [0, 1, 2, 50] {
        let (p, all) = jit(move |k: Key| {
            let [a, b] = k.split_n();
            (
                a.permutation(n),
                vmap(move |k: Key| k.permutation(n))(b.split_into(3)),
            )
        })
        .call(Key::from_seed(n as u64))
        .unwrap();
        assert_eq!((p.shape(), all.shape()), (&[n][..], &[3, n][..]));
        let mut p = p.to_vec::<i64>().unwrap();
        p.sort();
        assert!(p.iter().enumerate().all(|(i, x)| i as i64 == *x));
    }
}

/// In time that grows as the numbers do: a million is quadratic in minutes, and else in milliseconds.
#[test]
fn a_long_permutation_takes_no_longer_than_it_is_long() {
    let f = jit(|k: Key| k.permutation(1_000_000));
    let mut p = f.call(Key::from_seed(1)).unwrap().to_vec::<i64>().unwrap();
    p.sort();
    assert!(p.iter().enumerate().all(|(i, x)| i as i64 == *x));
}
