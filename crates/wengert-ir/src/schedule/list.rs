//! Values of run-time length.
//!
//! Such a value is kept as handles of lists: an `i64` array over the axes before the first run-time
//! axis (`stored_type`). A handle alone is enough to find its rows, so handles go wherever numbers go:
//! from step to step of a loop, out of a branch, into memory, into the rows of another list. Only a
//! list that a loop has just piled up is known without its handle, and is read faster.

use super::fold::{Fold, Rule};
use super::nest::Space;
use super::node::{Expr, FEW, NodeId};
use super::notes::StoreReason;
use super::view::{AxisMap, PerAxis, Place, View, Walk, contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Dim, Type};
use crate::loops::affine::Affine;
use crate::loops::{FoldOp, ListId, LoopKind, Rows, ScalarOp, Value};
use crate::ops::work::FREE;

/// Returns the type that is stored for a value: its own type, or the type of its handles.
pub(super) fn stored_type(ty: &Type) -> Type {
    let known = ty.shape.0.iter().map_while(|d| match d {
        Dim::N(n) => Some(*n),
        Dim::Run => None,
    });
    match ty.shape.has_run() {
        true => Type::new(DType::I64, &known.collect::<Vec<_>>()),
        false => ty.clone(),
    }
}

impl Lowering {
    /// Returns the lists with these handles.
    pub(super) fn lists(&mut self, ty: Type, handles: NodeId) -> NodeId {
        self.push(ty, Expr::Lists { handles })
    }

    /// Returns lists without rows, which read as zeros.
    pub(super) fn empty_lists(&mut self, ty: Type) -> NodeId {
        let handles = self.literal(stored_type(&ty), 0);
        self.lists(ty, handles)
    }

    /// Returns a row along the first axis of a value with a run-time length on any axis.
    pub(super) fn list_row(&mut self, id: NodeId, row: &Affine) -> Result<NodeId> {
        self.row_or_zeros(id, row, true)
    }

    /// Returns a row along the first axis, like [`Lowering::list_row`]. Unless `there` says that the row certainly
    /// exists, the result is zeros if it does not.
    fn row_or_zeros(&mut self, id: NodeId, row: &Affine, there: bool) -> Result<NodeId> {
        let ty = self.ty(id).clone();
        let there = there || ty.shape.0[0] != Dim::Run;
        match self.expr(id).clone() {
            Expr::Rows { row: make, inputs } => {
                // The longest of several lists determines the length, so the others may lack the row. An input that is
                // no list serves all rows, such as the condition of a `select`.
                let is_list = |l: &Lowering, i: NodeId| l.ty(i).shape.has_run();
                let lists = inputs.iter().filter(|&&i| is_list(self, i)).count();
                let all = ty.shape.0[0] != Dim::Run || (there && lists == 1);
                let rows: Result<Vec<NodeId>> = (inputs.iter())
                    .map(|&i| match is_list(self, i) {
                        true => self.row_or_zeros(i, row, all),
                        false => Ok(i),
                    })
                    .collect();
                let made = make(self, &rows?)?;
                match there {
                    true => Ok(made),
                    false => {
                        let has = self.has_row(id, row);
                        self.chosen_row(has, made)
                    }
                }
            }
            Expr::Lists { handles } if ty.shape.0[0] != Dim::Run => {
                let handles = self.row(handles, row)?;
                Ok(self.lists(ty.row(), handles))
            }
            Expr::Lists { handles } if matches!(self.expr(handles), Expr::Literal(_)) => {
                Ok(self.literal(ty.row(), 0))
            }
            Expr::Piled(of) if there => self.read_row(Rows::Of(of), &ty.row(), row),
            Expr::Lists { .. } | Expr::Piled(_) => {
                let handles = self.handles(id)?;
                let mut handle = self.value(handles);
                if !there {
                    let has = self.has_row(id, row);
                    let none = self.b.i64(0);
                    handle = self.b.select(has, handle, none);
                }
                self.read_row(Rows::Handle(handle), &ty.row(), row)
            }
            _ => unreachable!("rows of {ty}"),
        }
    }

