//! Values defined by an equation: the solution of a linear system, and the root of a function.
//!
//! Both are computed by whatever method the user gives, and differentiated through the equation alone
//! (the implicit function theorem; see Griewank and Walther, *Evaluating Derivatives*, 2nd edition,
//! chapter 15).

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError, raise};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::scan::expect_types;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, elementwise};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted, places};
use crate::trace::{Closed, Kind, Var, bind, closed, current_source};
use crate::transform::{batched, inline, linearize, replay, why_not_linear};

/// The solution `x` of `A x = b`. Operands: constants, then `b`; `x` has the types of `b`. All three functions
/// take the constants first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinearSolve {
    /// The function from `x` to `A x`, linear in `x`.
    pub apply: Func,
    /// The function from `b` to `x`.
    pub solve: Func,
    /// The function from `c` to the solution `y` of `Aᵀ y = c`.
    pub solve_transposed: Func,
    /// The number of constants.
    pub constants: usize,
}

/// The solution `x` of `f(x) = 0` near a guess. Operands: constants, then the guess, which the derivative does not
/// depend on; `x` has the types of the guess. All functions take the constants first. After `x` come the facts that
/// the solver reports, such as its number of steps: values of any type, without derivatives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Root {
    /// The function from `x` to `f(x)`.
    pub residual: Func,
    /// The function from the guess to `x` and the facts.
    pub solve: Func,
    /// The function from `x` and `b` to the solution `y` of `f'(x) y = b`.
    pub solve_tangent: Func,
    /// The function from `x` and `c` to the solution `y` of `f'(x)ᵀ y = c`.
    pub solve_cotangent: Func,
    /// The number of constants.
    pub constants: usize,
}

/// Returns the tangents with zeros in place of missing ones.
fn filled(tangents: &[Tangent], types: &[Type]) -> Vec<Var> {
    let all = tangents.iter().zip(types);
    all.map(|(d, ty)| d.unwrap_or_else(|| Var::zeros(ty)))
        .collect()
}

/// Returns the tangents of `f` with respect to its constants, at a point.
fn by_constants(
    f: &Func,
    constants: &[Var],
    dx: &[Tangent],
    at: &[Var],
    mode: Mode,
) -> Vec<Tangent> {
    let point = [constants, at].concat();
    let none = vec![None; at.len()];
    replay(f, &point, &[dx, &none].concat(), mode).1
}

impl LinearSolve {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [apply, solve, solve_transposed] = bodies else {
            return None;
        };
        let op = LinearSolve {
            apply: apply.clone(),
            solve: solve.clone(),
            solve_transposed: solve_transposed.clone(),
            constants: given.index("constants")?,
        };
        (name == "linear_solve").then(|| op.op())
    }

    fn op(self) -> Op {
        Op::LinearSolve(Arc::new(self))
    }

    /// Returns the types of `b`, which are those of `x`.
    fn unknowns(&self) -> &[Type] {
        self.solve
            .param_types()
            .get(self.constants..)
            .unwrap_or(&[])
    }

    /// Returns the transposed system.
    ///
    /// `apply` may mix its unknowns with primal work, for example in the carries of one loop; linearising it separates
    /// the two. Its derivative is the same everywhere, so it is linearised at zero.
    fn transposed(&self) -> LinearSolve {
        let n = self.constants;
        let unknowns = self.unknowns();
        let apply = closed(Kind::Door, self.apply.param_types(), |vars| {
            let (constants, ct) = vars.split_at(n);
            let zeros: Vec<Var> = unknowns.iter().map(Var::zeros).collect();
            let active: Vec<bool> = (0..vars.len()).map(|i| i >= n).collect();
            let (_, linear) = linearize(&self.apply, &[constants, &zeros].concat(), &active);
            let ct: Vec<Option<Cotangent>> = ct.iter().map(|&c| Some(Cotangent::new(c))).collect();
            let back = linear.pull(&ct).split_off(n);
            let all = back.into_iter().zip(unknowns);
            all.map(|(c, ty)| c.map_or_else(|| Var::zeros(ty), |c| c.value))
                .collect()
        });
        LinearSolve {
            apply: apply.func,
            solve: self.solve_transposed.clone(),
            solve_transposed: self.solve.clone(),
            constants: n,
        }
    }
}

