//! Finds the secrets of one piece of text: cheap literals first, the grammar and the patterns only on lines that hold one.

use std::collections::HashMap;
use std::ops::Range;

use super::columns::{self, Column, Row};
use super::fields::{self, Next};
use super::hit::Hit;
use super::literals::Literals;
use super::names::{Class, Kind, Names, PASSWORD, PRIVATE_KEY, SECRET, URL_PASSWORD};
use super::rules::{RuleError, RuleSet};
use super::shapes::{self, CompiledShape};
use super::value::{self, Setting};
use super::{encoded, pem, printed, shown, token, urls};

/// What a literal in a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It may be part of a telling name.
    Name,
    /// Try shape number so-and-so on the line.
    Shape(usize),
    Url,
    Pem,
    /// Base64 that may hold a text with secrets.
    Encoded,
    /// `data:` of what may be a Secret.
    Data,
    /// See [`Scanner::lone_option`].
    Option,
    /// A command that may print a secret.
    Print,
    /// See [`shown`]: the line is worth a look.
    Look,
}

/// What is open at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    #[default]
    None,
    /// See [`Next::ValueOf`]; so many lines to wait.
    ValueOf(Kind, bool, u8),
    Whole(Kind),
    Block(Kind, usize),
    /// See [`Next::List`].
    List(Kind, bool, usize),
    /// Inside a private key; so many other lines since the last one of it.
    Pem(u8),
    /// Beneath the head of a table.
    Column(Column),
    /// A command printed a secret, and its output follows; or, not so sure, a label stands alone on its line.
    Printed(Kind, bool),
    /// Beneath `data:` that is indented so far, or, if that is sure to be of a Secret, `stringData:`.
    Data(usize, bool),
}

/// What is kept from one line of a stream to the next.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub state: State,
    /// Names come again and again; what they say is looked up once.
    classes: HashMap<Box<[u8]>, Class>,
    found: Vec<(usize, usize, usize)>,
}

/// Most names that a session remembers.
const MAX_CLASSES: usize = 4096;

/// The compiled rules.
#[derive(Debug)]
pub(crate) struct Scanner {
    pub names: Names,
    shapes: Vec<CompiledShape>,
    /// Finds lines worth a look, and what in them is.
    literals: Literals,
    actions: Vec<Vec<Action>>,
    url: Kind,
    pem: Kind,
    encoded: Kind,
    password: Kind,
}

impl Scanner {
    pub fn new(rules: &RuleSet) -> Result<Scanner, RuleError> {
        let names = Names::new(rules);
        let shapes = shapes::compile(rules, &names)?;
        let mut literals: HashMap<String, Vec<Action>> = HashMap::new();
        let mut add = |literal: &str, action| literals.entry(literal.to_owned()).or_default().push(action);
        names.hints().iter().for_each(|hint| add(hint, Action::Name));
        add("://", Action::Url);
        pem::HEADS.iter().for_each(|head| add(head, Action::Pem));
        ["data:", "\"data\":", "\"data\\", "tringData"].iter().for_each(|word| add(word, Action::Data));
        [" -p", "\"-p", "'-p", "\t-p", " -a", "\"-a"].iter().for_each(|word| add(word, Action::Option));
        printed::PRINTERS.iter().for_each(|word| add(word, Action::Print));
        encoded::HEADS.iter().for_each(|head| add(head, Action::Encoded));
        for (i, shape) in shapes.iter().enumerate() {
            shape.literals.iter().for_each(|literal| add(literal, Action::Shape(i)));
        }
        shown::SIGNS.iter().for_each(|sign| add(sign, Action::Look));
        let mut literals: Vec<_> =
            literals.into_iter().map(|(word, actions)| (word.into_bytes(), actions)).collect();
        // What people call a secret in Chinese, as systems write it that know GBK alone.
        let chinese = literals.iter().filter(|(word, _)| !word.is_ascii());
        let gbk: Vec<_> = chinese
            .filter_map(|(word, _)| {
                Some((shown::in_gbk(std::str::from_utf8(word).ok()?), vec![Action::Look]))
            })
            .collect();
        literals.extend(gbk);
        literals.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        let (words, actions): (Vec<Vec<u8>>, Vec<Vec<Action>>) = literals.into_iter().unzip();
        let found = Literals::new(words.iter().map(Vec::as_slice));
        let kind = |name| names.kind_named(name);
        let (url, pem, encoded, password) =
            (kind(URL_PASSWORD), kind(PRIVATE_KEY), kind(SECRET), kind(PASSWORD));
        Ok(Scanner { names, shapes, literals: found, actions, url, pem, encoded, password })
    }

