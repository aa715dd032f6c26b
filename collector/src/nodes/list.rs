//! Which nodes to go to: from the API's Node objects, or from a file where the API does not answer.

use serde_json::Value;

/// A node to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name in Kubernetes, and of the folder below `hosts/`.
    pub name: String,
    /// What ssh is told to connect to.
    pub address: String,
}

/// Why a list of nodes cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ListError {
    #[error(
        "line {line} of the node list: {text:?} is no address\n\
         hint: one node a line, `ADDRESS` or `NAME ADDRESS`; `#` begins a comment"
    )]
    Line { line: usize, text: String },
    #[error("the node list names no node\nhint: one node a line, `ADDRESS` or `NAME ADDRESS`")]
    Empty,
}

/// A node that cannot be gone to: its address is nothing that ssh may be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "its address {address:?} is not one\nhint: name the node with an address that leads to it in --node-list FILE"
)]
pub struct NoAddress {
    /// Name of the node.
    pub node: String,
    pub address: String,
}

/// The nodes of a List, by their InternalIP. A node without one is reached by its name.
pub fn from_objects<'a>(
    nodes: impl IntoIterator<Item = &'a Value>,
) -> impl Iterator<Item = Result<Node, NoAddress>> {
    nodes.into_iter().filter_map(|node| {
        let name = node.pointer("/metadata/name")?.as_str()?.to_owned();
        let addresses = node.pointer("/status/addresses").and_then(Value::as_array);
        let of_type = |wanted: &str| {
            let found = addresses?.iter().find(|a| a.get("type").and_then(Value::as_str) == Some(wanted))?;
            found.get("address")?.as_str()
        };
        let address = of_type("InternalIP").or_else(|| of_type("Hostname")).unwrap_or(&name).to_owned();
        Some(match is_address(&address) {
            true => Ok(Node { name, address }),
            false => Err(NoAddress { node: name, address }),
        })
    })
}

/// The nodes of a file: one a line, `ADDRESS` or `NAME ADDRESS`.
///
/// # Errors
/// With the line that is not understood.
pub fn from_file(text: &str) -> Result<Vec<Node>, ListError> {
    let mut nodes = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let (name, address) = match words[..] {
            [] => continue,
            [address] => (address, address),
            [name, address] => (name, address),
            _ => return Err(ListError::Line { line: at + 1, text: line.to_owned() }),
        };
        if !is_address(address) {
            return Err(ListError::Line { line: at + 1, text: line.to_owned() });
        }
        nodes.push(Node { name: name.to_owned(), address: address.to_owned() });
    }
    if nodes.is_empty() { Err(ListError::Empty) } else { Ok(nodes) }
}

/// Letters of host names and addresses. What begins with `-` would be an option of ssh.
fn is_address(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".:-_%".contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_come_with_the_address_inside_the_cluster() {
        let nodes = [
            json!({"metadata": {"name": "a"}, "status": {"addresses": [
                {"type": "Hostname", "address": "a.example"}, {"type": "InternalIP", "address": "10.0.0.1"}]}}),
            json!({"metadata": {"name": "b"}}),
            json!({"metadata": {"name": "c"}, "status": {"addresses": [{"type": "InternalIP", "address": "-oProxyCommand=x"}]}}),
        ];
        let node = |name: &str, address: &str| Ok(Node { name: name.into(), address: address.into() });
        let odd = NoAddress { node: "c".into(), address: "-oProxyCommand=x".into() };
        let all: Vec<_> = from_objects(&nodes).collect();
        assert_eq!(all, [node("a", "10.0.0.1"), node("b", "b"), Err(odd)]);
    }

    #[test]
    fn a_file_is_read_or_refused_with_its_line() {
        let nodes = from_file("# nodes\n10.0.0.1\nnode-2 10.0.0.2 # the second\n\n").unwrap();
        assert_eq!(nodes.len(), 2);
        assert_eq!((nodes[1].name.as_str(), nodes[1].address.as_str()), ("node-2", "10.0.0.2"));
        assert!(matches!(from_file("10.0.0.1\n-oProxyCommand=x\n"), Err(ListError::Line { line: 2, .. })));
        assert!(from_file("a b c\n").unwrap_err().to_string().contains("hint: "));
        assert_eq!(from_file("# nothing\n"), Err(ListError::Empty));
    }
}
