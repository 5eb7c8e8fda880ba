//! Exit codes: what a gate can trust.

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: as expected.
    AsExpected,
    /// 1: conformance failure.
    Failed,
    /// 2: usage, or refused files.
    Refused,
    /// 3: the target could not be tested.
    Untestable,
    /// 4: nothing selected, or all skipped.
    Nothing,
    /// 5: a report could not be written.
    Unwritable,
    /// 128 and the signal's number: interrupted.
    Signal(i32),
}

impl Exit {
    /// The same, unless what the verb had to say could not be written: that comes before failure and success.
    pub fn if_written(self, written: bool) -> Exit {
        match self {
            Exit::AsExpected | Exit::Failed if !written => Exit::Unwritable,
            exit => exit,
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::AsExpected => 0,
            Exit::Failed => 1,
            Exit::Refused => 2,
            Exit::Untestable => 3,
            Exit::Nothing => 4,
            Exit::Unwritable => 5,
            Exit::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
