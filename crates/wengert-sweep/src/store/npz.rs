//! Archives of NumPy's arrays: `.npy` files, stored one behind the other in the format of ZIP without compression.
//!
//! The formats are those of NumPy's `numpy.lib.format` (version 1.0) and of PKWARE's APPNOTE 6.3. Dates are the first
//! that there is, so that equal results are equal files.

use std::io::{Read, Result, Seek, SeekFrom, Write};

/// An entry of an archive.
struct Entry {
    name: String,
    crc: u32,
    len: u32,
    offset: u32,
}

/// Writes an archive, entry by entry.
pub(crate) struct Archive<W> {
    to: W,
    at: u32,
    entries: Vec<Entry>,
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// The first of January 1980.
const DATE: u16 = 0x21;

/// The header of a `.npy` file.
pub(crate) fn npy_header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let shape = match shape {
        [n] => format!("({n},)"),
        shape => {
            let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
            format!("({})", lengths.join(", "))
        }
    };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // Data begin at a multiple of 64.
    let len = (10 + dict.len() + 1).next_multiple_of(64) - 10;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend_from_slice(&(len as u16).to_le_bytes());
    header.extend_from_slice(dict.as_bytes());
    header.resize(10 + len - 1, b' ');
    header.push(b'\n');
    header
}

impl<W: Write> Archive<W> {
    pub fn new(to: W) -> Archive<W> {
        Archive {
            to,
            at: 0,
            entries: vec![],
        }
    }

    /// Writes a file that consists of these pieces.
    pub fn add(&mut self, name: &str, pieces: &[&[u8]]) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        for piece in pieces {
            crc.update(piece);
        }
        let len = length(pieces.iter().map(|p| p.len()).sum())?;
        let entry = Entry {
            name: name.to_string(),
            crc: crc.finalize(),
            len,
            offset: self.at,
        };
        let mut head = vec![];
        head.extend_from_slice(&LOCAL.to_le_bytes());
        entry.put_common(&mut head);
        head.extend_from_slice(name.as_bytes());
        self.to.write_all(&head)?;
        for piece in pieces {
            self.to.write_all(piece)?;
        }
        self.at = length(self.at as usize + head.len() + len as usize)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the table of contents, with a comment.
    pub fn finish(mut self, comment: &str) -> Result<W> {
        let mut table = vec![];
        for entry in &self.entries {
            table.extend_from_slice(&CENTRAL.to_le_bytes());
            // Made by version 2.0.
            table.extend_from_slice(&20u16.to_le_bytes());
            entry.put_common(&mut table);
            // No comment, first disk, no attributes.
            table.extend_from_slice(&[0; 10]);
            table.extend_from_slice(&entry.offset.to_le_bytes());
            table.extend_from_slice(entry.name.as_bytes());
        }
        let size = table.len() as u32;
        let n = self.entries.len() as u16;
        table.extend_from_slice(&END.to_le_bytes());
        table.extend_from_slice(&[0; 4]);
        table.extend_from_slice(&n.to_le_bytes());
        table.extend_from_slice(&n.to_le_bytes());
        table.extend_from_slice(&size.to_le_bytes());
        table.extend_from_slice(&self.at.to_le_bytes());
        table.extend_from_slice(&(comment.len() as u16).to_le_bytes());
        table.extend_from_slice(comment.as_bytes());
        self.to.write_all(&table)?;
        Ok(self.to)
    }
}

impl Entry {
    /// Puts what both headers of an entry have, up to the length of further fields, of which there are none.
    fn put_common(&self, to: &mut Vec<u8>) {
        // Version 2.0; names in UTF-8; stored.
        for x in [20u16, 1 << 11, 0, 0, DATE] {
            to.extend_from_slice(&x.to_le_bytes());
        }
        for x in [self.crc, self.len, self.len] {
            to.extend_from_slice(&x.to_le_bytes());
        }
        to.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        to.extend_from_slice(&0u16.to_le_bytes());
    }
}

