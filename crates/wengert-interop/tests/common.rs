//! What several tests need.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use wengert::{Array, Element};

/// A file that NumPy has written.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A folder that is there as long as the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let name = format!("wengert-interop-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An array whose elements are made of their row-major numbers.
pub fn made<T: Element>(shape: &[usize], of: impl Fn(i32) -> T) -> Array {
    let n: usize = shape.iter().product();
    Array::new(shape, (0..n as i32).map(of).collect()).unwrap()
}

/// Asserts that the bits of two arrays are the same, where equality would take a NaN for different.
pub fn same(a: &Array, b: &Array) {
    assert_eq!((a.dtype(), a.shape()), (b.dtype(), b.shape()));
    let bits = |a: &Array| {
        (0..a.len())
            .map(|i| a.dense().data.bits(i))
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(a), bits(b));
}
