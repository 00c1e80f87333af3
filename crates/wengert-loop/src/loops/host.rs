//! Functions of the host that a program calls: Rust code that is neither lowered nor emitted.

use std::fmt::Debug;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use crate::buffer::Data;
use crate::error::Error;
use crate::types::DType;

/// The elements of an array that is read, row-major.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "each variant is named for its element type")]
pub enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    U8(&'a [u8]),
    Bool(&'a [bool]),
}

/// The elements of an array that is written, row-major.
#[derive(PartialEq, Debug)]
#[expect(missing_docs, reason = "each variant is named for its element type")]
pub enum SliceMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    I32(&'a mut [i32]),
    I64(&'a mut [i64]),
    U32(&'a mut [u32]),
    U64(&'a mut [u64]),
    U8(&'a mut [u8]),
    Bool(&'a mut [bool]),
}

impl Slice<'_> {
    /// A copy of the elements.
    pub fn to_data(self) -> Data {
        match self {
            Slice::F32(v) => Data::F32(v.to_vec()),
            Slice::F64(v) => Data::F64(v.to_vec()),
            Slice::I32(v) => Data::I32(v.to_vec()),
            Slice::I64(v) => Data::I64(v.to_vec()),
            Slice::U32(v) => Data::U32(v.to_vec()),
            Slice::U64(v) => Data::U64(v.to_vec()),
            Slice::U8(v) => Data::U8(v.to_vec()),
            Slice::Bool(v) => Data::Bool(v.to_vec()),
        }
    }
}

impl SliceMut<'_> {
    /// Copies elements here.
    ///
    /// # Panics
    /// If they are of another type, or another number.
    pub fn copy_from(&mut self, data: &Data) {
        match (self, data) {
            (SliceMut::F32(to), Data::F32(from)) => to.copy_from_slice(from),
            (SliceMut::F64(to), Data::F64(from)) => to.copy_from_slice(from),
            (SliceMut::I32(to), Data::I32(from)) => to.copy_from_slice(from),
            (SliceMut::I64(to), Data::I64(from)) => to.copy_from_slice(from),
            (SliceMut::U32(to), Data::U32(from)) => to.copy_from_slice(from),
            (SliceMut::U64(to), Data::U64(from)) => to.copy_from_slice(from),
            (SliceMut::U8(to), Data::U8(from)) => to.copy_from_slice(from),
            (SliceMut::Bool(to), Data::Bool(from)) => to.copy_from_slice(from),
            (to, from) => panic!("{from:?} for {to:?}"),
        }
    }
}

impl<'a> From<&'a Data> for Slice<'a> {
    fn from(data: &'a Data) -> Slice<'a> {
        match data {
            Data::F32(v) => Slice::F32(v),
            Data::F64(v) => Slice::F64(v),
            Data::I32(v) => Slice::I32(v),
            Data::I64(v) => Slice::I64(v),
            Data::U32(v) => Slice::U32(v),
            Data::U64(v) => Slice::U64(v),
            Data::U8(v) => Slice::U8(v),
            Data::Bool(v) => Slice::Bool(v),
        }
    }
}

impl<'a> From<&'a mut Data> for SliceMut<'a> {
    fn from(data: &'a mut Data) -> SliceMut<'a> {
        match data {
            Data::F32(v) => SliceMut::F32(v),
            Data::F64(v) => SliceMut::F64(v),
            Data::I32(v) => SliceMut::I32(v),
            Data::I64(v) => SliceMut::I64(v),
            Data::U32(v) => SliceMut::U32(v),
            Data::U64(v) => SliceMut::U64(v),
            Data::U8(v) => SliceMut::U8(v),
            Data::Bool(v) => SliceMut::Bool(v),
        }
    }
}

/// What a program calls. Outputs come with any contents, and every element of them is to be written.
pub trait HostFunction: Debug + Send + Sync + RefUnwindSafe {
    /// Its name in the text form.
    fn name(&self) -> String;

    /// Runs it.
    ///
    /// # Errors
    /// Whatever it says: it ends the call of the program.
    fn call(&self, inputs: &[Slice<'_>], outputs: &mut [SliceMut<'_>]) -> Result<(), Error>;
}

/// A function of the host, with the element type and the number of elements of each argument and
/// result.
#[derive(Clone, Debug)]
pub struct Host {
    /// The function.
    pub function: Arc<dyn HostFunction>,
    /// What it reads.
    pub inputs: Vec<(DType, usize)>,
    /// What it writes.
    pub outputs: Vec<(DType, usize)>,
}

impl PartialEq for Host {
    fn eq(&self, other: &Host) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
            && self.inputs == other.inputs
            && self.outputs == other.outputs
    }
}
