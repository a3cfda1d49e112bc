//! The page at /, in a browser.

use crate::browser::{Browser, DOWN, ENTER, ESCAPE, PAGE, TAB, TOKEN};
use crate::served::Served;
use serde_json::json;
use std::fs;

/// In the log or the command line of a box it would set `owned`, if anything of it was run.
const MARKUP: &str =
    "<script>owned=1</script><img src=x onerror=owned=1><svg onload=owned=1>\"'><a href=javascript:owned=1>";

/// What would be wider than the window, and where it is.
const TOO_WIDE: &str = "document.documentElement.scrollWidth > innerWidth && [...document.querySelectorAll('body *')]
    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.className).join()";

/// Runs a box from outside the page, which has the name `web`.
fn run(browser: &Browser, command: &[&str]) -> String {
    let run = browser.world().run("-d --name web -m 32M -e").arg(format!("NOTE={MARKUP}")).arg("small");
    run.args(command).done().is(0).text()
}

fn open_panel(browser: &Browser) {
    browser.until("document.querySelector('a.name')?.textContent === 'web'");
    browser.eval("document.querySelector('a.name').click()");
    browser.until("document.querySelector('.pipeline b')");
}

#[test]
fn the_page_may_use_nothing_but_its_own_files() {
    let Some(served) = Served::root() else { return };
    let page = served.ask("GET", "/", "Accept: text/html\r\n", "").is(200);
    for part in [
        "Content-Type: text/html",
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "X-Content-Type-Options: nosniff",
    ] {
        assert!(page.head.contains(part), "no {part}: {}", page.head);
    }
    assert!(!page.head.contains("-inline") && !page.head.contains("-eval"), "{}", page.head);
    for file in page.body.split(['"', '(']).filter(|word| word.starts_with("/page/")) {
        served.get(file).is(200);
    }
    assert!(!page.body.contains("://") && !page.body.contains(" style="), "{}", page.body);
}

#[test]
fn every_view_fits_a_phone_and_breaks_no_rule_of_its_policy() {
    let Some(browser) = Browser::start() else { return };
    browser.open();
    assert!(browser.text("main").contains("No containers"), "{}", browser.text("main"));
    run(&browser, &["sh", "-c", "echo written; exec sleep 1000"]);
    browser.until("document.querySelector('.use.memory .told')?.textContent.includes('of 32 MiB')");
    browser.until("document.querySelector('.use.memory .line').getAttribute('d') !== ''");
    let id = browser.eval("document.querySelector('a.name').hash.slice(5)");
    let panel = format!("box/{}", id.as_str().unwrap());
    for view in ["network", "history", "containers", &panel, "run"] {
        browser.eval(&format!("location.hash = '{view}'"));
        browser.until("!document.querySelector('.blank:not([hidden])')");
        for width in [1280, 768, 375, 320] {
            browser.width(width);
            assert_eq!(browser.eval(TOO_WIDE), json!(false), "{view} at {width}");
            let higher = browser.eval("document.documentElement.scrollHeight - innerHeight");
            assert!(width < 1280 || higher == json!(0), "{view} is {higher} px higher than the window");
        }
    }
    assert_eq!(browser.errors(), [""; 0]);
}

#[test]
fn a_box_is_run_read_stopped_and_removed_by_keys_alone() {
    let Some(browser) = Browser::start() else { return };
    browser.open();
    browser.keys("n");
    browser.until("document.activeElement.id === 'run-image' && document.activeElement.value === 'small'");
    browser
        .keys(&format!("{TAB}sh -c 'echo \"I am here\"; exec sleep 1000'{TAB}web{TAB}none{TAB}64M{ENTER}"));
    browser.until("document.querySelector('.log')?.textContent === 'I am here\\n'");
    assert_eq!(browser.eval("document.activeElement.id"), "panel-name");
    let record = browser.world().record("web");
    assert_eq!(record["state"], "running");

    browser.keys(ESCAPE);
    browser.until("document.querySelector('#panel').hidden && document.activeElement.textContent === 'web'");
    browser.keys(&format!("{TAB}{ENTER}"));
    browser.until("document.querySelector('.row').dataset.state === 'ended'");
    assert_eq!(browser.world().state("web"), "exited 143");
    assert!(browser.text(".row").contains("SIGTERM"), "{}", browser.text(".row"));

    browser.keys(&format!("{TAB}{TAB}"));
    browser.eval("document.activeElement.blur()");
    browser.keys(&format!("{DOWN}{ENTER}"));
    browser.until("!document.querySelector('#panel').hidden");
    browser.until("document.querySelector('.pipeline b')");
    let focus = "document.querySelector('#panel [data-verb=remove]').focus()";
    browser.eval(focus);
    browser.keys(ENTER);
    browser.until("document.activeElement.textContent === 'Remove for good?'");
    assert_eq!(browser.world().names(), ["web"], "it was asked first");
    browser.keys(ENTER);
    browser.until("document.querySelector('main').innerText.includes('No containers')");
    assert!(browser.world().names().is_empty());
    assert_eq!(browser.errors(), [""; 0]);
}

