//! Results on the disk.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wengert::prelude::*;
use wengert_sweep::{Design, Error, Format, Kind, OnError, Shard, Stored, Sweep, merge};

use crate::common::{Folder, Model, assert_same, files, grid, populations};

fn sweep(n: usize) -> Sweep<Model, [Var; 2]> {
    Sweep::new(Design::grid(grid(n)).unwrap(), populations).save_every(Duration::ZERO)
}

#[test]
fn what_is_written_can_be_read() {
    let folder = Folder::new();
    let at = folder.at("a");
    let summary = sweep(20).part_points(64).directory(&at).run().unwrap();
    assert_eq!(
        (summary.points, summary.done, summary.resumed),
        (400, 400, 0)
    );
    let stored = Stored::open(&at).unwrap();
    assert_eq!(stored.names(), ["growth", "hunger", "y[0]", "y[1]"]);
    assert_eq!(stored.files().unwrap().len(), 7);
    let known = sweep(20).collect().unwrap();
    assert_eq!(stored.column("growth").unwrap(), known.params.growth);
    assert_eq!(stored.column("y[1]").unwrap(), known.results[1]);
    assert!(stored.errors().unwrap().is_empty());
    let wrong = stored.column("y").unwrap_err().to_string();
    assert_eq!(
        wrong,
        "column: there is no `y`; there are growth, hunger, y[0], y[1]"
    );
    // Nothing is left to be done.
    let again = sweep(20).directory(&at).run().unwrap();
    assert_eq!((again.done, again.resumed, again.rate), (400, 400, 0.0));
}

#[test]
fn neither_chunks_nor_pauses_change_a_byte() {
    let folder = Folder::new();
    let whole = folder.at("whole");
    sweep(30).part_points(128).directory(&whole).run().unwrap();
    for chunk in [8, 77, 200, 900] {
        let at = folder.at(&format!("chunks-{chunk}"));
        sweep(30)
            .part_points(128)
            .chunk(chunk)
            .directory(&at)
            .run()
            .unwrap();
        assert_same(&whole, &at);
        let at = folder.at(&format!("pauses-{chunk}"));
        let mut runs = 0;
        loop {
            let stop = Arc::new(AtomicBool::new(false));
            let flag = stop.clone();
            let seen = Arc::new(std::sync::atomic::AtomicU64::new(0));
            // Two chunks in each run.
            let progress = move |_: &wengert_sweep::Progress| {
                flag.store(seen.fetch_add(1, Ordering::Relaxed) >= 2, Ordering::Relaxed);
            };
            let run = sweep(30).part_points(128).chunk(chunk).directory(&at);
            let summary = run.cancel(stop).progress(progress).run().unwrap();
            runs += 1;
            if summary.done == 900 {
                break;
            }
        }
        assert!(runs > 1 || chunk >= 450);
        assert_same(&whole, &at);
    }
}

#[test]
fn shares_are_one_run_when_they_are_put_together() {
    let folder = Folder::new();
    let whole = folder.at("whole");
    sweep(30).part_points(64).directory(&whole).run().unwrap();
    let together = folder.at("together");
    for i in [2, 0, 3, 1] {
        let shard = Shard::new(i, 4).unwrap();
        let own = folder.at(&format!("share-{i}"));
        sweep(30)
            .part_points(64)
            .shard(shard)
            .directory(&own)
            .run()
            .unwrap();
        sweep(30)
            .part_points(64)
            .shard(shard)
            .directory(&together)
            .run()
            .unwrap();
    }
    assert_same(&whole, &together);
    let shares = |n: usize| {
        (0..n)
            .map(|i| folder.at(&format!("share-{i}")))
            .collect::<Vec<_>>()
    };
    let some = merge(shares(3), folder.at("merged")).unwrap_err();
    assert!(matches!(some, Error::Incomplete { .. }), "{some}");
    merge(shares(4), folder.at("merged")).unwrap();
    assert_same(&whole, &folder.at("merged"));
    // A part that a share lacks is computed by whoever runs the sweep in the merged directory.
    let lost = Stored::open(folder.at("merged"))
        .unwrap()
        .files()
        .unwrap()
        .swap_remove(3);
    fs::remove_file(lost).unwrap();
    let run = sweep(30).directory(folder.at("merged")).run().unwrap();
    assert_eq!((run.done, run.resumed), (900, 900 - 64));
    assert_same(&whole, &folder.at("merged"));
}