    /// Adds the secrets in `text`, a run of whole lines (the last may lack its end), to `hits`.
    pub fn scan(&self, text: &[u8], session: &mut Session, hits: &mut Vec<Hit>) {
        let mut at = 0;
        while at < text.len() {
            if session.state == State::None {
                let Some(found) = self.literals.find(text, at) else { return };
                at = memchr::memrchr(b'\n', &text[at..found]).map_or(at, |n| at + n + 1);
            }
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
            let from = hits.len();
            self.line(&text[at..end], session, hits, 0);
            self.lone_option(text, at..end, &mut session.state, hits);
            if hits.len() > from {
                spare_tokens(&text[at..end], from, hits);
            }
            for hit in &mut hits[from..] {
                hit.start += at;
                hit.end += at;
            }
            if hits.len() == from {
                hits.extend(self.value_above(text, at..end, session));
            }
            at = end + 1;
        }
    }

    /// The secrets in a command whose words `line` joins, by shape alone.
    pub fn command(&self, line: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut found = Vec::new();
        self.literals.find_all(line, &mut found);
        let actions = found.iter().flat_map(|(.., literal)| &self.actions[*literal]);
        let mut shapes: Vec<usize> = actions
            .filter_map(|action| if let Action::Shape(i) = action { Some(*i) } else { None })
            .collect();
        shapes.sort_unstable();
        shapes.dedup();
        shapes.iter().for_each(|i| hits.extend(self.shapes[*i].hits(line, &self.names)));
        hits
    }

    /// Whether `text` holds a secret; `depth` counts texts inside texts.
    pub fn holds_secret(&self, text: &[u8], depth: u8) -> bool {
        let mut session = Session::default();
        let mut hits = Vec::new();
        text.split(|b| *b == b'\n').any(|line| {
            self.line(line, &mut session, &mut hits, depth);
            !hits.is_empty()
        })
    }

    /// `value: x` on the line above `name: DB_PASSWORD`, which `line` is.
    fn value_above(&self, text: &[u8], line: Range<usize>, session: &mut Session) -> Option<Hit> {
        // An item that begins here has its value beneath.
        if text[line.clone()].trim_ascii_start().starts_with(b"-") {
            return None;
        }
        let name = member_of(&text[line.clone()], &[b"name", b"key", b"Name"])?;
        let name = trim_marks(&text[line.start + name..line.end]);
        if name.is_empty() || line.start == 0 {
            return None;
        }
        let Class::Secret { kind, strong } = self.classify(name, session) else { return None };
        let above = memchr::memrchr(b'\n', &text[..line.start - 1]).map_or(0, |n| n + 1)..line.start - 1;
        let value = member_of(&text[above.clone()], &[b"value", b"Value", b"defaultValue"])?;
        let found = fields::read_value_at(&text[above.clone()], value, kind, strong, &self.names);
        // It was beneath, after all, so nothing more is to come.
        session.state = State::None;
        let hit = found.hits.into_iter().next()?;
        Some(Hit { start: hit.start + above.start, end: hit.end + above.start, ..hit })
    }

