//! Running a check: a step of the runbook, a body, a verdict, and the evidence of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, Once, OnceLock, PoisonError},
};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::OnceCell,
    time::timeout,
};
use url::Url;

use crate::{
    browser::{Browser, Page, end_sessions},
    client::Session,
    clock::Clock,
    contract::Contract,
    deployment::{self, Deployment, Identity},
    ending,
    evidence::Evidence,
    failure::{Failure, Verdict},
    limits,
    outcome::Outcome,
    panics,
    privacy::{Detail, Privacy},
    redaction::{self, Redactor},
    run::{self, Figure},
    runbook::{Runbook, Step},
    section::Section,
    seen::{self, Seen},
    volume::AtVolume,
};

/// Exit code of a process that its checks held up, as timeout(1) has it.
const TIMED_OUT: i32 = 124;

static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
static DEPLOYMENT: OnceCell<Result<Deployment, Failure>> = OnceCell::const_new();
/// Parts that the configured contract lacks. One that cannot be read lacks nothing: the deployment reports it.
static NOT_PROMISED: LazyLock<Vec<Section>> = LazyLock::new(|| Identity::configured(None).not_promised);
/// Signals are watched for once the first check runs.
static WATCHED: Once = Once::new();
/// Obstacles that were reported in full.
static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What the body of a check works with.
#[derive(Debug)]
pub struct Check {
    deployment: &'static Deployment,
    browser: OnceCell<Browser>,
    measured: Mutex<Option<String>>,
    figure: Mutex<Option<Figure>>,
    kept: Mutex<Vec<Kept>>,
}

/// A file of evidence.
#[derive(Debug)]
struct Kept {
    name: &'static str,
    content_type: &'static str,
    text: String,
    /// Whether nothing of anybody can stand in it.
    is_figures: bool,
}

/// Runs a check of the step `id`, and leaves its evidence.
///
/// # Errors
/// The failure of the body, or the reason why the body could not be run.
pub fn check(id: &str, body: impl AsyncFn(&Check) -> Verdict) -> Verdict {
    check_if_promised(&[], id, body)
}

/// The same for a check that needs parts of a contract that other checks of its step do without: where the contract
/// lacks one, the run leaves it out.
///
/// # Errors
/// As [`check`].
pub fn check_if_promised(needs: &[Section], id: &str, body: impl AsyncFn(&Check) -> Verdict) -> Verdict {
    let name = test_name(std::any::type_name_of_val(&body));
    if let Some(problem) = Runbook::problem() {
        let (what, advice) = problem.split_once('\n').unwrap_or((&problem, ""));
        return Err(once(Failure::not_run(what).advice(advice).shared()));
    }
    let step = Runbook::get().checked_as(id);
    let needs = &[needs, &Runbook::needs_of_check(id, step)].concat();
    let id = step.map_or(id, |step| step.id.as_str());
    if let Some(list) = run::asked_to_list() {
        return list_step(&list, id, &name, needs);
    }
    if let Some(section) = run::not_promised(&name, needs, id, &NOT_PROMISED) {
        let failure = Failure::not_run(section.not_promised());
        return Err(match step {
            Some(step) => failure.about(step),
            None => failure,
        });
    }
    let step =
        step.ok_or_else(|| Failure::not_run(format!("the runbook has no step {id}, so this check verifies nothing")))?;
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| error.to_string())
    });
    let runtime =
        runtime.as_ref().map_err(|why| Failure::not_run("the asynchronous runtime cannot be started").seen(why))?;
    WATCHED.call_once(|| {
        deployment::know_secrets_of_environment();
        panics::report_without_secrets();
        drop(runtime.spawn(end_when_asked()));
        drop(runtime.spawn(end_when_over()));
    });
    runtime.block_on(run(&name, step, body)).map_err(|failure| once(failure.about(step)))
}

async fn run(name: &str, step: &'static Step, body: impl AsyncFn(&Check) -> Verdict) -> Verdict {
    let mut evidence = Evidence::of(name, step)?;
    let deployment = match deployment().await {
        Ok(deployment) => deployment,
        Err(failure) => {
            let failure = failure.about(step);
            evidence.close(None, Some(&failure))?;
            return Err(failure);
        }
    };
    let mut check = Check::of(deployment);
    let clock = Clock::start(deployment.contract().time_zone());
    let mut verdict = in_time(panics::caught(body(&check))).await;
    // What was seen to fail has failed, whatever became of the session afterwards.
    let is_open = verdict.as_ref().is_err_and(|failure| failure.outcome() != Outcome::Failed);
    if is_open && check.has_lost_its_browser().await {
        // Past the test runner, which shows nothing of a check before it ends.
        let _ =
            writeln!(io::stderr(), "{name}: the remote driver lost the browser's session; another one is asked for");
        check = Check::of(deployment);
        verdict = in_time(panics::caught(body(&check))).await;
    }
    let verdict = verdict.map_err(|failure| failure.unless_disturbed(&clock).about(step));
    let verdict = leave(check, verdict, &mut evidence).await;
    let unkept = evidence.close(Some(deployment.target()), verdict.as_ref().err());
    // Of what did not pass its own text counts, whether it can be kept or not.
    verdict.and(unkept)
}

