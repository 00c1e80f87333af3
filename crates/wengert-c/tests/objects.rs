//! Objects: machine code that is linked into programs of C.

use std::process::Command;

use wengert::prelude::*;
use wengert_c::{CError, Files, Processor, export};
use wengert_check::conformance::{check, files, functions, generated, operations};
use wengert_check::program::Limits;
use wengert_jit::Cpu;
use wengert_solve::de::{Ode, Tsit5};

use crate::common::suite::{Linked, STRICT};
use crate::common::{Folder, compiler, ran, tool};

/// The processors for which code can run here: the one that is asked for most, and the one that lacks most.
pub fn processors() -> Vec<(Processor, Cpu)> {
    let all = match cfg!(target_arch = "x86_64") {
        true => vec![
            (Processor::X86_64V3, Cpu::X86_64_V3),
            (Processor::X86_64, Cpu::X86_64),
        ],
        false => vec![(Processor::Arm64, Cpu::ARM64)],
    };
    let is_elf = cfg!(all(unix, not(target_vendor = "apple")));
    let mut all = all;
    all.retain(|(_, cpu)| is_elf && cpu.runs_here());
    if all.is_empty() {
        eprintln!("no object can run here: this test has run nothing");
    }
    all
}

#[test]
fn objects_compute_what_every_back_end_must() {
    if compiler().is_none() {
        return;
    }
    let limits = Limits {
        depth: 3,
        nesting: 2,
    };
    let count = std::env::var("WENGERT_C_PROGRAMS").map_or(60, |n| n.parse().unwrap());
    let mut examples = [files(), operations()].concat();
    examples.extend(generated(4001, count / 2, &limits).unwrap());
    let all = processors();
    for (_, cpu) in &all {
        check(&Linked(*cpu), &examples).unwrap();
    }
    if let Some((_, cpu)) = all.first() {
        let mut more = functions();
        more.extend(generated(5001, count / 2, &limits).unwrap());
        check(&Linked(*cpu), &more).unwrap();
    }
}

/// Links a `main` with the object for each processor that is here, and with a shared library that is made of it, and, if it
/// is wanted, with the source; runs each, compares, and returns the lines that they print.
fn printed(made: impl Fn(Processor) -> Files, main: &str, source: bool) -> Option<Vec<String>> {
    let cc = compiler()?;
    let mut all: Vec<(String, String)> = vec![];
    for (processor, _) in processors() {
        let files = made(processor);
        let folder = Folder::new();
        files.write_to(folder.path()).unwrap();
        let name = &files.name;
        let include = "#include <stdio.h>\n#include <string.h>\n#include <math.h>\n";
        folder.write("main.c", &format!("{include}#include \"{name}.h\"\n{main}"));
        let run = |words: &[&str]| {
            let mut command = Command::new(words[0]);
            command.current_dir(folder.path()).args(&words[1..]);
            ran(&mut command).unwrap()
        };
        let compile = |file: &str, to: &str| {
            let words = [cc, "-O1", "-pthread", "-c", file, "-o", to];
            run(&[&words[..], STRICT].concat());
        };
        compile("main.c", "main.o");
        let mut link = |what: &[&str]| {
            run(&[&[cc, "-pthread", "main.o", "-o", "program"], what].concat());
            let text = String::from_utf8(run(&["./program"])).unwrap();
            all.push((format!("{processor}: {what:?}"), text));
        };
        let (object, library) = (format!("{name}.o"), format!("lib{name}.so"));
        link(&[&object, "-lm"]);
        // No code is to be changed when it is loaded, and every name is known.
        let flags = ["-Wl,-z,text", "-Wl,-z,defs", "-Wl,--fatal-warnings"];
        let shared = [cc, "-shared", &object, "-o", &library];
        run(&[&shared[..], &flags, &["-lm"]].concat());
        link(&[&library, "-Wl,-rpath,."]);
        if source {
            compile(&format!("{name}.c"), "source.o");
            link(&["source.o"]);
        }
    }
    let (_, first) = all.first()?;
    for (what, text) in &all {
        assert_eq!(text, first, "{what}");
    }
    Some(first.lines().map(String::from).collect())
}

/// The bits of numbers, as the programs print them.
fn bits(arrays: &[&Array]) -> Vec<String> {
    let all = arrays.iter().flat_map(|a| a.to_vec::<f64>().unwrap());
    all.map(|x| format!("{:016x}", x.to_bits())).collect()
}