impl Primitive for LinearSolve {
    fn name(&self) -> Cow<'static, str> {
        "linear_solve".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "custom_linear_solve".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("constants", Attribute::Int(self.constants as i64))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        expect_types("operand", inputs, self.solve.param_types())?;
        let unknowns = self.unknowns().to_vec();
        for f in [&self.apply, &self.solve, &self.solve_transposed] {
            expect_types("a function's operand", f.param_types(), inputs)?;
            expect_types("a function's result", &f.result_types(), &unknowns)?;
        }
        match unknowns.iter().find(|ty| !ty.is_float()) {
            Some(ty) => Err(TypeError::new(format!("solves for floats, not {ty}"))),
            None => Ok(unknowns),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.solve, inputs.to_vec())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::full(outputs, inputs)
    }

    fn has_effect(&self) -> bool {
        self.solve.has_effect()
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.apply, &self.solve, &self.solve_transposed]
    }

    fn call(&self) -> Option<&Func> {
        Some(&self.solve)
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        let op = LinearSolve {
            apply: rewrite(&self.apply),
            solve: rewrite(&self.solve),
            solve_transposed: rewrite(&self.solve_transposed),
            constants: self.constants,
        };
        Some(op.op())
    }

    /// The tangent solves `A dx = db - dA x`.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = bind(self.clone().op(), x);
        let (constants, _) = x.split_at(self.constants);
        let (dc, db) = dx.split_at(self.constants);
        let mut right = db.to_vec();
        if dc.iter().any(Option::is_some) {
            let moved = by_constants(&self.apply, constants, dc, &y, mode);
            for (r, m) in right.iter_mut().zip(moved) {
                *r = match (*r, m) {
                    (Some(r), Some(m)) => Some(elementwise::sub(r, m)),
                    (None, Some(m)) => Some(elementwise::neg(m)),
                    (r, None) => r,
                };
            }
        }
        if right.iter().all(Option::is_none) {
            return (y, vec![None; self.unknowns().len()]);
        }
        let right = filled(&right, self.unknowns());
        let dy = bind(self.clone().op(), &[constants, &right].concat());
        (y, dy.into_iter().map(Some).collect())
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let (constants, right) = inputs.split_at(self.constants);
        let mut operands: Vec<Var> = constants.iter().map(Operand::known).collect();
        let all = ct.iter().zip(self.unknowns());
        operands.extend(all.map(|(c, ty)| c.map_or_else(|| Var::zeros(ty), |c| c.value)));
        let masked = ct.iter().flatten().all(|c| c.maybe_zero);
        let back = bind(self.transposed().op(), &operands);
        let mut out = vec![None; self.constants];
        out.extend(
            right
                .iter()
                .zip(back)
                .map(|(r, value)| r.is_linear().then_some(Cotangent::of(value, masked))),
        );
        out
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.call(&self.solve, inputs, &places(outputs))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (constants, right) = inputs.split_at(self.constants);
        let mut mapped: Vec<bool> = constants.iter().map(|b| b.mapped).collect();
        mapped.resize(inputs.len(), true);
        let wide = |f: &Func| batched(f, &mapped, size);
        let op = LinearSolve {
            apply: wide(&self.apply),
            solve: wide(&self.solve),
            solve_transposed: wide(&self.solve_transposed),
            constants: self.constants,
        };
        let constants = constants.iter().map(|b| b.value);
        let operands: Vec<Var> = constants
            .chain(right.iter().map(|b| b.spread(size)))
            .collect();
        let results = bind(op.op(), &operands);
        results.into_iter().map(Batched::mapped).collect()
    }
}