/// Keeps what a check leaves, and ends its browser.
async fn leave(check: Check, verdict: Verdict, evidence: &mut Evidence) -> Verdict {
    let deployment = check.deployment;
    let browser = check.browser.into_inner();
    if let (Err(_), Some(browser)) = (&verdict, &browser) {
        let _ = timeout(limits::EVIDENCE, browser.tell_what_is_kept()).await;
    }
    let discreet = Discreet {
        redactor: deployment.redactor().await,
        privacy: {
            let (detail, contract) = (Detail::of(Some(deployment.target())), deployment.contract());
            Privacy::of(detail, contract.phrases(), contract.may_stay())
        },
    };
    let measured = check.measured.into_inner().unwrap_or_else(PoisonError::into_inner);
    evidence.measured(measured.map(|measured| discreet.reported(&measured)));
    evidence.figure(check.figure.into_inner().unwrap_or_else(PoisonError::into_inner));
    let texts = check.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut kept = texts.into_iter().try_for_each(|Kept { name, content_type, text, is_figures }| {
        let text = if is_figures { discreet.redactor.clean(&text) } else { discreet.reported(&text) };
        evidence.attach(name, content_type, text.as_bytes()).map(drop)
    });
    let mut verdict = verdict;
    if let Some(browser) = browser {
        if let Err(failure) = verdict {
            let keeping = timeout(limits::EVIDENCE, keep(&browser, evidence, &discreet)).await;
            let shown = keeping.unwrap_or(Ok(None));
            let (failure, shown) = match shown {
                Ok(Some(path)) => (failure.fact("evidence", path.display().to_string()), Ok(())),
                Ok(None) => (failure, Ok(())),
                Err(unkept) => (failure, Err(unkept)),
            };
            (verdict, kept) = (Err(failure), kept.and(shown));
        }
        if run::keeps_asked() {
            let asked = discreet.reported(&browser.asked_for().await);
            kept = kept.and(evidence.attach("asked.txt", "text/plain", asked.as_bytes()).map(drop));
        }
        // A browser that cannot be closed ends with the driver; the verdict stands.
        let _ = browser.close(verdict.is_ok()).await;
    }
    match (verdict, kept) {
        (Ok(()), kept) => kept,
        (Err(failure), Ok(())) => Err(failure),
        (Err(failure), Err(unkept)) => {
            Err(failure.fact("evidence", format!("cannot be kept: {}", unkept.get("seen").unwrap_or_default())))
        }
    }
    .map_err(|failure| failure.cleaned(&discreet.redactor).masked(&discreet.privacy))
}

/// What takes secrets and, where they may not stay, members' data out of what a check leaves.
struct Discreet {
    redactor: Arc<Redactor>,
    privacy: Privacy,
}

impl Discreet {
    fn reported(&self, text: &str) -> String {
        self.privacy.reported(&self.redactor.clean(text))
    }
}

/// Screenshot, page, console and requests of a failure. What cannot be had is left out: the failure itself is what counts.
async fn keep(browser: &Browser, evidence: &mut Evidence, discreet: &Discreet) -> Verdict<Option<PathBuf>> {
    let mut kept = None;
    // Before the picture, which changes the page where it must not be read.
    let page = browser.page_source().await;
    if (discreet.privacy.is_open() || browser.blur().await)
        && let Ok(png) = browser.screenshot().await
    {
        kept = Some(evidence.attach("screenshot.png", "image/png", &png)?);
    }
    if let Ok(page) = page {
        let page = discreet.privacy.page(&discreet.redactor.clean(&page));
        evidence.attach("page.html", "text/html", page.as_bytes())?;
    }
    evidence.attach("log.txt", "text/plain", discreet.reported(&browser.log()).as_bytes())?;
    Ok(kept)
}

