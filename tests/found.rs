//! Every file of tests belongs to a program that runs it: one that no program names is left out without a word.

use std::fs::read_to_string;
use std::path::Path;

/// The files of a folder that `names`, the text of the file above them, makes no module of.
fn left_out(folder: &Path, names: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module = path.join("mod.rs");
        let source = path.extension().is_some_and(|e| e == "rs");
        if !(module.exists() || source && !["main", "mod", "lib"].contains(&name)) {
            continue;
        }
        if !names
            .lines()
            .any(|l| l.trim_start_matches("pub ") == format!("mod {name};"))
        {
            found.push(path.display().to_string());
        }
        if module.exists() {
            left_out(&path, &read_to_string(module).unwrap(), found);
        }
    }
}

/// The modules of a program of tests, and the programs of one file beside it.
fn programs(package: &Path, main: &Path) -> String {
    let manifest = read_to_string(package.join("Cargo.toml")).unwrap();
    let others = manifest.split("[[test]]\nname = \"").skip(1);
    let others = others.map(|rest| format!("mod {};\n", rest.split('"').next().unwrap()));
    read_to_string(main).unwrap() + &others.collect::<String>()
}

#[test]
fn every_file_of_tests_is_run() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    left_out(here, &programs(here, &here.join("main.rs")), &mut found);
    for package in std::fs::read_dir(here.join("../crates")).unwrap() {
        let package = package.unwrap().path();
        let folder = package.join("tests");
        let main = folder.join("main.rs");
        if main.exists() {
            left_out(&folder, &programs(&package, &main), &mut found);
        }
    }
    assert_eq!(found, [""; 0]);
}
