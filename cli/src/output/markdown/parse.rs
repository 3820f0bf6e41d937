//! Markdown as lines for Termimad to set. What is no mark by CommonMark's rules stays as it is: an answer that says
//! `5 * 6 * 7` or `f(*args)` must not lose a character. Marks are looked for line by line, as the lines come; one that
//! is not closed in its line shows.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};
use termimad::Alignment;
use termimad::minimad::{Composite, CompositeStyle, Compound, Line, TableRow, TableRule, Text};

/// How many columns of a screen a table's column takes at least, with the line beside it.
const NARROWEST: usize = 4;

/// What may stand behind a backslash that does not show. CommonMark has more of them; but an answer that says `\(x\)` or
/// `C:\[old]` means its backslashes.
const ESCAPED: [char; 5] = ['*', '_', '`', '~', '|'];

/// Whole lines outside of code blocks, for so many columns.
pub(super) fn text(text: &str, columns: usize) -> Text<'_> {
    let mut lines = Vec::new();
    let mut rest = text.lines().peekable();
    while let Some(first) = rest.next() {
        if !is_row(first) {
            lines.push(line(first));
            continue;
        }
        let mut rows = vec![first];
        while let Some(row) = rest.next_if(|row| is_row(row)) {
            rows.push(row);
        }
        match table(&rows, columns) {
            Some(table) => lines.extend(table),
            None => lines.extend(rows.into_iter().map(line)),
        }
    }
    Text { lines }
}

/// Whether a line may be a table's row.
pub(super) fn is_row(line: &str) -> bool {
    line.trim_start().starts_with('|')
}

/// A line that is no table's.
fn line(content: &str) -> Line<'_> {
    if let Some(code) = content.strip_prefix("    ").or_else(|| content.strip_prefix('\t')) {
        return Line::new_code(Compound::raw_str(code));
    }
    if is_rule(content) {
        return Line::HorizontalRule;
    }
    let (style, text) = style(content);
    Line::Normal(Composite { style, compounds: inline(text) })
}

/// Three or more marks of one kind, and nothing else.
fn is_rule(content: &str) -> bool {
    let content = content.trim_start_matches(' ');
    ['-', '*', '_'].iter().any(|mark| {
        content.starts_with(*mark)
            && content.matches(*mark).count() >= 3
            && content.chars().all(|c| c == *mark || matches!(c, ' ' | '\t'))
    })
}

/// What a line's beginning says of it, and the text behind that.
fn style(content: &str) -> (CompositeStyle, &str) {
    let text = content.trim_start_matches(' ');
    let depth = u8::try_from(content.len() - text.len()).unwrap_or(0);
    if let Some(text) = ["- ", "* ", "+ "].iter().find_map(|mark| text.strip_prefix(mark)) {
        return (CompositeStyle::ListItem(depth), text);
    }
    if let Some(text) = text.strip_prefix("> ").or_else(|| text.strip_prefix('>').filter(|text| text.is_empty())) {
        return (CompositeStyle::Quote, text);
    }
    if let Some((marks, text)) = text.split_once(' ')
        && let level @ 1..=6 = marks.len()
        && marks.bytes().all(|mark| mark == b'#')
        && !text.trim().is_empty()
    {
        return (CompositeStyle::Header(level as u8), text);
    }
    if let Some((number, text)) = text.split_once(' ')
        && let Some(number) = number.strip_suffix(['.', ')'])
        && number.len() <= 9
        && let Ok(index) = number.parse::<u32>()
        // Another number would show than the one that stands there.
        && index.to_string() == number
    {
        return (CompositeStyle::OrderedListItem { level: depth, index }, text);
    }
    (CompositeStyle::Paragraph, content)
}

/// A table: its second row says that it is one, with as many cells as the first. One with so many columns that some would be left out stays as it is.
fn table<'s>(rows: &[&'s str], columns: usize) -> Option<Vec<Line<'s>>> {
    let alignments: Vec<_> = cells(rows.get(1)?).into_iter().map(alignment).collect::<Option<_>>()?;
    let whole: Vec<_> = rows.iter().map(|row| cells(row)).collect();
    if alignments.is_empty() || whole[0].len() != alignments.len() {
        return None;
    }
    let widest = whole.iter().map(Vec::len).max().unwrap_or(0);
    if widest * NARROWEST >= columns {
        return Some(rows.iter().map(|row| Line::raw_str(row)).collect());
    }
    let row = |cells: Vec<&'s str>| {
        let cell = |text| Composite { style: CompositeStyle::Paragraph, compounds: inline(text) };
        Line::TableRow(TableRow { cells: cells.into_iter().map(cell).collect() })
    };
    let mut lines: Vec<_> = whole.into_iter().map(row).collect();
    lines[1] = Line::TableRule(TableRule { cells: alignments });
    Some(lines)
}