impl Root {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [residual, solve, solve_tangent, solve_cotangent] = bodies else {
            return None;
        };
        let op = Root {
            residual: residual.clone(),
            solve: solve.clone(),
            solve_tangent: solve_tangent.clone(),
            solve_cotangent: solve_cotangent.clone(),
            constants: given.index("constants")?,
        };
        (name == "root").then(|| op.op())
    }

    fn op(self) -> Op {
        Op::Root(Arc::new(self))
    }

    fn unknowns(&self) -> &[Type] {
        self.solve
            .param_types()
            .get(self.constants..)
            .unwrap_or(&[])
    }

    /// Returns the linear systems at a root, whose constants are those of this operation and the root.
    fn linear(&self) -> LinearSolve {
        let n = self.constants;
        let m = self.unknowns().len();
        let apply = closed(Kind::Door, self.solve_tangent.param_types(), |vars| {
            let dx: Vec<Tangent> = vars[n + m..].iter().map(|&v| Some(v)).collect();
            let none = vec![None; n];
            let dy = replay(
                &self.residual,
                &vars[..n + m],
                &[none, dx].concat(),
                Mode::Fused,
            )
            .1;
            filled(&dy, self.unknowns())
        });
        LinearSolve {
            apply: apply.func,
            solve: self.solve_tangent.clone(),
            solve_transposed: self.solve_cotangent.clone(),
            constants: n + m,
        }
    }
}

impl Primitive for Root {
    fn name(&self) -> Cow<'static, str> {
        "root".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("constants", Attribute::Int(self.constants as i64))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        expect_types("operand", inputs, self.solve.param_types())?;
        let unknowns = self.unknowns().to_vec();
        let with_right = [inputs, &unknowns].concat();
        let results = self.solve.result_types();
        let found = &results[..results.len().min(unknowns.len())];
        expect_types("a function's result", found, &unknowns)?;
        for (f, params) in [
            (&self.residual, inputs),
            (&self.solve_tangent, &with_right),
            (&self.solve_cotangent, &with_right),
        ] {
            expect_types("a function's operand", f.param_types(), params)?;
            expect_types("a function's result", &f.result_types(), &unknowns)?;
        }
        match unknowns.iter().find(|ty| !ty.is_float()) {
            Some(ty) => Err(TypeError::new(format!("solves for floats, not {ty}"))),
            None => Ok(results),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.solve, inputs.to_vec())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let unknowns = self.unknowns().len();
        BitMatrix::from_fn(outputs, inputs, |r, i| r < unknowns && i < self.constants)
    }

    fn has_effect(&self) -> bool {
        self.solve.has_effect()
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![
            &self.residual,
            &self.solve,
            &self.solve_tangent,
            &self.solve_cotangent,
        ]
    }

    fn call(&self) -> Option<&Func> {
        Some(&self.solve)
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        let op = Root {
            residual: rewrite(&self.residual),
            solve: rewrite(&self.solve),
            solve_tangent: rewrite(&self.solve_tangent),
            solve_cotangent: rewrite(&self.solve_cotangent),
            constants: self.constants,
        };
        Some(op.op())
    }

    /// The tangent solves `f'(x) dx = -df(x)`, where `df` is the tangent of `f` with respect to its constants.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = bind(self.clone().op(), x);
        let constants = &x[..self.constants];
        let root = &y[..self.unknowns().len()];
        let moved = by_constants(&self.residual, constants, &dx[..self.constants], root, mode);
        let mut dy = vec![None; y.len()];
        if moved.iter().all(Option::is_none) {
            return (y, dy);
        }
        let right = moved.into_iter().map(|d| d.map(elementwise::neg));
        let right = filled(&right.collect::<Vec<_>>(), self.unknowns());
        let operands = [constants, root, &right].concat();
        for (d, value) in dy.iter_mut().zip(bind(self.linear().op(), &operands)) {
            *d = Some(value);
        }
        (y, dy)
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("the linear part of a root is the solution of a linear system")
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.call(&self.solve, inputs, &places(outputs))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (constants, guess) = inputs.split_at(self.constants);
        let mut mapped: Vec<bool> = constants.iter().map(|b| b.mapped).collect();
        let n = guess.len();
        let mut wide = |f: &Func, unknowns: usize| {
            mapped.resize(constants.len() + unknowns, true);
            batched(f, &mapped, size)
        };
        let op = Root {
            residual: wide(&self.residual, n),
            solve: wide(&self.solve, n),
            solve_tangent: wide(&self.solve_tangent, 2 * n),
            solve_cotangent: wide(&self.solve_cotangent, 2 * n),
            constants: self.constants,
        };
        let constants = constants.iter().map(|b| b.value);
        let operands: Vec<Var> = constants
            .chain(guess.iter().map(|b| b.spread(size)))
            .collect();
        let results = bind(op.op(), &operands);
        results.into_iter().map(Batched::mapped).collect()
    }
}

