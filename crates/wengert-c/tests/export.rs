//! Exported functions, called from C.

use std::process::Command;

use wengert::prelude::*;
use wengert_c::{CError, Files, export};
use wengert_solve::de::{Ode, Tsit5};

use crate::common::suite::STRICT;
use crate::common::{Folder, compiler, ran, sanitised};

/// Compiles a source and a `main` with these flags, and runs it; returns the lines that it prints.
fn printed(files: &Files, main: &str, flags: &[&str]) -> Option<Vec<String>> {
    let cc = compiler()?;
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    let name = format!("{}.c", files.name);
    let main = format!(
        "#include <stdio.h>\n#include <string.h>\n#include \"{}.h\"\n{main}",
        files.name
    );
    folder.write("main.c", &main);
    let mut command = Command::new(cc);
    command.current_dir(folder.path());
    command
        .args(STRICT)
        .args(flags)
        .args([&name, "main.c", "-o", "program"]);
    ran(&mut command).unwrap();
    let out = ran(Command::new("./program").current_dir(folder.path())).unwrap();
    Some(
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(String::from)
            .collect(),
    )
}

/// The bits of numbers, as the programs print them.
fn bits(xs: &[f64]) -> Vec<String> {
    xs.iter().map(|x| format!("{:016x}", x.to_bits())).collect()
}

/// A function of C that prints the bits of numbers.
const SHOW: &str = "static void show(const double* x, int n) {
  for (int i = 0; i < n; i++) {
    uint64_t b;
    memcpy(&b, x + i, 8);
    printf(\"%016llx\\n\", (unsigned long long)b);
  }
}
";

#[derive(Tree, Clone, Copy)]
struct Rates<T = Var> {
    growth: T,
    table: T,
}

fn model((r, x): (Rates, Var)) -> (Var, Var) {
    let y = (x * r.growth).sin() + r.table.dot(x);
    (y, (y.exp() * Array::from([0.5, 0.25, 2.0])).sum())
}

#[test]
fn values_and_derivatives_have_the_bits_of_the_compiled_function() {
    let args = (
        Rates {
            growth: Array::from(1.7),
            table: Array::from([[0.1, 0.2, -0.3], [0.4, -0.5, 0.6], [0.7, 0.8, 0.9]]),
        },
        Array::from([0.3, -1.2, 0.7]),
    );
    let f = jit(model);
    let files = export(f, &args, "model")
        .unwrap()
        .derivatives()
        .files()
        .unwrap();
    for line in [
        "int model(const double* growth, const double* table, const double* x1, double* y0, double* y1, model_scratch* scratch);",
        "   in  table: f64[3,3], args.0.table",
        "  out  dy1_dtable: f64[3,3], d out.1 / d args.0.table",
    ] {
        assert!(
            files.header.contains(line),
            "{line} is not in\n{}",
            files.header
        );
    }
    let main = format!(
        "{SHOW}int main(void) {{
  static model_scratch scratch;
  const double growth = 1.7, x[3] = {{0.3, -1.2, 0.7}};
  const double table[9] = {{0.1, 0.2, -0.3, 0.4, -0.5, 0.6, 0.7, 0.8, 0.9}};
  const double bar0[3] = {{0, 0, 0}}, bar1 = 1;
  double y[3], s, dy[3], ds, dgrowth, dtable[9], dx[3], big[27], row[9], square[9];
  if (model(&growth, table, x, y, &s, &scratch)) return 1;
  show(y, 3);
  show(&s, 1);
  if (model_jvp(&growth, table, x, &bar1, table, x, y, &s, dy, &ds, &scratch)) return 2;
  show(dy, 3);
  show(&ds, 1);
  if (model_vjp(&growth, table, x, bar0, &bar1, y, &s, &dgrowth, dtable, dx, &scratch)) return 3;
  show(&dgrowth, 1);
  show(dtable, 9);
  show(dx, 3);
  if (model_jac(&growth, table, x, y, &s, dy, big, square, &dgrowth, row, dx, &scratch)) return 4;
  show(square, 9);
  show(dx, 3);
  printf(\"%s\\n\", model_message(0));
  return 0;
}}
"
    );
    let f = jit(model);
    let (y, s) = f.call(&args).unwrap();
    let g = |(r, x)| {
        jvp(
            model,
            (r, x),
            (
                Rates {
                    growth: Var::from(1.0),
                    table: r.table,
                },
                x,
            ),
        )
    };
    let (_, (dy, ds)) = jit(move |a: (Rates, Var)| g(a)).call(&args).unwrap();
    let pulled = jit(|(a, w): ((Rates, Var), (Var, Var))| vjp(model, a).1(w));
    let (r, dx) = pulled.call((&args, ([0.0; 3], 1.0))).unwrap();
    let ((_, jx), (_, j1)) = jit(jacfwd(model)).call(&args).unwrap();
    let all = |arrays: &[&Array]| -> Vec<f64> {
        arrays
            .iter()
            .flat_map(|a| a.to_vec::<f64>().unwrap())
            .collect()
    };
    let mut expected = bits(&all(&[&y, &s, &dy, &ds]));
    let gradient = bits(&all(&[&r.growth, &r.table, &dx]));
    let jacobian = bits(&all(&[&jx, &j1]));
    expected.extend(gradient.iter().cloned());
    expected.extend(jacobian.iter().cloned());
    expected.push("ok".into());
    for flags in [&["-O2"][..], &["-O3", "-march=native"], sanitised()] {
        let Some(got) = printed(&files, &main, flags) else {
            return;
        };
        assert_eq!(got.len(), expected.len());
        // The Jacobian by reverse mode may round otherwise than that by forward mode, and everything else not.
        assert_eq!(got[..21], expected[..21], "{flags:?}");
        assert_eq!(got.last(), expected.last());
        let number = |s: &String| f64::from_bits(u64::from_str_radix(s, 16).unwrap());
        for (a, b) in got[21..33].iter().zip(&jacobian) {
            assert!((number(a) - number(b)).abs() <= 1e-14, "{a} {b}");
        }
    }
}