/// The declaration of an array of C with these numbers.
fn given(name: &str, x: &Array) -> String {
    let bits = x.to_vec::<f64>().unwrap();
    let bits: Vec<String> = bits
        .iter()
        .map(|x| format!("{:#x}u", x.to_bits()))
        .collect();
    let n = bits.len();
    format!(
        "  const uint64_t {name}_bits[{n}] = {{{}}};\n  double {name}[{n}];\n  memcpy({name}, {name}_bits, sizeof({name}));\n",
        bits.join(", ")
    )
}

const SHOW: &str = "static void show(const double* x, int n) {
  for (int i = 0; i < n; i++) {
    uint64_t b;
    memcpy(&b, x + i, 8);
    printf(\"%016llx\\n\", (unsigned long long)b);
  }
}
";

/// Calls a function with arrays, and shows its results of these lengths.
fn call(unit: &str, name: &str, args: &[&str], results: &[usize]) -> String {
    let mut text = "  {\n".to_string();
    let mut all: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    for (i, n) in results.iter().enumerate() {
        text += &format!("    double r{i}[{n}];\n");
        all.push(format!("r{i}"));
    }
    all.push("&scratch".into());
    text += &format!("    const int s = {name}({});\n", all.join(", "));
    text += &format!("    if (s) {{ puts({unit}_message(s)); return 1; }}\n");
    for (i, n) in results.iter().enumerate() {
        text += &format!("    show(r{i}, {n});\n");
    }
    text + "  }\n"
}

/// Elements in lanes with loops of their own, products, sorts, remainders, tables, and a loop around all of it.
fn mixed((x, m): (Var, Var)) -> (Var, Var) {
    let table = Array::from([0.25, -1.5, 3.0, 0.125]);
    let each = |x: Var| {
        let y = while_loop(x, |y| y.square().lt(30.0), |y| y * 1.75 + 0.3);
        cond(
            y.gt(0.0),
            y,
            |y| (y.lgamma() + y.ln_1p(), y.cos()),
            |y| (y.exp(), y),
        )
    };
    let (a, b) = vmap(each)(x);
    let rows = scan(m, 0..5, |m, _| {
        let m = m.dot(m) * 0.1 + m.t();
        (m.tanh(), m.sum() % 0.7)
    });
    let places = (x * 7.0).floor().abs().to(DType::I64) % 4;
    let looked_up = Var::from(&table).take(places, 0);
    let sorted = (a * looked_up).sort(0).cumsum(0);
    (sorted + b, rows.0.dot(rows.1.slice(0..3)) + rows.1.sum())
}

#[test]
fn an_object_has_the_bits_of_the_compiled_function() {
    let x: Vec<f64> = (0..21).map(|i| 0.37 * f64::from(i) - 2.9).collect();
    let args = (
        Array::from(x),
        Array::from([[0.1, 0.9, -0.3], [0.4, 0.2, 0.6], [-0.7, 0.8, 0.5]]),
    );
    let tangents = (&args.0 * 0.5, &args.1 * -1.0);
    let (y, z) = jit(mixed).call(&args).unwrap();
    let along = jit(|(a, d): ((Var, Var), (Var, Var))| jvp(mixed, a, d));
    let (_, (dy, dz)) = along.call((&args, &tangents)).unwrap();
    let pulled = jit(|(a, w): ((Var, Var), (Var, Var))| vjp(mixed, a).1(w));
    let (gx, gm) = pulled.call((&args, (&y, &z))).unwrap();
    let expected = bits(&[&y, &z, &y, &z, &dy, &dz, &y, &z, &gx, &gm]);

    let mut main = format!("{SHOW}static mixed_scratch scratch;\nint main(void) {{\n");
    for (name, x) in [
        ("x", &args.0),
        ("m", &args.1),
        ("u", &tangents.0),
        ("v", &tangents.1),
    ] {
        main += &given(name, x);
    }
    main += &given("y", &y);
    main += &given("z", &z);
    main += &call("mixed", "mixed", &["x", "m"], &[21, 3]);
    main += &call("mixed", "mixed_jvp", &["x", "m", "u", "v"], &[21, 3, 21, 3]);
    main += &call("mixed", "mixed_vjp", &["x", "m", "y", "z"], &[21, 3, 21, 9]);
    // The Jacobian is compared with that of the source.
    main += &call(
        "mixed",
        "mixed_jac",
        &["x", "m"],
        &[21, 3, 441, 189, 63, 27],
    );
    main += "  return 0;\n}\n";
    let made = |processor| {
        let export = export(jit(mixed), &args, "mixed").unwrap();
        export.derivatives().object(processor).files().unwrap()
    };
    let Some(got) = printed(made, &main, true) else {
        return;
    };
    assert_eq!(got[..expected.len()], expected);
    assert_eq!(got.len(), expected.len() + 24 + 441 + 189 + 63 + 27);
}

