//! Which expressions are computed together, and which of them are stored.

use std::collections::{BTreeSet, HashMap};

use super::node::{Expr, FEW, NodeId, inputs_of};
use super::notes::{PartKind, StoreReason};
use super::view::{PerAxis, Place, View, contiguous, is_contiguous};
use super::{Lowering, Nest};
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::{BufferId, Value};
use crate::ops::work::FREE;

/// A node whose elements a nest is to write.
pub(super) struct Root {
    pub node: NodeId,
    /// The places it is written to.
    pub places: Vec<View>,
}

impl Lowering {
    fn is_pending(&self, id: NodeId) -> bool {
        self.expr(id).is_pending()
    }

    /// Computes the pending nodes, all of one shape in one nest. `why` says why they cannot wait.
    ///
    /// # Errors
    /// If an operand is not an array.
    pub fn force(&mut self, ids: &[NodeId], why: StoreReason) -> Result<()> {
        let mut left: Vec<NodeId> = ids.to_vec();
        left.retain(|&id| self.is_pending(id));
        left.sort();
        left.dedup();
        while let Some(&first) = left.first() {
            let dims = self.dims(first);
            let (now, later) = left.into_iter().partition(|&id| self.dims(id) == dims);
            left = later;
            let now: Vec<NodeId> = now;
            let roots = now.into_iter().map(|node| Root {
                node,
                places: vec![],
            });
            self.compute(roots.collect(), why)?;
            // Computing one group may have stored nodes of another along with it.
            left.retain(|&id| self.is_pending(id));
        }
        Ok(())
    }

