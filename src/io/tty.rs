//! Stub.
use std::{io, time::Duration};
pub struct Terminal;
pub enum TtyEvent { Input(crossterm::event::Event), Quit(i32), Resumed, HangUp }
impl Terminal {
    pub fn enter() -> io::Result<Self> { Ok(Self) }
    pub fn size(&self) -> io::Result<(u16, u16)> { Ok((80, 24)) }
    pub fn next_event(&mut self, _t: Duration) -> io::Result<Option<TtyEvent>> { Ok(None) }
    pub fn draw(&mut self, _f: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> { Ok(()) }
    pub fn suspend(&mut self) -> io::Result<()> { Ok(()) }
    pub fn redraw(&mut self) -> io::Result<()> { Ok(()) }
}
pub fn width() -> Option<u16> { crossterm::terminal::size().ok().map(|s| s.0) }