/// What stands between the bars of a row. One in code is none.
fn cells(row: &str) -> Vec<&str> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let codes: Vec<_> = Parser::new(row)
        .into_offset_iter()
        .filter_map(|(event, range)| matches!(event, Event::Code(_)).then_some(range))
        .collect();
    let mut cells = Vec::new();
    let mut from = 0;
    for (at, _) in row.match_indices('|') {
        if !row[..at].ends_with('\\') && !codes.iter().any(|code| code.contains(&at)) {
            cells.push(row[from..at].trim());
            from = at + 1;
        }
    }
    if from < row.len() {
        cells.push(row[from..].trim());
    }
    cells
}

/// How a column is aligned, by its cell of the second row.
fn alignment(cell: &str) -> Option<Alignment> {
    let (left, cell) = cell.strip_prefix(':').map_or((false, cell), |cell| (true, cell));
    let (right, cell) = cell.strip_suffix(':').map_or((false, cell), |cell| (true, cell));
    let is_one = !cell.is_empty() && cell.bytes().all(|dash| dash == b'-');
    is_one.then_some(match (left, right) {
        (false, false) => Alignment::Unspecified,
        (true, false) => Alignment::Left,
        (false, true) => Alignment::Right,
        (true, true) => Alignment::Center,
    })
}

/// How deep a text is in each kind of marks.
#[derive(Default)]
struct Depth {
    bold: usize,
    italic: usize,
    code: usize,
    strikeout: usize,
}

impl Depth {
    fn compound<'s>(&self, src: &'s str) -> Compound<'s> {
        let (bold, italic) = (self.bold > 0, self.italic > 0);
        Compound { src, bold, italic, code: self.code > 0, strikeout: self.strikeout > 0 }
    }
}

/// A mark, which does not show, and what it does.
struct Mark {
    at: Range<usize>,
    does: fn(&mut Depth),
}

/// A text in one line by its marks. Everything that is none shows as it stands, links and HTML too; so does `_`, by which
/// names such as `__init__` are written.
fn inline(text: &str) -> Vec<Compound<'_>> {
    let mut marks = marks(text);
    marks.sort_by_key(|mark| mark.at.start);
    let mut depth = Depth::default();
    let mut compounds = Vec::new();
    let mut from = 0;
    for Mark { at, does } in marks {
        if from < at.start {
            compounds.push(depth.compound(&text[from..at.start]));
        }
        does(&mut depth);
        from = at.end;
    }
    if from < text.len() {
        compounds.push(depth.compound(&text[from..]));
    }
    compounds
}

fn marks(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut pair = |of: &Range<usize>, length: usize, begin: fn(&mut Depth), end: fn(&mut Depth)| {
        marks.push(Mark { at: of.start..of.start + length, does: begin });
        marks.push(Mark { at: of.end - length..of.end, does: end });
    };
    let mut escapes = Vec::new();
    let mut seen = 0;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        let marked = &text[range.clone()];
        match event {
            Event::Start(Tag::Strong) if marked.starts_with('*') => {
                pair(&range, 2, |depth| depth.bold += 1, |depth| depth.bold -= 1);
            }
            Event::Start(Tag::Emphasis) if marked.starts_with('*') => {
                pair(&range, 1, |depth| depth.italic += 1, |depth| depth.italic -= 1);
            }
            // Of one only is "about".
            Event::Start(Tag::Strikethrough) if marked.starts_with("~~") => {
                pair(&range, 2, |depth| depth.strikeout += 1, |depth| depth.strikeout -= 1);
            }
            Event::Code(_) => {
                let length = marked.bytes().take_while(|mark| *mark == b'`').count();
                let code = &marked[length..marked.len() - length];
                let is_padded = code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
                let length = length + usize::from(is_padded);
                pair(&range, length, |depth| depth.code += 1, |depth| depth.code -= 1);
                seen = range.end;
            }
            Event::Text(_) => {
                // A backslash that escapes is in no text.
                let is_escaped = text[seen..range.start.max(seen)].ends_with('\\') && marked.starts_with(ESCAPED);
                if is_escaped {
                    escapes.push(range.start - 1..range.start);
                }
                seen = range.end;
            }
            _ => {}
        }
    }
    marks.extend(escapes.into_iter().map(|at| Mark { at, does: |_| {} }));
    marks
}
