//! Conventions of calls that others have.

use std::fmt::Write;

use wengert::DType;

use super::comment;
use super::function::{Function, Leaf, Role};
use crate::CError;
use crate::unit::Unit;

/// The most bytes of scratch that are put on the stack.
const STACK: usize = 256 << 10;

pub(super) fn refuse<T>(abi: &str, why: String) -> Result<T, CError> {
    Err(CError::Abi {
        abi: abi.into(),
        why,
    })
}

/// Checks that all leaves are `f64`.
pub(super) fn doubles(abi: &str, f: &Function) -> Result<(), CError> {
    for l in f.inputs.iter().chain(&f.outputs) {
        if l.port.dtype != DType::F64 {
            return refuse(
                abi,
                format!("{} is {}, and all must be f64", l.said, l.spec),
            );
        }
    }
    Ok(())
}

pub(super) fn on_stack(abi: &str, unit: &Unit) -> Result<(), CError> {
    match unit.scratch_bytes() {
        n if n > STACK => refuse(
            abi,
            format!(
                "a call takes {n} bytes of scratch, and this convention has the stack alone: call the plain function"
            ),
        ),
        _ => Ok(()),
    }
}

/// Rows and columns of a leaf as a matrix.
fn matrix(l: &Leaf) -> Result<(usize, usize), CError> {
    match l.spec.shape[..] {
        [] => Ok((1, 1)),
        [n] => Ok((n, 1)),
        [n, m] => Ok((n, m)),
        _ => refuse(
            "CasADi",
            format!("{} is {}, and it has matrices alone", l.said, l.spec),
        ),
    }
}

/// An external function of CasADi, and its Jacobian.
pub(super) fn casadi(unit: &mut Unit, name: &str, functions: &[Function]) -> Result<(), CError> {
    let plain = &functions[0];
    doubles("CasADi", plain)?;
    let jacobian = functions.iter().find(|f| f.role == Role::Jacobian);
    let jacobian = jacobian.expect("it is asked for with this convention");
    let (ins, outs) = (shapes(&plain.inputs)?, shapes(&plain.outputs)?);
    let own = format!("{name}_casadi");
    let call = Call {
        unit: name,
        name: &own,
        f: plain,
        ins: &ins,
        unused: &[],
        outs: &outs,
        skipped: 0,
    };
    call.write(unit)?;

    // The Jacobian has the results among its arguments, and a matrix for each pair.
    let name_of = |a: &str, b: &str| format!("jac_{a}_{b}");
    let mut blocks = vec![];
    for (y, out) in plain.outputs.iter().zip(&outs) {
        for (x, arg) in plain.inputs.iter().zip(&ins) {
            let size = (out.rows * out.columns, arg.rows * arg.columns);
            // Row-major arrays of both, of which CasADi numbers the elements by columns.
            blocks.push(Shape {
                name: name_of(&y.port.name, &x.port.name),
                rows: size.0,
                columns: size.1,
                by: Some((out.rows, out.columns, arg.rows, arg.columns)),
            });
        }
    }
    let results: Vec<Shape> = outs
        .iter()
        .map(|s| s.named(format!("out_{}", s.name)))
        .collect();
    let call = Call {
        unit: name,
        name: &format!("jac_{own}"),
        f: jacobian,
        ins: &ins,
        unused: &results,
        outs: &blocks,
        skipped: outs.len(),
    };
    call.write(unit)
}

/// A matrix of CasADi.
#[derive(Clone)]
struct Shape {
    name: String,
    rows: usize,
    columns: usize,
    /// Of a Jacobian: rows and columns of the result and of the argument.
    by: Option<(usize, usize, usize, usize)>,
}

impl Shape {
    fn named(&self, name: String) -> Shape {
        Shape {
            name,
            ..self.clone()
        }
    }
}

