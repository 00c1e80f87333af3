//! Sorting, and the largest of rows.

use super::{Part, Site};
use crate::loops::kernel::{Sort, TopK};
use crate::loops::{LoopKind, ScalarOp, Value};
use crate::types::DType;

/// The most keys that are selected by insertion.
const FEW: usize = 32;

/// Whether key `a` comes before key `b`: NaN is larger than all numbers.
fn below(s: &mut Site<'_>, a: Value, b: Value) -> Value {
    let less = s.b.op(ScalarOp::Lt, &[a, b]);
    if !s.b.dtype(a).is_float() {
        return less;
    }
    let (odd, even) = (s.b.op(ScalarOp::Ne, &[b, b]), s.b.op(ScalarOp::Eq, &[a, a]));
    let only = s.b.op(ScalarOp::And, &[odd, even]);
    s.b.op(ScalarOp::Or, &[less, only])
}

/// Sorts keys and their places, by merging runs through memory for one more row. Equal keys keep their order.
fn merge(
    s: &mut Site<'_>,
    n: usize,
    keys: &Part,
    places: Option<&Part>,
    room: (&Part, Option<&Part>),
    descending: bool,
) {
    let all = s.b.i64(n as i64);
    if let Some(places) = places {
        s.beside(n, |s, i| {
            let place = s.b.materialize(i);
            s.set(places, i, place);
        });
    }
    let levels = n.next_power_of_two().ilog2() as usize;
    s.each(levels, |s, level| {
        let (one, level) = (s.b.i64(1), s.b.materialize(level));
        let run = s.b.op(ScalarOp::Shl, &[one, level]);
        let two = s.b.add(run, run);
        // As many pairs of runs as there may be, of which the last may be short.
        let (less, up) = (s.b.sub(two, one), s.b.add(level, one));
        let pairs = s.b.add(all, less);
        let pairs = s.b.op(ScalarOp::Shr, &[pairs, up]);
        s.steps(LoopKind::SERIAL, pairs, &[], |s, pair, _| {
            let pair = s.b.materialize(pair);
            let low = s.b.mul(pair, two);
            let (middle, high) = (s.b.add(low, run), s.b.add(low, two));
            let middle = s.b.op(ScalarOp::Min, &[middle, all]);
            let high = s.b.op(ScalarOp::Min, &[high, all]);
            let count = s.b.sub(high, low);
            s.steps(LoopKind::SERIAL, count, &[low, middle], |s, k, at| {
                let (a, b) = (at[0], at[1]);
                let last = s.b.i64(n as i64 - 1);
                let read = |s: &mut Site<'_>, at: Value| {
                    let at = s.b.op(ScalarOp::Min, &[at, last]);
                    let at = s.b.affine(at);
                    s.get(keys, &at)
                };
                let (x, y) = (read(s, a), read(s, b));
                let earlier = match descending {
                    true => below(s, x, y),
                    false => below(s, y, x),
                };
                let (done, open) = (
                    s.b.op(ScalarOp::Le, &[middle, a]),
                    s.b.op(ScalarOp::Lt, &[b, high]),
                );
                let second = s.b.op(ScalarOp::And, &[open, earlier]);
                let second = s.b.op(ScalarOp::Or, &[done, second]);
                let low = s.b.affine(low);
                let to = s.sum(&low, k, 1);
                let key = s.b.select(second, y, x);
                s.set(room.0, &to, key);
                if let (Some(places), Some(room)) = (places, room.1) {
                    let from = s.b.select(second, b, a);
                    let from = s.b.affine(from);
                    let place = s.get(places, &from);
                    s.set(room, &to, place);
                }
                let one = s.b.i64(1);
                let (next_a, next_b) = (s.b.add(a, one), s.b.add(b, one));
                vec![s.b.select(second, a, next_a), s.b.select(second, next_b, b)]
            });
            vec![]
        });
        s.beside(n, |s, i| {
            let key = s.get(room.0, i);
            s.set(keys, i, key);
            if let (Some(places), Some(room)) = (places, room.1) {
                let place = s.get(room, i);
                s.set(places, i, place);
            }
        });
    });
}

