//! A connection that speaks rtnetlink(7) in one network namespace.

use super::message::Answer;
use super::request::Request;
use super::socket::{Frame, Refusal, Socket};
use crate::namespace::Namespace;
use chain::Result;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::errno::Errno;

/// As many acknowledgements as surely fit into the socket's queue, each of which counts as about 1 KiB there.
const AT_ONCE: usize = 64;
/// How often a list is asked for anew that changed while it was read.
const TRIES: usize = 20;

/// The connection; it stays in the namespace that it was opened in.
#[derive(Debug)]
pub struct Route(Socket);

impl Route {
    /// To the network namespace that this process is in.
    pub fn open() -> Result<Self> {
        Socket::open(NETLINK_ROUTE).map(Route)
    }

    /// To another one. This process visits it, and is back when this returns.
    pub fn open_in(namespace: &Namespace) -> Result<Self> {
        namespace.visit(Route::open)
    }

    /// Sends one request, and gives the answers to it.
    pub fn ask(&mut self, request: Request) -> Result<Vec<Answer>> {
        self.batch(&[request])
    }

    /// Sends all requests in one go, and gives the answers to them in their order. The first refusal is the error;
    /// the requests after it have been tried nevertheless.
    pub fn batch(&mut self, requests: &[Request]) -> Result<Vec<Answer>> {
        let (answers, results) = self.try_batch(requests);
        results.into_iter().collect::<Result<()>>().map(|()| answers)
    }

    /// The same, with what came of each request.
    pub fn try_batch(&mut self, requests: &[Request]) -> (Vec<Answer>, Vec<Result<()>>) {
        let (mut answers, mut results) = (Vec::new(), Vec::new());
        for requests in requests.chunks(AT_ONCE) {
            let frames: Vec<Frame> = requests.iter().map(Request::frame).collect();
            let refusals = self.exchange(&frames, &mut answers);
            results.extend(requests.iter().zip(refusals).map(|(request, refusal)| request.judge(refusal)));
        }
        (answers, results)
    }

    fn exchange(&mut self, frames: &[Frame], answers: &mut Vec<Answer>) -> Vec<Option<Refusal>> {
        let before = answers.len();
        for _ in 0..TRIES {
            answers.truncate(before);
            let take = |_, kind, body: &[u8]| answers.push(Answer { kind, body: body.to_vec() });
            match self.0.exchange(frames, take) {
                Ok(refusals) if refusals == [Some(Refusal::from(Errno::EINTR))] => {}
                Ok(refusals) => return refusals,
                Err(errno) => return vec![Some(errno.into()); frames.len()],
            }
        }
        vec![Some(Errno::EINTR.into()); frames.len()]
    }
}
