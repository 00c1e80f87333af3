//! How the shape of an array is written.

mod sealed {
    pub trait Whole: Copy {
        fn whole(self) -> Option<usize>;
    }
}
use sealed::Whole;

macro_rules! whole {
    ($($t:ty)*) => {$(
        impl Whole for $t {
            fn whole(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
        }
    )*};
}
whole!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// The lengths of the axes of an [`Array`](crate::Array) or a [`ShapeDtype`](crate::ShapeDtype): an array,
/// a slice or a vector of `usize`, one number for one axis, `()` or `[]` for a scalar, or a tuple of
/// integers of any type: `(n, 3)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of an array",
    label = "expected lengths, such as `[2, 3]`, `&[usize]`, `n` or `(n, 3)`"
)]
pub trait Lengths {
    /// The lengths.
    ///
    /// # Panics
    /// If one is negative.
    #[doc(hidden)]
    #[track_caller]
    fn lengths(self) -> Vec<usize>;
}

impl<const N: usize> Lengths for [usize; N] {
    fn lengths(self) -> Vec<usize> {
        self.to_vec()
    }
}
impl<const N: usize> Lengths for &[usize; N] {
    fn lengths(self) -> Vec<usize> {
        self.to_vec()
    }
}
impl Lengths for &[usize] {
    fn lengths(self) -> Vec<usize> {
        self.to_vec()
    }
}
impl Lengths for Vec<usize> {
    fn lengths(self) -> Vec<usize> {
        self
    }
}
impl Lengths for &Vec<usize> {
    fn lengths(self) -> Vec<usize> {
        self.clone()
    }
}
impl Lengths for usize {
    fn lengths(self) -> Vec<usize> {
        vec![self]
    }
}
impl Lengths for () {
    fn lengths(self) -> Vec<usize> {
        vec![]
    }
}

macro_rules! tuples {
    ($(($($t:ident)*))*) => {$(
        impl<$($t: Whole),*> Lengths for ($($t,)*) {
            #[allow(non_snake_case)]
            #[track_caller]
            fn lengths(self) -> Vec<usize> {
                let ($($t,)*) = self;
                let mut lengths = vec![];
                for n in [$($t.whole()),*] {
                    match n {
                        Some(n) => lengths.push(n),
                        None => panic!("a length is negative, or larger than memory"),
                    }
                }
                lengths
            }
        }
    )*};
}
tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));
