//! The functions to measure, and the points at which they are measured.

use super::Limit::{self, Relative, Scaled, Ulp};

/// A random number generator: an xorshift with a fixed seed, so that the points are the same in every run.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Returns random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a uniform number in `low..high`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.bits() >> 11) as f64 * 2f64.powi(-53))
    }

    /// Returns a finite float, with all exponents equally likely.
    pub fn any(&mut self) -> f64 {
        loop {
            let x = f64::from_bits(self.bits());
            if x.is_finite() {
                return x;
            }
        }
    }
}

/// A function to measure, or a part of its range.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The name of its row.
    pub name: &'static str,
    /// The part of the range, in words.
    pub part: &'static str,
    /// The limit of its error.
    pub limit: Limit,
    /// The number of arguments.
    pub arity: usize,
    /// Leading operands that are fixed.
    pub fixed: &'static [f64],
    /// The range of moderate arguments, from which some of the points are drawn.
    pub moderate: (f64, f64),
    /// Where it is defined and neither 0 nor infinite, within the part.
    pub domain: fn(&[f64]) -> bool,
}

/// A function of one argument on its whole range, within 2 ulp.
const ONE: Subject = Subject {
    name: "",
    part: "",
    limit: Ulp(2.0),
    arity: 1,
    fixed: &[],
    moderate: (-30.0, 30.0),
    domain: |_| true,
};

const fn one(name: &'static str, moderate: (f64, f64)) -> Subject {
    Subject {
        name,
        moderate,
        ..ONE
    }
}

const fn two(name: &'static str) -> Subject {
    Subject {
        name,
        arity: 2,
        ..ONE
    }
}

const fn two_within(name: &'static str, moderate: (f64, f64)) -> Subject {
    Subject {
        moderate,
        ..two(name)
    }
}

impl Subject {
    const fn on(self, domain: fn(&[f64]) -> bool) -> Subject {
        Subject { domain, ..self }
    }

    const fn part(self, part: &'static str) -> Subject {
        Subject { part, ..self }
    }

    const fn within(self, limit: Limit) -> Subject {
        Subject { limit, ..self }
    }

    const fn of_order(self, fixed: &'static [f64]) -> Subject {
        Subject { fixed, ..self }
    }

    /// Returns its name and its part.
    pub fn title(&self) -> String {
        let order = |n: &f64| format!("({n}, x)");
        let order: String = self.fixed.iter().map(order).collect();
        match self.part {
            "" => format!("{}{order}", self.name),
            part => format!("{}{order}, {part}", self.name),
        }
    }

    /// Draws an argument: of any magnitude, moderate, or near 1 in magnitude.
    fn argument(&self, random: &mut Random, kind: usize) -> f64 {
        let (low, high) = self.moderate;
        match kind % 4 {
            0 => random.any(),
            1 => random.within(low, high),
            2 => random.within((-2.0f64).max(low), 2.0f64.min(high)),
            _ => {
                let size = 2f64.powf(random.within(-12.0, 12.0));
                size * if random.bits() & 1 == 0 { 1.0 } else { -1.0 }
            }
        }
    }

    /// Returns the i-th point, which may lie outside the domain.
    pub fn point(&self, random: &mut Random, i: usize) -> Vec<f64> {
        if self.name == "pow" {
            // A base, and an exponent that leads to a result of moderate logarithm.
            let x = self.argument(random, i / 4).abs();
            let y = match i.is_multiple_of(4) {
                true => random.any(),
                false => random.within(-750.0, 720.0) / x.ln(),
            };
            return vec![x, if y.is_finite() { y } else { 1.0 }];
        }
        if !self.fixed.is_empty() {
            let x = self.argument(random, i);
            return self.fixed.iter().copied().chain([x]).collect();
        }
        (0..self.arity)
            .map(|k| self.argument(random, if k == 0 { i } else { i / 4 }))
            .collect()
    }
}

