//! Functions of the array IR.

use std::ops::Range;
use std::sync::{LazyLock, RwLock};

use smallvec::SmallVec;

use crate::buffer::Element;
use crate::ir::bits::BitMatrix;
use crate::ops::Op;
use crate::source::SourceId;
use crate::types::Type;

/// The index of a value in a [`Func`].
pub type VarId = u32;

/// A literal: one number, repeated to fill a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Splat {
    ty: &'static Type,
    /// The bits of the number, in the low-order end.
    pub bits: u64,
}

impl Splat {
    /// Creates a literal of type `ty` whose elements all have these bits.
    pub fn new(ty: &Type, bits: u64) -> Splat {
        Splat {
            ty: interned(ty),
            bits,
        }
    }

    /// Creates a scalar literal.
    pub fn scalar<T: Element>(x: T) -> Splat {
        Splat::new(&Type::scalar(T::DTYPE), x.to_bits())
    }

    /// Creates a literal of zeros.
    pub fn zeros(ty: &Type) -> Splat {
        Splat::new(ty, 0)
    }

    /// Returns the type of the literal.
    pub fn ty(self) -> &'static Type {
        self.ty
    }
}

/// Returns a shared copy of a type that lives forever, so that a literal is `Copy`. Programs have few types of
/// literals.
fn interned(ty: &Type) -> &'static Type {
    static TYPES: LazyLock<RwLock<std::collections::HashSet<&'static Type>>> =
        LazyLock::new(Default::default);
    if let Some(t) = TYPES.read().unwrap_or_else(|e| e.into_inner()).get(ty) {
        return t;
    }
    let mut types = TYPES.write().unwrap_or_else(|e| e.into_inner());
    match types.get(ty) {
        Some(t) => t,
        None => {
            let t: &'static Type = Box::leak(Box::new(ty.clone()));
            types.insert(t);
            t
        }
    }
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Atom {
    /// A parameter, or a result of an equation.
    Var(VarId),
    /// A literal.
    Lit(Splat),
}

/// The operands of an equation.
pub type Atoms = SmallVec<[Atom; 3]>;

/// One equation: it defines values by applying an operation to operands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Eqn {
    /// The operation.
    pub op: Op,
    /// Its operands.
    pub inputs: Atoms,
    /// The values it defines.
    pub outputs: Range<VarId>,
    /// Where in the user's program it was written.
    pub source: SourceId,
}

/// A function in dense SSA form: the parameters are the values `0..params`, each equation defines the
/// next ones, and an operand is defined before it is used.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Func {
    /// The number of parameters.
    pub params: u32,
    /// The type of each value.
    pub types: Vec<Type>,
    /// The equations, in the order in which they run.
    pub eqns: Vec<Eqn>,
    /// The operands that it returns.
    pub results: Vec<Atom>,
}

impl Func {
    /// Returns the type of an operand.
    pub fn type_of(&self, atom: Atom) -> &Type {
        match atom {
            Atom::Var(id) => &self.types[id as usize],
            Atom::Lit(splat) => splat.ty(),
        }
    }

    /// Returns the number of parameters.
    pub fn arity(&self) -> usize {
        self.params as usize
    }

    /// Returns the types of the parameters.
    pub fn param_types(&self) -> &[Type] {
        &self.types[..self.arity()]
    }

    /// Returns the types of the results.
    pub fn result_types(&self) -> Vec<Type> {
        self.results
            .iter()
            .map(|&a| self.type_of(a).clone())
            .collect()
    }

    /// Returns whether running the function has an effect besides computing its results.
    pub fn has_effect(&self) -> bool {
        self.eqns.iter().any(|e| e.op.has_effect())
    }

    /// Counts the equations, including those of nested functions.
    pub fn count(&self) -> usize {
        let bodies = |e: &Eqn| e.op.bodies().iter().map(|f| f.count()).sum::<usize>();
        self.eqns.iter().map(|e| 1 + bodies(e)).sum()
    }

    /// Returns the nesting depth of functions: 1 if no operation holds a function.
    pub fn depth(&self) -> usize {
        let bodies = self.eqns.iter().flat_map(|e| e.op.bodies());
        1 + bodies.map(Func::depth).max().unwrap_or(0)
    }

    /// Returns which result (row) depends differentiably on which parameter (column).
    pub fn deps(&self) -> BitMatrix {
        let n = self.arity();
        let mut rows = BitMatrix::new(self.types.len(), n);
        for i in (0..n).filter(|&i| self.types[i].is_float()) {
            rows.set(i, i);
        }
        for e in &self.eqns {
            let deps = e.op.deps(e.inputs.len(), e.outputs.len());
            for (k, out) in e.outputs.clone().enumerate() {
                if !self.types[out as usize].is_float() {
                    continue;
                }
                for (i, input) in e.inputs.iter().enumerate() {
                    if let (true, Atom::Var(v)) = (deps.get(k, i), input) {
                        rows.or_row(out as usize, *v as usize);
                    }
                }
            }
        }
        let mut out = BitMatrix::new(self.results.len(), n);
        for (r, atom) in self.results.iter().enumerate() {
            if let Atom::Var(v) = atom {
                for i in (0..n).filter(|&i| rows.get(*v as usize, i)) {
                    out.set(r, i);
                }
            }
        }
        out
    }

    /// Returns the function with other parameters: parameter `i` of this function becomes parameter `places[i]`
    /// of the new one, whose parameters have the types `params`. New parameters may go unused.
    pub fn with_params(&self, params: Vec<Type>, places: &[usize]) -> Func {
        let (old, new) = (self.params, params.len() as u32);
        let id = |i: u32| match i < old {
            true => places[i as usize] as u32,
            false => i - old + new,
        };
        let atom = |a: &Atom| match a {
            Atom::Var(i) => Atom::Var(id(*i)),
            lit => *lit,
        };
        let eqn = |e: &Eqn| Eqn {
            op: e.op.clone(),
            inputs: e.inputs.iter().map(atom).collect(),
            outputs: e.outputs.start - old + new..e.outputs.end - old + new,
            source: e.source,
        };
        let mut types = params;
        types.extend_from_slice(&self.types[old as usize..]);
        Func {
            params: new,
            types,
            eqns: self.eqns.iter().map(eqn).collect(),
            results: self.results.iter().map(atom).collect(),
        }
    }

    /// Returns the function with its parameters in another order: new parameter `i` is old parameter `order[i]`.
    pub fn reordered(&self, order: &[usize]) -> Func {
        debug_assert_eq!(order.len(), self.arity());
        let mut places = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            places[old] = new;
        }
        let types = order.iter().map(|&i| self.types[i].clone()).collect();
        self.with_params(types, &places)
    }
}