type Solver<'a> = &'a dyn Fn(&[Var], &[Var]) -> Vec<Var>;

/// Turns functions that may capture outer values into functions that take all captured values first, as constants.
fn with_constants<const N: usize>(functions: [Closed; N]) -> ([Func; N], Vec<Var>) {
    let mut constants: Vec<Var> = vec![];
    let same = |a: &Var, b: &Var| a.trace_number() == b.trace_number() && a.id() == b.id();
    for v in functions.iter().flat_map(|f| &f.captures) {
        if !constants.iter().any(|c| same(c, v)) {
            constants.push(*v);
        }
    }
    let types: Vec<Type> = constants.iter().map(|c| c.ty()).collect();
    let whole = functions.map(|f| {
        let own = f.func.arity() - f.captures.len();
        let params = [&types[..], &f.func.param_types()[..own]].concat();
        let whole = closed(Kind::Door, &params, |vars| {
            let (given, own) = vars.split_at(constants.len());
            let place = |v: &Var| constants.iter().position(|c| same(c, v));
            let captures = f
                .captures
                .iter()
                .map(|v| given[place(v).expect("a constant")]);
            inline(&f.func, &[own, &captures.collect::<Vec<_>>()].concat())
        });
        whole.func
    });
    (whole, constants)
}

/// Records the solution `x` of `A x = b`, given the function from an `x` to `A x`, and functions that solve the system
/// and the transposed system for a right-hand side.
#[track_caller]
pub fn linear_solve(
    b: &[Var],
    apply: impl FnOnce(&[Var]) -> Vec<Var>,
    solve: impl FnOnce(&[Var]) -> Vec<Var>,
    solve_transposed: impl FnOnce(&[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let types: Vec<Type> = b.iter().map(|v| v.ty()).collect();
    let functions = [
        closed(Kind::Plain, &types, apply),
        closed(Kind::Plain, &types, solve),
        closed(Kind::Plain, &types, solve_transposed),
    ];
    let ([apply, solve, solve_transposed], constants) = with_constants(functions);
    let n = constants.len();
    let unknown: Vec<bool> = (0..apply.arity()).map(|i| i >= n).collect();
    if let Some(message) = why_not_linear(&apply, &unknown, |r| format!(" {r}")) {
        raise(Error::derivative(
            "custom_linear_solve",
            message,
            current_source(),
            "`custom_root` solves equations that are not linear",
        ))
    }
    let op = LinearSolve {
        apply,
        solve,
        solve_transposed,
        constants: constants.len(),
    };
    bind(op.op(), &[&constants, b].concat())
}

/// Records the root `x` of `f(x) = 0` that `solve` finds from a guess, followed by the facts that `solve` reports. The
/// other two functions take `x` and a right-hand side, and solve the linear system of `f'(x)` and of its transpose.
#[track_caller]
pub fn root(
    guess: &[Var],
    residual: impl FnOnce(&[Var]) -> Vec<Var>,
    solve: impl FnOnce(&[Var]) -> Vec<Var>,
    solve_tangent: Solver<'_>,
    solve_cotangent: Solver<'_>,
) -> Vec<Var> {
    let types: Vec<Type> = guess.iter().map(|v| v.ty()).collect();
    let twice = [&types[..], &types].concat();
    let linear = |solve: Solver<'_>| {
        closed(Kind::Plain, &twice, |vars| {
            solve(&vars[..types.len()], &vars[types.len()..])
        })
    };
    let functions = [
        closed(Kind::Plain, &types, residual),
        closed(Kind::Plain, &types, solve),
        linear(solve_tangent),
        linear(solve_cotangent),
    ];
    let ([residual, solve, solve_tangent, solve_cotangent], constants) = with_constants(functions);
    let op = Root {
        residual,
        solve,
        solve_tangent,
        solve_cotangent,
        constants: constants.len(),
    };
    bind(op.op(), &[&constants, guess].concat())
}