/// All functions that are measured.
pub const SUBJECTS: &[Subject] = &[
    one("exp", (-720.0, 720.0)),
    one("exp2", (-1080.0, 1030.0)),
    one("expm1", (-720.0, 720.0)),
    one("log", (0.0, 10.0)).on(|x| x[0] > 0.0),
    one("log1p", (-1.0, 10.0)).on(|x| x[0] > -1.0),
    one("log2", (0.0, 10.0)).on(|x| x[0] > 0.0),
    one("log10", (0.0, 10.0)).on(|x| x[0] > 0.0),
    two("logaddexp").within(Scaled(1e-15)),
    two("pow").on(|x| x[0] > 0.0 && x[0] != 1.0),
    one("sqrt", (0.0, 10.0)).on(|x| x[0] > 0.0),
    one("rsqrt", (0.0, 10.0)).on(|x| x[0] > 0.0),
    one("cbrt", (-30.0, 30.0)),
    two("hypot"),
    one("sin", (-1e5, 1e5)),
    one("cos", (-1e5, 1e5)),
    one("tan", (-1e5, 1e5)),
    one("asin", (-1.0, 1.0)).on(|x| x[0].abs() <= 1.0),
    one("acos", (-1.0, 1.0)).on(|x| x[0].abs() <= 1.0),
    one("atan", (-30.0, 30.0)),
    two("atan2").on(|x| x[0] != 0.0 && x[1] != 0.0),
    one("sinh", (-720.0, 720.0)),
    one("cosh", (-720.0, 720.0)),
    one("tanh", (-20.0, 20.0)),
    one("asinh", (-30.0, 30.0)),
    one("acosh", (1.0, 30.0)).on(|x| x[0] >= 1.0),
    one("atanh", (-1.0, 1.0)).on(|x| x[0].abs() < 1.0),
    one("sigmoid", (-750.0, 40.0)),
    one("sinc", (-100.0, 100.0)).within(Ulp(4.0)),
    one("erf", (-6.0, 6.0)),
    one("erfc", (-6.0, 28.0)),
    one("erf_inv", (-1.0, 1.0))
        .on(|x| x[0].abs() < 1.0)
        .within(Ulp(4.0)),
    one("normal_tail", (-0.5, 0.5)).on(|x| x[0] != 0.0 && x[0].abs() < 0.5),
    one("erfcx", (-27.0, 30.0))
        .on(|x| x[0] > -26.6 && x[0] < 1e307)
        .within(Ulp(5.0)),
    two_within("erfcx_ratio", (-30.0, 30.0))
        .of_order(&[0.0])
        .on(|x| x[1] > -26.0 && x[1] < 1e307)
        .within(Relative(1e-13)),
    two_within("erfcx_ratio", (-30.0, 30.0))
        .of_order(&[3.0])
        .on(|x| x[1] > -26.0 && x[1] < 1e307)
        .within(Relative(1e-13)),
    one("erfc_hazard", (-27.0, 30.0))
        .on(|x| x[0] > -26.6 && x[0] < 1e307)
        .within(Ulp(4.0)),
    one("log_erfc", (-6.0, 28.0))
        .on(|x| x[0] < 1e150)
        .within(Ulp(4.0)),
    one("ndtr", (-38.0, 8.0))
        .on(|x| x[0] > -38.4)
        .within(Ulp(4.0)),
    one("log_ndtr", (-38.0, 38.0))
        .on(|x| x[0] > -1e150 && x[0] < 37.0)
        .within(Ulp(4.0)),
    one("normal_hazard", (-38.0, 37.0))
        .on(|x| x[0] > -1e4 && x[0] < 37.0)
        .within(Relative(1e-13)),
    one("exprel", (-700.0, 716.0)).within(Ulp(4.0)),
    two_within("exprel_moment", (-100.0, 100.0))
        .of_order(&[1.0])
        .on(|x| x[1] > -1e60 && x[1] < 700.0)
        .within(Relative(1e-13)),
    two_within("exprel_moment", (-100.0, 100.0))
        .of_order(&[4.0])
        .on(|x| x[1] > -1e60 && x[1] < 700.0)
        .within(Relative(1e-13)),
    one("log1p_over_x", (-1.0, 10.0)).on(|x| x[0] > -1.0),
    two_within("log1p_moment", (-1.0, 10.0))
        .of_order(&[1.0])
        .on(|x| x[1] > -1.0 && x[1] < 1e100)
        .within(Relative(1e-13)),
    two_within("log1p_moment", (-1.0, 10.0))
        .of_order(&[3.0])
        .on(|x| x[1] > -1.0 && x[1] < 1e60)
        .within(Relative(1e-13)),
    one("log1mexp", (0.0, 40.0))
        .on(|x| x[0] > 0.0 && x[0] < 70.0)
        .within(Ulp(4.0)),
    one("log_expm1", (0.0, 40.0))
        .on(|x| x[0] > 0.0)
        .within(Scaled(1e-15)),
    one("recip_expm1", (-40.0, 40.0))
        .on(|x| x[0].abs() > 1e-307 && x[0] > -1e3 && x[0] < 708.0)
        .within(Ulp(3.0)),
    one("exponent", (-30.0, 30.0)),
    two("ldexp").on(|x| x[1].abs() < 2000.0),
    one("lgamma", (0.0, 10.0))
        .on(|x| x[0] > 0.0)
        .part("x > 0")
        .within(Ulp(6.0)),
    one("lgamma", (-170.0, 0.0))
        .on(|x| x[0] < 0.0 && x[0].fract() != 0.0)
        .part("x < 0")
        .within(Scaled(1e-13)),
    one("digamma", (0.0, 10.0))
        .on(|x| x[0] > 0.0)
        .part("x > 0")
        .within(Ulp(6.0)),
    one("digamma", (-170.0, 0.0))
        .on(|x| x[0] < 0.0 && x[0].fract() != 0.0)
        .part("x < 0")
        .within(Scaled(1e-13)),
    one("trigamma", (-20.0, 20.0))
        .on(|x| x[0] > -100.0 && (x[0] > 0.0 || x[0].fract() != 0.0))
        .within(Ulp(8.0)),
    one("polygamma", (0.0, 20.0))
        .of_order(&[2.0])
        .on(|x| x[1] > 0.0)
        .part("x > 0")
        .within(Ulp(40.0)),
    one("polygamma", (0.0, 20.0))
        .of_order(&[9.0])
        .on(|x| x[1] > 0.0)
        .part("x > 0")
        .within(Ulp(40.0)),
    one("polygamma", (-20.0, 0.0))
        .of_order(&[3.0])
        .on(|x| x[1] > -100.0 && x[1] < 0.0 && x[1].fract() != 0.0)
        .part("x < 0")
        .within(Scaled(1e-13)),
    one("i0e", (-40.0, 40.0)).within(Ulp(6.0)),
    one("i1e", (-40.0, 40.0)).within(Ulp(6.0)),
    one("i0", (-715.0, 715.0))
        .on(|x| x[0].abs() < 720.0)
        .within(Ulp(8.0)),
    one("i1", (-715.0, 715.0))
        .on(|x| x[0].abs() < 720.0)
        .within(Ulp(8.0)),
    one("bessel_ratio", (-40.0, 40.0))
        .of_order(&[3.0])
        .on(|x| x[1].abs() < 720.0)
        .within(Relative(1e-13)),
    one("gauss", (-28.0, 28.0)),
];

