//! Values of run-time length: handles of lists, and rows of them.

use std::rc::Rc;

use super::nest::Space;
use super::node::{Expr, FEW, NodeId};
use super::reduce::{Fold, Rule};
use super::view::{AxisMap, PerAxis, Place, View, contiguous};
use super::{Lowering, Wanted, unsupported};
use crate::error::Result;
use crate::ir::{DType, Dim, Type};
use crate::loops::affine::Affine;
use crate::loops::{FoldOp, ListId, LoopKind, ScalarOp, Value};

/// How the rows behind a handle are laid out.
#[derive(Clone, PartialEq, Debug)]
pub struct ListLayout {
    /// Whose handle it is.
    pub list: ListId,
    /// The field of its rows.
    pub field: u32,
    /// Where a row holds handles in turn: their layout, unless all of those are empty.
    pub inner: Option<Rc<ListLayout>>,
}

/// The lengths of the axes in front of the first run-time one: those of the handles.
pub(super) fn prefix(ty: &Type) -> Vec<usize> {
    let known = ty.shape.0.iter().map_while(|d| match d {
        Dim::N(n) => Some(*n),
        Dim::Run => None,
    });
    known.collect()
}

/// What is stored of a value: itself, or its handles.
pub(super) fn stored_type(ty: &Type) -> Type {
    match ty.shape.has_run() {
        true => Type::new(DType::I64, &prefix(ty)),
        false => ty.clone(),
    }
}

impl Lowering {
    /// Lists without rows, which read as zeros.
    pub(super) fn empty_lists(&mut self, ty: Type) -> NodeId {
        let handles = self.literal(stored_type(&ty), 0);
        self.lists(ty, handles, None)
    }

    /// Lists by their handles.
    pub(super) fn lists(
        &mut self,
        ty: Type,
        handles: NodeId,
        layout: Option<Rc<ListLayout>>,
    ) -> NodeId {
        self.push(ty, Expr::Lists { handles, layout })
    }

