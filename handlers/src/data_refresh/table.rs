//! What a table has to be: CSV in UTF-8 with a header, and as many fields in each row as the header has.

use std::collections::BTreeSet;

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// A column has no name, or the name of another.
    #[error("the header names no column {column}, or names it twice")]
    Header {
        /// Counted from 1.
        column: usize,
    },
    /// A row has more or fewer fields than the header, or is not text.
    #[error("row {row}: {reason}")]
    Row {
        /// Counted from 1, the header not among them.
        row: u64,
        /// What the reader said.
        reason: String,
    },
}

/// Checks a file and counts its rows, the header not among them. The bytes are taken over as they are.
pub fn check(bytes: &[u8]) -> Result<u64, Malformed> {
    // Spreadsheets write this mark before the header.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header = reader.headers().map_err(|error| Malformed::Row { row: 0, reason: error.to_string() })?;
    if header.is_empty() {
        return Err(Malformed::Empty);
    }
    let mut names = BTreeSet::new();
    for (place, name) in header.iter().enumerate() {
        if name.trim().is_empty() || !names.insert(name) {
            return Err(Malformed::Header { column: place + 1 });
        }
    }
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        row.map_err(|error| Malformed::Row { row: rows, reason: error.to_string() })?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_are_counted() {
        assert_eq!(check(b"id,name\n1,a\n2,\"b,\nc\"\n"), Ok(2));
        assert_eq!(check("\u{feff}id;x\n1\n".as_bytes()), Ok(1));
        assert_eq!(check(b"id\n"), Ok(0));
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert_eq!(check(b""), Err(Malformed::Empty));
        assert_eq!(check(b"id,,x\n"), Err(Malformed::Header { column: 2 }));
        assert_eq!(check(b"id,id\n"), Err(Malformed::Header { column: 2 }));
        assert!(matches!(check(b"id,name\n1,a\n2\n"), Err(Malformed::Row { row: 2, .. })));
        assert!(matches!(check(b"id\n\xff\n"), Err(Malformed::Row { row: 1, .. })));
    }

    proptest! {
        #[test]
        fn whatever_a_writer_writes_is_a_table(rows in proptest::collection::vec(proptest::collection::vec(".*", 3), 0..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            prop_assert_eq!(check(&writer.into_inner().unwrap()), Ok(rows.len() as u64));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }
    }
}
