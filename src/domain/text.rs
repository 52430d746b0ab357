//! Text that came from Zoho or a person, made safe to store and to show (security.md D-14, S-66).

use unicode_segmentation::UnicodeSegmentation;

/// Most bytes of one text we keep.
const STORED_BYTES: usize = 1024;
/// Most user-perceived characters of one text we show.
const SHOWN_GRAPHEMES: usize = 200;

/// What is stored: no NUL or other control character (Postgres refuses U+0000), at most 1 KB.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(STORED_BYTES));
    for character in text.trim().chars() {
        let character = match character {
            '\t' | '\n' | '\r' => ' ',
            character if character.is_control() => char::REPLACEMENT_CHARACTER,
            character => character,
        };
        if cleaned.len() + character.len_utf8() > STORED_BYTES {
            break;
        }
        cleaned.push(character);
    }
    cleaned
}

/// What is shown: at most 200 graphemes, and direction marks cannot reach beyond the text
/// (wrapped in FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE).
pub fn shown(text: &str) -> String {
    // A grapheme may be any number of combining marks, so that bytes are counted too.
    let end = text
        .grapheme_indices(true)
        .map(|(start, grapheme)| start + grapheme.len())
        .take_while(|end| *end <= STORED_BYTES)
        .take(SHOWN_GRAPHEMES)
        .last()
        .unwrap_or(0);
    let mut short = text[..end].to_owned();
    if end < text.len() {
        short.push('…');
    }
    if short.chars().any(is_direction_mark) {
        // A stray POP inside would end our isolate early.
        short.retain(|character| character != '\u{2069}');
        format!("\u{2068}{short}\u{2069}")
    } else {
        short
    }
}

const fn is_direction_mark(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s66_nothing_is_stored_that_postgres_refuses() {
        assert_eq!(clean(" Zyl\0ker\u{7}\n "), "Zyl\u{fffd}ker\u{fffd}");
        assert!(clean(&"é".repeat(2000)).len() <= STORED_BYTES);
    }

    #[test]
    fn s66_direction_marks_stay_inside_and_length_is_bounded() {
        assert_eq!(shown("a\u{202e}b\u{2069}c"), "\u{2068}a\u{202e}bc\u{2069}");
        assert_eq!(shown("plain"), "plain");
        assert_eq!(shown(&"x".repeat(300)).chars().count(), SHOWN_GRAPHEMES + 1);
    }
}
