//! Places where a fault test stops or kills the program (security.md 3.1). They exist only with the
//! cargo feature `failpoints`, which is never released.

#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! fail_point {
    ($name:literal) => {
        // A pause must not hold up the runtime's other tasks.
        tokio::task::spawn_blocking(|| fail::fail_point!($name)).await.ok()
    };
}

#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! fail_point {
    ($name:literal) => {};
}
