//! The words and signs of a selector.

/// A word or a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SelectorToken {
    /// A key or a value.
    Word(String),
    /// `in`, which is a word where no operator is expected.
    In,
    /// `notin`, likewise.
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Above,
    Below,
    Not,
    Comma,
    Open,
    Close,
    End,
}

impl SelectorToken {
    /// As it was written, for a message.
    pub(super) fn quoted(&self) -> String {
        let sign = match self {
            Self::Word(word) => word,
            Self::In => "in",
            Self::NotIn => "notin",
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::NotEquals => "!=",
            Self::Above => ">",
            Self::Below => "<",
            Self::Not => "!",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::End => return "the end".to_owned(),
        };
        format!("“{sign}”")
    }

    /// Keywords are ordinary words where no operator can stand.
    pub(super) fn as_word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::In => Some("in"),
            Self::NotIn => Some("notin"),
            _ => None,
        }
    }
}

/// A token and how many characters stand before it.
pub(super) type PositionedToken = (usize, SelectorToken);

const SIGNS: &str = "=!(),><";

/// Cuts a selector into tokens; the last one is [`SelectorToken::End`].
pub(super) fn tokens(text: &str) -> Vec<PositionedToken> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        if is_space(character) {
            at += 1;
            continue;
        }
        let (token, length) = if SIGNS.contains(character) {
            sign(character, characters.get(at + 1).copied())
        } else {
            word(characters.get(at..).unwrap_or_default())
        };
        found.push((at, token));
        at += length;
    }
    found.push((characters.len(), SelectorToken::End));
    found
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The longest sign wins: `!=` is one.
fn sign(first: char, second: Option<char>) -> (SelectorToken, usize) {
    match (first, second) {
        ('=', Some('=')) => (SelectorToken::DoubleEquals, 2),
        ('!', Some('=')) => (SelectorToken::NotEquals, 2),
        ('=', _) => (SelectorToken::Equals, 1),
        ('!', _) => (SelectorToken::Not, 1),
        ('>', _) => (SelectorToken::Above, 1),
        ('<', _) => (SelectorToken::Below, 1),
        ('(', _) => (SelectorToken::Open, 1),
        (')', _) => (SelectorToken::Close, 1),
        _ => (SelectorToken::Comma, 1),
    }
}

fn word(rest: &[char]) -> (SelectorToken, usize) {
    let word: String = rest
        .iter()
        .take_while(|c| !is_space(**c) && !SIGNS.contains(**c))
        .collect();
    let length = word.chars().count();
    let token = match word.as_str() {
        "in" => SelectorToken::In,
        "notin" => SelectorToken::NotIn,
        _ => SelectorToken::Word(word),
    };
    (token, length)
}