fn shapes(leaves: &[Leaf]) -> Result<Vec<Shape>, CError> {
    let each = leaves.iter().map(|l| {
        let (rows, columns) = matrix(l)?;
        Ok(Shape {
            name: l.port.name.clone(),
            rows,
            columns,
            by: None,
        })
    });
    each.collect()
}

/// A function in CasADi's convention.
struct Call<'a> {
    /// The name of the source.
    unit: &'a str,
    name: &'a str,
    f: &'a Function,
    ins: &'a [Shape],
    /// Arguments that the function does not take.
    unused: &'a [Shape],
    outs: &'a [Shape],
    /// Results of the function in front of those.
    skipped: usize,
}

impl Call<'_> {
    fn write(&self, unit: &mut Unit) -> Result<(), CError> {
        let Call {
            unit: of, name, f, ..
        } = *self;
        let lens: Vec<usize> = f
            .inputs
            .iter()
            .chain(&f.outputs)
            .map(|l| l.port.len)
            .collect();
        let words = format!("(sizeof({of}_scratch) + 7) / 8");
        let mut text = format!(
            "\nint {name}(const double** arg, double** res, long long* iw, double* w, int mem) {{\n  double* const own = w + {words};\n"
        );
        let mut places = vec![];
        let mut at = 0;
        for len in &lens {
            places.push(format!("own + {at}"));
            at += len;
        }
        for (i, s) in self.ins.iter().enumerate() {
            let _ = writeln!(
                text,
                "  casadi_in(arg[{i}], {}, {}, {});",
                places[i], s.rows, s.columns
            );
        }
        let _ = writeln!(
            text,
            "  (void)iw;\n  (void)mem;\n  if ({}({}, ({of}_scratch*)(void*)w)) return 1;",
            f.name,
            places.join(", ")
        );
        for (i, s) in self.outs.iter().enumerate() {
            let place = &places[self.ins.len() + self.skipped + i];
            let _ = match s.by {
                None => writeln!(
                    text,
                    "  casadi_out({place}, res[{i}], {}, {});",
                    s.rows, s.columns
                ),
                Some((a, b, c, d)) => writeln!(
                    text,
                    "  casadi_block({place}, res[{i}], {a}, {b}, {c}, {d});"
                ),
            };
        }
        text += "  return 0;\n}\n";
        let args: Vec<&Shape> = self.ins.iter().chain(self.unused).collect();
        let results: Vec<&Shape> = self.outs.iter().collect();
        let _ = writeln!(
            text,
            "long long {name}_n_in(void) {{ return {}; }}",
            args.len()
        );
        let _ = writeln!(
            text,
            "long long {name}_n_out(void) {{ return {}; }}",
            results.len()
        );
        for (side, all) in [("in", &args), ("out", &results)] {
            let (mut names, mut patterns) = (String::new(), String::new());
            for (i, s) in all.iter().enumerate() {
                let _ = writeln!(names, "  case {i}: return \"{}\";", s.name);
                let _ = writeln!(
                    patterns,
                    "  static const long long s{i}[3] = {{{}, {}, 1}};\n  if (i == {i}) return s{i};",
                    s.rows, s.columns
                );
            }
            let _ = writeln!(
                text,
                "const char* {name}_name_{side}(long long i) {{\n  switch (i) {{\n{names}  default: return 0;\n  }}\n}}"
            );
            let _ = writeln!(
                text,
                "const long long* {name}_sparsity_{side}(long long i) {{\n{patterns}  return 0;\n}}"
            );
        }
        let _ = writeln!(
            text,
            "int {name}_work(long long* sz_arg, long long* sz_res, long long* sz_iw, long long* sz_w) {{\n  \
             if (sz_arg) *sz_arg = {};\n  if (sz_res) *sz_res = {};\n  if (sz_iw) *sz_iw = 0;\n  \
             if (sz_w) *sz_w = (long long)({words}) + {at};\n  return 0;\n}}",
            args.len(),
            results.len()
        );
        let about = comment(&["For CasADi's external(), with its matrices by columns.".into()]);
        let declaration = format!(
            "{about}int {name}(const double** arg, double** res, long long* iw, double* w, int mem);\n\
             long long {name}_n_in(void);\nlong long {name}_n_out(void);\n\
             const char* {name}_name_in(long long i);\nconst char* {name}_name_out(long long i);\n\
             const long long* {name}_sparsity_in(long long i);\nconst long long* {name}_sparsity_out(long long i);\n\
             int {name}_work(long long* sz_arg, long long* sz_res, long long* sz_iw, long long* sz_w);"
        );
        unit.add_text(&declaration, &text);
        Ok(())
    }
}

