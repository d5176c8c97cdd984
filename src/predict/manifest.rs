//! The input of a prediction: a table of texts or paths, a list of pictures, or a folder of them.

use std::path::{Path, PathBuf};

use super::lines::{Lines, TableLine};
use super::{PredictError, RowFault, Task};
use crate::media::is_image;

/// What an input may be. A table is read row by row, so these bound its reading time and its lines, not its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes.
    pub max_line_bytes: usize,
    /// The most rows, the header not counted.
    pub max_rows: u64,
    /// The most bytes of a table, decompressed.
    pub max_table_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_line_bytes: 64 << 10, max_rows: 1_000_000, max_table_bytes: 4 << 30 }
    }
}

/// One row of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name; none where the row is too damaged to tell.
    pub id: Option<String>,
    /// The text, or the path of the file as it can be opened; or what is wrong with the row.
    pub content: Result<String, RowFault>,
}

/// An input whose outer form was checked.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    limits: Limits,
    form: Form,
    rows: u64,
}

/// How the rows are written down.
#[derive(Debug)]
enum Form {
    /// Tab-separated columns under a header.
    Table(Columns),
    /// One path a line, from the first line on.
    List,
    /// The pictures of a folder.
    Folder(Vec<PathBuf>),
}

/// Which columns count, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    id: Option<usize>,
    content: usize,
    is_path: bool,
}

impl Manifest {
    /// Reads the header and counts the rows, so that whatever is wrong with the input as a whole shows before the
    /// models are loaded.
    ///
    /// # Errors
    /// [`PredictError::Input`] where it cannot be read, [`PredictError::Manifest`] where it lacks a column, has no
    /// rows or too many.
    pub fn open(path: &Path, task: &Task, limits: Limits) -> Result<Self, PredictError> {
        let unreadable = |source| PredictError::Input { path: path.to_owned(), source };
        let refused = |reason: String| PredictError::Manifest { path: path.to_owned(), reason };
        // Asked before opening, because opening a pipe without a writer waits for one.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        let is_face = matches!(task, Task::Face { .. });
        let (form, rows) = if metadata.is_dir() && is_face {
            let pictures = pictures(path, limits.max_rows).map_err(unreadable)?;
            let count = pictures.len() as u64;
            (Form::Folder(pictures), count)
        } else if metadata.is_file() {
            let mut lines =
                Lines::open(path, limits.max_line_bytes, limits.max_table_bytes).map_err(unreadable)?;
            let first = lines.next().transpose().map_err(unreadable)?;
            let first = first.ok_or_else(|| refused("it is empty".to_owned()))?;
            let form = form(&first, task).map_err(refused)?;
            let mut rows = u64::from(matches!(form, Form::List) && !is_blank(&first));
            for line in lines {
                rows += u64::from(!is_blank(&line.map_err(unreadable)?));
                if rows > limits.max_rows {
                    break;
                }
            }
            (form, rows)
        } else {
            return Err(refused("it is not a regular file".to_owned()));
        };
        if rows == 0 {
            return Err(refused("it has no rows".to_owned()));
        }
        if rows > limits.max_rows {
            return Err(refused(format!("it has more than {} rows; split it", limits.max_rows)));
        }
        Ok(Self { path: path.to_owned(), limits, form, rows })
    }

    /// How many rows there are, damaged ones included.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there is no row; an opened manifest has at least one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows in order.
    ///
    /// # Errors
    /// [`PredictError::Input`] where the input cannot be read any more.
    pub fn rows(&self) -> Result<Rows, PredictError> {
        let unreadable = |source| PredictError::Input { path: self.path.clone(), source };
        let open = || Lines::open(&self.path, self.limits.max_line_bytes, self.limits.max_table_bytes);
        let source = match &self.form {
            Form::Folder(paths) => Source::Folder(paths.clone().into_iter()),
            Form::List => Source::Lines { lines: open().map_err(unreadable)?, columns: None },
            Form::Table(columns) => {
                let mut lines = open().map_err(unreadable)?;
                lines.next().transpose().map_err(unreadable)?;
                Source::Lines { lines, columns: Some(*columns) }
            }
        };
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Rows { path: self.path.clone(), folder, source })
    }
}

/// The rows of a manifest.
pub struct Rows {
    path: PathBuf,
    folder: PathBuf,
    source: Source,
}

enum Source {
    Folder(std::vec::IntoIter<PathBuf>),
    Lines { lines: Lines, columns: Option<Columns> },
}

impl Iterator for Rows {
    type Item = Result<Row, PredictError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.source {
            Source::Folder(paths) => paths.next().map(|path| {
                let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(Row { id: Some(id), content: Ok(path.to_string_lossy().into_owned()) })
            }),
            Source::Lines { lines, columns } => loop {
                match lines.next()? {
                    Err(source) => return Some(Err(PredictError::Input { path: self.path.clone(), source })),
                    Ok(line) if is_blank(&line) => {}
                    Ok(line) => return Some(Ok(row(&line, *columns, &self.folder))),
                }
            },
        }
    }
}

