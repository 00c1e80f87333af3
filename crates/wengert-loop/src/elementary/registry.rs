//! The functions as data: to list them, to name them, to build or evaluate one. A new function is its
//! definition and one row here.

use super::{Double, Plain, PlainSingle, Single};

/// Generates everything that lists the functions from the rows below: a function has the name of its
/// definition, and as many arguments. `wide` says that the runtime has code for it in wide vectors; these are
/// functions without loops outside the rare paths. `+ single` says that it is defined in `f32` arithmetic, too, by
/// a function of the same name in `single`; the others are computed in `f64` and rounded.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $which:ident: $module:ident::$function:ident($($x:ident),+) $($wide:ident)? $(+ $single:ident)?;
    )*) => {
        $( pub use super::$module::$function; )*

        /// An elementary or special function of floats.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Elementary {
            $( $(#[$doc])* $which, )*
        }

        impl Elementary {
            /// All functions, each at its own number: `ALL[f as usize] == f`.
            pub const ALL: &[Self] = &[$( Self::$which ),*];

            /// Returns the number of arguments.
            pub fn arity(&self) -> usize {
                match self {
                    $( Self::$which => [$( stringify!($x) ),+].len(), )*
                }
            }

            /// Returns the name, in lower case.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$which => stringify!($function), )*
                }
            }

            /// Builds the function of these arguments, in `f64` arithmetic.
            ///
            /// # Panics
            /// If the number of arguments is not [`Self::arity`].
            pub fn build<A: Double>(&self, a: &mut A, args: &[A::F]) -> A::F {
                match (self, args) {
                    $( (Self::$which, &[$( $x ),+]) => super::$function(a, $( $x ),+), )*
                    _ => panic!(
                        "{} takes {} arguments, not {}",
                        self.name(),
                        self.arity(),
                        args.len()
                    ),
                }
            }

            /// Builds the function of these arguments in `f32` arithmetic, if it is defined there.
            ///
            /// # Panics
            /// If the number of arguments is not [`Self::arity`].
            pub fn build_single<A: Single>(&self, a: &mut A, args: &[A::F]) -> Option<A::F> {
                match (self, args) {
                    $( (Self::$which, &[$( $x ),+]) => if_there!(
                        $($single)? { Some(super::single::$module::$function(a, $( $x ),+)) } else {{
                            let _ = ($( $x ),+);
                            None
                        }}
                    ), )*
                    _ => panic!(
                        "{} takes {} arguments, not {}",
                        self.name(),
                        self.arity(),
                        args.len()
                    ),
                }
            }

            /// Returns whether the function is defined in `f32` arithmetic. The others are computed in `f64`, and the
            /// result is rounded.
            pub fn is_single(&self) -> bool {
                match self {
                    $( Self::$which => if_there!($($single)? { true } else { false }), )*
                }
            }

            /// Returns what `E` makes for this function, if the runtime has it in wide vectors.
            pub fn wide<E: Each>(self) -> Option<E::Made> {
                match self {
                    $( Self::$which => if_there!(
                        $($wide)? { Some(E::make::<{ Self::$which as usize }>()) } else { None }
                    ), )*
                }
            }

            /// Returns what `E` makes for this function in `f32` arithmetic, if it is defined there.
            pub fn wide_single<E: Each>(self) -> Option<E::Made> {
                match self {
                    $( Self::$which => if_there!(
                        $($single)? { Some(E::make::<{ Self::$which as usize }>()) } else { None }
                    ), )*
                }
            }
        }

        /// Computes function number `F`, which must be wide, in any `f64` arithmetic; `next` returns its arguments in
        /// order. Everything is inlined where the arithmetic is known.
        #[inline(always)]
        pub fn compute<const F: usize, A: Double>(a: &mut A, mut next: impl FnMut() -> A::F) -> A::F {
            match const { Elementary::ALL[F] } {
                $( Elementary::$which => if_there!(
                    $($wide)? {{
                        $( let $x = next(); )+
                        super::$function(a, $( $x ),+)
                    }} else { unreachable!("{} is not wide", stringify!($function)) }
                ), )*
            }
        }

        /// Computes function number `F`, which must be defined in `f32` arithmetic, as [`compute`] does.
        #[inline(always)]
        pub fn compute_single<const F: usize, A: Single>(
            a: &mut A,
            mut next: impl FnMut() -> A::F,
        ) -> A::F {
            match const { Elementary::ALL[F] } {
                $( Elementary::$which => if_there!(
                    $($single)? {{
                        $( let $x = next(); )+
                        super::single::$module::$function(a, $( $x ),+)
                    }} else { unreachable!("{} is not defined in f32", stringify!($function)) }
                ), )*
            }
        }
    };
}