/// Writes a sort of each row.
pub(in crate::loops::kernel) fn sort(s: &mut Site<'_>, k: &Sort) {
    let room = s.scratch(k.dtype, k.n);
    let places_room = k.places.then(|| s.scratch(DType::I64, k.n));
    s.each(k.rows, |s, row| {
        let start = s.b.scale(row, k.n as i64);
        let (keys, places) = (s.region(0), k.places.then(|| s.region(1)));
        let keys = keys.from(s, &start);
        let places = places.map(|p| p.from(s, &start));
        let room = (&room, places_room.as_ref());
        merge(s, k.n, &keys, places.as_ref(), room, k.descending);
    });
}

/// Writes the selection of the largest keys of each row.
pub(in crate::loops::kernel) fn top_k(s: &mut Site<'_>, k: &TopK) {
    if k.k == 0 {
        return;
    }
    let room = (k.k > FEW).then(|| {
        let keys = [s.scratch(k.dtype, k.n), s.scratch(k.dtype, k.n)];
        let places = [s.scratch(DType::I64, k.n), s.scratch(DType::I64, k.n)];
        (keys, places)
    });
    s.each(k.rows, |s, row| {
        let (from, to) = (s.b.scale(row, k.n as i64), s.b.scale(row, k.k as i64));
        let (keys, best, places) = (s.region(0), s.region(1), s.region(2));
        let keys = keys.from(s, &from);
        let (best, places) = (best.from(s, &to), places.from(s, &to));
        match &room {
            Some(([copy, more], [all, others])) => {
                s.beside(k.n, |s, i| {
                    let key = s.get(&keys, i);
                    s.set(copy, i, key);
                });
                merge(s, k.n, copy, Some(all), (more, Some(others)), true);
                s.beside(k.k, |s, i| {
                    let (key, place) = (s.get(copy, i), s.get(all, i));
                    s.set(&best, i, key);
                    s.set(&places, i, place);
                });
            }
            None => insert(s, k, &keys, &best, &places),
        }
    });
}

/// Keeps the best keys so far in order, and inserts what is better than the last of them.
fn insert(s: &mut Site<'_>, k: &TopK, keys: &Part, best: &Part, places: &Part) {
    s.each(k.n, |s, i| {
        let key = s.get(keys, i);
        let (i, most) = (s.b.materialize(i), s.b.i64(k.k as i64));
        let filled = s.b.op(ScalarOp::Min, &[i, most]);
        let carries = [s.b.carry(filled)];
        let (params, cond) = {
            let carried = s.b.carried(&carries);
            // The place of a key moves towards the front as long as those before it are smaller.
            s.b.open(None);
            let at = carried[0].param;
            let (zero, one) = (s.b.i64(0), s.b.i64(1));
            let first = s.b.op(ScalarOp::Le, &[at, zero]);
            let before = s.b.sub(at, one);
            let before = s.b.op(ScalarOp::Max, &[before, zero]);
            let before = s.b.affine(before);
            let other = s.get(best, &before);
            let smaller = below(s, other, key);
            let inside = s.b.op(ScalarOp::Not, &[first]);
            let goes_on = s.b.op(ScalarOp::And, &[inside, smaller]);
            (carried, s.b.close(vec![goes_on]))
        };
        s.b.open(None);
        let at = params[0].param;
        let one = s.b.i64(1);
        let before = s.b.sub(at, one);
        let next = before;
        let last = s.b.i64(k.k as i64 - 1);
        // The last of the best drops out.
        let to = s.b.op(ScalarOp::Min, &[at, last]);
        let (before, to) = (s.b.affine(before), s.b.affine(to));
        let kept = s.b.op(ScalarOp::Lt, &[at, most]);
        let (key_before, place_before) = (s.get(best, &before), s.get(places, &before));
        let then = {
            s.b.open(None);
            s.set(best, &to, key_before);
            s.set(places, &to, place_before);
            s.b.close(vec![])
        };
        s.b.open(None);
        let otherwise = s.b.close(vec![]);
        s.b.close_if(kept, then, otherwise);
        let body = s.b.close(vec![next]);
        let out = params[0].out;
        s.b.push(crate::loops::Stmt::While(crate::loops::While {
            marks: Default::default(),
            carried: params,
            cond,
            body,
            limit: u64::MAX,
            at: None,
        }));
        let inside = s.b.op(ScalarOp::Lt, &[out, most]);
        s.b.open(None);
        let at = s.b.affine(out);
        s.set(best, &at, key);
        s.set(places, &at, i);
        let then = s.b.close(vec![]);
        s.b.open(None);
        let otherwise = s.b.close(vec![]);
        s.b.close_if(inside, then, otherwise);
    });
}
