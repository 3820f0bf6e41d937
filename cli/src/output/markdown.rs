//! Markdown on a terminal, as it comes: whole lines are rendered for good, the open one again with each piece.

mod parse;

use std::borrow::Cow;
use std::iter;

use termimad::crossterm::style::{Attribute, Color};
use termimad::{Alignment, FmtText, MadSkin};
use unicode_width::UnicodeWidthChar;

use crate::terminal;

/// How many columns a tab's stops are apart.
const TAB: usize = 4;

/// Renders an answer.
pub(super) struct Markdown {
    skin: MadSkin,
    /// What is not rendered for good: a line without its end, or a table.
    open: String,
    /// How many rows of that are on the screen.
    shown: usize,
    /// The mark that ends the code block which the text is in.
    fence: Option<String>,
}

impl Markdown {
    pub(super) fn new() -> Self {
        Markdown { skin: skin(), open: String::new(), shown: 0, fence: None }
    }

    /// Takes a piece in; `out` gets what the terminal is to be sent.
    pub(super) fn push(&mut self, piece: &str, out: &mut String) {
        let (columns, rows) = terminal::size();
        self.push_at(piece, columns, rows, out);
    }

    fn push_at(&mut self, piece: &str, columns: usize, rows: usize, out: &mut String) {
        self.open.push_str(piece);
        self.erase(out);
        let whole = self.open.rfind('\n').map_or(0, |at| at + 1);
        let line = self.open.split_off(whole);
        let whole = std::mem::replace(&mut self.open, line);
        // The widths of a table's columns are known at its end.
        let table = self.render(&whole, columns, out);
        self.open.insert_str(0, &table);
        self.show(columns, rows, out);
    }

    /// The answer's end: what is open is whole, and the next one begins anew.
    pub(super) fn end(&mut self, out: &mut String) {
        self.end_at(terminal::size().0, out);
    }

    fn end_at(&mut self, columns: usize, out: &mut String) {
        self.erase(out);
        let open = std::mem::take(&mut self.open);
        let table = self.render(&open, columns, out);
        out.push_str(&self.markdown(&table, columns));
        self.fence = None;
    }

    /// Takes what is open off the screen.
    fn erase(&mut self, out: &mut String) {
        match std::mem::take(&mut self.shown) {
            0 => {}
            1 => out.push_str("\r\x1b[J"),
            rows => out.push_str(&format!("\r\x1b[{}A\x1b[J", rows - 1)),
        }
    }

    /// Puts what is open on the screen: its last rows, where it is higher than that.
    fn show(&mut self, columns: usize, rows: usize, out: &mut String) {
        if self.open.is_empty() || self.fence.is_some() || fence(&self.open).is_some() {
            return;
        }
        let rendered = self.markdown(&self.open, columns);
        let lines: Vec<_> = rendered.lines().collect();
        let shown = &lines[lines.len().saturating_sub(rows.saturating_sub(1).max(1))..];
        out.push_str(&shown.join("\n"));
        self.shown = shown.len();
    }

    /// Renders whole lines; returns the table at their end, which may have more rows.
    fn render(&mut self, text: &str, columns: usize, out: &mut String) -> String {
        let (mut prose, mut table) = (String::new(), String::new());
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            if self.fence.is_none() && parse::is_row(content) {
                table.push_str(line);
                continue;
            }
            prose.push_str(&std::mem::take(&mut table));
            match (&self.fence, fence(content)) {
                (None, Some(mark)) => {
                    out.push_str(&self.markdown(&std::mem::take(&mut prose), columns));
                    self.fence = Some(mark.to_owned());
                }
                (Some(open), Some(mark)) if content.trim() == mark && mark.starts_with(&**open) => self.fence = None,
                (Some(_), _) => {
                    out.push_str(&self.skin.code_block.compound_style.apply_to(without_tabs(content)).to_string());
                    out.push('\n');
                }
                (None, None) => prose.push_str(line),
            }
        }
        out.push_str(&self.markdown(&prose, columns));
        table
    }

    /// Each line of the result ends with a line break.
    fn markdown(&self, text: &str, columns: usize) -> String {
        if text.is_empty() {
            return String::new();
        }
        // One column less: a full row would make some terminals begin the next.
        let columns = columns.saturating_sub(1).max(10);
        let text = without_tabs(text);
        let mut rendered = FmtText::from_text(&self.skin, parse::text(&text, columns), Some(columns)).to_string();
        if !rendered.ends_with('\n') {
            rendered.push('\n');
        }
        rendered
    }
}

