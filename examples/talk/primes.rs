//! How many primes there are below a number, by trial division: the first example of Cython's tutorial and of many talks on
//! Numba, because its inner loop ends early. In a batch each number's loop ends when it is done.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, in_turns};

fn is_prime(n: Var) -> Var {
    let divisor = while_loop(
        Var::from(2i64),
        move |d| (d * d).le(n) & (n % d).ne(0),
        |d| d + 1,
    );
    n.ge(2) & (divisor * divisor).gt(n)
}

fn count(numbers: Var) -> Var {
    vmap(is_prime)(numbers).to(DType::I64).sum()
}

fn plain(numbers: &[i64]) -> i64 {
    let mut count = 0;
    for &n in numbers {
        let mut divisor = 2;
        while divisor * divisor <= n && n % divisor != 0 {
            divisor += 1;
        }
        if n >= 2 && divisor * divisor > n {
            count += 1;
        }
    }
    count
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 200_000);
    let numbers: Vec<i64> = (0..n as i64).collect();
    let data = Array::from(numbers.clone());

    let f = jit(count);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&numbers))?;
    let ours = ours.item::<i64>()?;
    assert_eq!(ours, theirs);
    Ok(vec![Row {
        name: "primes",
        said: format!("{ours} primes below {n}"),
        check: ours as f64,
        times,
    }])
}
