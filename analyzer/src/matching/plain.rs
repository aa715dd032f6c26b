//! Characters as they were meant, and expressions over text that was cleaned of the others.

use std::borrow::Cow;

/// What was meant by a character that pages, word processors, input methods and OCR set in place of what a program
/// printed: no-break and ideographic spaces, curly quotes, full-width punctuation. `None` for those that nobody sees.
pub fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' => ' ',
        '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' => return None,
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '。' => '.',
        '【' => '[',
        '】' => ']',
        '《' => '<',
        '》' => '>',
        // Full-width forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    })
}

/// A regular expression that means the same on cleaned text: what it names in full-width form stands there in ASCII.
pub fn plain_pattern(source: &str) -> Cow<'_, str> {
    if source.chars().all(|c| plain(c) == Some(c)) {
        return Cow::Borrowed(source);
    }
    let mut pattern = String::with_capacity(source.len());
    for c in source.chars() {
        match plain(c) {
            Some(same) if same == c => pattern.push(c),
            Some(typed) => pattern.push_str(&regex_syntax::escape(typed.encode_utf8(&mut [0; 4]))),
            None => {}
        }
    }
    Cow::Owned(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_signs_in_expressions_are_signs_and_not_operators() {
        assert_eq!(plain_pattern("失败[，,].*（x）"), "失败[,,].*\\(x\\)");
        assert!(matches!(plain_pattern("构建失败.*"), Cow::Borrowed(_)));
    }
}
