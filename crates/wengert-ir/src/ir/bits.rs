//! A matrix of truth values.

/// A matrix of bits, such as which output depends on which input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BitMatrix {
    rows: usize,
    columns: usize,
    bits: Vec<u64>,
}

impl BitMatrix {
    /// Returns a matrix of all `false`.
    pub fn new(rows: usize, columns: usize) -> BitMatrix {
        BitMatrix {
            rows,
            columns,
            bits: vec![0; rows * columns.div_ceil(64)],
        }
    }

    /// Returns a matrix of all `true`.
    pub fn full(rows: usize, columns: usize) -> BitMatrix {
        BitMatrix::from_fn(rows, columns, |_, _| true)
    }

    /// Returns the matrix whose entry at (`row`, `column`) is `f(row, column)`.
    pub fn from_fn(rows: usize, columns: usize, f: impl Fn(usize, usize) -> bool) -> BitMatrix {
        let mut m = BitMatrix::new(rows, columns);
        for r in 0..rows {
            for c in 0..columns {
                if f(r, c) {
                    m.set(r, c);
                }
            }
        }
        m
    }

    fn place(&self, row: usize, column: usize) -> (usize, u64) {
        debug_assert!(row < self.rows && column < self.columns);
        let words = self.columns.div_ceil(64);
        (row * words + column / 64, 1 << (column % 64))
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns one entry.
    pub fn get(&self, row: usize, column: usize) -> bool {
        let (word, bit) = self.place(row, column);
        self.bits[word] & bit != 0
    }

    /// Sets one entry to `true`.
    pub fn set(&mut self, row: usize, column: usize) {
        let (word, bit) = self.place(row, column);
        self.bits[word] |= bit;
    }

    /// Sets `row |= other` for two rows of this matrix. Returns whether that changed anything.
    pub fn or_row(&mut self, row: usize, other: usize) -> bool {
        let words = self.columns.div_ceil(64);
        let mut changed = false;
        for w in 0..words {
            let (a, b) = (self.bits[row * words + w], self.bits[other * words + w]);
            self.bits[row * words + w] = a | b;
            changed |= a | b != a;
        }
        changed
    }
}
