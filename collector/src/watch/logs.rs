//! Following the logs of pods that appear while watching, from the moment a container runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::memory::{Memory, Place};
use crate::cluster::api::Api;
use crate::logs::budget;
use crate::logs::pod::{Pod, State};

/// Logs that are followed at the same time; further ones wait for one of these to end.
const MOST: usize = 100;
/// A container that has just begun may have no log file yet.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// Follows what it is shown.
pub struct Followers {
    api: Arc<Api>,
    memory: Arc<Memory>,
    room: Arc<Semaphore>,
    running: JoinSet<()>,
    /// Longest log that is kept.
    most: u64,
}

impl Followers {
    pub fn new(api: Arc<Api>, memory: Arc<Memory>, most: u64) -> Self {
        Self { api, memory, room: Arc::new(Semaphore::new(MOST)), running: JoinSet::new(), most }
    }

    /// Takes note of a pod's state: containers that run, or have run, and are not followed yet, are from now on.
    pub fn see(&mut self, pod: &Pod) {
        while self.running.try_join_next().is_some() {}
        let (head, tail) = budget::split(self.most);
        for container in &pod.containers {
            if matches!(container.state, State::Waiting(_)) || pod.node.is_none() {
                continue;
            }
            let place = (pod.uid.clone(), container.name.clone());
            if !self.memory.begin_log(place.clone(), container.restarts, head, tail) {
                continue;
            }
            let path = format!(
                "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true&follow=true",
                pod.namespace, pod.name, container.name
            );
            let (api, memory, room) = (self.api.clone(), self.memory.clone(), self.room.clone());
            let restarts = container.restarts;
            self.running.spawn(async move {
                let _room = room.acquire_owned().await;
                follow(&api, &memory, &path, &place, restarts).await;
            });
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
    let never = Instant::now() + Duration::from_secs(365 * 86400);
    for _ in 0..TRIES {
        let mut came = false;
        if let Ok(mut stream) = api.follow(path, "*/*").await {
            while let Ok(Some(chunk)) = stream.chunk(never).await {
                came = true;
                memory.push_log(place, restarts, &chunk);
            }
        }
        if came {
            return;
        }
        sleep(PAUSE).await;
    }
    memory.drop_empty_log(place, restarts);
}
