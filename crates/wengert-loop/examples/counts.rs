//! Prints the operations of each function on the common range, and those of its rare path. Casts between floats
//! and bits and constants do not count; the operations of a loop count once per step taken.
use wengert_loop::elementary::{Arith, Elementary, Plain};

#[derive(Default)]
struct Count {
    common: usize,
    divisions: usize,
    rare: usize,
    within: bool,
}

impl Count {
    fn one(&mut self) {
        *(if self.within {
            &mut self.rare
        } else {
            &mut self.common
        }) += 1;
    }
}

impl Arith for Count {
    type Number = f64;
    type F = f64;
    type I = i64;
    type M = bool;

    const FRACTION: u32 = Plain::FRACTION;

    fn pattern(x: f64) -> i64 {
        Plain::pattern(x)
    }
    fn float(&mut self, x: f64) -> f64 {
        x
    }
    fn int(&mut self, x: i64) -> i64 {
        x
    }
    fn bits(&mut self, a: f64) -> i64 {
        Plain.bits(a)
    }
    fn from_bits(&mut self, a: i64) -> f64 {
        Plain.from_bits(a)
    }
    fn add(&mut self, a: f64, b: f64) -> f64 {
        self.one();
        Plain.add(a, b)
    }
    fn sub(&mut self, a: f64, b: f64) -> f64 {
        self.one();
        Plain.sub(a, b)
    }
    fn mul(&mut self, a: f64, b: f64) -> f64 {
        self.one();
        Plain.mul(a, b)
    }
    fn div(&mut self, a: f64, b: f64) -> f64 {
        self.one();
        self.divisions += usize::from(!self.within);
        Plain.div(a, b)
    }
    fn fma(&mut self, a: f64, b: f64, c: f64) -> f64 {
        self.one();
        Plain.fma(a, b, c)
    }
    fn neg(&mut self, a: f64) -> f64 {
        self.one();
        Plain.neg(a)
    }
    fn abs(&mut self, a: f64) -> f64 {
        self.one();
        Plain.abs(a)
    }
    fn sqrt(&mut self, a: f64) -> f64 {
        self.one();
        self.divisions += usize::from(!self.within);
        Plain.sqrt(a)
    }
    fn round(&mut self, a: f64) -> f64 {
        self.one();
        Plain.round(a)
    }
    fn lt(&mut self, a: f64, b: f64) -> bool {
        self.one();
        Plain.lt(a, b)
    }
    fn le(&mut self, a: f64, b: f64) -> bool {
        self.one();
        Plain.le(a, b)
    }
    fn eq(&mut self, a: f64, b: f64) -> bool {
        self.one();
        Plain.eq(a, b)
    }
    fn select(&mut self, m: bool, a: f64, b: f64) -> f64 {
        self.one();
        Plain.select(m, a, b)
    }
    fn select_int(&mut self, m: bool, a: i64, b: i64) -> i64 {
        self.one();
        Plain.select_int(m, a, b)
    }
    fn and(&mut self, a: bool, b: bool) -> bool {
        self.one();
        Plain.and(a, b)
    }
    fn or(&mut self, a: bool, b: bool) -> bool {
        self.one();
        Plain.or(a, b)
    }
    fn not(&mut self, a: bool) -> bool {
        self.one();
        Plain.not(a)
    }
    fn int_add(&mut self, a: i64, b: i64) -> i64 {
        self.one();
        Plain.int_add(a, b)
    }
    fn int_sub(&mut self, a: i64, b: i64) -> i64 {
        self.one();
        Plain.int_sub(a, b)
    }
    fn int_and(&mut self, a: i64, b: i64) -> i64 {
        self.one();
        Plain.int_and(a, b)
    }
    fn int_or(&mut self, a: i64, b: i64) -> i64 {
        self.one();
        Plain.int_or(a, b)
    }
    fn int_xor(&mut self, a: i64, b: i64) -> i64 {
        self.one();
        Plain.int_xor(a, b)
    }
    fn int_shl(&mut self, a: i64, by: u32) -> i64 {
        self.one();
        Plain.int_shl(a, by)
    }
    fn int_shr(&mut self, a: i64, by: u32) -> i64 {
        self.one();
        Plain.int_shr(a, by)
    }
    fn int_ushr(&mut self, a: i64, by: u32) -> i64 {
        self.one();
        Plain.int_ushr(a, by)
    }
    fn int_lt(&mut self, a: i64, b: i64) -> bool {
        self.one();
        Plain.int_lt(a, b)
    }
    fn int_eq(&mut self, a: i64, b: i64) -> bool {
        self.one();
        Plain.int_eq(a, b)
    }
    fn table(&mut self, table: &'static [f64], index: i64) -> f64 {
        self.one();
        Plain.table(table, index)
    }
    fn rare(&mut self, _: bool, common: f64, rare: impl FnOnce(&mut Self) -> f64) -> f64 {
        let before = std::mem::replace(&mut self.within, true);
        rare(self);
        self.within = before;
        common
    }
    fn repeat<const N: usize>(
        &mut self,
        mut state: [f64; N],
        goes_on: impl Fn(&mut Self, [f64; N]) -> bool,
        body: impl Fn(&mut Self, [f64; N]) -> [f64; N],
    ) -> [f64; N] {
        while goes_on(self, state) {
            state = body(self, state);
        }
        state
    }
}

fn main() {
    println!("| function | operations | of them divisions, roots | rare path |\n|---|---|---|---|");
    for f in Elementary::ALL {
        let mut count = Count::default();
        f.build(&mut count, &[0.3, 0.4, 0.5, 0.6, 0.7][..f.arity()]);
        println!(
            "| {} | {} | {} | {} |",
            f.name(),
            count.common,
            count.divisions,
            count.rare
        );
    }
}
