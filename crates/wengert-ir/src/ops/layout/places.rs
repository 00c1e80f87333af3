//! The positions of an array's elements in memory.

/// Returns the distance in memory between neighbours along each axis of a row-major array.
pub fn row_major(dims: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; dims.len()];
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i] * dims[i] as isize;
    }
    strides
}

/// Returns the positions `start + Σ index[k] · strides[k]` for every index below `dims`, the last axis moving
/// fastest. A stride may be zero or negative.
pub fn places(dims: &[usize], start: isize, strides: &[isize]) -> Places {
    debug_assert_eq!(dims.len(), strides.len());
    Places {
        axes: dims.iter().copied().zip(strides.iter().copied()).collect(),
        index: vec![0; dims.len()],
        at: start,
        left: dims.iter().product(),
    }
}

/// The iterator of [`places`].
#[derive(Debug)]
pub struct Places {
    axes: Vec<(usize, isize)>,
    index: Vec<usize>,
    at: isize,
    left: usize,
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let here = self.at as usize;
        for (i, &(n, stride)) in self.index.iter_mut().zip(&self.axes).rev() {
            *i += 1;
            self.at += stride;
            if *i < n {
                break;
            }
            *i = 0;
            self.at -= stride * n as isize;
        }
        Some(here)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Places {}

#[cfg(test)]
mod tests {
    use super::{places, row_major};

    #[test]
    fn every_place_in_order() {
        assert_eq!(row_major(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(row_major(&[]), [0isize; 0]);
        let all = |d: &[usize], s, t: &[isize]| places(d, s, t).collect::<Vec<_>>();
        assert_eq!(all(&[2, 2], 1, &[4, 2]), [1, 3, 5, 7]);
        assert_eq!(all(&[3], 2, &[-1]), [2, 1, 0]);
        assert_eq!(all(&[2, 2], 0, &[0, 1]), [0, 1, 0, 1]);
        assert_eq!(all(&[], 7, &[]), [7]);
        assert_eq!(all(&[2, 0], 0, &[1, 1]), [0; 0]);
    }
}
