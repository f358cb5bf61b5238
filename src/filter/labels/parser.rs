//! From tokens to requirements, production by production as in the parser of apimachinery.

use std::collections::BTreeSet;

use super::{
    LabelSelectorError, Requirement, Wants, names,
    tokens::{Placed, Token, tokens},
};

/// Reads all requirements of a selector.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, LabelSelectorError> {
    let tokens = tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    let mut found = Vec::new();
    loop {
        match parser.peek() {
            Token::End => return Ok(found),
            token if token.as_word().is_some() || *token == Token::Not => {
                found.push(parser.requirement()?);
            }
            token => return Err(parser.expected(token, "a label or “!”")),
        }
        match parser.peek() {
            Token::End => return Ok(found),
            Token::Comma => {
                parser.at += 1;
                let next = parser.peek();
                if next.as_word().is_none() && *next != Token::Not {
                    return Err(parser.expected(next, "a label after “,”"));
                }
            }
            token => return Err(parser.expected(token, "“,” or the end")),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Placed],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a Token {
        self.tokens
            .get(self.at)
            .map_or(&Token::End, |(_, token)| token)
    }

    /// Where the next token stands; the end where there is none.
    fn position(&self) -> usize {
        let at = self.tokens.get(self.at).or_else(|| self.tokens.last());
        at.map_or(0, |(position, _)| *position)
    }

    fn error(&self, message: impl Into<String>) -> LabelSelectorError {
        LabelSelectorError {
            position: self.position(),
            message: message.into(),
        }
    }

    fn expected(&self, found: &Token, wanted: &str) -> LabelSelectorError {
        self.error(format!("found {}, expected {wanted}", found.said()))
    }

    fn requirement(&mut self) -> Result<Requirement, LabelSelectorError> {
        let missing = *self.peek() == Token::Not;
        if missing {
            self.at += 1;
        }
        let Some(key) = self.peek().as_word() else {
            return Err(self.expected(self.peek(), "a label"));
        };
        names::check_key(key).map_err(|message| self.error(message))?;
        self.at += 1;
        let wants = match self.peek() {
            _ if missing => Wants::Missing,
            Token::End | Token::Comma => Wants::Exists,
            _ => self.operation()?,
        };
        Ok(Requirement {
            key: key.to_owned(),
            wants,
        })
    }

    fn operation(&mut self) -> Result<Wants, LabelSelectorError> {
        let operator = self.peek();
        let known = matches!(
            operator,
            Token::Equals
                | Token::DoubleEquals
                | Token::NotEquals
                | Token::In
                | Token::NotIn
                | Token::Above
                | Token::Below
        );
        if !known {
            return Err(self.expected(operator, "one of = == != in notin > <, “,” or the end"));
        }
        self.at += 1;
        Ok(match operator {
            Token::In => Wants::In(self.values()?),
            Token::NotIn => Wants::NotIn(self.values()?),
            Token::Above => Wants::Above(self.number()?),
            Token::Below => Wants::Below(self.number()?),
            Token::NotEquals => Wants::NotIn(BTreeSet::from([self.value()?])),
            _ => Wants::In(BTreeSet::from([self.value()?])),
        })
    }

    /// What stands after an operator for one value; nothing is the empty value.
    fn value(&mut self) -> Result<String, LabelSelectorError> {
        match self.peek() {
            Token::End | Token::Comma => Ok(String::new()),
            token => match token.as_word() {
                Some(word) => {
                    names::check_value(word).map_err(|message| self.error(message))?;
                    self.at += 1;
                    Ok(word.to_owned())
                }
                None => Err(self.expected(token, "a value")),
            },
        }
    }

    fn number(&mut self) -> Result<i64, LabelSelectorError> {
        let at = self.at;
        let value = self.value()?;
        value.parse().map_err(|_not_a_number| {
            self.at = at;
            self.error("“>” and “<” compare with a whole number")
        })
    }

    /// `(a,b)`; between two commas, and between a comma and a parenthesis, stands the empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, LabelSelectorError> {
        if *self.peek() != Token::Open {
            return Err(self.expected(self.peek(), "“(”"));
        }
        let opened = self.at;
        self.at += 1;
        if *self.peek() == Token::Close {
            self.at = opened;
            return Err(self.error("between “(” and “)” must stand at least one value"));
        }
        let mut values = BTreeSet::new();
        loop {
            match self.peek() {
                Token::Comma | Token::Close => {
                    values.insert(String::new());
                }
                token => match token.as_word() {
                    Some(word) => {
                        names::check_value(word).map_err(|message| self.error(message))?;
                        values.insert(word.to_owned());
                        self.at += 1;
                    }
                    None => return Err(self.expected(token, "a value or “)”")),
                },
            }
            match self.peek() {
                Token::Comma => self.at += 1,
                Token::Close => {
                    self.at += 1;
                    return Ok(values);
                }
                token => return Err(self.expected(token, "“,” or “)”")),
            }
        }
    }
}
