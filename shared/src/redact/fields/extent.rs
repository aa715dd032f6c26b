//! Where the value beside a telling name begins and ends, and which part of it is the secret.

use super::{Next, Reader, Separator};
use crate::redact::hit::{Hit, Spelling};
use crate::redact::names::{COOKIE, KEY, MAX_NAME};
use crate::redact::value::{self, Setting};

impl Reader<'_> {
    /// Reads the value, or the array of values, from `i`.
    pub(super) fn value(&mut self, i: usize, separator: Separator, name_quoted: bool) {
        let mut i = self.skip_spaces(i);
        let rest = self.rest(i).trim_ascii_end();
        // The old value in a comment, the new one beneath.
        let empty = rest.is_empty() || rest.starts_with(b"# ");
        if rest.is_empty() && separator == Separator::Tag {
            self.next = Next::Whole(self.kind);
            return;
        }
        if rest == b"[" || rest == b"{" || empty && separator == Separator::Colon {
            self.next = Next::List(self.kind, self.strong, value::indent(self.line));
            return;
        }
        if rest.starts_with(b"[object ") {
            return;
        }
        if self.at(i) == b'[' && !self.rest(i).starts_with(b"[[") {
            let mut at = self.skip_spaces(i + 1);
            let mut some = false;
            while let Some((.., start)) = self.quote(at) {
                let Some(end) = self.quoted(at, start) else { break };
                some = true;
                at = self.skip_spaces(end);
                if self.at(at) != b',' {
                    break;
                }
                at = self.skip_spaces(at + 1);
            }
            if some {
                return;
            }
            if let Some(len) = self.rest(i).iter().position(|b| *b == b']').filter(|len| *len > 1) {
                let setting = Setting { quoted: false, colon: false, strong: self.strong };
                self.push(i + 1, i + len, setting, Spelling::Plain, None);
                return;
            }
        }
        // `secret: {name: x}`: the names inside speak for themselves; what is plainly random beneath such a name is a
        // secret whatever its own.
        if self.at(i) == b'{' && (!self.line[i..].contains(&b'}') || self.is_map(i)) {
            self.members(i);
            return;
        }
        i = self.skip_type(i);
        if self.is_call(i) {
            return;
        }
        // YAML tags and anchors, Python's `u'x'`.
        if matches!(self.at(i), b'!' | b'&') && name_like_tag(self.rest(i)) {
            let len = self.rest(i).iter().take_while(|b| !b.is_ascii_whitespace()).count();
            i = self.skip_spaces(i + len);
        }
        if matches!(self.at(i), b'u' | b'b' | b'r' | b'U' | b'B') && matches!(self.at(i + 1), b'\'' | b'"') {
            i += 1;
        }
        if let Some((.., start)) = self.quote(i) {
            if let Some(end) = self.quoted(i, start) {
                self.pair_of_strings(end);
            }
            return;
        }
        let rest = self.rest(i).trim_ascii_end();
        let block = matches!(rest.first(), Some(b'|' | b'>'))
            && rest.len() <= 4
            && rest[1..].iter().all(|b| b"+-0123456789".contains(b));
        if separator == Separator::Colon && block {
            let indent = self.line.iter().take_while(|b| **b == b' ').count();
            self.next = Next::Block(self.kind, indent);
            return;
        }
        if self.kind == self.names.kind_named(COOKIE) && self.is_cookie_header() && self.cookies(i) {
            return;
        }
        self.bare(i, separator, name_quoted);
    }

    /// Whether a flow mapping, a JSON object or a struct opens at `i`.
    fn is_map(&self, i: usize) -> bool {
        let start = self.quote(i + 1).map_or(i + 1, |(.., end)| end);
        let name =
            self.rest(start).iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b)).count();
        let end = self.quote(start + name).map_or(start + name, |(.., end)| end);
        start > i + 1 && name == 0 || name > 0 && matches!(self.at(end), b':' | b'=')
    }

    /// The values of the object at `i` that nothing but secrets look like.
    fn members(&mut self, i: usize) {
        let end = i + self.rest(i).iter().position(|b| *b == b'}').unwrap_or(self.rest(i).len());
        let mut at = i;
        while let Some(mark) = self.line[at..end].iter().position(|b| b":=".contains(b)).map(|n| at + n) {
            let key = trim_marks(&self.line[at..mark]);
            let start =
                mark + 1 + self.line[mark + 1..end].iter().take_while(|b| b" \t\"'\\".contains(b)).count();
            let len =
                self.line[start..end].iter().position(|b| b" \t\"'\\,;{[".contains(b)).unwrap_or(end - start);
            if self.names.is_secret_member(key, &self.line[start..start + len]) {
                self.hits.push(Hit::new(start, start + len, self.kind));
            }
            at = start + len;
        }
    }

    /// Skips what a debugger says of the type: PHP's `string(9) "x"`, Go's `(string) (len=9) "x"`.
    fn skip_type(&self, i: usize) -> usize {
        let rest = self.rest(i);
        if !rest.starts_with(b"string(") && !rest.starts_with(b"(string)") {
            return i;
        }
        let mut at = i + rest.iter().position(|b| *b == b')').map_or(0, |n| n + 1);
        at = self.skip_spaces(at);
        if self.rest(at).starts_with(b"(len=") {
            at += self.rest(at).iter().position(|b| *b == b')').map_or(0, |n| n + 1);
        }
        self.skip_spaces(at)
    }

    /// `SecretStr('x')`, `Some("x")`, `ENC(x)`: the secret stands inside. `env('DB_PASSWORD', …)`: it stands elsewhere.
    /// True if that was all of it.
    fn is_call(&mut self, i: usize) -> bool {
        const LOOKUPS: &[&[u8]] =
            &[b"env", b"get", b"getenv", b"lookup", b"ref", b"var", b"config", b"prop", b"file"];
        let rest = self.rest(i);
        let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.:".contains(b)).count();
        if name == 0 || name > 40 || rest.get(name) != Some(&b'(') {
            return false;
        }
        let open = i + name + 1;
        let function = rest[..name].to_ascii_lowercase();
        let close = self.rest(open).iter().position(|b| *b == b')').map(|n| open + n);
        match self.quote(open) {
            Some(_)
                if function.starts_with(b"get") || LOOKUPS.iter().any(|word| function.ends_with(word)) =>
            {
                true
            }
            Some((.., start)) => self.quoted(open, start).is_some(),
            None => match close {
                Some(close) if value::looks_random(&self.line[open..close]) => {
                    self.hits.push(Hit::new(open, close, self.kind));
                    true
                }
                _ => false,
            },
        }
    }

    /// `Cookie: a=x; b=y`: each value but short words, such as a language.
    fn cookies(&mut self, i: usize) -> bool {
        const ATTRIBUTES: &[&[u8]] =
            &[b"path", b"domain", b"expires", b"max-age", b"samesite", b"priority", b"version"];
        let mut at = i;
        loop {
            at = self.skip_spaces(at);
            let len =
                self.rest(at).iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b)).count();
            if len == 0 {
                return at > i;
            }
            if self.at(at + len) != b'=' {
                // `HttpOnly`, `Secure`
                if at == i || self.at(at + len) != b';' {
                    return at > i;
                }
                at += len + 1;
                continue;
            }
            let start = at + len + 1;
            let end = start
                + self
                    .rest(start)
                    .iter()
                    .position(|b| b.is_ascii_whitespace() || b";\"'\\,".contains(b))
                    .unwrap_or(self.rest(start).len());
            let attribute = ATTRIBUTES.contains(&self.line[at..at + len].to_ascii_lowercase().as_slice());
            let word = self.line[start..end].iter().all(|b| b.is_ascii_lowercase() || *b == b'-')
                && end - start <= 8;
            if !attribute && !word {
                let setting = Setting { quoted: false, colon: false, strong: true };
                self.push(start, end, setting, Spelling::Plain, None);
            }
            if self.at(end) != b';' {
                return true;
            }
            at = end + 1;
        }
    }

    /// `Cookie`, `Set-Cookie`, `HTTP_COOKIE`; other cookies are one value.
    fn is_cookie_header(&self) -> bool {
        let name = self.line[self.name.clone()].to_ascii_lowercase();
        matches!(name.as_slice(), b"cookie" | b"cookies" | b"set-cookie" | b"http_cookie" | b"set_cookie")
    }

    /// After a quoted value nothing more belongs to it, except the rest of a shell word: `'a'"b"`.
    fn pair_of_strings(&mut self, end: usize) {
        if let Some((slashes, _, start)) = self.quote(end)
            && slashes == 0
            && self.line[start..].iter().any(|b| b"\"'".contains(b))
        {
            self.quoted(end, start);
        }
    }

    /// A value in quotes that open at `open` and whose text begins at `start`; returns where the closing quote ends.
    fn quoted(&mut self, open: usize, start: usize) -> Option<usize> {
        let quote = self.at(start - 1);
        let slashes = start - 1 - open;
        // A quote inside this string has at least as many backslashes more as its depth has levels: the closing
        // one has exactly as many as the opening one, or more by whole escaped backslashes.
        let period = 2 * (slashes + 1);
        let mut end = None;
        for at in memchr::memchr_iter(quote, &self.line[start..]) {
            let at = start + at;
            let run = self.line[start..at].iter().rev().take_while(|b| **b == b'\\').count();
            if run < slashes || (run - slashes).is_multiple_of(period) {
                end = Some((at - run.min(slashes), at + 1));
                break;
            }
        }
        // Cut off by the end of the line: all of it.
        let (end, resume) = end.unwrap_or((trimmed_len(self.line), self.line.len()));
        self.push(
            start,
            end,
            Setting { quoted: true, colon: true, strong: self.strong },
            Spelling::Escaped,
            None,
        );
        Some(resume)
    }

    /// A value without quotes from `i`.
    fn bare(&mut self, i: usize, separator: Separator, name_quoted: bool) {
        let begins = self.begins_line();
        let whole_line = begins && !name_quoted && matches!(separator, Separator::Colon | Separator::Equals);
        let flag = self.line[self.name.clone()].starts_with(b"-");
        let mut end = match separator {
            Separator::Tag => self.rest(i).iter().position(|b| *b == b'<').map_or(self.line.len(), |n| i + n),
            Separator::Percent => self.percent_end(i),
            _ if whole_line && !flag => self.line_end(i, separator),
            _ => self.word_end(i),
        };
        if separator == Separator::Space
            && end < self.line.len()
            && self.at(end) != b' '
            && !self.is_wide_mark(end)
        {
            end = self.rest(i).iter().position(u8::is_ascii_whitespace).map_or(self.line.len(), |n| i + n);
            // The end of a statement of nginx.
            end -= usize::from(self.line[i..end].ends_with(b";"));
        }
        let colon = separator == Separator::Colon;
        if colon && self.strong && !begins && !name_quoted {
            end = self.phrase_end(i, end);
        }
        end = self.pairs_end(i, end);
        let text = &self.line[i..end.max(i)];
        if !self.strong && colon && self.is_tag_or_port(i, text) {
            return;
        }
        if colon
            && !begins
            && !name_quoted
            && !self.strong
            && self.follows_a_complaint()
            && !value::is_opaque(text)
        {
            return;
        }
        let sentence = if colon { self.rest(i) } else { text };
        let setting = Setting { quoted: false, colon, strong: self.strong };
        if colon && !name_quoted && value::is_no_secret(sentence, setting, self.names) {
            return;
        }
        let json = name_quoted && text.iter().all(|b| b.is_ascii_digit() || b".-eE+".contains(b));
        let quotes = json.then(|| {
            let slashes =
                self.line[..self.name.start].iter().rev().skip(1).take_while(|b| **b == b'\\').count();
            u8::try_from(slashes).unwrap_or(u8::MAX)
        });
        let spelling =
            if matches!(separator, Separator::Percent) { Spelling::Percent } else { Spelling::Plain };
        self.push(i, end, setting, spelling, quotes);
    }

    /// `bkauth:a209…,esb:07c9…`: keys by the names of those who have them are one secret.
    fn pairs_end(&self, i: usize, end: usize) -> usize {
        let keys = |pairs: &[u8]| {
            pairs.split(|b| *b == b',').all(|pair| {
                let colon = pair.iter().position(|b| *b == b':').map_or(0, |n| n + 1);
                colon > 1 && value::is_key_material(&pair[colon..])
            })
        };
        let word = self.rest(i).iter().position(|b| b.is_ascii_whitespace() || b"\"'".contains(b));
        let whole = word.map_or(self.line.len(), |n| i + n);
        if whole > end && self.at(end) == b',' && keys(&self.line[i..whole]) { whole } else { end }
    }

    /// `repo/token:v1.2`, `redis-auth:6379`.
    fn is_tag_or_port(&self, i: usize, text: &[u8]) -> bool {
        let glued = i == self.name.end + 1;
        let after_slash = self.line[..self.name.start].last() == Some(&b'/');
        let number = text.iter().all(|b| b.is_ascii_digit() || *b == b'.');
        // `chown token:token`
        let twice = text.eq_ignore_ascii_case(&self.line[self.name.clone()]);
        glued && (after_slash || twice || number && text.len() <= 5)
    }

    /// `the passphrase: correct horse battery staple`: plain words to the end of the line belong to it.
    fn phrase_end(&self, i: usize, end: usize) -> usize {
        // Two spaces begin the next column of a table.
        let column = memchr::memmem::find(self.rest(i), b"  ").map_or(self.line.len(), |n| i + n);
        let line_end = trimmed_len(self.line).min(column);
        if end >= line_end {
            return end;
        }
        let words: Vec<&[u8]> = self.line[i..line_end].split(|b| *b == b' ').collect();
        let plain = |word: &&[u8]| {
            word.iter().all(u8::is_ascii_lowercase)
                && std::str::from_utf8(word).is_ok_and(|word| !word.is_empty() && !self.names.is_prose(word))
        };
        if words.len() <= 12 && words.iter().all(plain) { line_end } else { end }
    }

    /// `unexpected token: x`
    fn follows_a_complaint(&self) -> bool {
        let head = self.line[..self.name.start].trim_ascii_end();
        let word = head.iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(head, |n| &head[n + 1..]);
        let word = word.to_ascii_lowercase();
        matches!(
            word.as_slice(),
            b"unexpected"
                | b"invalid"
                | b"unrecognized"
                | b"bad"
                | b"illegal"
                | b"unknown"
                | b"missing"
                | b"no"
                | b"expired"
                | b"parse"
                | b"wrong"
        )
    }

    /// To the end of a line of configuration, without a comment; but a command may follow an assignment.
    fn line_end(&self, i: usize, separator: Separator) -> usize {
        let mut end = trimmed_len(self.line).max(i);
        if let Some(comment) = memchr::memmem::find(&self.line[i..end], b" #") {
            end = i + comment;
        }
        let text = &self.line[i..end];
        let word = text.iter().position(|b| *b == b' ' || *b == b'\t').unwrap_or(text.len());
        let after = text[word..].trim_ascii_start();
        let another = |word: &[u8]| {
            let name = word.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b)).count();
            name > 0 && matches!(word.get(name), Some(b'=' | b':'))
        };
        let fields = after.split(|b| *b == b' ').any(another);
        let command = after.starts_with(b"-")
            || after.starts_with(b"/")
            || after.starts_with(b"./")
            || after.starts_with(b"&&")
            || after.starts_with(b"|")
            || after.starts_with(b";");
        let options = after.split(|b| *b == b' ').any(|word| word.starts_with(b"-"));
        let stop = self.word_end(i);
        let listed = stop < end && b",;&\\".contains(&self.line[stop]) || self.is_wide_mark(stop);
        if fields || listed || separator == Separator::Equals && (command || options) {
            return stop;
        }
        end.max(i)
    }

    /// To the end of the word: white space, or a mark after which something else plainly begins.
    fn word_end(&self, i: usize) -> usize {
        let mut at = i;
        while at < self.line.len() {
            let b = self.line[at];
            if b.is_ascii_whitespace() || b"\"`<".contains(&b) {
                break;
            }
            if b == b'\\' && self.ends_at_escape(at + 1) {
                break;
            }
            if b == b'\'' && !matches!(self.at(at + 1), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') {
                break;
            }
            if b",;&)}]|".contains(&b) && self.something_else_follows(at + 1) {
                break;
            }
            if self.is_wide_mark(at) {
                break;
            }
            at += 1;
        }
        at
    }

    /// Punctuation of Chinese text.
    fn is_wide_mark(&self, at: usize) -> bool {
        self.at(at) >= 0xe3
            && ["，", "。", "；", "、", "）", "！"]
                .iter()
                .any(|mark| self.rest(at).starts_with(mark.as_bytes()))
    }

    /// What follows a backslash ends the value: a quote, a line end, an `&` as JSON writes it.
    fn ends_at_escape(&self, i: usize) -> bool {
        const MARKS: &[&[u8]] = &[b"u0026", b"u0022", b"u0027", b"u003c", b"u003C", b"u0020"];
        matches!(self.at(i), b'"' | b'\'' | b'\\' | b'n' | b'r' | b't')
            || MARKS.iter().any(|mark| self.rest(i).starts_with(mark))
    }

    /// After a comma or the like: the end, a space, or the next `name=`; else the mark belongs to the value.
    fn something_else_follows(&self, i: usize) -> bool {
        let next = self.at(i);
        if next.is_ascii_whitespace() || b"\"'`,;&)}]|{[\\<".contains(&next) {
            return true;
        }
        let rest = self.rest(i);
        let name = rest
            .iter()
            .take(MAX_NAME)
            .take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
            .count();
        name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
            || rest.starts_with(b"amp;")
            || rest.starts_with(b"$")
    }

    fn percent_end(&self, i: usize) -> usize {
        let rest = self.rest(i);
        let stop = rest
            .iter()
            .position(|b| b.is_ascii_whitespace() || b"\"'&<>\\".contains(b))
            .unwrap_or(rest.len());
        let encoded = ["%26", "%20", "%22", "%0A", "%0a", "%7D", "%2C"]
            .iter()
            .filter_map(|mark| memchr::memmem::find(&rest[..stop], mark.as_bytes()))
            .min();
        i + encoded.unwrap_or(stop)
    }

    fn push(&mut self, start: usize, end: usize, setting: Setting, spelling: Spelling, quotes: Option<u8>) {
        let end = end.min(self.line.len());
        if start >= end {
            return;
        }
        let text = &self.line[start..end];
        if let Some(default) = value::default_in(text) {
            let (start, end) = (start + default.start, start + default.end);
            return self.push(start, end, setting, spelling, None);
        }
        // The working directory, and the next name of a struct whose value is empty.
        let pwd = self.line[self.name.clone()].eq_ignore_ascii_case(b"pwd") && text.starts_with(b"/");
        if pwd || !setting.quoted && is_next_name(text) {
            return;
        }
        if value::is_no_secret(text, setting, self.names)
            || !self.strong && self.names.names_a_secret(&self.line[self.name.clone()], text.trim_ascii())
            || self.weak && !value::is_weak_secret(text.trim_ascii(), self.kind != self.names.kind_named(KEY))
        {
            return;
        }
        self.hits.push(Hit { start, end, kind: self.kind, spelling, quotes });
    }
}

/// `Token:` or `Token:}` after `Password: `.
fn is_next_name(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"}").unwrap_or(text);
    text.strip_suffix(b":").is_some_and(|name| {
        name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().all(u8::is_ascii_alphabetic)
    })
}

/// What stands between the marks that structure an object.
fn trim_marks(text: &[u8]) -> &[u8] {
    let marks = |b: &u8| b"{},;\"'\\ \t".contains(b);
    let start = text.iter().position(|b| !marks(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !marks(b)).map_or(start, |n| n + 1);
    &text[start..end]
}

fn name_like_tag(rest: &[u8]) -> bool {
    rest.first() == Some(&b'!')
        && rest.get(1).is_some_and(|b| *b == b'!' || b.is_ascii_alphabetic())
        && rest.contains(&b' ')
        || rest.first() == Some(&b'&')
            && rest
                .iter()
                .position(|b| *b == b' ')
                .is_some_and(|n| rest[1..n].iter().all(u8::is_ascii_alphabetic))
}

/// Length without white space at the end.
fn trimmed_len(line: &[u8]) -> usize {
    line.trim_ascii_end().len()
}
