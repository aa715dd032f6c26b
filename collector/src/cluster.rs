//! The way to the API server: finding it ([`connect`]), asking it ([`api`]), and sparing it while it is in trouble
//! ([`pace`], [`retry`], [`breaker`]).
//!
//! Only requests that read are made here. Everything goes by raw JSON, so that a server older or newer than this
//! program loses no field and fails no schema.

pub mod api;
pub mod breaker;
pub mod connect;
pub mod discovery;
pub mod error;
pub mod login;
pub mod pace;
pub mod retry;