/// The verdict of a check's body, if there is one before its time or that of its suite is over.
async fn in_time(body: impl Future<Output = Verdict>) -> Verdict {
    let Some(limit) = limits::check() else {
        return Err(Failure::not_run(format!(
            "the checks of this suite took {} s, and this one was not begun",
            limits::suite().as_secs()
        ))
        .advice("see what the checks before it waited for, or run this one alone")
        .shared());
    };
    timeout(limit, body).await.unwrap_or_else(|_| {
        let claim = if limit < limits::CHECK {
            format!("the check ends before the {} s of its suite are over", limits::suite().as_secs())
        } else {
            format!("the check ends within {} s", limits::CHECK.as_secs())
        };
        Err(Failure::undecided(claim)
            .seen("it was still waiting for an answer, and was given up")
            .advice("run it alone (cargo xtask run NAME); if it is late again, look for what the portal or the network between is slow in"))
    })
}

/// Ends a process whose checks hold it up beyond all limits, so that whoever started it learns of it.
async fn end_when_over() {
    tokio::time::sleep(limits::suite() + limits::EVIDENCE).await;
    ending::begin();
    // The exit tidies up, for which it needs the runtime: not on one of its workers.
    let _ = tokio::task::spawn_blocking(|| std::process::exit(TIMED_OUT)).await;
}

async fn deployment() -> Verdict<&'static Deployment> {
    let opened = DEPLOYMENT.get_or_init(async || {
        Deployment::open().await.map_err(|error| {
            deployment::know_secrets_of_environment();
            Failure::from(error).cleaned(&redaction::redactor())
        })
    });
    opened.await.as_ref().map_err(Failure::clone)
}

/// A signal that asks the process to end removes what checks made before it does, and so does the end of the process
/// that started this one. A second one ends it at once.
async fn end_when_asked() {
    let signals = [
        (SignalKind::hangup(), 129),
        (SignalKind::interrupt(), 130),
        (SignalKind::quit(), 131),
        (SignalKind::terminate(), 143),
    ];
    let (asked, mut hears) = tokio::sync::mpsc::channel(1);
    for (kind, code) in signals {
        let Ok(mut signal) = signal(kind) else { continue };
        let asked = asked.clone();
        tokio::spawn(async move { while signal.recv().await.is_some() && asked.send(code).await.is_ok() {} });
    }
    // As if its terminal had been closed.
    owned_process::when_parent_ends(move || {
        let _ = asked.blocking_send(129);
    });
    let Some(code) = hears.recv().await else { return };
    ending::begin();
    tokio::select! {
        () = tidy() => {}
        _ = hears.recv() => {}
    }
    // The exit removes what was being made just now, for which it needs the runtime: not on one of its workers.
    let _ = tokio::task::spawn_blocking(move || std::process::exit(code)).await;
}

/// Removes what checks made in the deployment, and keeps the list of what stays.
async fn tidy() {
    end_sessions().await;
    let Some(Ok(deployment)) = DEPLOYMENT.get() else { return };
    // Whatever stays is the next run's to remove.
    let Ok(stays) = timeout(limits::TIDY, deployment.tidy()).await else { return };
    run::keep_what_stays(&deployment::RUN, deployment.target(), &stays);
}

/// What checks made in the deployment is removed when the process ends, however many checks share it, and the run is
/// closed. On a thread of its own, since this one's thread locals are gone by then.
#[dtor::dtor(unsafe)]
fn at_exit() {
    if let Some(Ok(runtime)) = RUNTIME.get() {
        let finished = std::thread::Builder::new().spawn(|| {
            runtime.block_on(tidy());
            run::close(ending::has_begun());
        });
        // A panic there has reported itself, and there is nobody left to report it to.
        let _ = finished.map(std::thread::JoinHandle::join);
    }
}

/// An obstacle that every check meets is reported in full once; the others say so in one line.
fn once(failure: Failure) -> Failure {
    let key = format!("{}{:?}", failure.claim(), failure.get("seen"));
    let first = !failure.is_shared() || REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    if first { failure } else { failure.in_one_line() }
}

fn list_step(list: &Path, step: &str, name: &str, needs: &[Section]) -> Verdict {
    Err(match run::list(list, name, step, needs) {
        Ok(()) => Failure::not_run("only listed"),
        Err(error) => Failure::not_run("the list of steps cannot be written").seen(error.to_string()),
    })
}

/// The test's name with its suite. The runner names the thread after the test, except where it runs tests on its main
/// thread; there the body's path stands in, and cases of one body are numbered in the order in which they run.
fn test_name(body: &str) -> String {
    static UNNAMED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
    let suite = body.split("::").next().unwrap_or_default();
    if let Some(test) = std::thread::current().name().filter(|test| *test != "main") {
        return format!("{suite}::{test}");
    }
    let exact = env::args().any(|argument| argument == "--exact");
    let mut named = env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    if let (true, Some(test), None) = (exact, named.next(), named.next()) {
        return format!("{suite}::{test}");
    }
    let body = body.trim_end_matches("::{{closure}}").to_owned();
    let mut unnamed = UNNAMED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = unnamed.entry(body.clone()).or_default();
    *count += 1;
    if *count == 1 { body } else { format!("{body}::run_{count}") }
}

