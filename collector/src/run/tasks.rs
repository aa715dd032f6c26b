//! Work in parallel, a bounded number of pieces at a time, ended with whoever waits for it.

use tokio::task::JoinSet;

/// Runs `work` on every item, at most `limit` at a time, and hands each result to `done`. A piece that panics is
/// left out.
pub async fn each<T, R, F>(items: Vec<T>, limit: usize, work: impl Fn(T) -> F, mut done: impl FnMut(R))
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut items = items.into_iter();
    loop {
        while running.len() < limit.max(1)
            && let Some(item) = items.next()
        {
            running.spawn(work(item));
        }
        match running.join_next().await {
            Some(Ok(result)) => done(result),
            Some(Err(_)) => {}
            None => return,
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
        each((1..=20).collect(), 3, work, |n| sum += n).await;
        assert_eq!(sum, 210);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
