//! A telling name and the value that goes with it, in one line, however the two are written.
//!
//! `password: x`, `PASSWORD=x`, `{"password": "x"}` at any depth of quoting, `<password>x</password>`,
//! `--password x`, `{"name": "DB_PASSWORD", "value": "x"}`, `["--requirepass", "x"]`, `&token=x&`, `密码：x`.
//! The grammar is written by hand, since what ends a value depends on how it began: here is what joins a name and its
//! value, and in [`extent`] where the value begins and ends.

use std::ops::Range;

use super::hit::Hit;
use super::names::{Class, Kind, MAX_NAME, Names};
use super::value;

mod extent;

/// What the line says about the line after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Any,
    /// `- name: DB_PASSWORD`: a `value:` that follows is the secret.
    ValueOf(Kind, bool),
    /// `--requirepass` alone: the next line is the secret.
    Whole(Kind),
    /// `DB_PASSWORD` alone on its line: the next one is the secret if it looks like one.
    Alone(Kind),
    /// `"passwords": [` or `passwords:`: a list of them may follow, or a map of names to them, or one on a line of its
    /// own, indented deeper than this.
    List(Kind, bool, usize),
    /// `password: |`: the lines that are indented deeper than this are the secret.
    Block(Kind, usize),
}

/// What a name led to.
pub(crate) struct Found {
    pub hits: Vec<Hit>,
    pub next: Next,
    /// Where the search for further names goes on.
    pub resume: usize,
}

/// The range of the name that holds the bytes at `at`.
pub(crate) fn name_around(line: &[u8], at: usize) -> Range<usize> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"_-.$/".contains(b) || *b >= 0x80;
    let ascii = |b: &u8| part(b) && *b < 0x80;
    // A name of Chinese words ends at the first word of another script, or every sentence would be one name.
    let test: &dyn Fn(&u8) -> bool = if line[at] < 0x80 { &ascii } else { &|b| *b >= 0x80 };
    let floor = at.saturating_sub(MAX_NAME);
    let start = line[floor..at].iter().rposition(|b| !test(b)).map_or(floor, |n| floor + n + 1);
    let ceiling = line.len().min(at + MAX_NAME);
    let mut end = line[at..ceiling].iter().position(|b| !test(b)).map_or(ceiling, |n| at + n);
    if line[at] >= 0x80 {
        // `密码：` the full-width colon is no part of the name, nor is what comes after it.
        for mark in ["：", "＝", "，", "。", "是", "为"] {
            if let Some(n) = memchr::memmem::find(&line[at..end], mark.as_bytes()) {
                end = end.min(at + n);
            }
        }
    }
    // The `n` of `\n` before the name is no part of it.
    let escape = start > 0 && line[start - 1] == b'\\' && b"nrt".contains(&line[start]) && start < at;
    let start = start + usize::from(escape);
    // `$` starts a variable, `/` ends a path before the name.
    let cut = line[start..end].iter().rposition(|b| b"$/".contains(b)).map_or(start, |n| start + n + 1);
    let start = if cut <= at { cut } else { start };
    let end = line[at..end].iter().position(|b| b"$/".contains(b)).map_or(end, |n| at + n);
    let end = memchr::memmem::find(&line[at..end], b"...").map_or(end, |n| at + n);
    start..end
}

/// The secrets that the name at `name` leads to; `class` is what the name says.
pub(crate) fn read(line: &[u8], name: Range<usize>, class: Class, names: &Names) -> Found {
    let (kind, strong, weak) = match class {
        Class::Plain => return Found { hits: Vec::new(), next: Next::Any, resume: name.end },
        Class::Secret { kind, strong } => (kind, strong, false),
        Class::Weak(kind) => (kind, false, true),
    };
    let mut reader = Reader { line, name, kind, strong, weak, names, hits: Vec::new(), next: Next::Any };
    let resume = reader.run();
    Found { hits: reader.hits, next: reader.next, resume }
}

