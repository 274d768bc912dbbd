//! DNS answers, kept for the connections that follow them: bounded, and only as long as one may belong to a connection.
//!
//! A lookup belongs to a connection where the same host asked, the answer told the responder's address, and the SYN
//! came within [`NEAR`] after it; of several, the newest before the SYN. The client's address must be the same, or both
//! this host's where those are known (a resolver on loopback asks for it). Read first: RFC 1035 §7.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::base::{Endpoint, Scope, Timestamp};
use crate::names::{Dns, DnsSays};
use crate::wire::Segment;

use super::{Engine, Lookup};

/// How long after the answer the SYN may come: what programs take, an attempt at another address first included
/// (RFC 8305 waits 250 ms, a SYN is sent again after 1 s).
const NEAR: Duration = Duration::from_secs(5);
/// How long a query waits for its answer: resolvers give up before (resolv.conf(5): 5 s, twice).
const PATIENCE: Duration = Duration::from_secs(30);
/// Queries and told addresses kept at most; the oldest go first.
const MAX_QUERIES: usize = 2048;
const MAX_TOLD: usize = 4096;
/// Lookups of one address that are tried at most, newest first.
const MAX_TRIED: usize = 16;

/// The lookups of late. A copy shares them until one changes.
#[derive(Debug, Clone)]
pub(super) struct Lookups(Arc<Tables>);

#[derive(Debug, Clone)]
struct Tables {
    queries: HashMap<Query, Timestamp, FixedState>,
    /// In order of arrival; may name some that are gone.
    asked: VecDeque<(Query, Timestamp)>,
    told: VecDeque<Told>,
    /// The number of `told`'s first.
    first: u64,
    /// The newest of each address, by number.
    newest: HashMap<(Scope, IpAddr), u64, FixedState>,
}

/// What ties an answer to its query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Query {
    scope: Scope,
    client: Endpoint,
    server: Endpoint,
    id: u16,
    name: Arc<str>,
}

/// An address that an answer told.
#[derive(Debug, Clone)]
struct Told {
    scope: Scope,
    client: IpAddr,
    address: IpAddr,
    lookup: Lookup,
    /// The one before of the same address.
    before: Option<u64>,
}

impl Lookups {
    /// Without lookups. `seed` keys the hashes: packets choose the keys.
    pub(super) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self(Arc::new(Tables {
            queries: HashMap::with_hasher(hasher.clone()),
            asked: VecDeque::new(),
            told: VecDeque::new(),
            first: 0,
            newest: HashMap::with_hasher(hasher.clone()),
        }))
    }

    /// What takes memory that `other` does not share, bytes.
    pub(super) fn apart_from(&self, other: &Self) -> usize {
        if Arc::ptr_eq(&self.0, &other.0) {
            return 0;
        }
        let Tables { queries, asked, told, newest, first: _ } = &*self.0;
        let maps = queries.capacity() * size_of::<(Query, Timestamp)>()
            + newest.capacity() * size_of::<((Scope, IpAddr), u64)>();
        maps + asked.capacity() * size_of::<(Query, Timestamp)>() + told.capacity() * size_of::<Told>()
    }

    /// Takes in a message.
    pub(super) fn take(&mut self, dns: &Dns) {
        let tables = Arc::make_mut(&mut self.0);
        let (scope, client, server) = (dns.scope, dns.client, dns.server);
        let query = Query { scope, client, server, id: dns.id, name: dns.name.as_str().into() };
        match &dns.says {
            DnsSays::Query => tables.ask(query, dns.ts),
            DnsSays::Answer(addresses) => {
                let asked = tables.queries.remove(&query).filter(|asked| *asked <= dns.ts);
                let asked = asked.filter(|asked| dns.ts.since(*asked) <= PATIENCE);
                for address in addresses {
                    let lookup = Lookup { name: dns.name.clone(), server, asked, answered: dns.ts };
                    tables.tell(scope, client.ip(), *address, lookup);
                }
            }
        }
    }

    /// The newest lookup of `address` before `at`, made by `client` or by who is as good as it.
    fn find(&self, scope: Scope, address: IpAddr, at: Timestamp, same: impl Fn(IpAddr) -> bool) -> Option<&Lookup> {
        let tables = &*self.0;
        let mut next = tables.newest.get(&(scope, address)).copied();
        for _ in 0..MAX_TRIED {
            let told = tables.told.get(usize::try_from(next?.checked_sub(tables.first)?).ok()?)?;
            let near = told.lookup.answered <= at && at.since(told.lookup.answered) <= NEAR;
            if near && same(told.client) {
                return Some(&told.lookup);
            }
            next = told.before;
        }
        None
    }
}

impl Tables {
    /// A query that is sent again waits from its first.
    fn ask(&mut self, query: Query, ts: Timestamp) {
        let waits = self.queries.get(&query).is_some_and(|asked| ts.since(*asked) <= PATIENCE);
        if waits {
            return;
        }
        self.queries.insert(query.clone(), ts);
        self.asked.push_back((query, ts));
        while self.asked.len() > MAX_QUERIES
            && let Some((oldest, ts)) = self.asked.pop_front()
        {
            if self.queries.get(&oldest) == Some(&ts) {
                self.queries.remove(&oldest);
            }
        }
    }

    fn tell(&mut self, scope: Scope, client: IpAddr, address: IpAddr, lookup: Lookup) {
        let number = self.first + self.told.len() as u64;
        let before = self.newest.insert((scope, address), number);
        self.told.push_back(Told { scope, client, address, lookup, before });
        while self.told.len() > MAX_TOLD
            && let Some(oldest) = self.told.pop_front()
        {
            let key = (oldest.scope, oldest.address);
            if self.newest.get(&key) == Some(&self.first) {
                self.newest.remove(&key);
            }
            self.first += 1;
        }
    }
}

impl Engine {
    /// The lookup that this segment's connection follows, if it is a SYN.
    pub(super) fn lookup(&self, segment: &Segment) -> Option<Lookup> {
        if self.lookups.0.told.is_empty() || !segment.flags.pure_syn() {
            return None;
        }
        let client = segment.src.ip();
        let here = |ip: IpAddr| self.addresses.as_ref().is_some_and(|all| ip.is_loopback() || all.contains(&ip));
        let same = |asker: IpAddr| asker == client || (here(asker) && here(client));
        self.lookups.find(segment.scope, segment.dst.ip(), segment.ts, same).cloned()
    }
}
