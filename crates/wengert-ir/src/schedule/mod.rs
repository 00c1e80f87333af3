//! From the array IR to the loop IR: which arrays are stored, which loops compute them, and where
//! those loops run.
//!
//! [`lower`] walks over a function equation by equation and asks each operation for its results
//! ([`Primitive::lower`](crate::ops::Primitive::lower)); operations that hold functions walk over
//! them in turn. During lowering a value is a [`node`]: a scalar in a register, an array in memory with
//! any strides, a few elements in registers, or an expression that has not been computed yet. Layout
//! operations only change how a node is read.
//!
//! Expressions wait until something must be stored ([`store`]). Then all needed values of one shape go into one loop
//! nest ([`nest`]), which computes each value once per element, in a register, and stores it if something outside the
//! nest still uses it.

mod after;
pub mod carry;
pub mod compare;
pub mod desk;
pub mod dot;
pub mod element;
pub mod fold;
pub mod host;
pub mod index;
pub mod lane_dot;
pub mod lanes;
pub mod layout;
pub mod list;
pub mod nest;
pub mod node;
pub mod notes;
pub mod owned;
pub mod pad;
pub mod random;
pub mod reduce;
pub mod running;
pub mod sort;
pub mod store;
pub mod stream;
mod targets;
pub mod view;
pub mod way;
pub mod write;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::ir::{Atom, DType, Func, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{BufferId, BufferKind, Program, dead_carries};
use crate::source::SourceId;
use crate::target::Target;
use node::{Node, NodeId};
use notes::{Notes, Recorder, StoreReason};
use view::{Place, View, contiguous};

/// A result that an operation must give.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The type of the result.
    pub ty: Type,
    /// A place where the result may be stored. The operation may store it elsewhere.
    pub place: Option<View>,
}

/// The state of lowering a function to a program.
pub struct Lowering {
    /// The builder of the program.
    pub b: Builder,
    nodes: Vec<Node>,
    /// The nodes that are stored in each buffer.
    stored_in: HashMap<BufferId, Vec<NodeId>>,
    /// The values of nodes at the elements that a nest is computing.
    memo: Option<HashMap<(NodeId, node::Position), crate::loops::Value>>,
    /// The nest that is being written.
    nest: Option<Nest>,
    /// The piece of a cut nest in which elements are being computed.
    piece: Option<pad::Piece>,
    /// The number of nests so far.
    nests: u64,
    /// The elements in registers that a nest has copied to memory, so that they can be read by number.
    spilled: HashMap<NodeId, View>,
    /// The parts of draws that have been computed for the nest that is being written.
    strips: HashMap<NodeId, random::Filled>,
    /// What the reduction that is about to be lowered applies to its results.
    after: after::After,
    /// Whether a parallel loop is open.
    parallel: bool,
    /// The machine that the program is made for.
    target: Target,
    /// The place in the user's source of the equation that is being lowered.
    source: Option<SourceId>,
    /// The recorder of notes about the lowering, if they were asked for.
    notes: Option<Recorder>,
}

/// A loop nest that reads everything before it writes it.
struct Nest {
    number: u64,
    /// The depth of the region in which the nest begins.
    floor: usize,
    /// The buffers that the nest writes.
    written: Vec<BufferId>,
}

/// Lowers a function to a program. Argument `i` is input `i`, result `i` is output `i`.
///
/// # Errors
/// Fails if the function takes or returns a value of run-time length, or if it contains an operation that fails
/// wherever it runs.
pub fn lower(func: &Func) -> Result<Program> {
    lower_for(func, &Target::default())
}

/// Lowers a function to a program for a given machine.
///
/// # Errors
/// As [`lower`].
pub fn lower_for(func: &Func, target: &Target) -> Result<Program> {
    Ok(finished(lowered(func, Lowering::new(target.clone()))?.b))
}

/// Lowers a function to a program for a given machine, and returns notes on how it was lowered.
///
/// # Errors
/// As [`lower`].
pub fn lower_with_notes(func: &Func, target: &Target) -> Result<(Program, Notes)> {
    let mut l = Lowering::new(target.clone());
    l.notes = Some(Recorder::new());
    let mut l = lowered(func, l)?;
    let notes = l.notes.take().expect("they were asked for");
    Ok((finished(l.b), notes.finish()))
}

