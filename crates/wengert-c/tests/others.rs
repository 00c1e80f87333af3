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
