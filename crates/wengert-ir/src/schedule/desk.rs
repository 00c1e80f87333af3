//! A desk to write the steps of an algorithm on matrices: loops over places, elements read and written one by one.
//!
//! The algorithm is written once. In a lane its loops run one after the other; elsewhere those whose steps do not
//! depend on one another run side by side. Loops of a tiny matrix are unrolled, so that all places are known and the
//! elements can stay in registers. The arithmetic of each element, and so each bit, is the same in all cases.

use smallvec::{SmallVec, smallvec};

use super::Lowering;
use super::view::View;
use crate::error::Result;
use crate::ir::DType;
use crate::loops::affine::Affine;
use crate::loops::builder::Carry;
use crate::loops::{LoopKind, ScalarOp, Value};

/// Matrices of at most this many rows and columns are worked on by straight lines.
const TINY: usize = 4;

/// The values that a loop carries.
pub type Carries = SmallVec<[Value; 4]>;

/// The surroundings of an algorithm on small matrices of one float type.
pub struct Desk<'l> {
    l: &'l mut Lowering,
    dtype: DType,
    tiny: bool,
}

/// A matrix or a vector in memory, and the lengths of its axes.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Where the elements are.
    pub view: View,
    /// The lengths of the axes.
    pub dims: SmallVec<[usize; 2]>,
}

impl Matrix {
    /// Returns an array in memory with its lengths.
    pub fn new(view: View, dims: &[usize]) -> Matrix {
        let dims = dims.into();
        Matrix { view, dims }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.dims[0]
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.dims[1]
    }

    /// Returns the transpose.
    pub fn t(&self) -> Matrix {
        let mut turned = self.clone();
        turned.view.strides.swap(0, 1);
        turned.dims.swap(0, 1);
        turned
    }
}

/// Returns a known place.
pub fn place(i: usize) -> Affine {
    Affine::constant(i as i64)
}