    /// `-pSECRET`, or `-a` with the secret on the next line, as one line of a list of arguments, with its command a
    /// few lines above.
    fn lone_option(&self, text: &[u8], line: Range<usize>, state: &mut State, hits: &mut Vec<Hit>) {
        const GLUED: &[&[u8]] = &[
            b"mysql",
            b"mysqldump",
            b"mysqladmin",
            b"mysqlcheck",
            b"mysqlimport",
            b"mysqlsh",
            b"mariadb",
            b"mongodump",
        ];
        const APART: &[(&[u8], &[u8])] = &[
            (b"redis-cli", b"-a"),
            (b"sshpass", b"-p"),
            (b"mongodump", b"-p"),
            (b"mongo", b"-p"),
            (b"mongosh", b"-p"),
        ];
        const REACH: usize = 400;
        // Longer lines are no elements of a list.
        if line.len() > 300 {
            return;
        }
        let Some((start, word)) = list_word(&text[line.clone()]) else { return };
        if !word.starts_with(b"-p") && word != b"-a" {
            return;
        }
        let above = &text[line.start.saturating_sub(REACH)..line.start];
        let commands = above.rsplit(|b| *b == b'\n').skip(1).take(8).filter_map(list_word);
        for (_, command) in commands {
            let name = command.iter().rposition(|b| *b == b'/').map_or(command, |n| &command[n + 1..]);
            if word.len() > 2 && GLUED.contains(&name) {
                hits.push(Hit::new(start + 2, start + word.len(), self.password));
            } else if APART.contains(&(name, word)) {
                *state = State::Whole(self.password);
            }
        }
    }

    /// One line, as it is and as its reader sees it.
    fn line(&self, line: &[u8], session: &mut Session, hits: &mut Vec<Hit>, depth: u8) {
        let before = session.state;
        self.written_line(line, session, hits, depth);
        let Some(shown) = shown::shown(line) else { return };
        let after = std::mem::replace(&mut session.state, before);
        let from = hits.len();
        self.written_line(&shown.text, session, hits, depth);
        for hit in &mut hits[from..] {
            *hit = shown.place(hit);
        }
        if session.state == State::None {
            session.state = after;
        }
    }

    /// One line, and the lines that stand in it as `\n` of a string.
    fn written_line(&self, line: &[u8], session: &mut Session, hits: &mut Vec<Hit>, depth: u8) {
        self.plain_line(line, session, hits, depth);
        if memchr::memmem::find(line, b"\\n").is_none() {
            return;
        }
        let outer = std::mem::take(&mut session.state);
        let mut at = 0;
        while at < line.len() {
            let len = memchr::memmem::find(&line[at..], b"\\n").unwrap_or(line.len() - at);
            let end = at + len;
            let slashes = line[at..end].iter().rev().take_while(|b| **b == b'\\').count();
            let from = hits.len();
            self.plain_line(&line[at..end - slashes], session, hits, depth);
            for hit in &mut hits[from..] {
                hit.start += at;
                hit.end += at;
            }
            at = end + 2;
        }
        session.state = outer;
    }

    fn plain_line(&self, line: &[u8], session: &mut Session, hits: &mut Vec<Hit>, depth: u8) {
        if session.state != State::None && self.continues(line, &mut session.state, hits) {
            return;
        }
        let mut found = std::mem::take(&mut session.found);
        found.clear();
        self.literals.find_all(line, &mut found);
        found.sort_unstable();
        let mut tried = 0u128;
        let mut named_to = 0;
        for &(start, end, literal) in &found {
            for action in &self.actions[literal] {
                match *action {
                    Action::Name if start >= named_to => {
                        named_to = self.name(line, start, session, hits).max(start + 1);
                    }
                    Action::Name => {}
                    Action::Shape(i) => {
                        let bit = 1u128.checked_shl(i as u32).unwrap_or(0);
                        if tried & bit == 0 {
                            tried |= bit;
                            hits.extend(self.shapes[i].hits(line, &self.names));
                        }
                    }
                    Action::Url => hits.extend(urls::password(line, start, self.url)),
                    Action::Pem => {
                        if let Some((hit, open)) = pem::begin(line, start, self.pem) {
                            hits.extend(hit);
                            if open {
                                session.state = State::Pem(0);
                            }
                        }
                    }
                    Action::Encoded if depth < 2 => {
                        hits.extend(encoded::hit(line, start, self.encoded, |text| {
                            self.holds_secret(text, depth + 1)
                        }));
                    }
                    Action::Data => {
                        // The last thing on its line, but for a brace.
                        let rest = trim_start(&line[end..], b"\\\": \t").trim_ascii_end();
                        let sure = line[start..end] == *b"tringData";
                        if session.state == State::None && (rest.is_empty() || rest == b"{") {
                            session.state = State::Data(value::indent(line), sure);
                        } else if rest.starts_with(b"{") && rest.contains(&b'}') {
                            let at = memchr::memchr(b'{', &line[end..]).map_or(end, |n| end + n);
                            hits.extend(self.flow_members(line, at, sure));
                        }
                    }
                    Action::Print if session.state == State::None && printed::prints_secret(line) => {
                        session.state = State::Printed(self.encoded, true);
                    }
                    Action::Encoded | Action::Option | Action::Print | Action::Look => {}
                }
            }
        }
        session.found = found;
    }

