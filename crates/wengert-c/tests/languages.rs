//! Exported functions, called from C++, Fortran and Python and on another processor. The programs are those of the book's
//! page, and some that make mistakes.

use std::path::Path;
use std::process::Command;

use wengert::prelude::*;
use wengert_c::{CError, Files, export};

use crate::common::suite::STRICT;
use crate::common::{Folder, compiler, python, ran, sanitised, tool};
use crate::objects::processors;

#[derive(Tree, Clone, Copy)]
struct Rates<T = Var> {
    growth: T,
    capacity: T,
}

/// The model of the page.
fn rate((r, x): (Rates, Var)) -> Var {
    wengert::check(x.ge(0.0).all(), "populations are not negative");
    r.growth * x * (1.0 - x / r.capacity)
}

fn logistic() -> Files {
    let of = (
        Rates {
            growth: 1.5,
            capacity: 10.0,
        },
        vec![1.0; 3],
    );
    let export = export(jit(rate), &of, "logistic").unwrap().derivatives();
    let export = match processors().first() {
        Some((processor, _)) => export.object(*processor),
        None => export,
    };
    export.fortran().python().files().unwrap()
}

/// A program of the page, if the book is here: it is not in a package.
fn program(language: &str) -> Option<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/languages.md");
    let Ok(page) = std::fs::read_to_string(page) else {
        eprintln!("the book is not here: this test has run nothing");
        return None;
    };
    let fence = format!("```{language}\n");
    let (_, rest) = page.split_once(&fence).expect("a program of the language");
    let (text, _) = rest.split_once("\n```").expect("the end of the program");
    Some(format!("{text}\n"))
}

/// What each program of the page prints.
const PRINTED: &str = "1.3500 2.4000 3.6000\n4.9000 0.3150\n1.2000 0.9000 0.3000\n";

/// Runs commands in a folder, one after the other; returns what the last one printed.
fn run(folder: &Folder, commands: &[&[&str]]) -> String {
    let mut out = vec![];
    for words in commands {
        let mut command = Command::new(words[0]);
        command.current_dir(folder.path()).args(&words[1..]);
        out = ran(&mut command).unwrap();
    }
    String::from_utf8(out).unwrap()
}

/// A folder with the files, and a program of the page.
fn folder(files: &Files, name: &str, text: &str) -> Folder {
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    folder.write(name, text);
    folder
}

#[test]
fn the_program_in_c() {
    let (Some(cc), Some(text)) = (compiler(), program("c")) else {
        return;
    };
    let folder = folder(&logistic(), "main.c", &text);
    for flags in [&["-O2"][..], sanitised()] {
        let mut build = vec![cc];
        build.extend(STRICT);
        build.extend(flags);
        build.extend(["logistic.c", "main.c", "-o", "program"]);
        assert_eq!(run(&folder, &[&build, &["./program"]]), PRINTED);
    }
    if !processors().is_empty() {
        let archive = ["ar", "rcs", "liblogistic.a", "logistic.o"];
        let build = [cc, "main.c", "liblogistic.a", "-o", "linked"];
        assert_eq!(run(&folder, &[&archive, &build, &["./linked"]]), PRINTED);
    }
    if tool("valgrind") {
        let build = [cc, "-O1", "-g", "logistic.c", "main.c", "-o", "plain"];
        let check = [
            "valgrind",
            "-q",
            "--error-exitcode=9",
            "--leak-check=full",
            "./plain",
        ];
        assert_eq!(run(&folder, &[&build, &check]), PRINTED);
    }
}

#[test]
fn the_program_in_cpp() {
    let (Some(cc), Some(text)) = (compiler(), program("cpp")) else {
        return;
    };
    let folder = folder(&logistic(), "main.cpp", &text);
    run(&folder, &[&[cc, "-O2", "-c", "logistic.c"]]);
    for cpp in ["g++", "clang++"] {
        if !tool(cpp) {
            continue;
        }
        for standard in ["-std=c++11", "-std=c++20"] {
            let build = [
                cpp,
                standard,
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "main.cpp",
                "logistic.o",
                "-o",
                "program",
            ];
            assert_eq!(run(&folder, &[&build, &["./program"]]), PRINTED, "{cpp}");
        }
    }
}

