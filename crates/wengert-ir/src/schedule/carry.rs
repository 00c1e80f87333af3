//! What goes from step to step: scalars and few elements in registers, arrays in place in memory.

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
    /// What the loop carries in registers.
    pub carries: Vec<Carry>,
}

struct Slot {
    /// The type of the value.
    ty: Type,
    home: Home,
}

enum Home {
    /// The first of its elements among what the loop carries in registers.
    Registers(usize),
    /// An array that is overwritten step by step.
    Memory(View),
}

/// What a step leaves behind.
pub struct Next {
    /// The next values in registers.
    pub values: Vec<Value>,
    /// The next arrays; they are held.
    pub writes: Vec<(NodeId, View)>,
}

impl Lowering {
    /// The elements of an array of few, row-major.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn elements(&mut self, id: NodeId) -> Result<Vec<Value>> {
        let places = positions(&self.dims(id));
        places.iter().map(|at| self.element(id, at)).collect()
    }

    /// An array of few elements, or a scalar.
    pub fn of_elements(&mut self, ty: &Type, elements: &[Value]) -> NodeId {
        match ty.rank() {
            0 => self.scalar(&[], elements[0]),
            _ => self.few(ty.dtype, &ty.dims(), elements.to_vec()),
        }
    }

    /// Sees to it that arrays are there, before a region that may read them more than once, or not
    /// at all.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn ready(&mut self, ids: &[NodeId]) -> Result<()> {
        self.force(ids, StoreReason::Region)
    }

    /// Makes a loop's carry from what it starts with. `uniform` says which scalars are the same in
    /// all lanes, at every step; `places` where arrays may be.
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
                // A list may be read by others although nobody else holds its handles.
                let own = match stored == id {
                    true => self.hand_over(id)?,
                    false => None,
                };
                let place = places[i]
                    .clone()
                    .filter(|_| !self.in_lanes() && own.is_none());
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

    /// The carried values inside the loop.
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

    /// Takes the values that a step leaves, which are held.
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

    /// Runs `body` while `cond` holds.
    ///
    /// # Errors
    /// Those of the two.
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
        self.note_open(PartKind::While);
        self.b.open(None);
        let test = cond(self, &params)?;
        let cond = self.b.close(vec![test]);
        self.b.open(None);
        let results = body(self, &params)?;
        let body = self.b.close(results);
        self.note_close();
        let outs = carried.iter().map(|c| c.out).collect();
        self.b.push(Stmt::While(While {
            carried,
            cond,
            body,
            limit,
            at,
        }));
        Ok(outs)
    }

    /// One of two functions of these operands, and their results.
    ///
    /// Results that are read `only` where the predicate has one value are not stored where it has the other.
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
            // Where a branch changes an operand in place, or leaves it as it is.
            let from = branches.iter().find_map(|f| in_place_of(f, i));
            let over = from.and_then(|p| own[p].clone());
            let over = over.filter(|view| !places.iter().flatten().any(|p| p == view));
            places.push(match (over, &want.place) {
                _ if kept.size() <= FEW => None,
                (Some(over), _) if !want.ty.shape.has_run() => Some(over),
                (_, Some(place)) if !want.ty.shape.has_run() => Some(place.clone()),
                _ => Some(self.alloc(kept.dtype, &kept.dims())),
            });
        }
        let written: Vec<BufferId> = places.iter().flatten().filter_map(buffer_of).collect();
        // An operand's memory holds the operand until the side that runs is done.
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
                // Nobody reads it then; a list has to be one all the same.
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

    /// Which scalars that a loop carries are the same in all lanes: those that start so and are
    /// computed from nothing else, element by element. Outside of lanes that goes without saying.
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
    /// The buffers that a step overwrites.
    pub fn buffers(&self) -> Vec<BufferId> {
        let views = self.slots.iter().filter_map(|s| match &s.home {
            Home::Memory(view) => buffer_of(view),
            Home::Registers(_) => None,
        });
        views.collect()
    }
}