    /// Reads the name that holds the byte at `at`; returns where the next name may begin.
    fn name(&self, line: &[u8], at: usize, session: &mut Session, hits: &mut Vec<Hit>) -> usize {
        let name = fields::name_around(line, at);
        let class = self.classify(&line[name.clone()], session);
        if class == Class::Plain {
            return name.end;
        }
        let range = name.clone();
        let found = fields::read(line, name, class, &self.names);
        match found.next {
            Next::Any => {}
            Next::ValueOf(kind, strong) => session.state = State::ValueOf(kind, strong, 4),
            Next::Whole(kind) => session.state = State::Whole(kind),
            Next::Alone(kind) => session.state = State::Printed(kind, false),
            Next::Block(kind, indent) => session.state = State::Block(kind, indent),
            Next::List(kind, strong, indent) => session.state = State::List(kind, strong, indent),
        }
        if found.hits.is_empty()
            && found.next == Next::Any
            && let Class::Secret { kind, strong } = class
        {
            hits.extend(columns::inserted(line, &range, kind, &self.names));
            if let Some(column) = columns::column(line, &range, kind, strong) {
                session.state = State::Column(column);
            }
        }
        hits.extend(found.hits);
        found.resume
    }

    /// The members of `{…}` at `at`, on one line: those that are base64 of a text, or, if it is sure that they are of a
    /// Secret, all.
    fn flow_members(&self, line: &[u8], at: usize, sure: bool) -> Vec<Hit> {
        let mut hits = Vec::new();
        let end = memchr::memchr(b'}', &line[at..]).map_or(line.len(), |n| at + n);
        let mut from = at + 1;
        while from < end {
            let to = memchr::memchr(b',', &line[from..end]).map_or(end, |n| from + n);
            match encoded::member(line, from..to, self.encoded) {
                Some(hit) => hits.push(hit),
                None if sure => {
                    let colon = memchr::memchr(b':', &line[from..to]).map(|n| from + n + 1);
                    if let Some((start, end)) = colon.and_then(|from| {
                        let (start, end) = self.element(&line[from..to])?;
                        Some((from + start, from + end))
                    }) {
                        hits.push(Hit::new(start, end, self.encoded));
                    }
                }
                None => {}
            }
            from = to + 1;
        }
        hits
    }

    fn classify(&self, name: &[u8], session: &mut Session) -> Class {
        if let Some(class) = session.classes.get(name) {
            return *class;
        }
        let class = self.names.classify(name);
        if session.classes.len() < MAX_CLASSES {
            session.classes.insert(name.into(), class);
        }
        class
    }

    /// Where the one value of a line of a list stands, if it can be a secret.
    fn element(&self, line: &[u8]) -> Option<(usize, usize)> {
        let mut start = line.iter().position(|b| !b" \t\r\"'`,".contains(b))?;
        if line[start..].starts_with(b"- ") {
            start += 2 + line[start + 2..].iter().position(|b| !b" \"'`".contains(b))?;
        } else if line[start..].starts_with(b": ") {
            // `? password` and beneath it `: x`.
            start += 2 + line[start + 2..].iter().position(|b| !b" \"'`".contains(b))?;
        }
        let end = line.iter().rposition(|b| !b" \t\r\"'`,".contains(b))? + 1;
        let setting = Setting { quoted: true, colon: false, strong: true };
        (start < end && !value::is_no_secret(&line[start..end], setting, &self.names)).then_some((start, end))
    }

