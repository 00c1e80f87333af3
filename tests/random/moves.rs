//! What must not compile, and what the compiler says. Documentation tests cannot look at messages.

use std::path::PathBuf;
use std::process::Command;

use expect_test::{Expect, expect};

/// The library that this test was linked with: the newest beside it.
fn library() -> (PathBuf, PathBuf) {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().expect("a folder").to_path_buf();
    let files = folder.read_dir().expect("readable").flatten();
    let found = files.map(|f| f.path()).filter(|p| {
        let name = p.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libwengert-") && name.ends_with(".rlib")
    });
    let newest = found.max_by_key(|p| p.metadata().and_then(|m| m.modified()).ok());
    (folder, newest.expect("the library"))
}

/// The errors of a function of this body. The source is compiled in its own folder under a short name: what the
/// compiler says of a closure depends on the length of its path.
fn errors(body: &str) -> Vec<String> {
    let (libraries, library) = library();
    let folder = folder_of(body);
    std::fs::create_dir_all(&folder).expect("made");
    let text = format!(
        "use wengert::prelude::*;\npub fn f() -> Jit<Key, Var> {{\n    jit(|key: Key| {body})\n}}\n"
    );
    std::fs::write(folder.join("f.rs"), text).expect("written");
    let mut library_given = std::ffi::OsString::from("wengert=");
    library_given.push(library);
    let mut search = std::ffi::OsString::from("dependency=");
    search.push(libraries);
    let done = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .current_dir(&folder)
        .args(["--edition=2024", "--crate-type=lib", "--crate-name=moves"])
        .args(["--emit=metadata", "--error-format=short", "-o", "f.rmeta"])
        .arg("-L")
        .arg(search)
        .arg("--extern")
        .arg(library_given)
        .arg("f.rs")
        .output()
        .expect("the compiler");
    let said = String::from_utf8_lossy(&done.stderr);
    std::fs::remove_dir_all(&folder).expect("removed");
    let lines = said.lines().filter_map(|l| l.split_once(": error["));
    let errors: Vec<String> = lines.map(|(_, e)| e.to_string()).collect();
    assert_eq!(done.status.success(), errors.is_empty(), "{said}");
    errors
}

/// A folder of its own for each body.
fn folder_of(body: &str) -> PathBuf {
    let sum = body
        .bytes()
        .fold(7u64, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
    let name = format!("moves-{}-{sum:x}", std::process::id());
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[track_caller]
fn refused(body: &str, want: Expect) {
    want.assert_eq(&errors(body).join("\n"));
}

#[test]
fn a_key_is_used_once() {
    refused(
        "key.normal([2]) + key.normal([2])",
        expect!["E0382]: use of moved value: `key`: value used here after move"],
    );
    refused(
        "{ let (a, b) = key.split(); a.normal([2]) + b.normal([2]) + key.normal([2]) }",
        expect!["E0382]: use of moved value: `key`: value used here after move"],
    );
    refused(
        "key.clone().normal([2]) + key.normal([2])",
        expect![
            "E0599]: no method named `clone` found for struct `wengert::Key<T>` in the current scope: method not found in `wengert::Key`"
        ],
    );
}

#[test]
fn a_key_from_outside_is_not_used_in_what_may_run_again() {
    refused(
        "scan(0.0, 0..10, |x, _| (x + key.normal(()), ())).0",
        expect![
            "E0507]: cannot move out of `key`, a captured variable in an `Fn` closure: `key` is moved here"
        ],
    );
    refused(
        "fori(0..10, 0.0, |_, x| x + key.normal(()))",
        expect![
            "E0507]: cannot move out of `key`, a captured variable in an `Fn` closure: `key` is moved here"
        ],
    );
    refused(
        "while_loop(0.0, |x: Var| x.lt(1.0), |x: Var| x + key.normal(()))",
        expect![
            "E0507]: cannot move out of `key`, a captured variable in an `Fn` closure: `key` is moved here"
        ],
    );
    refused(
        "vmap(|x: Var| x + key.normal(()))(arange(3))",
        expect![
            "E0277]: the trait bound `wengert::Key: Clone` is not satisfied in `{closure@f.rs:3:25: 3:33}`: within `{closure@f.rs:3:25: 3:33}`, the trait `Clone` is not implemented for `wengert::Key`"
        ],
    );
    refused(
        "wengert::map(arange(3), |x| x + key.normal(()))",
        expect![
            "E0507]: cannot move out of `key`, a captured variable in an `Fn` closure: `key` is moved here"
        ],
    );
}

/// What the documentation says to write in their place.
#[test]
fn what_to_write_instead() {
    for body in [
        "{ let (a, b) = key.split(); a.normal([2]) + b.normal([2]) }",
        "scan(0.0, key.split_into(10), |x, k: Key| (x + k.normal(()), ())).0",
        "scan(0.0, key.normal([10]), |x, z| (x + z, ())).0",
        "{ let keys = key.fold_in(); fori(0..10, 0.0, |i, x| x + keys.at(i).normal(())) }",
        "vmap(|k: Key| k.normal(()))(key.split_into(3))",
        "cond(true, key, |k: Key| k.normal([2]), |k: Key| k.uniform([2]))",
    ] {
        assert_eq!(errors(body), [""; 0], "{body}");
    }
}
