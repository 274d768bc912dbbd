//! What a frame's headers told on the way to its segment: VLAN, tunnel, and how many headers it took.

use std::num::NonZeroU16;

use super::{Stop, Undecoded};

/// IP headers in one frame at most: deeper nesting is counted, not read.
const MAX_NESTED: u8 = 8;
/// Link and tunnel headers in one frame at most.
const MAX_HEADERS: u8 = 64;

/// What a segment came through besides its own IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TunnelKind {
    IpInIp,
    Gre,
    Erspan,
    Vxlan,
    Geneve,
    GtpU,
    Teredo,
    L2tp,
    EtherIp,
    Ayiya,
    Lisp,
    Capwap,
    Tzsp,
    /// A service function path (RFC 8300).
    Nsh,
    Mpls,
    PppoE,
    /// Provider backbone bridges (IEEE 802.1ah).
    Pbb,
    FabricPath,
}

impl TunnelKind {
    /// As reports and JSON write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IpInIp => "IP in IP",
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "Geneve",
            Self::GtpU => "GTP-U",
            Self::Teredo => "Teredo",
            Self::L2tp => "L2TP",
            Self::EtherIp => "EtherIP",
            Self::Ayiya => "AYIYA",
            Self::Lisp => "LISP",
            Self::Capwap => "CAPWAP",
            Self::Tzsp => "TZSP",
            Self::Nsh => "NSH",
            Self::Mpls => "MPLS",
            Self::PppoE => "PPPoE",
            Self::Pbb => "802.1ah",
            Self::FabricPath => "FabricPath",
        }
    }
}

/// A tunnel, with the number that tells it from others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tunnel {
    pub kind: TunnelKind,
    /// GRE key, ERSPAN session, VNI (VXLAN, Geneve), TEID (GTP-U), tunnel and session (L2TP: upper and lower 16 bits),
    /// service path (NSH), label (MPLS), session (PPPoE), I-SID (802.1ah), forwarding tag (FabricPath); `None` where
    /// there is none.
    pub id: Option<TunnelId>,
}

/// A tunnel's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TunnelId([u8; 4]);

impl From<u32> for TunnelId {
    fn from(id: u32) -> Self {
        Self(id.to_ne_bytes())
    }
}

impl From<TunnelId> for u32 {
    fn from(id: TunnelId) -> Self {
        Self::from_ne_bytes(id.0)
    }
}

impl std::fmt::Debug for TunnelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        u32::from(*self).fmt(f)
    }
}

impl std::fmt::Display for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.id {
            Some(id) => write!(f, "{} {}", self.kind.name(), u32::from(id)),
            None => f.write_str(self.kind.name()),
        }
    }
}

/// The id of a VLAN: 12 bits (IEEE 802.1Q §9.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VlanId(NonZeroU16);

impl VlanId {
    /// What a tag begins with: priority, an indicator, and the id.
    pub const fn of_tag(tag: u16) -> Self {
        Self(NonZeroU16::MIN.saturating_add(tag & 0x0fff))
    }

    /// 0 is of a frame that has a priority and is in no VLAN.
    pub const fn number(self) -> u16 {
        self.0.get() - 1
    }
}

impl std::fmt::Debug for VlanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number().fmt(f)
    }
}

/// The way so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Route {
    /// The outermost VLAN id.
    pub(super) vlan: Option<VlanId>,
    /// The outermost tunnel.
    pub(super) tunnel: Option<Tunnel>,
    nested: u8,
    headers: u8,
}

impl Route {
    pub(super) fn through_vlan(&mut self, tag: u16) {
        self.vlan = self.vlan.or(Some(VlanId::of_tag(tag)));
    }

    pub(super) fn through(&mut self, kind: TunnelKind, id: Option<u32>) {
        self.tunnel = self.tunnel.or(Some(Tunnel { kind, id: id.map(TunnelId::from) }));
    }

    /// One more IP header.
    pub(super) fn deeper(&mut self) -> Result<(), Stop> {
        self.nested += 1;
        if self.nested > MAX_NESTED { Err(Undecoded::Tunnel.into()) } else { Ok(()) }
    }

    /// One more link or tunnel header.
    pub(super) fn further(&mut self) -> Result<(), Stop> {
        self.headers += 1;
        if self.headers > MAX_HEADERS { Err(Undecoded::Tunnel.into()) } else { Ok(()) }
    }
}
