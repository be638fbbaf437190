//! `cargo xtask rls`: the command of `rls-probe`, with the embedded portal where no database is named.

use std::process::ExitCode;

use portal::Portal;
use rls_probe::command::Options;
use tokio::runtime::Builder;

use crate::{
    Error,
    setup::{self, root},
};

/// Probes and prints.
///
/// # Errors
/// When the embedded portal cannot be started.
pub fn run(mut options: Options) -> Result<ExitCode, Error> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        if options.database_url.is_some() || options.migrations.is_some() {
            return Ok(options.run().await.into());
        }
        setup::ensure()?;
        let portal = Portal::builder().start().await?;
        options.database_url = Some(portal.database_url().to_owned());
        options.tenancy.get_or_insert_with(|| root().join("fixtures/sacco-plus.toml"));
        Ok(options.run().await.into())
    })
}
