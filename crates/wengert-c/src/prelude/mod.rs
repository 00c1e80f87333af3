//! What the text of a program stands on: the operations of the loop IR as small functions of C, written once, of which a
//! source holds those that it calls.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::dialect::Dialect;

/// Types, and what a compiler must not do.
pub(crate) const TYPES: &str = include_str!("types.c");

/// A function or a type.
struct Item {
    /// The name that it defines.
    name: String,
    text: String,
    /// The names in its text.
    words: Vec<String>,
}

/// The C type of an unsigned number as wide as each type, and how a number of that is made one of the type.
const INTEGERS: [(&str, &str, &str, &str); 5] = [
    ("i32", "u32", "32", "i32_of_bits"),
    ("i64", "u64", "64", "i64_of_bits"),
    ("u32", "u32", "32", "(u32)"),
    ("u64", "u64", "64", "(u64)"),
    ("u8", "u8", "8", "(u8)"),
];

static ITEMS: LazyLock<Vec<Item>> = LazyLock::new(|| items_of(&text_of_c()));

/// The items for devices: those of C, but for what devices have, and for what works in several kinds of memory.
static DEVICE_ITEMS: LazyLock<Vec<Item>> = LazyLock::new(|| {
    let own = items_of(&text_of_devices());
    let names: BTreeSet<String> = own.iter().map(|i| i.name.clone()).collect();
    let mut all = items_of(&text_of_c());
    all.retain(|i| !names.contains(&i.name));
    all.extend(own);
    all
});

fn text_of_c() -> String {
    let mut text = include_str!("items.c").to_string();
    let mut add = |part: &str, [t, u, w, to]: [&str; 4]| {
        let part = part.replace("$to", to).replace("$t", t);
        text += &part.replace("$u", u).replace("$w", w);
    };
    for (t, u, w, to) in INTEGERS {
        add(include_str!("integers.c"), [t, u, w, to]);
        let of_sign = match t.starts_with('i') {
            true => include_str!("signed.c"),
            false => include_str!("unsigned.c"),
        };
        add(of_sign, [t, u, w, to]);
    }
    for (t, w) in [("f64", "64"), ("f32", "32")] {
        add(include_str!("floats.c"), [t, "", w, ""]);
        add(&sums(t, "", ["const"; 2]), [""; 4]);
    }
    for t in ["f64", "f32", "i64", "i32", "u64", "u32", "u8"] {
        add(include_str!("keys.c"), [t, "", "", ""]);
    }
    text + &super::emit::kernels::random_block()
}

/// The kinds of memory that an operand may be in: its letter, and the qualifier of a pointer to it.
const KINDS: [(&str, &str); 3] = [
    ("g", "W_GLOBAL const"),
    ("p", "const"),
    ("k", "W_CONSTANT_MEMORY const"),
];

fn text_of_devices() -> String {
    let mut text = include_str!("device.c").to_string();
    for t in ["f64", "f32"] {
        for (a, x) in KINDS {
            for (b, y) in KINDS {
                text += &sums(t, &format!("_{a}{b}"), [x, y]);
            }
        }
        text += &include_str!("device_tiles.c").replace("$t", t);
    }
    for t in ["f64", "f32", "i64", "i32", "u64", "u32", "u8"] {
        text += &include_str!("device_keys.c").replace("$t", t);
    }
    text
}

/// Sums of products of floats, whose operands are in memory with these qualifiers.
fn sums(t: &str, suffix: &str, [x, y]: [&str; 2]) -> String {
    let text = include_str!("sums.c").replace("$t", t);
    let text = text.replace("$s", suffix);
    text.replace("$x", x).replace("$y", y)
}

fn items_of(text: &str) -> Vec<Item> {
    let items = text.split("//! ").skip(1);
    let items = items.map(|item| {
        let (name, text) = item.split_once('\n').expect("a name and a text");
        Item {
            name: name.to_string(),
            text: text.to_string(),
            words: words(text).map(String::from).collect(),
        }
    });
    items.collect()
}

/// The identifiers in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Whether the prelude defines a name.
pub(crate) fn defines(name: &str) -> bool {
    ITEMS.iter().any(|item| item.name == name)
        || words(TYPES).any(|w| w == name)
        || name == "list_memory"
}

/// Returns what a text names of the prelude, and what that names in turn, each behind what it uses.
pub(crate) fn of(text: &str, dialect: Dialect) -> String {
    let items: &[Item] = match dialect {
        Dialect::C => &ITEMS,
        _ => &DEVICE_ITEMS,
    };
    let mut wanted: BTreeSet<&str> = words(text).collect();
    if wanted.contains("list_memory") {
        wanted.insert("list_slot");
    }
    let mut out = Needed {
        items,
        taken: vec![false; items.len()],
        text: String::new(),
    };
    for (i, item) in items.iter().enumerate() {
        if wanted.contains(item.name.as_str()) {
            out.take(i);
        }
    }
    out.text
}

struct Needed<'a> {
    items: &'a [Item],
    taken: Vec<bool>,
    text: String,
}

impl Needed<'_> {
    fn take(&mut self, i: usize) {
        if std::mem::replace(&mut self.taken[i], true) {
            return;
        }
        let item = &self.items[i];
        for word in &item.words {
            let memory = word == "list_memory";
            let word = if memory { "list_slot" } else { word };
            if let Some(j) = self.items.iter().position(|other| other.name == word) {
                self.take(j);
            }
        }
        self.text += &item.text;
    }
}
