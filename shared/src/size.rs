//! Numbers of bytes as people type and read them.

/// A number of bytes: `50M`, `1.5GiB`, `800k`, or a bare number. Units are powers of 1024.
///
/// # Errors
/// When it is none, in words for the user.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size\nhint: write it like 50M or 1G");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let factor = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 1u64,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number * factor as f64;
    if bytes.is_finite() && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

/// A number of bytes for a person: `412 B`, `3.4 MiB`.
pub fn show(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_the_usual_spellings() {
        for text in ["50M", "50m", "50MB", "50MiB", "50 MiB", "52428800"] {
            assert_eq!(parse(text), Ok(50 << 20), "{text}");
        }
        assert_eq!(parse("0.5k"), Ok(512));
        for wrong in ["", "M", "5x", "-1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(show(1023), "1023 B");
        assert_eq!(show(50 << 20), "50.0 MiB");
    }
}
