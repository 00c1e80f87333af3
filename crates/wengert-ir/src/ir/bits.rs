//! A matrix of truth values.

/// Rows of bits: which output depends on which input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BitMatrix {
    rows: usize,
    columns: usize,
    bits: Vec<u64>,
}

impl BitMatrix {
    /// All false.
    pub fn new(rows: usize, columns: usize) -> BitMatrix {
        BitMatrix {
            rows,
            columns,
            bits: vec![0; rows * columns.div_ceil(64)],
        }
    }

    /// All true.
    pub fn full(rows: usize, columns: usize) -> BitMatrix {
        BitMatrix::from_fn(rows, columns, |_, _| true)
    }

    /// True where `f(row, column)` is.
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

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether it is true there.
    pub fn get(&self, row: usize, column: usize) -> bool {
        let (word, bit) = self.place(row, column);
        self.bits[word] & bit != 0
    }

    /// Makes it true there.
    pub fn set(&mut self, row: usize, column: usize) {
        let (word, bit) = self.place(row, column);
        self.bits[word] |= bit;
    }

    /// `row |= other`, for two rows of this matrix. Says whether that changed anything.
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