    fn read_row(&mut self, rows: Rows, ty: &Type, row: &Affine) -> Result<NodeId> {
        let row = self.b.materialize(row);
        let stored = stored_type(ty);
        let view = View {
            place: Place::Row {
                dtype: stored.dtype,
                rows,
                row,
            },
            offset: Affine::default(),
            strides: contiguous(&stored.dims()),
        };
        let view = match self.in_lanes() {
            true => view,
            false => self.fetched(&stored, view)?,
        };
        let found = self.stored(stored.dtype, stored.dims(), view);
        Ok(self.unstored(ty, found))
    }

    /// Copies a row of a list to memory that lanes can read, unless it is short: outside of lanes, lists are read and
    /// written one element at a time.
    fn fetched(&mut self, ty: &Type, row: View) -> Result<View> {
        if ty.size() <= FEW {
            return Ok(row);
        }
        let view = self.alloc(ty.dtype, &ty.dims());
        self.carry_over(&ty.dims(), &row, &view)?;
        Ok(view)
    }

    /// Copies an array, one element at a time.
    pub(super) fn carry_over(&mut self, dims: &[usize], from: &View, to: &View) -> Result<()> {
        let walks = [from, to].map(|v| Some(v.strides.clone()));
        let space = Space::new(dims, &walks);
        self.over_serially(&space, 0, &mut |l, at| {
            let value = l.load(from, at);
            l.store(to, at, value);
            Ok(())
        })
    }

    /// Lowers a test whether a value has this row.
    fn has_row(&mut self, id: NodeId, row: &Affine) -> Value {
        let rows = self.length_of(id);
        let row = self.b.materialize(row);
        self.b.op(ScalarOp::Lt, &[row, rows])
    }

    /// Returns a value if a condition holds, and zeros otherwise.
    fn chosen_row(&mut self, has: Value, x: NodeId) -> Result<NodeId> {
        let ty = self.ty(x).clone();
        let x = match ty.shape.has_run() {
            true => self.handles(x)?,
            false => x,
        };
        let stored = stored_type(&ty);
        let chosen = self.each(&stored, &[x], FREE, move |b, x| {
            let zero = b.constant(b.dtype(x[0]), 0);
            b.select(has, x[0], zero)
        });
        Ok(self.unstored(&ty, chosen))
    }

    /// Returns the number of rows along a first axis of run-time length.
    fn length_of(&mut self, id: NodeId) -> Value {
        match self.expr(id).clone() {
            Expr::Rows { inputs, .. } => {
                let mut most = self.b.i64(0);
                for input in inputs {
                    if self.ty(input).shape.has_run() {
                        let rows = self.length_of(input);
                        most = self.b.op(ScalarOp::Max, &[most, rows]);
                    }
                }
                most
            }
            Expr::Piled(of) => {
                let handle = self.b.list_handle(of);
                self.b.list_rows(handle)
            }
            Expr::Lists { handles } => {
                let handle = self.value(handles);
                self.b.list_rows(handle)
            }
            _ => unreachable!("rows of {}", self.ty(id)),
        }
    }

