//! One verdict for each node's kubelet, so that a dead one costs one time-out and not one for each of its pods.
//!
//! The first request that goes through a kubelet goes alone; the others for that node wait for its end. Once the
//! kubelet has answered, they all go. When it has not, they end at once with the words of the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::error::ApiError;

/// Failures in a row after which a kubelet that has answered before is taken for dead.
const ENOUGH: u32 = 2;

#[derive(Debug, Default)]
pub struct Breakers {
    nodes: Mutex<HashMap<String, Arc<Node>>>,
}

#[derive(Debug, Default)]
struct Node {
    state: Mutex<State>,
    /// Held by the one request that goes first.
    first: Arc<AsyncMutex<()>>,
}

#[derive(Debug, Default, Clone)]
enum State {
    #[default]
    Untried,
    Alive {
        failures: u32,
    },
    Dead(ApiError),
}

/// Leave to make one request through a kubelet; it must be told how that ended.
#[derive(Debug)]
pub struct Pass {
    node: Arc<Node>,
    _first: Option<OwnedMutexGuard<()>>,
}

impl Breakers {
    /// Waits for leave to ask the kubelet of `node`.
    ///
    /// # Errors
    /// The failure that showed the kubelet to be dead.
    pub async fn pass(&self, node: &str) -> Result<Pass, ApiError> {
        let node = self.node(node);
        match node.state() {
            State::Alive { .. } => return Ok(Pass { node, _first: None }),
            State::Dead(error) => return Err(error),
            State::Untried => {}
        }
        let guard = node.first.clone().lock_owned().await;
        match node.state() {
            State::Untried => Ok(Pass { node, _first: Some(guard) }),
            State::Alive { .. } => Ok(Pass { node, _first: None }),
            State::Dead(error) => Err(error),
        }
    }

    fn node(&self, name: &str) -> Arc<Node> {
        let mut nodes = self.nodes.lock().expect("no code panics while it holds the lock");
        nodes.entry(name.to_owned()).or_default().clone()
    }
}

impl Node {
    fn state(&self) -> State {
        self.state.lock().expect("no code panics while it holds the lock").clone()
    }
}

impl Pass {
    /// The kubelet answered, be it with an error of its own.
    pub fn answered(self) {
        *self.node.state.lock().expect("no code panics while it holds the lock") =
            State::Alive { failures: 0 };
    }

    /// The kubelet could not be reached.
    pub fn failed(self, error: &ApiError) {
        let mut state = self.node.state.lock().expect("no code panics while it holds the lock");
        *state = match &*state {
            State::Alive { failures } if failures + 1 < ENOUGH => State::Alive { failures: failures + 1 },
            State::Dead(first) => State::Dead(first.clone()),
            _ => State::Dead(error.clone()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::error::Fault;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn a_dead_kubelet_is_asked_once_by_many_at_the_same_time() {
        let breakers = Arc::new(Breakers::default());
        let asked = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (breakers, asked) = (breakers.clone(), asked.clone());
                tokio::spawn(async move {
                    let pass = breakers.pass("node-1").await?;
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let error = ApiError::new(Fault::TimedOut, "no answer");
                    pass.failed(&error);
                    Err::<(), _>(error)
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap_err().words, "no answer");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn one_failure_of_a_living_kubelet_is_forgiven() {
        let breakers = Breakers::default();
        let error = ApiError::new(Fault::TimedOut, "slow");
        breakers.pass("n").await.unwrap().answered();
        breakers.pass("n").await.unwrap().failed(&error);
        breakers.pass("n").await.unwrap().answered();
        breakers.pass("n").await.unwrap().failed(&error);
        breakers.pass("n").await.unwrap().failed(&error);
        assert_eq!(breakers.pass("n").await.unwrap_err(), error);
        assert!(breakers.pass("other").await.is_ok());
    }

    #[tokio::test]
    async fn a_pass_that_is_dropped_lets_the_next_one_go() {
        let breakers = Breakers::default();
        drop(breakers.pass("n").await.unwrap());
        assert!(tokio::time::timeout(Duration::from_secs(1), breakers.pass("n")).await.unwrap().is_ok());
    }
}
