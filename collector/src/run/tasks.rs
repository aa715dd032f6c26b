//! Work in parallel, a bounded number of pieces at a time, ended with whoever waits for it.
//!
//! Every item comes back to whoever gave it, also where the work on it panicked: what is done with it then is written
//! where it was asked for, and cannot be forgotten, since the result is of that type.

use std::collections::HashMap;

use tokio::task::JoinSet;

use crate::cluster::error::ApiError;

/// Work on one item that ended with an error of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an error of casebook-collect itself: {0}")]
pub struct Panicked(pub String);

impl From<Panicked> for ApiError {
    fn from(panicked: Panicked) -> Self {
        ApiError::internal(panicked.to_string())
    }
}

impl Panicked {
    /// From what a panic carried.
    pub fn new(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default())
    }
}

/// Runs `work` on every item, at most `limit` at a time, and hands each item with what came of it to `done`.
pub async fn each<T, R, F>(
    items: Vec<T>,
    limit: usize,
    work: impl Fn(T) -> F,
    mut done: impl FnMut(T, Result<R, Panicked>),
) where
    T: Clone,
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut under_way = HashMap::new();
    let mut items = items.into_iter();
    loop {
        while running.len() < limit.max(1)
            && let Some(item) = items.next()
        {
            let id = running.spawn(work(item.clone())).id();
            under_way.insert(id, item);
        }
        let (id, result) = match running.join_next_with_id().await {
            Some(Ok((id, result))) => (id, Ok(result)),
            Some(Err(error)) => {
                let id = error.id();
                // Nobody cancels a piece of work but whoever drops all of them.
                let panicked = error.try_into_panic().map(|payload| Panicked::new(&*payload));
                (id, Err(panicked.unwrap_or_else(|error| Panicked(error.to_string()))))
            }
            None => return,
        };
        if let Some(item) = under_way.remove(&id) {
            done(item, result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn all_are_done_and_never_too_many_at_once() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut sum = 0;
        let work = |n: u32| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                n
            }
        };
        each((1..=20).collect(), 3, work, |_, n| sum += n.unwrap()).await;
        assert_eq!(sum, 210);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn what_panics_comes_back_with_its_words_and_the_others_go_on() {
        let work = |n: u32| async move {
            assert!(n != 2, "item {n} is odd");
            n * 10
        };
        let mut ends = Vec::new();
        each(vec![1, 2, 3], 2, work, |item, end| ends.push((item, end))).await;
        ends.sort_by_key(|(item, _)| *item);
        assert_eq!(ends, [(1, Ok(10)), (2, Err(Panicked("item 2 is odd".into()))), (3, Ok(30))]);
    }
}