/// The program, without what its loops carry for nobody.
fn finished(b: Builder) -> Program {
    let mut program = b.finish();
    dead_carries::remove(&mut program);
    program
}

fn lowered(func: &Func, mut l: Lowering) -> Result<Lowering> {
    let results = func.result_types();
    for ty in func.param_types().iter().chain(&results) {
        if ty.shape.has_run() {
            return Err(Error::compile(format!(
                "a call takes and gives arrays of known lengths, not {ty}"
            )));
        }
    }
    let memory = |l: &mut Lowering, ty: &Type, kind| {
        let buffer = l.b.buffer(ty.dtype, ty.size(), kind);
        View {
            place: Place::Buffer(buffer),
            offset: Affine::default(),
            strides: contiguous(&ty.dims()),
        }
    };
    let mut args = vec![];
    for (i, ty) in func.param_types().iter().enumerate() {
        let view = memory(&mut l, ty, BufferKind::Input(i as u32));
        args.push(l.stored(ty.dtype, ty.dims(), view));
    }
    let places: Vec<View> = (results.iter().enumerate())
        .map(|(i, ty)| memory(&mut l, ty, BufferKind::Output(i as u32)))
        .collect();
    let wanted: Vec<Option<View>> = places.iter().cloned().map(Some).collect();
    let wanted = owned::wanted_before(func, wanted_of(func, &wanted));
    let out = l.run_for(func, &args, wanted)?;
    let written: Vec<BufferId> = places.iter().filter_map(store::buffer_of).collect();
    l.commit(out.into_iter().zip(places).collect(), &written)?;
    Ok(l)
}

/// Returns where the values may be stored that are results, by the places of the results.
fn wanted_of(func: &Func, places: &[Option<View>]) -> HashMap<u32, View> {
    let mut wanted: HashMap<u32, View> = HashMap::new();
    for (atom, place) in func.results.iter().zip(places) {
        if let (Atom::Var(v), Some(place)) = (atom, place) {
            wanted.entry(*v).or_insert_with(|| place.clone());
        }
    }
    wanted
}

/// Returns where results may be stored.
pub fn places(outputs: &[Wanted]) -> Vec<Option<View>> {
    outputs.iter().map(|w| w.place.clone()).collect()
}

impl Lowering {
    pub(crate) fn new(target: Target) -> Lowering {
        Lowering {
            b: Builder::new(),
            nodes: vec![],
            stored_in: HashMap::new(),
            memo: None,
            nest: None,
            piece: None,
            nests: 0,
            spilled: HashMap::new(),
            strips: HashMap::new(),
            after: after::After::default(),
            parallel: false,
            target,
            source: None,
            notes: None,
        }
    }

    /// Returns whether a vector loop is open, so that code is written for one of its lanes.
    pub fn in_lanes(&self) -> bool {
        self.b.vector_index().is_some()
    }

    /// Returns whether a library factorises large matrices.
    pub fn has_library(&self) -> bool {
        self.target.library
    }

    /// Returns whether a parallel loop is open, so that code is written for one of its tasks.
    pub fn in_task(&self) -> bool {
        self.parallel
    }

    /// Lowers a function on these arguments. `places` says where results may be stored. The caller holds a use of each
    /// result.
    ///
    /// # Errors
    /// As [`lower`].
    pub fn run(
        &mut self,
        func: &Func,
        args: &[NodeId],
        places: &[Option<View>],
    ) -> Result<Vec<NodeId>> {
        self.run_for(func, args, wanted_of(func, places))
    }

