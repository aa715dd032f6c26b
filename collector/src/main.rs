use std::process::ExitCode;

fn main() -> ExitCode {
    collector::main().into()
}
