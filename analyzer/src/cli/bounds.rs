//! Flags that move the bounds of what is read.

use clap::Args;
use shared::archive::Limits;
use shared::size;

/// How much may come out of one bundle or text; what lies beyond is left out, and the report says so.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits, for each PATH")]
pub struct Bounds {
    /// Most bytes that all files may have together when unpacked.
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "4GiB")]
    max_unpacked: u64,
    /// Most bytes of one file; of a longer one the beginning is read.
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "1GiB")]
    max_file: u64,
    /// Most files, folders and links.
    #[arg(long, value_name = "N", default_value_t = Limits::default().entries)]
    max_files: u64,
    /// Most archives that an archive may lie in.
    #[arg(long, value_name = "N", default_value_t = Limits::default().nesting)]
    max_nesting: usize,
    /// How many times larger than packed the unpacked files may be, once they are larger than 64 MiB.
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    max_ratio: u64,
}

impl Bounds {
    pub fn limits(&self) -> Limits {
        Limits {
            total_bytes: self.max_unpacked,
            file_bytes: self.max_file.min(LONGEST),
            entries: self.max_files,
            nesting: self.max_nesting.min(DEEPEST),
            ratio: self.max_ratio,
            ..Limits::default()
        }
    }
}

/// Places in a file are 32-bit numbers, and decoding may lengthen a text by half.
const LONGEST: u64 = 2 << 30;
/// Archives in archives are opened by recursion.
const DEEPEST: usize = 64;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_flags_and_the_library_have_the_same_defaults() {
        let limits =
            |args: &[&str]| Cli::parse_from(["x", "a.tar.gz"].iter().chain(args)).analyze.bounds.limits();
        assert_eq!(limits(&[]), Limits::default());
        let small =
            limits(&["--max-unpacked", "10M", "--max-file=1M", "--max-files", "5", "--max-nesting=0"]);
        assert_eq!(
            (small.total_bytes, small.file_bytes, small.entries, small.nesting),
            (10 << 20, 1 << 20, 5, 0)
        );
    }
}
