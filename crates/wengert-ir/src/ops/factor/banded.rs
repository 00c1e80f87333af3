//! Systems with a band matrix.

use super::{Factor, Factorisation};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::loops::affine::Affine;
use crate::loops::kernel::Task;
use crate::loops::{ScalarOp, Value};
use crate::ops::cotangent::add_tangents;
use crate::ops::{Cotangent, Operand, Tangent, layout};
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// Maximum number of elements of the rows in hand that are kept in registers.
const HELD: usize = 24;

/// `(ab, b)`: the matrix `x` with `a x = b`, where row `upper + i - j` of `ab` holds `a[i, j]` in column `j`. What lies
/// outside of `a` is not read.
///
/// Elimination with partial pivoting, as LAPACK's `gtsv` and `gbsv`. Only the rows in hand are changed: `lower + 1` rows
/// of `lower + upper + 1` elements, which move down the band.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Banded {
    /// The number of diagonals below the main one.
    pub lower: usize,
    /// The number of diagonals above the main one.
    pub upper: usize,
}

/// Records the solution of systems with band matrices. The right-hand sides are the columns of `b`.
#[track_caller]
pub fn solve_banded(ab: Var, b: Var, band: Banded) -> Var {
    Factor::Banded(band).bind(&[ab, b])[0]
}

impl Banded {
    pub(super) fn read(given: &Given) -> Option<Banded> {
        Some(Banded {
            lower: given.index("lower")?,
            upper: given.index("upper")?,
        })
    }

    /// The width of a row in hand.
    fn width(self) -> usize {
        self.lower + self.upper + 1
    }

    fn transposed(self) -> Banded {
        Banded {
            lower: self.upper,
            upper: self.lower,
        }
    }

    /// The diagonals of the transposed matrix: row `d` is row `lower + upper - d`, moved.
    #[track_caller]
    fn turned(self, ab: Var) -> Var {
        let rank = ab.rank();
        let rows: Vec<Var> = (0..self.width())
            .map(|d| {
                let from = self.width() - 1 - d;
                let row = layout::slice_axis(ab, rank - 2, from..from + 1);
                moved(row, rank - 1, d as i64 - self.lower as i64)
            })
            .collect();
        layout::concat(&rows, rank - 2)
    }

    /// The product of the matrix with columns.
    #[track_caller]
    fn product(self, ab: Var, x: Var) -> Var {
        let rank = ab.rank();
        let terms = (0..self.width()).map(|d| {
            let row = layout::slice_axis(ab, rank - 2, d..d + 1);
            let each = super::t(row) * x;
            moved(each, rank - 2, self.upper as i64 - d as i64)
        });
        terms.reduce(|a, b| a + b).expect("the main diagonal")
    }
}

/// The elements `x[i + by]` along an axis, and zeros where there are none.
#[track_caller]
fn moved(x: Var, axis: usize, by: i64) -> Var {
    let dims = x.shape();
    let (n, far) = (dims[axis], by.unsigned_abs() as usize);
    if far >= n {
        return Var::zeros(&x.ty());
    }
    let none = vec![0; dims.len()];
    let mut some = none.clone();
    some[axis] = far;
    match by >= 0 {
        true => layout::pad(layout::slice_axis(x, axis, far..n), &none, &some, &none),
        false => layout::pad(layout::slice_axis(x, axis, 0..n - far), &some, &none, &none),
    }
}

