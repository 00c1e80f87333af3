//! The files for `perf`.

use wengert_loop::source::{Place, SourceId};
use wengert_run::lines::{CallSite, LineSpan, LineTable, Native, covering};
use wengert_run::perf::{dump_of, header, map_of};

fn source(line: u32) -> SourceId {
    SourceId::at(Place {
        file: "model.rs".into(),
        line,
        column: 5,
        parent: None,
    })
}

fn native() -> Native {
    let span = |start, end, line: u32| LineSpan {
        start,
        end,
        source: Some(source(line)),
    };
    Native {
        name: "call\nof a name".into(),
        address: 0x7000,
        len: 100,
        pure: false,
        lines: covering([span(4, 10, 1), span(10, 60, 2), span(60, 70, 2)], 100),
        calls: vec![CallSite {
            back: 20,
            depth: 16,
            callee: None,
        }],
        depths: vec![16],
    }
}

#[test]
fn a_table_finds_places_and_calls() {
    let f = native();
    let lines: Vec<(u32, u32, bool)> = f
        .lines
        .iter()
        .map(|l| (l.start, l.end, l.source.is_some()))
        .collect();
    assert_eq!(
        lines,
        [
            (0, 4, false),
            (4, 10, true),
            (10, 70, true),
            (70, 100, false)
        ]
    );
    let table = LineTable { functions: vec![f] };
    assert_eq!(table.source(0x7000 + 4), Some(source(1)));
    assert_eq!(table.source(0x7000 + 69), Some(source(2)));
    assert_eq!(table.source(0x7000 + 70), None);
    assert_eq!(table.source(0x7000 + 100), None);
    assert_eq!(table.source(0x6fff), None);
    assert_eq!(table.function(0x7063), Some(0));
    assert!(table.functions[0].call(0x7000 + 20).is_some());
    assert!(table.functions[0].call(0x7000 + 21).is_none());
}

#[test]
fn a_perf_map_has_a_line_for_each_function_or_place() {
    let table = LineTable {
        functions: vec![native()],
    };
    assert_eq!(
        map_of(&table, false),
        "7000 64 wengert: call of a name @ model.rs:1:5\n"
    );
    assert_eq!(
        map_of(&table, true),
        "7000 4 wengert: call of a name\n7004 6 wengert: model.rs:1\n700a 3c wengert: model.rs:2\n\
         7046 1e wengert: call of a name\n"
    );
}

/// Reads a jitdump, as the specification of the kernel describes it.
struct Dump<'b>(&'b [u8]);

impl<'b> Dump<'b> {
    fn take(&mut self, n: usize) -> &'b [u8] {
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        head
    }
    fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.take(4).try_into().unwrap())
    }
    fn u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.take(8).try_into().unwrap())
    }
    fn text(&mut self) -> &'b str {
        let end = self.0.iter().position(|&b| b == 0).unwrap();
        let text = std::str::from_utf8(self.take(end)).unwrap();
        self.take(1);
        text
    }
}

#[test]
fn a_jitdump_has_the_code_and_its_lines() {
    let code: Vec<u8> = (0..100).collect();
    let mut bytes = header(42, 7);
    bytes.extend(dump_of(&native(), &code, 3, 9));
    let mut dump = Dump(&bytes);
    assert_eq!(dump.u32(), 0x4A69_5444);
    assert_eq!((dump.u32(), dump.u32()), (1, 40));
    let (machine, padding, process) = (dump.u32(), dump.u32(), dump.u32());
    assert!(machine == 62 || machine == 183);
    assert_eq!((padding, process), (0, 42));
    assert_eq!((dump.u64(), dump.u64()), (7, 0));

    // The lines come before the code.
    let left = dump.0.len();
    let (id, size, time) = (dump.u32(), dump.u32(), dump.u64());
    assert_eq!((id, time), (2, 9));
    assert_eq!((dump.u64(), dump.u64()), (0x7000, 2));
    for (address, line) in [(0x7004, 1), (0x700a, 2)] {
        assert_eq!(dump.u64(), address);
        assert_eq!((dump.u32(), dump.u32()), (line, 0));
        assert_eq!(dump.text(), "model.rs");
    }
    assert_eq!(left - dump.0.len(), size as usize);

    let left = dump.0.len();
    let (id, size, _) = (dump.u32(), dump.u32(), dump.u64());
    assert_eq!(id, 0);
    let (process, thread) = (dump.u32(), dump.u32());
    assert_eq!(process, std::process::id());
    assert!(thread > 0);
    assert_eq!(
        (dump.u64(), dump.u64(), dump.u64(), dump.u64()),
        (0x7000, 0x7000, 100, 3)
    );
    assert_eq!(dump.text(), "wengert: call of a name @ model.rs:1:5");
    assert_eq!(dump.take(100), code);
    assert_eq!(left - dump.0.len(), size as usize);
    assert!(dump.0.is_empty());
}