    /// The same, where `wanted` says where values may be stored.
    fn run_for(
        &mut self,
        func: &Func,
        args: &[NodeId],
        mut wanted: HashMap<u32, View>,
    ) -> Result<Vec<NodeId>> {
        let uses = owned::uses(func);
        let mut values: Vec<NodeId> = args.to_vec();
        for (v, (&node, &n)) in args.iter().zip(&uses).enumerate() {
            self.retain(node, n);
            self.note_readers_in(func, v as u32, node);
        }
        let around = self.source;
        // Values are indexed by variable, because equations are not lowered in the order in which they are written.
        values.resize(func.types.len(), NodeId(u32::MAX));
        let mut done = HashSet::new();
        for e in owned::order_of(func) {
            if done.contains(&e) {
                continue;
            }
            let eqn = &func.eqns[e];
            self.source = Some(eqn.source.written());
            let outside = self.note_equation(eqn);
            let inputs: Vec<NodeId> = (eqn.inputs.iter()).map(|a| self.atom(&values, a)).collect();
            inputs.iter().for_each(|&id| self.note_reader(id, eqn));
            let following = after::following(func, &uses, e);
            self.after = self.after(func, &following);
            let last = following.last().map_or(eqn, |&last| &func.eqns[last]);
            done.extend(following);
            let outputs: Vec<Wanted> = (last.outputs.clone())
                .map(|v| Wanted {
                    ty: func.types[v as usize].clone(),
                    place: wanted.remove(&v),
                })
                .collect();
            let results = eqn.op.lower(self, &inputs, &outputs);
            let results = results.map_err(|e| e.placed_at(eqn.source))?;
            debug_assert_eq!(results.len(), outputs.len(), "{}", eqn.op.name());
            for (v, &node) in last.outputs.clone().zip(&results) {
                debug_assert_eq!(
                    *self.ty(node),
                    func.types[v as usize],
                    "{} gave a value of another type than it said",
                    eqn.op.name()
                );
                self.retain(node, uses[v as usize]);
                self.note_readers_in(func, v, node);
            }
            for (v, want) in last.outputs.clone().zip(outputs) {
                if let Some(place) = want.place {
                    self.wish(results[(v - last.outputs.start) as usize], place);
                }
            }
            for &node in &results {
                self.discard(node);
            }
            for (&node, atom) in inputs.iter().zip(&eqn.inputs) {
                if matches!(atom, Atom::Var(_)) {
                    self.release(node);
                }
            }
            values[last.outputs.start as usize..last.outputs.end as usize]
                .copy_from_slice(&results);
            self.note_end(outside);
        }
        self.source = around;
        let results: Vec<NodeId> = (func.results.iter())
            .map(|a| self.atom(&values, a))
            .collect();
        for (&node, atom) in results.iter().zip(&func.results) {
            if matches!(atom, Atom::Lit(_)) {
                self.retain(node, 1);
            }
        }
        Ok(results)
    }

    /// Lowers a function for an operation that does nothing but call it.
    ///
    /// # Errors
    /// As [`lower`].
    pub fn call(
        &mut self,
        func: &Func,
        args: &[NodeId],
        places: &[Option<View>],
    ) -> Result<Vec<NodeId>> {
        // What has a place is stored in any case, and may then be handed over.
        let placed = |&id: &NodeId| self.expr(id).is_pending() && self.node(id).place.is_some();
        let stored: Vec<NodeId> = args.iter().copied().filter(placed).collect();
        self.force(&stored, StoreReason::Whole)?;
        let args = self.handed_over(args)?;
        // What an operand holds stays there until all of it has been read.
        let free = |place: &View| !args.iter().any(|&arg| self.lies_in(arg, place));
        let places: Vec<Option<View>> = (places.iter())
            .map(|place| place.clone().filter(free))
            .collect();
        let results = self.run(func, &args, &places)?;
        for &id in &results {
            self.node_mut(id).uses -= 1;
        }
        Ok(results)
    }

    fn atom(&mut self, values: &[NodeId], atom: &Atom) -> NodeId {
        match atom {
            Atom::Var(v) => values[*v as usize],
            Atom::Lit(splat) => self.literal(splat.ty().clone(), splat.bits),
        }
    }

    /// Allocates memory for an array.
    pub fn alloc(&mut self, dtype: DType, dims: &[usize]) -> View {
        self.alloc_because(dtype, dims, StoreReason::Result)
    }

    /// Allocates memory for an array, and notes why.
    pub(crate) fn alloc_because(&mut self, dtype: DType, dims: &[usize], why: StoreReason) -> View {
        let kind = match (self.in_lanes(), self.parallel) {
            (true, _) => BufferKind::Local,
            (false, true) => BufferKind::Task,
            (false, false) => BufferKind::Call,
        };
        let buffer = self.b.buffer(dtype, dims.iter().product(), kind);
        self.note_memory(buffer, why);
        View {
            place: Place::Buffer(buffer),
            offset: Affine::default(),
            strides: contiguous(dims),
        }
    }

    /// Allocates memory for the elements of a node, and notes why.
    fn alloc_for(&mut self, id: NodeId, why: StoreReason) -> View {
        let ty = self.ty(id).clone();
        let view = self.alloc_because(ty.dtype, &ty.dims(), why);
        self.note_owner(id);
        view
    }
}
