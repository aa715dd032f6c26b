//! Whether an object has a fault of its own, or may just be waiting.

use crate::triage::draft::Draft;
use crate::triage::model::Problem;
use crate::triage::severity::severity;

use super::words;

/// Endings and refusals that no other object brings about.
const OWN: &[&str] = &[
    "OOMKilled",
    "StartError",
    "ContainerCannotRun",
    "CreateContainer",
    "RunContainerError",
    "InvalidImageName",
    "Evicted",
    "Terminating",
    "UnexpectedAdmissionError",
    // Not executable, not found, killed by an illegal instruction or access.
    "(exit 126)",
    "(exit 127)",
    "(exit 132)",
    "(exit 139)",
];

/// Whether its state alone says that the fault lies with the object.
pub fn is_its_own(draft: &Draft) -> bool {
    let problem = &draft.problem;
    let message = problem.message.as_deref().unwrap_or_default();
    OWN.iter().any(|word| problem.state.contains(word) || message.contains(word))
}

/// Whether others have to wait for the object: one that has come back does its work.
pub fn keeps_others_waiting(draft: &Draft) -> bool {
    !matches!(draft.problem.state.as_str(), "Restarting" | "SchedulingDisabled")
}

/// Lines of its log that sound bad, in the order of the log.
pub fn complaints(problem: &Problem) -> Vec<&str> {
    problem.log.iter().map(|line| line.text.as_str()).filter(|line| severity(line) >= 2).collect()
}

/// Whether nothing that it says speaks against its waiting for something that it is configured to use: it runs no
/// more, and its log complains of nothing, or of something that it cannot reach.
pub fn may_wait(problem: &Problem) -> bool {
    if problem.state == "Restarting" {
        return false;
    }
    let loud: Vec<&str> =
        problem.log.iter().map(|line| line.text.as_str()).filter(|line| severity(line) >= 4).collect();
    loud.is_empty() || loud.iter().any(|line| words::is_out_of_reach(line))
}