    /// A line beneath `passwords:` or `"passwords": [`: an element, a member of a map, or the one value.
    fn beneath(
        &self,
        line: &[u8],
        (kind, strong, above): (Kind, bool, usize),
        state: &mut State,
        hits: &mut Vec<Hit>,
    ) -> bool {
        let text = line.trim_ascii();
        let own = value::indent(line);
        let item = text.starts_with(b"- ") || text.starts_with(b"\"");
        if text.is_empty() || own <= above && !item {
            *state = State::None;
            return false;
        }
        if let Some(colon) = text.iter().position(|b| *b == b':') {
            let head = line.len() - line.trim_ascii_start().len();
            let (key, from) = (text[..colon].trim_ascii(), head + colon + 1);
            let key = key.strip_prefix(b"- ").unwrap_or(key);
            let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
            if let Some((start, end)) = self.element(&line[from..])
                && (strong && is_value_key(key)
                    || self.names.is_secret_member(key, &line[from + start..from + end]))
                && self.names.classify(key) == Class::Plain
            {
                hits.push(Hit::new(from + start, from + end, kind));
                return true;
            }
            return false;
        }
        if !strong || !item && text.iter().any(u8::is_ascii_whitespace) {
            *state = State::None;
            return false;
        }
        if let Some((start, end)) = self.element(line) {
            hits.push(Hit::new(start, end, kind));
        }
        if !item {
            *state = State::None;
        }
        true
    }

    /// Deals with what the lines before left open; true if the line is done with.
    fn continues(&self, line: &[u8], state: &mut State, hits: &mut Vec<Hit>) -> bool {
        match *state {
            State::None => false,
            State::ValueOf(kind, strong, left) => {
                *state = if left > 1 { State::ValueOf(kind, strong, left - 1) } else { State::None };
                let text = line.trim_ascii_start();
                let begin = line.len() - text.len();
                let text = text.strip_prefix(b"- ").unwrap_or(text);
                let bare = text.trim_ascii_start();
                let bare = bare.strip_prefix(b"\"").or_else(|| bare.strip_prefix(b"\\\"")).unwrap_or(bare);
                let lower: Vec<u8> = bare.iter().take(6).map(u8::to_ascii_lowercase).collect();
                if lower.starts_with(b"valuef") || text.starts_with(b"}") || bare.starts_with(b"name") {
                    *state = State::None;
                    return false;
                }
                let value = lower.starts_with(b"value") || lower.starts_with(b"defaul") || lower == b"<value";
                if !value {
                    return false;
                }
                *state = State::None;
                let Some(colon) = line[begin..].iter().position(|b| b":=>".contains(b)).map(|n| begin + n)
                else {
                    return false;
                };
                let found = fields::read_value_at(line, colon + 1, kind, strong, &self.names);
                if let Next::Block(kind, indent) = found.next {
                    *state = State::Block(kind, indent);
                }
                let some = !found.hits.is_empty();
                hits.extend(found.hits);
                some
            }
            State::Whole(kind) => {
                *state = State::None;
                let Some((start, end)) = self.element(line) else { return false };
                // Another option, not a value.
                if line[start..].starts_with(b"--") {
                    return false;
                }
                hits.push(Hit::new(start, end, kind));
                true
            }
            State::List(kind, strong, above) => self.beneath(line, (kind, strong, above), state, hits),
            State::Block(kind, indent) => {
                let text = line.trim_ascii();
                if text.is_empty() {
                    return true;
                }
                let own = value::indent(line);
                if own <= indent {
                    *state = State::None;
                    return false;
                }
                let end = line.trim_ascii_end().len();
                hits.push(Hit::new(own, end, kind));
                true
            }
            State::Column(column) => {
                match column.row(line, &self.names) {
                    Row::Cell(hit) => hits.extend(hit),
                    Row::End => *state = State::None,
                }
                false
            }
            State::Printed(kind, sure) => {
                *state = State::None;
                let text = line.trim_ascii();
                // The answer of a client to `CONFIG GET` begins with the name.
                if text.starts_with(b"1) \"") {
                    *state = State::Printed(kind, sure);
                    return false;
                }
                // The prompt may follow on the same line: `S3cret[root@bk ~]#`.
                let prompt = text.ends_with(b"#") || text.ends_with(b"$");
                let len = memchr::memchr(b'[', text).filter(|_| prompt).unwrap_or(text.len());
                let Some(word) = printed::word(&text[..len]) else { return false };
                let start = line.len() - line.trim_ascii_start().len() + word.start;
                let setting = Setting { quoted: false, colon: false, strong: true };
                let end = start + word.len();
                let word = &line[start..end];
                if word.len() < 4
                    || word.ends_with(b":")
                    || word.iter().any(u8::is_ascii_whitespace)
                    || !sure && !value::is_said(word)
                    || value::is_no_secret(word, setting, &self.names)
                {
                    return false;
                }
                hits.push(Hit::new(start, end, kind));
                true
            }
            State::Data(above, sure) => {
                if !line.trim_ascii().is_empty() && value::indent(line) <= above {
                    *state = State::None;
                } else if let Some(hit) = encoded::member(line, 0..line.len(), self.encoded) {
                    hits.push(hit);
                } else if sure && let Some(colon) = memchr::memchr(b':', line) {
                    let found = fields::read_value_at(line, colon + 1, self.encoded, true, &self.names);
                    if let Next::Block(kind, indent) = found.next {
                        *state = State::Block(kind, indent);
                    }
                    hits.extend(found.hits);
                }
                false
            }
            State::Pem(between) => match pem::body(line, self.pem) {
                // After a gap a short word may be anything.
                pem::Body::Key(Some(hit)) if between == pem::PERHAPS && hit.end - hit.start < pem::LINE => {
                    *state = State::None;
                    false
                }
                pem::Body::Key(Some(hit)) => {
                    hits.push(hit);
                    *state = State::Pem(0);
                    true
                }
                pem::Body::Key(None) => false,
                pem::Body::End(hit) => {
                    hits.extend(hit);
                    *state = State::None;
                    true
                }
                // Another thread wrote in between: the key may go on.
                pem::Body::Other if between < pem::MAX_BETWEEN => {
                    *state = State::Pem(between + 1);
                    false
                }
                pem::Body::Other => {
                    *state = State::None;
                    false
                }
            },
        }
    }
}

