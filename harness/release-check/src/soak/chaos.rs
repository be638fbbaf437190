//! Trouble for a soak of the embedded portal: connections that are cut in mid-flight, a portal that takes none for a
//! while, and a database server that crashes and recovers.

use std::{
    cell::Cell,
    convert::Infallible,
    env,
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{Deployment, SmsIngest};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use crate::Error;

/// How long the portal takes no connection.
const OUTAGE: Duration = Duration::from_millis(400);

/// A database server that recovers for longer than this has not crashed but gone.
const RECOVERY: Duration = Duration::from_secs(30);

/// How often a server that recovers is asked whether it has.
const ASK: Duration = Duration::from_millis(20);

/// More connections than the portal keeps to its database. Each that a crash broke is an error once.
const CONNECTIONS: usize = 40;

/// How often each trouble was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Troubles {
    /// All connections cut, whatever was on its way on them.
    pub cuts: u32,
    /// The portal down: connections cut, and none taken for a while.
    pub outages: u32,
    /// The database server crashed and recovered.
    pub crashes: u32,
}

impl Troubles {
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl std::fmt::Display for Troubles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cuts, outages, crashes } = self;
        write!(f, "{cuts} × connections cut, {outages} × portal down, {crashes} × database crashed")
    }
}

/// What makes trouble.
pub struct Chaos<'d> {
    deployment: &'d Deployment,
    proxy: Proxy,
    database: PgConnectOptions,
    made: Cell<Troubles>,
    is_over: Cell<bool>,
}

impl<'d> Chaos<'d> {
    /// Stands between a client and the embedded portal.
    ///
    /// # Errors
    /// When the portal has no database server of its own to crash.
    pub async fn before(deployment: &'d Deployment, ingest: &SmsIngest) -> Result<Self, Error> {
        let Some(url) = deployment.database_url() else {
            return Err("only the embedded portal may be troubled".into());
        };
        if env::var_os("DATABASE_URL").is_some_and(|url| !url.is_empty()) {
            return Err(
                "--chaos crashes the database server, and DATABASE_URL names one that others may use\nunset DATABASE_URL, so that the portal starts one of its own"
                    .into(),
            );
        }
        let database = PgConnectOptions::from_str(url)?;
        keep_commits(&database).await?;
        let portal = (ingest.url().host_str().unwrap_or_default(), ingest.url().port_or_known_default().unwrap_or(80));
        let portal = tokio::net::lookup_host(portal).await?.next().ok_or("the portal has no address")?;
        let (made, is_over) = (Cell::default(), Cell::default());
        Ok(Self { deployment, proxy: Proxy::before(portal).await?, database, made, is_over })
    }

    /// The client by way of the trouble.
    ///
    /// # Errors
    /// When its URL cannot have another port.
    pub fn on_the_way_of(&self, ingest: SmsIngest) -> Result<SmsIngest, Error> {
        let mut url = ingest.url().clone();
        url.set_ip_host(self.proxy.address.ip())
            .and_then(|()| url.set_port(Some(self.proxy.address.port())))
            .map_err(|()| format!("{url} cannot be reached by a proxy"))?;
        Ok(ingest.at(url))
    }

    /// How often each trouble was made until now.
    pub fn made(&self) -> Troubles {
        self.made.get()
    }

    /// No further trouble is made: requests in flight arrive.
    pub fn end(&self) {
        self.is_over.set(true);
    }

    /// Makes trouble, a different one each time and with `pause` between, until it is ended and dropped.
    ///
    /// # Errors
    /// When trouble cannot be made, or the database server does not recover.
    pub async fn rage(&self, pause: Duration) -> Result<Infallible, Error> {
        loop {
            self.wait(pause).await;
            self.proxy.cut();
            self.count(|made| made.cuts += 1);

            self.wait(pause).await;
            self.proxy.set_down(true);
            self.count(|made| made.outages += 1);
            sleep(OUTAGE).await;
            self.proxy.set_down(false);

            self.wait(pause).await;
            self.crash().await?;
            self.count(|made| made.crashes += 1);
            self.calm().await?;
        }
    }

    /// For good, where no further trouble is to be made.
    async fn wait(&self, pause: Duration) {
        sleep(pause).await;
        if self.is_over.get() {
            pending::<()>().await;
        }
    }

    fn count(&self, one_more: impl FnOnce(&mut Troubles)) {
        let mut made = self.made.get();
        one_more(&mut made);
        self.made.set(made);
    }