impl Factorisation for Banded {
    fn name(&self) -> &'static str {
        "solve_banded"
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("lower", Attribute::Int(self.lower as i64)),
            ("upper", Attribute::Int(self.upper as i64)),
        ]
    }

    fn library(&self, _: &[Type]) -> (Task, [usize; 2]) {
        unreachable!("the time of the loops is linear")
    }

    fn small(&self) -> usize {
        usize::MAX
    }

    fn ranks(&self) -> &'static [usize] {
        &[2, 2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let (ab, b) = (inputs[0].dims(), inputs[1].dims());
        let rows = self
            .lower
            .checked_add(self.upper)
            .and_then(|n| n.checked_add(1));
        if Some(ab[0]) != rows {
            let (lower, upper) = (self.lower, self.upper);
            let message = format!(
                "{} does not hold {lower} + {upper} + 1 diagonals",
                inputs[0]
            );
            return Err(TypeError::new(message));
        }
        if ab[1] != b[0] {
            let message = format!(
                "{} and {} differ in the number of rows",
                inputs[0], inputs[1]
            );
            return Err(TypeError::new(message));
        }
        Ok(vec![inputs[1].clone()])
    }

    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (ab, b, x) = (&inputs[0], &inputs[1], &outputs[0]);
        let (n, columns) = (ab.columns(), b.columns());
        if n == 0 || columns == 0 {
            return;
        }
        let band = Band {
            ab: ab.clone(),
            form: *self,
            n,
        };
        let held = (self.lower + 1) * self.width() <= HELD;
        if held && columns == 1 {
            return band.solve_held(d, b, x);
        }
        let factors = band.factors(d);
        match held {
            true => band.eliminate_held(d, &factors),
            false => band.eliminate(d, &factors),
        }
        band.substitute(d, &factors, b, x);
    }

    /// The tangent solves `a x' = b' - a' x`.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let moved = dx[0].map(|da| -self.product(da, y[0]));
        let right = add_tangents(dx[1], moved);
        vec![right.map(|b| solve_banded(x[0], b, *self))]
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let back = ct[0].expect("the cotangent of the one result");
        let ab = self.turned(inputs[0].known());
        let solved = back.map(|ct| solve_banded(ab, ct, self.transposed()));
        vec![None, Some(solved)]
    }
}

/// A band matrix on a desk.
struct Band {
    ab: Matrix,
    form: Banded,
    n: usize,
}

/// What elimination leaves of each column: the reciprocal of the pivot, its row divided by it, where the row came from,
/// and the factors of the rows below.
struct Factors {
    reciprocal: Matrix,
    above: Matrix,
    from: Matrix,
    below: Matrix,
}

/// A row in hand, in registers.
type Row = Vec<Value>;

/// What is done with a pivot row, its number, its reciprocal, and the factors of the rows below.
type Visit<'a> = dyn FnMut(&mut Desk, &Affine, &Row, Value, (Value, Vec<Value>)) + 'a;

impl Band {
    fn lower(&self) -> usize {
        self.form.lower
    }

    fn width(&self) -> usize {
        self.form.width()
    }

    /// The first step at which a row or a column beyond the last one comes in hand.
    fn ragged(&self) -> usize {
        self.n.saturating_sub(self.width())
    }

    fn factors(&self, d: &mut Desk) -> Factors {
        let n = self.n;
        Factors {
            reciprocal: d.scratch(&[n]),
            above: d.scratch(&[n, self.width() - 1]),
            from: d.scratch_places(&[n]),
            below: d.scratch(&[n, self.lower()]),
        }
    }

    /// Element `t` of row `r` of the first rows in hand.
    fn first(&self, d: &mut Desk, r: usize, t: usize) -> Value {
        if r >= self.n || t >= self.n || t > r + self.form.upper {
            return d.number(0.0);
        }
        d.get(&self.ab, &[&place(self.form.upper + r - t), &place(t)])
    }

    /// Element `t` of the row that comes in hand after step `k`, zero beyond the matrix.
    fn next(&self, d: &mut Desk, k: &Affine, t: &Affine, ragged: bool) -> Value {
        let last = place(self.width() - 1);
        let diagonal = d.sum(&last, t, -1);
        let column = d.sum(&k.clone().plus(1), t, 1);
        if !ragged {
            return d.get(&self.ab, &[&diagonal, &column]);
        }
        let (column, end) = (d.index(&column), d.integer(self.n as i64));
        let row = d.index(&k.clone().plus(1 + self.lower() as i64));
        let inside = d.lt(column, end);
        let known = d.lt(row, end);
        let inside = d.and(inside, known);
        let most = d.integer(self.n as i64 - 1);
        let column = d.op(ScalarOp::Min, &[column, most]);
        let column = d.at(column);
        let x = d.get(&self.ab, &[&diagonal, &column]);
        let nothing = d.number(0.0);
        d.select(inside, x, nothing)
    }

