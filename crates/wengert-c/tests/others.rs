//! Exported functions in the conventions of CasADi, SciPy and numbalsoda, where their packages are.

use std::process::Command;

use wengert::prelude::*;
use wengert_c::{Files, export};

use crate::common::suite::STRICT;
use crate::common::{Folder, compiler, python, ran, sanitised};

/// Makes a shared library of a source, and runs a script beside it.
fn script(files: &Files, python: &str, text: &str) -> Option<String> {
    let cc = compiler()?;
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    let (c, so) = (format!("{}.c", files.name), format!("{}.so", files.name));
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command.args(["-O2", "-fPIC", "-shared", &c, "-o", &so]);
    ran(&mut command).unwrap();
    folder.write("script.py", text);
    let out = ran(Command::new(python)
        .current_dir(folder.path())
        .arg("script.py"))
    .unwrap();
    Some(String::from_utf8(out).unwrap())
}

fn field((t, u, p): (Var, Var, Var)) -> Var {
    let (x, v) = (u.at(0), u.at(1));
    stack([v, p.at(0) * (1.0 - x.square()) * v - x + p.at(1) * t.cos()])
}

/// The conventions by C alone, which is always there.
#[test]
fn every_convention_from_c() {
    let Some(cc) = compiler() else { return };
    let args = (0.5, [1.0, 0.25], [2.0, 3.0]);
    let files = export(jit(field), args, "field")
        .unwrap()
        .casadi()
        .rhs()
        .files()
        .unwrap();
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    folder.write(
        "main.c",
        "#include <stdio.h>\n#include <stdlib.h>\n#include \"field.h\"\nint main(void) {
  double t = 0.5, u[2] = {1, 0.25}, p[2] = {2, 3}, du[2], y[2], j[4];
  field_rhs(t, u, du, p);
  long long sz_arg, sz_res, sz_iw, sz_w;
  jac_field_casadi_work(&sz_arg, &sz_res, &sz_iw, &sz_w);
  double* w = malloc(sz_w * sizeof(double));
  const double* arg[4] = {&t, u, p, 0};
  double* res[3] = {y, 0, 0};
  if (field_casadi(arg, res, 0, w, 0)) return 1;
  double* jac[3] = {0, j, 0};
  if (jac_field_casadi(arg, jac, 0, w, 0)) return 2;
  printf(\"%d %d %lld %lld %lld\\n\", du[0] == y[0], du[1] == y[1], sz_arg, sz_res, jac_field_casadi_sparsity_out(1)[0]);
  printf(\"%g %g %g %g\\n\", j[0] + 0.0, j[1], j[2], j[3]);
  arg[2] = 0;
  if (field_casadi(arg, res, 0, w, 0)) return 3;
  printf(\"%g %g\\n\", y[0], y[1]);
  free(w);
  return 0;
}\n",
    );
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command.args(sanitised());
    command.args(["field.c", "main.c", "-o", "program"]);
    ran(&mut command).unwrap();
    let out = ran(Command::new("./program").current_dir(folder.path())).unwrap();
    // By hand: d(v')/dx = -2 mu x v - 1 = -2, d(v')/dv = mu (1 - x^2) = 0; without parameters v' = -x.
    let expected = "1 1 4 3 2\n0 -2 1 0\n0.25 -1\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn casadi_calls_and_differentiates() {
    let Some(python) = python("casadi") else {
        return;
    };
    let f = jit(|(a, x): (Var, Var)| (a.dot(x).sin(), a.t() * 2.0));
    let args = ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [0.1, 0.2, 0.3]);
    let files = export(f, args, "mixed").unwrap().casadi().files().unwrap();
    let text = "
import casadi as ca
import numpy as np
f = ca.external('mixed_casadi', './mixed.so')
a = np.array([[1., 2, 3], [4, 5, 6]])
x = np.array([.1, .2, .3])
y, t = f(a, x)
assert np.allclose(np.array(y).ravel(), np.sin(a @ x), rtol=1e-14), y
assert (np.array(t) == 2 * a.T).all(), t
A, X = ca.MX.sym('a', 2, 3), ca.MX.sym('x', 3)
Y, T = f(A, X)
own = ca.sin(A @ X)
for wrt in (A, X):
    g = ca.Function('g', [A, X], [ca.jacobian(Y, wrt), ca.jacobian(own, wrt), ca.jacobian(T, wrt), ca.jacobian(2 * A.T, wrt)])
    p, q, r, s = (np.array(ca.densify(m)) for m in g(a, x))
    assert np.allclose(p, q, rtol=1e-13), (p, q)
    assert (r == s).all(), (r, s)
print('well')
";
    if let Some(out) = script(&files, &python, text) {
        assert!(out.contains("well"), "{out}");
    }
}

#[test]
fn scipy_integrates() {
    let Some(python) = python("scipy") else {
        return;
    };
    let f = jit(|(x, a): (Var, Var)| (a * x).sin() / (1.0 + x * x));
    let files = export(f, (0.5, 2.0), "bump")
        .unwrap()
        .scipy()
        .files()
        .unwrap();
    let text = "
import ctypes, math
from scipy import LowLevelCallable, integrate
lib = ctypes.CDLL('./bump.so')
lib.bump_scipy.restype = ctypes.c_double
lib.bump_scipy.argtypes = (ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_void_p)
got = integrate.quad(LowLevelCallable(lib.bump_scipy), 0, 3, args=(2.0,))[0]
own = integrate.quad(lambda x: math.sin(2 * x) / (1 + x * x), 0, 3)[0]
assert abs(got - own) < 1e-13, (got, own)
print('well')
";
    if let Some(out) = script(&files, &python, text) {
        assert!(out.contains("well"), "{out}");
    }
}

#[test]
fn numpy_arrays_by_ctypes() {
    let Some(python) = python("numpy") else {
        return;
    };
    let args = (0.5, [1.0, 0.25], [2.0, 3.0]);
    let files = export(jit(field), args, "field")
        .unwrap()
        .rhs()
        .files()
        .unwrap();
    let text = "
import ctypes, math
import numpy as np
lib = ctypes.CDLL('./field.so')
arrays = np.ctypeslib.ndpointer(dtype=np.float64, flags='C')
lib.field_rhs.argtypes = (ctypes.c_double, arrays, arrays, arrays)
lib.field_rhs.restype = None
u, p, du = np.array([1., .25]), np.array([2., 3.]), np.empty(2)
lib.field_rhs(.5, u, du, p)
assert abs(du[1] - (-1 + 3 * math.cos(.5))) < 1e-15, du
print('well')
";
    if let Some(out) = script(&files, &python, text) {
        assert!(out.contains("well"), "{out}");
    }
}

/// DiffSL's external object, called as diffsl calls it.
#[test]
fn diffsl_finds_its_functions() {
    let args = (0.5, [1.0, 0.25], [2.0, 3.0]);
    let files = export(jit(field), args, "field")
        .unwrap()
        .diffsl([0.5, -1.25])
        .files()
        .unwrap();
    // Those of src/execution/external_interface.rs of diffsl 0.12.
    let mut names = "barrier_init set_constants set_u0 set_u0_grad set_u0_rgrad set_u0_sgrad mass mass_rgrad set_id get_dims \
        set_inputs get_inputs set_inputs_grad set_inputs_rgrad"
        .to_string();
    for name in ["reset", "rhs", "calc_out", "calc_stop"] {
        names += &format!(" {name} {name}_grad {name}_rgrad {name}_sgrad {name}_srgrad");
    }
    for name in names.split_whitespace() {
        let declared = files.header.matches(&format!("void {name}(")).count();
        assert_eq!(declared, 1, "{name}");
    }
    let Some(cc) = compiler() else { return };
    let folder = Folder::new();
    files.write_to(folder.path()).unwrap();
    folder.write(
        "main.c",
        r#"#include <math.h>
#include <stdio.h>
#include "field.h"
static int off(double a, double b) { return !(fabs(a - b) < 1e-14); }
int main(void) {
  unsigned states, inputs, outputs, data_len, stop, has_mass, has_reset;
  get_dims(&states, &inputs, &outputs, &data_len, &stop, &has_mass, &has_reset);
  if (states != 2 || inputs != 2 || outputs != 2 || data_len != 2 || stop || has_mass || has_reset) return 1;
  const double p[2] = {2, 3}, dp[2] = {0.25, -2};
  double data[2], ddata[2], back[2], u[2], rr[2], drr[2], id[2];
  set_constants(0, 1);
  set_inputs(p, data, 0);
  get_inputs(back, data);
  if (back[0] != 2 || back[1] != 3) return 2;
  set_u0(u, data, 0, 1);
  set_id(id);
  if (u[0] != 0.5 || u[1] != -1.25 || id[0] != 1 || id[1] != 1) return 3;
  const double t = 0.5, c = cos(t);
  rhs(t, u, data, rr, 0, 1);
  if (off(rr[0], u[1]) || off(rr[1], 2 * 0.75 * -1.25 - 0.5 + 3 * c)) return 4;
  /* By hand: d(v')/dx = -2 p0 x v - 1, d(v')/dv = p0 (1 - x^2), d(v')/dp = (1 - x^2) v, cos t. */
  const double du[2] = {2, -3};
  const double along = 1.5 * 2 + 1.5 * -3, by_p = -0.9375 * 0.25 + c * -2;
  set_inputs_grad(p, dp, data, ddata, 0);
  rhs_grad(t, u, du, data, ddata, rr, drr, 0, 1);
  if (off(drr[0], -3) || off(drr[1], along + by_p)) return 5;
  rhs_sgrad(t, u, data, ddata, rr, drr, 0, 1);
  if (off(drr[0], 0) || off(drr[1], by_p)) return 6;
  /* Reverse mode adds, and takes its cotangent. */
  double bar[2] = {10, 20}, w[2] = {1, 4};
  ddata[0] = 100;
  ddata[1] = 200;
  rhs_rgrad(t, u, bar, data, ddata, rr, w, 0, 1);
  if (off(bar[0], 10 + 4 * 1.5) || off(bar[1], 20 + 1 + 4 * 1.5) || w[0] != 0 || w[1] != 0) return 7;
  if (off(ddata[0], 100 + 4 * -0.9375) || !(fabs(ddata[1] - 200 - 4 * c) < 1e-12)) return 8;
  w[1] = 1;
  ddata[0] = ddata[1] = 0;
  rhs_srgrad(t, u, data, ddata, rr, w, 0, 1);
  if (off(ddata[0], -0.9375) || off(ddata[1], c) || w[1] != 0) return 9;
  double dinputs[2] = {1, 1};
  set_inputs_rgrad(p, dinputs, data, ddata, 0);
  if (off(dinputs[0], 0.0625) || ddata[0] != 0) return 10;
  double out[2], mv[2];
  calc_out(t, u, data, out, 0, 1);
  mass(t, u, data, mv, 0, 1);
  if (out[0] != u[0] || out[1] != u[1] || mv[0] != u[0] || mv[1] != u[1]) return 11;
  set_u0_grad(u, rr, data, ddata, 0, 1);
  if (rr[0] != 0 || rr[1] != 0) return 12;
  puts("well");
  return 0;
}
"#,
    );
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command.args(sanitised());
    command.args(["field.c", "main.c", "-o", "program", "-lm"]);
    ran(&mut command).unwrap();
    let out = ran(Command::new("./program").current_dir(folder.path())).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "well\n");
}

