//! The memory of lists.
//!
//! A list under construction has five words in the frame ([`Slot`](wengert_run::call::lists::Slot)). Its memory begins
//! with the number of its rows, one for each lane if it is built in lanes; then come the *signposts* of the fields that
//! have handles, and then the rows. A handle is the address of a signpost, plus the number of the lane. A signpost
//! describes the layout of its field's rows, so that code that does not know the list can follow a handle.

use wengert_loop::loops::{LANES, List, Program, Stmt, walk};
use wengert_run::call::lists::{COUNTS, Signpost};

/// Where the elements of a list lie in its memory.
pub(crate) struct ListLayout {
    /// The offsets of the fields in a row.
    fields: Vec<i64>,
    /// The bytes from one element of each field to the next.
    pitches: Vec<i64>,
    /// The bytes of a row.
    pub size: i64,
    /// The bytes before the rows.
    pub head: i64,
    /// The fields that have signposts, in order.
    posts: Vec<u32>,
    /// Whether each element has a copy for each lane.
    pub lanes: bool,
}

/// The memory of the lists of a program, by their number.
pub(crate) fn layouts(program: &Program) -> Vec<ListLayout> {
    let mut posts = vec![vec![]; program.lists.len()];
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::ListHandle { of, .. } = s {
            let posts: &mut Vec<u32> = &mut posts[of.list.0 as usize];
            if !posts.contains(&of.field) {
                posts.push(of.field);
            }
        }
    });
    let layouts = program.lists.iter().zip(posts);
    layouts
        .map(|(list, posts)| ListLayout::of(list, posts))
        .collect()
}

impl ListLayout {
    fn of(list: &List, posts: Vec<u32>) -> ListLayout {
        let copies = if list.lanes { LANES } else { 1 };
        let next = |at: i64, align: i64| (at + align - 1) / align * align;
        let mut at = 0i64;
        let mut fields = vec![];
        let mut pitches = vec![];
        for (d, n) in &list.fields {
            // The copies of an element are a whole row of a register.
            let align = if list.lanes {
                (LANES * d.bytes()).max(16)
            } else {
                8
            };
            at = next(at, align as i64);
            fields.push(at);
            at += (n * copies * d.bytes()) as i64;
            pitches.push((copies * d.bytes()) as i64);
        }
        let align = if list.lanes { 64 } else { 8 };
        let signposts = (posts.len() * size_of::<Signpost>()) as i64;
        ListLayout {
            fields,
            pitches,
            size: next(at, align).max(align),
            head: next(COUNTS + signposts, 64),
            posts,
            lanes: list.lanes,
        }
    }

    /// The offset of a field of the first row in the list's memory.
    pub fn first(&self, field: u32) -> i64 {
        self.head + self.fields[field as usize]
    }

    /// The bytes from one element of a field to the next.
    pub fn pitch(&self, field: u32) -> i64 {
        self.pitches[field as usize]
    }

    /// The offset of a field's signpost.
    pub fn post(&self, field: u32) -> i64 {
        let number = self.posts.iter().position(|&f| f == field);
        let number = number.expect("a handle that the program wants") as i64;
        COUNTS + number * size_of::<Signpost>() as i64
    }
}