    /// The right-hand side that comes in hand after step `k`.
    fn next_right(&self, d: &mut Desk, b: &Matrix, k: &Affine, ragged: bool) -> Value {
        let row = k.clone().plus(1 + self.lower() as i64);
        if !ragged {
            return d.get(b, &[&row, &place(0)]);
        }
        let (row, end) = (d.index(&row), d.integer(self.n as i64));
        let known = d.lt(row, end);
        let most = d.integer(self.n as i64 - 1);
        let row = d.op(ScalarOp::Min, &[row, most]);
        let x = d.get(b, &[&d.at(row), &place(0)]);
        let nothing = d.number(0.0);
        d.select(known, x, nothing)
    }

    /// Brings the row with the largest first element to the front; returns its number.
    fn pivoted(&self, d: &mut Desk, rows: &mut [Row]) -> Value {
        let mut best = d.abs(rows[0][0]);
        let (mut chosen, mut from): (Vec<Value>, _) = (vec![], d.integer(0));
        for (r, row) in rows.iter().enumerate().skip(1) {
            let size = d.abs(row[0]);
            let more = d.lt(best, size);
            best = d.select(more, size, best);
            let number = d.integer(r as i64);
            from = d.select(more, number, from);
            for earlier in &mut chosen {
                let other = d.not(more);
                *earlier = d.and(*earlier, other);
            }
            chosen.push(more);
        }
        let (front, rest) = rows.split_first_mut().expect("the row of the column");
        let first = front.clone();
        for (row, &hit) in rest.iter_mut().zip(&chosen) {
            for ((x, top), &own) in row.iter_mut().zip(front.iter_mut()).zip(&first) {
                let pivot = d.select(hit, *x, *top);
                *x = d.select(hit, own, *x);
                *top = pivot;
            }
        }
        from
    }

    /// Subtracts multiples of the front row from the others; returns its reciprocal and the factors.
    fn reduced(&self, d: &mut Desk, rows: &mut [Row]) -> (Value, Vec<Value>) {
        let (front, rest) = rows.split_first_mut().expect("the row of the column");
        let one = d.number(1.0);
        let reciprocal = d.div(one, front[0]);
        let mut factors = vec![];
        for row in rest {
            let factor = d.mul(row[0], reciprocal);
            for (x, &top) in row.iter_mut().zip(front.iter()).skip(1) {
                let product = d.mul(factor, top);
                *x = d.sub(*x, product);
            }
            factors.push(factor);
        }
        (reciprocal, factors)
    }

    /// Walks down the columns with the rows in hand. `right` adds a right-hand side to each row, as its last element;
    /// `visit` is given the pivot row, its number, its reciprocal, and the factors.
    fn walk_held(&self, d: &mut Desk, right: Option<&Matrix>, visit: &mut Visit<'_>) {
        let (count, width) = (self.lower() + 1, self.width());
        let mut state: Carries = Carries::new();
        for r in 0..count {
            for t in 0..width {
                let x = self.first(d, r, t);
                state.push(x);
            }
            if let Some(b) = right {
                let x = match r < self.n {
                    true => d.get(b, &[&place(r), &place(0)]),
                    false => d.number(0.0),
                };
                state.push(x);
            }
        }
        let long = width + usize::from(right.is_some());
        let (start, middle, end) = (place(0), place(self.ragged()), place(self.n));
        for (low, high, ragged) in [(&start, &middle, false), (&middle, &end, true)] {
            state = d.fold(low, high, &state, &mut |d, k, state| {
                let mut rows: Vec<Row> = state.chunks(long).map(<[Value]>::to_vec).collect();
                let from = self.pivoted(d, &mut rows);
                let reduced = self.reduced(d, &mut rows);
                visit(d, k, &rows[0], from, reduced);
                let nothing = d.number(0.0);
                let mut after: Carries = Carries::new();
                for row in &rows[1..] {
                    after.extend_from_slice(&row[1..width]);
                    after.push(nothing);
                    after.extend_from_slice(&row[width..]);
                }
                for t in 0..width {
                    let x = self.next(d, k, &place(t), ragged);
                    after.push(x);
                }
                if let Some(b) = right {
                    let x = self.next_right(d, b, k, ragged);
                    after.push(x);
                }
                after
            });
        }
    }

