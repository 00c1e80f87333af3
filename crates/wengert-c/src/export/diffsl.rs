//! The functions of an external object of DiffSL.

use std::fmt::Write;

use super::abi::{doubles, on_stack, refuse, right_hand_side};
use super::comment;
use super::function::{Function, Role};
use crate::CError;
use crate::emit::table;
use crate::unit::Unit;
use wengert::DType;

const ABI: &str = "DiffSL's external object";

/// What each function takes; the two numbers of a thread follow, except where it ends with a dot.
const SIGNATURES: &[(&str, &str)] = &[
    ("barrier_init", "."),
    ("set_constants", ""),
    ("set_u0", "double* u, double* data"),
    (
        "set_u0_grad",
        "const double* u, double* du, const double* data, double* ddata",
    ),
    (
        "set_u0_rgrad",
        "const double* u, double* du, const double* data, double* ddata",
    ),
    (
        "set_u0_sgrad",
        "const double* u, double* du, const double* data, double* ddata",
    ),
    ("set_id", "double* id."),
    (
        "get_dims",
        "unsigned* states, unsigned* inputs, unsigned* outputs, unsigned* data, unsigned* stop, unsigned* has_mass, unsigned* has_reset.",
    ),
    (
        "set_inputs",
        "const double* inputs, double* data, unsigned model_index.",
    ),
    ("get_inputs", "double* inputs, const double* data."),
    (
        "set_inputs_grad",
        "const double* inputs, const double* dinputs, const double* data, double* ddata, unsigned model_index.",
    ),
    (
        "set_inputs_rgrad",
        "const double* inputs, double* dinputs, const double* data, double* ddata, unsigned model_index.",
    ),
    (
        "mass",
        "double time, const double* v, double* data, double* mv",
    ),
    (
        "mass_rgrad",
        "double time, const double* v, double* dv, const double* data, double* ddata, const double* mv, double* dmv",
    ),
];

/// Those that come with derivatives, and what their result is called.
const DERIVED: &[(&str, &str)] = &[
    ("rhs", "rr"),
    ("calc_out", "out"),
    ("calc_stop", "root"),
    ("reset", "reset"),
];

