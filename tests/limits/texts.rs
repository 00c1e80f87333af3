//! What is too large or out of range in programs as texts.

use wengert::Func;

#[test]
fn a_truth_value_is_zero_or_one() {
    let text = |bits: &str| {
        format!(
            "wengert 1\nfn(a: bool) {{\n b: f64 = convert{{to=f64}}({bits}:bool)\n return b\n}}"
        )
    };
    assert!(Func::parse(&text("0x1")).is_ok());
    for bits in ["0x2", "0xff", "0x100"] {
        assert!(Func::parse(&text(bits)).is_err(), "{bits}");
    }
}

#[test]
fn types_of_more_elements_than_addresses() {
    let text = |ty: &str| format!("wengert 1\nfn(a: {ty}) {{\n return a\n}}");
    assert!(Func::parse(&text("f64[4611686018427387904,0]")).is_err());
    for ty in [
        "f64[4611686018427387904,4,0]",
        "f64[4294967296,4294967296]",
        "u8[9223372036854775808]",
    ] {
        let error = Func::parse(&text(ty)).unwrap_err().to_string();
        assert!(error.contains("is larger than memory can be"), "{error}");
    }
}

/// What a place list takes grows with its length.
#[test]
fn a_list_of_many_places() {
    let places: Vec<String> = (0..50_000).map(|i| format!("x{i}:1:1")).collect();
    let text = format!(
        "wengert 1\nfn(a: f64) {{\n b: f64 = sin(a) @ {}\n return b\n}}",
        places.join(" and ")
    );
    let start = std::time::Instant::now();
    let read = Func::parse(&text).unwrap();
    assert!(read.to_string().contains("x0:1:1 and x1:1:1"), "{read}");
    assert!(start.elapsed().as_secs() < 20);
}