    /// A row along the first axis of a value with a run-time length somewhere.
    pub(super) fn list_row(&mut self, id: NodeId, row: &Affine) -> Result<NodeId> {
        let ty = self.ty(id).clone();
        match self.expr(id).clone() {
            Expr::Rows { row: make, inputs } => {
                // The condition of a `select` may be one for all rows.
                let mut row = |&i: &NodeId| match self.ty(i).rank() < ty.rank() {
                    true => Ok(i),
                    false => self.row(i, row),
                };
                let rows: Result<Vec<NodeId>> = inputs.iter().map(&mut row).collect();
                make(self, &rows?)
            }
            Expr::Lists { handles, layout } if ty.shape.0[0] != Dim::Run => {
                let handles = self.row(handles, row)?;
                Ok(self.lists(ty.row(), handles, layout))
            }
            Expr::Lists { layout: None, .. } => Ok(self.literal(ty.row(), 0)),
            Expr::Lists {
                handles,
                layout: Some(layout),
            } => {
                let handle = self.value(handles);
                let row = self.b.materialize(row);
                let stored = stored_type(&ty.row());
                let view = View {
                    place: Place::Row {
                        handle,
                        list: layout.list,
                        field: layout.field,
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
                Ok(match ty.row().shape.has_run() {
                    true => self.lists(ty.row(), found, layout.inner.clone()),
                    false => found,
                })
            }
            _ => unreachable!("rows of {ty}"),
        }
    }

    /// A row of a list in memory, where lanes can read it: outside of lanes lists are read and
    /// written one element after the other.
    fn fetched(&mut self, ty: &Type, row: View) -> Result<View> {
        if ty.size() <= FEW {
            return Ok(row);
        }
        let view = self.alloc(ty.dtype, &ty.dims());
        self.carry_over(&ty.dims(), &row, &view)?;
        Ok(view)
    }

    /// Copies an array, one element after the other.
    pub(super) fn carry_over(&mut self, dims: &[usize], from: &View, to: &View) -> Result<()> {
        let walks = [from, to].map(|v| Some(v.strides.clone()));
        let space = Space::new(dims, &walks);
        self.over_serially(&space, 0, &mut |l, at| {
            let value = l.load(from, at);
            l.store(to, at, value);
            Ok(())
        })
    }

    /// Ends a list. Without a row it is the empty list, which reads as zero.
    fn finish_list(&mut self, list: ListId) -> Value {
        let handle = self.b.list_finish(list);
        let rows = self.b.list_rows(handle);
        let zero = self.b.i64(0);
        let empty = self.b.op(ScalarOp::Eq, &[rows, zero]);
        self.b.select(empty, zero, handle)
    }

    /// The sum over a batch of lists, row by row; a list that has no such row counts as zeros.
    pub(super) fn sum_lists(&mut self, x: NodeId, n: usize, want: &Wanted) -> Result<NodeId> {
        let (handles, layout) = self.handles(x)?;
        let row_type = want.ty.row();
        let Some(layout) = layout else {
            return Ok(self.empty_lists(want.ty.clone()));
        };
        if self.in_lanes() || self.dims(handles).len() != 1 || row_type.shape.has_run() {
            return Err(unsupported(format!("a sum over a batch of {}", want.ty)));
        }
        let handles = self.memory(handles)?;
        let (zero, extent) = (self.b.i64(0), self.b.i64(n as i64));
        let kind = LoopKind::Serial { reverse: false };
        let carry = self.b.carry(zero);
        let rows = self.for_(kind, extent, &[carry], |l, i, most| {
            let at = l.b.affine(i);
            let handle = l.load(&handles, &[at]);
            let rows = l.b.list_rows(handle);
            Ok(vec![l.b.op(ScalarOp::Max, &[most[0], rows])])
        })?;
        let list = self.begin_list(std::slice::from_ref(&row_type));
        let fold = Fold {
            op: FoldOp::Add,
            dtype: row_type.dtype,
            dims: [&[n], &row_type.dims()[..]].concat(),
            kept: (1..=row_type.rank()).collect(),
            reduced: vec![0],
            walks: vec![],
            rule: Rule::Lanes,
            serially: true,
            draws: vec![],
        };
        let strides = contiguous(&row_type.dims());
        let sum = Wanted {
            ty: row_type,
            place: None,
        };
        self.repeat(kind, rows[0], |l, r| {
            let row = l.b.materialize(&r);
            l.b.list_push(list, row);
            let node = l.fold(&fold, &sum, &mut |l, at| {
                let handle = l.load(&handles, &at[..1]);
                let rows = l.b.list_rows(handle);
                let has = l.b.op(ScalarOp::Lt, &[row, rows]);
                let zero = l.b.i64(0);
                let handle = l.b.select(has, handle, zero);
                let mut element = Affine::default();
                for (i, &stride) in at[1..].iter().zip(&strides) {
                    element = l.b.add_scaled(&element, i, stride);
                }
                Ok(l.b.list_load(layout.list, handle, layout.field, row, &element))
            })?;
            l.retain(node, 1);
            let writes = l.row_writes(list, row, &[node], &mut [&mut None])?;
            l.commit(writes, &[])
        })?;
        let handle = self.finish_list(list);
        let handles = self.scalar(&[], handle);
        let layout = ListLayout {
            list,
            field: 0,
            inner: None,
        };
        Ok(self.lists(want.ty.clone(), handles, Some(Rc::new(layout))))
    }

    /// The handles of a value with a run-time length, an array, and what is behind them.
    ///
    /// # Errors
    /// If its rows would have to be piled up anew and that cannot be.
    pub(super) fn handles(&mut self, id: NodeId) -> Result<(NodeId, Option<Rc<ListLayout>>)> {
        let ty = self.ty(id).clone();
        match self.expr(id).clone() {
            Expr::Lists { handles, layout } => Ok((handles, layout)),
            Expr::Rows { .. } if ty.shape.0[0] == Dim::Run => {
                let list = self.new_list(std::slice::from_ref(&ty.row()));
                self.pile_up(id, list)
            }
            _ => Err(unsupported(format!("a sum of lists of type {ty}"))),
        }
    }

    /// The rows of a value, piled up in a list of their own.
    pub(super) fn pile_up(
        &mut self,
        id: NodeId,
        list: ListId,
    ) -> Result<(NodeId, Option<Rc<ListLayout>>)> {
        let mut rows = self.b.i64(0);
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            match self.expr(id).clone() {
                Expr::Rows { inputs, .. } => left.extend(inputs),
                Expr::Lists { layout: None, .. } => {}
                Expr::Lists { handles, .. } => {
                    let handle = self.value(handles);
                    if self.b.lanes(handle) {
                        return Err(unsupported("a sum of lists that differ by lane"));
                    }
                    let n = self.b.list_rows(handle);
                    rows = self.b.op(crate::loops::ScalarOp::Max, &[rows, n]);
                }
                _ => {}
            }
        }
        self.b.list_begin(list);
        let mut inner = None;
        self.repeat(LoopKind::Serial { reverse: false }, rows, |l, i| {
            let row = l.b.materialize(&i);
            l.b.list_push(list, row);
            let value = l.row(id, &i)?;
            l.retain(value, 1);
            let writes = l.row_writes(list, row, &[value], &mut [&mut inner])?;
            l.commit(writes, &[])
        })?;
        let handle = self.finish_list(list);
        let handles = self.scalar(&[], handle);
        let layout = ListLayout {
            list,
            field: 0,
            inner,
        };
        Ok((handles, Some(Rc::new(layout))))
    }

    /// Begins a list whose rows hold values of these types.
    fn begin_list(&mut self, rows: &[Type]) -> ListId {
        let list = self.new_list(rows);
        self.b.list_begin(list);
        list
    }

    /// A list whose rows hold values of these types.
    pub(super) fn new_list(&mut self, rows: &[Type]) -> ListId {
        let fields = rows.iter().map(|ty| {
            let stored = stored_type(ty);
            (stored.dtype, stored.size())
        });
        self.b.list(fields.collect())
    }

    /// Where the values of a row that has been pushed go, and what is behind those that are lists.
    pub(super) fn row_writes(
        &mut self,
        list: ListId,
        row: Value,
        values: &[NodeId],
        inner: &mut [&mut Option<Rc<ListLayout>>],
    ) -> Result<Vec<(NodeId, View)>> {
        let mut writes = vec![];
        for (field, &id) in values.iter().enumerate() {
            let node = self.as_stored(id, inner[field])?;
            let strides: PerAxis<i64> = contiguous(&self.dims(node));
            let place = Place::NewRow {
                list,
                field: field as u32,
                row,
            };
            let view = View {
                place,
                offset: Affine::default(),
                strides,
            };
            writes.push((node, view));
        }
        Ok(writes)
    }

    /// A value that is held, as it is stored: lists by their handles, with what is behind them in
    /// `layout`. It stays held.
    pub(super) fn as_stored(
        &mut self,
        id: NodeId,
        layout: &mut Option<Rc<ListLayout>>,
    ) -> Result<NodeId> {
        if !self.ty(id).shape.has_run() {
            return Ok(id);
        }
        let (handles, found) = self.handles(id)?;
        match (&layout, &found) {
            (None, _) => *layout = found,
            (Some(_), None) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return Err(unsupported("a choice between lists of two layouts")),
        }
        self.retain(handles, 1);
        self.release(id);
        Ok(handles)
    }

    /// A value from what is stored of it.
    pub(super) fn unstored(
        &mut self,
        ty: &Type,
        stored: NodeId,
        layout: Option<Rc<ListLayout>>,
    ) -> NodeId {
        match ty.shape.has_run() {
            true => self.lists(ty.clone(), stored, layout),
            false => stored,
        }
    }
}

/// Rows that a loop piles up.
pub struct Piles {
    /// The types of the rows.
    rows: Vec<Type>,
    /// What is behind the rows that are lists.
    inner: Vec<Option<Rc<ListLayout>>>,
    kind: Pile,
}

enum Pile {
    /// Arrays of known length.
    Arrays(Vec<View>),
    /// One list.
    List(ListId),
}

impl Lowering {
    /// Makes room for rows, before the loop that piles them up: for results of these types.
    pub fn pile(&mut self, outputs: &[Wanted], length: Dim) -> Piles {
        let rows: Vec<Type> = outputs.iter().map(|w| w.ty.row()).collect();
        let kind = match length {
            Dim::Run if !rows.is_empty() => Pile::List(self.begin_list(&rows)),
            Dim::N(n) if self.in_lanes() => Pile::Arrays(self.tape(&rows, n)),
            _ => {
                let view = |want: &Wanted| {
                    let stored = stored_type(&want.ty);
                    match (&want.place, want.ty.shape.has_run()) {
                        (Some(place), false) => place.clone(),
                        _ => self.alloc(stored.dtype, &stored.dims()),
                    }
                };
                Pile::Arrays(outputs.iter().map(view).collect())
            }
        };
        Piles {
            inner: rows.iter().map(|_| None).collect(),
            rows,
            kind,
        }
    }