impl<'l> Desk<'l> {
    /// Returns a desk for matrices of this element type, which have at most `longest` rows and columns.
    pub fn new(l: &'l mut Lowering, dtype: DType, longest: usize) -> Desk<'l> {
        Desk {
            l,
            dtype,
            tiny: longest <= TINY,
        }
    }

    /// Returns whether the algorithm runs in a lane.
    pub fn in_lanes(&self) -> bool {
        self.l.in_lanes()
    }

    /// Returns the type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Returns new memory for integers.
    pub fn integers(&mut self, count: usize) -> Matrix {
        Matrix::new(self.l.alloc(DType::I64, &[count]), &[count])
    }

    /// Returns new memory.
    pub fn scratch(&mut self, dims: &[usize]) -> Matrix {
        Matrix::new(self.l.alloc(self.dtype, dims), dims)
    }

    /// Returns new memory for places.
    pub fn scratch_places(&mut self, dims: &[usize]) -> Matrix {
        Matrix::new(self.l.alloc(DType::I64, dims), dims)
    }

    /// Returns the place `a + k b`.
    pub fn sum(&mut self, a: &Affine, b: &Affine, k: i64) -> Affine {
        self.l.b.add_scaled(a, b, k)
    }

    /// Reads an element.
    pub fn get(&mut self, m: &Matrix, at: &[&Affine]) -> Value {
        let at: SmallVec<[Affine; 2]> = at.iter().map(|&a| a.clone()).collect();
        self.l.load(&m.view, &at)
    }

    /// Writes an element.
    pub fn set(&mut self, m: &Matrix, at: &[&Affine], value: Value) {
        let at: SmallVec<[Affine; 2]> = at.iter().map(|&a| a.clone()).collect();
        self.l.store(&m.view, &at, value);
    }

    /// Copies a matrix.
    pub fn copy(&mut self, from: &Matrix, to: &Matrix) {
        let (rows, columns) = (place(from.rows()), place(from.columns()));
        self.each(&place(0), &rows, &mut |d, i| {
            d.beside(&place(0), &columns, &mut |d, j| {
                let x = d.get(from, &[i, j]);
                d.set(to, &[i, j], x);
            });
        });
    }

    /// Runs the steps from `low` up to but not including `high`, one after the other. The steps carry values.
    pub fn fold(
        &mut self,
        low: &Affine,
        high: &Affine,
        init: &[Value],
        step: &mut dyn FnMut(&mut Desk, &Affine, &[Value]) -> Carries,
    ) -> Carries {
        self.walk(low, high, false, init, step)
    }

    /// Runs the steps from `high - 1` down to `low`, one after the other. The steps carry values.
    pub fn fold_back(
        &mut self,
        low: &Affine,
        high: &Affine,
        init: &[Value],
        step: &mut dyn FnMut(&mut Desk, &Affine, &[Value]) -> Carries,
    ) -> Carries {
        self.walk(low, high, true, init, step)
    }

    fn walk(
        &mut self,
        low: &Affine,
        high: &Affine,
        reverse: bool,
        init: &[Value],
        step: &mut dyn FnMut(&mut Desk, &Affine, &[Value]) -> Carries,
    ) -> Carries {
        if let (true, Some(low), Some(high)) = (self.tiny, low.as_constant(), high.as_constant()) {
            let mut values: Carries = init.into();
            for k in low..high {
                let i = if reverse { low + high - 1 - k } else { k };
                values = step(self, &Affine::constant(i), &values);
            }
            return values;
        }
        let extent = self.extent(low, high);
        let carries: SmallVec<[Carry; 4]> = init.iter().map(|&v| self.l.b.carry(v)).collect();
        let (dtype, tiny) = (self.dtype, self.tiny);
        let kind = LoopKind::Serial { reverse };
        let out = self.l.for_(kind, extent, &carries, |l, i, params| {
            let i = l.b.affine(i);
            let i = l.b.add_scaled(&i, low, 1);
            let mut inner = Desk { l, dtype, tiny };
            Ok(step(&mut inner, &i, params).to_vec())
        });
        out.expect("the steps of an algorithm").into()
    }

    fn extent(&mut self, low: &Affine, high: &Affine) -> Value {
        let extent = self.l.b.add_scaled(high, low, -1);
        self.l.b.materialize(&extent)
    }

    /// Runs the steps from `low` up to but not including `high`, one after the other.
    pub fn each(&mut self, low: &Affine, high: &Affine, step: &mut dyn FnMut(&mut Desk, &Affine)) {
        self.walk(low, high, false, &[], &mut |d, i, _| {
            step(d, i);
            Carries::new()
        });
    }

    /// Runs the steps from `high - 1` down to `low`, one after the other.
    pub fn each_back(
        &mut self,
        low: &Affine,
        high: &Affine,
        step: &mut dyn FnMut(&mut Desk, &Affine),
    ) {
        self.walk(low, high, true, &[], &mut |d, i, _| {
            step(d, i);
            Carries::new()
        });
    }

    /// Runs steps that do not depend on one another, side by side unless the algorithm runs in a lane.
    pub fn beside(
        &mut self,
        low: &Affine,
        high: &Affine,
        step: &mut dyn FnMut(&mut Desk, &Affine),
    ) {
        if self.tiny || self.in_lanes() {
            return self.each(low, high, step);
        }
        let extent = self.extent(low, high);
        let (dtype, tiny) = (self.dtype, self.tiny);
        let done: Result<()> = self.l.repeat(LoopKind::Vector, extent, |l, i| {
            let i = l.b.add_scaled(&i, low, 1);
            step(&mut Desk { l, dtype, tiny }, &i);
            Ok(())
        });
        done.expect("the steps of an algorithm");
    }

    /// Runs steps while a condition on the carried values holds. The caller bounds their number.
    pub fn while_(
        &mut self,
        init: &[Value],
        holds: &mut dyn FnMut(&mut Desk, &[Value]) -> Value,
        step: &mut dyn FnMut(&mut Desk, &[Value]) -> Carries,
    ) -> Carries {
        let carries: SmallVec<[Carry; 4]> = init.iter().map(|&v| self.l.b.carry(v)).collect();
        let (dtype, tiny) = (self.dtype, self.tiny);
        let values = self.l.while_(
            u64::MAX,
            &carries,
            |l, params| Ok(holds(&mut Desk { l, dtype, tiny }, params)),
            |l, params| Ok(step(&mut Desk { l, dtype, tiny }, params).to_vec()),
        );
        values.expect("the steps of an algorithm").into()
    }

    /// Runs statements if a condition holds.
    pub fn when(&mut self, pred: Value, then: &mut dyn FnMut(&mut Desk)) {
        let (dtype, tiny) = (self.dtype, self.tiny);
        self.l.b.open(None);
        then(&mut Desk {
            l: self.l,
            dtype,
            tiny,
        });
        let then = self.l.b.close(vec![]);
        self.l.b.open(None);
        let otherwise = self.l.b.close(vec![]);
        self.l.b.close_if(pred, then, otherwise);
    }

    /// Returns a number.
    pub fn number(&mut self, x: f64) -> Value {
        match self.dtype {
            DType::F32 => self
                .l
                .b
                .constant(DType::F32, u64::from((x as f32).to_bits())),
            _ => self.l.b.f64(x),
        }
    }

    /// Returns the distance of 1 to the next larger number.
    pub fn epsilon(&mut self) -> Value {
        self.number(match self.dtype {
            DType::F32 => f32::EPSILON.into(),
            _ => f64::EPSILON,
        })
    }

    /// Returns the smallest normal number.
    pub fn tiniest(&mut self) -> Value {
        self.number(match self.dtype {
            DType::F32 => f32::MIN_POSITIVE.into(),
            _ => f64::MIN_POSITIVE,
        })
    }

    /// Returns exponents of two: above the first, numbers are multiplied by the second, and below the third by the fourth,
    /// so that their products are in the range of the element type.
    pub fn far_powers(&self) -> [i32; 4] {
        match self.dtype {
            DType::F32 => [40, -80, -40, 70],
            _ => [300, -700, -300, 600],
        }
    }

    /// Returns an integer.
    pub fn integer(&mut self, n: i64) -> Value {
        self.l.b.i64(n)
    }

    /// Returns a place as an integer.
    pub fn index(&mut self, i: &Affine) -> Value {
        self.l.b.materialize(i)
    }

    /// Returns an integer as a place. It must be inside of what is read or written there.
    pub fn at(&self, i: Value) -> Affine {
        self.l.b.affine(i)
    }

    /// Returns a truth value.
    pub fn truth(&mut self, x: bool) -> Value {
        self.l.b.bool(x)
    }

    /// An operation on scalars.
    pub fn op(&mut self, op: ScalarOp, args: &[Value]) -> Value {
        self.l.b.op(op, args)
    }

    /// `a + b`.
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.l.b.add(a, b)
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        self.l.b.sub(a, b)
    }

