//! The two languages of everything a user reads.

use serde::{Deserialize, Serialize};

/// The language a text is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    Zh,
    En,
}

impl Lang {
    /// The language that the locale variables ask for: `LC_ALL`, then `LC_MESSAGES`, then `LANG`.
    ///
    /// `C`, `POSIX` and unset say nothing about the reader, hence `None`.
    pub fn from_locale(get: impl Fn(&str) -> Option<String>) -> Option<Lang> {
        let value =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| get(name).filter(|v| !v.is_empty()))?;
        let value = value.to_ascii_lowercase();
        match value.split(['.', '@']).next().unwrap_or_default() {
            "c" | "posix" => None,
            zh if zh.starts_with("zh") => Some(Lang::Zh),
            _ => Some(Lang::En),
        }
    }
}

/// A text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localized {
    pub zh: String,
    pub en: String,
}

impl Localized {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string())
        };
        assert_eq!(Lang::from_locale(env(&[("LANG", "zh_CN.UTF-8")])), Some(Lang::Zh));
        assert_eq!(
            Lang::from_locale(env(&[("LC_ALL", "en_US.UTF-8"), ("LANG", "zh_CN.UTF-8")])),
            Some(Lang::En)
        );
        assert_eq!(Lang::from_locale(env(&[("LC_ALL", ""), ("LANG", "zh_CN")])), Some(Lang::Zh));
        assert_eq!(Lang::from_locale(env(&[("LANG", "C.UTF-8")])), None);
        assert_eq!(Lang::from_locale(env(&[])), None);
    }
}
