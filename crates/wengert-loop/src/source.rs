//! Positions in the user's program.
//!
//! A [`SourceId`] names a small set of places, each with the call around it (a `scan`, `vmap` or solver) as
//! parent. Equal places share an id, and ids are never freed, so that they can be copied freely and outlive the
//! trace they came from.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::{LazyLock, RwLock};

/// A set of places in the user's program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SourceId(u32);

/// One place, or several whose computations were merged.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Entry {
    Place(Place),
    Set(Vec<SourceId>),
    /// The derivative of what is written at a place.
    Derivative(SourceId),
}

/// One place in the user's program.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The call around it.
    pub parent: Option<SourceId>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    ids: HashMap<Entry, SourceId>,
}

/// Limit on the places in a set: sets are never freed, and neither are the intermediate sets while one grows.
const PLACES: usize = 64;

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(Default::default);

thread_local! {
    /// Known locations by address: a location is a pointer to static data, so the address identifies it.
    static SEEN: std::cell::RefCell<HashMap<(usize, Option<SourceId>), SourceId>> =
        std::cell::RefCell::default();

    static DERIVATIVES: std::cell::RefCell<HashMap<SourceId, SourceId>> =
        std::cell::RefCell::default();
}

fn intern(entry: Entry) -> SourceId {
    if let Some(&id) = TABLE
        .read()
        .unwrap_or_else(|e| e.into_inner())
        .ids
        .get(&entry)
    {
        return id;
    }
    let mut table = TABLE.write().unwrap_or_else(|e| e.into_inner());
    if let Some(&id) = table.ids.get(&entry) {
        return id;
    }
    let id = SourceId(table.entries.len() as u32);
    table.entries.push(entry.clone());
    table.ids.insert(entry, id);
    id
}

impl SourceId {
    /// Returns the place of a Rust location, inside the call `parent`.
    pub fn of(location: &'static Location<'static>, parent: Option<SourceId>) -> SourceId {
        let key = (location as *const _ as usize, parent);
        if let Some(id) = SEEN.with_borrow(|seen| seen.get(&key).copied()) {
            return id;
        }
        let id = SourceId::at(Place {
            file: location.file().to_string(),
            line: location.line(),
            column: location.column(),
            parent,
        });
        SEEN.with_borrow_mut(|seen| seen.insert(key, id));
        id
    }

    /// Returns the id of a place.
    pub fn at(place: Place) -> SourceId {
        intern(Entry::Place(place))
    }

    /// Returns the union of both sets; of too many places, those with the lowest ids.
    pub fn union(self, other: SourceId) -> SourceId {
        if self == other {
            return self;
        }
        let mut ids = self.members();
        for id in other.members() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        // A place that one of the sets has in its own right is no longer marked as a derivative.
        let written = ids.clone();
        ids.retain(|id| match id.entry() {
            Entry::Derivative(of) => !written.contains(&of),
            _ => true,
        });
        ids.sort();
        ids.truncate(PLACES);
        match ids[..] {
            [one] => one,
            _ => intern(Entry::Set(ids)),
        }
    }

    /// Marks the places as belonging to a derivative.
    pub fn derivative(self) -> SourceId {
        if let Some(id) = DERIVATIVES.with_borrow(|known| known.get(&self).copied()) {
            return id;
        }
        let members = self.members().into_iter();
        let members = members.map(|id| match id.entry() {
            Entry::Derivative(_) => id,
            _ => intern(Entry::Derivative(id)),
        });
        let id = members.reduce(SourceId::union).expect("at least one");
        DERIVATIVES.with_borrow_mut(|known| known.insert(self, id));
        id
    }

    /// Returns its number, for tables that hold numbers: see [`SourceId::numbered`].
    pub fn number(self) -> u32 {
        self.0
    }

    /// Returns the id of a number; `None` if no id has it.
    pub fn numbered(number: u32) -> Option<SourceId> {
        let known = TABLE
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .entries
            .len();
        ((number as usize) < known).then_some(SourceId(number))
    }

    /// Returns whether it was recorded only for a derivative.
    pub fn is_derivative(self) -> bool {
        let derived = |id: SourceId| matches!(id.entry(), Entry::Derivative(_));
        self.members().into_iter().all(derived)
    }

    /// Returns the places without the marks of derivatives.
    pub fn written(self) -> SourceId {
        let members = self.members().into_iter();
        let members = members.map(|id| match id.entry() {
            Entry::Derivative(of) => of,
            _ => id,
        });
        members.reduce(SourceId::union).expect("at least one")
    }

    /// Splits the set into single places, each with its mark of a derivative.
    pub fn members(self) -> Vec<SourceId> {
        match self.entry() {
            Entry::Place(_) | Entry::Derivative(_) => vec![self],
            Entry::Set(ids) => ids,
        }
    }

    fn entry(self) -> Entry {
        TABLE.read().unwrap_or_else(|e| e.into_inner()).entries[self.0 as usize].clone()
    }

    /// Returns the places in the set; at least one.
    pub fn places(self) -> Vec<Place> {
        match self.entry() {
            Entry::Place(p) => vec![p],
            Entry::Set(ids) => ids.into_iter().flat_map(SourceId::places).collect(),
            Entry::Derivative(of) => of.places(),
        }
    }

    /// Returns the first place in the set.
    pub fn place(self) -> Place {
        self.places().swap_remove(0)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, place) in self.places().iter().enumerate() {
            if i > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{place}")?;
        }
        Ok(())
    }
}
