//! Sweeps that are killed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use wengert::prelude::*;
use wengert_sweep::{Design, Stored, Sweep};

use crate::common::{Folder, assert_same, grid, populations};

/// Where the child writes; without it, it is no child.
const FOLDER: &str = "WENGERT_SWEEP_CHILD";
const POINTS: u64 = 3000;

/// A plain function that says in a log that it begins with a point, before it does.
fn logged(folder: &Path, log: &Path) -> wengert_sweep::Result<wengert_sweep::Summary> {
    let log = Mutex::new(File::options().append(true).create(true).open(log).unwrap());
    let f = move |(i, x): (Array, Array)| -> wengert::Result<(f64, i64)> {
        let i = i.item::<i64>()?;
        log.lock()
            .unwrap()
            .write_all(format!("{i}\n").as_bytes())
            .unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let x = x.item::<f64>()?;
        Ok(((x * 40.0).sin() / (x - 0.5), i))
    };
    let design = Design::random(POINTS, Key::from_seed(5), |key: Key| key.uniform(()));
    let design = Design::from_fn(POINTS, |i| i).zip(design).unwrap();
    Sweep::plain(design, f)
        .chunk(10)
        .part_points(256)
        .save_every(Duration::ZERO)
        .directory(folder)
        .run()
}

fn traced(folder: &Path) -> wengert_sweep::Result<wengert_sweep::Summary> {
    let design = Design::grid(grid(60)).unwrap();
    Sweep::new(design, populations)
        .chunk(16)
        .part_points(256)
        .save_every(Duration::ZERO)
        .directory(folder)
        .run()
}

/// What the child process runs.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    traced(&folder.join("traced")).unwrap();
    logged(&folder.join("logged"), &folder.join("log")).unwrap();
}

/// Numbers that are random enough to choose moments.
fn random(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    *seed >> 33
}

fn spawn(folder: &Path) -> std::process::Child {
    (Command::new(std::env::current_exe().unwrap()).args(["--exact", "kills::child"]))
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The points that are whole on the disk, as a run that is to go on counts them.
fn stored(folder: &Path) -> u64 {
    let names = fs::read_dir(folder).map(|d| d.map(|e| e.unwrap().path()).collect::<Vec<_>>());
    names
        .unwrap_or_default()
        .iter()
        .map(|p| fs::metadata(p).map_or(0, |m| m.len()))
        .sum()
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_ten_times_ends_with_the_same_bytes() {
    let folder = Folder::new();
    let (alone, killed) = (folder.at("alone"), folder.at("killed"));
    fs::create_dir_all(&killed).unwrap();
    traced(&alone.join("traced")).unwrap();
    logged(&alone.join("logged"), &alone.join("log")).unwrap();

    let mut seed = std::process::id().into();
    let mut kills = 0;
    while kills < 10 {
        let before = stored(&killed.join("traced")) + stored(&killed.join("logged"));
        let mut child = spawn(&killed);
        // At a random moment after it has begun to write.
        loop {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended after {kills} kills"
            );
            if stored(&killed.join("traced")) + stored(&killed.join("logged")) != before {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random(&mut seed) % 20_000));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(spawn(&killed).wait().unwrap().success());
    assert_same(&alone.join("traced"), &killed.join("traced"));
    assert_same(&alone.join("logged"), &killed.join("logged"));
    Stored::open(killed.join("logged"))
        .unwrap()
        .expect_complete()
        .unwrap();

    // Every point was begun, and begun again only if a kill came before its chunk was recorded.
    let log = fs::read_to_string(killed.join("log")).unwrap();
    let mut times = vec![0u32; POINTS as usize];
    for line in log.lines() {
        times[line.parse::<usize>().unwrap()] += 1;
    }
    assert!(times.iter().all(|&n| n >= 1));
    let again: u32 = times.iter().map(|n| n - 1).sum();
    // Two chunks wait to be written, and one is computed.
    assert!(
        again <= kills * 3 * 10,
        "{again} points were computed again"
    );
}
