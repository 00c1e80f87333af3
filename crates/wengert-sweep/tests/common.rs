//! Folders of tests, and small models.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wengert::prelude::*;

/// A directory that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wengert-sweep-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All files of a directory but locks: names and bytes.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let mut found: Vec<(String, Vec<u8>)> = entries
        .map(|p| {
            (
                p.file_name().unwrap().to_str().unwrap().to_string(),
                std::fs::read(&p).unwrap(),
            )
        })
        .filter(|(name, _)| !name.starts_with("lock"))
        .collect();
    found.sort();
    found
}

/// Whether both directories have the same files, byte by byte.
#[track_caller]
pub fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (files(a), files(b));
    let names = |f: &[(String, Vec<u8>)]| f.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    for ((name, x), (_, y)) in a.iter().zip(&b) {
        assert!(x == y, "{name} differs");
    }
}

/// A predator and its prey.
#[derive(Tree, Clone, Debug)]
pub struct Model<T = Var> {
    pub growth: T,
    pub hunger: T,
}

pub fn grid(n: usize) -> Model<Vec<f64>> {
    let axis = |low: f64| (0..n).map(|i| low + i as f64 / n as f64).collect();
    Model {
        growth: axis(0.5),
        hunger: axis(1.0),
    }
}

/// A hundred steps of Runge and Kutta's midpoint rule.
pub fn populations(m: Model) -> [Var; 2] {
    let rate = |[x, y]: [Var; 2]| [m.growth * x - x * y, x * y - m.hunger * y];
    let step = |s: [Var; 2], h: f64, k: [Var; 2]| [s[0] + h * k[0], s[1] + h * k[1]];
    fori(0..100, [1.0, 0.5], |_, s: [Var; 2]| {
        step(s, 0.05, rate(step(s, 0.025, rate(s))))
    })
}
