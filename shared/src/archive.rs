//! Reading what people have: compressed files, archives, archives in archives, folders. Nothing is ever written.

pub mod member;
