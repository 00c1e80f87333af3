//! Values carried from step to step of a loop: scalars and short arrays in registers, larger arrays in place in memory.

use super::list::stored_type;
use super::node::{Expr, FEW, NodeId, positions};
use super::notes::{PartKind, StoreReason};
use super::owned::in_place_of;
use super::store::buffer_of;
use super::view::View;
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{Atom, Func, Type};
use crate::loops::builder::Carry;
use crate::loops::{BufferId, Stmt, Value, While};

/// The carried values of a loop.
pub struct Carried {
    slots: Vec<Slot>,
    /// The values that the loop carries in registers.
    pub carries: Vec<Carry>,
}

struct Slot {
    /// The type of the value.
    ty: Type,
    home: Home,
}

enum Home {
    /// The index of the value's first element among the values that the loop carries in registers.
    Registers(usize),
    /// An array that is overwritten step by step.
    Memory(View),
}

/// The results of a step.
pub struct Next {
    /// The next values in registers.
    pub values: Vec<Value>,
    /// The next arrays, which are held, and where they are written.
    pub writes: Vec<(NodeId, View)>,
}

impl Lowering {
    /// Returns the elements of a short array, row-major.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn elements(&mut self, id: NodeId) -> Result<Vec<Value>> {
        let places = positions(&self.dims(id));
        places.iter().map(|at| self.element(id, at)).collect()
    }

    /// Returns a scalar or a short array with these elements.
    pub fn of_elements(&mut self, ty: &Type, elements: &[Value]) -> NodeId {
        match ty.rank() {
            0 => self.scalar(&[], elements[0]),
            _ => self.few(ty.dtype, &ty.dims(), elements.to_vec()),
        }
    }

    /// Stores pending arrays before a region that may read them several times or not at all.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn ready(&mut self, ids: &[NodeId]) -> Result<()> {
        self.force(ids, StoreReason::Region)
    }

    /// Makes a loop's carry from its initial values. `uniform` says which scalars are equal in all lanes at every step;
    /// `places` says where arrays may be stored.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn carry(
        &mut self,
        init: &[NodeId],
        uniform: &[bool],
        places: &[Option<View>],
    ) -> Result<Carried> {
        let mut carried = Carried {
            slots: vec![],
            carries: vec![],
        };
        let mut writes = vec![];
        for (i, &id) in init.iter().enumerate() {
            let ty = self.ty(id).clone();
            let stored = match ty.shape.has_run() {
                true => self.handles(id)?,
                false => id,
            };
            let kept = stored_type(&ty);
            let home = if kept.size() <= FEW {
                let first = carried.carries.len();
                for init in self.elements(stored)? {
                    let lanes = self.in_lanes() && !uniform[i];
                    carried.carries.push(Carry { init, lanes });
                }
                Home::Registers(first)
            } else {
                // A list may have other readers even if nothing else holds its handles, so its memory stays its own.
                let own = match stored == id {
                    true => self.hand_over(id)?,
                    false => None,
                };
                let place = places[i].clone().filter(|place| {
                    !self.in_lanes() && own.is_none() && !self.lies_in(stored, place)
                });
                Home::Memory(match own {
                    Some(view) => view,
                    None => {
                        let place = match place {
                            Some(place) => place,
                            None => {
                                self.alloc_because(kept.dtype, &kept.dims(), StoreReason::Carried)
                            }
                        };
                        self.note_why_kept(stored);
                        writes.push((stored, place.clone()));
                        place
                    }
                })
            };
            carried.slots.push(Slot { ty, home });
        }
        self.write_all(writes, &[])?;
        Ok(carried)
    }

    /// Returns the carried values inside the loop.
    pub fn carried(&mut self, carried: &Carried, params: &[Value]) -> Vec<NodeId> {
        let slots = carried.slots.iter();
        slots.map(|s| self.slot(s, params)).collect()
    }

    fn slot(&mut self, slot: &Slot, params: &[Value]) -> NodeId {
        let kept = stored_type(&slot.ty);
        let stored = match &slot.home {
            Home::Registers(first) => {
                self.of_elements(&kept, &params[*first..*first + kept.size()])
            }
            Home::Memory(view) => self.stored(kept.dtype, kept.dims(), view.clone()),
        };
        self.unstored(&slot.ty, stored)
    }

    /// Takes the results of a step, which are held.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn next(&mut self, carried: &Carried, results: &[NodeId]) -> Result<Next> {
        let mut next = Next {
            values: vec![],
            writes: vec![],
        };
        for (slot, &id) in carried.slots.iter().zip(results) {
            let stored = self.as_stored(id)?;
            match &slot.home {
                Home::Registers(_) => {
                    next.values.extend(self.elements(stored)?);
                    self.release(stored);
                }
                Home::Memory(view) => next.writes.push((stored, view.clone())),
            }
        }
        Ok(next)
    }

    /// Lowers a loop that runs `body` while `cond` holds.
    ///
    /// # Errors
    /// Returns the errors of `cond` and `body`.
    pub fn while_(
        &mut self,
        limit: u64,
        carries: &[Carry],
        cond: impl FnOnce(&mut Lowering, &[Value]) -> Result<Value>,
        body: impl FnOnce(&mut Lowering, &[Value]) -> Result<Vec<Value>>,
    ) -> Result<Vec<Value>> {
        let at = self.source;
        let carried = self.b.carried(carries);
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let marks = self.note_open(PartKind::While);
        self.b.open(None);
        let test = cond(self, &params)?;
        let cond = self.b.close(vec![test]);
        self.b.open(None);
        let results = body(self, &params)?;
        let body = self.b.close(results);
        self.note_close();
        let outs = carried.iter().map(|c| c.out).collect();
        self.b.push(Stmt::While(While {
            marks,
            carried,
            cond,
            body,
            limit,
            at,
        }));
        Ok(outs)
    }

    /// Lowers a choice between two functions of the same operands and returns the results.
    ///
    /// A result that is read `only` where the predicate has one value is not stored where it has the other.
    ///
    /// # Errors
    /// As [`Lowering::run`].
    pub fn branch(
        &mut self,
        pred: NodeId,
        branches: &[Func; 2],
        args: &[NodeId],
        outputs: &[Wanted],
        only: &[Option<bool>],
    ) -> Result<Vec<NodeId>> {
        self.ready(args)?;
        let pred = self.value(pred);
        let mut own: Vec<Option<View>> = vec![];
        for &arg in args {
            own.push(self.hand_over(arg)?);
        }
        let kept: Vec<Type> = outputs.iter().map(|w| stored_type(&w.ty)).collect();
        let mut places: Vec<Option<View>> = vec![];
        for (i, (want, kept)) in outputs.iter().zip(&kept).enumerate() {
            // A branch that changes an operand in place, or returns it unchanged, keeps the operand's memory.
            let from = branches.iter().find_map(|f| in_place_of(f, i));
            let over = from.and_then(|p| own[p].clone());
            let over = over.filter(|view| !places.iter().flatten().any(|p| p == view));
            places.push(match (over, &want.place) {
                _ if kept.size() <= FEW => None,
                (Some(over), _) if !want.ty.shape.has_run() => Some(over),
                (_, Some(place))
                    if !want.ty.shape.has_run()
                        && !args.iter().any(|&arg| self.lies_in(arg, place)) =>
                {
                    Some(place.clone())
                }
                _ => Some(self.alloc(kept.dtype, &kept.dims())),
            });
        }
        let written: Vec<BufferId> = places.iter().flatten().filter_map(buffer_of).collect();
        // An operand's memory holds the operand until the chosen branch is done, so no result is computed there early.
        let free = |place: &View| !own.iter().flatten().any(|view| view.place == place.place);
        let wishes: Vec<Option<View>> = (outputs.iter().zip(&places))
            .map(|(want, place)| {
                place
                    .clone()
                    .filter(|p| !want.ty.shape.has_run() && free(p))
            })
            .collect();
        let mut blocks = vec![];
        self.note_open(PartKind::Branch);
        for (func, taken) in branches.iter().zip([true, false]) {
            self.b.open(None);
            let mut held = vec![];
            for (&arg, own) in args.iter().zip(&own) {
                held.push(match own {
                    Some(view) => self.push(self.ty(arg).clone(), Expr::Stored(view.clone())),
                    None => arg,
                });
            }
            let results = self.run(func, &held, &wishes)?;
            let mut values = vec![];
            let mut writes = vec![];
            for (i, id) in results.into_iter().enumerate() {
                // An unread result is dropped, except a list, which must be a valid list all the same.
                let unread = only[i] == Some(!taken) && !outputs[i].ty.shape.has_run();
                if unread && places[i].is_some() {
                    self.release(id);
                    continue;
                }
                let stored = self.as_stored(id)?;
                match &places[i] {
                    Some(place) => writes.push((stored, place.clone())),
                    None => {
                        values.extend(self.elements(stored)?);
                        self.release(stored);
                    }
                }
            }
            self.commit(writes, &written)?;
            blocks.push(self.b.close(values));
        }
        self.note_close();
        let [then, otherwise] = blocks.try_into().expect("two branches");
        let values = self.b.close_if(pred, then, otherwise);
        let mut first = 0;
        let mut results = vec![];
        for (i, want) in outputs.iter().enumerate() {
            let stored = match &places[i] {
                Some(place) => self.stored(kept[i].dtype, kept[i].dims(), place.clone()),
                None => {
                    let n = kept[i].size();
                    first += n;
                    self.of_elements(&kept[i], &values[first - n..first])
                }
            };
            results.push(self.unstored(&want.ty, stored));
        }
        Ok(results)
    }

    /// Returns which scalars that a loop carries are equal in all lanes: the scalars that start equal and are computed
    /// element by element from nothing but such scalars. Outside of lanes all carried values are.
    pub fn uniform_carries(&self, body: &Func, args: &[NodeId], carry: usize) -> Vec<bool> {
        if !self.in_lanes() {
            return vec![true; carry];
        }
        let scalar = |id: NodeId| match self.expr(id) {
            Expr::Scalar(value) => self.ty(id).rank() == 0 && !self.b.lanes(*value),
            Expr::Literal(_) => self.ty(id).rank() == 0,
            _ => false,
        };
        let mut params: Vec<bool> = args.iter().map(|&id| scalar(id)).collect();
        loop {
            let mut uniform = params.clone();
            let is = |uniform: &[bool], a: &Atom| match a {
                Atom::Var(v) => uniform[*v as usize],
                Atom::Lit(splat) => splat.ty().rank() == 0,
            };
            for eqn in &body.eqns {
                let simple = eqn.op.bodies().is_empty()
                    && (eqn.outputs.clone()).all(|v| body.types[v as usize].rank() == 0)
                    && eqn.inputs.iter().all(|a| is(&uniform, a));
                uniform.extend(eqn.outputs.clone().map(|_| simple));
            }
            let mut changed = false;
            for (param, next) in params.iter_mut().zip(&body.results).take(carry) {
                if *param && !is(&uniform, next) {
                    *param = false;
                    changed = true;
                }
            }
            if !changed {
                params.truncate(carry);
                return params;
            }
        }
    }
}

impl Carried {
    /// Returns the buffers that a step overwrites.
    pub fn buffers(&self) -> Vec<BufferId> {
        let views = self.slots.iter().filter_map(|s| match &s.home {
            Home::Memory(view) => buffer_of(view),
            Home::Registers(_) => None,
        });
        views.collect()
    }
}
