//! The examples of the book and of the pages that present the crates: their code is run as documentation is.
#![cfg(doctest)]

macro_rules! chapters {
    ($($name:ident: $file:literal;)*) => {$(
        #[doc = include_str!($file)]
        mod $name {}
    )*};
}
chapters! {
    readme: "../README.md";
    wengert: "../crates/wengert/README.md";
    wengert_c: "../crates/wengert-c/README.md";
    wengert_check: "../crates/wengert-check/README.md";
    wengert_derive: "../crates/wengert-derive/README.md";
    ten_minutes: "../docs/src/ten-minutes.md";
    wengert_interop: "../crates/wengert-interop/README.md";
    getting_started: "../docs/src/getting-started.md";
    from_jax: "../docs/src/from-jax.md";
    from_numpy: "../docs/src/from-numpy.md";
    from_numba: "../docs/src/from-numba.md";
    from_cupy: "../docs/src/from-cupy.md";
    from_julia: "../docs/src/from-julia.md";
    from_matlab: "../docs/src/from-matlab.md";
    strategy: "../docs/src/strategy.md";
    cookbook: "../docs/src/cookbook.md";
    performance: "../docs/src/performance.md";
    mental_model: "../docs/src/mental-model.md";
    trees: "../docs/src/trees.md";
    running: "../docs/src/running.md";
    data: "../docs/src/data.md";
    control_flow: "../docs/src/control-flow.md";
    derivatives: "../docs/src/derivatives.md";
    without_exceptions: "../docs/src/without-exceptions.md";
    batches: "../docs/src/batches.md";
    linear_algebra: "../docs/src/linear-algebra.md";
    training: "../docs/src/training.md";
    quadrature: "../docs/src/quadrature.md";
    differential_equations: "../docs/src/differential-equations.md";
    interpolation: "../docs/src/interpolation.md";
    stiff: "../docs/src/stiff.md";
    partial: "../docs/src/partial.md";
    dynamics: "../docs/src/dynamics.md";
    stochastic: "../docs/src/stochastic.md";
    delays: "../docs/src/delays.md";
    fits: "../docs/src/fits.md";
    minima: "../docs/src/minima.md";
    roots: "../docs/src/roots.md";
    sweeps: "../docs/src/sweeps.md";
    wengert_sweep: "../crates/wengert-sweep/README.md";
    random: "../docs/src/random.md";
    complex: "../docs/src/complex.md";
    fourier: "../docs/src/fourier.md";
    convolution: "../docs/src/convolution.md";
    indexing: "../docs/src/indexing.md";
    element_types: "../docs/src/element-types.md";
    errors: "../docs/src/errors.md";
    looking_inside: "../docs/src/looking-inside.md";
    profile: "../docs/src/profile.md";
    devices: "../docs/src/devices.md";
    export: "../docs/src/export.md";
    languages: "../docs/src/languages.md";
    c_libraries: "../docs/src/c-libraries.md";
    adding_an_operation: "../docs/src/adding-an-operation.md";
}

/// What does not compile, according to the table in `from-jax.md`.
macro_rules! refused {
    ($($name:ident: $code:literal;)*) => {$(
        #[doc = concat!("```compile_fail\nuse wengert::prelude::*;\n", $code, "\nfn main() {}\n```")]
        mod $name {}
    )*};
}
refused! {
    a_branch: "fn f(x: Var, a: Var, b: Var) -> Var { if x > 0.0 { a } else { b } }";
    a_loop: "fn f(n: Var) { for i in 0..n { let _ = i; } }";
    no_type: "fn f() { let _ = jit(|x| x * x); }";
    two_arguments: "fn f() { let _ = jit(|x: Var, y: Var| x * y); }";
    called_as_a_function: "fn f() { let f = jit(|x: Var| x * x); let _ = f(2.0); }";
    called_on_a_var: "fn f(x: Var) { let f = jit(|x: Var| x * x); let _ = f.call(x); }";
    borrowed: "fn f() { let data = Array::from([1.0]); let _ = jit(|x: Var| x + &data); }";
    a_usize: "fn f(n: usize, x: Var) -> Var { n - x }";
    stacked: "fn f(x: Var) -> Var { stack([x, 0.0]) }";
    indexed: "fn f(x: Var) -> Var { x[0] }";
    set: "fn f(x: Var, v: Var) -> Var { x.at[0].set(v) }";
    two_indices: "fn f(x: Var) -> Var { x.at(0, 1) }";
    along_an_axis: "fn f(x: Var) -> Var { x.sum(0) }";
    the_largest: "fn f(x: Var) -> Var { x.max() }";
    scanned: "fn f(init: Var, xs: Var) { let _ = scan(|c: Var, x: Var| (c + x, c), init, xs); }";
    a_key: "fn f(key: Key) -> Var { key.normal(3) + key.normal(3) }";
    a_number: "fn f() -> wengert::Result<f64> { let y: f64 = jit(|x: Var| x).call(2.0)?; Ok(y) }";
    printed: "fn f(x: Var) { println!(\"{x}\"); }";
}