    /// Returns the handles of a value with a run-time length, as an array.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn handles(&mut self, id: NodeId) -> Result<NodeId> {
        match self.expr(id).clone() {
            Expr::Lists { handles } => Ok(handles),
            Expr::Piled(of) => {
                let handle = self.b.list_handle(of);
                Ok(self.scalar(&[], handle))
            }
            _ => self.piled_up(id),
        }
    }

    /// Computes all rows of a value whose rows are expressions, piles them up, and returns their handles.
    fn piled_up(&mut self, id: NodeId) -> Result<NodeId> {
        let ty = self.ty(id).clone();
        let extent = match ty.shape.0[0] {
            Dim::N(n) => self.b.i64(n as i64),
            Dim::Run => self.length_of(id),
        };
        let lists = self.lists_of(&ty, extent, |l, row| l.list_row(id, row))?;
        self.handles(lists)
    }

    /// Builds lists of a type, whose `extent` rows `make` lowers one after the other.
    fn lists_of(
        &mut self,
        ty: &Type,
        extent: Value,
        mut make: impl FnMut(&mut Lowering, &Affine) -> Result<NodeId>,
    ) -> Result<NodeId> {
        let (ty, place) = (ty.clone(), None);
        let length = ty.shape.0[0];
        let want = [Wanted { ty, place }];
        let piles = self.pile(&want, length);
        self.repeat(LoopKind::SERIAL, extent, |l, i| {
            let row = l.b.materialize(&i);
            l.push_row(&piles, row);
            let value = make(l, &i)?;
            l.retain(value, 1);
            let writes = l.pile_up_rows(&piles, &i, &[value])?;
            l.commit(writes, &[])
        })?;
        Ok(self.piled(piles, extent, &want)[0])
    }

    /// Returns a held value in its stored form, which is held instead.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn as_stored(&mut self, id: NodeId) -> Result<NodeId> {
        if !self.ty(id).shape.has_run() {
            return Ok(id);
        }
        let handles = self.handles(id)?;
        self.retain(handles, 1);
        self.release(id);
        Ok(handles)
    }

    /// Returns a value from its stored form.
    pub(super) fn unstored(&mut self, ty: &Type, stored: NodeId) -> NodeId {
        match ty.shape.has_run() {
            true => self.lists(ty.clone(), stored),
            false => stored,
        }
    }

    /// Lowers the sum of lists of type `ty` over the first axis, row by row. A list that lacks a row counts as zeros.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn sum_lists(&mut self, x: NodeId, ty: &Type) -> Result<NodeId> {
        let handles = self.handles(x)?;
        self.force(&[handles], StoreReason::Whole)?;
        self.retain(handles, 1);
        let row_type = ty.row();
        let sum = match ty.shape.0[0] {
            Dim::N(n) => {
                let extent = self.b.i64(n as i64);
                self.lists_of(ty, extent, |l, i| {
                    // The handles at one place along the second axis.
                    let dims = l.dims(handles);
                    let rest = (2..dims.len()).map(|a| Walk::whole(a - 1));
                    let axes = [Walk::whole(0), Walk::at(i.clone())]
                        .into_iter()
                        .chain(rest);
                    let map = AxisMap {
                        dims: [&dims[..1], &dims[2..]].concat(),
                        axes: axes.collect(),
                    };
                    let each = l.remap(handles, &map)?;
                    let lists = row_type.stacked(Dim::N(dims[0]));
                    let each = l.lists(lists, each);
                    l.sum_lists(each, &row_type)
                })?
            }
            Dim::Run => {
                let most = self.most_rows(handles)?;
                self.lists_of(ty, most, |l, row| {
                    let row = l.b.materialize(row);
                    l.sum_of_rows(handles, row, &row_type)
                })?
            }
        };
        self.release(handles);
        Ok(sum)
    }

    /// Returns the number of rows of the longest list of a batch.
    fn most_rows(&mut self, handles: NodeId) -> Result<Value> {
        let (zero, extent) = (self.b.i64(0), self.b.i64(self.dims(handles)[0] as i64));
        let carry = self.b.carry(zero);
        let most = self.for_(LoopKind::SERIAL, extent, &[carry], |l, i, most| {
            let at = l.b.affine(i);
            let handle = l.element(handles, &[at])?;
            let rows = l.b.list_rows(handle);
            Ok(vec![l.b.op(ScalarOp::Max, &[most[0], rows])])
        })?;
        Ok(most[0])
    }

    /// Lowers the sum of one row over all lists of a batch.
    fn sum_of_rows(&mut self, handles: NodeId, row: Value, ty: &Type) -> Result<NodeId> {
        let stored = stored_type(ty);
        let strides = contiguous(&stored.dims());
        let dims = [&self.dims(handles)[..1], &stored.dims()].concat();
        let dtype = stored.dtype;
        let mut element = |l: &mut Lowering, at: &[Affine]| {
            let handle = l.element(handles, &at[..1])?;
            let rows = l.b.list_rows(handle);
            let has = l.b.op(ScalarOp::Lt, &[row, rows]);
            let none = l.b.i64(0);
            let handle = l.b.select(has, handle, none);
            let mut element = Affine::default();
            for (i, &stride) in at[1..].iter().zip(&strides) {
                element = l.b.add_scaled(&element, i, stride);
            }
            Ok(l.b.list_load(dtype, Rows::Handle(handle), row, &element))
        };
        if ty.shape.has_run() {
            let view = self.alloc(dtype, &dims);
            let space = Space::new(&dims, &[None]);
            self.over_serially(&space, 0, &mut |l, at| {
                let value = element(l, at)?;
                l.store(&view, at, value);
                Ok(())
            })?;
            let rows = self.stored(dtype, dims.clone(), view);
            let lists = self.lists(ty.stacked(Dim::N(dims[0])), rows);
            return self.sum_lists(lists, ty);
        }
        let fold = Fold {
            op: FoldOp::Add,
            dtype,
            kept: (1..dims.len()).collect(),
            reduced: vec![0],
            walks: vec![],
            dims,
            rule: Rule::Lanes,
            serially: true,
            by_rows: false,
            draws: vec![],
            after: super::after::After::default(),
        };
        let want = Wanted {
            ty: stored,
            place: None,
        };
        self.fold(&fold, &want, &mut element)
    }
}