#[test]
fn each_share_has_something_to_do() {
    let folder = Folder::new();
    for i in 0..5 {
        let run = sweep(10)
            .shard(Shard::new(i, 5).unwrap())
            .directory(folder.at("all"))
            .run()
            .unwrap();
        assert!((15..=25).contains(&run.points), "{run}");
    }
    Stored::open(folder.at("all"))
        .unwrap()
        .expect_complete()
        .unwrap();
}

/// The message of an error, whose directory is replaced by `DIR`.
fn refused(run: wengert_sweep::Result<wengert_sweep::Summary>, folder: &Folder) -> String {
    let text = run.unwrap_err().to_string();
    text.replace(folder.at("").to_str().unwrap(), "DIR/")
}

#[test]
fn another_sweep_in_the_directory_is_refused_and_named() {
    let folder = Folder::new();
    let at = || folder.at("a");
    let numbers = |n: u64| Design::from_fn(n, |i| i.to(DType::F64));
    let run = |d: Design<Var>, k: f64| Sweep::new(d, move |x: Var| x * k).directory(at());
    run(numbers(10), 2.0).run().unwrap();
    let message = refused(run(numbers(11), 2.0).run(), &folder);
    assert_eq!(
        message,
        "DIR/a holds another sweep: it has 10 points, and this one has 11; take another directory, or remove this one"
    );
    let message = refused(run(numbers(10), 3.0).run(), &folder);
    assert!(
        message.contains("the function differs, first in line 3: `v1: f64 = mul(v0, 2"),
        "{message}"
    );
    let list = |x: f64| Design::list((0..10).map(|i| i as f64 * x).collect::<Vec<f64>>()).unwrap();
    let message = refused(run(list(1.0), 2.0).run(), &folder);
    assert!(
        message.contains("the design differs, first in line 2"),
        "{message}"
    );
    let data = Array::from([1.0, 2.0]);
    let with = |data: Array| {
        Sweep::new(numbers(10), move |x: Var| (x * &data).sum()).directory(folder.at("captured"))
    };
    with(data.clone()).run().unwrap();
    with(data).run().unwrap();
    let message = refused(with(Array::from([1.0, 2.5])).run(), &folder);
    assert!(
        message.contains("the function captures other data"),
        "{message}"
    );
    let random = |seed: u64| {
        let design = Design::random(10, Key::from_seed(seed), |key: Key| key.uniform(()));
        Sweep::new(design, |x: Var| x).directory(folder.at("random"))
    };
    random(1).run().unwrap();
    let message = refused(random(2).run(), &folder);
    assert!(
        message.contains("the design has other values, or another key"),
        "{message}"
    );
    let f32s =
        |dtype| Sweep::new(numbers(10), move |x: Var| x.to(dtype)).directory(folder.at("types"));
    f32s(DType::F32).run().unwrap();
    assert!(f32s(DType::F64).run().is_err());
    // A plain function is known by its version.
    let plain = |version: &str| {
        let f = |x: Array| x.item::<f64>();
        Sweep::plain(numbers(10), f)
            .version(version)
            .directory(folder.at("plain"))
    };
    plain("1").run().unwrap();
    let message = refused(plain("2").run(), &folder);
    assert!(
        message.contains("the function differs, first in line 2: `version: 1` there"),
        "{message}"
    );
    // Results without a word of what they are of.
    fs::remove_file(at().join("sweep.txt")).unwrap();
    let message = refused(run(numbers(10), 2.0).run(), &folder);
    assert!(message.contains("no `sweep.txt`"), "{message}");
}