/// Expands to the first expression for a row with a word, and to the second otherwise.
macro_rules! if_there {
    ($word:ident { $yes:expr } else { $no:expr }) => {
        $yes
    };
    ({ $yes:expr } else { $no:expr }) => {
        $no
    };
}

/// Something made for each function separately, identified by its number: see [`compute`].
pub trait Each {
    /// The type that is made.
    type Made;
    /// Makes it for function number `F`.
    fn make<const F: usize>() -> Self::Made;
}

functions! {
    /// `e^x`
    Exp: exp::exp(x) wide + single;
    /// `2^x`
    Exp2: exp::exp2(x) wide + single;
    /// `e^x - 1`
    Expm1: exp::expm1(x) wide + single;
    /// `1 / (1 + e^-x)`
    Sigmoid: exp::sigmoid(x) wide + single;
    /// The derivative of `Sigmoid` at a point, given its value there.
    SigmoidSlope: exp::sigmoid_slope(x, y) wide + single;
    /// The natural logarithm.
    Log: log::log(x) wide + single;
    /// `log(1 + x)`
    Log1p: log::log1p(x) wide + single;
    /// The logarithm to base 2.
    Log2: log::log2(x) wide + single;
    /// The logarithm to base 10.
    Log10: log::log10(x) wide + single;
    /// The sine.
    Sin: trig::sin(x) wide + single;
    /// The cosine.
    Cos: trig::cos(x) wide + single;
    /// The tangent.
    Tan: trig::tan(x) wide + single;
    /// The inverse sine.
    Asin: inverse_trig::asin(x) wide + single;
    /// The inverse cosine.
    Acos: inverse_trig::acos(x) wide + single;
    /// The inverse tangent.
    Atan: inverse_trig::atan(x) wide + single;
    /// `atan2(y, x)`
    Atan2: inverse_trig::atan2(y, x) wide + single;
    /// The hyperbolic sine.
    Sinh: hyperbolic::sinh(x) wide + single;
    /// The hyperbolic cosine.
    Cosh: hyperbolic::cosh(x) wide + single;
    /// The hyperbolic tangent.
    Tanh: hyperbolic::tanh(x) wide + single;
    /// The derivative of `Tanh` at a point, given its value there.
    TanhSlope: hyperbolic::tanh_slope(x, y) wide + single;
    /// The inverse hyperbolic sine.
    Asinh: inverse_hyperbolic::asinh(x) wide + single;
    /// The inverse hyperbolic cosine.
    Acosh: inverse_hyperbolic::acosh(x) wide + single;
    /// The inverse hyperbolic tangent.
    Atanh: inverse_hyperbolic::atanh(x) wide + single;
    /// `pow(x, y)`
    Pow: pow::pow(x, y) wide + single;
    /// The cube root.
    Cbrt: cbrt::cbrt(x) wide + single;
    /// The error function.
    Erf: erf::erf(x) wide + single;
    /// The complementary error function.
    Erfc: erf::erfc(x) wide + single;
    /// The inverse of the error function.
    ErfInv: erf_inv::erf_inv(x) wide;
    /// The logarithm of the size of the gamma function.
    Lgamma: gamma::lgamma(x);
    /// The derivative of `Lgamma`.
    Digamma: gamma::digamma(x);
    /// The derivative of `Digamma`.
    Trigamma: gamma::trigamma(x);
    /// `polygamma(n, x)`, the n-th derivative of `Digamma`.
    Polygamma: polygamma::polygamma(n, x);
    /// The absolute difference between two values of `polygamma` of one order, at a point and at a distance
    /// from it.
    PolygammaGap: polygamma_gap::polygamma_gap(n, x, b);
    /// `sqrt(x^2 + y^2)`
    Hypot: hypot::hypot(x, y) + single;
    /// The modified Bessel function of order 0, times `e^-|x|`.
    I0e: bessel::i0e(x);
    /// The modified Bessel function of order 1, times `e^-|x|`.
    I1e: bessel::i1e(x);
    /// The modified Bessel function of an order, over `x^n`.
    BesselRatio: bessel::bessel_ratio(n, x);
    /// The absolute value of a derivative of `I0e` of an order.
    BesselMoment: bessel::bessel_moment(k, x);
    /// The regularised lower incomplete gamma function of a shape and a point.
    Gammainc: incomplete_gamma::gammainc(s, x);
    /// The regularised upper incomplete gamma function of a shape and a point.
    Gammaincc: incomplete_gamma::gammaincc(s, x);
    /// The density of the gamma distribution of a shape at a point.
    GammaDensity: incomplete_gamma::gamma_density(s, x);
    /// An integral under the incomplete gamma functions, of an order, a shape and a point.
    GammaMoment: incomplete_gamma::gamma_moment(k, s, x);
    /// The logarithm of the beta function.
    Betaln: incomplete_beta::betaln(x, y);
    /// The regularised incomplete beta function of two shapes and a point.
    Betainc: incomplete_beta::betainc(p, q, x);
    /// The density of the beta distribution of two shapes at a point.
    BetaDensity: incomplete_beta::beta_density(p, q, x);
    /// An integral under the incomplete beta function, of two orders, two shapes and odds.
    BetaMoment: incomplete_beta::beta_moment(i, j, p, q, r);
    /// The number that a normal number exceeds with a given probability.
    NormalTail: normal::normal_tail(q) wide;
    /// `e^(x^2) erfc x`
    Erfcx: erfcx::erfcx(x) wide;
    /// The ratio of two derivatives of `Erfcx` of consecutive orders.
    ErfcxRatio: erfcx::erfcx_ratio(n, x);
    /// `log(erfc x)`
    LogErfc: erfcx::log_erfc(x) wide;
    /// The distribution function of the standard normal distribution.
    Ndtr: erfcx::ndtr(x) wide;
    /// `log(ndtr x)`
    LogNdtr: erfcx::log_ndtr(x) wide;
    /// `(e^x - 1) / x`
    Exprel: moments::exprel(x);
    /// The derivative of `Exprel` of an order.
    ExprelMoment: moments::exprel_moment(n, x);
    /// `log(1 + x) / x`
    Log1pOverX: moments::log1p_over_x(x);
    /// An integral, which is the derivative of `Log1pOverX` of an order up to a factor.
    Log1pMoment: moments::log1p_moment(n, x);
    /// `log(1 - e^-x)`
    Log1mexp: moments::log1mexp(x);
    /// `log(e^x - 1)`
    LogExpm1: moments::log_expm1(x);
    /// `1 / (e^x - 1)`
    RecipExpm1: moments::recip_expm1(x);
    /// `2^n x`
    Ldexp: exponent::ldexp(x, n);
    /// The exponent of a float whose mantissa is below 1.
    Exponent: exponent::exponent(x);
}

/// Evaluates a function on plain floats.
#[inline]
pub fn eval(f: Elementary, args: &[f64]) -> f64 {
    f.build(&mut Plain, args)
}

/// Evaluates a function on plain `f32`s: in their arithmetic if it is defined there, else in that of `f64`, with the
/// result rounded.
#[inline]
pub fn eval_single(f: Elementary, args: &[f32]) -> f32 {
    f.build_single(&mut PlainSingle, args).unwrap_or_else(|| {
        let wide: smallvec::SmallVec<[f64; 5]> = args.iter().map(|&x| f64::from(x)).collect();
        eval(f, &wide) as f32
    })
}
