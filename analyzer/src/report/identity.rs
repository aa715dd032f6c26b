//! What stays the same of an object from one bundle of a cluster to the next.

use std::sync::LazyLock;

use regex::Regex;

/// `web` for `web-6c56d8c5f9-9c9tg` and `agent` for `agent-29pzh`: controllers add endings of an alphabet without
/// vowels, so that they spell no words and are told from names that people give.
pub fn without_generated_ending(name: &str) -> &str {
    static ENDING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?:-[bcdf0-9ghjklmnpqrstvwxz]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$")
            .expect("a valid pattern")
    });
    let at = ENDING.find(name).map_or(name.len(), |ending| ending.start());
    if at == 0 { name } else { &name[..at] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_give_stay_whole() {
        assert_eq!(without_generated_ending("agent-29pzh"), "agent");
        assert_eq!(without_generated_ending("bk-redis-cluster-0"), "bk-redis-cluster-0");
        assert_eq!(without_generated_ending("bk-apigateway"), "bk-apigateway");
    }
}
