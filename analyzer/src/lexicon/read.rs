//! The readings of one line.

use serde_json::{Map, Value, json};

use super::set::{Lexicon, Reading};
use crate::matching::clean::clean;
use crate::matching::literal_set::Amount;

/// Bytes of a line that are read: the error of a longer one stands near its beginning or its end.
const LONGEST: usize = 8 << 10;
/// Bytes of a named group.
const LONGEST_GROUP: usize = 256;

/// One reading of a line.
#[derive(Debug)]
pub struct Read<'l> {
    pub reading: &'l Reading,
    /// The named groups.
    pub fields: Map<String, Value>,
    /// Byte at which the words end: what is said last is the innermost cause.
    end: usize,
}

impl Lexicon {
    /// What a line says, best reading first: the most precise, then what stands last in the line.
    pub fn read(&self, line: &str) -> Vec<Read<'_>> {
        let line = clean(line);
        let whole: String;
        let line: &str = if line.len() > LONGEST {
            whole = format!("{} {}", &line[..line.floor_char_boundary(LONGEST / 2)], {
                &line[line.ceil_char_boundary(line.len() - LONGEST / 2)..]
            });
            &whole
        } else {
            &line
        };
        let mut tried: Vec<(u32, u32)> = Vec::new();
        self.literals.find(line.as_bytes(), Amount::Little, |literal| tried.extend(literal.owners));
        tried.sort_unstable();
        tried.dedup();
        let mut found: Vec<(u32, Read)> = Vec::new();
        for (index, nth) in tried {
            if found.last().is_some_and(|(last, _)| *last == index) {
                continue;
            }
            let reading = self.at(index);
            let pattern = &reading.patterns[nth as usize];
            let Some(captures) = pattern.regex().captures_iter(line).last() else { continue };
            if reading.is_another_thing(line) {
                continue;
            }
            let end = captures.get(0).map_or(0, |whole| whole.end());
            let named = pattern.groups().iter().filter_map(|name| {
                let value = captures.name(name)?.as_str();
                Some((name.clone(), json!(&value[..value.floor_char_boundary(LONGEST_GROUP)])))
            });
            found.push((index, Read { reading, fields: named.collect(), end }));
        }
        found.sort_by(|(a_at, a), (b_at, b)| {
            a.reading
                .spec
                .precision
                .cmp(&b.reading.spec.precision)
                .then(b.end.cmp(&a.end))
                .then(a_at.cmp(b_at))
        });
        found.into_iter().map(|(_, read)| read).collect()
    }
}