/// A whole adaptive integration, with the gradient through all its steps, which are in lists.
#[test]
fn a_solver_is_an_object_with_its_gradient() {
    let solve = |(mu, u): (Var, Var)| {
        let rate = move |_, [x, v]: [Var; 2]| [v, mu * (1.0 - x.square()) * v - x];
        let ode = Ode::new(Tsit5).rtol(1e-8).atol(1e-8);
        let s = ode.solve(rate, [u.at(0), u.at(1)], 0.0, 3.0);
        s.y[0] + s.y[1]
    };
    let args = (Array::from(1.5), Array::from([2.0, 0.0]));
    let main = |fails: &str| {
        let (mu, u) = (given("mu", &args.0), given("u", &args.1));
        let value = call("vdp", "vdp", &["mu", "u"], &[1]);
        let gradient = call("vdp", "vdp_vjp", &["mu", "u", "&one"], &[1, 1, 2]);
        let gradient = gradient.replace("return 1;", fails);
        format!(
            "{SHOW}static vdp_scratch scratch;\nint main(void) {{\n  const double one = 1;\n{mu}{u}{value}{gradient}  return 0;\n}}\n"
        )
    };
    let y = jit(solve).call(&args).unwrap();
    let (dmu, du) = jit(grad(solve)).call(&args).unwrap();
    let made = |bytes, processor| {
        let export = export(jit(solve), &args, "vdp").unwrap().list_bytes(bytes);
        export.vjp().object(processor).files().unwrap()
    };
    let Some(got) = printed(|p| made(1 << 18, p), &main("return 1;"), false) else {
        return;
    };
    assert_eq!(got, bits(&[&y, &y, &dmu, &du]));
    // With too little memory for the lists the call says so.
    let got = printed(|p| made(256, p), &main("return 0;"), false).unwrap();
    assert_eq!(got[1], "the scratch for lists is full");
}

/// Lists that lanes build, of which each has as many rows as it has steps.
#[test]
fn loops_of_lanes_keep_what_their_gradients_need() {
    let each = |x: Var| while_loop(x, |y| y.lt(40.0), |y| y * 1.25 + y.sin().abs() + 0.1);
    let all = move |x: Var| vmap(each)(x).sum();
    let x: Vec<f64> = (0..150).map(|i| 0.3 + 0.27 * f64::from(i)).collect();
    let x = Array::from(x);
    let (y, dx) = jit(value_and_grad(all)).call(&x).unwrap();
    let mut main =
        format!("{SHOW}static grow_scratch scratch;\nint main(void) {{\n  const double one = 1;\n");
    main += &given("x", &x);
    main += &call("grow", "grow_vjp", &["x", "&one"], &[1, 150]);
    main += "  return 0;\n}\n";
    let made = |processor| {
        let export = export(jit(all), &x, "grow").unwrap();
        export.vjp().object(processor).files().unwrap()
    };
    let Some(got) = printed(made, &main, false) else {
        return;
    };
    assert_eq!(got, bits(&[&y, &dx]));
}

#[test]
fn failures_are_statuses_with_the_users_line() {
    let f = |x: Var| {
        wengert::check(x.gt(0.0), "x must be \"positive\"");
        while_loop(x, |x| x.lt(100.0), |x| x * 1.5)
    };
    let line = line!() - 3;
    let main = "int main(void) {
  static grow_scratch scratch;
  const double x[3] = {1, -1, 1e-9};
  double y;
  for (int i = 0; i < 3; i++) printf(\"%s\\n\", grow_message(grow(x + i, &y, &scratch)));
  puts(grow_message(-1));
  puts(grow_message(1000000));
  puts(grow_message(7));
  return 0;
}
";
    let made = |processor| {
        let export = export(jit(f).max_steps(20), 1.0, "grow").unwrap();
        export.object(processor).files().unwrap()
    };
    let Some(got) = printed(made, main, true) else {
        return;
    };
    assert_eq!(got[0], "ok");
    let said = got[1].contains("x must be \"positive\"");
    let place = format!("objects.rs:{line}");
    assert!(said && got[1].contains(&place), "{got:?}");
    assert!(got[2].contains("more than 20 steps"), "{got:?}");
    let others = &got[3..];
    assert!(
        others.iter().all(|m| m == "no status of this function"),
        "{got:?}"
    );
}

