//! Finding a rule by what a person has: a word of an error, a short sentence, or the whole line.
//!
//! A whole line is tried with the rules' own patterns; words are looked for in ids, titles, texts, and in the literals
//! of the patterns, in both languages.

use super::Rule;

/// A rule and how well it fits; the higher, the better.
#[derive(Debug)]
pub struct Match<'r> {
    pub rule: &'r Rule,
    pub score: u32,
}

/// Rules that fit, best first.
pub fn search<'r>(rules: impl Iterator<Item = &'r Rule>, query: &str) -> Vec<Match<'r>> {
    let query = query.trim();
    let words = words(query);
    let mut matches: Vec<Match<'r>> = rules
        .map(|rule| Match { rule, score: score(rule, query, &words) })
        .filter(|found| found.score > 0)
        .collect();
    matches.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.rule.file.id.cmp(&b.rule.file.id)));
    // Far weaker matches than the best are noise.
    let best = matches.first().map_or(0, |found| found.score);
    matches.retain(|found| found.score * 4 >= best);
    matches
}

fn score(rule: &Rule, query: &str, words: &[String]) -> u32 {
    if query.is_empty() {
        return 0;
    }
    let mut score = 0;
    let patterns = rule.evidence.iter().filter_map(|evidence| evidence.pattern.as_ref());
    for pattern in patterns {
        let whole =
            pattern.regex().is_match(query) || pattern.loose().is_some_and(|loose| loose.is_match(query));
        if whole {
            score += 1000;
        }
    }
    let file = &rule.file;
    let lower = query.to_lowercase();
    let names =
        format!("{} {} {} {}", file.id, file.title.zh, file.title.en, file.keywords.join(" ")).to_lowercase();
    let patterns: String = rule
        .evidence
        .iter()
        .filter_map(|evidence| evidence.spec.text.as_deref())
        .collect::<Vec<_>>()
        .join(" ");
    let patterns = plain(&patterns).to_lowercase();
    let told: String = file
        .outcomes
        .iter()
        .flat_map(|outcome| [outcome.conclusion.zh.as_str(), outcome.conclusion.en.as_str()])
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    for (text, weight) in [(&names, 40), (&patterns, 30), (&told, 8)] {
        if text.contains(&lower) {
            score += weight * 10;
        }
        let hits = words.iter().filter(|word| text.contains(word.as_str())).count() as u32;
        // All words at once say much more than one of many.
        if hits > 0 && hits * 2 >= words.len() as u32 {
            score += weight * hits / words.len().max(1) as u32;
        }
    }
    score
}

/// Words of two characters and more; runs of Chinese characters in overlapping pairs, since they have no spaces.
fn words(query: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in query.to_lowercase().split(|c: char| !c.is_alphanumeric() && !"-_.".contains(c)) {
        let chars: Vec<char> = piece.chars().collect();
        if chars.iter().any(|c| *c as u32 >= 0x2e80) {
            words.extend(chars.windows(2).map(|pair| pair.iter().collect::<String>()));
        } else if chars.len() >= 2 {
            words.push(piece.to_owned());
        }
    }
    words.sort();
    words.dedup();
    words
}

/// A regular expression without its signs, so that words in it can be found.
fn plain(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(class) if class.is_ascii_alphabetic() => text.push(' '),
                Some(sign) => text.push(sign),
                None => {}
            },
            '(' | ')' | '?' | '*' | '+' | '|' | '^' | '$' | '[' | ']' => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, zh: &str, text: &str) -> Rule {
        let yaml = format!(
            "id: {id}\ntitle: {{zh: '{zh}', en: something}}\nstatus: stable\nseverity: error\nsince: 0.1.0\n\
             evidence:\n  seen: {{in: texts, text: '{text}'}}\nverdict: {{likely: seen}}\n\
             outcomes: [{{conclusion: {{zh: a, en: a}}}}]\n"
        );
        Rule::parse("a.yaml", "test/a", &yaml).unwrap_or_else(|errors| panic!("{}", errors[0]))
    }

    #[test]
    fn words_sentences_and_whole_lines_find_a_rule() {
        let rules = [
            rule(
                "another-operation",
                "重新部署报错",
                r"another operation(?: \(install/upgrade/rollback\))? is in progress",
            ),
            rule("no-such-host", "镜像仓库域名无法解析", r"lookup (?P<host>\S+) .*no such host"),
        ];
        let first = |query: &str| search(rules.iter(), query).first().map(|found| found.rule.file.id.clone());
        assert_eq!(first("another operation").as_deref(), Some("another-operation"));
        assert_eq!(first("无法解析").as_deref(), Some("no-such-host"));
        assert_eq!(first("域名解析").as_deref(), Some("no-such-host"));
        let line = "Failed to pull image: dial tcp: lookup docker.example on 10.0.0.1:53: no such host";
        assert_eq!(first(line).as_deref(), Some("no-such-host"));
        assert_eq!(first("quota exceeded"), None);
        assert_eq!(first("  "), None);
    }
}
