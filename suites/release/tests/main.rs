//! What has to be true around a release: code freeze, staging, database, variables, functions, build, deployment, and the
//! ways back. Read-only: safe on production.
//!
//! What vendors know is asked of them (SUPABASE_ACCESS_TOKEN, CLOUDFLARE_API_TOKEN, GITHUB_TOKEN); where a token is
//! missing, the step is "not run", and a person may look and sign.

mod after;
mod audit_log;
mod benchmarks;
mod build;
mod code_freeze;
mod database;
mod deployment;
mod functions;
mod keys;
mod load_times;
mod monitoring;
mod rollback;
mod staging;
mod variables;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
