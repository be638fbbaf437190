//! The end of the process that started this one, as the kernel reports it: a descriptor of that process, which becomes
//! readable when it has ended, however it did. A signal at its death would come at the end of the *thread* that started
//! us as well.

/// Calls `then` on a thread of its own when the process that started this one has ended, and says whether it will: the
/// kernel has to know process descriptors (Linux 5.3 and newer).
#[cfg(target_os = "linux")]
pub fn when_parent_ends(then: impl FnOnce() + Send + 'static) -> bool {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
        process::{PidfdFlags, getppid, pidfd_open},
    };

    let Some(parent) = getppid() else { return false };
    let Ok(descriptor) = pidfd_open(parent, PidfdFlags::empty()) else { return false };
    let watch = move || {
        // Between the two calls above it may have ended, and its number may be somebody else's.
        if getppid() == Some(parent) {
            let mut waited = [PollFd::new(&descriptor, PollFlags::IN)];
            while poll(&mut waited, None) == Err(Errno::INTR) {}
        }
        then();
    };
    std::thread::Builder::new().name("parent".to_owned()).spawn(watch).is_ok()
}

/// The same where no kernel says it: never.
#[cfg(not(target_os = "linux"))]
pub fn when_parent_ends(_: impl FnOnce() + Send + 'static) -> bool {
    false
}
