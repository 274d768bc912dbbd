//! What the pane of one end claims of its socket.

use super::*;

/// The pane of `side` in the flow view of [`live_flow`] after `change`.
fn end_of_flow(side: usize, change: impl Fn(&mut FlowDetail)) -> String {
    let mut dashboard = live_flow();
    if let Some(detail) = &mut dashboard.flow {
        change(detail);
    }
    let shown = text(&screen(&dashboard, &live_source(), "2j\n", (120, 40), ThemeName::Dark));
    let half = |line: &str| line.chars().skip(side * 60).take(60).collect::<String>();
    shown.lines().skip(7).take(18).map(|line| half(line) + "\n").collect()
}

#[test]
fn a_socket_that_is_gone_is_not_told_as_if_it_were_there() {
    let there = end_of_flow(1, |_| {});
    assert!(["timer", "cwnd", "of 426.0 kB"].iter().all(|word| there.contains(word)), "{there}");
    let gone = end_of_flow(1, |detail| {
        let at = detail.sockets[1].as_ref().map(|socket| socket.at);
        detail.sockets[1].as_mut().unwrap().gone = at;
        detail.row.resp.reported = None;
    });
    assert!(gone.contains("gone since 14:03:21") && gone.contains("ESTAB  Recv-Q 0 B  Send-Q 16.4 kB"), "{gone}");
    assert!(!["timer", "cwnd", "of 426.0 kB"].iter().any(|word| gone.contains(word)), "{gone}");
}

#[test]
fn what_left_its_state_and_was_not_read_since_is_said_to_be_one_of_two() {
    let left = end_of_flow(1, |detail| {
        detail.sockets[1].as_mut().unwrap().left = Some(NOW - Duration::from_secs(3));
        detail.row.resp.reported = None;
    });
    assert!(left.contains("left ESTAB 3 s ago: in TIME-WAIT, or gone"), "{left}");
    assert!(!["timer", "cwnd", "Recv-Q"].iter().any(|word| left.contains(word)), "{left}");
}

#[test]
fn the_kernels_last_word_tells_the_final_counts() {
    let told = |info: TcpInfo, unread| {
        end_of_flow(0, |detail| {
            let row = &detail.row;
            let word = LastWord {
                ts: NOW,
                scope: row.scope,
                local: row.orig.endpoint,
                peer: row.resp.endpoint,
                cookie: Some(1),
                unread,
                info: Box::new(info),
            };
            detail.last_words[0] = Some(Arc::new(word));
            detail.sockets[0].as_mut().unwrap().gone = Some(NOW);
        })
    };
    let counts = TcpInfo { bytes_sent: Some(76), bytes_received: Some(98_012), ..TcpInfo::default() };
    let some = told(TcpInfo { total_retrans: Some(2), ..counts }, 400);
    assert!(some.contains("final    sent 76 B  received 98.0 kB"), "{some}");
    assert!(some.contains("retrans 2  never read 400 B"), "{some}");
    let none = told(TcpInfo { total_retrans: Some(0), ..counts }, 1);
    assert!(!none.contains("retrans 0") && !none.contains("never read"), "one may be the FIN: {none}");
}

#[test]
fn a_queue_that_holds_only_a_syn_or_fin_says_so() {
    let shown = |state, recv_q, send_q| {
        end_of_flow(0, |detail| {
            let socket = &mut detail.sockets[0].as_mut().unwrap().socket;
            (socket.state, socket.recv_q, socket.send_q) = (Reported(state), recv_q, Some(send_q));
        })
    };
    assert!(shown(TcpState::CloseWait, 1, 0).contains("1: the FIN"));
    assert!(shown(TcpState::SynSent, 0, 1).contains("1: the SYN"));
    assert!(shown(TcpState::FinWait1, 0, 1).contains("1: the FIN"));
    for near in [shown(TcpState::Estab, 1, 1), shown(TcpState::CloseWait, 2, 1), shown(TcpState::FinWait1, 1, 2)] {
        assert!(!near.contains(": the"), "{near}");
    }
}

#[test]
fn an_end_that_was_never_seen_is_not_seen() {
    let unseen = |detail: &mut FlowDetail| {
        (detail.row.resp.reported, detail.row.resp.inferred, detail.row.resp.local) = (None, None, Some(false));
    };
    let shown = end_of_flow(1, unseen);
    assert!(shown.contains("state    not seen") && !shown.contains("inferred"), "{shown}");
}

#[test]
fn a_state_that_was_read_before_the_wire_moved_on_is_no_other_claim() {
    let shown = |outdated: Option<crate::base::Timestamp>| {
        end_of_flow(0, |detail| {
            let cell = &mut detail.row.orig;
            (cell.reported, cell.inferred) = (Some(TcpState::SynSent), Some(TcpState::Estab));
            cell.outdated = outdated;
        })
    };
    let old = shown(Some(NOW - Duration::from_secs(3)));
    assert!(old.contains("SYN-SENT kernel 3 s ago, then  ESTAB wire") && !old.contains("differ"), "{old}");
    assert!(shown(None).contains("SYN-SENT kernel  ESTAB wire"));
}

#[test]
fn a_life_that_fits_is_shown_whole_beside_what_was_lost() {
    let mut dashboard = capture_flow();
    let detail = dashboard.flow.as_mut().unwrap();
    detail.life.truncate(6);
    let verdict = detail.verdict.as_mut().unwrap();
    (verdict.injected, verdict.limits) = (None, vec![]);
    verdict.halves[0].episodes.truncate(1);
    let shown = text(&screen(&dashboard, &capture_source(), "2j\n", (120, 40), ThemeName::Dark));
    assert!(shown.contains("─ Life ─") && shown.contains("─ Losses ─"), "{shown}");
}