    /// Solves for one right-hand side, with everything in hand in registers.
    fn solve_held(&self, d: &mut Desk, b: &Matrix, x: &Matrix) {
        let (n, width) = (self.n, self.width());
        let above = d.scratch(&[n, width - 1]);
        self.walk_held(d, Some(b), &mut |d, k, row, _, (reciprocal, _)| {
            for (t, &value) in row[1..width].iter().enumerate() {
                let scaled = d.mul(value, reciprocal);
                d.set(&above, &[k, &place(t)], scaled);
            }
            let scaled = d.mul(row[width], reciprocal);
            d.set(x, &[k, &place(0)], scaled);
        });
        let nothing = d.number(0.0);
        let known = vec![nothing; width - 1];
        d.fold_back(&place(0), &place(n), &known, &mut |d, k, known| {
            let mut value = d.get(x, &[k, &place(0)]);
            // The unknown found last comes last: the others do not wait for it.
            for (t, &other) in known.iter().enumerate().rev() {
                let factor = d.get(&above, &[k, &place(t)]);
                let product = d.mul(factor, other);
                value = d.sub(value, product);
            }
            d.set(x, &[k, &place(0)], value);
            let mut next = Carries::new();
            if !known.is_empty() {
                next.push(value);
                next.extend_from_slice(&known[..known.len() - 1]);
            }
            next
        });
    }

    fn eliminate_held(&self, d: &mut Desk, f: &Factors) {
        let width = self.width();
        self.walk_held(d, None, &mut |d, k, row, from, (reciprocal, factors)| {
            for (t, &value) in row[1..width].iter().enumerate() {
                let scaled = d.mul(value, reciprocal);
                d.set(&f.above, &[k, &place(t)], scaled);
            }
            for (r, &factor) in factors.iter().enumerate() {
                d.set(&f.below, &[k, &place(r)], factor);
            }
            let here = d.index(k);
            let from = d.add(here, from);
            d.set(&f.from, &[k], from);
            d.set(&f.reciprocal, &[k], reciprocal);
        });
    }

    /// The same with the rows in hand in memory.
    fn eliminate(&self, d: &mut Desk, f: &Factors) {
        let (count, width) = (self.lower() + 1, self.width());
        let w = d.scratch(&[count, width]);
        let pivots = d.scratch(&[width]);
        let (zero, one) = (place(0), place(1));
        let (rows, columns, end) = (place(count), place(width), place(self.n));
        let upper = self.form.upper as i64;
        d.each(&zero, &rows, &mut |d, r| {
            d.beside(&zero, &columns, &mut |d, t| {
                let diagonal = d.sum(r, t, -1).plus(upper);
                let (diagonal, row, column) = (d.index(&diagonal), d.index(r), d.index(t));
                let (none, most) = (d.integer(0), d.integer(self.n as i64 - 1));
                let inside = d.le(none, diagonal);
                let known = d.le(row, most);
                let inside = d.and(inside, known);
                let known = d.le(column, most);
                let inside = d.and(inside, known);
                let diagonal = d.op(ScalarOp::Max, &[diagonal, none]);
                let column = d.op(ScalarOp::Min, &[column, most]);
                let x = d.get(&self.ab, &[&d.at(diagonal), &d.at(column)]);
                let nothing = d.number(0.0);
                let x = d.select(inside, x, nothing);
                d.set(&w, &[r, t], x);
            });
        });
        let (start, middle) = (place(0), place(self.ragged()));
        for (low, high, ragged) in [(&start, &middle, false), (&middle, &end, true)] {
            d.each(low, high, &mut |d, k| {
                let first = d.get(&w, &[&zero, &zero]);
                let (size, none) = (d.abs(first), d.integer(0));
                let best = d.fold(&one, &rows, &[size, none], &mut |d, r, best| {
                    let x = d.get(&w, &[r, &zero]);
                    let (x, row) = (d.abs(x), d.index(r));
                    let more = d.lt(best[0], x);
                    let x = d.select(more, x, best[0]);
                    Carries::from_slice(&[x, d.select(more, row, best[1])])
                });
                let from = d.at(best[1]);
                d.beside(&zero, &columns, &mut |d, t| {
                    let x = d.get(&w, &[&from, t]);
                    let own = d.get(&w, &[&zero, t]);
                    d.set(&w, &[&from, t], own);
                    d.set(&pivots, &[t], x);
                });
                let pivot = d.get(&pivots, &[&zero]);
                let unit = d.number(1.0);
                let reciprocal = d.div(unit, pivot);
                let here = d.index(k);
                let from = d.add(here, best[1]);
                d.set(&f.from, &[k], from);
                d.set(&f.reciprocal, &[k], reciprocal);
                d.each(&one, &rows, &mut |d, r| {
                    let x = d.get(&w, &[r, &zero]);
                    let factor = d.mul(x, reciprocal);
                    let before = r.clone().plus(-1);
                    d.set(&f.below, &[k, &before], factor);
                    d.beside(&one, &columns, &mut |d, t| {
                        let top = d.get(&pivots, &[t]);
                        let product = d.mul(factor, top);
                        let x = d.get(&w, &[r, t]);
                        let x = d.sub(x, product);
                        d.set(&w, &[&before, &t.clone().plus(-1)], x);
                    });
                    let nothing = d.number(0.0);
                    d.set(&w, &[&before, &place(width - 1)], nothing);
                });
                d.beside(&one, &columns, &mut |d, t| {
                    let x = d.get(&pivots, &[t]);
                    let x = d.mul(x, reciprocal);
                    d.set(&f.above, &[k, &t.clone().plus(-1)], x);
                });
                let bottom = place(count - 1);
                d.beside(&zero, &columns, &mut |d, t| {
                    let x = self.next(d, k, t, ragged);
                    d.set(&w, &[&bottom, t], x);
                });
            });
        }
    }

