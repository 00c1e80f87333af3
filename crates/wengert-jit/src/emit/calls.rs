//! Calls of pure functions, of the runtime, and of library kernels.

use std::sync::Arc;

use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Signature, types};
use smallvec::SmallVec;
use wengert_loop::elementary::chacha::Stream;
use wengert_loop::loops::kernel::LaneProduct;
use wengert_loop::loops::{BufferId, BufferKind, Failure, Index, Kernel, LANES, Value};
use wengert_loop::types::DType;
use wengert_run::library::helpers::KernelCall;
use wengert_run::library::native::{Native, native};
use wengert_run::library::product::GemmCall;
use wengert_run::library::sort::SortCall;
use wengert_run::library::{block, helpers, lanes, product, sort};

use super::outside::Helper;
use super::{DATA, Emitter, FRAME, scalar_type};
use crate::plan::liveness::COPIED;

impl<'p> Emitter<'_, 'p> {
    /// A call of a function of the runtime.
    pub(super) fn helper(
        &mut self,
        f: Helper,
        args: &[ir::Value],
        out: Option<ir::Type>,
    ) -> Option<ir::Value> {
        let params: Vec<ir::Type> = args
            .iter()
            .map(|&a| self.b.func.dfg.value_type(a))
            .collect();
        let signature = |e: &Self| {
            let mut sig = Signature::new(e.s.isa.default_call_conv());
            sig.params.extend(params.iter().map(|&t| AbiParam::new(t)));
            sig.returns.extend(out.map(AbiParam::new));
            sig
        };
        if self.s.is_linked() {
            let sig = signature(self);
            let f = self.s.linked_helper(f, &sig);
            let f = self.s.module.declare_func_in_func(f, self.b.func);
            let call = self.b.ins().call(f, args);
            return self.b.inst_results(call).first().copied();
        }
        let sig = match self.signatures.get(&(params.clone(), out)) {
            Some(&s) => s,
            None => {
                let sig = signature(self);
                let s = self.b.import_signature(sig);
                self.signatures.insert((params, out), s);
                s
            }
        };
        let f = self.int(f.address() as i64);
        let call = self.b.ins().call_indirect(sig, f, args);
        self.b.inst_results(call).first().copied()
    }

    /// Notes that registers do not outlive this point: here is a call that liveness knows of, or the head of a loop
    /// with one. In lanes the register allocator decides what it spills.
    pub(super) fn note_call(&mut self) {
        if self.lanes.is_none() {
            self.called = self.count();
            self.kept.clear();
        }
    }

    /// A call of a pure function that was not inlined. Lanes go through the frame.
    pub(super) fn call_function(&mut self, out: Value, function: u32, args: &[Value]) {
        let lanes = self.is_lanes(out);
        if !lanes {
            let id = self.s.function(function, lanes, self.unit);
            let f = self.s.module.declare_func_in_func(id, self.b.func);
            let mut regs = vec![self.frame];
            regs.extend(args.iter().map(|&a| self.scalar(a)));
            let call = self.b.ins().call(f, &regs);
            self.note_call();
            let y = self.b.inst_results(call)[0];
            self.define(out, &[y]);
            return;
        }
        let area = self.s.call_area(self.unit, args.len());
        for (n, &a) in args.iter().enumerate() {
            let bool = self.dtype(a) == DType::Bool;
            let narrow = !bool && self.is_narrow(a);
            for i in 0..if narrow { 2 } else { 4 } {
                let x = if bool {
                    self.mask_piece(a, false, i)
                } else {
                    self.piece(a, i)
                };
                let off = area + 64 * (n as i32 + 1) + 16 * i as i32;
                self.b.ins().store(FRAME, x, self.frame, off);
            }
        }
        match self.s.plan.wide[function as usize] {
            Some(wide) => {
                let at = self.plus(self.frame, i64::from(area));
                let how = self.int(wide.how as i64);
                self.helper(Helper::At(wide.eight), &[at, how], None);
            }
            None => {
                let id = self.s.function(function, lanes, self.unit);
                let f = self.s.module.declare_func_in_func(id, self.b.func);
                self.b.ins().call(f, &[self.frame]);
            }
        }
        let ty = self.types_of(out)[0];
        for i in 0..self.pieces_of(out) {
            let off = area + 16 * i as i32;
            let x = self.b.ins().load(ty, FRAME, self.frame, off);
            self.define_piece(out, i, x);
        }
    }

    /// Copies elements between regions.
    pub(super) fn copy(&mut self, to: &(BufferId, Index), from: &(BufferId, Index), len: usize) {
        let a = self.uniform_address(to.0, &to.1);
        let b = self.uniform_address(from.0, &from.1);
        let d = self.element(to.0);
        let local = |e: &Self, b: BufferId| e.kind(b) == BufferKind::Local;
        let size = d.bytes() as i64;
        if !local(self, to.0) && !local(self, from.0) {
            if len <= COPIED {
                for i in 0..len as i64 {
                    let (base, off) = self.reach(b, i * size);
                    let x = self.b.ins().load(scalar_type(d), DATA, base, off);
                    let (base, off) = self.reach(a, i * size);
                    self.b.ins().store(DATA, x, base, off);
                }
                return;
            }
            let n = self.int(len as i64 * size);
            let to = self.plus(a.base, a.off);
            let from = self.plus(b.base, b.off);
            self.helper(Helper::Copy, &[to, from, n], None);
            self.note_call();
            return;
        }
        assert!(
            local(self, to.0),
            "lanes are not copied to where all see them"
        );
        // A row of lanes at a time.
        let row = size * LANES as i64;
        let step = if local(self, from.0) { row } else { size };
        let masked = self.mask.is_some() || self.s.plan.gathers.contains(&to.0);
        let narrow = d.bytes() < 8;
        let pieces = match d.bytes() {
            1 => 1,
            4 => 2,
            _ => 4,
        };
        let head = self.b.create_block();
        let exit = self.b.create_block();
        let i = self.b.append_block_param(head, types::I64);
        let zero = self.int(0);
        if len == 0 {
            self.jump(exit, &[]);
            self.b.switch_to_block(head);
            self.jump(exit, &[]);
            self.switch(exit);
            return;
        }
        self.jump(head, &[zero]);
        self.switch(head);
        let to = self.advance(a, Some(i), 0, row);
        let from_at = self.advance(b, Some(i), 0, step);
        for p in 0..pieces {
            let count = if d.bytes() == 1 { 2 } else { 1 };
            let regs: Vec<ir::Value> = (0..count)
                .map(|k| {
                    if local(self, from.0) {
                        self.load_row(d, narrow, from_at, p + k)
                    } else {
                        let x = self.load_scalar(d, from_at);
                        self.splat(d, x, narrow)
                    }
                })
                .collect();
            if masked {
                self.store_row_active(d, to, p, &regs);
            } else {
                self.store_row(d, to, p, &regs);
            }
        }
        let next = self.plus(i, 1);
        let n = self.int(len as i64);
        let more = self.b.ins().icmp(
            cranelift_codegen::ir::condcodes::IntCC::UnsignedLessThan,
            next,
            n,
        );
        self.branch(more, (head, &[next]), (exit, &[]));
        self.switch(exit);
    }

    /// A kernel: a call of the runtime's code for it, if there is any, else of the kernel itself.
    pub(super) fn kernel(&mut self, kernel: &Arc<dyn Kernel>, regions: &[(BufferId, Index)]) {
        let threads = !self.parallel;
        match native(&**kernel) {
            Some(Native::Block(block)) => self.block_of_words(block.0, regions),
            Some(Native::Lanes(product)) => self.lane_product(*product, regions),
            Some(Native::Gemm(gemm)) => {
                let call = GemmCall {
                    gemm: *gemm,
                    threads,
                    cpu: self.s.plan.cpu,
                };
                let call = self.s.keep(call);
                self.library(product::gemm as *const () as usize, call, regions);
            }
            Some(Native::Sort(sort)) => {
                let sort = *sort;
                let call = self.s.keep(SortCall { sort, threads });
                self.library(sort::sort as *const () as usize, call, regions);
            }
            None => {
                let lanes = self.lanes.is_some();
                let call = self.s.keep(KernelCall::new(kernel.clone(), lanes, threads));
                self.library(helpers::kernel as *const () as usize, call, regions);
            }
        }
    }

    /// A call of the runtime on regions whose addresses go through the frame.
    fn library(&mut self, f: usize, call: usize, regions: &[(BufferId, Index)]) {
        let area = self.s.call_area(self.unit, regions.len());
        for (i, (buffer, index)) in regions.iter().enumerate() {
            let at = self.uniform_address(*buffer, index);
            let at = self.plus(at.base, at.off);
            let to = area + 8 * i as i32;
            self.b.ins().store(FRAME, at, self.frame, to);
        }
        let regions = self.plus(self.frame, i64::from(area));
        let call = self.int(call as i64);
        let args = [self.frame, call, regions];
        let status = self.helper(Helper::At(f), &args, Some(types::I32));
        self.note_call();
        self.check(status.expect("a status"));
    }

    /// Leaves with a failure of the program.
    pub(super) fn give_up(&mut self, failure: u32) {
        let status = self.fails(self.s.plan.program.failures[failure as usize].clone());
        self.check(status);
    }

    /// Records a failure of the call, and gives its status.
    pub(super) fn fails(&mut self, failure: Failure) -> ir::Value {
        if let Some(status) = self.s.linked_status(&failure) {
            return self.b.ins().iconst(types::I32, i64::from(status));
        }
        let failure = self.s.keep(failure);
        let failure = self.int(failure as i64);
        let f = helpers::fail as *const () as usize;
        let status = self.helper(Helper::At(f), &[self.frame, failure], Some(types::I32));
        status.expect("a status")
    }

    /// A block of random words, or one for each lane.
    fn block_of_words(&mut self, stream: Stream, regions: &[(BufferId, Index)]) {
        let mut args: SmallVec<[ir::Value; 3]> = SmallVec::new();
        for (b, index) in regions {
            let at = self.uniform_address(*b, index);
            args.push(self.plus(at.base, at.off));
        }
        args.push(self.int(stream as i64));
        let f = match self.kind(regions[0].0) {
            BufferKind::Local => block::of_lanes(self.s.plan.cpu),
            _ => block::one as *const () as usize,
        };
        self.helper(Helper::At(f), &args, None);
        self.note_call();
    }

    /// A product for each lane.
    fn lane_product(&mut self, product: LaneProduct, regions: &[(BufferId, Index)]) {
        let f = lanes::of_lanes(self.s.plan.cpu, product.gemm.dtype);
        let product = self.s.keep(product);
        let mut args: SmallVec<[ir::Value; 4]> = SmallVec::new();
        args.push(self.int(product as i64));
        for (b, index) in regions {
            let at = self.uniform_address(*b, index);
            args.push(self.plus(at.base, at.off));
        }
        self.helper(Helper::At(f), &args, None);
    }
}
