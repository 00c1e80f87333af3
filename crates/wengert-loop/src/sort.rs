//! The order of sorted keys, in both IRs.
//!
//! The order is stable: equal keys keep their order. NaN is larger than all numbers, and zeros of both signs
//! are equal.

use std::cmp::Ordering;

use crate::arithmetic::Arithmetic;

/// Length of an axis above which keys are sorted by the library.
pub const LARGE: usize = 32;

/// Compares two keys.
fn order<T: Arithmetic>(a: T, b: T) -> Ordering {
    match (a.is_below(b), b.is_below(a)) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// Compares two keys that are not NaN.
fn order_of_numbers<T: Arithmetic>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Sorts items by key. Each case is a separate instance of the sort, with a short comparison in its innermost
/// loop.
fn sort_by_key<X, T: Arithmetic>(all: &mut [X], descending: bool, key: impl Fn(&X) -> T) {
    let is_number = |x: &X| key(x).partial_cmp(&key(x)).is_some();
    let numbers = all.iter().all(is_number);
    match (numbers, descending) {
        (true, false) => all.sort_by(|a, b| order_of_numbers(key(a), key(b))),
        (true, true) => all.sort_by(|a, b| order_of_numbers(key(b), key(a))),
        (false, false) => all.sort_by(|a, b| order(key(a), key(b))),
        (false, true) => all.sort_by(|a, b| order(key(b), key(a))),
    }
}

/// Sorts keys in place. Every back end runs this function and [`sort_with_places`].
pub fn sort_keys<T: Arithmetic>(keys: &mut [T], descending: bool) {
    sort_by_key(keys, descending, |&key| key);
}

/// Sorts keys in place, and records the original place of each key.
pub fn sort_with_places<T: Arithmetic>(keys: &mut [T], places: &mut [i64], descending: bool) {
    let mut pairs: Vec<(T, i64)> = keys.iter().copied().zip(0..).collect();
    sort_by_key(&mut pairs, descending, |pair| pair.0);
    for ((key, place), pair) in keys.iter_mut().zip(places).zip(pairs) {
        (*key, *place) = pair;
    }
}
