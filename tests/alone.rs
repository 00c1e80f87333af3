//! Tests that want a process of their own: for its memory, its limits, its standard error or its threads.

use std::process::Command;

/// The arguments that make this program run one of its ignored tests alone. The module is what
/// `module_path!()` says.
pub fn arguments(module: &str, test: &str) -> [String; 4] {
    // The name of a test leaves the crate out.
    let (_, module) = module.split_once("::").expect("a module of a crate");
    let name = format!("{module}::{test}");
    ["--exact", &name, "--ignored", "--nocapture"].map(String::from)
}

/// Runs an ignored test of this program in a process of its own, where it must pass; what it wrote to
/// standard output and to standard error.
pub fn run(module: &str, test: &str) -> (String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    passed(command.args(arguments(module, test)))
}

/// Runs a command that runs one test, which must pass; what it wrote.
pub fn passed(command: &mut Command) -> (String, String) {
    let run = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&run.stdout), said(&run.stderr));
    assert!(run.status.success(), "{:?}\n{out}{err}", run.status);
    // A name that no test has is not an error of the harness.
    assert!(out.contains("1 passed"), "{out}{err}");
    (out, err)
}
