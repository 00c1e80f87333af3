//! A process that may have so much memory, and no more.

use std::process::Command;

use super::*;
use crate::alone;

/// Runs an ignored test of this file in a process of its own.
fn within(megabytes: usize, test: &str) {
    let limited = format!(
        "ulimit -v {}; exec \"$0\" \"$@\" --test-threads=1",
        megabytes * 1024
    );
    let mut limited_run = Command::new("sh");
    let run = limited_run
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .args(alone::arguments(module_path!(), test));
    alone::passed(run);
}

#[test]
fn memory_that_ends_is_an_error() {
    within(900, "memory_ends");
}

#[test]
#[ignore = "runs in a process of its own, see above"]
fn memory_ends() {
    fn none<T>(result: Result<T>) -> String {
        match result {
            Err(e @ Error::NoMemory { .. }) => e.to_string(),
            Err(e) => panic!("{e}"),
            Ok(_) => panic!("there was memory"),
        }
    }
    // A quarter of a gigabyte.
    const LONG: usize = 1 << 25;
    let several: [fn(Var) -> Vec<Var>; 3] = [
        |x| vec![full([4, LONG], x)],
        |x| (0..4).map(|i| full([LONG], x + i as f64)).collect(),
        |x| vec![full([4, LONG], x).sort(1).at((0, 0))],
    ];
    for f in several {
        for result in both(&jit(f), || 1.0) {
            none(result);
        }
    }
    // Results that are overwritten, and are somebody else's too.
    let f = jit(|x: Var| x + 1.0);
    let f = f.compile(ShapeDtype::new([LONG], DType::F64)).unwrap();
    let x = Array::zeros([LONG], DType::F64);
    let (mut a, mut b) = (x.clone(), x.clone());
    f.call_into(&x, &mut a).unwrap();
    let mut rest = vec![];
    while let Ok(more) = f.call(&x) {
        rest.push(more);
    }
    none(f.call_into(&x, &mut b));
    assert_eq!(b.as_slice::<f64>().unwrap()[LONG - 1], 0.0);
    drop((x, a, b, rest));
    // What a loop keeps for its gradient, below the limit of the compiled function.
    let f = |x: Var| while_loop((x, 0.0), |(_, n)| n.lt(1e9), |(x, n)| (x.sin(), n + 1.0)).0;
    let said = none(jit(grad(f)).call(1.0));
    assert!(
        said.contains("there is no memory for the residuals of a loop"),
        "{said}"
    );
    // All is as it was.
    assert_eq!(jit(|x: Var| x * 2.0).call(2.0).unwrap(), Array::from(4.0));
}
