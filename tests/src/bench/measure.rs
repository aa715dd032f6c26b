//! Running a program while watching what it costs.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// Most memory that was resident at one time, in bytes. Read every few milliseconds, of the program alone.
    pub peak: u64,
    /// Bytes that it printed.
    pub printed: u64,
}

/// Runs a program to its end with its output in `output`.
///
/// # Errors
/// When it cannot be run or ends with a code that is not in `codes`.
pub fn once(command: &mut Command, output: &std::path::Path, codes: &[i32]) -> Result<Cost> {
    let file = File::create(output).with_context(|| format!("cannot write {}", output.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let mut errors = child.stderr.take().context("stderr was asked for")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut errors).unwrap_or_default());
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = peak.max(resident_peak(&status_file));
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = started.elapsed();
    if !status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("{program} ended with {status}: {}", reader.join().unwrap_or_default());
    }
    Ok(Cost { wall, peak, printed: fs::metadata(output)?.len() })
}

/// The quickest of several runs: what disturbs a run only makes it slower.
pub fn best_of(runs: usize, mut run: impl FnMut() -> Result<Cost>) -> Result<Cost> {
    let mut best = run()?;
    for _ in 1..runs {
        let cost = run()?;
        if cost.wall < best.wall {
            best = cost;
        }
    }
    Ok(best)
}

/// `VmHWM`: the kernel's own record of the most that was ever resident.
fn resident_peak(status_file: &str) -> u64 {
    let Ok(text) = fs::read_to_string(status_file) else { return 0 };
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// A row of a table of results.
pub fn row(name: &str, cost: Cost, base: Option<Cost>) -> String {
    let ratio = base
        .map_or(String::new(), |base| format!("{:.2}", cost.wall.as_secs_f64() / base.wall.as_secs_f64()));
    format!("{name:<44}{:>9.2} s{ratio:>9}{:>9} MiB", cost.wall.as_secs_f64(), cost.peak >> 20)
}
