//! Scenes: where a value was made, and where it is used.
//!
//! A thread of the host is outside of any exploration, or in one, and each exploration is a scene of its own. A value
//! remembers its scene, and each use of it compares that with the scene of who uses it.
//!
//! * **WH-1** Scene 0 is that of whoever does not explore. Any other number is given out once in a process.
//! * **WH-2** A model that was begun without [`explore`](super::explore), by an engine's own `model`, is a scene as
//!   well, from when its thread of the host first asks [`is_modelled`], as whoever builds a heap or takes a lock does.
//!   All such models of one thread are one scene, and the engine tells their values apart. Until then the thread is
//!   outside, since it is not cheap to ask.

use super::engine;
use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// Where values are made and used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scene(u32);

/// The mark of a thread that was found in a model of an engine's own: it has to ask each time.
const ASKS: Scene = Scene(u32::MAX);

thread_local! {
    static HERE: Cell<Scene> = const { Cell::new(Scene::NATIVE) };
    /// The scene of this thread's models that [`explore`](super::explore) did not begin (WH-2).
    static UNANNOUNCED: Cell<Scene> = const { Cell::new(Scene::NATIVE) };
}

/// The number that was given out last.
static LAST: AtomicU32 = AtomicU32::new(0);

/// Ends a scene when it is dropped.
pub(crate) struct SceneGuard {
    before: Scene,
}

impl Drop for SceneGuard {
    fn drop(&mut self) {
        HERE.set(self.before);
    }
}

impl Scene {
    /// Outside of any exploration.
    pub(crate) const NATIVE: Scene = Scene(0);

    /// The scene of this thread of the host. Asking is no operation of a model.
    #[inline]
    pub(crate) fn here() -> Scene {
        let here = HERE.get();
        if here == ASKS { Scene::unannounced() } else { here }
    }

    /// Begins the scene of an exploration.
    pub(crate) fn enter() -> SceneGuard {
        SceneGuard { before: HERE.replace(Scene::new()) }
    }

    /// As [`here`](Scene::here), and looks for a model that an engine's own `model` has begun (WH-2).
    pub(crate) fn looked_for() -> Scene {
        if HERE.get().is_native() && engine::is_unannounced() {
            HERE.set(ASKS);
        }
        Scene::here()
    }

    fn new() -> Scene {
        // Relaxed: numbers that differ, which order nothing.
        let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let scene = Scene(number);
        assert!(scene != Scene::NATIVE && scene != ASKS, "a process begins less than 2^32 explorations");
        scene
    }

    #[cold]
    fn unannounced() -> Scene {
        if !engine::is_unannounced() {
            return Scene::NATIVE;
        }
        if UNANNOUNCED.get().is_native() {
            UNANNOUNCED.set(Scene::new());
        }
        UNANNOUNCED.get()
    }

    /// Whether this is outside of any exploration.
    #[inline]
    pub(crate) fn is_native(self) -> bool {
        self == Scene::NATIVE
    }

    /// Refuses what was made in this scene, unless this is the scene of the caller. `kind` has an article.
    #[inline]
    #[track_caller]
    pub(crate) fn assert_here(self, kind: &'static str) {
        let here = Scene::here();
        if self != here {
            self.refuse(kind, here);
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn refuse(self, kind: &'static str, here: Scene) -> ! {
        let place = if self.is_native() || here.is_native() { format!("{here}") } else { "in another one".to_owned() };
        panic!("{kind} that was made {self} is used {place}");
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_native() { "outside of any exploration" } else { "in an exploration" })
    }
}

/// Whether a value that is made here and now is one of a checker: in an exploration.
#[must_use]
pub fn is_modelled() -> bool {
    !Scene::looked_for().is_native()
}

/// As [`is_modelled`], where a heap has been built before.
#[inline]
pub(super) fn is_known_modelled() -> bool {
    !Scene::here().is_native()
}