fn is_blank(line: &TableLine) -> bool {
    line.bytes.is_empty() && !line.is_cut
}

/// The form that the first line speaks of.
fn form(first: &TableLine, task: &Task) -> Result<Form, String> {
    let content = if matches!(task, Task::Text { .. }) { "text" } else { "path" };
    let header = std::str::from_utf8(&first.bytes).map_err(|_| "its first line is not UTF-8".to_owned())?;
    let names: Vec<String> = header.split('\t').map(|name| name.trim().to_ascii_lowercase()).collect();
    let place = |wanted: &str| {
        let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(place, _)| place);
        let found = places.next();
        if places.next().is_some() { Err(format!("it has several columns {wanted}")) } else { Ok(found) }
    };
    let (id, found) = (place("id")?, place(content)?);
    let is_text = content == "text";
    match found {
        Some(_) if is_text && id.is_none() => Err(missing("id", &names)),
        Some(place) => Ok(Form::Table(Columns { id, content: place, is_path: !is_text })),
        None if matches!(task, Task::Face { .. }) && names.len() == 1 => Ok(Form::List),
        None => Err(missing(content, &names)),
    }
}

fn missing(column: &str, names: &[String]) -> String {
    // A first line that is no header may be a page of text.
    let shown: String = names.join(", ").chars().take(200).collect();
    format!("its first line names no column {column} (tab-separated); it names: {shown}")
}

/// Reads a row. As much as can be read of a damaged one is its name.
fn row(line: &TableLine, columns: Option<Columns>, folder: &Path) -> Row {
    let fields: Vec<&[u8]> = match columns {
        Some(_) => line.bytes.split(|byte| *byte == b'\t').collect(),
        None => vec![&line.bytes],
    };
    let columns = columns.unwrap_or(Columns { id: None, content: 0, is_path: true });
    // Of a line that was cut, the last field may be a part only.
    let whole = if line.is_cut { &fields[..fields.len() - 1] } else { &fields[..] };
    let field = |place: usize| whole.get(place).map(|field| std::str::from_utf8(field).map(str::trim));
    let id = columns.id.and_then(field).and_then(Result::ok).map(ToOwned::to_owned);
    let content = content(line, columns, field(columns.content));
    let id = match (&content, columns.is_path) {
        (Ok(path), true) => id.filter(|id| !id.is_empty()).or_else(|| Some(path.clone())),
        _ => id,
    };
    let opened = |text: String| if columns.is_path { resolve(folder, &text) } else { text };
    Row { id, content: content.map(opened) }
}

fn content(
    line: &TableLine,
    columns: Columns,
    field: Option<Result<&str, std::str::Utf8Error>>,
) -> Result<String, RowFault> {
    let number = line.number;
    let (name, missing_code) =
        if columns.is_path { ("path", "missing_path") } else { ("text", "empty_text") };
    if line.is_cut {
        return Err(RowFault::new(
            "line_too_long",
            format!("line {number} is longer than {} bytes", line.bytes.len()),
        ));
    }
    match field {
        None => {
            let message =
                format!("line {number} has no column {name}, which is column {}", columns.content + 1);
            Err(RowFault::new("missing_column", message))
        }
        Some(Err(_)) => Err(RowFault::new("not_utf8", format!("line {number} is not UTF-8"))),
        Some(Ok("")) => Err(RowFault::new(missing_code, format!("line {number} has an empty column {name}"))),
        Some(Ok(text)) => Ok(text.to_owned()),
    }
}