#[test]
fn a_directory_is_for_one_process() {
    let folder = Folder::new();
    let mut first = sweep(10)
        .chunk(8)
        .part_points(32)
        .directory(folder.at("a"))
        .chunks()
        .unwrap();
    first.next().unwrap().unwrap();
    let message = refused(
        sweep(10).part_points(32).directory(folder.at("a")).run(),
        &folder,
    );
    assert_eq!(message, "DIR/a is in use: another process works on it");
    let share = |i| {
        sweep(10)
            .part_points(32)
            .shard(Shard::new(i, 2).unwrap())
            .directory(folder.at("a"))
    };
    assert!(matches!(share(0).run(), Err(Error::InUse { .. })));
    drop(first);
    let first = share(0).chunks().unwrap();
    assert!(matches!(share(0).run(), Err(Error::InUse { .. })));
    share(1).run().unwrap();
    drop(first);
    assert_eq!(sweep(10).directory(folder.at("a")).run().unwrap().done, 100);
}

#[test]
fn files_that_are_lost_or_broken_are_made_again() {
    let folder = Folder::new();
    let (whole, at) = (folder.at("whole"), folder.at("a"));
    sweep(20).part_points(64).directory(&whole).run().unwrap();
    sweep(20).part_points(64).directory(&at).run().unwrap();
    let file = |i: usize| at.join(format!("part-{:012}.npz", 64 * i));
    fs::remove_file(file(1)).unwrap();
    // Cut off, empty, and full of zeros.
    let bytes = fs::read(file(2)).unwrap();
    fs::write(file(2), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(file(3), []).unwrap();
    fs::write(file(4), vec![0; bytes.len()]).unwrap();
    // What a process leaves that is killed while it writes.
    fs::write(at.join(".part-000000000000.npz.123.tmp"), b"half").unwrap();
    fs::write(at.join("part-000000000064.partial"), b"no record").unwrap();
    let run = sweep(20).directory(&at).run().unwrap();
    assert_eq!((run.done, run.resumed), (400, 400 - 4 * 64));
    assert_same(&whole, &at);
    // A wrong byte in the middle is found when it is read.
    let mut bytes = fs::read(file(0)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file(0), bytes).unwrap();
    let wrong = Stored::open(&at)
        .unwrap()
        .column("growth")
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("it is damaged"), "{wrong}");
    // A file of another sweep.
    sweep(21)
        .part_points(64)
        .directory(folder.at("other"))
        .run()
        .unwrap();
    fs::copy(folder.at("other").join("part-000000000000.npz"), file(0)).unwrap();
    let message = refused(sweep(20).directory(&at).run(), &folder);
    assert!(message.contains("it is of another sweep"), "{message}");
}

#[test]
fn a_broken_record_costs_no_other() {
    let folder = Folder::new();
    let (whole, at) = (folder.at("whole"), folder.at("a"));
    sweep(20).directory(&whole).run().unwrap();
    let mut chunks = sweep(20).chunk(40).directory(&at).chunks().unwrap();
    for _ in 0..5 {
        chunks.next().unwrap().unwrap();
    }
    drop(chunks);
    let partial = at.join("part-000000000000.partial");
    let bytes = fs::read(&partial).unwrap();
    for cut in [1, 30, 33, 200] {
        fs::write(&partial, &bytes[..bytes.len() - cut]).unwrap();
        let run = sweep(20)
            .chunk(40)
            .directory(&at)
            .chunks()
            .unwrap()
            .summary();
        assert_eq!(run.resumed, 160, "{cut}");
    }
    let run = sweep(20).directory(&at).run().unwrap();
    assert_eq!((run.done, run.resumed), (400, 160));
    assert_same(&whole, &at);
}