/// Each thread has its own scratch, and nothing else is written.
#[test]
fn any_number_of_threads_may_call() {
    let f = |x: Var| vmap(|x: Var| while_loop(x, |x| x.lt(100.0), |x| x * 1.1).sin())(x).sum();
    let main = "#include <pthread.h>
static double found[4];
static void* work(void* at) {
  static _Thread_local turn_scratch scratch;
  double x[64], y, sum = 0;
  for (int k = 0; k < 200; k++) {
    for (int i = 0; i < 64; i++) x[i] = 0.5 + i + k % 17;
    if (turn(x, &y, &scratch)) return at;
    sum += y;
  }
  *(double*)at = sum;
  return 0;
}
int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(threads + i, 0, work, found + i);
  for (int i = 0; i < 4; i++) {
    void* failed;
    pthread_join(threads[i], &failed);
    if (failed) return 1;
  }
  for (int i = 0; i < 4; i++) printf(\"%a\\n\", found[i]);
  return 0;
}
";
    let made = |processor| {
        let export = export(jit(f), vec![1.0; 64], "turn").unwrap();
        export.object(processor).files().unwrap()
    };
    let Some(got) = printed(made, main, true) else {
        return;
    };
    let same = got.iter().all(|y| *y == got[0] && y.contains("0x"));
    assert!(same, "{got:?}");
}

/// What an object takes from elsewhere, and what it gives.
#[test]
fn an_object_has_the_names_that_its_header_promises() {
    if !tool("nm") {
        return;
    }
    let f = jit(|x: Var| {
        let y = while_loop(x, |y| y.sum().lt(50.0), |y| y * 1.5 + y.floor());
        (y.sqrt() + y.pow(1.3) % 0.7).cumsum(0) * y.lgamma()
    });
    let f = std::sync::Arc::new(f);
    for (processor, _) in processors() {
        let export = export(f.clone(), vec![0.5; 5], "free").map(|e| e.vjp().object(processor));
        // The name of a function of the C library is refused, with an object as without.
        assert!(export.is_err());
        let export = wengert_c::export(f.clone(), vec![0.5; 5], "free_model").unwrap();
        let files = export.vjp().object(processor).files().unwrap();
        let folder = Folder::new();
        files.write_to(folder.path()).unwrap();
        let mut command = Command::new("nm");
        command.arg(folder.path().join("free_model.o"));
        let names = String::from_utf8(ran(&mut command).unwrap()).unwrap();
        let of = |kind: &str| -> Vec<&str> {
            let words = names
                .lines()
                .map(|l| l.split_whitespace().collect::<Vec<_>>());
            let found = words.filter(|w| w.len() >= 2 && w[w.len() - 2] == kind);
            found.map(|w| w[w.len() - 1]).collect()
        };
        let mut taken = vec!["memmove"];
        if processor == Processor::X86_64 {
            taken.extend(["fma", "floor", "ceil", "trunc", "nearbyint", "rint"]);
        }
        let wanted = of("U");
        assert!(
            wanted.iter().all(|w| taken.contains(w)),
            "{processor}: {wanted:?}"
        );
        let mut given = of("T");
        given.sort_unstable();
        assert_eq!(
            given,
            ["free_model", "free_model_message", "free_model_vjp"]
        );
        // Nothing in it is ever written.
        // `d` is data with addresses in it, which are set before anything runs.
        for kind in ["D", "B", "b", "C"] {
            assert!(of(kind).is_empty(), "{names}");
        }
        // It is the same each time.
        let export = wengert_c::export(f.clone(), vec![0.5; 5], "free_model").unwrap();
        assert_eq!(export.vjp().object(processor).files().unwrap(), files);
    }
}

fn field((t, u, p): (Var, Var, Var)) -> Var {
    let (x, v) = (u.at(0), u.at(1));
    wengert::check(p.at(0).gt(0.0), "damping is positive");
    stack([v, p.at(0) * (1.0 - x.square()) * v - x + p.at(1) * t.cos()])
}

