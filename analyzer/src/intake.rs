//! From whatever people have to a [`Snapshot`](crate::snapshot::Snapshot).
