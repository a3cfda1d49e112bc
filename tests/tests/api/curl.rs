//! Over TCP, with a token, as curl calls it. The server has a network namespace of its own.

use crate::served::listening;
use crate::world::World;
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tests::tools::workspace;
use tests::{Job, Outcome, each};

/// A server that listens there.
pub struct Remote {
    pub world: World,
    job: Option<Job>,
}

impl Remote {
    pub fn start(words: &str) -> Option<Self> {
        Some(Remote::over(World::dash()?, words))
    }

    pub fn over(world: World, words: &str) -> Self {
        let job = listening(world.behind("unshare-rs -n", &format!("serve {words}")));
        Remote { world, job: Some(job) }
    }

    pub fn job(&self) -> &Job {
        self.job.as_ref().unwrap()
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.world.runs().join("api.token")).unwrap().trim_end().to_owned()
    }

    /// Calls curl in its network namespace: the status of the answer, and what it says.
    #[track_caller]
    fn curl<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> (u16, String) {
        let pid = self.job().pid();
        let curl = self.world.sandbox().run(&format!("nsenter-rs -t {pid} -n curl -s -w \\n%{{http_code}}"));
        let done: Outcome = curl.args(args).done().is(0);
        let text = done.text();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            job.signal(Signal::SIGTERM);
            job.done();
        }
        if !std::thread::panicking() {
            crate::served::assert_left_nothing(&self.world.runs());
        }
    }
}

#[test]
fn the_token_is_asked_for_and_told_once() {
    let Some(remote) = Remote::start("--listen 127.0.0.1:1337") else { return };
    let token = remote.token();
    let file = remote.world.runs().join("api.token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(remote.job().talk().matches(&token).count(), 1, "{}", remote.job().talk());
    let url = "http://127.0.0.1:1337/containers";
    let right = format!("Authorization: Bearer {token}");
    let wrong = format!("Authorization: Bearer {}", "0".repeat(64));
    let longer = format!("{right}0");
    let basic = format!("Authorization: Basic {token}");
    let in_query = format!("{url}?token={token}");
    let rows: [(&[&str], u16); 9] = [
        (&["-H", &right, url], 200),
        (&["-H", &right, "http://localhost:1337/containers"], 200),
        (&["-H", &right.replace("Bearer", "bearer"), url], 200),
        (&[url], 401),
        (&["-H", &wrong, url], 401),
        (&["-H", &longer, url], 401),
        (&["-H", &basic, url], 401),
        (&["-H", "Authorization: Bearer ", url], 401),
        (&[&in_query], 401),
    ];
    each(rows, |(args, status)| {
        let (got, body) = remote.curl(args.iter().copied());
        assert_eq!(got, status, "{args:?}: {body}");
    });
    let (_, head) = remote.curl(["-i", url]);
    assert!(head.contains("WWW-Authenticate: Bearer"), "{head}");
    let (status, page) = remote.curl(["-i", "-H", "Accept: text/html", "http://127.0.0.1:1337/"]);
    assert!(status == 200 && page.contains("Content-Security-Policy: default-src 'none'"), "{page}");
}

#[test]
fn no_process_has_the_token_in_its_line_or_environment() {
    let Some(remote) = Remote::start("--listen 127.0.0.1:1337") else { return };
    let token = remote.token();
    let right = format!("Authorization: Bearer {token}");
    let body = r#"{"state":"run","image":"small","command":"sleep 100","net":"none","name":"web"}"#;
    let (status, _) = remote.curl(["-H", &right, "--json", body, "http://127.0.0.1:1337/run"]);
    assert_eq!(status, 200);
    let mut seen = 0;
    for process in fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(process.path().join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            seen += usize::from(text.contains("BOX_TOKEN_SHA256="));
            assert!(!text.contains(&token), "{}: {text}", process.path().display());
        }
    }
    assert!(seen > 0, "not even the digest was seen");
}