/// Names that C++, Fortran or Python keeps for itself, and names that differ in case alone.
#[test]
fn names_are_free_in_every_language() {
    let names = [
        "concept", "template", "I", "linux", "lambda", "None", "self", "out", "N", "n", "c_int",
        "scratch", "count",
    ];
    let args: Vec<(String, f64)> = names.iter().map(|n| (n.to_string(), 1.0)).collect();
    let args: std::collections::BTreeMap<String, f64> = args.into_iter().collect();
    let f = jit(|x: std::collections::BTreeMap<String, Var>| {
        let sum = x.values().fold(Var::from(0.0), |a, &b| a + b);
        std::collections::BTreeMap::from(
            [("pass", sum), ("y", sum * 2.0)].map(|(k, v)| (k.to_string(), v)),
        )
    });
    let files = export(f, &args, "words")
        .unwrap()
        .vjp()
        .fortran()
        .python()
        .files()
        .unwrap();
    let folder = folder(
        &files,
        "main.cpp",
        "#include <complex.h>\n#include \"words.h\"\nint main() { return 0; }\n",
    );
    if tool("g++") {
        run(
            &folder,
            &[&["g++", "-Wall", "-Werror", "-fsyntax-only", "main.cpp"]],
        );
    }
    if tool("gfortran") {
        run(
            &folder,
            &[&[
                "gfortran",
                "-std=f2008",
                "-Wall",
                "-Werror",
                "-fsyntax-only",
                "words.f90",
            ]],
        );
    }
    if let (Some(cc), Some(python)) = (compiler(), python("numpy")) {
        folder.write(
            "main.py",
            "import words\nm = words.Model()\nr = m.value(*[1.0] * 13)\nassert (r.pass_, r.y) == (13.0, 26.0), r\n\
             assert m.vjp(*[1.0] * 13, 1.0, 0.0).bar_lambda == 1.0\n",
        );
        run(
            &folder,
            &[
                &[
                    cc,
                    "-O1",
                    "-shared",
                    "-fPIC",
                    "words.c",
                    "-o",
                    "libwords.so",
                ],
                &[&python, "main.py"],
            ],
        );
    }
}

#[test]
fn the_program_in_fortran() {
    let (Some(cc), Some(text)) = (compiler(), program("fortran")) else {
        return;
    };
    if !tool("gfortran") {
        return;
    }
    let folder = folder(&logistic(), "main.f90", &text);
    let build = [
        "gfortran",
        "-std=f2008",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fcheck=all",
        "logistic.f90",
        "main.f90",
        "logistic.o",
        "-o",
        "program",
    ];
    let printed = run(
        &folder,
        &[&[cc, "-O2", "-c", "logistic.c"], &build, &["./program"]],
    );
    assert_eq!(printed, PRINTED);
}

/// Axes are in reverse, and numbers of every type arrive.
#[test]
fn arrays_of_fortran_are_those_of_c() {
    let Some(cc) = compiler() else { return };
    if !tool("gfortran") {
        return;
    }
    let f = jit(|(a, v, n, k): (Var, Var, Var, Var)| {
        let y = a.dot(v);
        (y, (n + 1, k.to(DType::I32) * 2), y.gt(5.0))
    });
    let args = (
        ShapeDtype::new([2, 3], DType::F64),
        ShapeDtype::new([3], DType::F64),
        ShapeDtype::scalar(DType::I64),
        ShapeDtype::new([2], DType::F32),
    );
    let files = export(f, args, "Mixed").unwrap().fortran().files().unwrap();
    let text = "program main
  use iso_c_binding
  use Mixed_module
  implicit none
  type(Mixed_scratch), allocatable :: scratch
  real(c_double) :: a(3, 2), v(3), y0(2)
  integer(c_int64_t) :: n
  integer(c_int32_t) :: k(2)
  integer(c_int8_t) :: above(2)
  integer :: i, j
  allocate (scratch)
  a = reshape([(real(i, c_double), i = 1, 6)], [3, 2])
  v = [1.0_c_double, 10.0_c_double, 100.0_c_double]
  if (Mixed(a, v, 41_c_int64_t, [3.0_c_float, 4.0_c_float], y0, n, k, above, scratch) /= MIXED_OK) stop 1
  do j = 1, 2
    if (y0(j) /= dot_product(a(:, j), v)) stop 2
  end do
  if (n /= 42 .or. any(k /= [6, 8]) .or. any(above /= 1)) stop 3
  print *, Mixed_error(0), ' ', Mixed_error(77)
end program
";
    let folder = folder(&files, "main.f90", text);
    let build = [
        "gfortran",
        "-Wall",
        "Mixed.f90",
        "main.f90",
        "Mixed.o",
        "-o",
        "program",
    ];
    let printed = run(
        &folder,
        &[&[cc, "-O1", "-c", "Mixed.c"], &build, &["./program"]],
    );
    assert_eq!(printed.trim(), "ok no status of this function");
}

