//! Expressions over evidence names: `stuck && (message || !good)`.
//!
//! They are evaluated with the three truth values of Kleene, so that what was not collected stays unknown until
//! something else decides.

use std::collections::BTreeSet;

use thiserror::Error;

/// True, false, or not to be known from what was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    pub fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::False, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    pub fn is_true(self) -> bool {
        self == Truth::True
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    Name(String),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at character {at} of `{source_text}`")]
pub struct ExprError {
    pub message: String,
    /// Counted from 1.
    pub at: usize,
    pub source_text: String,
}

/// Deepest nesting of parentheses and `!` that is accepted.
const MAX_DEPTH: usize = 64;

impl Expr {
    pub fn parse(source: &str) -> Result<Expr, ExprError> {
        let mut parser = Parser { chars: source.chars().collect(), at: 0, depth: 0 };
        let parsed = parser.or().and_then(|expr| match parser.peek() {
            None => Ok(expr),
            Some(')') => Err("`)` without `(`".to_owned()),
            Some(found) => Err(format!("expected `&&`, `||` or the end, found `{found}`")),
        });
        parsed.map_err(|message| ExprError { message, at: parser.at + 1, source_text: source.to_owned() })
    }

    pub fn eval(&self, truth_of: &impl Fn(&str) -> Truth) -> Truth {
        match self {
            Expr::Name(name) => truth_of(name),
            Expr::Not(inner) => !inner.eval(truth_of),
            Expr::And(left, right) => left.eval(truth_of).and(right.eval(truth_of)),
            Expr::Or(left, right) => left.eval(truth_of).or(right.eval(truth_of)),
        }
    }

    /// Every name in the expression, in the order of the alphabet.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect(&mut names);
        names
    }

    fn collect<'e>(&'e self, names: &mut BTreeSet<&'e str>) {
        match self {
            Expr::Name(name) => {
                names.insert(name);
            }
            Expr::Not(inner) => inner.collect(names),
            Expr::And(left, right) | Expr::Or(left, right) => {
                left.collect(names);
                right.collect(names);
            }
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    fn operator(&mut self, sign: char) -> Result<bool, String> {
        if self.peek() != Some(sign) {
            return Ok(false);
        }
        if self.chars.get(self.at + 1) != Some(&sign) {
            return Err(format!("a single `{sign}`; write `{sign}{sign}`"));
        }
        self.at += 2;
        Ok(true)
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.operator('|')? {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.unary()?;
        while self.operator('&')? {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        let expr = match self.peek() {
            Some('!') => {
                self.at += 1;
                Expr::Not(Box::new(self.unary()?))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.or()?;
                if self.peek() != Some(')') {
                    return Err("expected `)`".to_owned());
                }
                self.at += 1;
                inner
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => Expr::Name(self.name()),
            Some(found) => return Err(format!("expected the name of an evidence, found `{found}`")),
            None => return Err("expected the name of an evidence, found the end".to_owned()),
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(source: &str) -> Truth {
        Expr::parse(source).expect("parses").eval(&|name| match name {
            "t" => Truth::True,
            "f" => Truth::False,
            _ => Truth::Unknown,
        })
    }

    #[test]
    fn kleene_decides_only_what_is_decided() {
        assert_eq!(eval("t && u"), Truth::Unknown);
        assert_eq!(eval("f && u"), Truth::False);
        assert_eq!(eval("t || u"), Truth::True);
        assert_eq!(eval("f || u"), Truth::Unknown);
        assert_eq!(eval("!u"), Truth::Unknown);
        assert_eq!(eval("!f && t"), Truth::True);
        assert_eq!(eval("t || f && f"), Truth::True, "`&&` binds tighter than `||`");
        assert_eq!(eval("(t || f) && f"), Truth::False);
    }

    #[test]
    fn mistakes_name_their_place() {
        let error = |source: &str| Expr::parse(source).unwrap_err().to_string();
        assert_eq!(error("a & b"), "a single `&`; write `&&` at character 3 of `a & b`");
        assert_eq!(error("a b"), "expected `&&`, `||` or the end, found `b` at character 3 of `a b`");
        assert_eq!(error("(a"), "expected `)` at character 3 of `(a`");
        assert_eq!(error("a)"), "`)` without `(` at character 2 of `a)`");
        assert_eq!(error(""), "expected the name of an evidence, found the end at character 1 of ``");
        assert!(error(&"!".repeat(500)).contains("nested deeper"));
    }

    #[test]
    fn names_are_listed_once() {
        let expr = Expr::parse("b && (a || !b)").expect("parses");
        assert_eq!(expr.names().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }
}