#[test]
fn what_boxes_are_called_and_write_runs_nothing() {
    let Some(browser) = Browser::start() else { return };
    browser.open();
    let script = "printf '\\033[31m%s\\033[0m\\377\\000\\033]0;title\\007\\n' \"$1\"; exec sleep 1000";
    run(&browser, &["sh", "-c", script, "sh", MARKUP]);
    open_panel(&browser);
    browser.until("document.querySelector('.log').textContent.length > 50");
    let log = browser.eval("document.querySelector('.log').textContent");
    assert_eq!(
        log,
        json!(format!("{MARKUP}\u{fffd}\\x00\n")),
        "without colours, and with what is no text shown"
    );
    assert!(browser.text(".row .command").contains("<script>"), "{}", browser.text(".row"));
    assert!(browser.text(".pipeline").contains("onerror"), "{}", browser.text(".pipeline"));
    browser.eval("location.hash = 'history'");
    browser.until("document.querySelector('.past .command')?.textContent.includes('<script>')");
    assert_eq!(browser.eval("typeof owned"), "undefined");
    assert_eq!(browser.eval("document.querySelectorAll('body script, img, a[href^=javascript]').length"), 0);
    assert_eq!(browser.errors(), [""; 0]);
}

#[test]
fn of_a_log_without_end_the_last_part_is_kept() {
    let Some(browser) = Browser::start() else { return };
    browser.open();
    run(&browser, &["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last; exec sleep 1000"]);
    open_panel(&browser);
    browser.until("document.querySelector('.log').textContent.endsWith('x\\nlast\\n')");
    let length = browser.eval("document.querySelector('.log').textContent.length").as_u64().unwrap();
    assert!((100_000..300_000).contains(&length), "{length} characters");
    assert!(browser.text(".logs .note").contains("not shown"), "{}", browser.text(".logs"));
}

#[test]
fn the_token_is_asked_for_and_never_left_in_the_address() {
    let Some(browser) = Browser::start() else { return };
    browser.go(PAGE);
    browser.until("document.activeElement.id === 'token'");
    browser.keys(&format!("wrong{ENTER}"));
    browser.until("document.querySelector('main').innerText.includes('not right')");
    browser.until("document.activeElement.id === 'token'");
    browser.keys(&format!("{TOKEN}{ENTER}"));
    browser.until("document.querySelector('.link').dataset.state === 'live'");
    browser.eval("sessionStorage.clear()");
    browser.open();
    assert_eq!(browser.eval("location.href"), PAGE);
    assert_eq!(browser.eval("document.body.innerHTML.includes(sessionStorage.getItem('box.token'))"), false);
}

#[test]
fn a_server_that_goes_away_is_told_and_found_again() {
    let Some(browser) = Browser::start() else { return };
    browser.open();
    let sandbox = browser.world().sandbox();
    fs::write(sandbox.path("away"), "").unwrap();
    let server = fs::read_to_string(sandbox.path("server")).unwrap();
    assert!(sandbox.run("kill").arg(server.trim_end()).done().status == 0);
    browser.until("document.querySelector('.link').dataset.state === 'lost'");
    assert!(browser.text("#lost").contains("No connection"), "{}", browser.text("body"));
    browser.eval("location.hash = 'run'");
    browser.until("document.querySelector('dialog .error')");
    browser.keys(ESCAPE);

    run(&browser, &["sleep", "1000"]);
    fs::remove_file(sandbox.path("away")).unwrap();
    browser.until("document.querySelector('.link').dataset.state === 'live'");
    browser.until("document.querySelector('a.name')?.textContent === 'web'");
    browser.until("document.querySelector('#lost').hidden");
}
