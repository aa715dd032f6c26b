//! JSON-RPC 2.0, a message a line, as MCP's stdio transport has it.

use std::io::{self, BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use super::desk::Desk;
use super::tools;

/// Versions that a client may ask for; the last is offered to one that asks for another.
const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-11-25", "2025-06-18"];
/// Bytes of a message: questions are short.
const LONGEST: u64 = 1 << 20;

const PARSE: i64 = -32700;
const REQUEST: i64 = -32600;
const METHOD: i64 = -32601;
const PARAMETERS: i64 = -32602;

/// Answers messages until the input ends.
///
/// # Errors
/// When it cannot be read from or written to any more.
pub fn run(desk: &Desk, mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let answer = if read as u64 == LONGEST && line.last() != Some(&b'\n') {
            skip_line(&mut input)?;
            Some(error(&Value::Null, REQUEST, "the message is too long"))
        } else if line.trim_ascii().is_empty() {
            None
        } else {
            message(desk, &line)
        };
        if let Some(answer) = answer {
            // A value prints on one line.
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (length, ended) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
}

/// The answer to a message; notifications have none.
fn message(desk: &Desk, line: &[u8]) -> Option<Value> {
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return Some(error(&Value::Null, PARSE, "this is no JSON"));
    };
    let Some(method) = message["method"].as_str() else {
        // An answer to something that was never asked.
        let is_answer = message.get("result").or_else(|| message.get("error")).is_some();
        return (!is_answer).then(|| error(&message["id"], REQUEST, "there is no method"));
    };
    let id = message.get("id")?;
    let parameters = &message["params"];
    Some(match method {
        "initialize" => result(id, initialize(desk, &parameters["protocolVersion"])),
        "ping" => result(id, json!({})),
        "tools/list" => result(id, json!({"tools": tools::list(desk.lang)})),
        "tools/call" => call(desk, id, parameters),
        _ => error(id, METHOD, &format!("there is no method {method:?}")),
    })
}

fn initialize(desk: &Desk, wanted: &Value) -> Value {
    let known = VERSIONS.iter().find(|version| *wanted == **version);
    let offered = VERSIONS[VERSIONS.len() - 1];
    json!({"protocolVersion": known.unwrap_or(&offered), "capabilities": {"tools": {}},
        "serverInfo": {"name": "casebook-analyze", "version": env!("CARGO_PKG_VERSION")},
        "instructions": tools::instructions(desk)})
}

fn call(desk: &Desk, id: &Value, parameters: &Value) -> Value {
    let Some(name) = parameters["name"].as_str() else {
        return error(id, PARAMETERS, "`name` is missing");
    };
    let empty = json!({});
    let arguments = parameters.get("arguments").filter(|arguments| arguments.is_object()).unwrap_or(&empty);
    // One that panics costs its own answer alone.
    let answer = catch_unwind(AssertUnwindSafe(|| tools::call(desk, name, arguments)));
    let (text, failed) = match answer {
        Ok(None) => return error(id, PARAMETERS, &format!("there is no tool {name:?}")),
        Ok(Some(Ok(text))) => (text, false),
        Ok(Some(Err(text))) => (text, true),
        Err(_) => ("this could not be answered".to_owned(), true),
    };
    result(id, json!({"content": [{"type": "text", "text": text}], "isError": failed}))
}

fn result(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}