    /// Solves for each column by the factors.
    fn substitute(&self, d: &mut Desk, f: &Factors, b: &Matrix, x: &Matrix) {
        let (n, columns) = (self.n, b.columns());
        let beyond = self.width() - 1;
        let y = d.scratch(&[n + beyond, columns]);
        let (zero, end, far) = (place(0), place(n), place(n + beyond));
        let (below, above) = (place(self.lower()), place(beyond));
        let mut column = |d: &mut Desk, c: &Affine| {
            d.each(&zero, &end, &mut |d, i| {
                let value = d.get(b, &[i, c]);
                d.set(&y, &[i, c], value);
            });
            d.each(&end, &far, &mut |d, i| {
                let nothing = d.number(0.0);
                d.set(&y, &[i, c], nothing);
            });
            d.each(&zero, &end, &mut |d, k| {
                let from = d.get(&f.from, &[k]);
                let from = d.at(from);
                let (pivot, own) = (d.get(&y, &[&from, c]), d.get(&y, &[k, c]));
                d.set(&y, &[&from, c], own);
                let reciprocal = d.get(&f.reciprocal, &[k]);
                let scaled = d.mul(pivot, reciprocal);
                d.set(&y, &[k, c], scaled);
                d.each(&zero, &below, &mut |d, r| {
                    let factor = d.get(&f.below, &[k, r]);
                    let row = d.sum(k, r, 1).plus(1);
                    d.subtract_product(&y, &row, c, factor, pivot);
                });
            });
            d.each_back(&zero, &end, &mut |d, k| {
                let value = d.get(&y, &[k, c]);
                let found = d.fold_back(&zero, &above, &[value], &mut |d, t, value| {
                    let factor = d.get(&f.above, &[k, t]);
                    let row = d.sum(k, t, 1).plus(1);
                    let other = d.get(&y, &[&row, c]);
                    let product = d.mul(factor, other);
                    Carries::from_slice(&[d.sub(value[0], product)])
                });
                d.set(&y, &[k, c], found[0]);
                d.set(x, &[k, c], found[0]);
            });
        };
        match columns {
            1 => d.each(&zero, &place(1), &mut column),
            _ => d.beside(&zero, &place(columns), &mut column),
        }
    }
}