    /// `a * b`.
    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.l.b.mul(a, b)
    }

    /// `a / b`.
    pub fn div(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Div, &[a, b])
    }

    /// `-a`.
    pub fn neg(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Neg, &[a])
    }

    /// `|a|`.
    pub fn abs(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Abs, &[a])
    }

    /// `√a`.
    pub fn sqrt(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Sqrt, &[a])
    }

    /// Returns the power of two that is at most `a`, and more than half of it, for a positive normal number; 0 for
    /// smaller ones, and infinity for NaN.
    pub fn power_of_two(&mut self, a: Value) -> Value {
        let (integer, exponent) = self.exponent();
        let bits = self.l.b.bitcast(a, integer);
        let bits = self.op(ScalarOp::And, &[bits, exponent]);
        self.l.b.bitcast(bits, self.dtype)
    }

    /// Returns the reciprocal of a power of two. Both must be normal numbers.
    pub fn reciprocal_power(&mut self, a: Value) -> Value {
        let (integer, _) = self.exponent();
        // The exponents of the two, as they are stored, add up to twice that of 1.
        let one = self.number(1.0);
        let offset = self.l.b.bitcast(one, integer);
        let twice = self.add(offset, offset);
        let bits = self.l.b.bitcast(a, integer);
        let bits = self.sub(twice, bits);
        self.l.b.bitcast(bits, self.dtype)
    }

    /// Returns the type of integers as wide as the elements, and the bits of an element that are its exponent.
    fn exponent(&mut self) -> (DType, Value) {
        let (integer, bits) = match self.dtype {
            DType::F32 => (DType::I32, 0x7f80_0000),
            _ => (DType::I64, 0x7ff0_0000_0000_0000),
        };
        (integer, self.l.b.constant(integer, bits))
    }

    /// `a < b`.
    pub fn lt(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Lt, &[a, b])
    }

    /// `a <= b`.
    pub fn le(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Le, &[a, b])
    }

    /// `a == b`.
    pub fn eq(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Eq, &[a, b])
    }

    /// Whether both hold.
    pub fn and(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::And, &[a, b])
    }

    /// Whether it does not hold.
    pub fn not(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Not, &[a])
    }

    /// `a` if `pred` holds, else `b`.
    pub fn select(&mut self, pred: Value, a: Value, b: Value) -> Value {
        self.l.b.select(pred, a, b)
    }

    /// Returns the place after `i`.
    pub fn after(&self, i: &Affine) -> Affine {
        i.clone().plus(1)
    }

    /// Subtracts a product from an element.
    pub fn subtract_product(&mut self, m: &Matrix, i: &Affine, j: &Affine, a: Value, b: Value) {
        let product = self.mul(a, b);
        let x = self.get(m, &[i, j]);
        let x = self.sub(x, product);
        self.set(m, &[i, j], x);
    }

    /// Multiplies an element by a factor, and returns it.
    pub fn scaled(&mut self, m: &Matrix, i: &Affine, j: &Affine, factor: Value) -> Value {
        let x = self.get(m, &[i, j]);
        let x = self.mul(x, factor);
        self.set(m, &[i, j], x);
        x
    }

    /// Swaps row `k` of a matrix of `rows` and `columns` with row `other`, which is not above it.
    pub fn swap_rows(
        &mut self,
        m: &Matrix,
        k: &Affine,
        other: Value,
        rows: &Affine,
        columns: &Affine,
    ) {
        self.beside(&Affine::constant(0), columns, &mut |d, j| {
            d.swap(m, k, other, rows, &mut |i| smallvec![i, j.clone()]);
        });
    }

    /// Swaps element `k` of a vector with element `other`, which is not before it.
    pub fn swap_elements(&mut self, m: &Matrix, k: &Affine, other: Value, count: &Affine) {
        self.swap(m, k, other, count, &mut |i| smallvec![i]);
    }

    fn swap(
        &mut self,
        m: &Matrix,
        k: &Affine,
        other: Value,
        count: &Affine,
        at: &mut dyn FnMut(Affine) -> SmallVec<[Affine; 2]>,
    ) {
        let here = at(k.clone());
        let first = self.l.load(&m.view, &here);
        if !self.tiny {
            let there = at(self.at(other));
            let second = self.l.load(&m.view, &there);
            self.l.store(&m.view, &here, second);
            self.l.store(&m.view, &there, first);
            return;
        }
        // Known places: each is compared with the one to swap.
        let found = self.fold(&self.after(k), count, &[first], &mut |d, i, found| {
            let (row, there) = (d.index(i), at(i.clone()));
            let hit = d.eq(row, other);
            let x = d.l.load(&m.view, &there);
            let kept = d.select(hit, first, x);
            d.l.store(&m.view, &there, kept);
            Carries::from_slice(&[d.select(hit, x, found[0])])
        });
        self.l.store(&m.view, &here, found[0]);
    }
}
