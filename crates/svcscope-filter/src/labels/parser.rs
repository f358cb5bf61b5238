//! From tokens to requirements, production by production as in the parser of apimachinery.

use std::collections::BTreeSet;

use super::{
    LabelCondition, LabelFilterError, LabelRequirement, names,
    tokens::{PositionedToken, SelectorToken, tokens},
};

/// Reads all requirements of a selector.
pub(super) fn requirements(text: &str) -> Result<Vec<LabelRequirement>, LabelFilterError> {
    let tokens = tokens(text);
    let mut parser = LabelFilterParser {
        tokens: &tokens,
        at: 0,
    };
    let mut found = Vec::new();
    loop {
        match parser.peek() {
            SelectorToken::End => return Ok(found),
            token if token.as_word().is_some() || *token == SelectorToken::Not => {
                found.push(parser.requirement()?);
            }
            token => return Err(parser.expected(token, "a label or “!”")),
        }
        match parser.peek() {
            SelectorToken::End => return Ok(found),
            SelectorToken::Comma => {
                parser.at += 1;
                let next = parser.peek();
                if next.as_word().is_none() && *next != SelectorToken::Not {
                    return Err(parser.expected(next, "a label after “,”"));
                }
            }
            token => return Err(parser.expected(token, "“,” or the end")),
        }
    }
}

struct LabelFilterParser<'a> {
    tokens: &'a [PositionedToken],
    at: usize,
}

impl<'a> LabelFilterParser<'a> {
    fn peek(&self) -> &'a SelectorToken {
        self.tokens
            .get(self.at)
            .map_or(&SelectorToken::End, |(_, token)| token)
    }

    /// Where the next token stands; the end where there is none.
    fn position(&self) -> usize {
        let at = self.tokens.get(self.at).or_else(|| self.tokens.last());
        at.map_or(0, |(position, _)| *position)
    }

    fn error(&self, message: impl Into<String>) -> LabelFilterError {
        LabelFilterError {
            position: self.position(),
            message: message.into(),
        }
    }

    fn expected(&self, found: &SelectorToken, wanted: &str) -> LabelFilterError {
        self.error(format!("found {}, expected {wanted}", found.quoted()))
    }

    fn requirement(&mut self) -> Result<LabelRequirement, LabelFilterError> {
        let missing = *self.peek() == SelectorToken::Not;
        if missing {
            self.at += 1;
        }
        let Some(key) = self.peek().as_word() else {
            return Err(self.expected(self.peek(), "a label"));
        };
        names::check_key(key).map_err(|message| self.error(message))?;
        self.at += 1;
        let wants = match self.peek() {
            _ if missing => LabelCondition::Missing,
            SelectorToken::End | SelectorToken::Comma => LabelCondition::Exists,
            _ => self.operation()?,
        };
        Ok(LabelRequirement {
            key: key.to_owned(),
            condition: wants,
        })
    }

    fn operation(&mut self) -> Result<LabelCondition, LabelFilterError> {
        let operator = self.peek();
        let known = matches!(
            operator,
            SelectorToken::Equals
                | SelectorToken::DoubleEquals
                | SelectorToken::NotEquals
                | SelectorToken::In
                | SelectorToken::NotIn
                | SelectorToken::Above
                | SelectorToken::Below
        );
        if !known {
            return Err(self.expected(operator, "one of = == != in notin > <, “,” or the end"));
        }
        self.at += 1;
        Ok(match operator {
            SelectorToken::In => LabelCondition::In(self.values()?),
            SelectorToken::NotIn => LabelCondition::NotIn(self.values()?),
            SelectorToken::Above => LabelCondition::Above(self.number()?),
            SelectorToken::Below => LabelCondition::Below(self.number()?),
            SelectorToken::NotEquals => LabelCondition::NotIn(BTreeSet::from([self.value()?])),
            _ => LabelCondition::In(BTreeSet::from([self.value()?])),
        })
    }

    /// What stands after an operator for one value; nothing is the empty value.
    fn value(&mut self) -> Result<String, LabelFilterError> {
        match self.peek() {
            SelectorToken::End | SelectorToken::Comma => Ok(String::new()),
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

    fn number(&mut self) -> Result<i64, LabelFilterError> {
        let at = self.at;
        let value = self.value()?;
        value.parse().map_err(|_not_a_number| {
            self.at = at;
            self.error("“>” and “<” compare with a whole number")
        })
    }

    /// `(a,b)`; between two commas, and between a comma and a parenthesis, stands the empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, LabelFilterError> {
        if *self.peek() != SelectorToken::Open {
            return Err(self.expected(self.peek(), "“(”"));
        }
        let opened = self.at;
        self.at += 1;
        if *self.peek() == SelectorToken::Close {
            self.at = opened;
            return Err(self.error("between “(” and “)” must stand at least one value"));
        }
        let mut values = BTreeSet::new();
        loop {
            match self.peek() {
                SelectorToken::Comma | SelectorToken::Close => {
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
                SelectorToken::Comma => self.at += 1,
                SelectorToken::Close => {
                    self.at += 1;
                    return Ok(values);
                }
                token => return Err(self.expected(token, "“,” or “)”")),
            }
        }
    }
}
