//! Borrowed elements.

use super::{Data, Element};
use crate::with_variants;

/// Elements of an array borrowed for reading, row-major.
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

/// Elements of an array borrowed for writing, row-major.
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

impl<'a> Slice<'a> {
    /// Copies the elements.
    pub fn to_data(self) -> Data {
        with_variants!(Slice, self, v => Element::wrap(v.to_vec()))
    }

    /// Returns the elements.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn typed<T: Element>(self) -> &'a [T] {
        T::of(self).unwrap_or_else(|| panic!("elements that are not {}", T::DTYPE))
    }
}

impl SliceMut<'_> {
    /// Overwrites the elements.
    ///
    /// # Panics
    /// If the type or the number of elements differs.
    pub fn copy_from(&mut self, data: &Data) {
        fn copy<T: Element>(to: &mut [T], from: &Data) {
            to.copy_from_slice(Slice::from(from).typed());
        }
        with_variants!(SliceMut, self, v => copy(v, data));
    }

    /// Borrows the elements for a shorter time.
    pub fn reborrow(&mut self) -> SliceMut<'_> {
        with_variants!(SliceMut, self, v => Element::borrowed_mut(v))
    }
}

impl<'a> SliceMut<'a> {
    /// Returns the elements.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn typed<T: Element>(self) -> &'a mut [T] {
        T::of_mut(self).unwrap_or_else(|| panic!("elements that are not {}", T::DTYPE))
    }
}

impl<'a> From<&'a Data> for Slice<'a> {
    fn from(data: &'a Data) -> Slice<'a> {
        with_variants!(Data, data, v => Element::borrowed(v))
    }
}

impl<'a> From<&'a mut Data> for SliceMut<'a> {
    fn from(data: &'a mut Data) -> SliceMut<'a> {
        with_variants!(Data, data, v => Element::borrowed_mut(v))
    }
}
