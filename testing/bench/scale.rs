//! How the hub does with many members and many objects. All members are
//! simulated: what is measured is the hub.

pub(crate) mod bulk;
pub(crate) mod crowd;
pub(crate) mod faults;
pub(crate) mod spread;