/// Nothing is taken from any library but memcpy and memset, which a compiler may ask for itself.
#[test]
fn a_source_is_free_of_libraries() {
    let Some(cc) = compiler() else { return };
    let f = jit(|x: Var| (x.sqrt() + x.pow(1.3).floor() % 0.7).cumsum(0) * x.lgamma());
    let files = export(f, vec![0.5; 5], "free_model")
        .unwrap()
        .vjp()
        .files()
        .unwrap();
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    let object = folder.path().join("model.o");
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command
        .args(["-O2", "-ffreestanding", "-c", "free_model.c", "-o"])
        .arg(&object);
    ran(&mut command).unwrap();
    let Ok(names) = ran(Command::new("nm").arg("-u").arg(&object)) else {
        return;
    };
    let names = String::from_utf8(names).unwrap();
    let wanted: Vec<&str> = names.split_whitespace().filter(|w| *w != "U").collect();
    let known = ["memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_"];
    assert!(wanted.iter().all(|w| known.contains(w)), "{wanted:?}");
}

/// A whole adaptive integration, with the gradient through all its steps.
#[test]
fn a_solver_is_exported_with_its_gradient() {
    let solve = |(mu, u): (Var, Var)| {
        let s = Ode::new(Tsit5).rtol(1e-8).atol(1e-8).solve(
            |_, [x, v]: [Var; 2]| [v, mu * (1.0 - x.square()) * v - x],
            [u.at(0), u.at(1)],
            0.0,
            3.0,
        );
        (s.y[0] + s.y[1], s.steps)
    };
    let loss = move |a: (Var, Var)| solve(a);
    let args = (1.5, [2.0, 0.0]);
    let files = export(jit(loss), args, "vdp")
        .unwrap()
        .list_bytes(1 << 18)
        .vjp()
        .files()
        .unwrap();
    let main = format!(
        "{SHOW}static vdp_scratch scratch;
int main(void) {{
  const double mu = 1.5, u[2] = {{2, 0}}, one = 1;
  double y, dmu, du[2];
  int64_t steps;
  if (vdp(&mu, u, &y, &steps, &scratch)) return 1;
  show(&y, 1);
  printf(\"%d\\n\", (int)steps);
  if (vdp_vjp(&mu, u, &one, &y, &steps, &dmu, du, &scratch)) return 2;
  show(&dmu, 1);
  show(du, 2);
  return 0;
}}
"
    );
    let (y, steps) = jit(loss).call(args).unwrap();
    let (dmu, du) = jit(grad(move |a: (Var, Var)| loss(a).0))
        .call(args)
        .unwrap();
    let Some(got) = printed(&files, &main, &["-O2"]) else {
        return;
    };
    let mut expected = bits(&y.to_vec::<f64>().unwrap());
    expected.push(steps.item::<i64>().unwrap().to_string());
    expected.extend(bits(&dmu.to_vec::<f64>().unwrap()));
    expected.extend(bits(&du.to_vec::<f64>().unwrap()));
    assert_eq!(got, expected);

    // With too little memory for the lists the call says so.
    let files = export(jit(loss), args, "vdp")
        .unwrap()
        .list_bytes(256)
        .vjp()
        .files()
        .unwrap();
    let main = main.replace(
        "return 2;",
        "{ puts(vdp_message(VDP_LISTS_FULL)); return 0; }",
    );
    let got = printed(&files, &main, sanitised()).unwrap();
    assert_eq!(got[2], "the scratch for lists is full");
}

/// A loop whose length the data decide, with the gradient through all its steps: what it keeps is in the scratch.
#[test]
fn a_loop_of_unknown_length_is_exported_with_its_gradient() {
    // Steps of Heun's method, as long as their error allows.
    let solve = |(mu, u): (Var, Var)| {
        let rate = move |[x, v]: [Var; 2]| [v, mu * (1.0 - x.square()) * v - x];
        let step = move |(t, h, y, n): (Var, Var, [Var; 2], Var)| {
            let h = h.minimum(3.0 - t);
            let a = rate(y);
            let b = rate([y[0] + h * a[0], y[1] + h * a[1]]);
            let next = [0, 1].map(|i| y[i] + 0.5 * h * (a[i] + b[i]));
            let error = 0.5 * h * (a[0] - b[0]).hypot(a[1] - b[1]) / 1e-3;
            let good = error.le(1.0);
            let wider = h * (0.9 / error.sqrt()).clip(0.3, 3.0);
            let y = [0, 1].map(|i| good.select(next[i], y[i]));
            (good.select(t + h, t), wider, y, n + 1)
        };
        let begin = (
            Var::from(0.0),
            Var::from(0.01),
            [u.at(0), u.at(1)],
            Var::from(0i64),
        );
        let (_, _, y, n) = while_loop(begin, |s| s.0.lt(3.0), step);
        (y[0] + y[1], n)
    };
    let args = (1.5, [2.0, 0.0]);
    let files = export(jit(solve), args, "vdp")
        .unwrap()
        .list_bytes(1 << 18)
        .vjp()
        .files()
        .unwrap();
    let main = format!(
        "{SHOW}static vdp_scratch scratch;
int main(void) {{
  const double mu = 1.5, u[2] = {{2, 0}}, one = 1;
  double y, dmu, du[2];
  int64_t steps;
  if (vdp(&mu, u, &y, &steps, &scratch)) return 1;
  show(&y, 1);
  printf(\"%d\\n\", (int)steps);
  if (vdp_vjp(&mu, u, &one, &y, &steps, &dmu, du, &scratch)) return 2;
  show(&dmu, 1);
  show(du, 2);
  return 0;
}}
"
    );
    let (y, steps) = jit(solve).call(args).unwrap();
    let pulled = jit(move |(a, w): ((Var, Var), Var)| vjp_aux(solve, a).1(w));
    let (dmu, du) = pulled.call((args, 1.0)).unwrap();
    let Some(got) = printed(&files, &main, &["-O2"]) else {
        return;
    };
    let mut expected = bits(&y.to_vec::<f64>().unwrap());
    expected.push(steps.item::<i64>().unwrap().to_string());
    expected.extend(bits(&dmu.to_vec::<f64>().unwrap()));
    expected.extend(bits(&du.to_vec::<f64>().unwrap()));
    assert_eq!(got, expected);
    assert!(steps.item::<i64>().unwrap() > 20);

    // With too little memory for the lists the call says so.
    let files = export(jit(solve), args, "vdp")
        .unwrap()
        .list_bytes(256)
        .vjp()
        .files()
        .unwrap();
    let main = main.replace(
        "return 2;",
        "{ puts(vdp_message(VDP_LISTS_FULL)); return 0; }",
    );
    let got = printed(&files, &main, sanitised()).unwrap();
    assert_eq!(got[2], "the scratch for lists is full");
}

#[test]
fn failures_are_statuses_with_the_users_line() {
    let f = |x: Var| {
        wengert::check(x.gt(0.0), "x must be positive");
        while_loop(x, |x| x.lt(100.0), |x| x * 1.5)
    };
    let line = line!() - 3;
    let files = export(jit(f).max_steps(20), 1.0, "grow")
        .unwrap()
        .files()
        .unwrap();
    let main = "int main(void) {
  grow_scratch scratch;
  const double x[3] = {1, -1, 1e-9};
  double y;
  for (int i = 0; i < 3; i++) printf(\"%s\\n\", grow_message(grow(x + i, &y, &scratch)));
  return 0;
}
";
    let Some(got) = printed(&files, main, &["-O2"]) else {
        return;
    };
    assert_eq!(got[0], "ok");
    assert!(
        got[1].contains("x must be positive") && got[1].contains(&format!("export.rs:{line}")),
        "{got:?}"
    );
    assert!(
        got[2].contains("more than 20 steps") && got[2].contains("export.rs:"),
        "{got:?}"
    );
}

#[test]
fn what_has_no_c_is_an_error_that_says_what_to_do() {
    let message = |e: Result<Files, CError>| e.unwrap_err().to_string();
    let sum = || jit(|x: Var| x.sum());
    for name in ["int", "2nd", "a-b", "add_i64", ""] {
        let e = export(sum(), [1.0], name).unwrap_err().to_string();
        assert!(e.contains("cannot name a function"), "{name}: {e}");
    }
    let calls = jit(|x: Var| {
        wengert::debug_print("x is {}", [x]);
        x * 2.0
    });
    let e = message(export(calls, 1.0, "calls").unwrap().files());
    let place = format!("export.rs:{}", line!() - 4);
    assert!(
        e.contains("a call of the host at ") && e.contains(&place) && e.contains("leave it out"),
        "{e}"
    );
    let e = message(export(sum(), [1i64, 2], "sums").unwrap().casadi().files());
    assert!(e.contains("CasADi") && e.contains("i64[2]"), "{e}");
    let e = message(export(sum(), [1.0, 2.0], "sums").unwrap().rhs().files());
    assert!(
        e.contains("wanted is a function of a time, a state and parameters"),
        "{e}"
    );
    let e = message(
        export(jit(|x: Var| x * 2.0), [1.0, 2.0], "twice")
            .unwrap()
            .scipy()
            .files(),
    );
    assert!(e.contains("one number is wanted"), "{e}");
}

#[test]
fn lines_of_rust_are_in_the_source() {
    let f = || jit(|x: Var| (x.sin() * 2.0).cumsum(0));
    let files = export(f(), ShapeDtype::new([500], DType::F64), "run").unwrap();
    assert!(files.files().unwrap().source.contains("export.rs:"));
    let source = files.lines().files().unwrap().source;
    assert!(
        source
            .lines()
            .any(|l| l.starts_with("#line ") && l.contains("export.rs")),
        "{source}"
    );
}

#[test]
fn no_memory_is_touched_that_is_not_the_callers() {
    if compiler().is_none() || Command::new("valgrind").arg("--version").output().is_err() {
        return;
    }
    let folder = Folder::new();
    let f = jit(|x: Var| {
        let y = while_loop(x, |x| x.sum().lt(50.0), |x| x * 1.5);
        vmap(|y: Var| (y * 0.1).exp())(y).sort(0)
    });
    let files = export(f, vec![0.5; 40], "grown")
        .unwrap()
        .vjp()
        .files()
        .unwrap();
    files.write_to(folder.path()).unwrap();
    folder.write(
        "main.c",
        "#include <stdlib.h>\n#include \"grown.h\"\nint main(void) {
  double* x = malloc(5 * 40 * sizeof(double));
  grown_scratch* scratch = malloc(sizeof(grown_scratch));
  for (int i = 0; i < 40; i++) x[i] = 0.01 * (i % 7) + 0.1, x[40 + i] = 1;
  int s = grown_vjp(x, x + 40, x + 80, x + 120, scratch);
  double sum = 0;
  for (int i = 0; i < 40; i++) sum += x[120 + i];
  free(scratch);
  s |= !(sum > 0);
  free(x);
  return s;
}\n",
    );
    let cc = compiler().unwrap();
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command.args(["-O1", "-g", "grown.c", "main.c", "-o", "program"]);
    ran(&mut command).unwrap();
    let mut command = Command::new("valgrind");
    command.current_dir(folder.path());
    command.args(["-q", "--error-exitcode=9", "--leak-check=full", "./program"]);
    ran(&mut command).unwrap();
}
