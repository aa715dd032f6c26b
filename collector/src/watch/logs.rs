//! Following the logs of pods that appear while watching, from the moment a container runs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::memory::{Memory, Place};
use crate::cluster::api::{Api, FOREVER};
use crate::logs::budget;
use crate::logs::pod::{Pod, State};

/// Logs that are followed at the same time. An installation starts more containers than this; most of them run on and
/// on, and their logs stay where they are. So the one that has been followed longest gives way to what is new: that may
/// be gone in three seconds.
const MOST: usize = 100;
/// Memory for all logs together, about: the more of it is taken, the less a further log gets.
const ROOM: u64 = 64 << 20;
/// Part of the room that is left, for one log.
const SHARE: u64 = 32;
/// Of a container that ran before the watch began no more than its newest lines are wanted.
const LINES: usize = 20_000;
/// A container that has just begun may have no log file yet.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// Follows what it is shown.
pub struct Followers {
    api: Arc<Api>,
    memory: Arc<Memory>,
    running: JoinSet<()>,
    /// The running ones, the oldest first.
    order: VecDeque<(Place, u32, AbortHandle)>,
    /// Longest log that is kept.
    most: u64,
}

impl Followers {
    pub fn new(api: Arc<Api>, memory: Arc<Memory>, most: u64) -> Self {
        Self { api, memory, running: JoinSet::new(), order: VecDeque::new(), most }
    }

    /// Takes note of a pod's state: containers that run, or have run, and are not followed yet, are from now on.
    pub fn see(&mut self, pod: &Pod) {
        while self.running.try_join_next().is_some() {}
        for container in &pod.containers {
            if matches!(container.state, State::Waiting(_)) || pod.node.is_none() {
                continue;
            }
            let place = (pod.uid.clone(), container.name.clone());
            let room = ROOM.saturating_sub(self.memory.log_bytes()) / SHARE;
            let (head, tail) = budget::split(self.most.min(room.max(budget::LEAST)));
            let restarts = container.restarts;
            if !self.memory.begin_log(place.clone(), restarts, head, tail) {
                continue;
            }
            self.make_way();
            let path = format!(
                "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true&follow=true&tailLines={LINES}",
                pod.namespace, pod.name, container.name
            );
            let (api, memory, of) = (self.api.clone(), self.memory.clone(), place.clone());
            let running =
                self.running.spawn(async move { follow(&api, &memory, &path, &of, restarts).await });
            self.order.push_back((place, restarts, running));
        }
    }

    fn make_way(&mut self) {
        self.order.retain(|(_, _, running)| !running.is_finished());
        while self.order.len() >= MOST
            && let Some((place, restarts, running)) = self.order.pop_front()
        {
            running.abort();
            self.memory.leave_log(
                &place,
                restarts,
                "it was not followed to its end: newer logs took its place",
            );
        }
    }

    /// Lets logs that have ended, or are about to, come to their end.
    pub async fn finish(mut self, patience: Duration) {
        let until = Instant::now() + patience;
        while tokio::time::timeout_at(until, self.running.join_next()).await.is_ok_and(|end| end.is_some()) {}
        self.running.shutdown().await;
    }
}

async fn follow(api: &Api, memory: &Memory, path: &str, place: &Place, restarts: u32) {
    let never = Instant::now() + FOREVER;
    for _ in 0..TRIES {
        let mut came = false;
        if let Ok(mut stream) = api.follow(path, "*/*", FOREVER).await {
            loop {
                match stream.chunk(never).await {
                    Ok(Some(chunk)) => {
                        came = true;
                        memory.push_log(place, restarts, &chunk);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        memory.leave_log(place, restarts, &error.words);
                        break;
                    }
                }
            }
        }
        if came {
            return;
        }
        sleep(PAUSE).await;
    }
    memory.drop_empty_log(place, restarts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::pod::{Container, Role};
    use crate::testing::{Answer, server};

    fn pod(number: usize) -> Pod {
        Pod {
            namespace: "a".into(),
            name: format!("p{number}"),
            uid: format!("{number}"),
            node: Some("n".into()),
            phase: "Running".into(),
            reason: None,
            ready: true,
            deleting: false,
            owner: None,
            containers: vec![Container {
                name: "c".into(),
                role: Role::Regular,
                ready: true,
                restarts: 0,
                state: State::Running,
                last: None,
            }],
        }
    }

    #[tokio::test]
    async fn what_runs_on_makes_way_for_what_is_new() {
        // The first hundred never end; the last one has a log and is gone.
        let api = server(|_, path| match path.contains("/pods/p100/") {
            true => Answer::Whole(200, "", "no such table\n".to_owned()),
            false => Answer::Silence,
        });
        let memory = Arc::new(Memory::default());
        let mut followers = Followers::new(Arc::new(api.await), memory.clone(), 1 << 20);
        (0..=MOST).for_each(|number| followers.see(&pod(number)));
        followers.finish(Duration::from_secs(1)).await;
        let (newest, _) = memory.logs_of("100", "c");
        assert_eq!(newest.map(|run| run.kept.head), Some(b"no such table\n".to_vec()));
        let (oldest, _) = memory.logs_of("0", "c");
        assert!(oldest.unwrap().left.is_some_and(|why| why.contains("newer logs")));
        let (other, _) = memory.logs_of("1", "c");
        assert_eq!(other.and_then(|run| run.left), None);
    }
}
