//! Channels with many senders and one receiver, without a limit on what waits in them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError};

use super::condvar::Condvar;
use super::mutex::{Mutex, MutexGuard};
use crate::runtime::coroutine::is_running;

struct Queue<T> {
    messages: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
}

struct Channel<T> {
    queue: Mutex<Queue<T>>,
    has_changed: Condvar,
}

impl<T> Channel<T> {
    #[track_caller]
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side that sends.
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

/// The side that receives.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

/// A channel.
///
/// # Panics
///
/// Outside of an exploration.
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let queue = Queue { messages: VecDeque::new(), senders: 1, has_receiver: true };
    let channel = Arc::new(Channel { queue: Mutex::new(queue), has_changed: Condvar::new() });
    (Sender { channel: Arc::clone(&channel) }, Receiver { channel })
}

impl<T> Sender<T> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// The receiver is gone; the error has the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut queue = self.channel.lock();
        if !queue.has_receiver {
            return Err(SendError(message));
        }
        queue.messages.push_back(message);
        drop(queue);
        self.channel.has_changed.notify_one();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Sender<T> {
        self.channel.lock().senders += 1;
        Sender { channel: Arc::clone(&self.channel) }
    }
}

impl<T> Drop for Sender<T> {
    #[track_caller]
    fn drop(&mut self) {
        if !is_running() {
            return;
        }
        let left = {
            let mut queue = self.channel.lock();
            queue.senders -= 1;
            queue.senders
        };
        if left == 0 {
            self.channel.has_changed.notify_all();
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// There is none, and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut queue = self.channel.lock();
        loop {
            if let Some(message) = queue.messages.pop_front() {
                return Ok(message);
            }
            if queue.senders == 0 {
                return Err(RecvError);
            }
            queue = self.channel.has_changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a message, if there is one.
    ///
    /// # Errors
    ///
    /// There is none; and whether all senders are gone.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut queue = self.channel.lock();
        match queue.messages.pop_front() {
            Some(message) => Ok(message),
            None if queue.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// As [`Receiver::recv`]. Time does not pass in a model: that it is over is explored within the budget
    /// [`Builder::spurious_wakeups`](crate::model::Builder::spurious_wakeups).
    ///
    /// # Errors
    ///
    /// There is no message, and all senders are gone or the time is over.
    #[track_caller]
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        let mut queue = self.channel.lock();
        let mut is_over = false;
        loop {
            if let Some(message) = queue.messages.pop_front() {
                return Ok(message);
            }
            if queue.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            if is_over {
                return Err(RecvTimeoutError::Timeout);
            }
            let waited = self.channel.has_changed.wait_timeout(queue, time).unwrap_or_else(PoisonError::into_inner);
            (queue, is_over) = (waited.0, waited.1.timed_out());
        }
    }
}

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        if !is_running() {
            return;
        }
        let messages = {
            let mut queue = self.channel.lock();
            queue.has_receiver = false;
            std::mem::take(&mut queue.messages)
        };
        // Their destructors may use the channel.
        drop(messages);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