    /// Answers when the portal works as before.
    ///
    /// # Errors
    /// When it does not.
    pub async fn calm(&self) -> Result<(), Error> {
        self.recovered().await?.close().await?;
        let (service, table) = (self.deployment.service()?, &self.deployment.contract().sms()?.raw.table);
        let (mut answered, until) = (0, Instant::now() + RECOVERY);
        while answered < CONNECTIONS {
            match service.count(table, &[("id", "is.null")]).await {
                Ok(_) => answered += 1,
                Err(error) if Instant::now() > until => return Err(error.into()),
                Err(_) => answered = 0,
            }
        }
        Ok(())
    }

    /// Kills one of the server's processes. The server cannot know what that left in the memory that they share, so it
    /// ends them all and recovers from its log, as after a crash of its own.
    async fn crash(&self) -> Result<(), Error> {
        let mut database = self.recovered().await?;
        // Somebody in the middle of a transaction, if there is one.
        let victim = "select pid from pg_stat_activity
            where backend_type in ('client backend', 'checkpointer') and pid <> pg_backend_pid()
            order by backend_type = 'client backend' desc, state = 'active' desc nulls last, xact_start limit 1";
        let pid: Option<i32> = sqlx::query_scalar(victim).fetch_optional(&mut database).await?;
        let pid = pid.and_then(Pid::from_raw).ok_or("the database server has no process to kill")?;
        kill_process(pid, Signal::KILL).map_err(|error| format!("the database cannot be crashed: {error}"))?;
        // Thrown out with all the others, and not a moment before.
        let thrown_out = sqlx::query("select pg_sleep($1)").bind(RECOVERY.as_secs_f64()).execute(&mut database).await;
        if thrown_out.is_ok() {
            return Err("the database server survived the death of one of its processes".into());
        }
        Ok(())
    }

    /// A connection to the server, as soon as it takes one.
    async fn recovered(&self) -> Result<PgConnection, Error> {
        let until = Instant::now() + RECOVERY;
        loop {
            match self.database.connect().await {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() > until => {
                    return Err(format!("the database server does not recover: {error}").into());
                }
                Err(_) => sleep(ASK).await,
            }
        }
    }
}

/// The portal's server answers before a commit is written, which no server does that money is in: a crash would lose
/// what was acknowledged. From now on each commit is written first.
async fn keep_commits(database: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = database.connect().await?;
    let name: String = sqlx::query_scalar("select quote_ident(current_database())").fetch_one(&mut connection).await?;
    let setting = format!("alter database {name} set synchronous_commit = on");
    sqlx::raw_sql(AssertSqlSafe(setting)).execute(&mut connection).await?;
    // It is for new connections.
    let end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()";
    sqlx::raw_sql(end).execute(&mut connection).await?;
    connection.close().await
}

/// A door before a server, which can be slammed.
struct Proxy {
    address: SocketAddr,
    door: Arc<watch::Sender<Door>>,
}

/// Changes throw out whoever is in.
#[derive(Debug, Clone, Copy, Default)]
struct Door {
    is_shut: bool,
}

impl Proxy {
    async fn before(server: SocketAddr) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, door) = (listener.local_addr()?, Arc::new(watch::Sender::new(Door::default())));
        let weak = Arc::downgrade(&door);
        tokio::spawn(async move {
            loop {
                let accepted = listener.accept().await;
                let Some(door) = weak.upgrade() else { return };
                // A client that has gone before it was let in is no reason to close.
                if let Ok((client, _)) = accepted {
                    tokio::spawn(pass(client, server, door.subscribe()));
                }
            }
        });
        Ok(Self { address, door })
    }

    fn cut(&self) {
        self.door.send_modify(|_| {});
    }

    fn set_down(&self, is_shut: bool) {
        self.door.send_modify(|door| door.is_shut = is_shut);
    }
}

/// Hands bytes to and fro until one side ends, or the door is slammed; then both sides see a reset.
async fn pass(mut client: TcpStream, server: SocketAddr, mut door: watch::Receiver<Door>) {
    let is_shut = door.borrow_and_update().is_shut;
    if is_shut {
        // A socket that cannot be reset is closed, which is trouble as well.
        let _ = client.set_zero_linger();
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = door.changed() => {
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that sends back whatever comes.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = client.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn echoed(stream: &mut TcpStream) -> std::io::Result<u8> {
        stream.write_u8(7).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn a_proxy_cuts_and_shuts() {
        let proxy = Proxy::before(echo().await).await.unwrap();
        let connect = async || TcpStream::connect(proxy.address).await.unwrap();
        let mut cut = connect().await;
        assert_eq!(echoed(&mut cut).await.unwrap(), 7);

        proxy.cut();
        assert!(echoed(&mut cut).await.is_err());
        assert_eq!(echoed(&mut connect().await).await.unwrap(), 7);

        proxy.set_down(true);
        assert!(echoed(&mut connect().await).await.is_err());

        proxy.set_down(false);
        assert_eq!(echoed(&mut connect().await).await.unwrap(), 7);
    }
}
