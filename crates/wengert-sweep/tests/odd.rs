//! What is unusual and yet allowed: names that become the same, versions of several lines, shares that begin at once.

use std::collections::BTreeMap;
use std::time::Duration;

use wengert::prelude::*;
use wengert_sweep::{Design, Ended, Error, Shard, Stored, Sweep};

use crate::common::{Folder, assert_same};

fn numbers(n: u64) -> Design<Var> {
    Design::from_fn(n, |i| i.to(DType::F64))
}

#[test]
fn columns_whose_names_become_the_same_stay_apart() {
    let folder = Folder::new();
    let axes: BTreeMap<String, Vec<f64>> = [
        ("a/b".to_string(), vec![1.0, 2.0]),
        ("a_b".to_string(), vec![10.0, 20.0]),
    ]
    .into();
    let product = |m: BTreeMap<String, Var>| m["a/b"] * m["a_b"];
    let design: Design<BTreeMap<String, Var>> = Design::grid(axes).unwrap();
    Sweep::new(design, product)
        .directory(folder.at("a"))
        .run()
        .unwrap();
    let stored = Stored::open(folder.at("a")).unwrap();
    assert_eq!(stored.names(), ["a_b", "a_b.2", "y"]);
    let column = |name: &str| stored.column(name).unwrap().to_vec::<f64>().unwrap();
    assert_eq!(column("a_b"), [1.0, 1.0, 2.0, 2.0]);
    assert_eq!(column("a_b.2"), [10.0, 20.0, 10.0, 20.0]);
    assert_eq!(column("y"), [10.0, 20.0, 20.0, 40.0]);
}

#[test]
fn a_version_may_have_several_lines() {
    let folder = Folder::new();
    let run = |version: &str| {
        let sweep = Sweep::new(numbers(5), |x: Var| x).directory(folder.at("a"));
        sweep.version(version).run().map(|summary| summary.resumed)
    };
    assert_eq!(run("1\nof\\n\r").unwrap(), 0);
    assert_eq!(run("1\nof\\n\r").unwrap(), 5);
    for other in ["1\\nof\\n\r", "1\nof\n\r", "1\nof\\n", "1"] {
        assert!(
            matches!(run(other), Err(Error::OtherSweep { .. })),
            "{other:?}"
        );
    }
}

#[test]
fn limits_may_be_as_large_as_they_can() {
    let folder = Folder::new();
    let sweep = || Sweep::new(numbers(5), |x: Var| x).memory(u64::MAX);
    let longest = |s: Sweep<Var, Var>| s.timeout(Duration::MAX).save_every(Duration::MAX);
    let summary = longest(sweep()).directory(folder.at("a")).run().unwrap();
    assert_eq!(summary.ended, Ended::Finished);
    assert_eq!(longest(sweep()).collect().unwrap().results.shape(), [5]);
}

#[test]
fn shares_may_begin_at_once() {
    let folder = Folder::new();
    let run = |name: &str, shard: Shard| {
        let sweep = Sweep::new(numbers(100), |x: Var| x * x).part_points(8);
        sweep.shard(shard).directory(folder.at(name)).run().unwrap()
    };
    run("whole", Shard::WHOLE);
    for k in 0..5 {
        let name = format!("shares-{k}");
        std::thread::scope(|scope| {
            for i in 0..6 {
                let (run, name) = (&run, &name);
                scope.spawn(move || run(name, Shard::new(i, 6).unwrap()));
            }
        });
        assert_same(&folder.at(&name), &folder.at("whole"));
    }
}
