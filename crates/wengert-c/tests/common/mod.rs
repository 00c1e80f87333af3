//! A C compiler, and programs that it makes.

pub mod suite;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The C compiler, if there is one: what `CC` says, or `cc`. Says so if there is none.
pub fn compiler() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let name = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let works = Command::new(&name).arg("--version").output();
        works.is_ok_and(|o| o.status.success()).then_some(name)
    });
    if found.is_none() {
        eprintln!("there is no C compiler: this test has run nothing");
    }
    found.as_deref()
}

/// The Python that `WENGERT_PYTHON` names, or `python3`, if it has a package.
pub fn python(package: &str) -> Option<String> {
    let name = std::env::var("WENGERT_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&name)
        .args(["-c", &format!("import {package}")])
        .output();
    let found = found.is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("no Python with {package}: this test has run nothing");
    }
    found.then_some(name)
}

/// Whether a program is here. Says so if it is not.
pub fn tool(name: &str) -> bool {
    let output = Command::new(name).arg("--version").output();
    let found = output.is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("there is no {name}: this test has not run it");
    }
    found
}

/// A folder of a test's own, removed when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wengert-c-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a command, and returns what it wrote, or what it complained of.
pub fn ran(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!(
            "{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Flags that make programs check their accesses and their arithmetic, where the compiler has the libraries for that.
pub fn sanitised() -> &'static [&'static str] {
    const FLAGS: &[&str] = &[
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let folder = Folder::new();
        folder.write("empty.c", "int main(void) { return 0; }\n");
        let Some(cc) = compiler() else { return false };
        let mut command = Command::new(cc);
        command
            .current_dir(folder.path())
            .args(FLAGS)
            .args(["empty.c", "-o", "empty"]);
        ran(&mut command).is_ok() && ran(Command::new("./empty").current_dir(folder.path())).is_ok()
    });
    if *found { FLAGS } else { &["-O1"] }
}