#[test]
fn the_program_in_python() {
    let (Some(cc), Some(text), Some(python)) = (compiler(), program("python"), python("numpy"))
    else {
        return;
    };
    let folder = folder(&logistic(), "main.py", &text);
    let library = [
        cc,
        "-O2",
        "-shared",
        "-fPIC",
        "logistic.c",
        "-o",
        "liblogistic.so",
    ];
    assert_eq!(run(&folder, &[&library, &[&python, "main.py"]]), PRINTED);
    if !processors().is_empty() && tool("ld") {
        // Without a compiler.
        let library = ["ld", "-shared", "logistic.o", "-o", "liblogistic.so"];
        assert_eq!(run(&folder, &[&library, &[&python, "main.py"]]), PRINTED);
    }
}

/// What people get wrong in Python is an error that says what is wrong, and threads do not disturb one another.
#[test]
fn mistakes_in_python_are_errors() {
    let (Some(cc), Some(python)) = (compiler(), python("numpy")) else {
        return;
    };
    let f = jit(|(a, n, flag, single): (Var, Var, Var, Var)| {
        let y = flag.select(a.dot(a.t()).sin(), 0.0) * n.to(DType::F64);
        (y, single.sum())
    });
    let args = (
        ShapeDtype::new([2, 3], DType::F64),
        ShapeDtype::scalar(DType::I64),
        ShapeDtype::scalar(DType::Bool),
        ShapeDtype::new([2], DType::F32),
    );
    let files = export(f, args, "mixed")
        .unwrap()
        .jvp()
        .python()
        .files()
        .unwrap();
    let text = r#"
import threading
import numpy as np
import mixed

def fails(kind, words, call, *args, **named):
    try:
        call(*args, **named)
    except kind as e:
        for word in words:
            assert word in str(e), (word, str(e))
    else:
        raise AssertionError(f"nothing is said of {words}")

try:
    mixed.Model()
except FileNotFoundError as e:
    assert "cc -O2" in str(e), e
fails(OSError, ["nowhere.so"], mixed.Model, "./nowhere.so")
model = mixed.Model("./elsewhere.so")
a = np.arange(6.0).reshape(2, 3)
single = np.ones(2, np.float32)
own = np.sin(a @ a.T) * 3
y = model.value(a, 3, True, single)
assert np.allclose(y.y0, own, rtol=1e-14) and y.y1 == 2 and y.y1.dtype == np.float32, y
# Whatever NumPy makes arrays of, and other orders in memory.
assert (model.value(a.tolist(), np.int32(3), np.bool_(True), single)[0] == y.y0).all()
assert (model.value(np.asfortranarray(a), 3, True, single)[0] == y.y0).all()
assert (model.value(np.arange(12.0).reshape(2, 6)[:, ::2] / 2, 3, True, single)[0] == y.y0).all()
assert (model.value(a.astype(">f8"), 3, True, single)[0] == y.y0).all()
assert (model.value(a.astype(np.int32), 3, True, single)[0] == y.y0).all()
odd = np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float64).reshape(2, 3)
assert (model.value(odd, 3, True, single)[0] == y.y0).all()
# Mistakes.
fails(ValueError, ["x0", "(2, 3)", "(3, 2)"], model.value, a.T, 3, True, single)
fails(TypeError, ["x3", "float32", "float64", "astype"], model.value, a, 3, True, np.ones(2))
fails(TypeError, ["x1", "int64", "float64"], model.value, a, 3.5, True, single)
fails(TypeError, ["x2", "bool", "int64"], model.value, a, 3, 1, single)
fails(TypeError, ["x0", "complex128"], model.value, a + 1j, 3, True, single)
fails(TypeError, ["x0"], model.value, "abc", 3, True, single)
fails(OverflowError, [], model.value, a, 2**70, True, single)
fails(TypeError, ["x3"], model.value, a, 3, True)
big = np.empty((2, 4))
fails(ValueError, ["2 arrays"], model.value, a, 3, True, single, out=[big])
fails(TypeError, ["y1", "float64"], model.value, a, 3, True, single, out=[np.empty((2, 2)), np.empty(())])
fails(ValueError, ["y0", "contiguous"], model.value, a, 3, True, single, out=[big[:, ::2], np.empty((), np.float32)])
same = np.ones(3, np.float32)
fails(ValueError, ["y1", "x3", "share"], model.value, a, 3, True, same[:2], out=[np.empty((2, 2)), same[1:2].reshape(())])
out = model.value(a, 3, True, single, out=[np.empty((2, 2)), np.empty((), np.float32)])
assert (out.y0 == y.y0).all() and out.y1 == 2
y, _, dy, ds = model.jvp(a, 3, True, single, dx0=np.ones((2, 3)), dx3=single)
assert ds == 2 and dy.shape == (2, 2)
assert "float64 (2, 3), args.0" in mixed.Model.jvp.__doc__ and "tangent" in mixed.Model.jvp.__doc__