/// A text with spaces for its tabs, up to CommonMark's stops. Termimad counts a tab as less than a terminal shows, and a row
/// that is wider than it counts stays on the screen when the open line is drawn again. Nor does a terminal begin a new row
/// for a tab: what stands between two at its edge is lost.
fn without_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains('\t') {
        return text.into();
    }
    let mut spaced = String::with_capacity(text.len() + TAB);
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let spaces = TAB - column % TAB;
                spaced.extend(iter::repeat_n(' ', spaces));
                column += spaces;
            }
            c => {
                spaced.push(c);
                column = if c == '\n' { 0 } else { column + c.width().unwrap_or(0) };
            }
        }
    }
    spaced.into()
}

/// Colours that both dark and light terminals show well.
fn skin() -> MadSkin {
    let mut skin = MadSkin::default();
    for header in &mut skin.headers {
        header.align = Alignment::Left;
        header.compound_style.remove_attr(Attribute::Underlined);
        header.add_attr(Attribute::Bold);
        header.set_fg(Color::Cyan);
    }
    skin.bullet.set_fg(Color::Cyan);
    skin.inline_code.object_style.background_color = None;
    skin.inline_code.set_fg(Color::Green);
    skin.code_block.compound_style.object_style.background_color = None;
    skin.code_block.set_fg(Color::Green);
    skin
}