    /// Memory for `n` rows of several values, all of one row next to each other: what a lane writes
    /// in one step, and reads in one step on the way back.
    fn tape(&mut self, rows: &[Type], n: usize) -> Vec<View> {
        let stored: Vec<Type> = rows.iter().map(stored_type).collect();
        let of = |dtype: DType| stored.iter().filter(move |t| t.dtype == dtype);
        let mut buffers: Vec<(DType, View, usize)> = vec![];
        let mut views = vec![];
        for ty in &stored {
            let known = buffers.iter().position(|b| b.0 == ty.dtype);
            let at = known.unwrap_or_else(|| {
                let len: usize = of(ty.dtype).map(Type::size).sum();
                buffers.push((ty.dtype, self.alloc(ty.dtype, &[n, len]), 0));
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

    /// Appends rows to a list in the order in which they are wanted later, where a loop is going to
    /// fill them in from the last to the first.
    ///
    /// # Errors
    /// Never, so far.
    pub fn push_rows(&mut self, piles: &Piles, extent: Value) -> Result<()> {
        let Pile::List(list) = piles.kind else {
            return Ok(());
        };
        self.repeat(LoopKind::Serial { reverse: false }, extent, |l, i| {
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

    /// Where the values of a row may be put while they are computed.
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

    /// What is to be written for a row, from values that are held.
    ///
    /// # Errors
    /// If a row is a list that cannot be kept.
    pub fn pile_up_rows(
        &mut self,
        piles: &mut Piles,
        row: &Affine,
        values: &[NodeId],
    ) -> Result<Vec<(NodeId, View)>> {
        match piles.kind {
            Pile::List(list) => {
                let row = self.b.materialize(row);
                let mut inner: Vec<&mut Option<Rc<ListLayout>>> = piles.inner.iter_mut().collect();
                self.row_writes(list, row, values, &mut inner)
            }
            Pile::Arrays(ref views) => {
                let mut writes = vec![];
                for (i, &id) in values.iter().enumerate() {
                    let node = self.as_stored(id, &mut piles.inner[i])?;
                    let view = self.row_view(&views[i], &piles.rows[i], row);
                    writes.push((node, view));
                }
                Ok(writes)
            }
        }
    }

    /// What has been piled up.
    pub fn piled(&mut self, piles: Piles, outputs: &[Wanted]) -> Vec<NodeId> {
        match piles.kind {
            Pile::List(list) => {
                let handle = self.finish_list(list);
                let fields = outputs.iter().zip(piles.inner).enumerate();
                fields
                    .map(|(field, (want, inner))| {
                        let handles = self.scalar(&[], handle);
                        let layout = ListLayout {
                            list,
                            field: field as u32,
                            inner,
                        };
                        self.lists(want.ty.clone(), handles, Some(Rc::new(layout)))
                    })
                    .collect()
            }
            Pile::Arrays(views) => {
                let all = outputs.iter().zip(views).zip(piles.inner);
                all.map(|((want, view), inner)| {
                    let stored = stored_type(&want.ty);
                    let node = self.stored(stored.dtype, stored.dims(), view);
                    self.unstored(&want.ty, node, inner)
                })
                .collect()
            }
        }
    }
}