def work(k, found):
    mine = a + k
    wanted = np.sin(mine @ mine.T)
    found[k] = all(np.allclose(model.value(mine, 1, True, single)[0], wanted, rtol=1e-13) for _ in range(500))

found = {}
threads = [threading.Thread(target=work, args=(k, found)) for k in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
assert len(found) == 4 and all(found.values())
print("well")
"#;
    let folder = folder(&files, "main.py", text);
    let library = [
        cc,
        "-O2",
        "-shared",
        "-fPIC",
        "mixed.c",
        "-o",
        "elsewhere.so",
    ];
    let printed = run(&folder, &[&library, &[&python, "main.py"]]);
    assert_eq!(printed, "well\n");
}

/// 64-bit ARM computes the same bits.
#[test]
fn another_processor_computes_the_same_bits() {
    if !tool("aarch64-linux-gnu-gcc") || !tool("qemu-aarch64") {
        return;
    }
    let f = jit(|x: Var| (x.sin() * x.exp() + x.abs().pow(1.7) / x.lgamma()).cumsum(0));
    let x: Vec<f64> = (0..40).map(|i| 0.37 * i as f64 - 5.1).collect();
    let y = f.call(&x).unwrap().to_vec::<f64>().unwrap();
    let files = export(f, &x, "waves").unwrap().files().unwrap();
    let main = "#include <stdio.h>\n#include <string.h>\n#include \"waves.h\"\nint main(void) {
  static waves_scratch scratch;
  double x[40], y[40];
  for (int i = 0; i < 40; i++) x[i] = 0.37 * i - 5.1;
  if (waves(x, y, &scratch)) return 1;
  for (int i = 0; i < 40; i++) {
    uint64_t b;
    memcpy(&b, y + i, 8);
    printf(\"%016llx\\n\", (unsigned long long)b);
  }
  return 0;
}\n";
    let folder = folder(&files, "main.c", main);
    let mut build = vec!["aarch64-linux-gnu-gcc"];
    build.extend(STRICT);
    // Contraction in `main` would give it other arguments.
    build.extend([
        "-O2",
        "-ffp-contract=off",
        "-static",
        "waves.c",
        "main.c",
        "-o",
        "program",
    ]);
    let printed = run(&folder, &[&build, &["qemu-aarch64", "./program"]]);
    let expected: String = y
        .iter()
        .map(|y| format!("{:016x}\n", y.to_bits()))
        .collect();
    assert_eq!(printed, expected);
}

#[test]
fn names_that_a_language_cannot_have_are_refused() {
    let sum = || jit(|x: Var| x.sum());
    for name in ["exp", "time", "read", "requires", "linux"] {
        let e = export(sum(), [1.0], name).unwrap_err().to_string();
        assert!(e.contains("cannot name a function"), "{name}: {e}");
    }
    let message = |e: Result<Files, CError>| e.unwrap_err().to_string();
    for name in ["numpy", "lambda"] {
        let e = message(export(sum(), [1.0], name).unwrap().python().files());
        assert!(e.contains("Python") && e.contains(name), "{e}");
    }
    let long = "a".repeat(60);
    let e = message(export(sum(), [1.0], &long).unwrap().fortran().files());
    assert!(e.contains("Fortran") && e.contains("63"), "{e}");
}
