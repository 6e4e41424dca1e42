//! A page in HTML: headings, paragraphs, tables and plots enter as text and are escaped, one document leaves.

use std::fmt::Write as _;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:1080px;\
margin:2em auto;padding:0 1em}h1,h2{line-height:1.2}h2{margin-top:2em}table{border-collapse:collapse;\
font-variant-numeric:tabular-nums;margin:1em 0;display:block;overflow-x:auto}td,th{padding:.25em .7em;\
border-bottom:1px solid #ddd;text-align:right;vertical-align:top}td:first-child,th:first-child,td:last-child:nth-child(2)\
{text-align:left;overflow-wrap:anywhere}td:first-child{min-width:14em}figure{margin:0}svg{max-width:100%;height:auto}figcaption{font-size:13px;\
overflow-wrap:anywhere}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:1em}";

/// A page that grows from top to bottom.
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let title = escape(title);
        Self {
            text: format!(
                "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n<meta name=\"viewport\" \
                 content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style></head>\n<body>\n\
                 <h1>{title}</h1>\n"
            ),
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.add(&format!("<h2>{}</h2>\n", escape(text)));
    }

    /// Adds a paragraph a line.
    pub(super) fn paragraphs(&mut self, text: &str) {
        for line in text.lines() {
            self.add(&format!("<p>{}</p>\n", escape(line)));
        }
    }

    pub(super) fn table(&mut self, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let cells = |tag: &str, cells: &[&str]| -> String {
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
        };
        let mut text = format!("<table>\n<tr>{}</tr>\n", cells("th", head));
        for row in rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "<tr>{}</tr>", cells("td", &row));
        }
        self.add(&text);
        self.add("</table>\n");
    }

    /// Adds a plot, which is SVG already.
    pub(super) fn figure(&mut self, title: &str, plot: &str) {
        self.add(&format!("<figure>{plot}<figcaption>{}</figcaption></figure>\n", escape(title)));
    }

    /// Adds plots with their titles, side by side.
    pub(super) fn figures(&mut self, figures: &[(String, String)]) {
        self.add("<div class=\"grid\">\n");
        for (title, plot) in figures {
            self.figure(title, plot);
        }
        self.add("</div>\n");
    }

    pub(super) fn finish(mut self) -> String {
        self.add("</body>\n</html>\n");
        self.text
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// Text that means itself in HTML; control characters, which no page may hold, become spaces.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other if other.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_means_itself() {
        let mut page = Page::new("<b>");
        page.table(&["a&b"], [vec!["<script>alert('1')</script>\u{7}".to_owned()]].into_iter());
        let text = page.finish();
        assert!(!text.contains("<script>") && !text.contains("<b>"), "{text}");
        assert!(text.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; </td>"), "{text}");
        assert!(text.contains("<th>a&amp;b</th>"), "{text}");
    }
}