impl Check {
    fn of(deployment: &'static Deployment) -> Self {
        Self {
            deployment,
            browser: OnceCell::new(),
            measured: Mutex::default(),
            figure: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Whether a remote driver ended the session that the check looked through: a node that goes takes its own along.
    async fn has_lost_its_browser(&self) -> bool {
        match self.browser.get() {
            Some(browser) => browser.is_lost().await,
            None => false,
        }
    }

    /// The deployment under test.
    pub fn deployment(&self) -> &'static Deployment {
        self.deployment
    }

    /// What the deployment promises.
    pub fn contract(&self) -> &'static Contract {
        self.deployment.contract()
    }

    /// Keeps the figure that this check measured, for the sign-off: it is what the runbook's tables call "actual".
    pub fn measured(&self, figure: impl Into<String>) {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = Some(figure.into());
    }

    /// Keeps a figure of the runbook's monitoring table, for whoever watches it over time.
    pub fn figure(&self, value: f64, limit: f64, unit: &str) {
        let figure = Figure { value, limit, unit: unit.to_owned() };
        *self.figure.lock().unwrap_or_else(PoisonError::into_inner) = Some(figure);
    }

    /// Keeps what is known of the release that is live, for whoever signs.
    pub fn released(&self, know: impl FnOnce(&mut Seen)) {
        seen::note(know);
    }

    /// Keeps a text as evidence, whatever the verdict.
    pub fn keep(&self, name: &'static str, content_type: &'static str, text: impl Into<String>) {
        self.add(Kept { name, content_type, text: text.into(), is_figures: false });
    }

    /// Keeps figures that a later run compares with: numbers and hashes, of which none is masked.
    pub fn keep_figures(&self, name: &'static str, json: String) {
        self.add(Kept { name, content_type: "application/json", text: json, is_figures: true });
    }

    fn add(&self, kept: Kept) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// The portal in a browser that nobody is signed in to. A check has one browser; asking again gives the same.
    ///
    /// # Errors
    /// Not run where there is no browser.
    pub async fn page(&self) -> Verdict<Page<'_>> {
        let browser = self.browser.get_or_try_init(async || Browser::open(self.origins()).await).await?;
        Ok(Page::new(browser, self.deployment))
    }

    fn origins(&self) -> Vec<Url> {
        let mut origins = vec![self.deployment.site().url("/")];
        origins.extend(self.deployment.api().ok().map(|api| api.url.clone()));
        origins
    }

    /// The portal in a browser of its own that finds a scratch database in the place of the deployment's API, and holds a
    /// session of somebody there in the persona's role. Where the browser is open, what is opened next is theirs.
    ///
    /// # Errors
    /// As [`Check::page`]; not run where browsers run elsewhere.
    pub async fn signed_in_at(&self, volume: &AtVolume, persona: &str) -> Verdict<Page<'_>> {
        let session = volume.session(self.contract(), persona).await?;
        let led = volume.led(self.deployment)?;
        let is_open = self.browser.initialized();
        let browser = self.browser.get_or_try_init(async || Browser::open_led(self.origins(), &led).await).await?;
        let page = Page::new(browser, self.deployment);
        if !page.takes_sessions(persona).await? {
            return Err(Failure::not_run("no page was opened at the contract's volume")
                .expected("an app that takes a session from localStorage: nobody has a password on a scratch database")
                .seen("one that keeps its own elsewhere"));
        }
        if is_open {
            page.hold_now(&session).await?
        } else {
            page.hold(&session).await?
        }
        Ok(page)
    }

    /// The portal in a browser that holds the persona's session, which all checks of this process share: it is not for
    /// signing out.
    ///
    /// # Errors
    /// As [`Check::page`]; not run where the persona has no account, undecided where it does not work.
    pub async fn signed_in(&self, persona: &str) -> Verdict<Page<'_>> {
        let session = self.deployment.session(persona).await?;
        let page = self.page().await?;
        page.hold(&session).await?;
        Ok(page)
    }

    /// The portal in a browser that holds a session of its own, which may be ended.
    ///
    /// # Errors
    /// As [`Check::signed_in`].
    pub async fn signed_in_alone(&self, persona: &str) -> Verdict<(Page<'_>, Session)> {
        let session = self.deployment.new_session(persona).await?;
        let page = self.page().await?;
        page.hold(&session).await?;
        Ok((page, session))
    }
}