/// A relative path starts from the manifest's folder.
fn resolve(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

/// The pictures of a folder, in the order of their names. Reading stops after one more than the limit.
fn pictures(folder: &Path, limit: u64) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_image(&path) {
            found.push(path);
        }
        if found.len() as u64 > limit {
            break;
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Task = Task::Text { language: None };
    const FACE: Task = Task::Face { are_crops: false };

    fn open(
        content: impl AsRef<[u8]>,
        task: &Task,
        limits: Limits,
    ) -> Result<(Manifest, Vec<Row>), PredictError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.tsv");
        std::fs::write(&path, content).unwrap();
        let manifest = Manifest::open(&path, task, limits)?;
        let rows = manifest.rows()?.collect::<Result<_, _>>()?;
        Ok((manifest, rows))
    }

    fn rows(content: impl AsRef<[u8]>, task: &Task) -> Vec<Row> {
        let (manifest, rows) = open(content, task, Limits::default()).unwrap();
        assert_eq!(manifest.len(), rows.len() as u64);
        rows
    }

    fn refusal(content: impl AsRef<[u8]>, task: &Task, limits: Limits) -> String {
        open(content, task, limits).err().unwrap().to_string()
    }

    fn code(row: &Row) -> &'static str {
        row.content.as_ref().unwrap_err().code
    }

    #[test]
    fn columns_are_found_by_name_and_quotes_are_text() {
        let rows = rows("labels\tText\tid\nx\t\"so\" slow\t7\ny\t 好的 \t8\textra\n", &TEXT);
        assert_eq!(rows[0], Row { id: Some("7".to_owned()), content: Ok("\"so\" slow".to_owned()) });
        assert_eq!(rows[1].content.as_deref(), Ok("好的"));
    }

    #[test]
    fn damaged_rows_keep_their_place_and_their_name() {
        let rows = rows(b"id\ttext\n1\n2\t\n3\t\xff\xfe\n\xff\tfine\n\n5\tfine", &TEXT);
        let ids: Vec<_> = rows.iter().map(|row| row.id.as_deref()).collect();
        assert_eq!(ids, [Some("1"), Some("2"), Some("3"), None, Some("5")]);
        assert_eq!(
            [code(&rows[0]), code(&rows[1]), code(&rows[2])],
            ["missing_column", "empty_text", "not_utf8"]
        );
        assert!(rows[3].content.is_ok() && rows[4].content.is_ok());
    }

    #[test]
    fn a_long_line_is_an_error_of_its_own() {
        let limits = Limits { max_line_bytes: 12, ..Limits::default() };
        let content = "id\ttext\na\t0123456789\nb\t0123456789x\nlong-name-long-name\tx\n";
        let (_, rows) = open(content, &TEXT, limits).unwrap();
        assert!(rows[0].content.is_ok());
        assert_eq!((code(&rows[1]), rows[1].id.as_deref()), ("line_too_long", Some("b")));
        assert_eq!((code(&rows[2]), rows[2].id.as_deref()), ("line_too_long", None));
    }

    #[test]
    fn rows_and_bytes_are_limited() {
        let few = Limits { max_rows: 2, ..Limits::default() };
        assert!(open("id\ttext\n1\ta\n2\tb\n", &TEXT, few.clone()).is_ok());
        assert!(refusal("id\ttext\n1\ta\n2\tb\n3\tc\n", &TEXT, few).contains("more than 2 rows"));
        let small = Limits { max_table_bytes: 9, ..Limits::default() };
        let error = open("id\ttext\n1\ta\n", &TEXT, small).err().unwrap();
        assert!(matches!(error, PredictError::Input { .. }));
    }

    #[test]
    fn wrong_tables_are_refused_with_the_reason() {
        for (content, task, reason) in [
            ("", &TEXT, "empty"),
            ("id\ttext\n\n", &TEXT, "no rows"),
            ("id\twords\n1\ta\n", &TEXT, "no column text"),
            ("text\na\n", &TEXT, "no column id"),
            ("id\ttext\ttext\n1\ta\tb\n", &TEXT, "several columns text"),
            ("file\na.wav\n", &Task::Voice, "no column path"),
            ("a.jpg\tb\n", &FACE, "no column path"),
        ] {
            let refusal = refusal(content, task, Limits::default());
            assert!(refusal.contains(reason), "{content:?}: {refusal}");
        }
    }

    #[test]
    fn paths_start_from_the_manifests_folder_and_name_their_rows() {
        let rows = rows("path\tid\na/b.wav\t\n/c.wav\tsee\n\tx\n", &Task::Voice);
        assert_eq!(rows[0].id.as_deref(), Some("a/b.wav"));
        assert!(Path::new(rows[0].content.as_deref().unwrap()).is_absolute());
        assert!(rows[0].content.as_deref().unwrap().ends_with("/a/b.wav"));
        assert_eq!((rows[1].id.as_deref(), rows[1].content.as_deref()), (Some("see"), Ok("/c.wav")));
        assert_eq!((rows[2].id.as_deref(), code(&rows[2])), (Some("x"), "missing_path"));
    }

    #[test]
    fn faces_may_come_as_a_list_or_a_folder() {
        let listed = rows("b.jpg\r\na.png\r\n", &FACE);
        assert_eq!([listed[0].id.as_deref(), listed[1].id.as_deref()], [Some("b.jpg"), Some("a.png")]);
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.jpg", "a.png", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let manifest = Manifest::open(folder.path(), &FACE, Limits::default()).unwrap();
        let ids: Vec<_> = manifest.rows().unwrap().map(|row| row.unwrap().id.unwrap()).collect();
        assert_eq!(ids, ["a.png", "b.jpg"]);
        let few = Limits { max_rows: 1, ..Limits::default() };
        assert!(Manifest::open(folder.path(), &FACE, few).is_err());
        assert!(Manifest::open(folder.path(), &TEXT, Limits::default()).is_err());
    }
}
