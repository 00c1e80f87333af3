//! Builds the two libraries. An existing library needs one line instead: `println!("cargo::rustc-link-lib=gas")`.

fn main() {
    println!("cargo::rerun-if-changed=native");
    println!("cargo::rustc-check-cfg=cfg(libraries)");
    // The bits of results do not depend on the processor if nothing is contracted.
    let mut c = cc::Build::new();
    c.file("native/gas.c").std("c11").warnings_into_errors(true);
    let c = c.flag_if_supported("-ffp-contract=off");
    let mut cpp = cc::Build::new();
    cpp.file("native/curve.cpp")
        .cpp(true)
        .std("c++14")
        .warnings_into_errors(true);
    let cpp = cpp.flag_if_supported("-ffp-contract=off");
    // A workspace that is built with Rust alone has an example less.
    for compiler in [&*c, &*cpp] {
        if let Err(error) = compiler.try_get_compiler() {
            println!("cargo::warning=the libraries are left out: {error}");
            return;
        }
    }
    c.compile("gas");
    cpp.compile("curve");
    println!("cargo::rustc-cfg=libraries");
}