/// The mark of a line that begins or ends a code block.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    // Behind it may stand a language, but no other mark: that is code in a line.
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\nSome **bold** and `code`, long enough that it has to be wrapped somewhere, in forty columns.\n\n\
        - one\n- two\n\n```rust\nfn main() {}\n    **no bold**\n```\n\n| a | b |\n|---|---|\n| wide cell | 1 |\n\nThe end";

    const COLUMNS: usize = 40;

    /// A terminal of few abilities, which knows what a screen shows.
    #[derive(Default)]
    struct Screen {
        rows: Vec<String>,
        row: usize,
        column: usize,
    }

    impl Screen {
        fn write(&mut self, text: &str) {
            let mut text = text.chars();
            while let Some(c) = text.next() {
                if self.rows.len() <= self.row {
                    self.rows.resize(self.row + 1, String::new());
                }
                match c {
                    '\r' => self.column = 0,
                    '\n' => (self.row, self.column) = (self.row + 1, 0),
                    '\x1b' => {
                        assert_eq!(text.next(), Some('['));
                        let mut parameter = String::new();
                        match text.find(|c| {
                            parameter.push(*c);
                            c.is_alphabetic()
                        }) {
                            Some('m') => {}
                            Some('A') => self.row -= parameter.trim_end_matches('A').parse::<usize>().unwrap(),
                            Some('J') => {
                                self.rows.truncate(self.row + 1);
                                self.rows[self.row].truncate(self.column);
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    '\t' => self.write(&" ".repeat((8 - self.column % 8).min(COLUMNS - 1 - self.column))),
                    c => {
                        if self.column == COLUMNS {
                            self.write("\n");
                        }
                        if self.rows.len() <= self.row {
                            self.rows.resize(self.row + 1, String::new());
                        }
                        assert_eq!(self.rows[self.row].chars().count(), self.column, "it only appends");
                        self.rows[self.row].push(c);
                        self.column += 1;
                    }
                }
            }
        }

        fn text(&self) -> String {
            let rows: Vec<_> = self.rows.iter().map(|row| row.trim_end()).collect();
            rows.join("\n").trim_end().to_owned()
        }
    }

    /// What the screen shows when the text comes in pieces of so many characters.
    fn shown(text: &str, length: usize, rows: usize) -> String {
        let (mut markdown, mut screen) = (Markdown::new(), Screen::default());
        let characters: Vec<_> = text.chars().collect();
        for piece in characters.chunks(length) {
            let mut out = String::new();
            markdown.push_at(&piece.iter().collect::<String>(), COLUMNS, rows, &mut out);
            screen.write(&out);
        }
        let mut out = String::new();
        markdown.end_at(COLUMNS, &mut out);
        screen.write(&out);
        screen.text()
    }

    #[test]
    fn it_looks_the_same_however_it_comes() {
        let whole = shown(TEXT, usize::MAX >> 8, 24);
        for length in [1, 2, 7, 30] {
            assert_eq!(shown(TEXT, length, 24), whole, "{length}");
        }
        assert!(whole.starts_with("Title\n\nSome bold and code, long"), "{whole}");
        for part in ["• one\n• two\n\nfn main() {}\n    **no bold**\n", "│wide cell│1  │", "\n\nThe end"] {
            assert!(whole.contains(part), "{whole}");
        }
    }

    /// One text in one piece, in rows joined by a space.
    fn shown_at_once(text: &str) -> String {
        shown(text, usize::MAX >> 8, 24).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_no_mark_shows() {
        for text in [
            "5 * 6 * 7 = 210",
            "b[1] ** 2 + c ** 3",
            "f(*args, **kw)",
            "glob *.py and *.rs",
            "char **argv, *p",
            "unclosed **x",
            "unclosed *x and ~~y and `z",
            "*",
            "**",
            "~",
            "~~",
            "`",
            "``",
            "a*",
            "a**",
            "*a **b",
            "~5 to ~6",
            "~5~",
            "snake_case, __init__ and _x_",
            "2 < 3 && 4 > 3 <b>*</b>",
            "[a](https://h/*x*) &amp; <https://h>",
            "C:\\new \\(x\\) \\\\host \\d",
            "#5 is #no heading",
            "#",
            "####### seven",
            "007. Bond",
            "12345678901. x",
            "1.5 * 2",
            ">>> 5 * 6",
            "|x| * |y| = 1",
            "| no | table |",
            "| no | table |\n|---|",
            "|\n|",
        ] {
            assert_eq!(shown_at_once(text), text.replace('\n', " "));
        }
    }

    #[test]
    fn marks_are_those_of_commonmark() {
        for (text, kept) in [
            ("**bold** *it* ***both*** ~~no~~ `c*d*e`", "bold it both no c*d*e"),
            ("``x ` y`` and `` ` ``", "x ` y and `"),
            ("```x```", "x"),
            ("\\*no\\* \\`x\\`", "*no* `x`"),
            ("**a*b** and **`c`**", "a*b and c"),
            ("*a* * *b*", "a * b"),
            ("a*b*c** and *a*b*", "abc** and ab*"),
            ("- 5 * 6 *", "• 5 * 6 *"),
            ("> *a* * b", "▐ a * b"),
            ("3. **a** ** b", "3. a ** b"),
            ("1. a\n1. b * c", "1. a 1. b * c"),
            ("# f(*args) *x*", "f(*args) x"),
            ("    f(**x**)", "f(**x**)"),
            (" \t***", "***"),
            ("| a | b |\n|---|:-:|\n| 5 * 6 | `x|y` \\| *z* |", "│ a │ b │ ├─────┼───────┤ │5 * 6│x|y | z│"),
        ] {
            assert_eq!(shown_at_once(text), kept, "{text}");
        }
        let rule = shown_at_once("***");
        assert!(rule.chars().all(|c| c == '―') && !rule.is_empty(), "{rule}");
        assert_eq!(shown_at_once("* * *"), rule);
    }

    #[test]
    fn a_table_with_more_columns_than_there_is_room_for_is_whole() {
        let (cells, dashes) = ("|x*y".repeat(30), "|-".repeat(30));
        let shown = shown_at_once(&format!("{cells}|\n{dashes}|\n")).replace(' ', "");
        assert_eq!(shown.matches("|x*y").count(), 30, "{shown}");
    }

    /// Each line of four of these parts: what CommonMark (with strikethrough) says is in it, shows.
    #[test]
    fn nothing_of_a_line_is_lost() {
        use pulldown_cmark::{Event, Options, Parser};

        const PARTS: [&str; 9] = ["*", "**", "`", "``", "~~", "\\", " ", "a", "|"];
        for number in 0..PARTS.len().pow(4) {
            let at = |place| number / PARTS.len().pow(place) % PARTS.len();
            let line: String = (0..4).map(|place| PARTS[at(place)]).collect();
            let shown = shown(&line, usize::MAX >> 8, 24);
            let mut rest = shown.chars();
            for event in Parser::new_ext(&line, Options::ENABLE_STRIKETHROUGH) {
                let (Event::Text(text) | Event::Code(text)) = event else { continue };
                for c in text.chars().filter(|c| !c.is_whitespace()) {
                    assert!(rest.any(|shown| shown == c), "{line:?} shows {shown:?}");
                }
            }
        }
    }

    #[test]
    fn tabs_are_as_wide_as_they_show() {
        for (text, whole) in [
            ("a\tbcde\tf\n\tcode", "a   bcde    f\ncode"),
            ("- item\tone\n- \ttwo", "• item  one\n•   two"),
            ("一\tx", "一  x"),
            ("```\na\tb\tc\td\te\tf\tg\th\ti\tj\tk\n```", "a   b   c   d   e   f   g   h   i   j\nk"),
        ] {
            assert_eq!(shown(text, usize::MAX >> 8, 24), whole, "{text:?}");
        }
        for text in ["one\ttwo\tthree\tfour\tfive\tsix\tseven\teight", "- name\tsize\tdate\towner of the file and more"]
        {
            let whole = shown(text, usize::MAX >> 8, 24);
            for length in [1, 2, 7] {
                assert_eq!(shown(text, length, 24), whole, "{length}");
            }
            assert_eq!(whole.split_whitespace().count(), text.split_whitespace().count(), "{whole}");
        }
    }

    #[test]
    fn what_is_higher_than_the_screen_is_whole_at_its_end() {
        let long = "word ".repeat(100);
        assert_eq!(shown(&long, 3, 4), shown(&long, usize::MAX >> 8, 24));
    }
}