/// The rows that a loop piles up.
pub struct Piles {
    /// The types of the rows.
    rows: Vec<Type>,
    kind: Pile,
}

enum Pile {
    /// Arrays of known length, one for each value of a row.
    Arrays(Vec<View>),
    /// One list, with a field for each value of a row.
    List(ListId),
}

impl Lowering {
    /// Makes room for the rows of these results, before the loop that piles them up.
    pub fn pile(&mut self, outputs: &[Wanted], length: Dim) -> Piles {
        let rows: Vec<Type> = outputs.iter().map(|w| w.ty.row()).collect();
        let kind = match length {
            Dim::Run if !rows.is_empty() => {
                let stored = rows.iter().map(stored_type);
                let fields = stored.map(|ty| (ty.dtype, ty.size())).collect();
                let list = self.b.list(fields, self.source);
                self.b.list_begin(list);
                Pile::List(list)
            }
            Dim::N(n) if self.in_lanes() => Pile::Arrays(self.tape(&rows, n)),
            _ => {
                let view = |want: &Wanted| {
                    let stored = stored_type(&want.ty);
                    match (&want.place, want.ty.shape.has_run()) {
                        (Some(place), false) => place.clone(),
                        _ => self.alloc_because(stored.dtype, &stored.dims(), StoreReason::Rows),
                    }
                };
                Pile::Arrays(outputs.iter().map(view).collect())
            }
        };
        Piles { rows, kind }
    }

