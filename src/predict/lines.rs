//! Reads lines of a limited length, plain or compressed, without ever holding more than one.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How a compressed file's name ends.
const COMPRESSED_ENDING: &str = "gz";
/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableLine {
    /// Where it stands, counted from 1.
    pub(super) number: u64,
    /// Its bytes, at most as many as the limit.
    pub(super) bytes: Vec<u8>,
    /// Whether it was longer than that.
    pub(super) is_cut: bool,
}

/// The lines of a file.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    longest_bytes: usize,
    left_bytes: u64,
    number: u64,
}

impl Lines {
    /// Opens a file; one whose name ends in `.gz` is decompressed. Lines beyond `longest_bytes` are cut, and a file
    /// beyond `most_bytes` is an error when it is reached.
    pub(super) fn open(path: &Path, longest_bytes: usize, most_bytes: u64) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        let is_compressed =
            path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(COMPRESSED_ENDING));
        let reader: Box<dyn BufRead + Send> =
            if is_compressed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        Ok(Self { reader, longest_bytes, left_bytes: most_bytes, number: 0 })
    }

    fn read(&mut self) -> io::Result<Option<TableLine>> {
        let mut bytes = Vec::new();
        let (mut is_cut, mut found) = (false, false);
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            found = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let content = &buffer[..end.unwrap_or(buffer.len())];
            let room = self.longest_bytes - bytes.len();
            is_cut |= content.len() > room;
            bytes.extend_from_slice(&content[..content.len().min(room)]);
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(taken);
            self.left_bytes = self
                .left_bytes
                .checked_sub(taken as u64)
                .ok_or_else(|| io::Error::other("it has more bytes than a table may have"))?;
            if end.is_some() {
                break;
            }
        }
        if !found {
            return Ok(None);
        }
        self.number += 1;
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(Some(TableLine { number: self.number, bytes, is_cut }))
    }
}

impl Iterator for Lines {
    type Item = io::Result<TableLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(content: &[u8], longest_bytes: usize) -> Vec<(String, bool)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tsv");
        std::fs::write(&path, content).unwrap();
        let lines = Lines::open(&path, longest_bytes, 1 << 20).unwrap();
        lines
            .map(|line| line.map(|line| (String::from_utf8(line.bytes).unwrap(), line.is_cut)).unwrap())
            .collect()
    }

    fn whole(texts: &[&str]) -> Vec<(String, bool)> {
        texts.iter().map(|text| ((*text).to_owned(), false)).collect()
    }

    #[test]
    fn ends_and_marks_are_not_part_of_a_line() {
        assert_eq!(
            lines(b"\xef\xbb\xbfid\ttext\r\n1\ta\n\n2\tb", 99),
            whole(&["id\ttext", "1\ta", "", "2\tb"])
        );
        assert_eq!(lines(b"", 99), []);
        assert_eq!(lines(b"\n", 99), whole(&[""]));
    }

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        let long = "x".repeat(100_000);
        let content = format!("{long}\nshort\n12345\n123456");
        let expected = [("xxxxx", true), ("short", false), ("12345", false), ("12345", true)];
        let expected = expected.map(|(text, is_cut)| (text.to_owned(), is_cut));
        assert_eq!(lines(content.as_bytes(), 5), expected);
    }

    #[test]
    fn compressed_files_are_read_and_bombs_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tsv.gz");
        let mut encoder =
            flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        encoder.write_all(b"id\ttext\n").unwrap();
        encoder.write_all(&vec![b'x'; 1 << 20]).unwrap();
        encoder.finish().unwrap();
        let read: Vec<_> = Lines::open(&path, 8, 1 << 21).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!((read.len(), read[0].bytes.as_slice(), read[1].is_cut), (2, &b"id\ttext"[..], true));
        assert!(Lines::open(&path, 8, 1 << 19).unwrap().any(|line| line.is_err()));
        std::fs::write(&path, b"not compressed").unwrap();
        assert!(Lines::open(&path, 8, 1 << 21).unwrap().any(|line| line.is_err()));
    }
}