    /// Returns an array's elements in memory, with any strides; stores them first if necessary.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn memory(&mut self, id: NodeId, why: StoreReason) -> Result<View> {
        self.force(&[id], why)?;
        match self.expr(id) {
            Expr::Stored(view) => Ok(view.clone()),
            _ => self.copied(id, why),
        }
    }

    /// Returns an array's elements in memory, contiguous and row-major.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn contiguous_memory(&mut self, id: NodeId, why: StoreReason) -> Result<View> {
        let view = self.memory(id, why)?;
        match is_contiguous(&self.dims(id), &view.strides) {
            true => Ok(View {
                strides: contiguous(&self.dims(id)),
                ..view
            }),
            false => self.copied(id, why),
        }
    }

    /// Copies an array into memory of its own.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn copied(&mut self, id: NodeId, why: StoreReason) -> Result<View> {
        let view = self.alloc_for(id, why);
        self.write(id, view.clone())?;
        Ok(view)
    }

    /// Writes an array to a place.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn write(&mut self, node: NodeId, place: View) -> Result<()> {
        let places = vec![place];
        self.compute(vec![Root { node, places }], StoreReason::Result)
    }

    /// Returns the pending expressions that the elements of these nodes depend on, in the order of
    /// computation.
    pub(super) fn pending_below(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut seen = BTreeSet::new();
        let mut left: Vec<NodeId> = roots.into_iter().collect();
        while let Some(id) = left.pop() {
            if self.is_pending(id)
                && seen.insert(id)
                && let Expr::Each { inputs, .. } = self.expr(id)
            {
                left.extend(inputs.iter().copied());
            }
        }
        seen.into_iter().collect()
    }

    /// Returns those of the expressions computed together that something else uses as well. The same nest
    /// stores them, so that expensive work is done only once.
    pub(super) fn wanted_outside(&self, pending: &[NodeId], roots: &[NodeId]) -> Vec<NodeId> {
        let mut inside: HashMap<NodeId, u32> = HashMap::new();
        for &id in pending {
            for input in inputs_of(self.expr(id)) {
                *inside.entry(input).or_default() += 1;
            }
        }
        let dear = |id: NodeId| !matches!(self.expr(id), Expr::Each { work: FREE, .. });
        let is_wanted = |id: &&NodeId| {
            let inside = inside.get(id).copied().unwrap_or(0);
            dear(**id) && !roots.contains(id) && self.node(**id).uses > inside
        };
        pending.iter().filter(is_wanted).copied().collect()
    }

    /// Returns the strides of the arrays that these expressions read, for [`Space::new`]; `None` for an
    /// irregular access.
    pub(super) fn walks(&self, nodes: &[NodeId]) -> Vec<Option<PerAxis<i64>>> {
        let mut walks = vec![];
        for &id in nodes {
            match self.expr(id) {
                Expr::Find { .. } | Expr::Padded { .. } => walks.push(None),
                Expr::Few(_) => walks.push(Some(contiguous(&self.dims(id)))),
                Expr::Stored(view) => walks.push(Some(view.strides.clone())),
                Expr::Count { strides, .. } => walks.push(Some(strides.clone())),
                Expr::Draw(draw) => walks.push(Some(draw.strides.clone())),
                _ => {}
            }
        }
        walks
    }

    /// Returns the roots, the pending expressions and the nodes they read.
    pub(super) fn with_leaves(&self, pending: &[NodeId], roots: &[NodeId]) -> Vec<NodeId> {
        let mut all: BTreeSet<NodeId> = roots.iter().chain(pending).copied().collect();
        for &id in pending {
            match self.expr(id) {
                Expr::Each { inputs, .. } => all.extend(inputs.iter().copied()),
                Expr::Padded { x, .. } => all.extend(self.below(*x)),
                _ => {}
            }
        }
        all.into_iter().collect()
    }

    /// Returns a padded array together with everything its elements are computed from.
    fn below(&self, x: NodeId) -> BTreeSet<NodeId> {
        let mut all = BTreeSet::new();
        let mut left = vec![x];
        while let Some(id) = left.pop() {
            if all.insert(id)
                && let Expr::Each { .. } | Expr::Padded { .. } = self.expr(id)
            {
                left.extend(inputs_of(self.expr(id)));
            }
        }
        all
    }

    /// Returns these nodes and those that their [`Expr::Find`] expressions read.
    pub(super) fn with_found(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        let mut i = 0;
        while i < nodes.len() {
            if let Expr::Find { inputs, .. } = self.expr(nodes[i]) {
                nodes.extend(inputs.iter().copied());
            }
            i += 1;
        }
        nodes
    }

    /// Copies those of these nodes that are in registers to memory, for a nest that accesses them by index.
    pub(super) fn spill(&mut self, nodes: &[NodeId]) -> Result<()> {
        for &id in nodes {
            if matches!(self.expr(id), Expr::Few(_)) && !self.spilled.contains_key(&id) {
                let view = self.copied(id, StoreReason::Numbered)?;
                self.spilled.insert(id, view);
            }
        }
        Ok(())
    }

    /// Runs `f`, which writes a nest that stores to these places. The nest stores an element only after its
    /// last read of that element.
    pub(super) fn in_nest<'a, R>(
        &mut self,
        places: impl IntoIterator<Item = &'a View>,
        f: impl FnOnce(&mut Lowering) -> R,
    ) -> R {
        self.nests += 1;
        let nest = Nest {
            number: self.nests,
            floor: self.b.depth(),
            written: places.into_iter().filter_map(buffer_of).collect(),
        };
        let outer = self.nest.replace(nest);
        self.note_open(PartKind::Nest);
        let result = f(self);
        self.note_close();
        self.nest = outer;
        result
    }

    /// Computes nodes of one shape in one nest and writes them. A root without a place is stored in its
    /// proposed place or in new memory, because of `why`. Expressions below the roots that something else
    /// uses are stored, too.
    pub(super) fn compute(&mut self, mut roots: Vec<Root>, why: StoreReason) -> Result<()> {
        let Some(first) = roots.first() else {
            return Ok(());
        };
        let dims = self.dims(first.node);
        let own: Vec<NodeId> = roots.iter().map(|r| r.node).collect();
        let pending = self.pending_below(own.iter().copied());
        let cuts = self.cuts(&pending, &dims);
        if !self.can_be_cut(&pending, &cuts) {
            // Store padded arrays first: those below the roots or, if there are none, the padded roots
            // themselves. All reads must come before the first write, so the padded roots go through memory
            // of their own.
            let (mut first, inner): (Vec<NodeId>, Vec<NodeId>) = self
                .pads(&pending)
                .into_iter()
                .partition(|id| own.contains(id));
            if !inner.is_empty() {
                first = inner;
            }
            for pad in first {
                self.force(&[pad], StoreReason::Elsewhere)?;
            }
            return self.compute(roots, why);
        }
        for node in self.wanted_outside(&pending, &own) {
            let places = vec![];
            roots.push(Root { node, places });
        }
        for root in &mut roots {
            if self.is_pending(root.node) && root.places.is_empty() {
                let wish = self.node_mut(root.node).place.take();
                let why = match own.contains(&root.node) {
                    true => why,
                    false => StoreReason::Shared,
                };
                root.places = vec![wish.unwrap_or_else(|| self.alloc_for(root.node, why))];
            }
        }
        // Rows of a list are not written side by side: they are computed into an array that is copied
        // afterwards.
        let mut copies: Vec<(View, View)> = vec![];
        if !self.in_lanes() && dims.iter().product::<usize>() > FEW {
            for root in &mut roots {
                let dtype = self.ty(root.node).dtype;
                for place in &mut root.places {
                    if matches!(place.place, Place::NewRow { .. }) {
                        let aside = self.alloc(dtype, &dims);
                        copies.push((aside.clone(), std::mem::replace(place, aside)));
                    }
                }
            }
        }
        let read = self.with_leaves(&pending, &own);
        let mut walks = self.walks(&read);
        let read = self.with_found(read);
        walks.extend(
            roots
                .iter()
                .flat_map(|r| &r.places)
                .map(|p| Some(p.strides.clone())),
        );
        let spilled = std::mem::take(&mut self.spilled);
        if dims.iter().product::<usize>() > FEW {
            self.spill(&read)?;
        }
        let visit = &mut |l: &mut Lowering, at: &[Affine]| {
            l.memo = Some(HashMap::new());
            for &id in &pending {
                l.element(id, at)?;
            }
            let values: Result<Vec<Value>> = (roots.iter())
                .map(|root| l.element(root.node, at))
                .collect();
            l.memo = None;
            for (root, value) in roots.iter().zip(values?) {
                for place in &root.places {
                    l.store(place, at, value);
                }
            }
            Ok(())
        };
        let places = roots.iter().flat_map(|r| &r.places);
        let draws = self.draws(&pending);
        let bytes = pending.is_empty().then(|| {
            let each = roots.iter().map(|r| {
                let ty = self.ty(r.node);
                r.places.len() * ty.size() * ty.dtype.bytes()
            });
            each.sum()
        });
        self.note_copy(bytes);
        self.in_nest(places, |l| {
            l.over_pieces(&dims, &walks, &cuts, &draws, visit)
        })?;
        self.spilled = spilled;
        for (from, to) in copies {
            self.carry_over(&dims, &from, &to)?;
        }
        for root in roots {
            if !self.is_pending(root.node) {
                continue;
            }
            let readable = |p: &&View| !matches!(p.place, Place::NewRow { .. });
            if let Some(place) = root.places.iter().find(readable) {
                self.settle(root.node, Expr::Stored(place.clone()));
            }
        }
        Ok(())
    }

    /// Writes nodes to their places at the end of a region and releases them.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn commit(&mut self, writes: Vec<(NodeId, View)>, overwritten: &[BufferId]) -> Result<()> {
        let held: Vec<NodeId> = writes.iter().map(|w| w.0).collect();
        self.write_all(writes, overwritten)?;
        for node in held {
            self.release(node);
        }
        Ok(())
    }

    /// Writes nodes to their places, all of one shape in one nest. Every read of a buffer in `overwritten`
    /// gets the contents from before the first of these writes.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn write_all(
        &mut self,
        writes: Vec<(NodeId, View)>,
        overwritten: &[BufferId],
    ) -> Result<()> {
        let mut groups: Vec<(Vec<usize>, Vec<Root>)> = vec![];
        for (node, place) in writes {
            let dims = self.dims(node);
            if matches!(self.expr(node), Expr::Stored(view) if view.is_same_as(&place, &dims)) {
                continue;
            }
            let group = match groups.iter_mut().position(|g| g.0 == dims) {
                Some(i) => &mut groups[i].1,
                None => {
                    groups.push((dims, vec![]));
                    &mut groups.last_mut().expect("just pushed").1
                }
            };
            match group.iter_mut().find(|r| r.node == node) {
                Some(root) => root.places.push(place),
                None => group.push(Root {
                    node,
                    places: vec![place],
                }),
            }
        }
        let reads: Vec<Vec<View>> = groups.iter().map(|g| self.reads(&g.1)).collect();
        let mut copies: Vec<(NodeId, View)> = vec![];
        for (g, (_, roots)) in groups.iter_mut().enumerate() {
            for root in roots {
                for place in &mut root.places {
                    let Some(buffer) = buffer_of(place).filter(|b| overwritten.contains(b)) else {
                        continue;
                    };
                    let clash = |(i, reads): (usize, &Vec<View>)| {
                        let mut reads = reads.iter().filter(|r| buffer_of(r) == Some(buffer));
                        reads.any(|r| i != g || *r != *place)
                    };
                    if reads.iter().enumerate().any(clash) {
                        let ty = self.ty(root.node).clone();
                        let aside = self.alloc(ty.dtype, &ty.dims());
                        let there = std::mem::replace(place, aside.clone());
                        let node = self.push(ty, Expr::Stored(aside));
                        copies.push((node, there));
                    }
                }
            }
        }
        for (_, roots) in groups {
            self.compute(roots, StoreReason::Result)?;
        }
        for (node, place) in copies {
            self.write(node, place)?;
        }
        Ok(())
    }

    /// Returns the arrays in memory that are read when these roots are computed.
    fn reads(&self, roots: &[Root]) -> Vec<View> {
        let own: Vec<NodeId> = roots.iter().map(|r| r.node).collect();
        let pending = self.pending_below(own.iter().copied());
        let mut views = vec![];
        let mut left = self.with_leaves(&pending, &own);
        // Read at any position: without strides, the view differs from every place that is written.
        let anywhere = |id: NodeId| match self.expr(id) {
            Expr::Stored(view) => Some(View {
                strides: PerAxis::new(),
                ..view.clone()
            }),
            _ => None,
        };
        while let Some(id) = left.pop() {
            match self.expr(id) {
                Expr::Stored(view) => views.push(view.clone()),
                Expr::Find { inputs, .. } => {
                    views.extend(inputs.iter().filter_map(|&i| anywhere(i)));
                    left.extend(inputs.iter().copied());
                }
                Expr::Padded { x, .. } => {
                    views.extend(self.below(*x).into_iter().filter_map(anywhere));
                }
                _ => {}
            }
        }
        views
    }
}

/// Returns the buffer that an array is in.
pub fn buffer_of(view: &View) -> Option<BufferId> {
    match view.place {
        Place::Buffer(buffer) => Some(buffer),
        _ => None,
    }
}
