//! Text that somebody else wrote, made fit to be shown in a line.

/// Replaces what is no visible character or would change how its neighbors are read: control characters, line
/// breaks, marks that turn the direction of writing, characters without width, beginnings of encoded words. Cuts after
/// so many characters.
#[must_use]
pub fn printable(text: &str, most_chars: usize) -> String {
    let mut previous = None;
    let mut chars = text.chars().map(|c| {
        // `=?` begins an encoded word, in which a mail program would read what is not here.
        let is_encoded = c == '?' && previous.replace(c) == Some('=');
        previous = Some(c);
        if is_encoded || misleads(c) { char::REPLACEMENT_CHARACTER } else { c }
    });
    let mut shown: String = chars.by_ref().take(most_chars).collect();
    if chars.next().is_some() {
        shown.pop();
        shown.push('\u{2026}');
    }
    shown
}

/// Whether a character is not seen, or changes how its neighbors are read.
#[must_use]
pub fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_is_replaced_and_the_rest_stays() {
        assert_eq!(printable("freezer-7 \u{dc}ber \u{1f9ca}", 50), "freezer-7 \u{dc}ber \u{1f9ca}");
        let marked = printable("a\r\nBcc: x\u{202e}b\u{200b}c\u{0}", 50);
        assert_eq!(marked, "a\u{fffd}\u{fffd}Bcc: x\u{fffd}b\u{fffd}c\u{fffd}");
    }

    #[test]
    fn no_word_of_a_header_is_an_encoded_one() {
        assert_eq!(printable("=?utf-8?B?4oCu?= a=b?c ?=", 50), "=\u{fffd}utf-8?B?4oCu?= a=b?c ?=");
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        assert_eq!(printable("\u{1f9ca}\u{1f9ca}\u{1f9ca}", 2), "\u{1f9ca}\u{2026}");
        assert_eq!(printable("abc", 3), "abc");
    }
}