#[test]
fn failures_are_kept_with_their_rows() {
    let folder = Folder::new();
    let f = |x: Var| {
        wengert::check(x.ne(7.0), "a \"seven\",\nof all");
        (1.0 / (x - 3.0), x.gt(1.0))
    };
    let run = |at: &str| {
        let design = Design::from_fn(20, |i| i.to(DType::F64));
        Sweep::new(design, f)
            .chunk(8)
            .part_points(6)
            .save_every(Duration::ZERO)
            .directory(folder.at(at))
    };
    let summary = run("a").run().unwrap();
    assert_eq!(summary.failures, [(Kind::NotFinite, 1), (Kind::Check, 1)]);
    let stored = Stored::open(folder.at("a")).unwrap();
    let errors = stored.errors().unwrap();
    assert_eq!(errors.iter().map(|e| e.index).collect::<Vec<_>>(), [3, 7]);
    assert!(
        errors[1].message.contains("a \"seven\",\nof all"),
        "{}",
        errors[1]
    );
    assert_eq!(
        stored.failures().unwrap(),
        [(Kind::NotFinite, 1), (Kind::Check, 1)]
    );
    assert_eq!(run("a").run().unwrap().failed(), 0);
    // One that is to stop keeps what is before, and goes on with the point.
    let stop = |at: &str| {
        run(at)
            .on_error(OnError::Stop)
            .run()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(stop("b"), "point 3 (x = 3.0): y.0 is not finite");
    assert_eq!(stop("b"), "point 3 (x = 3.0): y.0 is not finite");
    let rest = run("b").run().unwrap();
    assert_eq!((rest.resumed, rest.done), (3, 20));
    assert_same(&folder.at("a"), &folder.at("b"));
}

#[test]
fn tables_of_text_are_one_behind_the_other() {
    let folder = Folder::new();
    let f = |(a, v): (Var, Var)| (a * v, 1.0 / a, a.gt(1.0));
    let run = || {
        let design = Design::grid((vec![0.0, 1.5], vec![[1.0, 2.0], [3.0, 1e300]])).unwrap();
        Sweep::new(design, f)
            .format(Format::Csv)
            .part_points(3)
            .directory(folder.at("a"))
    };
    run().run().unwrap();
    let all: Vec<u8> = (files(&folder.at("a"))
        .into_iter()
        .filter(|(n, _)| n.ends_with(".csv")))
    .flat_map(|(_, bytes)| bytes)
    .collect();
    let expected = "\
index,x.0,x.1[0],x.1[1],y.0[0],y.0[1],y.1,y.2,error,message
0,0.0,1.0,2.0,0.0,0.0,inf,false,not finite,\"y.1 is not finite\"
1,0.0,3.0,1e300,0.0,0.0,inf,false,not finite,\"y.1 is not finite\"
2,1.5,1.0,2.0,1.5,3.0,0.6666666666666666,true,,
3,1.5,3.0,1e300,4.5,1.5e300,0.6666666666666666,true,,
";
    assert_eq!(String::from_utf8(all).unwrap(), expected);
    let file = folder.at("a").join("part-000000000000.csv");
    let text = fs::read(&file).unwrap();
    fs::write(&file, &text[..text.len() - 5]).unwrap();
    assert_eq!(run().run().unwrap().resumed, 1);
    assert_eq!(fs::read(&file).unwrap(), text);
}

#[test]
fn a_directory_that_cannot_be_is_an_error() {
    let folder = Folder::new();
    fs::write(folder.at("file"), b"").unwrap();
    let message = refused(sweep(5).directory(folder.at("file")).run(), &folder);
    assert!(
        message.starts_with("DIR/file: make the directory: "),
        "{message}"
    );
    let message = refused(
        sweep(5).directory(folder.at("a")).part_points(0).run(),
        &folder,
    );
    assert_eq!(message, "part_points: a file has one point at least");
    let message = Stored::open(folder.at("nothing")).unwrap_err().to_string();
    assert!(
        message.contains("it holds no results of a sweep"),
        "{message}"
    );
}

#[test]
fn no_points_are_a_directory_without_files() {
    let folder = Folder::new();
    let run = || {
        Sweep::new(Design::grid(Vec::<f64>::new()).unwrap(), |x: Var| x).directory(folder.at("a"))
    };
    assert_eq!(run().run().unwrap().points, 0);
    assert_eq!(run().run().unwrap().points, 0);
    assert_eq!(
        Stored::open(folder.at("a"))
            .unwrap()
            .column("y")
            .unwrap()
            .shape(),
        [0]
    );
}
