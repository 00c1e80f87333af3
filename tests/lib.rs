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
    wengert_check: "../crates/wengert-check/README.md";
    wengert_derive: "../crates/wengert-derive/README.md";
    getting_started: "../docs/src/getting-started.md";
    from_jax: "../docs/src/from-jax.md";
    mental_model: "../docs/src/mental-model.md";
    trees: "../docs/src/trees.md";
    running: "../docs/src/running.md";
    control_flow: "../docs/src/control-flow.md";
    derivatives: "../docs/src/derivatives.md";
    without_exceptions: "../docs/src/without-exceptions.md";
    batches: "../docs/src/batches.md";
    random: "../docs/src/random.md";
    indexing: "../docs/src/indexing.md";
    element_types: "../docs/src/element-types.md";
    errors: "../docs/src/errors.md";
    looking_inside: "../docs/src/looking-inside.md";
    adding_an_operation: "../docs/src/adding-an-operation.md";
}