#[test]
fn conventions_of_numbers_are_in_an_object() {
    let main = "int main(void) {
  double u[2] = {1, 0.25}, p[2] = {2, 3}, du[2], q[2] = {-2, 3};
  field_rhs(0.5, u, du, p);
  printf(\"%a %a\\n\", du[0], du[1]);
  field_rhs(0.5, u, du, q);
  printf(\"%d %d\\n\", isnan(du[0]), isnan(du[1]));
  return 0;
}
";
    let scipy = "int main(void) {
  double x[4] = {0.5, 1, 0.25, -1};
  printf(\"%a %d\\n\", bump_scipy(3, x, 0), isnan(bump_scipy(2, x, 0)));
  x[0] = -1;
  printf(\"%d\\n\", isnan(bump_scipy(4, x, 0)));
  return 0;
}
";
    let bump = |(x, p): (Var, Var)| {
        wengert::check(x.gt(0.0), "x is positive");
        (x * p.at(0)).sin() + p.at(1)
    };
    let args = (0.5, [1.0, 0.25], [2.0, 3.0]);
    let made = |processor| {
        let export = export(jit(field), args, "field").unwrap();
        export.rhs().object(processor).files().unwrap()
    };
    let Some(got) = printed(made, main, true) else {
        return;
    };
    assert_eq!(got[1], "1 1");
    let made = |processor| {
        let export = export(jit(bump), (0.5, [1.0, 0.25]), "bump").unwrap();
        export.scipy().object(processor).files().unwrap()
    };
    let got = printed(made, scipy, true).unwrap();
    assert!(got[0].ends_with(" 1") && got[1] == "1", "{got:?}");
}

#[test]
fn what_no_object_has_is_an_error_that_says_what_to_do() {
    let message = |e: Result<Files, CError>| e.unwrap_err().to_string();
    let object = Processor::default();
    let args = (0.5, [1.0, 0.25], [2.0, 3.0]);
    let field = || export(jit(field), args, "field").unwrap().object(object);
    if processors().is_empty() {
        return;
    }
    let e = message(field().casadi().files());
    assert!(
        e.contains("CasADi") && e.contains("compile the source"),
        "{e}"
    );
    let e = message(field().diffsl([1.0, 0.0]).files());
    assert!(
        e.contains("DiffSL") && e.contains("compile the source"),
        "{e}"
    );
    let calls = jit(|x: Var| {
        wengert::debug_print("x is {}", [x]);
        x * 2.0
    });
    let e = message(export(calls, 1.0, "calls").unwrap().object(object).files());
    assert!(
        e.contains("a call of the host at ") && e.contains("leave it out"),
        "{e}"
    );
}

/// The same numbers on another processor, where there is a code generator for it, a linker and an emulator.
#[test]
fn an_object_for_another_processor() {
    const LINKER: &str = "aarch64-linux-gnu-gcc";
    let args = (
        Array::from([0.3, 0.7, 1.9, -0.6, 2.5]),
        Array::from([[0.1, 0.9, -0.3], [0.4, 0.2, 0.6], [-0.7, 0.8, 0.5]]),
    );
    let export = export(jit(mixed), &args, "mixed").unwrap();
    let files = match export.vjp().object(Processor::Arm64).files() {
        Ok(files) => files,
        // Without the generator the message says where it is.
        Err(e) => return assert!(e.to_string().contains("cranelift-codegen"), "{e}"),
    };
    if !tool(LINKER) || !tool("qemu-aarch64") {
        return;
    }
    let (y, z) = jit(mixed).call(&args).unwrap();
    let pulled = jit(|(a, w): ((Var, Var), (Var, Var))| vjp(mixed, a).1(w));
    let (gx, gm) = pulled.call((&args, (&y, &z))).unwrap();
    let mut main = format!(
        "#include <stdio.h>\n#include <string.h>\n#include \"mixed.h\"\n{SHOW}static mixed_scratch scratch;\nint main(void) {{\n"
    );
    for (name, x) in [("x", &args.0), ("m", &args.1), ("y", &y), ("z", &z)] {
        main += &given(name, x);
    }
    main += &call("mixed", "mixed_vjp", &["x", "m", "y", "z"], &[5, 3, 5, 9]);
    main += "  return 0;\n}\n";
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    folder.write("main.c", &main);
    let mut command = Command::new(LINKER);
    command.current_dir(folder.path());
    command.args(["-O2", "-static", "main.c", "mixed.o", "-o", "program"]);
    ran(&mut command).unwrap();
    let mut command = Command::new("qemu-aarch64");
    let out = ran(command.current_dir(folder.path()).arg("./program")).unwrap();
    let out = String::from_utf8(out).unwrap();
    let got: Vec<&str> = out.lines().collect();
    assert_eq!(got, bits(&[&y, &z, &gx, &gm]));
}