/// A number as a function of numbers, for SciPy.
pub(super) fn scipy(unit: &mut Unit, name: &str, f: &Function) -> Result<(), CError> {
    let abi = "SciPy's LowLevelCallable";
    doubles(abi, f)?;
    on_stack(abi, unit)?;
    if f.outputs.len() != 1 || f.outputs[0].port.len != 1 {
        return refuse(
            abi,
            format!(
                "the function has {} results, and one number is wanted",
                f.outputs.len()
            ),
        );
    }
    let mut at = 0;
    let mut places = vec![];
    for l in &f.inputs {
        places.push(format!("x + {at}"));
        at += l.port.len;
    }
    let text = format!(
        "\ndouble {name}_scipy(int n, double* x, void* data) {{\n  {name}_scratch scratch;\n  double y = 0.0;\n  (void)data;\n  \
         if (n < {at} || {name}({}, &y, &scratch)) return w_nan();\n  return y;\n}}\n",
        places.join(", ")
    );
    let declaration = format!("double {name}_scipy(int n, double* x, void* data);");
    unit.add_text(
        &format!("/* For SciPy's LowLevelCallable: x has {at} numbers. */\n{declaration}"),
        &text,
    );
    Ok(())
}

/// Checks that a function is one of a time, a state and perhaps parameters, to a change of the state.
pub(super) fn right_hand_side(abi: &str, f: &Function) -> Result<(), CError> {
    let lens: Vec<usize> = f.inputs.iter().map(|l| l.port.len).collect();
    let state = lens.get(1).copied();
    if lens.first() != Some(&1)
        || lens.len() > 3
        || f.outputs.len() != 1
        || Some(f.outputs[0].port.len) != state
    {
        let mut all: Vec<String> = f.inputs.iter().map(|l| l.spec.to_string()).collect();
        all.push("to".into());
        all.extend(f.outputs.iter().map(|l| l.spec.to_string()));
        return refuse(
            abi,
            format!(
                "wanted is a function of a time, a state and parameters to a change of the state, each one array; it is {}",
                all.join(" ")
            ),
        );
    }
    Ok(())
}

/// A right-hand side for numbalsoda.
pub(super) fn rhs(unit: &mut Unit, name: &str, f: &Function) -> Result<(), CError> {
    let abi = "the right-hand side of an equation";
    doubles(abi, f)?;
    on_stack(abi, unit)?;
    let lens: Vec<usize> = f.inputs.iter().map(|l| l.port.len).collect();
    right_hand_side(abi, f)?;
    let n = lens[1];
    let (p, unused) = match lens.len() {
        3 => ("p, ", ""),
        _ => ("", "  (void)p;\n"),
    };
    let text = format!(
        "\nvoid {name}_rhs(double t, double* u, double* du, double* p) {{\n  {name}_scratch scratch;\n{unused}  \
         if ({name}(&t, u, {p}du, &scratch)) {{\n    for (int i = 0; i < {n}; i++) du[i] = w_nan();\n  }}\n}}\n"
    );
    let declaration = format!("void {name}_rhs(double t, double* u, double* du, double* p);");
    unit.add_text(&format!("/* For numbalsoda. */\n{declaration}"), &text);
    Ok(())
}
