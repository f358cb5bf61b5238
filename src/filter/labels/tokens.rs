//! The words and signs of a selector.

/// A word or a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
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

impl Token {
    /// As it was written, for a message.
    pub(super) fn said(&self) -> String {
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
pub(super) type Placed = (usize, Token);

const SIGNS: &str = "=!(),><";

/// Cuts a selector into tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Vec<Placed> {
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
    found.push((characters.len(), Token::End));
    found
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The longest sign wins: `!=` is one.
fn sign(first: char, second: Option<char>) -> (Token, usize) {
    match (first, second) {
        ('=', Some('=')) => (Token::DoubleEquals, 2),
        ('!', Some('=')) => (Token::NotEquals, 2),
        ('=', _) => (Token::Equals, 1),
        ('!', _) => (Token::Not, 1),
        ('>', _) => (Token::Above, 1),
        ('<', _) => (Token::Below, 1),
        ('(', _) => (Token::Open, 1),
        (')', _) => (Token::Close, 1),
        _ => (Token::Comma, 1),
    }
}

fn word(rest: &[char]) -> (Token, usize) {
    let word: String = rest
        .iter()
        .take_while(|c| !is_space(**c) && !SIGNS.contains(**c))
        .collect();
    let length = word.chars().count();
    let token = match word.as_str() {
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => Token::Word(word),
    };
    (token, length)
}