    /// Allocates memory for `n` rows of several values. The values of a row that have the same type are adjacent,
    /// because a lane writes a row in one step and reads it in one step on the way back.
    fn tape(&mut self, rows: &[Type], n: usize) -> Vec<View> {
        let stored: Vec<Type> = rows.iter().map(stored_type).collect();
        let of = |dtype: DType| stored.iter().filter(move |t| t.dtype == dtype);
        let mut buffers: Vec<(DType, View, usize)> = vec![];
        let mut views = vec![];
        for ty in &stored {
            let known = buffers.iter().position(|b| b.0 == ty.dtype);
            let at = known.unwrap_or_else(|| {
                let len: usize = of(ty.dtype).map(Type::size).sum();
                let view = self.alloc_because(ty.dtype, &[n, len], StoreReason::Rows);
                buffers.push((ty.dtype, view, 0));
                buffers.len() - 1
            });
            let (_, tape, next) = &mut buffers[at];
            let mut strides: PerAxis<i64> = PerAxis::from_slice(&tape.strides[..1]);
            strides.extend(contiguous(&ty.dims()));
            views.push(View {
                place: tape.place,
                offset: tape.offset.clone().plus(*next as i64),
                strides,
            });
            *next += ty.size();
        }
        views
    }

    /// Appends rows to a list in their final order, before a loop that fills them in from the last to the first.
    ///
    /// # Errors
    /// Never fails at present.
    pub fn push_rows(&mut self, piles: &Piles, extent: Value) -> Result<()> {
        let Pile::List(list) = piles.kind else {
            return Ok(());
        };
        self.repeat(LoopKind::SERIAL, extent, |l, i| {
            let row = l.b.materialize(&i);
            l.b.list_push(list, row);
            Ok(())
        })
    }

    /// Appends one row to a list.
    pub fn push_row(&mut self, piles: &Piles, row: Value) {
        if let Pile::List(list) = piles.kind {
            self.b.list_push(list, row);
        }
    }

    /// Returns where the values of a row may be stored as they are computed.
    pub fn row_places(&mut self, piles: &Piles, row: &Affine) -> Vec<Option<View>> {
        let Pile::Arrays(views) = &piles.kind else {
            return vec![None; piles.rows.len()];
        };
        let rows = views.iter().zip(&piles.rows);
        rows.map(|(view, ty)| match ty.shape.has_run() {
            true => None,
            false => Some(self.row_view(view, ty, row)),
        })
        .collect()
    }

    fn row_view(&mut self, view: &View, row_type: &Type, row: &Affine) -> View {
        let dims = [&[0], &stored_type(row_type).dims()[..]].concat();
        self.map_view(view, &AxisMap::row(&dims, row.clone()))
    }

    /// Returns the writes that put held values into a row.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn pile_up_rows(
        &mut self,
        piles: &Piles,
        row: &Affine,
        values: &[NodeId],
    ) -> Result<Vec<(NodeId, View)>> {
        let mut writes = vec![];
        for (i, &id) in values.iter().enumerate() {
            let node = self.as_stored(id)?;
            self.note_row(&piles.rows[i]);
            let view = match &piles.kind {
                Pile::Arrays(views) => self.row_view(&views[i], &piles.rows[i], row),
                Pile::List(list) => View {
                    place: Place::NewRow {
                        list: *list,
                        field: i as u32,
                        row: self.b.materialize(row),
                    },
                    offset: Affine::default(),
                    strides: contiguous(&self.dims(node)),
                },
            };
            writes.push((node, view));
        }
        Ok(writes)
    }

    /// Returns the results that have been piled up in `extent` rows.
    pub fn piled(&mut self, piles: Piles, extent: Value, outputs: &[Wanted]) -> Vec<NodeId> {
        match piles.kind {
            Pile::List(list) => {
                let none = self.b.i64(0);
                let rows = self.b.op(ScalarOp::Max, &[extent, none]);
                let built = self.b.list_finish(list, rows);
                let fields = (0..).zip(outputs);
                fields
                    .map(|(field, want)| {
                        let piled = Expr::Piled(list.field(built, field));
                        self.push(want.ty.clone(), piled)
                    })
                    .collect()
            }
            Pile::Arrays(views) => {
                let all = outputs.iter().zip(views);
                all.map(|(want, view)| {
                    let stored = stored_type(&want.ty);
                    let node = self.stored(stored.dtype, stored.dims(), view);
                    self.unstored(&want.ty, node)
                })
                .collect()
            }
        }
    }
}
