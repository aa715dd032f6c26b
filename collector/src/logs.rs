//! Logs of containers: which are worth most ([`worth`]), what a pod says of them ([`pod`]), how much of each is kept
//! ([`head_tail`], [`budget`]), and how it is read ([`read`]) and masked ([`masked`]).

pub mod budget;
pub mod head_tail;
mod masked;
pub mod pod;
pub mod read;
pub mod worth;
