//! Programs as text, close to Rust source.

use std::fmt;

use super::build::{BINARY, RUNNING, UNARY};
use super::{Arg, Expr, Kind, Place, Program};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params.iter();
        let params = params.map(|p| format!("x{}: f64{}", p.name, shape(&p.shape)));
        let result = shape(&self.body.shape);
        writeln!(
            f,
            "|{}| -> f64{result} {{",
            params.collect::<Vec<_>>().join(", ")
        )?;
        writeln!(f, "    {}", self.body.text())?;
        f.write_str("}")
    }
}

fn shape(dims: &[usize]) -> String {
    match dims {
        [] => String::new(),
        _ => format!("{dims:?}"),
    }
}

/// Fills the operands into a template.
fn filled(template: &str, a: &str, b: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = template.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        let alone = !word(i.checked_sub(1).and_then(|i| chars.get(i))) && !word(chars.get(i + 1));
        match c {
            'a' if alone => out.push_str(a),
            'b' if alone => out.push_str(b),
            c => out.push(*c),
        }
    }
    out
}

impl Arg {
    fn text(&self) -> String {
        self.body.text()
    }

    /// Formats the argument as a closure whose body is the expression formatted into `wrap`.
    fn closure(&self, wrap: &str) -> String {
        let names = self.binders.iter().map(|b| format!("x{}", b.name));
        let names = names.collect::<Vec<_>>().join(", ");
        format!("|{names}| {}{wrap}", self.text())
    }
}