/// Drops hits from number `from` on that lie within a token: `password` in `***password:1a2b3c4d***` is no name.
fn spare_tokens(line: &[u8], from: usize, hits: &mut Vec<Hit>) {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&line[at..], b"***").map(|n| at + n) {
        let Some(len) = token::length_at(&line[found..]) else {
            at = found + 1;
            continue;
        };
        // A name within the token leads to a value that may end beyond it.
        let inside = |hit: &Hit| {
            hit.start > found && hit.start < found + len || hit.start == found && hit.end <= found + len
        };
        let mut number = 0;
        hits.retain(|hit| {
            number += 1;
            number <= from || !inside(hit)
        });
        at = found + len;
    }
}

/// The word of a line that holds but one, without marks of lists and strings, and where it starts.
fn list_word(line: &[u8]) -> Option<(usize, &[u8])> {
    let mut start = line.iter().position(|b| !b" \t\"'".contains(b))?;
    if line[start..].starts_with(b"- ") {
        start += 2 + line[start + 2..].iter().position(|b| !b" \"'".contains(b))?;
    }
    let end = line.iter().rposition(|b| !b" \t\r\"',".contains(b))? + 1;
    let word = line.get(start..end)?;
    (!word.is_empty() && !word.iter().any(u8::is_ascii_whitespace)).then_some((start, word))
}

/// Where the value of the one member on `line` begins, if its key is among `keys`: `- name: x`, `"name": "x",`.
fn member_of(line: &[u8], keys: &[&[u8]]) -> Option<usize> {
    let head = line.iter().take_while(|b| b" \t-\"'".contains(b)).count();
    let len = line[head..].iter().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
    let rest = trim_start(&line[head + len..], b"\"' ");
    let colon = line.len() - rest.len();
    (rest.starts_with(b":") && keys.contains(&&line[head..head + len])).then_some(colon + 1)
}

/// `value:` beneath `password:`.
fn is_value_key(key: &[u8]) -> bool {
    matches!(
        key.to_ascii_lowercase().as_slice(),
        b"value" | b"default" | b"defaultvalue" | b"plaintext" | b"content"
    )
}

fn trim_start<'a>(text: &'a [u8], marks: &[u8]) -> &'a [u8] {
    &text[text.iter().take_while(|b| marks.contains(b)).count()..]
}

fn trim_marks(text: &[u8]) -> &[u8] {
    let text = trim_start(text, b" \t\"'");
    &text[..text.iter().rposition(|b| !b" \t\r\"',".contains(b)).map_or(0, |n| n + 1)]
}