/// Without parameters there are no inputs; a call that fails gives NaN; and what does not fit is refused.
#[test]
fn diffsl_takes_right_hand_sides() {
    let f = |(_t, u): (Var, Var)| {
        wengert::check(u.ge(0.0).all(), "negative");
        -u
    };
    let files = |name: &str, start: &[f64]| {
        let export = export(jit(f), (0.0, [1.0]), name).unwrap();
        export.diffsl(start.iter().copied()).files()
    };
    let message = |e: Result<Files, wengert_c::CError>| e.unwrap_err().to_string();
    let e = message(files("decay", &[1.0, 2.0]));
    assert!(e.contains("1 numbers, and 2 are given"), "{e}");
    let e = message(files("mass", &[1.0]));
    assert!(e.contains("take another name"), "{e}");
    let e = message(
        export(jit(|x: Var| x), 1.0, "same")
            .unwrap()
            .diffsl([1.0])
            .files(),
    );
    assert!(e.contains("wanted is a function of a time"), "{e}");
    let Some(cc) = compiler() else { return };
    let folder = Folder::new();
    files("decay", &[1.0])
        .unwrap()
        .write_to(folder.path())
        .unwrap();
    folder.write(
        "main.c",
        "#include \"decay.h\"\nint main(void) {
  unsigned n[7];
  double u[1] = {-1}, du[1] = {1}, rr[1], drr[1];
  get_dims(n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6);
  if (n[0] != 1 || n[1] != 0 || n[3] != 0) return 1;
  rhs(0, u, 0, rr, 0, 1);
  rhs_grad(0, u, du, 0, 0, rr, drr, 0, 1);
  if (rr[0] == rr[0] || drr[0] == drr[0]) return 2;
  u[0] = 2;
  rhs(0, u, 0, rr, 0, 1);
  rhs_grad(0, u, du, 0, 0, rr, drr, 0, 1);
  return !(rr[0] == -2 && drr[0] == -1);
}\n",
    );
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(STRICT);
    command.args(["-O2", "decay.c", "main.c", "-o", "program"]);
    ran(&mut command).unwrap();
    ran(Command::new("./program").current_dir(folder.path())).unwrap();
}
