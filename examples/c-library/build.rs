//! Builds the two libraries. An existing library needs one line instead: `println!("cargo:rustc-link-lib=gas")`.

fn main() {
    println!("cargo:rerun-if-changed=native");
    // The bits of results then do not depend on the processor.
    let mut c = cc::Build::new();
    c.file("native/gas.c").std("c11").warnings_into_errors(true);
    c.flag_if_supported("-ffp-contract=off").compile("gas");
    let mut cpp = cc::Build::new();
    cpp.file("native/curve.cpp")
        .cpp(true)
        .std("c++14")
        .warnings_into_errors(true);
    cpp.flag_if_supported("-ffp-contract=off").compile("curve");
}