/// The secret that stands as the value of a `value:` line, or alone on its line.
pub(crate) fn read_value_at(line: &[u8], at: usize, kind: Kind, strong: bool, names: &Names) -> Found {
    let mut reader =
        Reader { line, name: at..at, kind, strong, weak: false, names, hits: Vec::new(), next: Next::Any };
    let at = reader.skip_spaces(at);
    reader.value(at, Separator::Colon, true);
    Found { hits: reader.hits, next: reader.next, resume: at }
}

struct Reader<'a> {
    line: &'a [u8],
    name: Range<usize>,
    kind: Kind,
    strong: bool,
    weak: bool,
    names: &'a Names,
    hits: Vec<Hit>,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Equals,
    Colon,
    /// `--password x`
    Space,
    /// `<password>x</`
    Tag,
    /// `%3D`
    Percent,
    /// `["--password", "x"]`
    Comma,
}

impl<'a> Reader<'a> {
    fn at(&self, i: usize) -> u8 {
        self.line.get(i).copied().unwrap_or(b'\n')
    }

    fn rest(&self, i: usize) -> &'a [u8] {
        self.line.get(i..).unwrap_or_default()
    }

    fn skip_spaces(&self, mut i: usize) -> usize {
        while matches!(self.at(i), b' ' | b'\t') {
            i += 1;
        }
        i
    }

    /// Skips `\`…`"` and says how many backslashes and which quote.
    fn quote(&self, i: usize) -> Option<(usize, u8, usize)> {
        let slashes = self.rest(i).iter().take_while(|b| **b == b'\\').count();
        let quote = self.at(i + slashes);
        b"\"'`".contains(&quote).then_some((slashes, quote, i + slashes + 1))
    }

    fn run(&mut self) -> usize {
        let flag = self.line[self.name.clone()].starts_with(b"-");
        let before = self.line[..self.name.start].last().copied().unwrap_or(b'\n');
        if before == b'<' && self.at(self.name.end) == b'>' {
            // `AUTH <password> called`: what opens no element.
            if self.closes_element(self.name.end) || self.line[..self.name.start - 1].trim_ascii().is_empty()
            {
                self.value(self.name.end + 1, Separator::Tag, false);
            }
            return self.name.end;
        }
        if self.is_checksum_or_test() {
            return self.name.end;
        }
        let quoted = self.quote(self.name.end);
        let mut i = quoted.map_or(self.name.end, |(.., end)| end);
        // `config['password'] = `, `("password")`
        while matches!(self.at(i), b']' | b')') {
            i += 1;
        }
        // `password[0]=`, `password(16):`
        if matches!(self.at(i), b'[' | b'(') {
            let digits = self.rest(i + 1).iter().take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 && matches!(self.at(i + 1 + digits), b']' | b')') {
                i += digits + 2;
            }
        }
        let after_quote = i;
        i = self.skip_spaces(i);
        let spaced = i > after_quote;
        let rest = self.rest(i);
        // `password......x`, as tables of settings in logs have it.
        let dots = rest.iter().take_while(|b| **b == b'.').count();
        let separator = if dots > 2 && !spaced && rest.get(dots).is_some_and(u8::is_ascii_graphic) {
            Some((Separator::Equals, dots))
        } else if quoted.is_some() && rest.starts_with(b">") && self.is_value_of_name_key() {
            // `<entry key="db.password">x</entry>`
            Some((Separator::Tag, 1))
        } else if self.strong && rest.starts_with(b":: ") {
            // Base64, as LDIF has it.
            Some((Separator::Colon, 2))
        } else if rest.starts_with("是否".as_bytes()) {
            None
        } else if [b"=>", b"->", b":=", b"?=", b"+="].iter().any(|mark| rest.starts_with(*mark)) {
            Some((Separator::Equals, 2))
        } else if rest.starts_with(b"==") || rest.starts_with(b"=~") || rest.starts_with(b"::") {
            None
        } else if rest.starts_with(b"=") {
            Some((Separator::Equals, 1))
        } else if rest.starts_with(b":") {
            Some((Separator::Colon, 1))
        } else if let Some(mark) = ["：", "＝", "是", "为"].iter().find(|m| rest.starts_with(m.as_bytes()))
        {
            let colon = ["：", ":"].iter().find(|m| rest[mark.len()..].starts_with(m.as_bytes()));
            Some((Separator::Colon, mark.len() + colon.map_or(0, |m| m.len())))
        } else if rest.starts_with(b"%3D") || rest.starts_with(b"%3d") || rest.starts_with(b"%3A") {
            Some((Separator::Percent, 3))
        } else if rest.starts_with(b"\\u003d") {
            Some((Separator::Equals, 6))
        } else if quoted.is_some()
            && rest.starts_with(b",")
            && rest.len() > 1
            && (flag || self.is_tuple(before))
        {
            Some((Separator::Comma, 1))
        } else if spaced && (flag || self.is_set()) && !rest.is_empty() && !rest.starts_with(b"-") {
            Some((Separator::Space, 0))
        } else if self.is_record(rest) {
            Some((Separator::Space, 1))
        } else if spaced && quoted.is_none() && self.is_said(rest) {
            Some((Separator::Space, if rest.starts_with(b"is ") { 3 } else { 0 }))
        } else {
            None
        };
        match separator {
            Some((separator, len)) => self.value(i + len, separator, quoted.is_some()),
            None => self.pair(i, flag),
        }
        self.hits.last().map_or(self.name.end, |hit| hit.end.max(self.name.end))
    }

    /// `DB_PASSWORD|x`, `"DB_PASSWORD","x"`: a row of two cells, of which the second looks like a password.
    fn is_record(&self, rest: &[u8]) -> bool {
        let name = &self.line[self.name.clone()];
        let shouted = self.strong && !name.iter().any(u8::is_ascii_lowercase) && name.is_ascii();
        let Some((mark, cell)) = rest.split_first() else { return false };
        let cell = cell.trim_ascii();
        let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
        shouted && b"|;,".contains(mark) && self.begins_line() && is_word(cell) && value::is_said(cell)
    }

    /// `('password', 'x')`: a pair, unless it lists names of fields.
    fn is_tuple(&self, before_name: u8) -> bool {
        let opener = self.line[..self.name.start].iter().rev().find(|b| !b"\"'`\\ ".contains(b));
        b"\"'`".contains(&before_name) && opener == Some(&b'(')
    }

    /// `requirepass x` in redis.conf, `CONFIG SET requirepass x`, `fastcgi_param DB_PASSWORD x`.
    fn is_set(&self) -> bool {
        let before = self.word_before();
        if self.names.is_setter(&before) {
            return true;
        }
        (self.begins_line() || before == b"set") && self.names.is_directive(&self.line[self.name.clone()])
    }

    /// The word before the name, in small letters.
    fn word_before(&self) -> Vec<u8> {
        let head = self.line[..self.name.start].trim_ascii_end();
        let start = head.iter().rposition(u8::is_ascii_whitespace).map_or(0, |n| n + 1);
        head[start..].to_ascii_lowercase()
    }

    fn variable_before(&self) -> bool {
        trim_end(&self.line[..self.name.start], b"\"' ").ends_with(b"variable")
    }

    /// Whether `</` stands behind `at`.
    fn closes_element(&self, at: usize) -> bool {
        memchr::memmem::find(self.rest(at), b"</").is_some()
    }

    /// `checksum/secret: 4d96…`, `--- PASS: TestSecret`.
    fn is_checksum_or_test(&self) -> bool {
        let head = &self.line[..self.name.start];
        head.ends_with(b"checksum/") || head.ends_with(b"=== ") || head.ends_with(b"--- ")
    }

    /// `the password is x1`, `password x1` alone on a line, `密码 x1`: the word after must look like a password.
    fn is_said(&self, rest: &[u8]) -> bool {
        let Some(first) = rest.first() else { return false };
        // `PASSWORD 'x'`, `invalid token "x"`
        if b"\"'".contains(first) {
            let text = rest[1..].split(|b| b == first).next().unwrap_or_default();
            return self.line[self.name.start] < 0x80
                && (self.strong && !text.contains(&b' ')
                    || value::is_opaque(text) && value::looks_random(text));
        }
        let (said, rest) = match rest.strip_prefix(b"is ") {
            Some(rest) => (true, rest.trim_ascii_start()),
            None => (false, rest),
        };
        let word = rest.iter().position(u8::is_ascii_whitespace).map_or(rest, |n| &rest[..n]);
        if !self.strong {
            return value::looks_random(word)
                && self.begins_line()
                && word.len() == rest.trim_ascii_end().len();
        }
        let said = said || matches!(self.word_before().as_slice(), b"with" | b"using");
        let mixed = word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic);
        let chinese = self.line[self.name.start] >= 0x80;
        let alone = self.begins_line() && word.len() == rest.trim_ascii_end().len();
        mixed && word.len() >= 6 && !word.contains(&b'=') && (said || chinese || alone)
    }

    /// The name is the value of `name:` or `key:`, and its own value stands beside or beneath.
    fn pair(&mut self, i: usize, flag: bool) {
        if self.weak {
            return;
        }
        let rest = self.rest(i);
        let line_ends = rest.is_empty() || rest == b"," || rest == b"\r";
        if flag && line_ends {
            // Alone on its line but for list marks.
            let head = &self.line[..self.name.start];
            if head.iter().all(|b| b" \t-\"'`".contains(b)) {
                self.next = Next::Whole(self.kind);
            }
            return;
        }
        // `DB_PASSWORD` alone on its line, `? password` of YAML, `1) "requirepass"` of a client.
        let head = self.line[..self.name.start].trim_ascii();
        if self.strong && rest.trim_ascii().is_empty() {
            if head == b"?" {
                self.next = Next::Whole(self.kind);
                return;
            }
            if head.is_empty() || head == b"1) \"" {
                self.next = Next::Alone(self.kind);
                return;
            }
        }
        // `variable "db_password" {` of Terraform: its default follows.
        let block = rest == b"{" && self.variable_before();
        if block {
            self.next = Next::ValueOf(self.kind, self.strong);
        }
        if block || !self.is_value_of_name_key() {
            return;
        }
        if line_ends {
            self.next = Next::ValueOf(self.kind, self.strong);
            return;
        }
        // `<name>db.password</name><value>x</value>`, perhaps on two lines.
        if rest.starts_with(b"</") {
            match memchr::memmem::find(rest, b"<value>") {
                Some(at) => self.value(i + at + b"<value>".len(), Separator::Tag, false),
                None if self.tag_before().is_some() => {
                    let at = self.tag_before().unwrap_or(i);
                    self.value(at, Separator::Tag, false);
                }
                None => self.next = Next::ValueOf(self.kind, self.strong),
            }
            return;
        }
        if let Some(at) = self.value_key_at(i) {
            self.value(at, Separator::Colon, true);
        } else if let Some(at) = self.value_before() {
            self.value(at, Separator::Colon, true);
        }
    }

    /// Whether `name:`, `"key":`, `Name=` stands before the name.
    fn is_value_of_name_key(&self) -> bool {
        let head = trim_end(&self.line[..self.name.start], b"\"'`\\");
        let head = trim_end(head, b" \t");
        let Some((mark, head)) = head.split_last() else { return false };
        if *mark == b'>' {
            let tag = head.iter().rposition(|b| *b == b'<').map_or(head, |n| &head[n + 1..]);
            return matches!(tag, b"name" | b"key");
        }
        if !b":=".contains(mark) {
            return false;
        }
        let head = trim_end(trim_end(head, b" \t"), b"\"'`\\");
        let key = head.iter().rposition(|b| !b.is_ascii_alphanumeric()).map_or(head, |n| &head[n + 1..]);
        let key = key.to_ascii_lowercase();
        matches!(
            key.as_slice(),
            b"name" | b"key" | b"id" | b"k" | b"field" | b"variable" | b"envname" | b"property"
        )
    }

    /// Where the value begins, if `, "value": ` follows at `i`.
    fn value_key_at(&self, i: usize) -> Option<usize> {
        // `<Parameter name="password" override="false" value="x"/>`
        if let Some(end) = self.rest(i).iter().take(400).position(|b| *b == b'>')
            && let Some(at) = memchr::memmem::find(&self.rest(i)[..end], b" value=")
        {
            return Some(i + at + b" value=".len());
        }
        let i = if matches!(self.at(i), b',' | b';') { i + 1 } else { i };
        let mut i = self.skip_spaces(i);
        // Other short members may stand between the two: `"name":"X","type":"string","value":"x"`.
        for _ in 0..4 {
            let start = self.quote(i).map_or(i, |(.., end)| end);
            let len = self.rest(start).iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            let key = self.rest(start)[..len].to_ascii_lowercase();
            let mut j = self.quote(start + len).map_or(start + len, |(.., end)| end);
            j = self.skip_spaces(j);
            if len == 0 || !matches!(self.at(j), b':' | b'=') {
                return None;
            }
            if matches!(key.as_slice(), b"value" | b"v" | b"val" | b"defaultvalue" | b"content") {
                return Some(j + 1);
            }
            let end = self.rest(j).iter().take(200).position(|b| b",{}".contains(b))?;
            if self.at(j + end) != b',' {
                return None;
            }
            i = self.skip_spaces(j + end + 1);
        }
        None
    }

    /// Where the value begins, if `<value>x</value>` stands before `<name>db.password</name>`.
    fn tag_before(&self) -> Option<usize> {
        let head = &self.line[..self.name.start];
        let at = memchr::memmem::rfind(head, b"<value>")?;
        memchr::memmem::find(&head[at..], b"</value>").map(|_| at + b"<value>".len())
    }

    /// Where the value begins, if `"value":"x",` stands before `"name":"DB_PASSWORD"`.
    fn value_before(&self) -> Option<usize> {
        let head = &self.line[..self.name.start];
        let floor = head.len().saturating_sub(4096);
        let open = head[floor..].iter().rposition(|b| *b == b'{').map(|n| floor + n)?;
        let key = b"\"value";
        let at = memchr::memmem::find(&head[open..], key).map(|n| open + n)?;
        let mut i = self.quote(at + key.len()).map(|(.., end)| end)?;
        i = self.skip_spaces(i);
        (self.at(i) == b':').then_some(i + 1)
    }

    /// Nothing before the name but what begins a line of a list, a script or a log.
    fn begins_line(&self) -> bool {
        let mut head = self.line[..self.name.start].trim_ascii_start();
        // `kubectl logs --timestamps`
        let stamp = head.iter().position(|b| *b == b' ').unwrap_or(head.len());
        let is_stamp = stamp >= 20
            && head[..stamp].starts_with(b"2")
            && head[..stamp].contains(&b'T')
            && head[stamp - 1] == b'Z';
        if is_stamp {
            head = &head[stamp..];
        }
        loop {
            head = head.trim_ascii_start();
            let begun = [
                b"- ".as_slice(),
                b"-",
                b"+ ",
                b"> ",
                b"# ",
                b"#",
                b"$ ",
                b"export ",
                b"ENV ",
                b"set ",
                b"declare -x ",
                b"; ",
            ]
            .iter()
            .find_map(|mark| head.strip_prefix(*mark));
            match begun {
                Some(rest) => head = rest,
                None => return head.iter().all(|b| b"\"'`\\ \t".contains(b)),
            }
        }
    }
}

fn is_word(text: &[u8]) -> bool {
    !text.iter().any(|b| b.is_ascii_whitespace() || b"\"'|,;".contains(b))
}

fn trim_end<'a>(text: &'a [u8], marks: &[u8]) -> &'a [u8] {
    let end = text.iter().rposition(|b| !marks.contains(b)).map_or(0, |n| n + 1);
    &text[..end]
}
