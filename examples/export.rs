//! A model with its gradient as C: the predator-prey model of the example `lynx_hare`, its sum of squares at the fit, and
//! the same bits from a program of C that knows nothing of Rust.
//!
//! Writes `lynx_hare.h`, `lynx_hare.c` and, on Linux, `lynx_hare.o` into a folder, and, where there is a C compiler, a
//! `main.c` that calls them; compiles it, runs it with the source and with the object, and compares: here, with checks of
//! its accesses and arithmetic, and, by a cross compiler and an emulator, on 64-bit ARM.
//!
//! `cargo run --release --example export -- FOLDER`

use std::array::from_fn;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use wengert::prelude::*;
use wengert_c::Processor;
use wengert_solve::fit::LevenbergMarquardt;

/// Years of data, and Runge–Kutta steps per year.
const YEARS: usize = 21;
const STEPS: usize = 20;

/// The time of a call is that of the fastest of so many runs of so many calls.
const RUNS: usize = 50;
const CALLS: usize = 200;

/// The files that have the functions.
const SOURCE: &str = "lynx_hare.c";
const OBJECT: &str = "lynx_hare.o";

/// The logarithms of the rates, and of the populations of 1900.
#[derive(Tree, Clone, Copy, Debug)]
struct Model<T = Var> {
    alpha: T,
    beta: T,
    gamma: T,
    delta: T,
    hares: T,
    lynx: T,
}

impl Model {
    fn rate(&self, [x, y]: [Var; 2]) -> [Var; 2] {
        [
            self.alpha * x - self.beta * x * y,
            self.delta * x * y - self.gamma * y,
        ]
    }

    /// One step of the classical Runge–Kutta method.
    fn step(&self, s: [Var; 2]) -> [Var; 2] {
        let h = 1.0 / STEPS as f64;
        let along = |k: [Var; 2], h: f64| from_fn(|i| s[i] + h * k[i]);
        let k1 = self.rate(s);
        let k2 = self.rate(along(k1, h / 2.0));
        let k3 = self.rate(along(k2, h / 2.0));
        let k4 = self.rate(along(k3, h));
        from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// Both populations, once a year.
    fn each_year(&self) -> [Var; 2] {
        let start = [self.hares, self.lynx];
        let year = |s, _| {
            let next = fori(0..STEPS, s, |_, s| self.step(s));
            (next, next)
        };
        let (_, later) = scan(start, 0..YEARS - 1, year);
        from_fn(|i| concat([start[i].reshape([1]), later[i]], 0))
    }
}

/// Thousands of pelts a year: hares, and lynx.
fn pelts() -> [Vec<f64>; 2] {
    let text = include_str!("../data/lynx_hare.csv");
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let column = |i: usize| {
        let field = |line: &str| line.split(',').nth(i).and_then(|x| x.parse().ok());
        lines.clone().map(|l| field(l).expect("a number")).collect()
    };
    [column(2), column(1)]
}

/// The differences between model and data, in logarithms.
fn residuals(q: Model, data: &[Vec<f64>; 2]) -> [Var; 2] {
    let found = tree::map(q, Var::exp).each_year();
    from_fn(|i| (found[i] / Array::from(&data[i])).ln())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("wengert-export"));
    std::fs::create_dir_all(&folder)?;
    let data = pelts();

    // The fit, from a point of the right magnitude.
    let start = Model {
        alpha: 0.5f64.ln(),
        beta: 0.03f64.ln(),
        gamma: 0.8f64.ln(),
        delta: 0.03f64.ln(),
        hares: 30f64.ln(),
        lynx: 5f64.ln(),
    };
    let given = data.clone();
    let options = LevenbergMarquardt::new().xtol(1e-10).radius(0.1);
    let fit =
        jit(move |start: Model| options.least_squares(|q: Model| residuals(q, &given), start));
    let best = fit.call(start)?.ok()?.params;

    // What is exported: the sum of squares and its gradient.
    let loss = move |q: Model| {
        let [x, y] = residuals(q, &data);
        (x.square() + y.square()).sum()
    };
    let f = std::sync::Arc::new(jit(value_and_grad(loss)));
    let export = wengert_c::export(f.clone(), &best, "lynx_hare")?;
    let files = match cfg!(target_os = "linux") {
        true => export.object(Processor::Host).files()?,
        false => export.files()?,
    };
    files.write_to(&folder)?;
    let lines = files.source.lines().count();
    println!(
        "lynx_hare.h and lynx_hare.c ({lines} lines) are in {}",
        folder.display()
    );