/// The operations of one argument that are exact up to rounding.
pub const EXACT: &[Subject] = &[
    one("neg", (-30.0, 30.0)),
    one("abs", (-30.0, 30.0)),
    one("sign", (-30.0, 30.0)),
    one("square", (-30.0, 30.0)),
    one("reciprocal", (-30.0, 30.0)),
    one("floor", (-30.0, 30.0)),
    one("ceil", (-30.0, 30.0)),
    one("round", (-30.0, 30.0)),
    one("trunc", (-30.0, 30.0)),
];

/// A comparison with a table, whose first columns are the arguments.
#[derive(Clone, Copy, Debug)]
pub struct Tabled {
    /// The function, the part of it, and its limit.
    pub subject: Subject,
    /// The table.
    pub table: &'static str,
    /// The column of the values.
    pub column: usize,
    /// The operand to differentiate by, if the values are derivatives.
    pub by: Option<usize>,
}

const GAMMAINC: &str = include_str!("../../tables/gammainc.tsv");
const BETAINC: &str = include_str!("../../tables/betainc.tsv");
const BETALN: &str = include_str!("../../tables/betaln.tsv");

const fn tabled(name: &'static str, arity: usize, table: &'static str, column: usize) -> Tabled {
    let subject = Subject {
        name,
        arity,
        limit: Relative(1e-11),
        ..ONE
    };
    Tabled {
        subject,
        table,
        column,
        by: None,
    }
}

impl Tabled {
    const fn by(self, operand: usize, part: &'static str) -> Tabled {
        // The difference of two values of digamma loses a digit or two.
        let subject = self.subject.part(part).within(Relative(1e-10));
        let by = Some(operand);
        Tabled {
            subject,
            by,
            ..self
        }
    }
}

/// The comparisons with tables, which `tools/references.py` generates.
pub const TABLED: &[Tabled] = &[
    tabled("gammainc", 2, GAMMAINC, 2),
    tabled("gammaincc", 2, GAMMAINC, 3),
    tabled("gammainc", 2, GAMMAINC, 4).by(0, "derivative by a"),
    tabled("betainc", 3, BETAINC, 3),
    tabled("betainc", 3, BETAINC, 4).by(0, "derivative by a"),
    tabled("betainc", 3, BETAINC, 5).by(1, "derivative by b"),
    Tabled {
        subject: two("betaln").within(Scaled(1e-13)),
        table: BETALN,
        column: 2,
        by: None,
    },
];
