//! Transposed convolutions.

use std::panic::Location;

use super::{Around, Conv, same};
use crate::error::{TypeError, counted};
use crate::ops::conv::Axis;
use crate::ops::layout;
use crate::trace::array::{promoted, refuse};
use crate::trace::{Ints, Var, asked_at};

/// # Transposed convolutions
///
/// `conv` is a [`Conv`] with the parameters.
impl Conv {
    /// The transpose of the convolution as a function of its input, for the same parameters: from its result
    /// `[examples, kernels, ..]` to an input `[examples, channels, ..]`, the shortest that has such a result, or
    /// after [`Conv::same`] the longest: `torch.nn.functional.conv_transpose2d`. Derivative: the convolution.
    ///
    /// # Errors
    /// As [`Conv::of`], or if no input has such a result.
    #[track_caller]
    pub fn transposed(&self, y: Var, w: Var) -> Var {
        self.turned(y, w, None)
    }

    /// The transposed convolution to an input of these lengths, of which there are as many as the stride says:
    /// `output_size` of PyTorch. Derivative: the convolution.
    ///
    /// # Errors
    /// As [`Conv::transposed`], or if an input of these lengths has another result.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::Conv;
    ///
    /// // Inputs of 3 and of 4 numbers have 2 pairs that are 2 apart.
    /// let f = jit(|(y, w): (Var, Var)| Conv::new().stride(2).transposed_to(y, w, [5]));
    /// let x = f.call(([[[1.0, 2.0]]], [[[1.0, 1.0]]]))?;
    /// assert_eq!(x.to_vec::<f64>()?, [1.0, 1.0, 2.0, 2.0, 0.0]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn transposed_to(&self, y: Var, w: Var, lengths: impl Into<Ints>) -> Var {
        self.turned(y, w, Some(lengths.into()))
    }

    #[track_caller]
    fn turned(&self, y: Var, w: Var, lengths: Option<Ints>) -> Var {
        const OP: &str = "conv_transposed";
        let both = promoted(OP, &[y, w]);
        let (y, w) = (both[0], both[1]);
        let groups = self.groups.unwrap_or(1);
        let (dy, dw) = (y.shape(), w.shape());
        let fit = dw.len() >= 2 && dy.len() == dw.len() && dy[1] == dw[0];
        if !fit || groups == 0 || dw[0] % groups != 0 {
            let groups = counted(groups, "group", "groups");
            let message = format!(
                "{} is no result of a convolution with {} in {groups}",
                y.ty(),
                w.ty()
            );
            refuse(OP, &both, TypeError::new(message));
        }
        let rank = dw.len() - 2;
        if let Some(given) = &lengths
            && given.0.len() != rank
        {
            let axes = counted(rank, "axis", "axes");
            let message = format!("the lengths {:?} for {axes}", given.0);
            refuse(OP, &both, TypeError::new(message));
        }
        // Within each group, channels and kernels change places.
        let apart = [&[groups, dw[0] / groups, dw[1]], &dw[2..]].concat();
        let joined = [&[groups * dw[1], dw[0] / groups], &dw[2..]].concat();
        let mut order: Vec<usize> = (0..rank + 3).collect();
        order.swap(1, 2);
        let turned = layout::reshape(w, &apart);
        let turned = layout::reshape(layout::transpose(turned, &order), &joined);
        let (_, _, mut axes) = self.checked(OP, y, turned);
        for (i, a) in axes.iter_mut().enumerate() {
            let given = lengths.as_ref().map(|all| all.0[i]);
            match self.turned_axis(*a, dy[2 + i], dw[2 + i], given) {
                Ok(turned) => *a = turned,
                Err(message) => refuse(OP, &both, TypeError::new(message)),
            }
        }
        let last: Vec<usize> = (2..rank + 2).collect();
        asked_at(Location::caller(), || {
            self.grouped(y, layout::reverse(turned, &last), &axes, groups)
        })
    }

    /// What the transposed convolution does along an axis with `places` results of a kernel of `k` elements; `given` is the
    /// length of the input, if it is asked for.
    fn turned_axis(
        &self,
        mut a: Axis,
        places: usize,
        k: usize,
        given: Option<i64>,
    ) -> Result<Axis, String> {
        let (stride, spread) = (a.stride as i64, a.spread as i64);
        let reach = (k as i64 - 1) * a.dilation as i64;
        let named = self.around != Around::Same;
        // The last element, of the input with what is between, that a result needs.
        let last = |pad: (i64, i64)| (places as i64 - 1) * stride + reach - pad.0 - pad.1;
        let length = match named {
            true => (last(a.pad) + spread - 1).div_euclid(spread) + 1,
            false => (places as i64 * stride - 1).div_euclid(spread) + 1,
        };
        let length = given.unwrap_or(length.max(0));
        let n = usize::try_from(length).map_err(|_| format!("the length {length}"))?;
        if !named {
            a.pad = same(&a, n, k);
        }
        if a.places(n, k) != places {
            return Err(format!(
                "an axis of {n} has {}, not {places}",
                counted(a.places(n, k), "result", "results")
            ));
        }
        // Without a result there is no element between which others are put.
        let all = if places == 0 {
            reach - a.pad.0 - a.pad.1 - 1
        } else {
            last(a.pad)
        };
        let more = (length - 1) * spread - all;
        Ok(Axis {
            stride: a.spread,
            pad: (reach - a.pad.0, reach - a.pad.1 + more),
            spread: a.stride,
            dilation: a.dilation,
        })
    }
}