/// Writes the functions for a right-hand side that begins at `start`.
pub(super) fn diffsl(
    unit: &mut Unit,
    name: &str,
    functions: &[Function],
    start: &[f64],
) -> Result<(), CError> {
    let plain = &functions[0];
    doubles(ABI, plain)?;
    right_hand_side(ABI, plain)?;
    on_stack(ABI, unit)?;
    let lens: Vec<usize> = plain.inputs.iter().map(|l| l.port.len).collect();
    let (n, p) = (lens[1], lens.get(2).copied().unwrap_or(0));
    if start.len() != n {
        return refuse(
            ABI,
            format!(
                "the state has {n} numbers, and {} are given to begin with",
                start.len()
            ),
        );
    }
    let of = |role| {
        functions
            .iter()
            .find(|f| f.role == role)
            .map(|f| f.name.as_str())
    };
    let jvp = of(Role::Jvp).expect("it is asked for with this convention");
    let vjp = of(Role::Vjp).expect("it is asked for with this convention");
    let with = lens.len() == 3;

    let thread = "unsigned thread_id, unsigned thread_dim";
    let mut signatures: Vec<(String, String)> = SIGNATURES
        .iter()
        .map(|(name, params)| {
            let params = match params.strip_suffix('.') {
                Some("") => "void".to_string(),
                Some(params) => params.to_string(),
                None if params.is_empty() => thread.to_string(),
                None => format!("{params}, {thread}"),
            };
            (name.to_string(), params)
        })
        .collect();
    for (name, result) in DERIVED {
        let (r, dr) = (
            format!("const double* {result}"),
            format!("double* d{result}"),
        );
        let data = "const double* data, double* ddata";
        for (suffix, params) in [
            (
                "",
                format!("const double* u, double* data, double* {result}"),
            ),
            (
                "_grad",
                format!("const double* u, const double* du, {data}, {r}, {dr}"),
            ),
            (
                "_rgrad",
                format!("const double* u, double* du, {data}, {r}, {dr}"),
            ),
            ("_sgrad", format!("const double* u, {data}, {r}, {dr}")),
            ("_srgrad", format!("const double* u, {data}, {r}, {dr}")),
        ] {
            signatures.push((
                format!("{name}{suffix}"),
                format!("double time, {params}, {thread}"),
            ));
        }
    }
    if signatures.iter().any(|(s, _)| s == name) {
        return refuse(
            ABI,
            format!("it has a function {name} of its own: take another name"),
        );
    }

    let zeros = n.max(p).max(1);
    let bits: Vec<u64> = start.iter().map(|x| x.to_bits()).collect();
    let mut text = String::from("\n");
    if n > 0 {
        text += &table("w_start", DType::F64, &bits);
    }
    let arg = |given: &str| {
        if with {
            format!("{given}, ")
        } else {
            String::new()
        }
    };
    let _ = write!(
        text,
        r#"
static void w_copy(const f64* from, f64* to, i64 n) {{
  for (i64 i = 0; i < n; i++) to[i] = from[i];
}}
static void w_fill(f64* to, f64 x, i64 n) {{
  for (i64 i = 0; i < n; i++) to[i] = x;
}}
/* Adds what reverse mode finds, and takes the cotangent away that it was found for. */
static void w_add(f64* to, const f64* from, i64 n) {{
  for (i64 i = 0; i < n; i++) to[i] += from[i];
}}
static void w_forward(f64 t, const f64* u, const f64* du, const f64* data, const f64* ddata, f64* dy) {{
  const f64 dt = 0.0;
  f64 y[{zeros}];
  {name}_scratch scratch;
  (void)data;
  (void)ddata;
  if ({jvp}(&t, u, {}&dt, du, {}y, dy, &scratch)) w_fill(dy, w_nan(), {n});
}}
static void w_reverse(f64 t, const f64* u, const f64* data, const f64* dy, f64* du, f64* ddata) {{
  f64 y[{zeros}], dt, bar_u[{zeros}], bar_p[{zeros}] = {{0.0}};
  {name}_scratch scratch;
  (void)data;
  (void)bar_p;
  if ({vjp}(&t, u, {}dy, y, &dt, bar_u, {}&scratch)) {{
    w_fill(bar_u, w_nan(), {zeros});
    w_fill(bar_p, w_nan(), {zeros});
  }}
  if (du) w_add(du, bar_u, {n});
  if (ddata) w_add(ddata, bar_p, {p});
}}
"#,
        arg("data"),
        arg("ddata"),
        arg("data"),
        arg("bar_p"),
    );
    let zero = format!("f64 none[{zeros}];\n  w_fill(none, 0.0, {zeros});");
    for (function, params) in &signatures {
        let (body, used): (String, &[&str]) = match function.as_str() {
            "set_u0" if n > 0 => (format!("w_copy(w_start, u, {n});"), &["u"]),
            "set_u0_grad" | "set_u0_rgrad" | "set_u0_sgrad" => {
                (format!("w_fill(du, 0.0, {n});"), &["du"])
            }
            "set_id" => (format!("w_fill(id, 1.0, {n});"), &["id"]),
            "get_dims" => (
                format!(
                    "*states = {n};\n  *inputs = {p};\n  *outputs = {n};\n  *data = {p};\n  *stop = 0;\n  *has_mass = 0;\n  *has_reset = 0;"
                ),
                &[
                    "states",
                    "inputs",
                    "outputs",
                    "data",
                    "stop",
                    "has_mass",
                    "has_reset",
                ],
            ),
            "set_inputs" => (format!("w_copy(inputs, data, {p});"), &["inputs", "data"]),
            "get_inputs" => (format!("w_copy(data, inputs, {p});"), &["inputs", "data"]),
            "set_inputs_grad" => (
                format!("w_copy(dinputs, ddata, {p});"),
                &["dinputs", "ddata"],
            ),
            "set_inputs_rgrad" => (
                format!("w_add(dinputs, ddata, {p});\n  w_fill(ddata, 0.0, {p});"),
                &["dinputs", "ddata"],
            ),
            "mass" => (format!("w_copy(v, mv, {n});"), &["v", "mv"]),
            "mass_rgrad" => (
                format!("w_add(dv, dmv, {n});\n  w_fill(dmv, 0.0, {n});"),
                &["dv", "dmv"],
            ),
            "rhs" => (
                format!(
                    "{name}_scratch scratch;\n  if ({name}(&time, u, {}rr, &scratch)) w_fill(rr, w_nan(), {n});",
                    arg("data")
                ),
                &["time", "u", "rr"],
            ),
            "rhs_grad" => (
                "w_forward(time, u, du, data, ddata, drr);".into(),
                &["time", "u", "du", "data", "ddata", "drr"],
            ),
            "rhs_sgrad" => (
                format!("{zero}\n  w_forward(time, u, none, data, ddata, drr);"),
                &["time", "u", "data", "ddata", "drr"],
            ),
            "rhs_rgrad" => (
                format!("w_reverse(time, u, data, drr, du, ddata);\n  w_fill(drr, 0.0, {n});"),
                &["time", "u", "du", "data", "ddata", "drr"],
            ),
            "rhs_srgrad" => (
                format!("w_reverse(time, u, data, drr, 0, ddata);\n  w_fill(drr, 0.0, {n});"),
                &["time", "u", "data", "ddata", "drr"],
            ),
            "calc_out" => (format!("w_copy(u, out, {n});"), &["u", "out"]),
            "calc_out_grad" => (format!("w_copy(du, dout, {n});"), &["du", "dout"]),
            "calc_out_rgrad" => (
                format!("w_add(du, dout, {n});\n  w_fill(dout, 0.0, {n});"),
                &["du", "dout"],
            ),
            "calc_out_sgrad" | "calc_out_srgrad" => (format!("w_fill(dout, 0.0, {n});"), &["dout"]),
            // No state ends the integration, and none is set back.
            _ => (String::new(), &[]),
        };
        let _ = writeln!(text, "\nvoid {function}({params}) {{");
        for param in params.split(", ").filter(|p| *p != "void") {
            let param = param.rsplit([' ', '*']).next().unwrap_or_default();
            let is_data_of_rhs = function == "rhs" && with && param == "data";
            if !used.contains(&param) && !is_data_of_rhs {
                let _ = writeln!(text, "  (void){param};");
            }
        }
        let _ = writeln!(text, "  {body}\n}}");
    }
    let mut about = comment(&[
        "An external object of DiffSL. Its data are the inputs, its outputs the state; no state ends the integration.".into(),
        "A call that fails gives NaN.".into(),
    ]);
    let all: Vec<String> = signatures
        .iter()
        .map(|(function, params)| format!("void {function}({params});"))
        .collect();
    about += &all.join("\n");
    unit.add_text(&about, &text);
    Ok(())
}