/// A page of another site may know the address and have the browser go there, by a name of its own too.
#[test]
fn pages_of_other_sites_are_refused() {
    let Some(remote) = Remote::start("--listen 127.0.0.1:1337") else { return };
    let right = format!("Authorization: Bearer {}", remote.token());
    let rows: [(&[&str], u16); 9] = [
        (&["-H", "Host: example.com"], 403),
        (&["-H", "Host: example.com:1337"], 403),
        (&["-H", "Host: localhost"], 403),
        (&["-H", "Host: 127.0.0.1:1338"], 403),
        (&["-H", "Host:", "-0"], 403),
        (&["-H", "Origin: http://example.com"], 403),
        (&["-H", "Origin: null"], 403),
        (&["-H", "Origin: https://127.0.0.1:1337"], 403),
        (&["-H", "Origin: http://127.0.0.1:1337"], 200),
    ];
    each(rows, |(args, status)| {
        let all = ["-H", &right].into_iter().chain(args.iter().copied());
        let (got, body) = remote.curl(all.chain(["http://127.0.0.1:1337/containers"]));
        assert_eq!(got, status, "{args:?}: {body}");
    });
}

#[test]
fn a_second_server_with_a_token_needs_its_own() {
    let Some(remote) = Remote::start("--listen 127.0.0.1:1337") else { return };
    let token = remote.token();
    remote
        .world
        .boxed("serve --listen 127.0.0.1:1338")
        .done()
        .is(125)
        .says("--token-file")
        .complains_as("box");
    assert_eq!(remote.token(), token);
    let right = format!("Authorization: Bearer {token}");
    assert_eq!(remote.curl(["-H", &right, "http://127.0.0.1:1337/containers"]).0, 200);
}

#[test]
fn every_address_that_can_be_listened_on() {
    let rows = [
        ("--listen [::1]:1337", "http://[::1]:1337", ""),
        ("--listen 127.0.0.2:80", "http://127.0.0.2", ""),
        ("--listen 0.0.0.0:1337 --insecure-anywhere", "http://127.0.0.1:1337", ""),
        ("--listen [::]:1337 --insecure-anywhere", "http://[::1]:1337", ""),
        ("--listen 0.0.0.0:1337 --tls-cert cert.pem --tls-key key.pem", "https://127.0.0.1:1337", "cert.pem"),
        ("--listen 127.0.0.1:443 --tls-cert both.pem", "https://localhost", "cert.pem"),
    ];
    each(rows, |(words, url, cert)| {
        let Some(world) = World::dash() else { return };
        let make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=box -keyout key.pem -out cert.pem \
            -addext subjectAltName=IP:127.0.0.1,DNS:localhost 2>/dev/null && cat cert.pem key.pem >both.pem";
        if !cert.is_empty() {
            world.sandbox().shell(make).done().is(0);
        }
        let remote = Remote::over(world, words);
        let right = format!("Authorization: Bearer {}", remote.token());
        let url = format!("{url}/containers");
        let trust = if cert.is_empty() { vec![] } else { vec!["--cacert", cert] };
        let (status, body) = remote.curl(trust.iter().copied().chain(["-g", "-H", &right, &url]));
        assert_eq!((status, body.as_str()), (200, "{}\n"), "{words}");
        assert_eq!(remote.curl(trust.into_iter().chain(["-gk", &url])).0, 401, "{words}");
    });
}

/// Each line of a block of the README that calls curl succeeds.
#[test]
fn every_curl_line_of_the_readme_works() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.contains("box serve"))
        .collect();
    assert!(!blocks.is_empty());
    assert!(blocks.iter().map(|block| block.matches("curl ").count()).sum::<usize>() >= 8);
    each(blocks, |block| {
        let Some(world) = World::dash() else { return };
        let script = ["\ncurl ", "$(curl "].iter().fold(block.to_owned(), |script, call| {
            script.replace(call, &format!("{call}--fail-with-body -sS "))
        });
        let run = world.sandbox().run("unshare-rs -n sh -euc").arg(script);
        world.with_places(run).limit(120).done().is(0);
    });
}
