//! What a server may do to its visitors.

use super::certificates::Certificate;

/// One way to be hostile, or only unlucky.
pub struct Behaviour {
    /// Of its snapshot.
    pub name: &'static str,
    /// What the server does, as the snapshot's first line has it.
    pub about: &'static str,
    /// Who meets it first.
    pub meets: Meets,
    pub does: Does,
}

/// Who meets a behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// Whoever asks for the document: no browser is started.
    Everybody,
    /// Browsers alone.
    Browser,
}

/// What is answered to a request for the root; other paths are well.
#[derive(Clone, Copy)]
pub enum Does {
    /// These bytes, and the end of the connection.
    Answers(&'static str),
    /// The same where they are no text.
    Bytes(&'static [u8]),
    /// A page with this in its head, to browsers and everybody else.
    Page(&'static str),
    /// These bytes to browsers alone; the portal's document to everybody else.
    AnswersBrowsers(&'static str),
    /// The head of an answer, then this again and again.
    Endlessly { head: &'static str, part: &'static [u8], every_ms: u64 },
    /// So many bytes of HTML.
    Large(usize),
    /// A page that names so many scripts.
    Scripts(usize),
    /// A header of so many bytes.
    Header(usize),
    /// Each answer leads to another one.
    RedirectsOn,
    /// Half a body, then a reset.
    ResetsInBody,
    /// Nothing, and the connection stays open.
    IsSilent,
    /// A certificate, over HTTP/1.1.
    Tls(Certificate),
    /// A good certificate, and no other protocol than HTTP/2.
    OnlyHttp2,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";

const fn of(name: &'static str, about: &'static str, does: Does) -> Behaviour {
    Behaviour { name, about, meets: Meets::Everybody, does }
}

const fn page(name: &'static str, about: &'static str, does: Does) -> Behaviour {
    Behaviour { name, about, meets: Meets::Browser, does }
}

use Does::{Answers, AnswersBrowsers, Endlessly, Page};

pub const BEHAVIOURS: &[Behaviour] = &[
    of("silence", "takes the connection and says nothing", Does::IsSilent),
    of("hang_up", "hangs up without an answer", Answers("")),
    of("no_http", "speaks another protocol", Answers("SSH-2.0-OpenSSH_9.2\r\n")),
    of("endless_body", "a body without end", Endlessly { head: OK, part: &[b' '; 65_536], every_ms: 0 }),
    of("dripping_body", "a byte of the body now and then", Endlessly { head: OK, part: b" ", every_ms: 200 }),
    of(
        "slow_headers",
        "a header now and then, without end",
        Endlessly { head: "HTTP/1.1 200 OK\r\n", part: b"x-more: more\r\n", every_ms: 500 },
    ),
    of("hundred_megabytes", "100 MB of HTML", Does::Large(100_000_000)),
    of("hundred_thousand_scripts", "a document that names 100,000 scripts", Does::Scripts(100_000)),
    of("huge_headers", "a header of 1 MB", Does::Header(1_000_000)),
    of("redirect_chain", "redirects to another address each time", Does::RedirectsOn),
    of(
        "redirect_loop",
        "redirects to itself",
        Answers("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
    ),
    of("reset_in_body", "resets the connection within the body", Does::ResetsInBody),
    of(
        "short_body",
        "fewer bytes than announced",
        Answers("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5000\r\n\r\n<!doctype html>"),
    ),
    of(
        "broken_gzip",
        "a body that is called gzip and is none",
        Answers("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\n\r\n\u{1f}\u{2} not gzip"),
    ),
    of(
        "another_charset",
        "bytes that are no text in any encoding",
        Does::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=nonsense\r\ncontent-length: 8\r\n\r\n\xff\xfe\x00\xd8\xc3\x28\xa0\xa1"),
    ),
    of(
        "empty_body",
        "an empty page",
        Answers("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n"),
    ),
    of(
        "wrong_content_type",
        "the document as plain text",
        Answers("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 15\r\n\r\n<!doctype html>"),
    ),
    of(
        "download",
        "a download in place of the page",
        Answers(
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-disposition: attachment; filename=portal.bin\r\ncontent-length: 4\r\n\r\n\0\0\0\0",
        ),
    ),
    of(
        "parked_domain",
        "a parked domain that has taken over the portal's title",
        Answers(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<!doctype html><html lang=en><title>SACCO+ Admin Portal</title><body><h1>This domain is for sale</h1>",
        ),
    ),
    of(
        "basic_auth",
        "asks for a password",
        Answers("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"staging\"\r\ncontent-length: 0\r\n\r\n"),
    ),
    of(
        "forbidden",
        "refuses with a page of its own",
        Answers("HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n<title>Access denied</title>"),
    ),
    of(
        "too_many_requests",
        "is asked too often",
        Answers("HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n"),
    ),
    of(
        "challenge",
        "challenges whoever may be a bot",
        Answers(
            "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\ncontent-type: text/html\r\n\r\n<title>Just a moment...</title>",
        ),
    ),
    of(
        "captcha",
        "asks for a captcha",
        Answers(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>Are you human?</title><div class=h-captcha></div>",
        ),
    ),
    of(
        "access_page",
        "leads to an access page",
        Answers(
            "HTTP/1.1 302 Found\r\nlocation: https://sacco.cloudflareaccess.com/cdn-cgi/access/login\r\ncontent-length: 0\r\n\r\n",
        ),
    ),
    of("bad_gateway", "a gateway without its portal", Answers("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")),
    of("expired_certificate", "a certificate that has expired", Does::Tls(Certificate::Expired)),
    of("self_signed_certificate", "a certificate that nobody signed", Does::Tls(Certificate::SelfSigned)),
    of("certificate_of_another_host", "a certificate of another host", Does::Tls(Certificate::OtherHost)),
    page("only_http2", "speaks HTTP/2 alone, with a certificate that the browser does not know", Does::OnlyHttp2),
    page("endless_script", "a script without end, before the page is parsed", Page("<script>for (;;);</script>")),
    page(
        "endless_script_later",
        "a script without end, once the page is on screen",
        Page("<script>addEventListener('load', () => setTimeout(() => { for (;;); }));</script>"),
    ),
    page(
        "memory_hog",
        "a script that takes all memory",
        Page("<script>const all = []; for (;;) all.push(new Uint8Array(2e7).fill(1));</script>"),
    ),
    page("alert", "an alert", Page("<script>alert('Hello');</script>")),
    page("confirm", "a question, again and again", Page("<script>for (;;) confirm('Leave?');</script>")),
    page(
        "beforeunload",
        "does not let go of its visitors",
        Page(
            "<script>addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = 'Stay'; });</script>",
        ),
    ),
    page(
        "pop_up_storm",
        "opens windows without end",
        Page("<script>setInterval(() => open('/well', String(Math.random())), 5);</script>"),
    ),
    page("navigation_away", "sends its visitors to another site", Page("<script>location = ELSEWHERE;</script>")),
    page("reload_loop", "loads itself again and again", Page("<script>location.reload();</script>")),
    page(
        "hijacking_service_worker",
        "a service worker that answers in the portal's place",
        Page(
            "<script>if (!navigator.serviceWorker.controller) { document.documentElement.hidden = true; navigator.serviceWorker.addEventListener('controllerchange', () => location.reload()); navigator.serviceWorker.register('/hijack.js'); }</script>",
        ),
    ),
    page(
        "hanging_web_socket",
        "a socket whose handshake never ends",
        Page("<script>new WebSocket(`ws://${location.host}/silence`);</script>"),
    ),
    page("hanging_script", "a script that never arrives", Page("<script src=/silence></script>")),
    page(
        "flooded_console",
        "a console that is flooded",
        Page("<script>const text = 'x'.repeat(1e5); for (let i = 0; i < 1000; i++) console.error(i + text);</script>"),
    ),
    page(
        "scripts_in_the_browser",
        "20,000 scripts that the browser is to load",
        Page(
            "<script>for (let i = 0; i < 20000; i++) { const it = document.createElement('script'); it.src = `/x${i}.js`; document.head.append(it); }</script>",
        ),
    ),
    page(
        "hundred_megabytes_of_text",
        "a script that writes 100 MB into the page",
        Page("<script>addEventListener('load', () => { document.body.append('x '.repeat(5e7)); });</script>"),
    ),
    page(
        "download_for_browsers",
        "a download in place of the page, for browsers",
        AnswersBrowsers(
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-disposition: attachment; filename=portal.bin\r\ncontent-length: 4\r\n\r\n\0\0\0\0",
        ),
    ),
    page("hang_up_for_browsers", "hangs up on browsers", AnswersBrowsers("")),
    page(
        "challenge_for_browsers",
        "challenges browsers alone",
        AnswersBrowsers(
            "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\ncontent-type: text/html\r\ncontent-length: 31\r\n\r\n<title>Just a moment...</title>",
        ),
    ),
    page(
        "limit_for_browsers",
        "is asked too often by browsers",
        AnswersBrowsers(
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-type: text/html\r\ncontent-length: 24\r\n\r\n<title>Slow down</title>",
        ),
    ),
    page(
        "captcha_for_browsers",
        "asks browsers for a captcha",
        AnswersBrowsers(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 64\r\n\r\n<title>Are you human?</title><div class='h-captcha'></div>      ",
        ),
    ),
    page(
        "redirect_loop_for_browsers",
        "redirects browsers to where they are",
        AnswersBrowsers("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
    ),
];

/// What a page that is well does once somebody clicks.
pub const CLICKED: &[Behaviour] = &[
    page(
        "endless_script",
        "a script without end",
        Page("<script>addEventListener('click', () => { for (;;); });</script>"),
    ),
    page(
        "alert",
        "an alert",
        Page("<script>addEventListener('click', (event) => { event.preventDefault(); alert('Hello'); });</script>"),
    ),
    page(
        "memory_hog",
        "a script that takes all memory",
        Page(
            "<script>addEventListener('click', () => { const all = []; for (;;) all.push(new Uint8Array(2e7).fill(1)); });</script>",
        ),
    ),
    page(
        "navigation_away",
        "sends its visitors to another site",
        Page(
            "<script>addEventListener('click', (event) => { event.preventDefault(); location = ELSEWHERE; });</script>",
        ),
    ),
    page(
        "empty_page",
        "takes everything off the screen",
        Page(
            "<script>addEventListener('click', (event) => { event.preventDefault(); document.body.replaceChildren(); });</script>",
        ),
    ),
];
