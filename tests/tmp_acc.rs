use wengert_check::accuracy::{HEADS, SUBJECTS, Width, measure, sweep_f32};
const NEW: &[&str] = &[
    "erfcx",
    "erfcx_ratio",
    "erfc_hazard",
    "log_erfc",
    "ndtr",
    "log_ndtr",
    "normal_hazard",
    "exprel",
    "exprel_moment",
    "log1p_over_x",
    "log1p_moment",
    "log1mexp",
    "log_expm1",
    "recip_expm1",
    "exponent",
    "ldexp",
];
#[test]
fn acc() {
    println!("{HEADS}");
    for s in SUBJECTS.iter().filter(|s| NEW.contains(&s.name)) {
        for w in [Width::F64, Width::F32] {
            let f = measure(s, w, 20_000);
            println!("{}{f}", if f.holds() { "" } else { "BAD " });
        }
    }
}
#[test]
fn sweep() {
    for s in SUBJECTS
        .iter()
        .filter(|s| s.arity == 1 && NEW.contains(&s.name))
    {
        let f = sweep_f32(s, 4099).unwrap();
        println!("{}{f}", if f.holds() { "" } else { "BAD " });
    }
}
#[path = "../crates/wengert/tests/debug.rs"]
mod debug;
#[path = "../crates/wengert-ir/tests/rows.rs"]
mod rows;
#[path = "../crates/wengert-ir/tests/special.rs"]
mod special;