impl Expr {
    fn text(&self) -> String {
        let arg = |i: usize| self.args[i].text();
        let f = |i: usize| self.args[i].closure("");
        let all = || {
            let all: Vec<String> = self.args.iter().map(Arg::text).collect();
            all.join(", ")
        };
        let rows = |i: usize| self.args[i].body.shape[0];
        let index = |i: usize, n: usize| format!("index({}, {n})", arg(i));
        let to = shape(&self.shape);
        match &self.kind {
            Kind::Var(name) => format!("x{name}"),
            Kind::Const(x) if self.shape.is_empty() => format!("{x:?}"),
            Kind::Const(x) => format!("full({to}, {x:?})"),
            Kind::Unary(k) => filled(UNARY[*k].0, &arg(0), ""),
            Kind::Binary(k) => filled(BINARY[*k].0, &arg(0), &arg(1)),
            Kind::Select => format!(
                "({} < {} + 0.0613).select({}, {})",
                arg(0),
                arg(1),
                arg(2),
                arg(3)
            ),
            Kind::Sum => format!("{}.sum()", arg(0)),
            Kind::SumAxis(axis) => format!("{}.sum_axis({axis})", arg(0)),
            Kind::Mean => format!("{}.mean()", arg(0)),
            Kind::Prod => format!("({}.sin() + 0.5).prod()", arg(0)),
            Kind::Largest => format!("apart({}).amax()", arg(0)),
            Kind::Running(k, axis) => {
                filled(RUNNING[*k].0, &arg(0), "").replace("(k)", &format!("({axis})"))
            }
            Kind::Sort => format!("apart({}).sort(0)", arg(0)),
            Kind::Broadcast => format!("{}.broadcast_to({to})", arg(0)),
            Kind::Reshape => format!("{}.reshape({to})", arg(0)),
            Kind::Transpose => format!("{}.t()", arg(0)),
            Kind::Flip(axis) => format!("{}.flip({axis})", arg(0)),
            Kind::Slice { start, step } => {
                let end = start + (self.shape[0] - 1) * step + 1;
                format!("{}.slice({start}..{end} by {step})", arg(0))
            }
            Kind::Concat(axis) => format!("concat([{}], {axis})", all()),
            Kind::Stack => format!("stack([{}])", all()),
            Kind::Dot => format!("{}.dot({})", arg(0), arg(1)),
            Kind::Outer => format!("{}.outer({})", arg(0), arg(1)),
            Kind::At => format!("{}.at({})", arg(0), index(1, rows(0))),
            Kind::AtSet => format!("{}.at_set({}, {})", arg(0), index(1, rows(0)), arg(2)),
            Kind::AtAdd => format!("{}.at_add({}, {})", arg(0), index(1, rows(0)), arg(2)),
            Kind::AtMul => format!("{}.at_mul({}, {})", arg(0), index(1, rows(0)), arg(2)),
            Kind::Take => format!("{}.take({})", arg(0), index(1, rows(0))),
            Kind::TakeAlong => format!("{}.take_along_axis({}, 0)", arg(0), index(1, rows(0))),
            Kind::Window => {
                let start = index(1, rows(0) - self.shape[0] + 1);
                format!("{}.dynamic_slice({start}, {to})", arg(0))
            }
            Kind::Update => {
                let start = index(2, rows(0) - rows(1) + 1);
                format!("{}.dynamic_update({}, {start})", arg(0), arg(1))
            }
            Kind::Scan { reverse, rows } => {
                let name = if *reverse { "scan_reverse" } else { "scan" };
                let result = match rows {
                    true => ".1 + last.mean() * 0.1",
                    false => ".0 + rows.sum() * 0.3",
                };
                let step = self.args[2].closure(".sin()");
                format!(
                    "{name}({}, {}, ({step}, {})){result}",
                    arg(0),
                    arg(1),
                    arg(3)
                )
            }
            Kind::While => format!(
                "while_(t = 3 sin(mean c); t < 2.5; t += 1 + sin(mean c) / 2; c = {}, {})",
                arg(0),
                self.args[1].closure(".sin()")
            ),
            Kind::Repeat => format!("fori(0..3, {}, {})", arg(0), self.args[1].closure(".sin()")),
            Kind::RepeatTraced => {
                let step = self.args[3].closure(".sin()");
                let from = index(1, 3);
                format!("fori({from} - 1..{}, {}, {step})", index(0, 4), arg(2))
            }
            Kind::Nothing => {
                let body = self.args[1].closure("");
                format!("({} + vmap({body})(zeros([0])).sum_axis(0))", arg(0))
            }
            Kind::Exchange { carries } => {
                let step = self.args[2].closure(".sin()");
                format!("exchange({carries}, {}, {}, {step})", arg(0), arg(1))
            }
            Kind::Implicit { root } => {
                let name = if *root { "root" } else { "linear_solve" };
                format!("{name}({}, {}, {})", arg(0), arg(1), f(2))
            }
            Kind::Cond => format!("cond({} < {} + 0.0613, {}, {})", arg(0), arg(1), f(2), f(3)),
            Kind::Map { columns } => {
                let name = if *columns { "vmap_columns" } else { "vmap" };
                format!("{name}({})({}, {})", f(2), arg(0), arg(1))
            }
            Kind::Grad => format!("grad({})({}).sin()", f(1), arg(0)),
            Kind::Jvp => format!("jvp({}, {}, {}.sin())", f(2), arg(0), arg(1)),
            Kind::Linearize => format!("linearize({}, {})({}.sin())", f(2), arg(0), arg(1)),
            Kind::Pull(place) => {
                let place = match place {
                    Place::Here => "",
                    Place::Map => " in vmap",
                    Place::Scan => " in fori",
                    Place::Branch => " in cond",
                };
                format!("vjp({}, {})({}.sin()){place}", f(1), arg(0), arg(2))
            }
            Kind::Jacobian { reverse } => {
                let name = if *reverse { "jacrev" } else { "jacfwd" };
                format!("{name}({})({}).sin()", f(1), arg(0))
            }
            Kind::Checkpoint => format!("checkpoint({})({})", f(1), arg(0)),
            Kind::CustomRule => format!("custom_jvp({})({})", f(1), arg(0)),
            Kind::Let => {
                let name = self.args[1].binders[0].name;
                format!("{{ let x{name} = {}; {} }}", arg(0), arg(1))
            }
        }
    }
}