    let code = f.compile(&best)?;
    let mut out = f.call(&best)?;
    let mut own = f64::INFINITY;
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..CALLS {
            code.call_into(&best, &mut out)?;
        }
        own = own.min(began.elapsed().as_secs_f64() / CALLS as f64);
    }
    let (rss, gradient) = &out;
    let rss = rss.item::<f64>()?;
    println!("residual sum of squares {rss:.10}");

    let mut expected = vec![rss.to_bits()];
    for g in tree::leaves(gradient) {
        expected.push(g.item::<f64>()?.to_bits());
    }
    let point: Vec<String> = tree::leaves(&best)
        .iter()
        .map(|q| Ok(format!("UINT64_C({:#x})", q.item::<f64>()?.to_bits())))
        .collect::<wengert::Result<_>>()?;
    std::fs::write(folder.join("main.c"), program(&point.join(", ")))?;
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // Without a fused multiply-add the functions take several times as long.
    let fused = cfg!(target_arch = "x86_64").then_some("-mfma");
    let mut flags = vec!["-O2"];
    flags.extend(fused);
    let many = RUNS.to_string();
    match in_c(
        &folder,
        SOURCE,
        &[&cc],
        &flags,
        &["./lynx_hare", &many],
        &expected,
    )? {
        None => println!("there is no C compiler here, so nothing is called from C"),
        Some(seconds) => println!(
            "C has the same bits, and takes {:.2} µs a call; here it is {:.2} µs",
            1e6 * seconds,
            1e6 * own
        ),
    }
    let object = match files.object {
        Some(_) => in_c(
            &folder,
            OBJECT,
            &[&cc],
            &flags,
            &["./lynx_hare", &many],
            &expected,
        )?,
        None => None,
    };
    if let Some(seconds) = object {
        println!("so does the object, in {:.2} µs", 1e6 * seconds);
    }
    let mut checks = vec![
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    checks.extend(fused);
    let elsewhere = [
        Elsewhere {
            what: "clang",
            compiler: "clang",
            flags: &["-O2"],
            ..Elsewhere::default()
        },
        Elsewhere {
            what: "the sanitizers of the compiler",
            compiler: &cc,
            flags: &checks,
            ..Elsewhere::default()
        },
        Elsewhere {
            what: "valgrind",
            compiler: &cc,
            flags: &["-O1", "-g"],
            runner: &["valgrind", "-q", "--error-exitcode=9"],
        },
        Elsewhere {
            what: "64-bit ARM, emulated,",
            compiler: "aarch64-linux-gnu-gcc",
            flags: &["-O2", "-static"],
            runner: &["qemu-aarch64"],
        },
    ];
    for e in elsewhere {
        let runner = e.runner.first().copied();
        let needed: Vec<&str> = std::iter::once(e.compiler).chain(runner).collect();
        let command = [e.runner, &["./lynx_hare", "1"]].concat();
        match in_c(&folder, SOURCE, &needed, e.flags, &command, &expected)? {
            None => println!(
                "{} is not here: {} has run nothing",
                needed.join(", or a part of it, or "),
                e.what
            ),
            Some(_) => println!("{} has the same bits", e.what),
        }
    }
    Ok(())
}

/// Another compiler, and what runs its program.
#[derive(Default)]
struct Elsewhere<'a> {
    what: &'a str,
    compiler: &'a str,
    flags: &'a [&'a str],
    /// The words before the program's.
    runner: &'a [&'a str],
}

/// A program of C that calls the function at a point.
fn program(point: &str) -> String {
    format!(
        r#"#include "lynx_hare.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char** argv) {{
  static lynx_hare_scratch scratch;
  const uint64_t point[6] = {{{point}}};
  double q[6], y[7];
  memcpy(q, point, sizeof(q));
  double seconds = 1e9;
  const int runs = argc > 1 ? atoi(argv[1]) : 1;
  for (int run = 0; run < runs; run++) {{
    const clock_t begun = clock();
    for (int i = 0; i < {CALLS}; i++) {{
      const int status = lynx_hare(q, q + 1, q + 2, q + 3, q + 4, q + 5,
                                   y, y + 1, y + 2, y + 3, y + 4, y + 5, y + 6, &scratch);
      if (status) {{
        fputs(lynx_hare_message(status), stderr);
        return 1;
      }}
    }}
    const double each = (double)(clock() - begun) / CLOCKS_PER_SEC / {CALLS};
    if (each < seconds) seconds = each;
  }}
  for (int i = 0; i < 7; i++) {{
    uint64_t bits;
    memcpy(&bits, y + i, 8);
    printf("%llx\n", (unsigned long long)bits);
  }}
  printf("%.9f\n", seconds);
  return 0;
}}
"#
    )
}

/// Compiles the program, runs it with the functions of a file, and compares its results; returns the seconds of a call, or
/// `None` if one of the programs that are needed, of which the first is the compiler, is not here, or the compiler makes no
/// program with these flags.
fn in_c(
    folder: &PathBuf,
    file: &str,
    needed: &[&str],
    flags: &[&str],
    command: &[&str],
    expected: &[u64],
) -> Result<Option<f64>, Box<dyn Error>> {
    let here = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    if !needed.iter().all(here) {
        return Ok(None);
    }
    std::fs::write(folder.join("empty.c"), "int main(void) { return 0; }\n")?;
    let empty = Command::new(needed[0])
        .current_dir(folder)
        .args(flags)
        .args(["empty.c", "-o", "empty"])
        .output()?;
    if !empty.status.success() {
        return Ok(None);
    }
    let run = |words: &[&str]| -> Result<String, Box<dyn Error>> {
        let output = Command::new(words[0])
            .current_dir(folder)
            .args(&words[1..])
            .output()?;
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout)?),
            false => Err(format!(
                "{}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )
            .into()),
        }
    };
    let strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    let files = [file, "main.c", "-o", "lynx_hare"];
    run(&[&needed[..1], &strict, flags, &files].concat())?;
    let text = run(command)?;
    let mut lines = text.lines();
    for (i, &bits) in expected.iter().enumerate() {
        let got = lines.next().ok_or("too few results")?;
        if u64::from_str_radix(got, 16)? != bits {
            return Err(format!("result {i} is {got} in C and {bits:x} here").into());
        }
    }
    Ok(Some(lines.next().ok_or("no time")?.parse()?))
}
