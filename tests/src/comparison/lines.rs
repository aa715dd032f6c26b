//! Two texts line by line, and why they differ where it is known.

/// kubectl prints where in its memory a flag lies.
const ADDRESS: &str = "kubectl prints an address in its memory";
/// kubectl 1.32 knows EndpointSlices of v1 only and shows no endpoints on older servers.
const SLICES: &str = "kubectl 1.32 cannot read this server's EndpointSlices";
/// kubectl sorts by the second with a sort that is not stable.
const ORDER: &str = "kubectl shuffles events of one and the same second";

/// Two texts of one object.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// Of the longer text.
    pub(super) lines: usize,
    pub(super) equal: usize,
    /// `-` what kubectl printed, `+` what we did.
    pub(super) differences: Vec<String>,
    /// One for each line of kubectl's that differs for a known reason.
    pub(super) reasons: Vec<&'static str>,
}

impl Compared {
    /// By the longest common run of lines, in order.
    pub(super) fn of(theirs: &str, ours: &str) -> Compared {
        let theirs: Vec<&str> = theirs.lines().collect();
        let ours: Vec<&str> = ours.lines().collect();
        let mut common = vec![vec![0usize; ours.len() + 1]; theirs.len() + 1];
        for (i, their) in theirs.iter().enumerate().rev() {
            for (j, our) in ours.iter().enumerate().rev() {
                common[i][j] = if their == our {
                    common[i + 1][j + 1] + 1
                } else {
                    common[i + 1][j].max(common[i][j + 1])
                };
            }
        }
        let mut differences = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < theirs.len() || j < ours.len() {
            if i < theirs.len() && j < ours.len() && theirs[i] == ours[j] {
                (i, j) = (i + 1, j + 1);
            } else if j == ours.len() || i < theirs.len() && common[i + 1][j] >= common[i][j + 1] {
                differences.push(format!("- {}", theirs[i]));
                i += 1;
            } else {
                differences.push(format!("+ {}", ours[j]));
                j += 1;
            }
        }
        Compared {
            lines: theirs.len().max(ours.len()),
            equal: common[0][0],
            differences,
            reasons: Vec::new(),
        }
    }

    /// Finds the known reasons; `no_slices` says that the server has no EndpointSlices for this kubectl.
    pub(super) fn explain(&mut self, no_slices: bool) {
        let squeezed = |line: &str| line[2..].split_whitespace().collect::<Vec<_>>().join(" ");
        let (theirs, ours): (Vec<&String>, Vec<&String>) =
            self.differences.iter().partition(|line| line.starts_with("- "));
        let ours: Vec<String> = ours.into_iter().map(|line| squeezed(line)).collect();
        for line in theirs {
            let text = squeezed(line);
            let unreadable =
                text.starts_with("Endpoints:") || text.contains("(<error: the server could not find");
            if text.contains("Optional") && text.contains(" 0xc") {
                self.reasons.push(ADDRESS);
            } else if no_slices && unreadable {
                self.reasons.push(SLICES);
            } else if (text.starts_with("Normal ") || text.starts_with("Warning ")) && ours.contains(&text) {
                self.reasons.push(ORDER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_one_of_each_and_an_inserted_line_shifts_nothing() {
        let compared = Compared::of("a\nb\nc\n", "a\nx\nnew\nc\n");
        assert_eq!((compared.lines, compared.equal), (4, 2));
        assert_eq!(compared.differences, ["- b", "+ x", "+ new"]);
        assert!(Compared::of("a\n", "a\n").differences.is_empty());
    }
}