/// A length, as an archive without extensions has it.
fn length(bytes: usize) -> Result<u32> {
    let message = "a file has less than 4 GiB, with the messages of points that failed; `part_points` sets how many points it has";
    u32::try_from(bytes).map_err(|_| std::io::Error::other(message))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_le_bytes([two[0], two[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// Bytes of the end of an archive, without its comment.
const TAIL: usize = 22;

/// Whether a file is a whole archive with this comment, as far as its ends say.
///
/// # Errors
/// The inner error is another comment.
pub(crate) fn check(
    file: &mut (impl Read + Seek),
    comment: &str,
) -> Result<std::result::Result<bool, String>> {
    let len = file.seek(SeekFrom::End(0))?;
    let tail = TAIL + comment.len();
    if len < tail as u64 {
        return Ok(Ok(false));
    }
    let mut end = vec![0; tail];
    file.seek(SeekFrom::End(-(tail as i64)))?;
    file.read_exact(&mut end)?;
    let mut start = [0; 4];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut start)?;
    let sizes = (|| Some((u32_at(&end, 0)?, u32_at(&end, 12)?, u32_at(&end, 16)?)))();
    let whole = sizes.is_some_and(|(sign, size, at)| {
        sign == END && u64::from(size) + u64::from(at) + tail as u64 == len
    });
    if !whole || u32::from_le_bytes(start) != LOCAL {
        return Ok(Ok(false));
    }
    let found = String::from_utf8_lossy(&end[TAIL..]).into_owned();
    Ok(if found == comment {
        Ok(true)
    } else {
        Err(found)
    })
}

/// The files of an archive that this module wrote: names and contents. `None` if bytes are not what was written.
pub(crate) fn entries(bytes: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut found = vec![];
    let mut at = 0;
    while u32_at(bytes, at)? == LOCAL {
        let (crc, len) = (u32_at(bytes, at + 14)?, u32_at(bytes, at + 18)? as usize);
        let name = u16_at(bytes, at + 26)?;
        let data = at + 30 + name;
        let name = std::str::from_utf8(bytes.get(at + 30..data)?).ok()?;
        let content = bytes.get(data..data + len)?;
        if crc32fast::hash(content) != crc {
            return None;
        }
        found.push((name.to_string(), content));
        at = data + len;
    }
    (u32_at(bytes, at)? == CENTRAL).then_some(found)
}

/// The data of a `.npy` file that this module wrote, behind its header.
pub(crate) fn npy_data<'a>(bytes: &'a [u8], descr: &str, shape: &[usize]) -> Option<&'a [u8]> {
    bytes.strip_prefix(&npy_header(descr, shape)[..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn an_archive_reads_as_it_was_written() {
        let mut archive = Archive::new(vec![]);
        archive.add("a.npy", &[b"12", b"3"]).unwrap();
        archive.add("b", &[]).unwrap();
        let bytes = archive.finish("some").unwrap();
        let found = entries(&bytes).unwrap();
        assert_eq!(
            found,
            [
                ("a.npy".to_string(), &b"123"[..]),
                ("b".to_string(), &b""[..])
            ]
        );
        assert_eq!(check(&mut Cursor::new(&bytes), "some").unwrap(), Ok(true));
        assert_eq!(
            check(&mut Cursor::new(&bytes), "else").unwrap(),
            Err("some".into())
        );
        for n in 0..bytes.len() {
            assert_eq!(
                check(&mut Cursor::new(&bytes[..n]), "some").unwrap(),
                Ok(false)
            );
        }
        let mut wrong = bytes;
        wrong[36] ^= 1;
        assert_eq!(entries(&wrong), None);
    }

    #[test]
    fn headers_are_those_of_numpy() {
        let header = npy_header("<f8", &[3]);
        assert_eq!(header.len(), 128);
        assert!(
            header[10..]
                .starts_with(b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }   ")
        );
        assert!(
            npy_header("|b1", &[2, 0])
                .windows(6)
                .any(|w| w == b"(2, 0)")
        );
        assert_eq!(
            npy_data(&[&header[..], b"x"].concat(), "<f8", &[3]),
            Some(&b"x"[..])
        );
    }
}
